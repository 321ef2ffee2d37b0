package roster

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/federation/public"
)

// Tell says in plain words what a draft would change in this roster, one line a
// fact, so that holders sign what they have read. A nil s is for a genesis. The errors
// are those of [State.Draft]; whoever signed it is not looked at.
func (s *State) Tell(d Draft) ([]string, error) {
	if s == nil {
		s = new(State)
	}
	now := s.clone()
	if err := s.clone().rehearse(d); err != nil {
		return nil, err
	}
	var t telling
	now.Day = d.entry.Day
	for _, b := range d.entry.Bodies {
		t.body(now, b)
		if err := b.apply(now); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// telling collects lines.
type telling []string

func (t *telling) line(format string, args ...any) { *t = append(*t, fmt.Sprintf(format, args...)) }

func (t *telling) body(s *State, body Body) {
	switch b := body.(type) {
	case Found:
		kind := ""
		if b.Demo {
			kind = ", a demo: one witness is enough, members may be simulated"
		}
		t.line("Founds the federation %q%s.", b.Name, kind)
		t.holders(nil, b.Holders, b.Need)
		t.line("It expires on %s unless it is renewed before.", date(b.Expires))
	case SetHolders:
		t.holders(s.Holders, b.Holders, b.Need)
	case SetMember:
		if was, ok := s.Member(b.Member.Siren); ok {
			t.change(s, was, b.Member)
		} else {
			t.join(s, b.Member)
		}
	case RemoveMember:
		m, _ := s.Member(b.Siren)
		t.line("Removes %s. Of its feed the first %d entries count. Its machines are refused, and its %d communes belong to nobody.", title(m), b.Last, len(m.Communes))
	case MoveCommunes:
		from, _ := s.Member(b.From)
		to, _ := s.Member(b.To)
		t.line("Moves %s from %s to %s.", communes(b.Communes), title(from), title(to))
	case SetHubs:
		t.hubs(s, b)
	case SetKinds:
		t.kinds(s, b)
	case Renew:
		t.line("The roster expires on %s, instead of %s.", date(b.Expires), date(s.Expires))
	case OpenEpoch:
		m, _ := s.Member(b.Siren)
		t.line("Opens epoch %d of %s. Of epoch %d the first %d entries count, which lead to %x.", b.Epoch, title(m), m.Epoch, b.StartSize, b.StartRoot)
	default:
		panic("roster: a change that is not told")
	}
}

func date(d public.Day) string { return d.Time().Format(time.DateOnly) }

func title(m Member) string { return fmt.Sprintf("%s %s %q", m.Role, m.Siren, m.Name) }

// list writes a few of many.
func list[T fmt.Stringer](all []T) string {
	const few = 20
	var words []string
	for _, x := range all[:min(few, len(all))] {
		words = append(words, x.String())
	}
	if len(all) > few {
		words = append(words, fmt.Sprintf("and %d more", len(all)-few))
	}
	return strings.Join(words, ", ")
}

func communes(all []public.Commune) string {
	switch len(all) {
	case 0:
		return "no commune"
	case 1:
		return "commune " + all[0].String()
	}
	return fmt.Sprintf("%d communes (%s)", len(all), list(all))
}

func siren(all []public.Siren) string {
	if len(all) == 0 {
		return "nobody"
	}
	return list(all)
}

// without is what stands in a and not in b; both ascend.
func without[T any](a, b []T, compare func(x, y T) int) (out []T) {
	for _, x := range a {
		if _, ok := slices.BinarySearchFunc(b, x, compare); !ok {
			out = append(out, x)
		}
	}
	return out
}

func (t *telling) holders(was, next []Holder, need uint8) {
	for _, h := range without(was, next, byKey) {
		t.line("%s holds it no more (key %s).", h.Name, h)
	}
	for _, h := range without(next, was, byKey) {
		t.line("%s becomes a holder, with key %s.", h.Name, h)
	}
	for _, h := range next {
		at, ok := slices.BinarySearchFunc(was, h, byKey)
		if ok && was[at].Name != h.Name {
			t.line("Holder %s is now named %s.", was[at].Name, h.Name)
		}
	}
	var names []string
	for _, h := range next {
		names = append(names, h.Name)
	}
	t.line("Any %d of these %d sign what follows: %s.", need, len(next), strings.Join(names, ", "))
}

func (t *telling) join(s *State, m Member) {
	simulated := ""
	if m.Simulated {
		simulated = ", which is simulated"
	}
	t.line("Adds %s%s, département %s, in epoch %d.", title(m), simulated, m.Departement, m.Epoch)
	if m.Epoch > 1 {
		t.line("  It was a member before; of epoch %d the first %d entries count.", m.Epoch-1, m.StartSize)
	}
	t.line("  Contact: %s", contact(m.Contact))
	if m.Role == Territory {
		t.line("  It answers for %s.", communes(m.Communes))
	}
	t.replicas(nil, m)
	t.line("  %s: %s.", readers(m), siren(m.Neighbours))
}

func readers(m Member) string {
	if m.Role == Observer {
		return "It may read the feeds of"
	}
	return "Neighbours, who read its feed and whose feeds it reads"
}

func contact(c Contact) string {
	var words []string
	for _, w := range []string{c.Name, c.Phone, c.Email} {
		if w != "" {
			words = append(words, w)
		}
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}

func (t *telling) change(s *State, was, m Member) {
	before := len(*t)
	t.line("Changes %s:", title(was))
	if m.Name != was.Name {
		t.line("  It is now named %q.", m.Name)
	}
	if m.Departement != was.Departement {
		t.line("  Its département is %s, instead of %s.", m.Departement, was.Departement)
	}
	if m.Contact != was.Contact {
		t.line("  Contact: %s, instead of %s", contact(m.Contact), contact(was.Contact))
	}
	if m.Simulated != was.Simulated {
		t.line("  Simulated: %t, instead of %t.", m.Simulated, was.Simulated)
	}
	if gone := without(was.Communes, m.Communes, compareCommunes); len(gone) > 0 {
		t.line("  It no longer answers for %s.", communes(gone))
	}
	if more := without(m.Communes, was.Communes, compareCommunes); len(more) > 0 {
		t.line("  It also answers for %s.", communes(more))
	}
	if m.Quorum != was.Quorum || !slices.Equal(m.Replicas, was.Replicas) {
		t.replicas(was.Replicas, m)
	}
	if gone := without(was.Neighbours, m.Neighbours, cmp.Compare); len(gone) > 0 {
		t.line("  No longer neighbours: %s.", siren(gone))
	}
	if more := without(m.Neighbours, was.Neighbours, cmp.Compare); len(more) > 0 {
		t.line("  New neighbours: %s.", siren(more))
	}
	if len(*t) == before+1 {
		t.line("  Nothing.")
	}
}

func (t *telling) replicas(was []Replica, m Member) {
	for _, r := range was {
		if !slices.Contains(m.Replicas, r) {
			t.line("  No longer its machine: peer %s, key %s", r.Peer, r.Key)
		}
	}
	for _, r := range m.Replicas {
		if !slices.Contains(was, r) {
			t.line("  A machine of its: peer %s, key %s", r.Peer, r.Key)
		}
	}
	t.line("  %d of its %d machines sign for it.", m.Quorum, len(m.Replicas))
}

func (t *telling) hubs(s *State, b SetHubs) {
	same := func(a, b Hub) bool { return bytes.Equal(encode(a), encode(b)) }
	for _, h := range s.Hubs {
		if !slices.ContainsFunc(b.Hubs, func(o Hub) bool { return o.Name == h.Name }) {
			t.line("%s of %s is a hub no more.", h.Name, h.Operator)
		}
	}
	for _, h := range b.Hubs {
		if slices.ContainsFunc(s.Hubs, func(o Hub) bool { return same(o, h) }) {
			continue
		}
		verb := "New hub"
		if slices.ContainsFunc(s.Hubs, func(o Hub) bool { return o.Name == h.Name }) {
			verb = "Changed hub"
		}
		witness := ", no witness"
		if h.Witness {
			witness = ", a witness"
		}
		t.line("%s %s, operated by %q%s: peer %s, key %s, at %s.", verb, h.Name, h.Operator, witness, h.Peer, h.Key, strings.Join(h.Addresses, " "))
	}
	witnesses := 0
	for _, h := range b.Hubs {
		if h.Witness {
			witnesses++
		}
	}
	t.line("%d of %d witnesses must sign what counts.", b.Threshold, witnesses)
}

func (t *telling) kinds(s *State, b SetKinds) {
	for _, k := range s.Kinds {
		if !slices.ContainsFunc(b.Kinds, func(o public.Schema) bool { return o.Kind == k.Kind }) {
			t.line("Entries of kind %d may no longer be said.", k.Kind)
		}
	}
	for _, k := range b.Kinds {
		if slices.Contains(s.Kinds, k) {
			continue
		}
		known := ""
		if slices.Contains(public.Kinds(), k.Kind) && k != public.SchemaOf(k.Kind) {
			known = ", in another form than this program knows"
		}
		t.line("Entries of kind %d, version %d, may be said (form %x)%s.", k.Kind, k.Version, k.Digest[:8], known)
	}
}
