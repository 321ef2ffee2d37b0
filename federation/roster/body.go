package roster

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bippop/bippop/federation/public"
)

// Body is one change. It is one of the types in this file; the set is closed. The
// numbers are in rosters that are kept for ever: never reuse one.
type Body interface {
	kind() uint8
	check() error         // what can be said without a state; wraps [ErrInvariant]
	apply(s *State) error // changes s, which may be half changed when it is refused
}

// Found is the genesis: the first change of the first entry, and of no other.
type Found struct {
	_       struct{} `cbor:",toarray"`
	Name    string   // of the federation
	Demo    bool     // one witness is enough, members may be simulated
	Holders []Holder // by key
	Need    uint8
	Expires public.Day
}

// SetHolders replaces those who sign.
type SetHolders struct {
	_       struct{} `cbor:",toarray"`
	Holders []Holder // by key
	Need    uint8
}

// SetMember adds a member or replaces what is known of one. Its neighbours'
// lists follow. It leaves the epoch of a member that is there as it is: [OpenEpoch]
// changes it. A member that is new begins in epoch 1, one that was removed begins in
// the epoch after its last one and names what of that counts.
type SetMember struct {
	_      struct{} `cbor:",toarray"`
	Member Member
}

// RemoveMember ends a membership: of its feed the first Last entries count, its
// communes are free, its machines are refused.
type RemoveMember struct {
	_     struct{} `cbor:",toarray"`
	Siren public.Siren
	Last  uint64
}

// MoveCommunes takes communes from one territory and gives them to another. The two
// are neighbours from then on, if they were not.
type MoveCommunes struct {
	_        struct{} `cbor:",toarray"`
	From, To public.Siren
	Communes []public.Commune // ascending
}

// SetHubs replaces the hubs. More than half of the witnesses must sign, so that any
// two settlements have one in common; unless the roster is a demo's, two at least,
// of distinct operators other than the coordinator.
type SetHubs struct {
	_         struct{} `cbor:",toarray"`
	Hubs      []Hub
	Threshold uint8
}

// SetKinds replaces the kinds of entries that may be said.
type SetKinds struct {
	_     struct{}        `cbor:",toarray"`
	Kinds []public.Schema // by kind
}

// Renew moves the day after which the roster no longer counts.
type Renew struct {
	_       struct{} `cbor:",toarray"`
	Expires public.Day
}

// OpenEpoch begins a member's feed anew, after a fork or a loss that people have
// settled. Of the former one StartSize entries with root StartRoot count.
type OpenEpoch struct {
	_         struct{} `cbor:",toarray"`
	Siren     public.Siren
	Epoch     uint16 // the next one
	StartSize uint64
	StartRoot [32]byte
}

func (Found) kind() uint8        { return 1 }
func (SetHolders) kind() uint8   { return 2 }
func (SetMember) kind() uint8    { return 3 }
func (RemoveMember) kind() uint8 { return 4 }
func (MoveCommunes) kind() uint8 { return 5 }
func (SetHubs) kind() uint8      { return 6 }
func (SetKinds) kind() uint8     { return 7 }
func (Renew) kind() uint8        { return 8 }
func (OpenEpoch) kind() uint8    { return 9 }

func decodeBody(kind uint8, b []byte) (Body, error) {
	switch kind {
	case 1:
		return decodeAs[Found](b)
	case 2:
		return decodeAs[SetHolders](b)
	case 3:
		return decodeAs[SetMember](b)
	case 4:
		return decodeAs[RemoveMember](b)
	case 5:
		return decodeAs[MoveCommunes](b)
	case 6:
		return decodeAs[SetHubs](b)
	case 7:
		return decodeAs[SetKinds](b)
	case 8:
		return decodeAs[Renew](b)
	case 9:
		return decodeAs[OpenEpoch](b)
	}
	return nil, ErrNewer
}

// refuse says which rule a change would break. What it quotes is public.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvariant}, args...)...)
}

// ascending reports whether each of all is greater than the one before it.
func ascending[T any](all []T, compare func(a, b T) int) bool {
	for i := 1; i < len(all); i++ {
		if compare(all[i-1], all[i]) >= 0 {
			return false
		}
	}
	return true
}

