package node_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/market"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

const (
	reole  public.Siren = 200044394
	rurale public.Siren = 200069599
)

// neighbours are two real nodes of one federation; the test carries the entries
// from one to the other.
type neighbours struct {
	a, b *town // a offers, b asks
	toA  int64
	toB  int64
}

func newPair(t *testing.T) *neighbours {
	t.Helper()
	n := &neighbours{a: newTown(t), b: newTownOf(t, "200069599")}
	offices := map[public.Siren]node.Office{
		reole:  {Siren: "200044394", Territory: "CC du Réolais", Name: "CCAS de La Réole", Phone: "+33536490000", Email: "accueil@reole.example"},
		rurale: {Siren: "200069599", Territory: "CC Rurales", Name: "CIAS de Targon", Phone: "+33536491111", Email: "accueil@targon.example"},
	}
	for _, s := range []*town{n.a, n.b} {
		s.must(s.Federate(t.Context(), s.admin))
		s.Neighbours(offices)
	}
	return n
}

// carry hands over what each has said since.
func (n *neighbours) carry() {
	all, err := n.a.Said()
	n.a.must(err)
	n.b.HeardNeighbour(reole, n.toB, all[n.toB:])
	n.toB = int64(len(all))
	all, err = n.b.Said()
	n.b.must(err)
	n.a.HeardNeighbour(rurale, n.toA, all[n.toA:])
	n.toA = int64(len(all))
}

func (n *neighbours) wait(d time.Duration) {
	n.a.wait(d)
	n.b.wait(d)
}

func (t *town) board() node.Crossing {
	t.Helper()
	c, err := t.Across.Board(t.admin)
	t.must(err)
	return c
}

