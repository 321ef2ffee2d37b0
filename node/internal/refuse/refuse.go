// Package refuse lists every reason for which the machine says no. A reason is a
// number in replies and idempotency records, equal on all replicas; never reuse
// or reorder one.
package refuse

// Kind is how a caller may react. It decides the HTTP status.
type Kind uint8

const (
	Invalid  Kind = 1 // the input can never be accepted
	NotFound Kind = 2
	Conflict Kind = 3 // the state has moved on: read again
	Stale    Kind = 4 // the caller's version is not the current one
	Retry    Kind = 5 // the proposer prepares the command anew
)

// Reason is an error of the domain. Zero is no refusal.
type Reason uint16

const (
	NoBeneficiary      Reason = 1
	NoVolunteer        Reason = 2
	NoRequest          Reason = 3
	NoActionType       Reason = 4
	NoAccount          Reason = 5
	NoSession          Reason = 6
	NoImport           Reason = 7
	Exists             Reason = 8
	StaleVersion       Reason = 9
	StaleTree          Reason = 10
	KeyReused          Reason = 11
	LoginTaken         Reason = 12
	NotFounded         Reason = 13
	RequestClosed      Reason = 20
	NotOpen            Reason = 21
	SeatsFull          Reason = 22
	AlreadySeated      Reason = 23
	NotSeated          Reason = 24
	NotAsked           Reason = 25
	DoubleBooked       Reason = 26
	OtherTime          Reason = 27
	PairNeeded         Reason = 28
	NotCovered         Reason = 29
	NothingToTell      Reason = 30
	NotYet             Reason = 31
	VolunteerRefused   Reason = 40
	NotApproved        Reason = 41
	KindNotCleared     Reason = 42
	CarNeeded          Reason = 43
	Absent             Reason = 44
	WrongStep          Reason = 45
	BeneficiaryEnded   Reason = 46
	TypeRetired        Reason = 47
	RequestsOpen       Reason = 48
	ImportClosed       Reason = 50
	ImportGap          Reason = 51
	ImportUsed         Reason = 52
	AccountClosed      Reason = 60
	LastAdmin          Reason = 61
	NoSeries           Reason = 70
	SeriesEnded        Reason = 71
	SeriesStopped      Reason = 72
	NotItsDay          Reason = 73
	NoOffer            Reason = 80
	OfferOver          Reason = 81
	OfferFull          Reason = 82
	OfferOther         Reason = 83
	OfferTaken         Reason = 84
	NotDoneYet         Reason = 85
	Thanked            Reason = 86
	NoThanks           Reason = 87
	NoBond             Reason = 88
	BondAlive          Reason = 89
	BondEnded          Reason = 90
	Erased             Reason = 100
	NotWanted          Reason = 101
	ErasureWaits       Reason = 102
	ErasureIncomplete  Reason = 103
	ImportKept         Reason = 104
	TooFewHolders      Reason = 105
	NoRoot             Reason = 106
	OlderRoot          Reason = 107
	NoKeysThere        Reason = 108
	NoReplica          Reason = 110
	ReplicaRemoved     Reason = 111
	ReplicaTaken       Reason = 112
	NoInvitation       Reason = 113
	InvitationOver     Reason = 114
	PersonNeeded       Reason = 115
	LastReplica        Reason = 116
	RootNotHeld        Reason = 117
	NoDestination      Reason = 118
	DestinationDropped Reason = 119

	// The federation.
	NotFederated     Reason = 120
	FeedFrozen       Reason = 121
	StaleFeed        Reason = 122
	AlreadyFederated Reason = 123
	StaleRoster      Reason = 124
	OtherGenesis     Reason = 125
	OtherRoot        Reason = 126
	WrongHistory     Reason = 127
	FeedRestored     Reason = 128

	// Figures that leave.
	QuarterOpen     Reason = 130
	QuarterReleased Reason = 131
	QuarterGap      Reason = 132
	BudgetSpent     Reason = 133
	VectorsBegun    Reason = 134

	// Help across the borders of territories.
	NoCrossOffer     Reason = 135
	NoInterest       Reason = 136
	ConsentMissing   Reason = 137
	CrossOfferOver   Reason = 138
	CrossOfferFull   Reason = 139
	InterestAnswered Reason = 140
	NotMet           Reason = 141
	InterestShown    Reason = 142
	LapseEarly       Reason = 143
	InterestOver     Reason = 144
	CrossEntry       Reason = 145
	CrossOffersMany  Reason = 146

	// Bulletins.
	NotCoordinator Reason = 150
	StaleBulletin  Reason = 151
	PiecesMissing  Reason = 152
	StaleReading   Reason = 153

	// Dossiers that change hands.
	NoHandover    Reason = 154
	HandoverOpen  Reason = 155
	HandoverSaid  Reason = 156
	HandoverOther Reason = 157
	NotReceived   Reason = 158
	HandoverTaken Reason = 159

	WrongGrants Reason = 160
	// The access journal.
	JournalRepeat  Reason = 175
	JournalGap     Reason = 176
	JournalNoMonth Reason = 177
	JournalHead    Reason = 178
	JournalKept    Reason = 179
	// What people may demand.
	NoCase          Reason = 180
	CaseClosed      Reason = 181
	IdentityFirst   Reason = 182
	CaseExtended    Reason = 183
	CaseLate        Reason = 184
	Restricted      Reason = 185
	NotRestricted   Reason = 186
	OutOfBounds     Reason = 187
	NoSorting       Reason = 188
	SortingApproved Reason = 189
	NoBreach        Reason = 190
	BreachClosed    Reason = 191
	BreachUntold    Reason = 192
	Objected        Reason = 193
	StaleText       Reason = 194

	// Coming in.
	CodeUsed           Reason = 165
	NoCredential       Reason = 166
	LastSecond         Reason = 167
	CredentialThere    Reason = 168
	TooManyCredentials Reason = 169
)

