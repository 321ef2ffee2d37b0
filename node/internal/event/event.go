// Package event is what the machine says has happened. Events hold IDs, numbers
// and times, never a person's words: they go to indexes and screens after the
// commit, and a reader that missed some catches up from the records.
package event

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
)

// Event is one of the types in this package.
type Event interface{ event() }

// BeneficiaryChanged: her record or her words are new.
type BeneficiaryChanged struct{ ID ident.Beneficiary }

// VolunteerChanged: his record or his words are new.
type VolunteerChanged struct {
	ID     ident.Volunteer
	Status people.Status
	By     ident.Account // zero: the node itself
}

// RequestChanged: a request is new, or stands elsewhere.
type RequestChanged struct {
	ID          ident.Request
	Beneficiary ident.Beneficiary
	State       request.State
	By          ident.Account // zero: the node itself
}

// OfferChanged: a volunteer has proposed something, or it stands elsewhere.
type OfferChanged struct {
	ID        ident.Offer
	Volunteer ident.Volunteer
	By        ident.Account // zero: the node itself
}

// CrossingChanged: an offer to neighbouring territories, or an interest in one of
// theirs, stands elsewhere.
type CrossingChanged struct {
	By ident.Account // zero: the node itself
}

// PersonReached: an attempt to call her was recorded.
type PersonReached struct{ ID ident.Beneficiary }

// ImportClosed: the people of a spreadsheet are visible now, or hidden.
type ImportClosed struct {
	ID    ident.Import
	State people.ImportState
}

// SettingsChanged: the territory or its catalogue reads otherwise.
type SettingsChanged struct{}

// Counted: a cell of the statistics has grown by N, or shrunk.
type Counted struct {
	Cell public.Cell
	N    int64
}

// FeedChanged: an entry was appended to the territory's feed, or the feed stands
// otherwise.
type FeedChanged struct{ Epoch uint16 }

// RosterChanged: the federation's roster has grown, or the territory has joined or
// left.
type RosterChanged struct{}

func (FeedChanged) event()   {}
func (RosterChanged) event() {}

// BulletinCame: the coordinator has said something.
type BulletinCame struct{}

func (BulletinCame) event()       {}
func (Counted) event()            {}
func (BeneficiaryChanged) event() {}
func (VolunteerChanged) event()   {}
func (RequestChanged) event()     {}
func (PersonReached) event()      {}
func (OfferChanged) event()       {}
func (CrossingChanged) event()    {}
func (ImportClosed) event()       {}
func (SettingsChanged) event()    {}
