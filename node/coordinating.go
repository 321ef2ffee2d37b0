package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/geo"
	"github.com/bippop/bippop/node/internal/territory"
)

// Beginning is what a new federation begins with. The node that begins it becomes
// its coordinator.
type Beginning struct {
	Name      string
	Demo      bool
	Holders   []string // their keys as [HolderKey] gives them
	Need      int      // of them
	Hubs      []HubKeys
	Threshold int // witnesses that must sign
	Days      int // until the roster expires unless it is renewed, at most 800
}

// HubKeys are how a hub appears in the roster.
type HubKeys struct {
	Name, Operator string
	Peer, Key      string
	Addresses      []string // multiaddrs
	Witness        bool
}

// HubKeys of a hub of this name inside this machine.
func (s *Federation) HubKeys(by Caller, name string) (HubKeys, error) {
	if err := by.may(JoinFederation); err != nil {
		return HubKeys{}, err
	}
	if !feed.ValidName(name) {
		return HubKeys{}, invalid("name", "hub-name", "a hub's name has neither blanks nor plus signs, like hub1.example.org")
	}
	seed := s.seedOf("federation hub")
	return HubKeys{
		Name: name, Witness: true, Peer: roster.PeerOf(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)),
		Key: feed.NewWitnessSigner(name, s.seedOf("federation witness")).Key(),
	}, nil
}

// HolderKey is what a holder of the roster gives the coordinator: the public half of
// a seed that the holder alone keeps.
func HolderKey(name string, seed [32]byte) string {
	return roster.Holder{Name: name, Key: ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)}.String()
}

// Begin drafts a federation's first entry. Every holder signs it, see [SignDraft];
// [Federation.Publish] makes it so.
func (s *Federation) Begin(ctx context.Context, by Caller, in Beginning) (draft string, err error) {
	if err := by.may(PublishRoster); err != nil {
		return "", err
	}
	member, _, err := s.asMember(ctx, "")
	if err != nil {
		return "", err
	}
	if member.Role != roster.Coordinator {
		return "", errNotCoordinator
	}
	member.Epoch = 1
	today := public.DayOf(s.now())
	found := roster.Found{Name: in.Name, Demo: in.Demo, Need: uint8(in.Need), Expires: today + public.Day(in.Days)}
	for _, text := range in.Holders {
		h, err := roster.ParseHolder(text)
		if err != nil {
			return "", invalid("holders", "holder-unreadable", "this is no key of a holder; each makes one with: bippop federation key")
		}
		found.Holders = append(found.Holders, h)
	}
	sort.Slice(found.Holders, func(i, j int) bool { return slices.Compare(found.Holders[i].Key, found.Holders[j].Key) < 0 })
	d, err := (*roster.State)(nil).Draft(today, found, setKinds(), roster.SetMember{Member: member}, hubsOf(in.Hubs, in.Threshold))
	if err != nil {
		return "", invalid("", "roster-refused", err.Error())
	}
	return string(d.Encode()), nil
}

var errNotCoordinator = &Error{Kind: Forbidden, Code: "not-coordinator", Reason: "only the coordinator's node drafts and publishes the roster; found one with: bippop init --role coordinator"}

// coordinates refuses what only somebody on the coordinator's node does.
func (s *Federation) coordinates(by Caller) error {
	if err := by.may(PublishRoster); err != nil {
		return err
	}
	if t, err := s.territory(); err != nil || t.Role != territory.RoleCoordinator {
		return either(err, errNotCoordinator)
	}
	return nil
}

// setKinds names everything that this program can say.
func setKinds() roster.SetKinds {
	var out roster.SetKinds
	for _, k := range public.Kinds() {
		out.Kinds = append(out.Kinds, public.SchemaOf(k))
	}
	for _, k := range bulletin.Kinds() {
		if s, ok := bulletin.SchemaOf(k); ok {
			out.Kinds = append(out.Kinds, s)
		}
	}
	return out
}

func hubsOf(hubs []HubKeys, threshold int) roster.SetHubs {
	out := roster.SetHubs{Threshold: uint8(threshold)}
	for _, h := range hubs {
		out.Hubs = append(out.Hubs, roster.Hub{Name: h.Name, Operator: h.Operator, Peer: h.Peer, Key: h.Key, Addresses: h.Addresses, Witness: h.Witness})
	}
	return out
}

