package web_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/gin-gonic/gin"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// everyWay checks pages wide, and on a narrow phone in both languages.
func (s *screen) everyWay(pages ...string) {
	s.Helper()
	for _, c := range []struct {
		width int64
		lang  string
	}{{1360, "fr"}, {320, "fr"}, {320, "en"}} {
		s.run(emulation.SetDeviceMetricsOverride(c.width, 900, 1, c.width < 600))
		s.visit(pages[0])
		s.speak(c.lang)
		for _, page := range pages {
			s.check(page)
		}
	}
}

// TestFederationIsAccessible runs axe over the pages of a federation in which
// something has been said: by members, on the roster, in the ledger, across borders.
func TestFederationIsAccessible(t *testing.T) {
	browser := chromium(t)
	u := newUnion(t)
	reole := u.territory(node.Territory{Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide du Réolais", Phone: "05 36 49 00 00", Communes: []string{"33352", "33187"}}, "accueil@reole.example")
	targon := u.territory(node.Territory{Siren: "200069599", Name: "CC Rurales de l’Entre-Deux-Mers", Calls: "Entraide de Targon", Phone: "05 36 49 11 11", Communes: []string{"33289"}}, "accueil@targon.example")
	reole.dpo("dpo")
	him := reole.volunteer("Bernard", "Exemplaire", "")
	reole.volunteer("Denise", "Exemplaire", "")
	reole.volunteer("Lucien", "Exemplaire", "")
	her := targon.beneficiary("Mme", "Exemple", "Castaing", "05 36 49 12 07")
	u.wait(12 * 7 * 24 * time.Hour)
	for _, s := range []*town{reole, targon, u.centre} {
		s.again()
	}
	offer := func(who ...node.VolunteerID) node.Receipt {
		r, err := reole.node.Across.Prepare(t.Context(), reole.admin, node.NewCrossOffer{Category: public.Shopping, Monday: node.DayOf(u.clock()), Weeks: 4, Slots: 2, Radius: public.Near, Languages: public.French, Volunteers: who})
		reole.must(err)
		return r
	}
	offer(him) // waits for his word
	open := offer()

	ledger := reole.open(browser, 1360)
	ledger.enter("dpo")
	ledger.until("/ledger", "the quarter is released and confirmed", func(page string) bool {
		return strings.Contains(page, "Les chiffres du trimestre 4 de 2026") && !strings.Contains(page, "pas encore confirmé")
	})
	_, err := reole.node.Across.Publish(t.Context(), reole.admin, open.ID, open.Version)
	reole.must(err)
	ledger.until("/ledger", "the offer is confirmed", func(page string) bool {
		return strings.Contains(page, "Une offre d’aide") && !strings.Contains(page, "pas encore confirmé")
	})
	ledger.everyWay(append(ledger.links("ol.lines a")[:3], "/ledger")...) // the offer, the month's sign of presence, the release

	r, err := targon.node.Requests.Open(t.Context(), targon.admin, node.NewRequest{Beneficiary: her, Type: targon.kinds["Courses"], Wish: node.Wish{Kind: node.InWeek, Day: node.DayOf(u.clock())}})
	targon.must(err)
	request := "/requests/" + node.RequestID(r.ID).String()
	asks := targon.open(browser, 1360)
	asks.signIn("admin")
	asks.finds(request, "Chez les voisins")
	asks.everyWay(request, "/across")
	asks.speak("fr")
	asks.visit(request)
	asks.press("//button[starts-with(.,'Demander')][contains(.,'Réolais')]")
	asks.sees("Demandé à CC du Réolais")

	gives := reole.open(browser, 1360)
	gives.signIn("admin")
	gives.finds("/across", "aimerait votre aide")
	gives.everyWay("/across", "/federation")

	centre := u.centre.open(browser, 1360)
	centre.signIn("nation")
	centre.finds("/nation/coverage", "2 territoires sur 2")
	centre.everyWay("/nation/roster")
	centre.speak("fr")
	centre.leave()
	centre.signIn("admin")
	centre.everyWay("/nation/accounts", "/ledger")
}

// again signs the administrator in anew: months have passed.
func (t *town) again() {
	t.Helper()
	var err error
	_, t.admin, err = t.node.Accounts.SignIn(t.Context(), "admin", crypto.NewSecret(password), "test", false)
	t.must(err)
}

// TestFederationScene looks at what people see once in years: a fork, and communes that
// change hands, in every state.
func TestFederationScene(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	file := func(given bool, state node.HandoverState, n byte) node.HandoverFile {
		return node.HandoverFile{Digest: node.HandoverDigest{n}, Roster: 12, Giver: "200044394", Receiver: "200069599", Given: given, People: int(n), At: ago(50 * time.Hour), State: state}
	}
	move := node.HandoverMove{Roster: 12, Day: "2026-11-20", Giver: "200044394", Receiver: "200069599", Gives: true, Current: true, Communes: []string{"33352", "33187"}, People: 13}
	taken := move
	taken.Gives, taken.Giver, taken.Receiver = false, move.Receiver, move.Giver
	move.Files = []node.HandoverFile{file(true, node.HandoverGiven, 13), file(true, node.HandoverReceived, 1), file(true, node.HandoverErasing, 2)}
	taken.Files = []node.HandoverFile{file(false, "staged", 3), file(false, "committed", 4), file(false, "confirmed", 5), file(false, "undone", 6)}
	key := "bippop/200044394/0190a6f2-7c00-7000-8000-000000000001+f80cff09+AeyWX2KkbbJwqbvJXP/1LQR0H+CURC/+hkb4RDXwcsMw"
	e := gin.New()
	path := web.New(web.Config{Node: town.node, Logger: node.NewLogger(io.Discard, slog.LevelError)}).MountFederation(e, node.FederationStatus{
		Joined: ago(time.Hour), Name: "Entraide de France", Version: 12, Expires: "2027-12-28", Listed: true, Next: node.StepFrozen, Strange: 1,
		FeedStanding: node.FeedStanding{Epoch: 1, Size: 12, Settled: 11, Frozen: ago(time.Hour), Evidence: []string{key + "\n12\n", key + "\n13\n"}},
		Hubs:         []node.HubLine{{Name: "hub1.example", Operator: "Un opérateur", Reached: monday}, {Name: "hub2.example", Refusal: "no route"}},
		Machines:     []node.MachineLine{{Name: "replica-1", Peer: "12D3KooWDouMGr63z4m7jGaiLRSEebVvbQPn7SLnaB2FxfvJdVMt", Key: key, Known: true, Listed: true}, {Name: "replica-2"}, {Name: "replica-3", Known: true}},
	}, []node.HandoverMove{move, taken})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close) // after the browser, which listens for news
	town.url = server.URL
	s := town.open(browser, 1360)
	s.signIn("admin")
	s.visit(path)
	for _, want := range []string{"Plus rien ne part", "Vers CC Rurales", "De CC Rurales", "1 personne ", "13 personnes", "12 personnes seront effacées", "1 reste", "La liste nomme 1 machine"} {
		s.sees(want)
	}
	s.everyWay(path)
}
