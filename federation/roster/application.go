package roster

import (
	"crypto/ed25519"
	"fmt"

	"github.com/bippop/bippop/federation/public"
)

// Application is what an operator mails to the coordinator so that holders can take
// a member into the roster, or change it: what the member says of itself, signed by
// the cosigning key of each of its replicas. A mistyped key, or another's, does not
// pass. Whether the body is who it says, people check.
type Application struct {
	Genesis [32]byte // of the roster that it is for
	Day     public.Day
	Member  Member // without epoch, neighbours and simulation, which holders decide

	signatures [][ed25519.SignatureSize]byte // by replica; zero: has not signed yet
}

type applicationWire struct {
	_          struct{} `cbor:",toarray"`
	Version    uint8
	Genesis    [32]byte
	Day        public.Day
	Member     Member
	Signatures [][ed25519.SignatureSize]byte
}

const (
	applicationVersion = 1
	applicationLabel   = "bippop/application/v1\n" // what the signed text begins with
)

// NewApplication checks what a member says of itself. [ErrInvariant].
func NewApplication(genesis [32]byte, day public.Day, m Member) (Application, error) {
	a := Application{Genesis: genesis, Day: day, Member: m, signatures: make([][ed25519.SignatureSize]byte, len(m.Replicas))}
	return a, a.check()
}

func (a Application) check() error {
	m := a.Member
	if a.Genesis == ([32]byte{}) {
		return refuse("an application names a roster")
	}
	if m.Epoch != 0 || m.StartSize != 0 || m.StartRoot != ([32]byte{}) || len(m.Neighbours) > 0 || m.Simulated {
		return refuse("epoch, neighbours and simulation are for the holders to say")
	}
	m.Epoch = 1
	return m.check()
}

// Text is what each replica signs. It can be no checkpoint: that begins with the name
// of a feed.
func (a Application) Text() []byte {
	return append([]byte(applicationLabel), encode(applicationWire{Version: applicationVersion, Genesis: a.Genesis, Day: a.Day, Member: a.Member})...)
}

// Sign adds the signature of the replica whose cosigning key this is.
// [ErrSignature] when it is none of theirs.
func (a *Application) Sign(key ed25519.PrivateKey) error {
	return a.Add(ed25519.Sign(key, a.Text()))
}

// Add adds a signature that a replica has made of Text. [ErrSignature].
func (a *Application) Add(signature []byte) error {
	for i, r := range a.Member.Replicas {
		if key := rawKey(r.Key); len(signature) == ed25519.SignatureSize && ed25519.Verify(key[:], a.Text(), signature) {
			copy(a.signatures[i][:], signature)
			return nil
		}
	}
	return fmt.Errorf("%w: by none of the replicas that the application names", ErrSignature)
}

// Encode writes an application as text that can be mailed. [ErrSignature] names the
// first replica that has not signed.
func (a Application) Encode() ([]byte, error) {
	if err := a.verify(); err != nil {
		return nil, err
	}
	return armour(applicationBlock, encode(a.wire())), nil
}

func (a Application) wire() applicationWire {
	return applicationWire{Version: applicationVersion, Genesis: a.Genesis, Day: a.Day, Member: a.Member, Signatures: a.signatures}
}

func (a Application) verify() error {
	text := a.Text()
	for i, r := range a.Member.Replicas {
		if key := rawKey(r.Key); i >= len(a.signatures) || !ed25519.Verify(key[:], text, a.signatures[i][:]) {
			return fmt.Errorf("%w: replica %d of the application has not signed it", ErrSignature, i+1)
		}
	}
	return nil
}

// ParseApplication reads what Encode wrote, with all signatures checked; text before
// and after it is passed over. [ErrForm], [ErrNewer], [ErrInvariant],
// [ErrSignature].
func ParseApplication(text []byte) (Application, error) {
	b, err := unarmour(applicationBlock, text)
	if err != nil {
		return Application{}, err
	}
	w, err := decodeAs[applicationWire](b)
	if err != nil {
		return Application{}, err
	}
	if w.Version != applicationVersion {
		return Application{}, ErrNewer
	}
	a := Application{Genesis: w.Genesis, Day: w.Day, Member: w.Member, signatures: w.Signatures}
	if len(w.Signatures) != len(w.Member.Replicas) {
		return Application{}, ErrForm
	}
	if err := a.check(); err != nil {
		return Application{}, err
	}
	return a, a.verify()
}

// Admit is the change that takes the applicant in as the roster stands: a member
// keeps its epoch and, when neighbours is nil, its neighbours. [ErrGenesis] when the
// application is for another roster.
func (s *State) Admit(a Application, neighbours []public.Siren) (SetMember, error) {
	if a.Genesis != s.Genesis {
		return SetMember{}, fmt.Errorf("%w (the application is for %x)", ErrGenesis, a.Genesis[:8])
	}
	m := a.Member
	m.Epoch, m.Neighbours = 1, neighbours
	if was, ok := s.Member(m.Siren); ok {
		m.Epoch, m.StartSize, m.StartRoot, m.Simulated = was.Epoch, was.StartSize, was.StartRoot, was.Simulated
		if neighbours == nil {
			m.Neighbours = was.Neighbours
		}
	} else if last, was := lastClosed(s.Closed, m.Siren); was {
		m.Epoch, m.StartSize = last.Epoch+1, last.Last
	}
	return SetMember{Member: m}, nil
}