func byKey(a, b Holder) int { return bytes.Compare(a.Key, b.Key) }

func compareCommunes(a, b public.Commune) int { return bytes.Compare(a[:], b[:]) }

// clean reports whether a text fits on one line of a page: 1 to most bytes of UTF-8
// without control characters.
func clean(text string, most int) bool {
	return text != "" && len(text) <= most && utf8.ValidString(text) && text == strings.TrimSpace(text) &&
		!strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
		})
}

func checkHolders(holders []Holder, need uint8) error {
	if len(holders) == 0 || len(holders) > MaxHolders {
		return refuse("a roster has 1 to %d holders", MaxHolders)
	}
	if need == 0 || int(need) > len(holders) || 2*int(need) <= len(holders) {
		return refuse("more than half of the holders must sign, and not more than there are")
	}
	names := map[string]bool{}
	for _, h := range holders {
		if !h.ValidName() || len(h.Key) != ed25519.PublicKeySize {
			return refuse("a holder has a name without spaces and plus signs, and a key")
		}
		if names[h.Name] {
			return refuse("two holders are named %s", h.Name)
		}
		names[h.Name] = true
	}
	if !ascending(holders, byKey) {
		return refuse("holders stand in the order of their keys, each once")
	}
	return nil
}

func (b Found) check() error {
	if !clean(b.Name, MaxName) {
		return refuse("a federation's name has 1 to %d bytes on one line", MaxName)
	}
	return checkHolders(b.Holders, b.Need)
}

func (b SetHolders) check() error { return checkHolders(b.Holders, b.Need) }

func (b SetMember) check() error { return b.Member.check() }

func (b RemoveMember) check() error { return checkSiren(b.Siren) }

func checkSiren(n public.Siren) error {
	if !n.Valid() {
		return refuse("%09d is not a SIREN", uint32(n))
	}
	return nil
}

func checkCommunes(communes []public.Commune) error {
	if len(communes) > MaxOwn {
		return refuse("a member has at most %d communes", MaxOwn)
	}
	for _, c := range communes {
		if _, err := public.ParseCommune(c.String()); err != nil {
			return refuse("a commune has a code of Insee")
		}
	}
	if !ascending(communes, compareCommunes) {
		return refuse("communes stand in the order of their codes, each once")
	}
	return nil
}

func (b MoveCommunes) check() error {
	if b.From == b.To || len(b.Communes) == 0 {
		return refuse("communes move from one territory to another")
	}
	return checkCommunes(b.Communes)
}

func (m Member) check() error {
	if err := checkSiren(m.Siren); err != nil {
		return err
	}
	switch {
	case m.Role < Territory || m.Role > Observer:
		return refuse("%s has a role that does not exist", m.Siren)
	case !clean(m.Name, MaxName):
		return refuse("the name of %s has 1 to %d bytes on one line", m.Siren, MaxName)
	case !validDepartement(m.Departement):
		return refuse("%s lies in a département with a code of Insee", m.Siren)
	case m.Role != Territory && len(m.Communes) > 0:
		return refuse("only a territory answers for communes, %s is none", m.Siren)
	case m.Role == Coordinator && len(m.Neighbours) > 0:
		return refuse("the coordinator has no neighbours")
	case m.Epoch == 0:
		return refuse("epochs are counted from 1")
	}
	if err := m.Contact.check(m); err != nil {
		return err
	}
	if err := checkCommunes(m.Communes); err != nil {
		return err
	}
	if len(m.Neighbours) > MaxNeighbours || !ascending(m.Neighbours, cmp.Compare) || slices.Contains(m.Neighbours, m.Siren) {
		return refuse("%s has at most %d neighbours, others than itself, in order, each once", m.Siren, MaxNeighbours)
	}
	return m.checkReplicas()
}

func (m Member) checkReplicas() error {
	if len(m.Replicas) == 0 || len(m.Replicas) > MaxReplicas {
		return refuse("%s has 1 to %d replicas", m.Siren, MaxReplicas)
	}
	if n := int(m.Quorum); n > len(m.Replicas) || 2*n <= len(m.Replicas) {
		return refuse("the quorum of %s is more than half of its replicas, and not more than there are", m.Siren)
	}
	for i, r := range m.Replicas {
		if !validPeer(r.Peer) {
			return refuse("replica %d of %s has no peer ID of an Ed25519 key", i+1, m.Siren)
		}
		name, kind, _, ok := parseKey(r.Key)
		if !ok || kind != plainKey || !strings.HasPrefix(name, "bippop/"+m.Siren.String()+"/") {
			return refuse("replica %d of %s has no key named bippop/%s/…", i+1, m.Siren, m.Siren)
		}
	}
	return nil
}