// RosterChange is one thing that the coordinator drafts. The first that is set
// counts.
type RosterChange struct {
	Application string    // of a territory that comes, or whose machines or communes are others now
	Take        bool      // with Application: communes of it that others answer for now move to it
	Remove      string    // SIREN of a member that goes
	Last        uint64    // with Remove: how many of its entries count
	Epoch       string    // SIREN of a member whose feed begins anew after a fork
	Size        uint64    // with Epoch: how many entries of the former one count
	Root        string    // with Epoch: its root at that size, hexadecimal
	Hubs        []HubKeys // all of them, from now on
	Threshold   int       // with Hubs
	Renew       int       // days from now
}

// Draft makes an entry of the roster that the holders may sign, and says in plain
// words what it would change.
func (s *Federation) Draft(by Caller, in RosterChange) (draft string, tells []string, err error) {
	if err := s.coordinates(by); err != nil {
		return "", nil, err
	}
	state := s.federating.rosters.State()
	if state == nil {
		return "", nil, &Error{Kind: NotFound, Code: "no-roster", Reason: "there is no roster here yet; begin one with: bippop federation init"}
	}
	bodies, err := s.bodies(state, in)
	if err != nil {
		return "", nil, err
	}
	d, err := state.Draft(public.DayOf(s.now()), bodies...)
	if err == nil {
		tells, err = state.Tell(d)
	}
	if err != nil {
		return "", nil, refusedDraft("", err)
	}
	return string(d.Encode()), tells, nil
}

func (s *Federation) bodies(state *roster.State, in RosterChange) ([]roster.Body, error) {
	siren := func(text string) (public.Siren, error) {
		n, err := public.ParseSiren(text)
		if err != nil {
			return 0, invalid("siren", "siren-wrong", "the SIREN has nine digits and a check digit; this one is mistyped")
		}
		return n, nil
	}
	switch {
	case in.Application != "":
		a, err := roster.ParseApplication([]byte(in.Application))
		if err != nil {
			return nil, invalid("application", "application-unreadable", err.Error())
		}
		b, err := state.Admit(a, neighboursOf(state, a.Member))
		if err != nil {
			return nil, invalid("application", "application-refused", err.Error())
		}
		moves := takeOver(state, &b.Member)
		if len(moves) > 0 && !in.Take {
			return nil, errCommunesTaken
		}
		return append([]roster.Body{b}, moves...), nil
	case in.Remove != "":
		n, err := siren(in.Remove)
		if m, ok := state.Member(n); ok && m.Role == roster.Coordinator {
			return nil, errCoordinatorStays
		}
		return []roster.Body{roster.RemoveMember{Siren: n, Last: in.Last}}, err
	case in.Epoch != "":
		n, err := siren(in.Epoch)
		if err != nil {
			return nil, err
		}
		m, _ := state.Member(n)
		b := roster.OpenEpoch{Siren: n, Epoch: m.Epoch + 1, StartSize: in.Size}
		root, err := hex.DecodeString(in.Root)
		if err != nil || len(root) != len(b.StartRoot) {
			return nil, invalid("root", "root-unreadable", "the root has 64 hexadecimal digits; it stands in the evidence")
		}
		copy(b.StartRoot[:], root)
		return []roster.Body{b}, nil
	case len(in.Hubs) > 0:
		return []roster.Body{hubsOf(in.Hubs, in.Threshold)}, nil
	case in.Renew > 0:
		return []roster.Body{setKinds(), roster.Renew{Expires: public.DayOf(s.now()) + public.Day(in.Renew)}}, nil
	}
	return nil, invalid("", "nothing-to-draft", "say what shall change: an application, a removal, an epoch, hubs or a renewal")
}

var errCommunesTaken = &Error{Kind: Conflict, Code: "communes-taken", Field: "application", Reason: "another territory answers for communes of this application: when both agree that they move, draft it with --take"}

// takeOver takes from a member the communes that others answer for, and gives the moves
// by which they come to it.
func takeOver(state *roster.State, m *roster.Member) (out []roster.Body) {
	of := map[public.Siren][]public.Commune{}
	m.Communes = slices.DeleteFunc(slices.Clone(m.Communes), func(c public.Commune) bool {
		owner, yes := state.ByCommune(c)
		if yes = yes && owner != m.Siren; yes {
			of[owner] = append(of[owner], c)
		}
		return yes
	})
	for _, owner := range slices.Sorted(maps.Keys(of)) {
		out = append(out, roster.MoveCommunes{From: owner, To: m.Siren, Communes: of[owner]})
	}
	return out
}

