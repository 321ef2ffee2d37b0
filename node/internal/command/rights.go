package command

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/when"
)

// OpenCase notes that somebody uses a right. The note is sealed under the key of
// whom it is about; about nobody in the files there is none.
type OpenCase struct {
	Stamp      `cbor:"0,keyasint"`
	ID         ident.Case    `cbor:"1,keyasint"`
	Demand     rights.Demand `cbor:"2,keyasint"`
	Collection byte          `cbor:"3,keyasint,omitempty"`
	Who        [16]byte      `cbor:"4,keyasint"`
	Received   when.Day      `cbor:"5,keyasint"`
	Due        when.Day      `cbor:"6,keyasint"`
	Asker      rights.Asker  `cbor:"7,keyasint"`
	Box        []byte        `cbor:"8,keyasint,omitempty"` // rights.CaseWords, sealed at version 1
}

// StepCase moves a case on.
type StepCase struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Case  `cbor:"1,keyasint"`
	Version uint32      `cbor:"2,keyasint"`
	Step    rights.Step `cbor:"3,keyasint"`
	Today   when.Day    `cbor:"4,keyasint"`
	Box     []byte      `cbor:"5,keyasint,omitempty"` // sealed at Version+1
}

// Restrict hides a beneficiary or volunteer from all but the DPO, or shows her
// again.
type Restrict struct {
	Stamp      `cbor:"0,keyasint"`
	Collection byte     `cbor:"1,keyasint"`
	ID         [16]byte `cbor:"2,keyasint"`
	Version    uint32   `cbor:"3,keyasint"`
	Lift       bool     `cbor:"4,keyasint,omitempty"`
}

// Object replaces what somebody objects to. Who objects to the whole of it is
// accompanied, or helps, no more: what is open is closed.
type Object struct {
	Stamp      `cbor:"0,keyasint"`
	Collection byte         `cbor:"1,keyasint"`
	ID         [16]byte     `cbor:"2,keyasint"`
	Version    uint32       `cbor:"3,keyasint"`
	Uses       rights.Use   `cbor:"4,keyasint,omitempty"`
	How        rights.Means `cbor:"5,keyasint"`
	Closings   []Closing    `cbor:"6,keyasint,omitempty"` // Cancelled, for each request of hers that is closed by it
}

// Inform records which notice somebody was given.
type Inform struct {
	Stamp      `cbor:"0,keyasint"`
	Collection byte         `cbor:"1,keyasint"`
	ID         [16]byte     `cbor:"2,keyasint"`
	Text       uint16       `cbor:"3,keyasint,omitempty"` // version of the notice
	How        rights.Means `cbor:"4,keyasint"`
}

// LinkRecords notes that a beneficiary and a volunteer are one person, who agrees
// that it be known; with Part it is known no more.
type LinkRecords struct {
	Stamp       `cbor:"0,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"1,keyasint"`
	Volunteer   ident.Volunteer   `cbor:"2,keyasint"`
	How         rights.Means      `cbor:"3,keyasint"` // she has agreed
	Part        bool              `cbor:"4,keyasint,omitempty"`
}

// WriteText adds a version of a treatment's notice.
type WriteText struct {
	Stamp     `cbor:"0,keyasint"`
	Treatment rights.Treatment `cbor:"1,keyasint"`
	Version   uint16           `cbor:"2,keyasint"` // the new one: one more than the last
	Words     string           `cbor:"3,keyasint"`
}

// ChooseRetention says for how many months the territory keeps.
type ChooseRetention struct {
	Stamp   `cbor:"0,keyasint"`
	Version uint32  `cbor:"1,keyasint"`
	Months  []uint8 `cbor:"2,keyasint"`
}

// Sort records who is kept too long. It takes the place of one that was not
// approved.
type Sort struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Sorting    `cbor:"1,keyasint"`
	Digest  [32]byte         `cbor:"2,keyasint"`
	Months  []uint8          `cbor:"3,keyasint"`
	Expired []rights.Expired `cbor:"4,keyasint,omitempty"`
	More    bool             `cbor:"5,keyasint,omitempty"`
}

// ApproveSorting puts in line to be erased who is in it, except who was changed
// since, or with whom something is open.
type ApproveSorting struct {
	Stamp  `cbor:"0,keyasint"`
	ID     ident.Sorting `cbor:"1,keyasint"`
	Digest [32]byte      `cbor:"2,keyasint"`
}

// WriteBreach begins a page of the register of breaches, or changes it: then Leaf is
// zero.
type WriteBreach struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Breach `cbor:"1,keyasint"`
	Version uint32       `cbor:"2,keyasint,omitempty"` // that was read; 0: a new page
	Facts   rights.Facts `cbor:"3,keyasint"`
	Leaf    crypto.Leaf  `cbor:"4,keyasint,omitzero"`
	Box     []byte       `cbor:"5,keyasint,omitempty"` // rights.BreachWords, sealed at Version+1
	Closes  bool         `cbor:"6,keyasint,omitempty"`
}

func (OpenCase) Kind() Kind        { return KindOpenCase }
func (StepCase) Kind() Kind        { return KindStepCase }
func (Restrict) Kind() Kind        { return KindRestrict }
func (Object) Kind() Kind          { return KindObject }
func (Inform) Kind() Kind          { return KindInform }
func (LinkRecords) Kind() Kind     { return KindLinkRecords }
func (WriteText) Kind() Kind       { return KindWriteText }
func (ChooseRetention) Kind() Kind { return KindChooseRetention }
func (Sort) Kind() Kind            { return KindSort }
func (ApproveSorting) Kind() Kind  { return KindApproveSorting }
func (WriteBreach) Kind() Kind     { return KindWriteBreach }
