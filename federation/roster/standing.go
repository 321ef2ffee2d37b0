package roster

import (
	"slices"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// Standing is who a peer is.
type Standing struct {
	Siren   public.Siren // of its member; 0: a hub alone
	Role    Role         // of its member; 0: a hub alone
	Replica int          // place in the member's list
	Hub     string       // name; empty: no hub
}

// A nil State names nobody: whoever asks one, because the territory has left its
// federation meanwhile, is told no.

// Member of the roster today.
func (s *State) Member(n public.Siren) (Member, bool) {
	at, ok := s.find(n)
	if !ok {
		return Member{}, false
	}
	return s.Members[at], true
}

// CoordinatorOf is who alone may write bulletins; ok is false where there is none. s may
// be nil.
func CoordinatorOf(s *State) (n public.Siren, ok bool) {
	if s == nil {
		return 0, false
	}
	at := slices.IndexFunc(s.Members, func(m Member) bool { return m.Role == Coordinator })
	if at < 0 {
		return 0, false
	}
	return s.Members[at].Siren, true
}

// ByPeer says who a peer is. A peer that is not listed gets nothing from anybody.
func (s *State) ByPeer(peer string) (st Standing, ok bool) {
	if s == nil {
		return st, false
	}
	if n, found := s.index.peers[peer]; found {
		m, _ := s.Member(n)
		at := slices.IndexFunc(m.Replicas, func(r Replica) bool { return r.Peer == peer })
		st, ok = Standing{Siren: n, Role: m.Role, Replica: at}, true
	}
	for _, h := range s.Hubs {
		if h.Peer == peer {
			st.Hub, ok = h.Name, true
		}
	}
	return st, ok
}

// ByCommune is the territory that answers for a commune.
func (s *State) ByCommune(c public.Commune) (public.Siren, bool) {
	n, ok := s.index.communes[c]
	return n, ok
}

// Policy says what makes a checkpoint of a feed count that goes on: epoch is the
// member's present one. For all others see [State.Ended].
func (s *State) Policy(n public.Siren, epoch uint16) (feed.Policy, bool) {
	m, ok := s.Member(n)
	if !ok || m.Epoch != epoch {
		return feed.Policy{}, false
	}
	return s.policy(m), true
}

func (s *State) policy(m Member) feed.Policy {
	p := feed.Policy{Origin: feed.EgressOrigin(m.Siren, m.Epoch), Quorum: int(m.Quorum), Witnesses: s.witnesses().keys(), Threshold: s.witnesses().needed()}
	for _, r := range m.Replicas {
		p.Replicas = append(p.Replicas, r.Key)
	}
	return p
}

// Ended says what makes a checkpoint count of a feed that has ended, of a former
// epoch or of a member that was removed. A checkpoint of more than last entries is
// refused, whoever signed it.
func (s *State) Ended(n public.Siren, epoch uint16) (p feed.Policy, last uint64, ok bool) {
	if s == nil {
		return p, 0, false
	}
	for _, c := range s.Closed {
		if c.Siren == n && c.Epoch == epoch {
			return feed.Policy{Origin: feed.EgressOrigin(n, epoch), Replicas: c.Replicas, Quorum: c.Quorum, Witnesses: c.Witnesses, Threshold: c.Threshold}, c.Last, true
		}
	}
	return feed.Policy{}, 0, false
}

// Freshness says whose word counts that this was the newest version at an instant:
// ask it for the cosignatures of a checkpoint of the roster. No replica signs one,
// since the holders' signatures stand in the entries, so it is never quorate.
func (s *State) Freshness() feed.Policy {
	return feed.Policy{Origin: s.Origin(), Witnesses: s.witnesses().keys(), Threshold: 1}
}

// Origin of the roster's feed.
func (s *State) Origin() string { return feed.RosterOrigin(s.Genesis) }

// MayRead reports whether a member may read another's feed. Everybody reads his own
// and the coordinator's; the coordinator reads all, those of former members too.
func (s *State) MayRead(reader, of public.Siren) bool {
	r, ok := s.Member(reader)
	if !ok {
		return false
	}
	m, member := s.Member(of)
	if !member {
		_, former := lastClosed(s.Closed, of)
		return former && r.Role == Coordinator
	}
	if reader == of || r.Role == Coordinator || m.Role == Coordinator {
		return true
	}
	_, ok = slices.BinarySearch(r.Neighbours, of)
	return ok
}

// Speaks reports whether the roster names a territory's kind in the form in which
// this program knows it: others are neither sent nor accepted nor passed on.
func (s *State) Speaks(k public.Kind) bool {
	return slices.Contains(public.Kinds(), k) && s.Names(public.SchemaOf(k))
}

// Names reports whether the roster names a form.
func (s *State) Names(f public.Schema) bool { return slices.Contains(s.Kinds, f) }

// Expired reports whether the roster no longer counts on a day.
func (s *State) Expired(on public.Day) bool { return on > s.Expires }
