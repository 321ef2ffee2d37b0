package node

import (
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
)

// Caller is who asks for something: an account with its roles, for one call.
type Caller struct {
	Account   AccountID
	Roles     Roles
	Volunteer VolunteerID // whom the account belongs to, if to a volunteer
	Name      Secret      // as the account says it, where it is shown; may be empty

	// Coordinating: the node is the national coordinator's. There are no people on it,
	// and whatever is about people is refused.
	Coordinating bool

	// Key is the Idempotency-Key of this call, at most 64 bytes, or empty.
	// Body is what the caller sent; a digest of it tells a repetition from
	// another request under the same key.
	Key  string
	Body []byte
}

// Staff reports whether the caller works at the desk.
func (c Caller) Staff() bool {
	return !c.Coordinating && c.Roles.Has(account.Admin|account.Agent)
}

// Coordinator reports whether the caller presents the nation's figures.
func (c Caller) Coordinator() bool { return c.Coordinating && c.Roles.Has(account.Coordinator) }

// Official reports whether the caller is an elected member: who sees figures, and
// no people.
func (c Caller) Official() bool { return c.Roles == account.Official }

// action is something that roles may or may not do.
type action uint8

const (
	readPeople action = iota
	writePeople
	vetVolunteers
	handleRequests
	callPeople
	readFigures
	readSmallCells
	importPeople
	exportPeople
	defineTypes
	changeTerritory
	manageAccounts
	seeOwnRequests
	answerForSelf
	changeOwnReadiness
	runReplicas
	erasePeople
	keepBackups
	readLedger
	joinFederation
	publishRoster
	offerAcross
	readNation
	publishBulletins
	readBulletins
	readReleases
	releaseFigures
	answerRights
	noteDemands
	keepBooks
	chooseRetention
	readNotices
	writeNotices
)

// aboutPeople is what no coordinator's node does, whoever asks.
var aboutPeople = []action{
	readPeople, writePeople, vetVolunteers, handleRequests, callPeople, readFigures, readSmallCells, importPeople, exportPeople, defineTypes,
	seeOwnRequests, answerForSelf, changeOwnReadiness, erasePeople, offerAcross,
}

// An official stands in readFigures alone: every action about people is
// forbidden to him, and what he reads of the figures passes [stats.Protect].
//
// allowed is the one table of who may do what. The services enforce it; pages
// only reflect it.
var allowed = map[action]struct {
	roles account.Roles
	why   string
}{
	readPeople:         {account.Agent | account.Admin, "the desk cannot help whom it cannot read"},
	writePeople:        {account.Agent | account.Admin, "records are kept by those who talk to people"},
	vetVolunteers:      {account.Agent | account.Admin, "the territory vouches for volunteers through its agents"},
	handleRequests:     {account.Agent | account.Admin, "the desk's main job"},
	callPeople:         {account.Agent | account.Admin, "the desk's main job"},
	readFigures:        {account.Agent | account.Admin | account.Official, "counts of the territory: who is helped, and who is missing"},
	readSmallCells:     {account.Agent | account.Admin, "a count below eleven can point at somebody, so it is for those who know her anyway"},
	importPeople:       {account.Agent | account.Admin, "the cupboard is brought in by the desk"},
	exportPeople:       {account.Admin, "a whole file leaves the node: few hands"},
	defineTypes:        {account.Admin, "the catalogue is the territory's promise"},
	changeTerritory:    {account.Admin, "name and number are the territory's face"},
	manageAccounts:     {account.Admin, "who may enter is decided by few"},
	seeOwnRequests:     {account.Volunteer, "what he was asked, accepted, or may take"},
	answerForSelf:      {account.Volunteer, "only for himself"},
	changeOwnReadiness: {account.Volunteer, "only his own"},
	runReplicas:        {account.Admin, "who adds or removes a machine holds the territory in his hands"},
	erasePeople:        {account.Admin, "what is erased does not come back"},
	readLedger:         {account.DPO | account.Admin | account.Official | account.Coordinator, "what has left is no secret: it holds nobody's name"},
	joinFederation:     {account.Admin, "whom the territory speaks to is decided by few"},
	publishRoster:      {account.Admin | account.Coordinator, "the holders' signatures decide; this only makes the text and hands it on"},
	offerAcross:        {account.Agent | account.Admin, "an offer to neighbours is the desk's word, in the territory's name"},
	readNation:         {account.Coordinator, "totals of all territories, and nobody's name"},
	publishBulletins:   {account.Coordinator, "the nation speaks with one voice"},
	readBulletins:      {account.Coordinator | account.Admin | account.Agent | account.Official | account.DPO, "what the nation says, it says to those who run a territory"},
	keepBackups:        {account.Admin, "whoever holds a key backup and its recipient reads everything"},
	readReleases:       {account.Agent | account.Admin | account.Official | account.DPO, "what has left is no secret here"},
	releaseFigures:     {account.Admin, "what has left does not come back"},
	answerRights:       {account.DPO, "who answers a citizen finds and opens her file, for a case, and it is noted"},
	noteDemands:        {account.DPO | account.Agent | account.Admin, "a right is used at the desk or on the telephone: whoever hears it writes it down"},
	chooseRetention:    {account.Admin, "for how long the territory keeps is its own decision"},
	readNotices:        {account.DPO | account.Agent | account.Admin, "whoever enrols somebody tells what is done with her data"},
	writeNotices:       {account.Admin | account.DPO, "the notice is the territory's promise"},
	keepBooks:          {account.DPO | account.Admin, "the registers say what is done with data, and name nobody"},
}

// may refuses a caller whose roles do not allow the action.
func (c Caller) may(a action) error {
	if c.Account.Zero() {
		return errSignIn
	}
	if c.Coordinating && slices.Contains(aboutPeople, a) {
		return errNoDesk
	}
	if !c.Roles.Has(allowed[a].roles) {
		return errForbidden
	}
	return nil
}

// mayFor lets a volunteer act for himself, and staff for anybody.
func (c Caller) mayFor(v VolunteerID, self, staff action) error {
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
