package roster

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"golang.org/x/mod/sumdb/tlog"
)

// Fold applies entries from the first one on. genesis is the digest of the roster
// that is meant; the zero genesis accepts any. [ErrGenesis] and all errors of Apply.
func Fold(genesis [32]byte, entries [][]byte) (*State, error) {
	s := new(State).clone()
	for i, b := range entries {
		if err := s.apply(b); err != nil {
			return nil, fmt.Errorf("entry %d of the roster: %w", i, err)
		}
		if genesis != ([32]byte{}) && s.Genesis != genesis {
			return nil, ErrGenesis
		}
	}
	if len(entries) == 0 {
		return nil, ErrForm
	}
	return s, nil
}

// Apply is the roster after one more entry. s is not changed; a nil s takes a
// genesis. [ErrForm], [ErrNewer], [ErrOrder], [ErrSignature], [ErrInvariant].
func (s *State) Apply(entry []byte) (*State, error) {
	if s == nil {
		s = new(State)
	}
	next := s.clone()
	if err := next.apply(entry); err != nil {
		return nil, err
	}
	return next, nil
}

// clone is a state that apply may change. What its members, hubs and closed feeds
// point to is shared, so apply replaces it and changes nothing in place.
func (s *State) clone() *State {
	c := *s
	c.Members, c.Closed = slices.Clone(s.Members), slices.Clone(s.Closed)
	c.index = s.index.clone()
	if s.Version == 0 {
		c.Head = feed.Head{Root: rootOf(nil)}
		c.index = index{communes: map[public.Commune]public.Siren{}, peers: map[string]public.Siren{}, keys: map[[ed25519.PublicKeySize]byte]keyHolder{}}
	}
	return &c
}

// apply changes s. After an error s is of no use.
func (s *State) apply(b []byte) error {
	e, err := DecodeEntry(b)
	if err != nil {
		return err
	}
	if e.Genesis != s.Genesis || e.Seq != s.Version || tlog.Hash(e.Before) != s.Head.Root || e.Day < s.Day {
		return ErrOrder
	}
	if err := electorateOf(s.Holders, s.Need, e.Bodies).accepts(e); err != nil {
		return err
	}
	s.Day = e.Day
	for _, body := range e.Bodies {
		if err := body.apply(s); err != nil {
			return err
		}
	}
	if err := s.witnesses().check(s); err != nil {
		return err
	}
	if s.Version == 0 {
		s.Genesis = genesis(b)
	}
	s.index.peaks = grow(s.index.peaks, s.Version, b)
	s.Version++
	s.Head = feed.Head{Size: int64(s.Version), Root: rootOf(s.index.peaks)}
	return nil
}

func (b Found) apply(s *State) error {
	s.Name, s.Demo, s.Holders, s.Need = b.Name, b.Demo, b.Holders, b.Need
	return Renew{Expires: b.Expires}.apply(s)
}

func (b SetHolders) apply(s *State) error {
	s.Holders, s.Need = b.Holders, b.Need
	return nil
}

func (b Renew) apply(s *State) error {
	if b.Expires <= s.Day || int(b.Expires)-int(s.Day) > MaxTerm {
		return refuse("a roster expires 1 to %d days after the entry that says so", MaxTerm)
	}
	s.Expires = b.Expires
	return nil
}

func (b SetKinds) apply(s *State) error {
	s.Kinds = b.Kinds
	return nil
}

func (s *State) find(n public.Siren) (int, bool) {
	if s == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(s.Members, n, func(m Member, n public.Siren) int { return cmp.Compare(m.Siren, n) })
}

// lastClosed is the last of these feeds that was a member's.
func lastClosed(all []Closed, n public.Siren) (last Closed, ok bool) {
	for _, c := range all {
		if c.Siren == n {
			last, ok = c, true
		}
	}
	return last, ok
}

func (b SetMember) apply(s *State) error {
	m := b.Member
	at, found := s.find(m.Siren)
	if found {
		was := s.Members[at]
		if m.Role != was.Role {
			return refuse("%s stays what it is: %s", m.Siren, was.Role)
		}
		if m.Epoch != was.Epoch || m.StartSize != was.StartSize || m.StartRoot != was.StartRoot {
			return refuse("%s is in epoch %d; a change of epoch is an entry of its own", m.Siren, was.Epoch)
		}
		s.index.forget(was)
	} else if err := s.admit(m); err != nil {
		return err
	}
	if m.Simulated && !s.Demo {
		return refuse("only a demo has simulated members")
	}
	if err := s.index.enter(m, s.Hubs); err != nil {
		return err
	}
	if found {
		s.Members[at] = m
	} else {
		s.Members = slices.Insert(s.Members, at, m)
	}
	return s.meet(m)
}

// admit checks a member that is new.
func (s *State) admit(m Member) error {
	switch {
	case len(s.Members) >= MaxMembers:
		return refuse("there are %d members already", MaxMembers)
	case m.Role == Coordinator && slices.ContainsFunc(s.Members, func(o Member) bool { return o.Role == Coordinator }):
		return refuse("there is a coordinator already")
	}
	epoch, start := uint16(1), uint64(0)
	if last, was := lastClosed(s.Closed, m.Siren); was {
		epoch, start = last.Epoch+1, last.Last
	}
	if m.Epoch != epoch || m.Epoch == 0 || m.StartSize != start || epoch == 1 && m.StartRoot != ([32]byte{}) {
		return refuse("%s begins in epoch %d, after %d entries", m.Siren, epoch, start)
	}
	return nil
}

