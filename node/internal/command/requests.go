package command

import (
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// OpenRequest notes a need, and asks volunteers at once if it names some.
type OpenRequest struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Request     `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Type        ident.ActionType  `cbor:"3,keyasint"`
	Wish        request.Wish      `cbor:"4,keyasint"`
	Plan        request.Plan      `cbor:"5,keyasint"` // Seats is checked against the rule of two
	Draft       bool              `cbor:"6,keyasint,omitempty"`
	Ask         []ident.Volunteer `cbor:"7,keyasint,omitempty"`
	Box         []byte            `cbor:"8,keyasint,omitempty"` // sealed at version 1
	Counts      []Count           `cbor:"9,keyasint,omitempty"` // Requested
}

// ChangeRequest moves the wish, the plan and, unless empty, the words.
type ChangeRequest struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Request `cbor:"1,keyasint"`
	Version uint32        `cbor:"2,keyasint"`
	Wish    request.Wish  `cbor:"3,keyasint"`
	Plan    request.Plan  `cbor:"4,keyasint"`
	Box     []byte        `cbor:"5,keyasint,omitempty"` // sealed at Version+1
}

// PublishDraft lets a draft look for volunteers.
type PublishDraft struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Request `cbor:"1,keyasint"`
}

// Ask puts the question to volunteers.
type Ask struct {
	Stamp      `cbor:"0,keyasint"`
	ID         ident.Request     `cbor:"1,keyasint"`
	Volunteers []ident.Volunteer `cbor:"2,keyasint"`
}

// Accept gives a volunteer a seat, at an instant that answers the wish. Day is
// that instant's day in the territory, for absences.
type Accept struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Request   `cbor:"1,keyasint"`
	Volunteer ident.Volunteer `cbor:"2,keyasint"`
	Start     when.At         `cbor:"3,keyasint"`
	Day       when.Day        `cbor:"4,keyasint"`
	Wish      request.Wish    `cbor:"5,keyasint"`           // that the instant answers, as the proposer read it
	Counts    []Count         `cbor:"6,keyasint,omitempty"` // Found and how soon, if this takes the last seat
}

// Refuse notes a volunteer's no.
type Refuse struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Request   `cbor:"1,keyasint"`
	Volunteer ident.Volunteer `cbor:"2,keyasint"`
}

// Withdraw frees his seat.
type Withdraw struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Request   `cbor:"1,keyasint"`
	Volunteer ident.Volunteer `cbor:"2,keyasint"`
}

// Word is what she said to one piece of news.
type Word uint8

const (
	Fine     Word = 1 // she knows, and it suits her
	NotHim   Word = 2 // she does not wish this volunteer, for no stated reason
	NoMore   Word = 3 // she does not need it any more
	NotReach Word = 4 // she was not reached: nothing is told
)

// About is one request that a call was about, at the version that was read out.
type About struct {
	Request   ident.Request   `cbor:"1,keyasint"`
	Version   uint32          `cbor:"2,keyasint"`
	Word      Word            `cbor:"3,keyasint"`
	Volunteer ident.Volunteer `cbor:"4,keyasint"`           // of NotHim
	Counts    []Count         `cbor:"5,keyasint,omitempty"` // Told, if for the first time; Cancelled with NoMore
}

// Reach notes a call to her, whether she answered or not, and what she said to
// each piece of news. All of it counts or none.
type Reach struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Attempt     `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Result      contact.Result    `cbor:"3,keyasint"`
	Means       contact.Means     `cbor:"4,keyasint"`
	After       when.At           `cbor:"5,keyasint,omitempty"` // call again not before
	About       []About           `cbor:"6,keyasint,omitempty"`
}

// Finish says that it took place, or did not though somebody had accepted.
type Finish struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Request   `cbor:"1,keyasint"`
	NotDone bool            `cbor:"2,keyasint,omitempty"`
	Outcome request.Outcome `cbor:"3,keyasint"`
	Counts  []Count         `cbor:"4,keyasint,omitempty"`
}

// Drop ends a request before it takes place.
type Drop struct {
	Stamp    `cbor:"0,keyasint"`
	ID       ident.Request   `cbor:"1,keyasint"`
	Version  uint32          `cbor:"2,keyasint"`
	Unfilled bool            `cbor:"3,keyasint,omitempty"`
	Outcome  request.Outcome `cbor:"4,keyasint"`
	Counts   []Count         `cbor:"5,keyasint,omitempty"`
}

// RecordDone notes an action that has already taken place, asked for and
// answered outside the platform.
type RecordDone struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Request     `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Type        ident.ActionType  `cbor:"3,keyasint"`
	Wish        request.Wish      `cbor:"4,keyasint"`
	Plan        request.Plan      `cbor:"5,keyasint"` // with Start
	Volunteers  []ident.Volunteer `cbor:"6,keyasint"`
	Outcome     request.Outcome   `cbor:"7,keyasint"`
	Box         []byte            `cbor:"8,keyasint,omitempty"`
	Counts      []Count           `cbor:"9,keyasint,omitempty"`
}

func (OpenRequest) Kind() Kind   { return KindOpenRequest }
func (ChangeRequest) Kind() Kind { return KindChangeRequest }
func (PublishDraft) Kind() Kind  { return KindPublishDraft }
func (Ask) Kind() Kind           { return KindAsk }
func (Accept) Kind() Kind        { return KindAccept }
func (Refuse) Kind() Kind        { return KindRefuse }
func (Withdraw) Kind() Kind      { return KindWithdraw }
func (Reach) Kind() Kind         { return KindReach }
func (Finish) Kind() Kind        { return KindFinish }
func (Drop) Kind() Kind          { return KindDrop }
func (RecordDone) Kind() Kind    { return KindRecordDone }
