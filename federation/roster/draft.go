package roster

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/bippop/bippop/federation/public"
)

// electorate is who must sign an entry.
type electorate struct {
	former []Holder // empty for a genesis
	need   uint8    // of them
	next   []Holder // empty when the holders stay
	after  uint8    // of next, and all of next who are no former holders
}

// electorateOf an entry with these changes, in a roster with these holders.
func electorateOf(holders []Holder, need uint8, bodies []Body) electorate {
	e := electorate{former: holders, need: need}
	for _, body := range bodies {
		switch b := body.(type) {
		case Found:
			e.next, e.after = b.Holders, b.Need
		case SetHolders:
			e.next, e.after = b.Holders, b.Need
		}
	}
	return e
}

// find is the holder with a key.
func (e electorate) find(key []byte) (Holder, bool) {
	for _, h := range slices.Concat(e.former, e.next) {
		if bytes.Equal(h.Key, key) {
			return h, true
		}
	}
	return Holder{}, false
}

func signedBy(h Holder, all []Signature) bool {
	return slices.ContainsFunc(all, func(s Signature) bool { return bytes.Equal(s.Key[:], h.Key) })
}

// missing counts the signatures that are still needed: of former holders, of next
// ones, and by name of those whose key is new.
func (e electorate) missing(all []Signature) (former, next int, newcomers []Holder) {
	former, next = int(e.need), int(e.after)
	for _, h := range e.former {
		if signedBy(h, all) {
			former--
		}
	}
	for _, h := range e.next {
		was := slices.ContainsFunc(e.former, func(f Holder) bool { return bytes.Equal(f.Key, h.Key) })
		switch {
		case signedBy(h, all):
			next--
		case !was:
			newcomers = append(newcomers, h)
		}
	}
	return max(0, former), max(0, next), newcomers
}

func (e electorate) enough(all []Signature) bool {
	former, next, newcomers := e.missing(all)
	return former == 0 && next == 0 && len(newcomers) == 0
}

// least leaves out signatures without which the others are enough.
func (e electorate) least(all []Signature) []Signature {
	all = slices.Clone(all)
	for i := len(all) - 1; i >= 0; i-- {
		if fewer := slices.Delete(slices.Clone(all), i, i+1); e.enough(fewer) {
			all = fewer
		}
	}
	return all
}

// accepts checks the signatures of an entry. [ErrSignature].
func (e electorate) accepts(entry Entry) error {
	if !e.enough(entry.Signatures) {
		return ErrSignature
	}
	if len(e.least(entry.Signatures)) != len(entry.Signatures) {
		return fmt.Errorf("%w: it has more signatures than it needs", ErrSignature)
	}
	text := entry.text()
	for _, s := range entry.Signatures {
		if _, holder := e.find(s.Key[:]); !holder || !ed25519.Verify(s.Key[:], text, s.Sign[:]) {
			return ErrSignature
		}
	}
	return nil
}

// Draft is an entry that holders sign one after the other, or each a copy. It names
// those who must sign, as the roster that it was made from did.
type Draft struct {
	entry   Entry
	holders []Holder
	need    uint8
}

// draftWire is the form of a draft in a file.
type draftWire struct {
	_       struct{} `cbor:",toarray"`
	Entry   []byte
	Holders []Holder // of the roster before it
	Need    uint8
}

// Draft is an entry for the end of this roster, unsigned. A nil s takes a genesis:
// [Found] first, and whatever else the roster shall begin with. A draft that would
// be refused once it is signed is refused here: [ErrInvariant], [ErrOrder] for a day
// before the last entry's, [ErrForm] when it is too long for one entry.
func (s *State) Draft(day public.Day, bodies ...Body) (Draft, error) {
	if s == nil {
		s = new(State)
	}
	now := s.clone()
	d := Draft{
		entry:   Entry{Genesis: s.Genesis, Seq: s.Version, Before: now.Head.Root, Day: day, Bodies: bodies},
		holders: s.Holders, need: s.Need,
	}
	if len(encode(d.entry.wire()))+2*MaxHolders*len(encode(Signature{})) > MaxEntry {
		return Draft{}, fmt.Errorf("%w: this is too much for one entry, make two", ErrForm)
	}
	if err := now.rehearse(d); err != nil {
		return Draft{}, err
	}
	return d, nil
}

// rehearse makes the changes of a draft, whoever has signed it.
func (s *State) rehearse(d Draft) error {
	if d.entry.Genesis != s.Genesis || d.entry.Seq != s.Version || d.entry.Before != s.Head.Root || d.entry.Day < s.Day {
		return ErrOrder
	}
	if _, err := DecodeEntry(encode(d.entry.wire())); err != nil {
		return err
	}
	s.Day = d.entry.Day
	for _, body := range d.entry.Bodies {
		if err := body.apply(s); err != nil {
			return err
		}
	}
	return s.witnesses().check(s)
}

