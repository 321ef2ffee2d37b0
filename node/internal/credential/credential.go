// Package credential holds what people show besides a password, and what was opened
// without one.
package credential

import (
	"bytes"
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Set is all of one account. An account without any has no record.
type Set struct {
	Account  ident.Account `cbor:"1,keyasint"`
	Version  uint32        `cbor:"2,keyasint"` // of what there is; being used does not raise it
	TOTP     TOTP          `cbor:"3,keyasint,omitzero"`
	Recovery [][]byte      `cbor:"4,keyasint,omitempty"` // keyed hashes of the codes on paper that are left
	Passkeys []Passkey     `cbor:"5,keyasint,omitempty"`
	Links    []Link        `cbor:"6,keyasint,omitempty"`
}

// TOTP is an application that shows codes.
type TOTP struct {
	Box  []byte  `cbor:"1,keyasint"` // the shared secret, under the account's own leaf
	Step int64   `cbor:"2,keyasint"` // of the last code that was taken: no code opens twice
	Made when.At `cbor:"3,keyasint"`
	Used when.At `cbor:"4,keyasint,omitempty"`
}

// There reports whether there is one.
func (t TOTP) There() bool { return len(t.Box) > 0 }

// Passkey is a key in a telephone, a computer or on a key ring.
type Passkey struct {
	ID      []byte  `cbor:"1,keyasint"` // as the browser names it: random bytes
	Counter uint32  `cbor:"2,keyasint,omitempty"`
	Flags   uint8   `cbor:"3,keyasint,omitempty"`
	Box     []byte  `cbor:"4,keyasint"` // public key and the name that its owner gave, under the account's own leaf
	Made    when.At `cbor:"5,keyasint"`
	Used    when.At `cbor:"6,keyasint,omitempty"`
}

// Digest stands for somebody at another's door: a keyed digest of issuer and subject.
type Digest [32]byte

// Link is another's door by which an account is entered.
type Link struct {
	Digest Digest  `cbor:"1,keyasint"`
	Made   when.At `cbor:"2,keyasint"`
	Used   when.At `cbor:"3,keyasint,omitempty"`
}

// Bounds of one account.
const (
	MostPasskeys = 10
	MostLinks    = 4
)

// Second reports whether somebody who knows the password alone stays outside.
func (s Set) Second() bool { return s.TOTP.There() || len(s.Passkeys) > 0 }

// WithTOTP puts an application in the place of the former one, and fresh codes on
// paper in that of the former ones. Without a box only the paper is new.
func (s Set) WithTOTP(box []byte, step int64, paper [][]byte, at when.At) Set {
	s.Version++
	if len(box) > 0 {
		s.TOTP = TOTP{Box: box, Step: step, Made: at, Used: at}
	}
	s.Recovery = paper
	return s
}

// WithoutTOTP takes application and paper away.
func (s Set) WithoutTOTP() Set {
	s.Version++
	s.TOTP, s.Recovery = TOTP{}, nil
	return s
}

// TakeStep takes the code of a step of 30 seconds. [refuse.CodeUsed] when it, or a
// later one, was taken before.
func (s Set) TakeStep(step int64, at when.At) (Set, error) {
	if !s.TOTP.There() || step <= s.TOTP.Step {
		return s, refuse.CodeUsed
	}
	s.TOTP.Step, s.TOTP.Used = step, at
	return s, nil
}

// TakePaper crosses a code on paper out. [refuse.CodeUsed] when it is not there.
func (s Set) TakePaper(hash []byte) (Set, error) {
	i := slices.IndexFunc(s.Recovery, func(h []byte) bool { return bytes.Equal(h, hash) })
	if i < 0 {
		return s, refuse.CodeUsed
	}
	s.Recovery = slices.Delete(slices.Clone(s.Recovery), i, i+1)
	return s, nil
}

// WithPasskey adds one. [refuse.CredentialThere], [refuse.TooManyCredentials].
func (s Set) WithPasskey(p Passkey, at when.At) (Set, error) {
	switch {
	case s.passkey(p.ID) >= 0:
		return s, refuse.CredentialThere
	case len(s.Passkeys) >= MostPasskeys:
		return s, refuse.TooManyCredentials
	}
	p.Made, p.Used = at, 0
	s.Version++
	s.Passkeys = append(slices.Clone(s.Passkeys), p)
	return s, nil
}

// TakePasskey notes that one was shown, with what it now counts. A counter that does
// not grow is a copy of the key: [refuse.CodeUsed]. Keys that count nothing say 0.
func (s Set) TakePasskey(id []byte, counter uint32, flags uint8, at when.At) (Set, error) {
	i := s.passkey(id)
	if i < 0 {
		return s, refuse.NoCredential
	}
	if had := s.Passkeys[i].Counter; (had > 0 || counter > 0) && counter <= had {
		return s, refuse.CodeUsed
	}
	s.Passkeys = slices.Clone(s.Passkeys)
	s.Passkeys[i].Counter, s.Passkeys[i].Flags, s.Passkeys[i].Used = counter, flags, at
	return s, nil
}

// WithoutPasskey takes one away. [refuse.NoCredential].
func (s Set) WithoutPasskey(id []byte) (Set, error) {
	i := s.passkey(id)
	if i < 0 {
		return s, refuse.NoCredential
	}
	s.Version++
	s.Passkeys = slices.Delete(slices.Clone(s.Passkeys), i, i+1)
	return s, nil
}

func (s Set) passkey(id []byte) int {
	return slices.IndexFunc(s.Passkeys, func(p Passkey) bool { return bytes.Equal(p.ID, id) })
}

// WithLink adds another's door. [refuse.TooManyCredentials].
func (s Set) WithLink(d Digest, at when.At) (Set, error) {
	if len(s.Links) >= MostLinks {
		return s, refuse.TooManyCredentials
	}
	s.Version++
	s.Links = append(slices.Clone(s.Links), Link{Digest: d, Made: at})
	return s, nil
}

// TakeLink notes that somebody came by another's door. [refuse.NoCredential].
func (s Set) TakeLink(d Digest, at when.At) (Set, error) {
	i := s.link(d)
	if i < 0 {
		return s, refuse.NoCredential
	}
	s.Links = slices.Clone(s.Links)
	s.Links[i].Used = at
	return s, nil
}

// WithoutLink closes another's door. [refuse.NoCredential].
func (s Set) WithoutLink(d Digest) (Set, error) {
	i := s.link(d)
	if i < 0 {
		return s, refuse.NoCredential
	}
	s.Version++
	s.Links = slices.Delete(slices.Clone(s.Links), i, i+1)
	return s, nil
}

func (s Set) link(d Digest) int {
	return slices.IndexFunc(s.Links, func(l Link) bool { return l.Digest == d })
}

// Glass is one time that an administrator's session was opened from a machine itself.
// It is kept for ever: see [Glass.Key].
type Glass struct {
	At      when.At       `cbor:"1,keyasint"`
	Account ident.Account `cbor:"2,keyasint"` // that was entered
	Machine ident.Replica `cbor:"3,keyasint"`
	Until   when.At       `cbor:"4,keyasint"`
	Order   uint64        `cbor:"5,keyasint"` // the how manieth it is
}

// Key sorts them by time.
func (g Glass) Key() []byte {
	k := make([]byte, 8)
	for i := range k {
		k[i] = byte(g.Order >> (56 - 8*i))
	}
	return k
}
