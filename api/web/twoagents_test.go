package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
)

// TestTwoAgentsOnOneDossier: the second is shown what the first has changed, with
// the own text beside it; nothing is overwritten unseen.
func TestTwoAgentsOnOneDossier(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	first, second := town.handset("accueil"), town.handset("admin")
	path := "/people/" + her.String()
	form := func(version, needs string) url.Values {
		return url.Values{"version": {version}, "last_name": {"Laforêt"}, "first_name": {"Exemple"}, "civility": {"Mme"}, "phone": {"05 36 49 12 07"}, "commune": {"33352"}, "basis": {"1"}, "needs": {needs}}
	}
	needs := func() string {
		t.Helper()
		b, err := town.node.Beneficiaries.Get(town.admin, her)
		town.must(err)
		return b.Words.Needs.Reveal()
	}
	first.post(path, form("1", "entend mal à gauche"), 200)
	page := second.post(path, form("1", "marche avec une canne"), 409)
	for _, want := range []string{"Quelqu’un a changé ceci entre-temps", "Ce qui est écrit maintenant", "entend mal à gauche", "marche avec une canne", `name="version" value="2"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the second does not see %q", want)
		}
	}
	if needs() != "entend mal à gauche" {
		t.Fatalf("overwritten unseen: %q", needs())
	}
	second.post(path, form("2", "entend mal à gauche, marche avec une canne"), 200)
	if needs() != "entend mal à gauche, marche avec une canne" {
		t.Errorf("after a second look it reads %q", needs())
	}

	// The same press twice, and the back button: one request.
	r := func() int {
		visits, _, err := town.node.Requests.OfPerson(town.admin, her, node.Page{})
		town.must(err)
		return len(visits)
	}
	ask := url.Values{"key": {"une seule fois"}, "type": {town.kinds["Courses"].String()}, "when": {"week"}}
	for range 3 {
		first.post("/desk/"+her.String(), ask, 200)
	}
	if r() != 1 {
		t.Errorf("%d requests of one form", r())
	}
}