// refused fails unless err is that refusal.
func (t *town) refused(code string, err error) {
	t.Helper()
	if e, ok := errors.AsType[*node.Error](err); !ok || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func capacity(monday node.Day, slots int, who ...node.VolunteerID) node.NewCrossOffer {
	return node.NewCrossOffer{Category: public.Shopping, Monday: monday, Weeks: 4, Slots: slots, Radius: public.Near, Languages: public.French, Volunteers: who}
}

// published is an offer of that volunteer's, in a town of three.
func (t *town) published(slots int) (node.CrossOfferID, node.VolunteerID) {
	t.Helper()
	him := t.approve("Bernard")
	t.approve("Denise")
	t.approve("Lucien")
	r, err := t.Across.Prepare(t.Context(), t.admin, capacity(t.today(), slots, him))
	t.must(err)
	r, err = t.Across.Consent(t.Context(), t.admin, r.ID, him, true)
	t.must(err)
	_, err = t.Across.Publish(t.Context(), t.admin, r.ID, r.Version)
	t.must(err)
	return r.ID, him
}

// TestMatchAcross plays a match between two nodes, from the consent to the word that
// it happened, and looks at what has left.
func TestMatchAcross(t *testing.T) {
	n := newPair(t)
	a, b := n.a, n.b
	him := a.approve("Bernard")
	_, err := a.Across.Prepare(t.Context(), a.admin, capacity(a.today(), 2, him))
	a.refused("cross-offer-singles-out", err) // he would be the only one who does
	a.approve("Denise")
	a.approve("Lucien")
	turkish := capacity(a.today(), 2, him)
	turkish.Languages |= public.Turkish
	_, err = a.Across.Prepare(t.Context(), a.admin, turkish)
	a.refused("cross-offer-language", err)
	r, err := a.Across.Prepare(t.Context(), a.admin, capacity(a.today(), 2, him))
	a.must(err)
	_, err = a.Across.Publish(t.Context(), a.admin, r.ID, r.Version)
	a.refused("consent-missing", err)
	if said, _ := a.Said(); len(said) != 0 {
		t.Fatalf("%d entries have left before he has said yes", len(said))
	}

	// He says so on his own page, and nobody else's account can.
	bernard := a.asVolunteer(him)
	mine, err := a.Across.Mine(bernard)
	a.must(err)
	if len(mine) != 1 || !mine[0].Question {
		t.Fatalf("he is not asked: %+v", mine)
	}
	_, err = a.Across.Publish(t.Context(), bernard, r.ID, r.Version)
	a.refused("forbidden", err)
	_, err = a.Across.Consent(t.Context(), bernard, r.ID, a.approve("Odile"), true)
	a.refused("forbidden", err)
	r, err = a.Across.Consent(t.Context(), bernard, r.ID, him, true)
	a.must(err)
	_, err = a.Across.Publish(t.Context(), a.admin, r.ID, r.Version)
	a.must(err)
	n.carry()

	// On a request that finds nobody, the neighbour's offer is there.
	her := b.enrol("Castaing")
	wish := b.ask(her, "Courses", node.Wish{Kind: node.InWeek, Day: b.today() + 7})
	other := b.ask(her, "Visite", node.Wish{Kind: node.Flexible})
	late := b.ask(her, "Courses", node.Wish{Kind: node.InWeek, Day: b.today() + 35})
	for _, id := range []node.RequestID{other, late} {
		if f, err := b.Across.For(b.admin, id); err != nil || len(f.Offers) != 0 {
			t.Fatalf("an offer of another kind or time is shown: %+v, %v", f, err)
		}
	}
	f, err := b.Across.For(b.admin, wish)
	b.must(err)
	if len(f.Offers) != 1 || f.Offers[0].By.Territory != "CC du Réolais" {
		t.Fatalf("what fits: %+v", f)
	}
	i, err := b.Across.Ask(t.Context(), b.admin, wish, f.Offers[0].Name)
	b.must(err)
	_, err = b.Across.Ask(t.Context(), b.admin, wish, f.Offers[0].Name)
	b.refused("interest-shown", err)
	_, err = b.Across.Ack(t.Context(), b.admin, i.ID)
	b.refused("not-met", err)
	n.carry()

	ours := a.board().Ours[0]
	if len(ours.Waiting) != 1 || ours.Waiting[0].By.Name != "CIAS de Targon" || ours.Waiting[0].Week != a.today()+7 {
		t.Fatalf("who asks: %+v", ours.Waiting)
	}
	_, err = a.Across.Accept(t.Context(), a.admin, r.ID, ours.Waiting[0].Name, him)
	a.must(err)
	n.carry()
	mine, err = a.Across.Mine(bernard)
	a.must(err)
	if calls := mine[0].Calls; len(calls) != 1 || calls[0].Phone != "+33536491111" || calls[0].Heard {
		t.Fatalf("whom he is to call: %+v", calls)
	}
	_, err = a.Across.Told(t.Context(), bernard, r.ID, mine[0].Calls[0].Interest, him)
	a.must(err)

	if f, _ := b.Across.For(b.admin, wish); f.Mine == nil || f.Mine.Now != market.Accepted {
		t.Fatalf("the desk does not see that the neighbour has said yes: %+v", f)
	}
	_, err = b.Across.Ack(t.Context(), b.admin, i.ID)
	b.must(err)
	call, err := b.Calls.Of(b.admin, her)
	b.must(err)
	if call == nil || len(call.News) != 1 || !call.News[0].Across {
		t.Fatalf("she is not on the call-back list: %+v", call)
	}
	_, err = b.Calls.Told(t.Context(), b.admin, her, []node.Heard{{Request: wish, Version: call.News[0].Version}})
	b.must(err)
	n.carry()
	_, err = b.Across.Close(t.Context(), b.admin, i.ID, public.Happened)
	b.must(err)
	n.carry()
	if v, err := b.Requests.Get(b.admin, wish); err != nil || v.State != node.StateDone {
		t.Fatalf("the request: %+v, %v", v.State, err)
	}
	if meets := a.board().Ours[0].Meets; len(meets) != 1 || meets[0].State != market.Closed {
		t.Fatalf("the offering side sees %+v", meets)
	}

	// What has left names nobody: it decodes into the closed set, and holds neither an
	// ID of a record nor a word.
	for _, s := range []*town{a, b} {
		said, err := s.Said()
		s.must(err)
		for _, entry := range said {
			if _, err := public.Decode(entry); err != nil {
				t.Errorf("what has left is no message: %v", err)
			}
			for _, private := range []string{string(him[:]), string(her[:]), string(wish[:]), string(r.ID[:]), string(i.ID[:]), "Bernard", "Castaing"} {
				if strings.Contains(string(entry), private) {
					t.Errorf("%x has left", private)
				}
			}
		}
	}
}

// TestNobodyTakesItUp: an acceptance that nobody acknowledges is free again, and who
// asked hears of it; a request that found somebody at home is taken back by itself.
func TestNobodyTakesItUp(t *testing.T) {
	n := newPair(t)
	a, b := n.a, n.b
	id, him := a.published(1)
	n.carry()
	her := b.enrol("Castaing")
	wish := b.ask(her, "Courses", node.Wish{Kind: node.Flexible})
	f, err := b.Across.For(b.admin, wish)
	b.must(err)
	_, err = b.Across.Ask(t.Context(), b.admin, wish, f.Offers[0].Name)
	b.must(err)
	n.carry()
	_, err = a.Across.Accept(t.Context(), a.admin, id, a.board().Ours[0].Waiting[0].Name, him)
	a.must(err)
	n.carry()
	due := func() {
		t.Helper()
		a.must(a.CrossDue(t.Context()))
		b.must(b.CrossDue(t.Context()))
		n.carry()
	}
	n.wait(13 * 24 * time.Hour)
	due()
	if left := a.board().Ours[0].Left(); left != 0 {
		t.Fatalf("after 13 days %d slots are free", left)
	}
	n.wait(25 * time.Hour)
	due()
	due()
	if left := a.board().Ours[0].Left(); left != 1 {
		t.Fatalf("after two weeks %d slots are free", left)
	}
	if f, err := b.Across.For(b.admin, wish); err != nil || f.Mine != nil || len(f.Offers) != 1 {
		t.Fatalf("the request can not ask again: %+v, %v", f, err)
	}

	// Again; and somebody is found at home.
	_, err = b.Across.Ask(t.Context(), b.admin, wish, f.Offers[0].Name)
	b.must(err)
	neighbour := b.approve("Paul")
	_, err = b.Requests.Accept(t.Context(), b.admin, wish, neighbour, node.Slot{Day: b.today() + 1})
	b.must(err)
	due()
	due()
	if waiting := a.board().Ours[0].Waiting; len(waiting) != 0 {
		t.Errorf("the neighbour still asks: %+v", waiting)
	}

	// When he cannot any more, the offer is withdrawn by itself.
	_, err = a.Across.Consent(t.Context(), a.admin, id, him, false)
	a.must(err)
	due()
	if offered := b.board().Offered; len(offered) != 0 {
		t.Errorf("an offer that nobody stands behind is open: %+v", offered)
	}
}

// TestQuota: nothing that is said too often, or by a clock that was set back, makes
// the hubs refuse the feed for good.
func TestQuota(t *testing.T) {
	town := newTown(t)
	town.must(town.Federate(t.Context(), town.admin))
	var err error
	said := 0
	for ; said <= federation.DayEntries && err == nil; said++ {
		err = town.Say(t.Context())
	}
	if said > federation.DayEntries {
		t.Fatal("more was said in a day than the hubs take")
	}
	town.refused("feed-quota", err)
	town.wait(24 * time.Hour)
	town.must(town.Say(t.Context()))
	town.wait(-72 * time.Hour)
	town.must(town.Say(t.Context()))
	all, err := town.Said()
	town.must(err)
	var before public.Day
	for i, b := range all {
		e, err := public.Decode(b)
		town.must(err)
		if e.Day < before {
			t.Fatalf("entry %d is dated %s, after one of %s", i, e.Day.Time().Format(time.DateOnly), before.Time().Format(time.DateOnly))
		}
		before = e.Day
	}
}

// TestLanguagesTogether attacks a volunteer who alone speaks two languages, each of
// which others speak too: an offer that names both would be about him, however many
// speak one of them, and so would one that was prepared while there were three.
func TestLanguagesTogether(tt *testing.T) {
	t := newTown(tt)
	t.must(t.Federate(t.Context(), t.admin))
	speaks := func(languages string) node.VolunteerID {
		t.Helper()
		r, err := t.Volunteers.Register(t.Context(), t.admin, node.Readiness{Commune: t.home, RadiusKm: 15, Car: true},
			node.VolunteerWords{First: secret("Emine"), Last: secret("Exemplaire"), Phones: []node.Phone{{Number: secret("06 39 98 11 22")}}, Languages: secret(languages)})
		t.must(err)
		for i, to := range []node.Status{node.Met, node.Approved} {
			_, err := t.Volunteers.Step(t.Context(), t.admin, r.ID, uint32(i+1), to, 0)
			t.must(err)
		}
		return r.ID
	}
	offer := func(languages public.Languages) (node.Receipt, error) {
		in := capacity(t.today(), 2)
		in.Languages = languages
		return t.Across.Prepare(t.Context(), t.admin, in)
	}
	for _, noted := range []string{"Turc et arabe", "turc", "français, turc", "arabe", "arabe, anglais", ""} {
		speaks(noted)
	}
	for _, one := range []public.Languages{public.Turkish, public.Arabic, public.French | public.Turkish} {
		_, err := offer(one)
		t.must(err)
	}
	_, err := offer(public.Turkish | public.Arabic)
	t.refused("cross-offer-language", err)
	second := speaks("arabe, turc")
	_, err = offer(public.French | public.Turkish | public.Arabic)
	t.refused("cross-offer-language", err)
	speaks("turc, espagnol, arabe")
	both, err := offer(public.Turkish | public.Arabic)
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, second, 3, node.Suspended, 0)
	t.must(err)
	_, err = t.Across.Publish(t.Context(), t.admin, both.ID, both.Version)
	t.refused("cross-offer-language", err)
	if said, _ := t.Said(); len(said) != 0 {
		t.Errorf("%d entries have left", len(said))
	}
}