func validDepartement(code string) bool {
	switch {
	case code == "2A", code == "2B":
		return true
	case len(code) != 2 && len(code) != 3:
		return false
	}
	return !strings.ContainsFunc(code, func(r rune) bool { return r < '0' || r > '9' })
}

func (c Contact) check(m Member) error {
	if c.Name != "" && !clean(c.Name, MaxName) {
		return refuse("the contact of %s has a name of at most %d bytes on one line", m.Siren, MaxName)
	}
	if c.Email != "" {
		a, err := mail.ParseAddress(c.Email)
		if err != nil || a.Address != c.Email || len(c.Email) > 254 || !clean(c.Email, 254) {
			return refuse("the contact of %s has no e-mail address in its right form", m.Siren)
		}
	}
	if c.Phone != "" && (len(c.Phone) < 8 || len(c.Phone) > 16 || c.Phone[0] != '+' ||
		strings.ContainsFunc(c.Phone[1:], func(r rune) bool { return r < '0' || r > '9' })) {
		return refuse("the contact of %s has no phone number in its international form, +33…", m.Siren)
	}
	if m.Role == Territory && !m.Simulated && (c.Name == "" || c.Email == "" && c.Phone == "") {
		return refuse("%s has a contact for its neighbours: a name, and a phone number or an e-mail address", m.Siren)
	}
	return nil
}

func (b SetHubs) check() error {
	if len(b.Hubs) == 0 || len(b.Hubs) > MaxHubs {
		return refuse("a roster has 1 to %d hubs", MaxHubs)
	}
	witnesses := 0
	names := map[string]bool{}
	for _, h := range b.Hubs {
		if err := h.check(); err != nil {
			return err
		}
		if names[h.Name] {
			return refuse("two hubs are named %s", h.Name)
		}
		names[h.Name] = true
		if h.Witness {
			witnesses++
		}
	}
	if n := int(b.Threshold); n > witnesses || 2*n <= witnesses {
		return refuse("more than half of the witnesses must sign, and not more than there are")
	}
	if b.Threshold == 0 {
		return refuse("at least one hub is a witness")
	}
	return nil
}

func (h Hub) check() error {
	if !clean(h.Name, MaxName) || !clean(h.Operator, MaxName) {
		return refuse("a hub's name and its operator's have 1 to %d bytes on one line", MaxName)
	}
	if !validPeer(h.Peer) {
		return refuse("hub %s has no peer ID of an Ed25519 key", h.Name)
	}
	if name, kind, _, ok := parseKey(h.Key); !ok || kind != cosignatureKey || name != h.Name {
		return refuse("hub %s has no key of type cosignature/v1 that is named like it", h.Name)
	}
	return checkAddresses(h.Name, h.Addresses)
}

func checkAddresses(hub string, addresses []string) error {
	if len(addresses) == 0 || len(addresses) > MaxAddresses {
		return refuse("hub %s has 1 to %d addresses", hub, MaxAddresses)
	}
	for _, a := range addresses {
		if len(a) > MaxAddress || !strings.HasPrefix(a, "/") || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return refuse("an address of hub %s is no multiaddr, /ip4/… or /dns4/…", hub)
		}
	}
	return nil
}

func (b SetKinds) check() error {
	if len(b.Kinds) == 0 || len(b.Kinds) > MaxKinds || !ascending(b.Kinds, func(a, b public.Schema) int { return cmp.Compare(a.Kind, b.Kind) }) {
		return refuse("a roster names 1 to %d kinds, in order, each once", MaxKinds)
	}
	return nil
}

func (b Renew) check() error { return nil }

func (b OpenEpoch) check() error {
	if b.Epoch < 2 {
		return refuse("an epoch that is opened is the second or a later one")
	}
	return checkSiren(b.Siren)
}