// neighboursOf a territory among those that are members already, by geography; nil
// for members that have none.
func neighboursOf(state *roster.State, m roster.Member) []public.Siren {
	if m.Role != roster.Territory {
		return nil
	}
	var places []roster.Place
	for _, o := range state.Members {
		if o.Role == roster.Territory && o.Siren != m.Siren {
			places = append(places, placeOf(o))
		}
	}
	near := roster.Neighbours(append(places, placeOf(m)))[m.Siren]
	if near == nil {
		near = []public.Siren{}
	}
	return near
}

func placeOf(m roster.Member) roster.Place {
	p := roster.Place{Siren: m.Siren, Departement: m.Departement, Whole: len(geo.CommunesOf(m.Departement)) == len(m.Communes)}
	for _, code := range m.Communes {
		if c, ok := geo.Lookup(geo.Insee(code.String())); ok && c.Located {
			p.Points = append(p.Points, roster.Point{Lat: c.Point.Lat, Lon: c.Point.Lon})
		}
	}
	return p
}

// SignDraft adds a holder's signature to a draft. It needs no node: the seed stays
// with the holder. missing says who still has to sign, or is empty.
func SignDraft(draft string, seed [32]byte) (signed, missing string, err error) {
	d, err := roster.ParseDraft([]byte(draft))
	if err == nil {
		err = d.Sign(ed25519.NewKeyFromSeed(seed[:]))
	}
	if err != nil {
		return "", "", err
	}
	return string(d.Encode()), d.Missing(), nil
}

// Publish makes a draft that enough holders have signed an entry of the roster. A
// genesis makes this node the first member of its federation.
func (s *Federation) Publish(ctx context.Context, by Caller, draft string) error {
	if err := s.coordinates(by); err != nil {
		return err
	}
	d, err := roster.ParseDraft([]byte(draft))
	if err != nil {
		return unreadableDraft(err)
	}
	entry, err := d.Entry()
	if err != nil {
		return &Error{Kind: Conflict, Code: "draft-unsigned", Field: "draft", Reason: err.Error()}
	}
	if d.Seq() == 0 {
		genesis := sha256.Sum256(entry)
		if _, err := roster.Fold(genesis, [][]byte{entry}); err != nil {
			return invalid("draft", "roster-refused", err.Error())
		}
		if _, err := s.propose(ctx, command.JoinFederation{Stamp: s.stamp(by, ""), Genesis: genesis}); err != nil {
			return err
		}
	}
	if known, err := s.federating.rosters.Entries(d.Seq()); err != nil || len(known) > 0 {
		if err == nil && !bytes.Equal(known[0], entry) { // its place is taken
			err = refusedDraft("draft", roster.ErrOrder)
		}
		return err
	}
	err = s.federating.rosters.Take(ctx, [][]byte{entry})
	if _, ours := errors.AsType[*Error](err); err != nil && !ours {
		return refusedDraft("draft", err)
	}
	return err
}

// errCoordinatorStays says that a coordinator does not draft its own removal.
var errCoordinatorStays = &Error{Kind: Conflict, Code: "coordinator-stays", Field: "remove", Reason: "without its coordinator nobody could change the roster any more: it stays until the holders name another one"}

// refusedDraft says why a draft can not count.
func refusedDraft(field string, err error) error {
	switch {
	case errors.Is(err, roster.ErrOrder):
		return &Error{Kind: Conflict, Code: "draft-stale", Field: field, Reason: err.Error()}
	case errors.Is(err, roster.ErrSignature):
		return &Error{Kind: Conflict, Code: "draft-forged", Field: field, Reason: err.Error()}
	}
	return invalid(field, "roster-refused", err.Error())
}

// unreadableDraft says why a text is no draft.
func unreadableDraft(err error) error {
	if errors.Is(err, roster.ErrSignature) {
		return refusedDraft("draft", err)
	}
	return invalid("draft", "draft-unreadable", err.Error())
}

// Invite is the invitation of a body, as one word that goes by mail or on paper.
func (s *Federation) Invite(by Caller, siren string) (string, error) {
	if err := s.coordinates(by); err != nil {
		return "", err
	}
	n, err := public.ParseSiren(siren)
	if err != nil {
		return "", invalid("siren", "siren-wrong", "the SIREN has nine digits and a check digit; this one is mistyped")
	}
	state := s.federating.rosters.State()
	if state == nil {
		return "", &Error{Kind: NotFound, Code: "no-roster", Reason: "there is no roster here yet; begin one with: bippop federation init"}
	}
	return state.Invite(n).String(), nil
}
