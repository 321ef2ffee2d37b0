package roster

import (
	"crypto/ed25519"
	"maps"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"golang.org/x/mod/sumdb/tlog"
)

// index is what follows from a state's members and hubs, kept so that one entry
// costs little.
type index struct {
	peaks    []tlog.Hash // see grow
	communes map[public.Commune]public.Siren
	peers    map[string]public.Siren                   // of replicas
	keys     map[[ed25519.PublicKeySize]byte]keyHolder // of replicas and of hubs
}

// keyHolder is who signs with a key.
type keyHolder struct {
	siren public.Siren // of a replica
	hub   string       // else
}

func (k keyHolder) String() string {
	if k.hub != "" {
		return "hub " + k.hub
	}
	return k.siren.String()
}

func (x *index) clone() index {
	return index{peaks: x.peaks, communes: maps.Clone(x.communes), peers: maps.Clone(x.peers), keys: maps.Clone(x.keys)}
}

// enter puts a member's communes, peers and keys into the index. After an error the
// index is of no use.
func (x *index) enter(m Member, hubs []Hub) error {
	for _, c := range m.Communes {
		if owner, taken := x.communes[c]; taken {
			return refuse("commune %s belongs to %s already; it moves by an entry of its own", c, owner)
		}
		x.communes[c] = m.Siren
	}
	if len(x.communes) > MaxCommunes {
		return refuse("there are %d communes at most", MaxCommunes)
	}
	for i, r := range m.Replicas {
		if owner, taken := x.peers[r.Peer]; taken {
			return refuse("the peer of replica %d of %s is that of a replica of %s", i+1, m.Siren, owner)
		}
		x.peers[r.Peer] = m.Siren
		if m.Role != Coordinator && slices.ContainsFunc(hubs, func(h Hub) bool { return h.Peer == r.Peer }) {
			return refuse("the peer of replica %d of %s is that of a hub", i+1, m.Siren)
		}
		if err := x.enterKey(r.Key, keyHolder{siren: m.Siren}); err != nil {
			return err
		}
	}
	return nil
}

// rawKey is the key in a verifier key whose form was checked.
func rawKey(text string) (raw [ed25519.PublicKeySize]byte) {
	_, _, key, _ := parseKey(text)
	copy(raw[:], key)
	return raw
}

func (x *index) enterKey(text string, by keyHolder) error {
	raw := rawKey(text)
	if owner, taken := x.keys[raw]; taken {
		return refuse("the key of %s signs for %s already", by, owner)
	}
	x.keys[raw] = by
	return nil
}

// forget takes a member out of the index.
func (x *index) forget(m Member) {
	for _, c := range m.Communes {
		delete(x.communes, c)
	}
	for _, r := range m.Replicas {
		delete(x.peers, r.Peer)
		delete(x.keys, rawKey(r.Key))
	}
}
