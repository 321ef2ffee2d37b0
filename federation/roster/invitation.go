package roster

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/bippop/bippop/federation/public"
)

// Invitation is what a territory is given on paper or by mail, and never by the
// network that it invites to: which roster is meant, and where to ask for it. It is
// no secret and admits nobody.
type Invitation struct {
	_       struct{}     `cbor:",toarray"`
	Genesis [32]byte     // of the roster that is meant; any other is refused
	Name    string       // of the federation
	Siren   public.Siren // whom it is for
	Hubs    []Door       // 1 to MaxHubs
}

// Door is a hub as an invitation names it.
type Door struct {
	_         struct{} `cbor:",toarray"`
	Name      string
	Peer      string
	Addresses []string
}

// invitationMark is what the text of an invitation begins with. After it stands, in
// base64 for addresses, the invitation's form and invitationSum bytes of its SHA-256.
const (
	invitationMark = "bippop-invitation-1."
	invitationSum  = 4
)

// Invite is the invitation of a body to this roster, through its hubs.
func (s *State) Invite(n public.Siren) Invitation {
	i := Invitation{Genesis: s.Genesis, Name: s.Name, Siren: n}
	for _, h := range s.Hubs {
		i.Hubs = append(i.Hubs, Door{Name: h.Name, Peer: h.Peer, Addresses: h.Addresses})
	}
	return i
}

// String is one word.
func (i Invitation) String() string {
	b := encode(i)
	sum := sha256.Sum256(b)
	return invitationMark + base64.RawURLEncoding.EncodeToString(append(b, sum[:invitationSum]...))
}

// ParseInvitation reads what String wrote; blanks and ends of line in it are passed
// over. [ErrForm] for what was mistyped, [ErrInvariant].
func ParseInvitation(text string) (Invitation, error) {
	if len(text) > maxText {
		return Invitation{}, ErrForm
	}
	body, ok := strings.CutPrefix(strings.Join(strings.Fields(text), ""), invitationMark)
	if !ok {
		return Invitation{}, ErrForm
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || len(b) <= invitationSum {
		return Invitation{}, ErrForm
	}
	b, check := b[:len(b)-invitationSum], b[len(b)-invitationSum:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:invitationSum], check) {
		return Invitation{}, ErrForm
	}
	i, err := decodeAs[Invitation](b)
	if err != nil {
		return Invitation{}, err
	}
	return i, i.check()
}

func (i Invitation) check() error {
	switch {
	case i.Genesis == [32]byte{}:
		return refuse("an invitation names a roster")
	case !clean(i.Name, MaxName):
		return refuse("a federation's name has 1 to %d bytes on one line", MaxName)
	case len(i.Hubs) == 0 || len(i.Hubs) > MaxHubs:
		return refuse("an invitation names 1 to %d hubs", MaxHubs)
	}
	for _, h := range i.Hubs {
		if !clean(h.Name, MaxName) || !validPeer(h.Peer) {
			return refuse("a hub has a name and the peer ID of an Ed25519 key")
		}
		if err := checkAddresses(h.Name, h.Addresses); err != nil {
			return err
		}
	}
	return checkSiren(i.Siren)
}