// meet makes the neighbours of a territory mutual.
func (s *State) meet(m Member) error {
	for _, n := range m.Neighbours {
		if at, ok := s.find(n); !ok || s.Members[at].Role != Territory {
			return refuse("%s would be a neighbour of %s and is no territory of this roster", n, m.Siren)
		}
	}
	if m.Role != Territory {
		return nil
	}
	for i := range s.Members {
		o := &s.Members[i]
		if o.Role != Territory || o.Siren == m.Siren {
			continue
		}
		at, has := slices.BinarySearch(o.Neighbours, m.Siren)
		_, wants := slices.BinarySearch(m.Neighbours, o.Siren)
		switch {
		case wants && !has:
			o.Neighbours = slices.Insert(slices.Clone(o.Neighbours), at, m.Siren)
		case has && !wants:
			o.Neighbours = slices.Delete(slices.Clone(o.Neighbours), at, at+1)
		}
		if len(o.Neighbours) > MaxNeighbours {
			return refuse("%s would have more than %d neighbours", o.Siren, MaxNeighbours)
		}
	}
	return nil
}

// end keeps what verifies a feed that ends.
func (s *State) end(m Member, last uint64) {
	p := s.policy(m)
	s.Closed = append(s.Closed, Closed{Siren: m.Siren, Epoch: m.Epoch, Last: last, Replicas: p.Replicas, Quorum: p.Quorum, Witnesses: p.Witnesses, Threshold: p.Threshold})
}

func (b RemoveMember) apply(s *State) error {
	at, ok := s.find(b.Siren)
	if !ok {
		return refuse("%s is no member", b.Siren)
	}
	m := s.Members[at]
	if m.Epoch == 1<<16-1 {
		return refuse("%s has no epoch left", b.Siren)
	}
	s.end(m, b.Last)
	s.index.forget(m)
	s.Members = slices.Delete(s.Members, at, at+1)
	for i := range s.Members {
		o := &s.Members[i]
		if at, has := slices.BinarySearch(o.Neighbours, b.Siren); has {
			o.Neighbours = slices.Delete(slices.Clone(o.Neighbours), at, at+1)
		}
	}
	return nil
}

func (b OpenEpoch) apply(s *State) error {
	at, ok := s.find(b.Siren)
	if !ok {
		return refuse("%s is no member", b.Siren)
	}
	m := &s.Members[at]
	if b.Epoch != m.Epoch+1 {
		return refuse("%s is in epoch %d; the next one is %d", b.Siren, m.Epoch, m.Epoch+1)
	}
	s.end(*m, b.StartSize)
	m.Epoch, m.StartSize, m.StartRoot = b.Epoch, b.StartSize, b.StartRoot
	return nil
}

func (b MoveCommunes) apply(s *State) error {
	from, ok1 := s.find(b.From)
	to, ok2 := s.find(b.To)
	if !ok1 || !ok2 || s.Members[to].Role != Territory {
		return refuse("communes move between two territories of this roster")
	}
	for _, c := range b.Communes {
		if owner := s.index.communes[c]; owner != b.From {
			return refuse("commune %s does not belong to %s", c, b.From)
		}
		s.index.communes[c] = b.To
	}
	moved := func(c public.Commune) bool {
		_, ok := slices.BinarySearchFunc(b.Communes, c, compareCommunes)
		return ok
	}
	giver, taker := &s.Members[from], &s.Members[to]
	giver.Communes = slices.DeleteFunc(slices.Clone(giver.Communes), moved)
	taker.Communes = slices.Concat(taker.Communes, b.Communes)
	sort.Slice(taker.Communes, func(i, j int) bool { return compareCommunes(taker.Communes[i], taker.Communes[j]) < 0 })
	if len(taker.Communes) > MaxOwn {
		return refuse("a member has at most %d communes", MaxOwn)
	}
	return befriend(giver, taker)
}

// befriend makes two territories neighbours: each reads what the other says, so the
// one that gave communes hears that their people have arrived.
func befriend(a, b *Member) error {
	for _, pair := range [][2]*Member{{a, b}, {b, a}} {
		m, n := pair[0], pair[1].Siren
		if at, has := slices.BinarySearch(m.Neighbours, n); !has {
			m.Neighbours = slices.Insert(slices.Clone(m.Neighbours), at, n)
		}
		if len(m.Neighbours) > MaxNeighbours {
			return refuse("%s would have more than %d neighbours", m.Siren, MaxNeighbours)
		}
	}
	return nil
}

func (b SetHubs) apply(s *State) error {
	for _, h := range s.Hubs {
		delete(s.index.keys, rawKey(h.Key))
	}
	peers := map[string]bool{}
	for _, h := range b.Hubs {
		if owner, taken := s.index.peers[h.Peer]; taken {
			if at, _ := s.find(owner); s.Members[at].Role != Coordinator {
				return refuse("the peer of hub %s is that of a replica of %s", h.Name, owner)
			}
		}
		if peers[h.Peer] {
			return refuse("the peer of hub %s is that of another hub", h.Name)
		}
		peers[h.Peer] = true
		if err := s.index.enterKey(h.Key, keyHolder{hub: h.Name}); err != nil {
			return err
		}
	}
	s.Hubs, s.Threshold = b.Hubs, b.Threshold
	return nil
}
