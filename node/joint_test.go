package node_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/market"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/bippop/bippop/node"
)

// union is a federation as people found one: the coordinator's node with a hub
// inside, and territories that were invited and have applied. Everything goes over
// real connections through the hub.
type union struct {
	testing.TB
	centre *town
	nadia  node.Caller // who presents the nation
	all    []*town

	mu  sync.Mutex // guards now, for a reading
	now time.Time
}

// seedOfHolder is the key of the one who signs the roster.
var seedOfHolder = [32]byte{42}

func (u *union) clock() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.now
}

// wait lets time pass for everybody.
func (u *union) wait(d time.Duration) {
	u.mu.Lock()
	u.now = u.now.Add(d)
	u.mu.Unlock()
	for _, t := range append(u.all, u.centre) {
		t.wait(d)
	}
}

func (u *union) must(err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
}

// sign is what a holder does at home, and then the coordinator at her desk.
func (u *union) sign(draft string) {
	u.Helper()
	signed, missing, err := node.SignDraft(draft, seedOfHolder)
	u.must(err)
	if missing != "" {
		u.Fatalf("somebody else has to sign: %s", missing)
	}
	u.must(u.centre.Federation.Publish(u.Context(), u.centre.admin, signed))
}

func newUnion(tb testing.TB) *union {
	tb.Helper()
	u := &union{TB: tb, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	at := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", simulation.FreePort())
	u.centre = foundTown(tb, node.Territory{Siren: "130025265", Name: "Coordination nationale", Calls: "Entraide, la nation", Phone: "01 99 00 12 34", Role: node.CoordinatorNode}, u.tuned, func(c *node.Config) {
		c.Federation.Hub = node.FederationHub{Name: "hub.example", Listen: []string{at}}
	})
	centre := u.centre
	_, err := centre.Accounts.Open(tb.Context(), centre.admin, node.NewAccount{Login: "nadia", Password: secret(password), Roles: node.RoleCoordinator})
	u.must(err)
	_, u.nadia, err = centre.Accounts.SignIn(tb.Context(), "nadia", secret(password), "test", false)
	u.must(err)
	hub, err := centre.Federation.HubKeys(centre.admin, "hub.example")
	u.must(err)
	hub.Operator, hub.Addresses = "Coordination nationale", []string{at}
	draft, err := centre.Federation.Begin(tb.Context(), centre.admin, node.Beginning{
		Name: "Essai", Demo: true, Holders: []string{node.HolderKey("bureau", seedOfHolder)}, Need: 1, Hubs: []node.HubKeys{hub}, Threshold: 1, Days: 400,
	})
	u.must(err)
	u.sign(draft)
	return u
}

func (u *union) tuned(c *node.Config) {
	c.Now, c.Tuning = u.clock, swift
	node.Hurry(c)
}

// territory founds one, which is invited, applies, and is taken in.
func (u *union) territory(siren, name string, communes ...string) *town {
	u.Helper()
	t := foundTown(u.TB, node.Territory{Siren: siren, Name: name, Calls: "Entraide de " + name, Phone: "05 36 49 00 00", Communes: communes}, u.tuned)
	invitation, err := u.centre.Federation.Invite(u.centre.admin, siren)
	u.must(err)
	_, err = t.Federation.Join(u.Context(), t.admin, invitation)
	u.must(err)
	application, err := t.Federation.Application(u.Context(), t.admin, "")
	u.must(err)
	draft, _, err := u.centre.Federation.Draft(u.centre.admin, node.RosterChange{Application: application})
	u.must(err)
	read, err := u.centre.Federation.ReadDraft(u.centre.admin, draft)
	u.must(err)
	if c := read.Changes; len(c) != 1 || c[0].What != "join" || c[0].Name != name || len(c[0].More) != len(communes) || c[0].Machines != 1 || read.Complete {
		u.Fatalf("the draft says %+v", read)
	}
	if err := u.centre.Federation.Publish(u.Context(), u.centre.admin, draft); refusalOf(err) != "draft-unsigned" {
		u.Fatalf("a draft that nobody has signed: %v", err)
	}
	u.sign(draft)
	u.all = append(u.all, t)
	u.until(name+" is on the roster that it knows", func() bool {
		status, err := t.Federation.Status(u.Context(), t.admin)
		return err == nil && status.Listed
	})
	return t
}

// until lets everybody call the hub until something is so.
func (u *union) until(what string, ok func() bool) {
	u.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end.C:
			for _, t := range append(u.all, u.centre) {
				status, err := t.Federation.Status(u.Context(), t.admin)
				u.Logf("%s: next %s, %d of %d settled, %s %v\n%s", status.Name, status.Next, status.Settled, status.Size, status.Trouble, err, tail(t.log.String(), 3000))
			}
			u.Fatalf("in vain: %s", what)
		}
		for _, t := range append(u.all, u.centre) {
			t.Federation.Sync(u.Context(), t.admin) // one that does not speak yet, or finds no hub, does so in the next round
		}
	}
}

