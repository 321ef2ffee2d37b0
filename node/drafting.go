package node

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// DraftView is a draft as somebody reads it who decides whether it shall count.
type DraftView struct {
	Text     string // as it goes from holder to holder
	Number   uint64 // of the entry that it would be, from 1
	Changes  []DraftChange
	Need     int      // former holders who must sign; of a new roster: its own
	Of       int      // such holders there are
	Signed   []string // names of those who have
	Complete bool     // enough have: it may be published
}

// DraftChange is one thing that a draft changes. Which fields say something follows
// from What; the words of What are the API's.
type DraftChange struct {
	What string // found, holders, join, change, remove, move, hubs, kinds, renew, epoch

	Name, Siren     string   // of the member; of the federation, with found
	Role            string   // with join: territory, coordinator, observer
	Departement     string   // with join and change, INSEE
	Contact         string   // of the office, with join and change
	To              string   // name of who gets the communes, with move
	Until           Date8601 // with found and renew
	Names           []string // of holders or hubs
	Need            int      // with holders: signatures; with hubs: witnesses
	More, Gone      []string // communes, INSEE
	Neighbours      []string // names, with join
	Machines        int      // with join and change
	Quorum          int      // of Machines
	OtherMachines   bool     // with change: their keys are others now
	Demo, Simulated bool
	Epoch           uint16
	Counts          uint64 // with remove and epoch: how many entries of the feed count
}

// ReadDraft says what a draft would change in the roster that this machine knows, and
// whose signatures it has.
func (s *Federation) ReadDraft(by Caller, text string) (out DraftView, err error) {
	if err := by.may(ReadLedger); err != nil {
		return out, err
	}
	d, err := roster.ParseDraft([]byte(text))
	if err != nil {
		return out, unreadableDraft(err)
	}
	state := s.federating.rosters.State()
	if _, err := state.Tell(d); err != nil { // it would be refused
		return out, refusedDraft("draft", err)
	}
	out = DraftView{Text: string(d.Encode()), Number: d.Seq() + 1, Signed: d.Signers(), Complete: d.Missing() == ""}
	if state == nil {
		state = new(roster.State)
	}
	out.Need, out.Of = int(state.Need), len(state.Holders)
	for _, b := range d.Bodies() {
		if f, ok := b.(roster.Found); ok {
			out.Need, out.Of = int(f.Need), len(f.Holders)
			out.Changes = append(out.Changes, DraftChange{What: "holders", Names: namesOf(f.Holders), Need: int(f.Need)})
		}
		change := changeOf(state, b)
		if m, ok := b.(roster.MoveCommunes); ok && change.To == "" {
			change.To = nameIn(d.Bodies(), m.To)
		}
		out.Changes = append(out.Changes, change)
	}
	return out, nil
}

func namesOf(all []roster.Holder) (out []string) {
	for _, h := range all {
		out = append(out, h.Name)
	}
	return out
}

// nameIn is the name of a member that the same draft takes in.
func nameIn(bodies []roster.Body, n public.Siren) string {
	for _, b := range bodies {
		if s, ok := b.(roster.SetMember); ok && s.Member.Siren == n {
			return s.Member.Name
		}
	}
	return ""
}

// changeOf describes one body beside the roster that it changes.
func changeOf(state *roster.State, body roster.Body) DraftChange {
	of := func(n public.Siren) roster.Member { m, _ := state.Member(n); return m }
	switch b := body.(type) {
	case roster.Found:
		return DraftChange{What: "found", Name: b.Name, Demo: b.Demo, Until: expiryOf(b.Expires)}
	case roster.SetHolders:
		return DraftChange{What: "holders", Names: namesOf(b.Holders), Need: int(b.Need)}
	case roster.SetMember:
		return memberChange(state, b.Member)
	case roster.RemoveMember:
		m := of(b.Siren)
		return DraftChange{What: "remove", Name: m.Name, Siren: b.Siren.String(), Gone: codesOf(m.Communes), Counts: b.Last}
	case roster.MoveCommunes:
		return DraftChange{What: "move", Name: of(b.From).Name, Siren: b.From.String(), To: of(b.To).Name, Gone: codesOf(b.Communes)}
	case roster.SetHubs:
		c := DraftChange{What: "hubs", Need: int(b.Threshold)}
		for _, h := range b.Hubs {
			name := h.Name
			if h.Operator != "" {
				name += " (" + h.Operator + ")"
			}
			c.Names = append(c.Names, name)
		}
		return c
	case roster.SetKinds:
		return DraftChange{What: "kinds", Counts: uint64(len(b.Kinds))}
	case roster.Renew:
		return DraftChange{What: "renew", Until: expiryOf(b.Expires)}
	case roster.OpenEpoch:
		return DraftChange{What: "epoch", Name: of(b.Siren).Name, Siren: b.Siren.String(), Epoch: b.Epoch, Counts: b.StartSize}
	}
	panic(fmt.Sprintf("node: a change of the roster that nobody describes: %T", body))
}

func memberChange(state *roster.State, m roster.Member) DraftChange {
	c := DraftChange{
		What: "join", Name: m.Name, Siren: m.Siren.String(), Role: m.Role.String(), Departement: m.Departement, Contact: contactOf(m.Contact),
		Machines: len(m.Replicas), Quorum: int(m.Quorum), More: codesOf(m.Communes), Simulated: m.Simulated, Epoch: m.Epoch,
	}
	was, known := state.Member(m.Siren)
	if known {
		c.What, c.OtherMachines = "change", !slices.Equal(was.Replicas, m.Replicas)
		c.More, c.Gone = missingIn(was.Communes, m.Communes), missingIn(m.Communes, was.Communes)
		if contactOf(was.Contact) == c.Contact {
			c.Contact = ""
		}
		return c
	}
	for _, n := range m.Neighbours {
		o, _ := state.Member(n)
		c.Neighbours = append(c.Neighbours, o.Name)
	}
	return c
}

// missingIn is what stands in wanted and not in have.
func missingIn(have, wanted []public.Commune) (out []string) {
	for _, c := range wanted {
		if !slices.Contains(have, c) {
			out = append(out, c.String())
		}
	}
	return out
}

func codesOf(all []public.Commune) (out []string) {
	for _, c := range all {
		out = append(out, c.String())
	}
	return out
}

func contactOf(c roster.Contact) string {
	return strings.Join(slices.DeleteFunc([]string{c.Name, FormatPhone(c.Phone), c.Email}, func(t string) bool { return t == "" }), ", ")
}

func expiryOf(d public.Day) Date8601 { return Date8601(d.Time().Format(time.DateOnly)) }
