package node

import (
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
)

// Caller is who asks for something: an account under one of its hats, for one call.
type Caller struct {
	Account     AccountID
	Roles       Roles         // that is worn: one
	Hats        Roles         // that the account may wear
	Communes    []string      // that are reached with it, INSEE codes; none: the whole territory
	Association string        // whose people are reached, with the role Association
	Volunteer   VolunteerID   // whom the account belongs to, if to a volunteer
	Beneficiary BeneficiaryID // whose card it is
	Login       string        // with the name, where it is shown
	Name        Secret        // as the account says it, where it is shown; may be empty
	Session     Session       // zero for who just signs in

	// Coordinating: the node is the national coordinator's. There are no people on it,
	// and whatever is about people is refused.
	Coordinating bool

	// Key is the Idempotency-Key of this call, at most 64 bytes, or empty.
	// Body is what the caller sent; a digest of it tells a repetition from
	// another request under the same key.
	Key  string
	Body []byte

	reading *Reading // what the answer shows; nil: it may show nobody
	inner   bool     // the node itself
	bare    bool     // without the second factor that the territory demands
}

// Afresh is c for another answer, which shows nobody yet.
func (c Caller) Afresh() Caller {
	c.reading = &Reading{}
	return c
}

// Reading is what the answer to c shows so far.
func (c Caller) Reading() *Reading { return c.reading }

// Staff reports whether the caller works at the desk.
func (c Caller) Staff() bool {
	return !c.Coordinating && c.Roles.Has(account.Admin|account.Agent|account.Reception)
}

// Coordinator reports whether the caller presents the nation's figures.
func (c Caller) Coordinator() bool { return c.Coordinating && c.Roles.Has(account.Coordinator) }

// Official reports whether the caller is an elected member: who sees figures, and
// no people.
func (c Caller) Official() bool { return c.Roles == account.Official }

// stepUpMinutes is how long a credential that was shown opens what needs one afresh.
const stepUpMinutes = 15

// fresh refuses who has not shown a credential for a quarter of an hour: a browser
// left open exports and erases nobody.
func (s *core) fresh(by Caller) error {
	if by.inner || by.Session.ID == (account.SessionID{}) || s.clock()-by.Session.ShownAt() < stepUpMinutes*60_000 {
		return nil
	}
	return errStepUp
}

// extent is how far a role goes in an action.
type extent uint8

const (
	inCommunes   extent = iota // the people of the grant's communes; of the whole territory where it names none
	everywhere                 // the whole territory: a grant that names communes does not suffice
	onlyOwn                    // oneself, and what one was asked or has promised
	ownMembers                 // the people of one's own association
	onlySums                   // numbers, of the grant's communes
	onlyMachines               // replicas, backups, records of what left: nobody's name
)

// Action is something that roles may or may not do.
type Action uint8

const (
	FindPeople Action = iota
	ReadPeople
	WritePeople
	VetVolunteers
	HandleRequests
	CallPeople
	ReadFigures
	ReadSmallCells
	ImportPeople
	ExportPeople
	DefineTypes
	ChangeTerritory
	ManageAccounts
	NameDeputy
	SeeOwnRequests
	AnswerForSelf
	ChangeOwnReadiness
	RunReplicas
	ErasePeople
	KeepBackups
	ReadLedger
	JoinFederation
	PublishRoster
	OfferAcross
	ReadNation
	PublishBulletins
	ReadBulletins
	ReadReleases
	ReleaseFigures
	SeeMembers
	UseCard
	AnswerRights
	ReadJournal
	NoteDemands
	KeepBooks
	ChooseRetention
	ReadNotices
	WriteNotices
	ReadErasures
)

// aboutPeople is what no coordinator's node does, whoever asks.
var aboutPeople = []Action{
	FindPeople, ReadPeople, WritePeople, VetVolunteers, HandleRequests, CallPeople, ReadFigures, ReadSmallCells, ImportPeople, ExportPeople, DefineTypes,
	NameDeputy, SeeOwnRequests, AnswerForSelf, ChangeOwnReadiness, ErasePeople, OfferAcross, SeeMembers, UseCard, AnswerRights, NoteDemands,
}