// eventually repeats what is refused as long as the hubs have not been heard.
func (u *union) eventually(what string, do func() error) {
	u.Helper()
	var err error
	defer func() {
		if err != nil {
			u.Logf("the last answer: %v", err)
		}
	}()
	u.until(what, func() bool { err = do(); return err == nil })
}

// TestBulletinArrives: what the coordinator publishes, PDF and all, is read in a
// territory, byte for byte.
func TestBulletinArrives(t *testing.T) {
	u := newUnion(t)
	reole := u.territory("200044394", "CC du Réolais", "33352", "33187")
	pdf := []byte("%PDF-1.7\n" + strings.Repeat("a page of letters\n", 3000) + "%%EOF\n")
	var number uint32
	u.eventually("the bulletin is published", func() (err error) {
		number, err = u.centre.Bulletins.Publish(t.Context(), u.nadia, node.BulletinDraft{Title: "Canicule", Text: "Dès demain, appelez chaque personne isolée.", PDF: pdf})
		return err
	})
	u.until("the bulletin arrives", func() bool {
		b, err := reole.Bulletins.Get(reole.admin, number)
		return err == nil && b.Whole
	})
	b, err := reole.Bulletins.Get(reole.admin, number)
	u.must(err)
	got, err := reole.Bulletins.PDF(reole.admin, number)
	u.must(err)
	if b.Title != "Canicule" || b.Text != "Dès demain, appelez chaque personne isolée." || !bytes.Equal(got, pdf) {
		t.Errorf("it reads %q, %q and %d of %d bytes", b.Title, b.Text, len(got), len(pdf))
	}
	if all, err := reole.Bulletins.List(reole.admin); err != nil || len(all) != 1 {
		t.Errorf("%d bulletins, %v", len(all), err)
	}
}

// TestBulletinIsTriedAgain: one that came while nothing could be written is a trouble
// that the operator sees, and is kept once the disk has room, without another one
// coming.
func TestBulletinIsTriedAgain(t *testing.T) {
	u := newUnion(t)
	reole := u.territory("200044394", "CC du Réolais", "33352", "33187")
	reole.FillDisk(true)
	var number uint32
	u.eventually("the bulletin is published", func() (err error) {
		number, err = u.centre.Bulletins.Publish(t.Context(), u.nadia, node.BulletinDraft{Title: "Canicule", Text: "Dès demain, appelez chaque personne isolée."})
		return err
	})
	u.until("it has come in vain", func() bool { return slices.Contains(troubles(t, reole.Node), node.TroubleBulletins) })
	if _, err := reole.Bulletins.Get(reole.admin, number); err == nil {
		t.Fatal("it was kept on a full disk")
	}
	if times := strings.Count(reole.log.String(), "taking in the coordinator's bulletins"); times != 1 {
		t.Errorf("the log says so %d times", times)
	}
	reole.FillDisk(false)
	u.until("it is kept", func() bool { _, err := reole.Bulletins.Get(reole.admin, number); return err == nil })
	u.until("the trouble is over", func() bool { return !slices.Contains(troubles(t, reole.Node), node.TroubleBulletins) })
}

