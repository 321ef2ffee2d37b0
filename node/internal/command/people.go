package command

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
)

// Found makes an empty node a territory's. It is the first command of a log.
type Found struct {
	Stamp     `cbor:"0,keyasint"`
	Territory territory.Territory    `cbor:"1,keyasint"`
	Nodes     []crypto.TreeNode      `cbor:"2,keyasint"`
	Types     []catalogue.ActionType `cbor:"3,keyasint"`
	Admin     account.Account        `cbor:"4,keyasint"`
	Replica   replica.Replica        `cbor:"5,keyasint,omitzero"` // the first one: ID, Name and At
}

// ChangeTerritory replaces names, phone, hours and communes.
type ChangeTerritory struct {
	Stamp     `cbor:"0,keyasint"`
	Version   uint32              `cbor:"1,keyasint"`
	Territory territory.Territory `cbor:"2,keyasint"`
}

// GrowTree adds nodes to the key tree, parents first.
type GrowTree struct {
	Stamp `cbor:"0,keyasint"`
	Nodes []crypto.TreeNode `cbor:"1,keyasint"`
}

// NewBeneficiary is somebody who comes into the files.
type NewBeneficiary struct {
	ID    ident.Beneficiary `cbor:"1,keyasint"`
	Leaf  crypto.Leaf       `cbor:"2,keyasint"`
	Facts people.Facts      `cbor:"3,keyasint"`
	Box   []byte            `cbor:"4,keyasint"` // sealed at version 1
}

// Enrol adds a beneficiary.
type Enrol struct {
	Stamp  `cbor:"0,keyasint"`
	Who    NewBeneficiary `cbor:"1,keyasint"`
	Counts []Count        `cbor:"2,keyasint,omitempty"`
}

// ChangeBeneficiary replaces facts and, unless empty, words.
type ChangeBeneficiary struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Beneficiary `cbor:"1,keyasint"`
	Version uint32            `cbor:"2,keyasint"`
	Facts   people.Facts      `cbor:"3,keyasint"`
	Box     []byte            `cbor:"4,keyasint,omitempty"` // sealed at Version+1
}

// NewVolunteer is a neighbour who offers himself, or whom the agent writes down.
type NewVolunteer struct {
	ID     ident.Volunteer  `cbor:"1,keyasint"`
	Leaf   crypto.Leaf      `cbor:"2,keyasint"`
	Status people.Status    `cbor:"3,keyasint"` // of an import: as vetted before; else Applicant
	Offer  people.Readiness `cbor:"4,keyasint"`
	Box    []byte           `cbor:"5,keyasint"` // sealed at version 1
}

// Register adds a volunteer.
type Register struct {
	Stamp  `cbor:"0,keyasint"`
	Who    NewVolunteer `cbor:"1,keyasint"`
	Counts []Count      `cbor:"2,keyasint,omitempty"`
}

// ChangeVolunteer replaces what he is ready for, the day of his next step and,
// unless empty, his words.
type ChangeVolunteer struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Volunteer  `cbor:"1,keyasint"`
	Version uint32           `cbor:"2,keyasint"`
	Offer   people.Readiness `cbor:"3,keyasint"`
	Box     []byte           `cbor:"4,keyasint,omitempty"` // sealed at Version+1
	Next    when.Day         `cbor:"5,keyasint,omitempty"` // of his next step
}

// StepVolunteer moves him along his states. Whoever leaves Approved loses the
// seats and questions that lie ahead: she who expected him must hear of it.
type StepVolunteer struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Volunteer `cbor:"1,keyasint"`
	Version uint32          `cbor:"2,keyasint"`
	To      people.Status   `cbor:"3,keyasint"`
	Counts  []Count         `cbor:"4,keyasint,omitempty"`
	Next    when.Day        `cbor:"5,keyasint,omitempty"` // of the step that follows
}

// DefineType adds or changes a kind of action.
type DefineType struct {
	Stamp   `cbor:"0,keyasint"`
	Version uint32               `cbor:"1,keyasint"` // 0: a new one
	Type    catalogue.ActionType `cbor:"2,keyasint"`
}