// may is one role's part in an action.
type part struct {
	roles account.Roles
	reach extent
}

// rule is who may do something, how far, and why.
type rule struct {
	parts []part
	why   string
}

const (
	desk  = account.Agent | account.Admin
	calls = desk | account.Reception
)

// allowed is the one table of who may do what, how far. The services enforce it; pages
// only reflect it. How far is enforced below the services, where records are read: see
// [Caller.sight]; that is why this table names an extent and judges only whether it is everywhere.
//
// An official stands in ReadFigures alone of what is about people, and what he reads of
// the figures passes [stats.Protect]. An operator stands at machines.
var allowed = map[Action]rule{
	FindPeople:         {[]part{{calls, inCommunes}}, "whoever takes a call finds who is calling"},
	ReadPeople:         {[]part{{desk, inCommunes}}, "the desk cannot help whom it cannot read; the reception opens no dossier"},
	WritePeople:        {[]part{{desk, inCommunes}}, "records are kept by those who talk to people"},
	VetVolunteers:      {[]part{{desk, inCommunes}}, "the territory vouches for volunteers through its agents"},
	HandleRequests:     {[]part{{calls, inCommunes}}, "the desk's main job, from the first call on"},
	CallPeople:         {[]part{{calls, inCommunes}}, "the desk's main job"},
	ReadFigures:        {[]part{{desk | account.Official, onlySums}}, "counts of the territory: who is helped, and who is missing"},
	ReadSmallCells:     {[]part{{desk, onlySums}}, "a count below eleven can point at somebody, so it is for those who know her anyway"},
	ImportPeople:       {[]part{{desk, everywhere}}, "the cupboard is brought in by the desk; a file may hold people of every commune"},
	ExportPeople:       {[]part{{account.Admin, everywhere}}, "a whole file leaves the node: few hands"},
	DefineTypes:        {[]part{{account.Admin, everywhere}}, "the catalogue is the territory's promise"},
	ChangeTerritory:    {[]part{{account.Admin, everywhere}}, "name and number are the territory's face"},
	ManageAccounts:     {[]part{{account.Admin, everywhere}}, "who may enter is decided by few"},
	NameDeputy:         {[]part{{account.Admin, everywhere}, {account.Agent | account.Reception, onlyOwn}}, "whoever goes on holiday says who stands in"},
	SeeOwnRequests:     {[]part{{account.Volunteer, onlyOwn}}, "what he was asked, accepted, or may take"},
	AnswerForSelf:      {[]part{{account.Volunteer, onlyOwn}}, "only for himself"},
	ChangeOwnReadiness: {[]part{{account.Volunteer, onlyOwn}}, "only his own"},
	RunReplicas:        {[]part{{account.Admin | account.Operator, onlyMachines}}, "who adds or removes a machine holds the territory in his hands"},
	ErasePeople:        {[]part{{account.Admin, everywhere}}, "what is erased does not come back"},
	ReadLedger:         {[]part{{account.DPO | account.Admin | account.Official | account.Coordinator | account.Operator, onlyMachines}}, "what has left is no secret: it holds nobody's name"},
	JoinFederation:     {[]part{{account.Admin, onlyMachines}}, "whom the territory speaks to is decided by few"},
	PublishRoster:      {[]part{{account.Admin | account.Coordinator, onlyMachines}}, "the holders' signatures decide; this only makes the text and hands it on"},
	OfferAcross:        {[]part{{desk, everywhere}}, "an offer to neighbours is the desk's word, in the territory's name"},
	ReadNation:         {[]part{{account.Coordinator, onlySums}}, "totals of all territories, and nobody's name"},
	PublishBulletins:   {[]part{{account.Coordinator, onlyMachines}}, "the nation speaks with one voice"},
	ReadBulletins:      {[]part{{account.Coordinator | account.Admin | account.Agent | account.Official | account.DPO, onlyMachines}}, "what the nation says, it says to those who run a territory"},
	KeepBackups:        {[]part{{account.Admin, onlyMachines}}, "whoever holds a key backup and its recipient reads everything"},
	ReadReleases:       {[]part{{account.Agent | account.Admin | account.Official | account.DPO, onlyMachines}}, "what has left is no secret here"},
	ReleaseFigures:     {[]part{{account.Admin, onlyMachines}}, "what has left does not come back"},
	SeeMembers:         {[]part{{account.Association, ownMembers}}, "an association knows the volunteers whom it vouches for, and nobody else"},
	UseCard:            {[]part{{account.Beneficiary, onlyOwn}}, "she, or who she allows, asks for help and sees her own visits"},
	AnswerRights:       {[]part{{account.DPO, everywhere}}, "whoever answers a citizen finds and opens what is held of her"},
	NoteDemands:        {[]part{{desk, inCommunes}, {account.DPO, everywhere}}, "a right is used at the desk or on the telephone: whoever hears it writes it down"},
	KeepBooks:          {[]part{{account.Admin | account.DPO, onlyMachines}}, "the registers say what is done with data, and name nobody"},
	ChooseRetention:    {[]part{{account.Admin, everywhere}}, "for how long the territory keeps is its own decision"},
	ReadNotices:        {[]part{{calls | account.DPO, onlyMachines}}, "whoever talks to somebody can tell what is done with her data"},
	WriteNotices:       {[]part{{account.Admin, everywhere}, {account.DPO, everywhere}}, "the notice is the territory's promise"},
	ReadErasures:       {[]part{{account.Admin | account.DPO, onlyMachines}}, "a certificate names nobody, and is the proof that is handed over"},
	ReadJournal:        {[]part{{account.DPO, everywhere}}, "who has read whom is watched by one who reads nobody without a case"},
}

