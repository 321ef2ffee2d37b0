package node

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// move is what one entry of the roster takes from one territory and gives to another.
type move struct {
	roster          uint64 // version of the roster after it
	day             public.Day
	giver, receiver public.Siren
	communes        []string // sorted
}

// moving is what the replica knows of communes that move between territories, and of
// the keys with which their dossiers travel.
type moving struct{ *core }

// moves are those of the roster that this territory gives or receives, oldest first.
func (c moving) moves() (out []move, err error) {
	own, err := public.ParseSiren(c.siren)
	if err != nil {
		return nil, err
	}
	state := c.federating.rosters.State()
	if state == nil {
		return nil, nil
	}
	entries, err := c.federating.rosters.Entries(0)
	if err != nil {
		return nil, err
	}
	for _, b := range entries {
		e, err := roster.DecodeEntry(b)
		if err != nil {
			return nil, err
		}
		for _, body := range e.Bodies {
			m, ok := body.(roster.MoveCommunes)
			if !ok || m.From != own && m.To != own {
				continue
			}
			i := slices.IndexFunc(out, func(o move) bool { return o.roster == e.Seq+1 && o.giver == m.From && o.receiver == m.To })
			if i < 0 {
				out, i = append(out, move{roster: e.Seq + 1, day: e.Day, giver: m.From, receiver: m.To}), len(out)
			}
			codes := append(out[i].communes, communeCodes(m.Communes)...)
			slices.Sort(codes)
			out[i].communes = slices.Compact(codes)
		}
	}
	return out, nil
}

// move finds one; it counts only while the roster gives its communes to the receiver
// still. errDossierMove.
func (c moving) move(version uint64, giver, receiver public.Siren) (move, error) {
	all, err := c.moves()
	if err != nil {
		return move{}, err
	}
	state := c.federating.rosters.State()
	for _, m := range all {
		if m.roster != version || m.giver != giver || m.receiver != receiver {
			continue
		}
		for _, code := range m.communes {
			commune, err := public.ParseCommune(code)
			if owner, ok := state.ByCommune(commune); err != nil || !ok || owner != receiver {
				return move{}, errDossierMove
			}
		}
		return m, nil
	}
	return move{}, errDossierMove
}

// replicaKeys are the keys with which a member's machines sign, as the roster has them.
func (c moving) replicaKeys(of public.Siren) (keys []ed25519.PublicKey) {
	state := c.federating.rosters.State()
	if state == nil {
		return nil
	}
	m, _ := state.Member(of)
	for _, r := range m.Replicas {
		parts := strings.SplitN(r.Key, "+", 3) // a C2SP verifier key; the roster has checked it
		if len(parts) != 3 {
			continue
		}
		if raw, err := base64.StdEncoding.DecodeString(parts[2]); err == nil && len(raw) == 1+ed25519.PublicKeySize {
			keys = append(keys, raw[1:])
		}
	}
	return keys
}

func (c moving) signedBy(of public.Siren, signer crypto.VerifyKey) bool {
	return slices.ContainsFunc(c.replicaKeys(of), func(k ed25519.PublicKey) bool { return bytes.Equal(k, signer[:]) })
}

// dossierSeed signs files of dossiers, and the recipient for them: each under a label
// of its own, which no checkpoint begins with.
func (c moving) dossierSeed() [32]byte { return c.seedOf("federation cosign") }

// dossierKey opens what others encrypt to this territory. All of its replicas have it.
func (c moving) dossierKey() (crypto.Unsealer, string, error) {
	return crypto.DerivedIdentity(c.staff.Derive("handover recipient"))
}

// addressee is what the receiver shows: whom to encrypt to, signed with a key that
// stands in the roster, so that nobody on the way can put his own in its place.
type addressee struct {
	_         struct{} `cbor:",toarray"`
	Genesis   [32]byte
	Siren     public.Siren
	Recipient string
	Signature []byte // Ed25519, over all before it
}

const (
	addresseeBlock = "BIPPOP HANDOVER RECIPIENT"
	addresseeLabel = "bippop/handover-recipient/v1\n"
)

var errAddressee = invalid("recipient", "recipient-unreadable", "this is not the recipient that the receiving territory shows; copy it whole, with its first and last line")

func (a addressee) signed() []byte {
	a.Signature = nil
	return append([]byte(addresseeLabel), must(boxEncoding.Marshal(a))...)
}

func (a addressee) String() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: addresseeBlock, Bytes: must(boxEncoding.Marshal(a))}))
}

// addressee reads and verifies what a receiver shows. The errors say what is wrong.
func (c moving) addressee(text string) (a addressee, to crypto.Recipients, err error) {
	b, _ := pem.Decode([]byte(strings.TrimSpace(text) + "\n"))
	if b == nil || b.Type != addresseeBlock || len(b.Bytes) > 8<<10 || dossierDecoding.Unmarshal(b.Bytes, &a) != nil {
		return a, to, errAddressee
	}
	state := c.federating.rosters.State()
	if state == nil || state.Genesis != a.Genesis {
		return a, to, invalid("recipient", "recipient-other", "this recipient is of another federation")
	}
	if !slices.ContainsFunc(c.replicaKeys(a.Siren), func(k ed25519.PublicKey) bool { return ed25519.Verify(k, a.signed(), a.Signature) }) {
		return a, to, invalid("recipient", "recipient-unsigned", "this recipient is not signed by a machine of that territory that stands in the roster")
	}
	if to, err = crypto.ParseRecipients([]string{a.Recipient}); err != nil {
		return a, to, errAddressee
	}
	return a, to, nil
}