// reasons says each in a few words, for logs, the API and the CLI. Pages have
// their own sentences.
var reasons = map[Reason]struct {
	kind Kind
	code string
	text string
}{
	NoBeneficiary:      {NotFound, "no-beneficiary", "no such beneficiary"},
	NoVolunteer:        {NotFound, "no-volunteer", "no such volunteer"},
	NoRequest:          {NotFound, "no-request", "no such request"},
	NoActionType:       {NotFound, "no-action-type", "no such action type"},
	NoAccount:          {NotFound, "no-account", "no such account"},
	NoSession:          {NotFound, "no-session", "no such session"},
	NoImport:           {NotFound, "no-import", "no such import"},
	Exists:             {Conflict, "exists", "there is one already"},
	StaleVersion:       {Stale, "stale-version", "somebody changed it since you read it; read it again"},
	StaleTree:          {Retry, "stale-tree", "the key tree has moved on; seal again"},
	KeyReused:          {Conflict, "key-reused", "this Idempotency-Key was used for another request; draw a new one"},
	LoginTaken:         {Conflict, "login-taken", "this login is taken; choose another"},
	NotFounded:         {Conflict, "not-founded", "the territory is not founded yet"},
	RequestClosed:      {Conflict, "request-closed", "the request is closed"},
	NotOpen:            {Conflict, "not-open", "the request does not look for volunteers now"},
	SeatsFull:          {Conflict, "seats-full", "somebody else has taken the last seat"},
	AlreadySeated:      {Conflict, "already-seated", "this volunteer comes already; a paired visit needs two people"},
	NotSeated:          {Conflict, "not-seated", "this volunteer does not come to this request"},
	NotAsked:           {Conflict, "not-asked", "this volunteer has no question to answer here"},
	DoubleBooked:       {Conflict, "double-booked", "this volunteer is expected elsewhere at that time"},
	OtherTime:          {Conflict, "other-time", "the first volunteer has fixed another time"},
	PairNeeded:         {Conflict, "pair-needed", "this visit needs two people, or an exception with its reason"},
	NotCovered:         {Conflict, "not-covered", "nobody has accepted yet"},
	NothingToTell:      {Conflict, "nothing-to-tell", "she knows already"},
	NotYet:             {Conflict, "not-yet", "this visit lies ahead: cancel it, or change its day first"},
	RequestsOpen:       {Conflict, "requests-open", "she still has open requests; close them first, so that nobody stands at her door in vain"},
	VolunteerRefused:   {Conflict, "volunteer-refused", "she does not wish this volunteer"},
	NotApproved:        {Conflict, "not-approved", "this volunteer is not approved now"},
	KindNotCleared:     {Conflict, "kind-not-cleared", "this volunteer does not do this kind of action"},
	CarNeeded:          {Conflict, "car-needed", "this action needs a car"},
	Absent:             {Conflict, "absent", "this volunteer is away on that day"},
	WrongStep:          {Conflict, "wrong-step", "this step does not follow from the present one"},
	BeneficiaryEnded:   {Conflict, "beneficiary-ended", "this person is not accompanied any more"},
	TypeRetired:        {Conflict, "type-retired", "this action type is not offered any more"},
	ImportClosed:       {Conflict, "import-closed", "this import is finished or undone"},
	ImportGap:          {Retry, "import-gap", "rows before these are missing; resume the import"},
	ImportUsed:         {Conflict, "import-used", "people of this import have been worked with since; it cannot be undone as a whole"},
	AccountClosed:      {Conflict, "account-closed", "this account is closed"},
	LastAdmin:          {Conflict, "last-admin", "this is the last administrator; name another one first"},
	NoSeries:           {NotFound, "no-series", "no such series"},
	SeriesEnded:        {Conflict, "series-ended", "this series has ended; begin a new one"},
	SeriesStopped:      {Conflict, "series-stopped", "this series is paused or has ended"},
	NotItsDay:          {Conflict, "not-its-day", "the series has no visit on this day"},
	NoOffer:            {NotFound, "no-offer", "no such offer"},
	OfferOver:          {Conflict, "offer-over", "this offer is withdrawn, or its day is over"},
	OfferFull:          {Conflict, "offer-full", "every place of this offer is taken"},
	OfferOther:         {Conflict, "offer-other", "this offer is for another kind of action, or another day"},
	OfferTaken:         {Conflict, "offer-taken", "she profits from this offer already"},
	NotDoneYet:         {Conflict, "not-done-yet", "thanks are for what has taken place"},
	Thanked:            {Conflict, "thanked", "her thanks are on their way already"},
	NoThanks:           {Conflict, "no-thanks", "there are no thanks to read here, or they were read before"},
	NoBond:             {NotFound, "no-bond", "no such bond"},
	BondAlive:          {Conflict, "bond-alive", "these two see each other without us already"},
	BondEnded:          {Conflict, "bond-ended", "this bond has ended"},
	Erased:             {Conflict, "erased", "this person was erased on request"},
	NotWanted:          {Conflict, "not-wanted", "nobody has asked to erase this person, or the wish was taken back"},
	ErasureWaits:       {Conflict, "erasure-waits", "visits, requests, offers or bonds of this person are still open; close them, or ask to erase with everything withdrawn"},
	ErasureIncomplete:  {Retry, "erasure-incomplete", "somebody who goes along was left out; prepare the erasure again"},
	ImportKept:         {Conflict, "import-kept", "only an import that was undone and is out of the figures, or was never finished, can be erased as a whole"},
	TooFewHolders:      {Retry, "too-few-holders", "too few replicas hold the new root key; start the missing ones and try again"},
	NoRoot:             {Conflict, "no-root", "this root key was never the territory's"},
	OlderRoot:          {Conflict, "older-root", "the root key was replaced meanwhile; say it again about the new one"},
	NoReplica:          {NotFound, "no-replica", "no such replica"},
	ReplicaRemoved:     {Conflict, "replica-removed", "this replica was removed; let it join again as a new one, with a new invitation"},
	ReplicaTaken:       {Conflict, "replica-taken", "another replica has this name, address or key"},
	NoInvitation:       {NotFound, "no-invitation", "no such invitation; ask an administrator for a join token"},
	InvitationOver:     {Conflict, "invitation-over", "this invitation was used or has expired; ask an administrator for another join token"},
	PersonNeeded:       {Invalid, "person-needed", "only a person can say so; sign in and say it"},
	LastReplica:        {Conflict, "last-replica", "this is the last replica; let another one join first"},
	RootNotHeld:        {Conflict, "root-not-held", "most of the remaining replicas do not hold the present root key yet; start them and wait until they do"},
	NoDestination:      {NotFound, "no-destination", "no such backup destination"},
	DestinationDropped: {Conflict, "destination-dropped", "this backup destination was dropped"},
	NotFederated:       {Conflict, "not-federated", "this territory belongs to no federation; join one with: bippop federation join"},
	FeedFrozen:         {Conflict, "feed-frozen", "nothing leaves this territory: its feed was found forked, and people have to decide; see bippop federation status"},
	StaleFeed:          {Retry, "stale-feed", "the feed has grown meanwhile; make the entry again"},
	NoCrossOffer:       {NotFound, "no-cross-offer", "no such offer to neighbouring territories"},
	NoInterest:         {NotFound, "no-interest", "no such interest in a neighbour's offer"},
	ConsentMissing:     {Conflict, "consent-missing", "a volunteer has not said yes to this offer; ask each of them first, or leave out who has said no"},
	CrossOfferOver:     {Conflict, "cross-offer-over", "this offer is not published, was withdrawn, or its last day is over"},
	CrossOfferFull:     {Conflict, "cross-offer-full", "fewer visits are left in this offer than are asked for"},
	InterestAnswered:   {Conflict, "interest-answered", "this interest was answered already"},
	NotMet:             {Conflict, "not-met", "the neighbour has not accepted this, or not any more"},
	InterestShown:      {Conflict, "interest-shown", "a neighbour was asked about this request already; take that back first"},
	LapseEarly:         {Conflict, "lapse-early", "the other territory still has time to acknowledge"},
	InterestOver:       {Conflict, "interest-over", "this was ended already"},
	CrossEntry:         {Invalid, "cross-entry", "this message of a territory does not belong to this offer or interest"},
	CrossOffersMany:    {Conflict, "cross-offers-many", "twenty offers to neighbours are open already; withdraw one first"},
	AlreadyFederated:   {Conflict, "already-federated", "this territory belongs to a federation already; leave it first: bippop federation leave"},
	StaleRoster:        {Retry, "stale-roster", "the roster has grown meanwhile; take it again"},
	OtherGenesis:       {Conflict, "other-genesis", "this roster is not the one that the invitation names; nothing of it was taken: ask whoever sent the invitation"},
	OtherRoot:          {Conflict, "other-root", "the roster opens a new epoch from entries that this node does not hold; its holders have to name the last place at which both agree"},
	WrongHistory:       {Conflict, "wrong-history", "what the hubs hold in this territory's name does not follow from what it holds itself"},
	FeedRestored:       {Conflict, "feed-restored", "this territory came back from a backup and first asks the hubs what it has said since; until they have answered nothing more is said"},
	NotCoordinator:     {Conflict, "not-coordinator", "only the coordinator's node publishes bulletins"},
	StaleBulletin:      {Retry, "stale-bulletin", "another bulletin was published meanwhile; number it again"},
	PiecesMissing:      {Conflict, "pieces-missing", "a part of the PDF is missing; attach it again"},
	StaleReading:       {Retry, "stale-reading", "the coordinator's feed was read further meanwhile"},
	NoHandover:         {NotFound, "no-handover", "no such file of dossiers was given or taken in here"},
	HandoverOpen:       {Conflict, "handover-open", "the dossiers of this file are not all taken in; take the file in to its end first"},
	HandoverSaid:       {Conflict, "handover-said", "the receipt of this file was given already"},
	HandoverOther:      {Conflict, "handover-other", "this does not fit the file that was given or taken in here"},
	NotReceived:        {Conflict, "not-received", "the receiving territory has not confirmed that all is there; nobody is erased before"},
	NoCase:             {NotFound, "no-case", "no such case"},
	CaseClosed:         {Conflict, "case-closed", "this case is closed; open another one for a new demand"},
	IdentityFirst:      {Conflict, "identity-first", "make sure first who asks, and note how"},
	CaseExtended:       {Conflict, "case-extended", "this case was extended already; the law allows it once"},
	CaseLate:           {Conflict, "case-late", "an extension needs a reason and is said before the first month is over"},
	Restricted:         {Conflict, "restricted", "this file is restricted, at the person's wish: see the data protection officer"},
	NotRestricted:      {Conflict, "not-restricted", "this file is not restricted"},
	OutOfBounds:        {Invalid, "out-of-bounds", "this number of months is out of its bounds"},
	NoSorting:          {NotFound, "no-sorting", "no such dry run"},
	SortingApproved:    {Conflict, "sorting-approved", "this dry run was approved, or another has taken its place; run it again"},
	NoBreach:           {NotFound, "no-breach", "no such page of the register of breaches"},
	BreachClosed:       {Conflict, "breach-closed", "this page of the register is closed"},
	BreachUntold:       {Conflict, "breach-untold", "note first when the CNIL and, at a high risk, the people concerned were told"},
	Objected:           {Conflict, "objected", "this person has objected to this use"},
	StaleText:          {Retry, "stale-text", "another version was written meanwhile; read it again"},
	HandoverTaken:      {Conflict, "handover-taken", "the dossiers of these communes were taken in already"},
	JournalRepeat:      {Retry, "journal-repeat", "these entries of the journal are recorded already; look how far it is, and go on from there"},
	JournalGap:         {Retry, "journal-gap", "entries of the journal before these are not recorded yet; bring them first"},
	JournalNoMonth:     {Retry, "journal-no-month", "the journal has no key for this month, or not any more; open the present month first"},
	JournalHead:        {Conflict, "journal-head", "this is not a head of the journal as it is recorded, or an older one"},
	JournalKept:        {Conflict, "journal-kept", "the journal is kept for twelve months after the end of a month"},
	QuarterOpen:        {Conflict, "quarter-open", "this quarter is not over yet; it is released ten days after its last one"},
	QuarterReleased:    {Conflict, "quarter-released", "this quarter was released; it is never released again"},
	QuarterGap:         {Conflict, "quarter-gap", "quarters are released in order; release the earlier one first"},
	BudgetSpent:        {Conflict, "budget-spent", "the year's privacy budget is spent; nothing more is released before the next year"},
	VectorsBegun:       {Conflict, "vectors-begun", "the quarters are counted already"},
	WrongGrants:        {Invalid, "wrong-grants", "these roles do not go together, or a role does not reach like this; give each role once, communes to the desk's roles only"},
	CodeUsed:           {Conflict, "code-used", "this code opened before; wait for the next one"},
	NoCredential:       {NotFound, "no-credential", "there is no such way to come in"},
	LastSecond:         {Conflict, "last-second", "an administrator keeps a second factor; set up another one first"},
	CredentialThere:    {Conflict, "credential-there", "this belongs to an account already"},
	TooManyCredentials: {Conflict, "too-many-credentials", "an account has ten passkeys at most; remove one first"},
	NoKeysThere:        {Conflict, "no-keys-there", "key backups do not go to this destination; register one for them"},
}

func (r Reason) Error() string { return reasons[r].text }

// Kind says how a caller may react.
func (r Reason) Kind() Kind { return reasons[r].kind }

// Code is the stable name in the API.
func (r Reason) Code() string { return reasons[r].code }