// Bodies are what the draft would change.
func (d Draft) Bodies() []Body { return d.entry.Bodies }

// Seq is the place of its entry; Genesis names its roster, zero for a new one.
func (d Draft) Seq() uint64       { return d.entry.Seq }
func (d Draft) Genesis() [32]byte { return d.entry.Genesis }

// Encode writes a draft and its signatures as text that can be mailed.
func (d Draft) Encode() []byte {
	w := draftWire{Entry: encode(d.entry.wire()), Holders: d.holders, Need: d.need}
	return armour(draftBlock, encode(w))
}

// ParseDraft reads what Encode wrote; text before and after it is passed over. The
// signatures in it are checked against the holders that it names. [ErrForm],
// [ErrNewer], [ErrInvariant], [ErrSignature].
func ParseDraft(text []byte) (Draft, error) {
	b, err := unarmour(draftBlock, text)
	if err != nil {
		return Draft{}, err
	}
	w, err := decodeAs[draftWire](b)
	if err != nil {
		return Draft{}, err
	}
	e, err := DecodeEntry(w.Entry)
	if err != nil {
		return Draft{}, err
	}
	if (e.Seq == 0) != (len(w.Holders) == 0) || e.Seq == 0 && w.Need != 0 {
		return Draft{}, ErrForm
	}
	if e.Seq > 0 {
		if err := checkHolders(w.Holders, w.Need); err != nil {
			return Draft{}, err
		}
	}
	d := Draft{entry: e, holders: w.Holders, need: w.Need}
	signed := e.text()
	for _, s := range e.Signatures {
		if _, holder := d.electorate().find(s.Key[:]); !holder || !ed25519.Verify(s.Key[:], signed, s.Sign[:]) {
			return Draft{}, ErrSignature
		}
	}
	return d, nil
}

func (d Draft) electorate() electorate { return electorateOf(d.holders, d.need, d.entry.Bodies) }

// Sign adds a holder's signature; one who has signed changes nothing. [ErrSignature]
// when the key is no holder's.
func (d *Draft) Sign(key ed25519.PrivateKey) error {
	public := key.Public().(ed25519.PublicKey)
	h, ok := d.electorate().find(public)
	if !ok {
		return fmt.Errorf("%w: this key is no holder's", ErrSignature)
	}
	if signedBy(h, d.entry.Signatures) {
		return nil
	}
	d.add(Signature{Key: [ed25519.PublicKeySize]byte(public), Sign: [ed25519.SignatureSize]byte(ed25519.Sign(key, d.entry.text()))})
	return nil
}

func (d *Draft) add(s Signature) {
	all := append(slices.Clone(d.entry.Signatures), s)
	sort.Slice(all, func(i, j int) bool { return bytes.Compare(all[i].Key[:], all[j].Key[:]) < 0 })
	d.entry.Signatures = all
}

// Merge adds the signatures of a copy of the same draft. [ErrOrder] when it is
// another one.
func (d *Draft) Merge(other Draft) error {
	if !bytes.Equal(d.entry.text(), other.entry.text()) {
		return fmt.Errorf("%w: these are two drafts", ErrOrder)
	}
	for _, s := range other.entry.Signatures {
		if !slices.ContainsFunc(d.entry.Signatures, func(have Signature) bool { return have.Key == s.Key }) {
			d.add(s)
		}
	}
	return nil
}

// Signers are the names of those who have signed.
func (d Draft) Signers() (names []string) {
	for _, s := range d.entry.Signatures {
		h, _ := d.electorate().find(s.Key[:])
		names = append(names, h.Name)
	}
	return names
}

// Missing says who still has to sign, or is empty.
func (d Draft) Missing() string {
	e := d.electorate()
	former, next, newcomers := e.missing(d.entry.Signatures)
	var parts []string
	waiting := func(all []Holder) string {
		var names []string
		for _, h := range all {
			if !signedBy(h, d.entry.Signatures) {
				names = append(names, h.Name)
			}
		}
		return strings.Join(names, ", ")
	}
	if former > 0 {
		parts = append(parts, fmt.Sprintf("%d more of %s", former, waiting(e.former)))
	}
	for _, h := range newcomers {
		parts = append(parts, h.Name+", whose key is new")
	}
	if next > len(newcomers) {
		parts = append(parts, fmt.Sprintf("%d in all of those who follow: %s", next, waiting(e.next)))
	}
	return strings.Join(parts, "; ")
}

// Entry is the signed entry. [ErrSignature] names who is missing.
func (d Draft) Entry() ([]byte, error) {
	e := d.electorate()
	if missing := d.Missing(); missing != "" {
		return nil, fmt.Errorf("%w: still to sign: %s", ErrSignature, missing)
	}
	entry := d.entry
	entry.Signatures = e.least(entry.Signatures)
	return entry.Encode()
}