// may refuses a caller whose role does not allow the action, or not so far.
func (c Caller) may(a Action) error {
	if c.inner {
		return nil
	}
	if c.Account.Zero() {
		return errSignIn
	}
	if c.bare {
		return errBare
	}
	if c.Coordinating && slices.Contains(aboutPeople, a) {
		return errNoDesk
	}
	for _, p := range allowed[a].parts {
		if c.Roles.Has(p.roles) && (p.reach != everywhere || !c.limited()) {
			return nil
		}
	}
	return errForbidden
}

// May says whether the caller's role allows an action: nil, or why it does not. Pages ask
// before they show the way to it.
func (c Caller) May(a Action) error { return c.may(a) }

// Rule is which roles may do it at all, and why.
func (a Action) Rule() (roles Roles, why string) {
	for _, p := range allowed[a].parts {
		roles |= p.roles
	}
	return roles, allowed[a].why
}

// Actions lists all of them.
func Actions() (out []Action) {
	for a := range Action(len(allowed)) {
		out = append(out, a)
	}
	return out
}

// AboutPeople reports whether an action is about people, so that a coordinator's node,
// which has none, does not know it.
func (a Action) AboutPeople() bool { return slices.Contains(aboutPeople, a) }

// mayAt is may for something about one commune's people. Beyond the caller's reach
// nobody is known.
func (c Caller) mayAt(a Action, commune string) error {
	if err := c.may(a); err != nil {
		return err
	}
	if !c.reaches(commune) {
		return errBeyond
	}
	return nil
}

// mayFor lets a volunteer act for himself, and staff for anybody whom they reach.
func (c Caller) mayFor(v VolunteerID, self, staff Action) error {
	if c.may(staff) == nil {
		return nil
	}
	if err := c.may(self); err != nil {
		return err
	}
	if c.Volunteer.Zero() || c.Volunteer != v {
		return errForbidden
	}
	return nil
}

// purpose of what the caller does, for the stamp.
func (c Caller) purpose() command.Purpose {
	if c.Staff() {
		return command.Desk
	}
	return command.Helping
}
