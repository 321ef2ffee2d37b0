package people

import (
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/when"
)

// BeneficiaryState says whether somebody is accompanied. The numbers are in the
// store.
type BeneficiaryState uint8

const (
	Active BeneficiaryState = 1
	Left   BeneficiaryState = 2 // she stopped, moved or died; no new requests
)

// Basis is why the territory may hold her record (GDPR, art. 6).
type Basis uint8

const (
	Consent        Basis = 1 // she asked for it herself, in words or in writing
	PublicInterest Basis = 2 // the social action of the CCAS, with her knowledge
	VitalInterest  Basis = 3 // an emergency; to be replaced within days
)

// Notice is how she got the information that the law requires.
type Notice uint8

const (
	NoNotice     Notice = 0
	ReadOnPhone  Notice = 1
	GivenByHand  Notice = 2
	SentByLetter Notice = 3
)

// Beneficiary is somebody whom neighbours help. The record is what rules need;
// her words are in Box, sealed under her own key.
type Beneficiary struct {
	ID        ident.Beneficiary `cbor:"1,keyasint"`
	Version   uint32            `cbor:"2,keyasint"` // 1 when enrolled, +1 at each change of words or facts
	State     BeneficiaryState  `cbor:"3,keyasint"`
	Commune   string            `cbor:"4,keyasint"` // INSEE code
	Leaf      crypto.Leaf       `cbor:"5,keyasint"`
	Box       []byte            `cbor:"6,keyasint"` // BeneficiaryWords at BoxVersion
	Boxed     uint32            `cbor:"7,keyasint"` // the version under which Box was sealed
	Preferred []ident.Volunteer `cbor:"8,keyasint,omitempty"`
	Refused   []ident.Volunteer `cbor:"9,keyasint,omitempty"`
	Enrolled  Enrolment         `cbor:"10,keyasint"`
	Visits    uint32            `cbor:"11,keyasint,omitempty"` // visits at home that have taken place
	CallAfter when.At           `cbor:"12,keyasint,omitempty"` // "call later": not before
	Missed    uint8             `cbor:"13,keyasint,omitempty"` // calls without answer since the last talk

	Standing rights.Standing `cbor:"20,keyasint,omitzero"` // what she has demanded that goes on
}

// Enrolment is how somebody came into the territory's files.
type Enrolment struct {
	At       when.At       `cbor:"1,keyasint"`
	By       ident.Account `cbor:"2,keyasint"`
	Basis    Basis         `cbor:"3,keyasint"`
	Notice   Notice        `cbor:"4,keyasint,omitempty"`
	NoticeAt when.At       `cbor:"5,keyasint,omitempty"`
	Import   ident.Import  `cbor:"6,keyasint"` // zero: not imported
}

// Facts are the clear part of her record that people change.
type Facts struct {
	Commune   string            `cbor:"1,keyasint"`
	State     BeneficiaryState  `cbor:"2,keyasint"`
	Basis     Basis             `cbor:"3,keyasint"`
	Notice    Notice            `cbor:"4,keyasint,omitempty"`
	Preferred []ident.Volunteer `cbor:"5,keyasint,omitempty"`
	Refused   []ident.Volunteer `cbor:"6,keyasint,omitempty"`
}

// Change replaces her facts and, unless box is empty, her words.
func (b Beneficiary) Change(version uint32, f Facts, box []byte, at when.At) (Beneficiary, error) {
	if b.Version != version {
		return b, refuse.StaleVersion
	}
	b.Version++
	b.Commune, b.State, b.Enrolled.Basis = f.Commune, f.State, f.Basis
	if f.Notice != b.Enrolled.Notice {
		b.Enrolled.Notice, b.Enrolled.NoticeAt = f.Notice, at
	}
	b.Preferred, b.Refused = f.Preferred, f.Refused
	if len(box) > 0 {
		b.Box, b.Boxed = box, b.Version
	}
	return b, nil
}

// Refuses reports whether she does not wish this volunteer.
func (b Beneficiary) Refuses(v ident.Volunteer) bool { return slices.Contains(b.Refused, v) }

// Refuse notes that she does not wish a volunteer, for no stated reason.
func (b Beneficiary) Refuse(v ident.Volunteer) Beneficiary {
	if !b.Refuses(v) {
		b.Refused = append(slices.Clone(b.Refused), v)
	}
	b.Preferred = slices.DeleteFunc(slices.Clone(b.Preferred), func(p ident.Volunteer) bool { return p == v })
	b.Version++
	return b
}

// Without is b when a volunteer is erased whom she had named.
func (b Beneficiary) Without(v ident.Volunteer) Beneficiary {
	other := func(n ident.Volunteer) bool { return n == v }
	b.Preferred = slices.DeleteFunc(slices.Clone(b.Preferred), other)
	b.Refused = slices.DeleteFunc(slices.Clone(b.Refused), other)
	b.Version++
	return b
}

// BeneficiaryWords are what only people may read. Every field may be empty but
// Last. No field holds a diagnosis: needs are said as what helps ("walks slowly,
// low car").
type BeneficiaryWords struct {
	Civility  crypto.Secret `cbor:"1,keyasint,omitempty"` // "Mme", "M." or nothing
	Last      crypto.Secret `cbor:"2,keyasint,omitempty"`
	First     crypto.Secret `cbor:"3,keyasint,omitempty"`
	Birth     crypto.Secret `cbor:"4,keyasint,omitempty"` // Date in its text form
	Phones    []Phone       `cbor:"5,keyasint,omitempty"`
	Modes     []string      `cbor:"6,keyasint,omitempty"` // phone, letter, visit, sms, email, app; best first
	Email     crypto.Secret `cbor:"7,keyasint,omitempty"`
	Address   crypto.Secret `cbor:"8,keyasint,omitempty"` // number and street
	Entry     crypto.Secret `cbor:"9,keyasint,omitempty"` // "2nd bell", "dog is kind"
	Postcode  crypto.Secret `cbor:"10,keyasint,omitempty"`
	Needs     crypto.Secret `cbor:"11,keyasint,omitempty"`
	Languages crypto.Secret `cbor:"12,keyasint,omitempty"`
	Trusted   Contact       `cbor:"13,keyasint,omitempty"` // personne de confiance, designated by her
	Emergency Contact       `cbor:"14,keyasint,omitempty"` // personne à prévenir
	MayAsk    []Contact     `cbor:"15,keyasint,omitempty"` // may ask in her name
	TrustWord crypto.Secret `cbor:"16,keyasint,omitempty"`
	Note      crypto.Secret `cbor:"17,keyasint,omitempty"`
	Paper     Paper         `cbor:"18,keyasint,omitempty"` // of what is printed for her
}

// Phone is a number and how to use it.
type Phone struct {
	Number crypto.Secret `cbor:"1,keyasint"`           // E.164
	Label  crypto.Secret `cbor:"2,keyasint,omitempty"` // "fixe", "sa fille"
	Ring   crypto.Secret `cbor:"3,keyasint,omitempty"` // "let it ring 12 times"
}

// Contact is somebody close to her.
type Contact struct {
	Name  crypto.Secret `cbor:"1,keyasint,omitempty"`
	Phone crypto.Secret `cbor:"2,keyasint,omitempty"`
	Link  crypto.Secret `cbor:"3,keyasint,omitempty"` // "fille", "infirmière"
}