// BeginImport opens a spreadsheet's import.
type BeginImport struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Import `cbor:"1,keyasint"`
	Leaf  crypto.Leaf  `cbor:"2,keyasint"`
	Box   []byte       `cbor:"3,keyasint"`
}

// ImportRows brings some of its people, at their place in the file.
type ImportRows struct {
	Stamp         `cbor:"0,keyasint"`
	ID            ident.Import     `cbor:"1,keyasint"`
	From          uint32           `cbor:"2,keyasint"`
	Beneficiaries []NewBeneficiary `cbor:"3,keyasint,omitempty"`
	Volunteers    []NewVolunteer   `cbor:"4,keyasint,omitempty"`
}

// CloseImport makes its people visible, or hides them again.
type CloseImport struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Import `cbor:"1,keyasint"`
	Undo  bool         `cbor:"2,keyasint,omitempty"`
	Rows  uint32       `cbor:"3,keyasint"`
}

// CountImport puts a part of its people into the statistics, or takes it out
// again. A big import has more cells than one command holds.
type CountImport struct {
	Stamp  `cbor:"0,keyasint"`
	ID     ident.Import `cbor:"1,keyasint"`
	Part   uint32       `cbor:"2,keyasint"`
	Back   bool         `cbor:"3,keyasint,omitempty"`
	Counts []Count      `cbor:"4,keyasint,omitempty"`
}

// OpenAccount adds somebody who may sign in.
type OpenAccount struct {
	Stamp   `cbor:"0,keyasint"`
	Account account.Account `cbor:"1,keyasint"`
}

// ChangeAccount sets roles and state and, unless empty, the password. Sessions
// end with either.
type ChangeAccount struct {
	Stamp    `cbor:"0,keyasint"`
	ID       ident.Account `cbor:"1,keyasint"`
	Version  uint32        `cbor:"2,keyasint"`
	Roles    account.Roles `cbor:"3,keyasint"`
	Closed   bool          `cbor:"4,keyasint,omitempty"`
	Password []byte        `cbor:"5,keyasint,omitempty"`
}

// OpenSession notes a sign-in.
type OpenSession struct {
	Stamp   `cbor:"0,keyasint"`
	Session account.Session `cbor:"1,keyasint"`
}

// CloseSession ends one session.
type CloseSession struct {
	Stamp `cbor:"0,keyasint"`
	ID    account.SessionID `cbor:"1,keyasint"`
}

// Sweep forgets sessions that are over and old idempotency keys, some at a time.
type Sweep struct {
	Stamp    `cbor:"0,keyasint"`
	Sessions when.At `cbor:"1,keyasint"` // that expired before
	Replays  when.At `cbor:"2,keyasint"` // from before
}

func (Found) Kind() Kind             { return KindFound }
func (ChangeTerritory) Kind() Kind   { return KindChangeTerritory }
func (GrowTree) Kind() Kind          { return KindGrowTree }
func (Enrol) Kind() Kind             { return KindEnrol }
func (ChangeBeneficiary) Kind() Kind { return KindChangeBeneficiary }
func (Register) Kind() Kind          { return KindRegister }
func (ChangeVolunteer) Kind() Kind   { return KindChangeVolunteer }
func (StepVolunteer) Kind() Kind     { return KindStepVolunteer }
func (DefineType) Kind() Kind        { return KindDefineType }
func (BeginImport) Kind() Kind       { return KindBeginImport }
func (ImportRows) Kind() Kind        { return KindImportRows }
func (CloseImport) Kind() Kind       { return KindCloseImport }
func (CountImport) Kind() Kind       { return KindCountImport }
func (OpenAccount) Kind() Kind       { return KindOpenAccount }
func (ChangeAccount) Kind() Kind     { return KindChangeAccount }
func (OpenSession) Kind() Kind       { return KindOpenSession }
func (CloseSession) Kind() Kind      { return KindCloseSession }
func (Sweep) Kind() Kind             { return KindSweep }