// TestReleaseArrives: the figures that a territory has released are added up at the
// coordinator's.
func TestReleaseArrives(t *testing.T) {
	u := newUnion(t)
	reole := u.territory("200044394", "CC du Réolais", "33352", "33187")
	reole.helped(reole.enrol("Dupont"), reole.approve("Jean"))
	u.until("the territory is known to be silent", func() bool {
		s, err := u.centre.Nation.Look(u.nadia, node.NationLook{})
		return err == nil && s.Expected == 1 && s.Territories == 0
	})
	u.wait(50 * 24 * time.Hour) // 12 January
	u.eventually("the quarter is released", func() error {
		if err := reole.Figures.Quarters.Due(t.Context()); err != nil {
			return err
		}
		if s, err := reole.Figures.Quarters.Statement(reole.admin); err != nil || len(s.Released) != 1 {
			return fmt.Errorf("%d releases: %w", len(s.Released), err)
		}
		return nil
	})
	u.until("the release is added up", func() bool {
		all, err := u.centre.Nation.Territories(u.nadia, true)
		return err == nil && len(all) == 1 && all[0].Releases == 1
	})
	d, err := u.centre.Nation.Look(u.nadia, node.NationLook{Year: 2026})
	u.must(err)
	s, err := reole.Figures.Quarters.Statement(reole.admin)
	u.must(err)
	if want := s.Released[0].Figures.Group(public.GroupInstitution)[public.HasCommunes].N(); d.Territories != 1 || d.Simulated != 0 || d.Sums.Institution.Communes != int64(want) || want != 2 {
		t.Errorf("%d territories answer for %d communes, released %d", d.Territories, d.Sums.Institution.Communes, want)
	}
}

// TestMatchThroughTheHub: an offer is published, asked for, accepted, taken up and
// closed between two territories that only ever call the hub; the coordinator reads
// none of it as a figure.
func TestMatchThroughTheHub(t *testing.T) {
	u := newUnion(t)
	a := u.territory("200044394", "CC du Réolais", "33352", "33187")
	b := u.territory("200069599", "CC Rurales", "33289")
	him := a.approve("Bernard")
	a.approve("Denise")
	a.approve("Lucien")
	r, err := a.Across.Prepare(t.Context(), a.admin, capacity(a.today(), 1, him))
	u.must(err)
	id := r.ID
	r, err = a.Across.Consent(t.Context(), a.admin, id, him, true)
	u.must(err)
	version := r.Version
	u.eventually("the offer is published", func() error {
		_, err := a.Across.Publish(t.Context(), a.admin, id, version)
		return err
	})
	her := b.enrol("Castaing")
	wish := b.ask(her, "Courses", node.Wish{Kind: node.InWeek, Day: b.today() + 7})
	var f node.Fitting
	u.until("the neighbour’s offer is there", func() bool {
		f, err = b.Across.For(b.admin, wish)
		return err == nil && len(f.Offers) == 1
	})
	if by := f.Offers[0].By; by.Territory != "CC du Réolais" || by.Phone != "+33536490000" {
		t.Errorf("by %+v", by)
	}
	var i node.Receipt
	u.eventually("the neighbour is asked", func() (err error) {
		i, err = b.Across.Ask(t.Context(), b.admin, wish, f.Offers[0].Name)
		return err
	})
	u.until("somebody asks", func() bool { o := a.board().Ours; return len(o) == 1 && len(o[0].Waiting) == 1 })
	interest := a.board().Ours[0].Waiting[0].Name
	u.eventually("the offer is given", func() error {
		_, err := a.Across.Accept(t.Context(), a.admin, id, interest, him)
		return err
	})
	state := func(want market.State) func() bool {
		return func() bool { q := b.board().Asked; return len(q) == 1 && q[0].Now == want }
	}
	u.until("the yes arrives", state(market.Accepted))
	u.eventually("it is taken up", func() error { _, err := b.Across.Ack(t.Context(), b.admin, i.ID); return err })
	u.until("the neighbour counts on it", func() bool { m := a.board().Ours[0].Meets; return len(m) == 1 && m[0].State == market.Acked })
	u.wait(8 * 24 * time.Hour)
	u.eventually("it is closed", func() error {
		_, err := b.Across.Close(t.Context(), b.admin, i.ID, public.Happened)
		return err
	})
	u.until("both know that it has happened", func() bool {
		m := a.board().Ours[0].Meets
		return len(m) == 1 && m[0].State == market.Closed && state(market.Closed)()
	})
	for _, side := range []*town{a, b} {
		said, err := side.Said()
		u.must(err)
		for _, entry := range said {
			for _, private := range []string{string(him[:]), string(her[:]), string(wish[:]), "Bernard", "Castaing"} {
				if strings.Contains(string(entry), private) {
					t.Errorf("%x has left", private)
				}
			}
		}
	}
}
