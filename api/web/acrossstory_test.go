package web_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// TestAcrossBorders plays a nation's day in real browsers, on three real nodes that
// only ever call the hub: a quarter's figures reach the coordinator, one territory
// helps another, a bulletin reaches both, and a data protection officer reads all that
// has left, checks it with the command that the page gives him, and is told the place
// when one bit of his copy is turned.
func TestAcrossBorders(t *testing.T) {
	browser := chromium(t)
	u := newUnion(t)
	reole := u.territory(node.Territory{Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide du Réolais", Phone: "05 36 49 00 00", Communes: []string{"33352", "33187"}}, "accueil@reole.example")
	targon := u.territory(node.Territory{Siren: "200069599", Name: "CC Rurales de l’Entre-Deux-Mers", Calls: "Entraide de Targon", Phone: "05 36 49 11 11", Communes: []string{"33289"}}, "accueil@targon.example")
	for _, s := range []*town{reole, targon} {
		s.agent("accueil")
		s.dpo("dpo")
	}
	targon.beneficiary("Mme", "Exemple", "Castaing", "05 36 49 12 07")
	for login, first := range map[string]string{"bernard": "Bernard", "": "Denise", "lucien": "Lucien", "odette": "Odette", "paul": "Paul"} {
		him := reole.volunteer(first, "Exemplaire", login)
		for n := range 6 { // whom he has seen every day for six days
			reole.past(reole.beneficiary("Mme", "Exemple", fmt.Sprint("Laforêt ", first, n), "05 36 49 30 18"), him, "Courses", 5+3*n, 6)
		}
	}

	// Nothing has been said yet; then the quarter is over.
	nadia := u.centre.open(browser, 1360)
	nadia.signIn("nation")
	nadia.finds("/nation/coverage", "2 territoires qui n’ont encore rien publié")
	nadia.visit("/nation")
	nadia.sees("Pas encore assez de chiffres pour une nation.")
	u.wait(12 * 7 * 24 * time.Hour) // Monday, 15 February 2027: the quarter’s figures are all expected
	nadia.signIn("nation")
	nadia.finds("/nation/coverage", "2 territoires sur 2 ont publié le 4e trimestre 2026")
	nadia.finds("/nation", "2 territoires")
	if interval := regexp.MustCompile(`(?i)(entre|de) \d[\d ]* (et|à) \d|au plus \d`); !interval.MatchString(nadia.text()) { // as the noise fell
		t.Errorf("no total is said as an interval:\n%s", nadia.text())
	}

	// Somebody in La Réole has time for the neighbours. He is asked first.
	victoria := reole.open(browser, 1360)
	victoria.signIn("accueil")
	victoria.visit("/across/new")
	victoria.run(chromedp.SetValue("#category", victoria.option("#category", "Courses")), chromedp.SetValue("#slots", "2"))
	victoria.press("//label[contains(.,'Bernard')]")
	victoria.press("//button[text()='Préparer']")
	victoria.sees("Chaque bénévole nommé dit oui d’abord")
	phone := reole.open(browser, 390)
	phone.signIn("bernard")
	phone.sees("Aideriez-vous aussi à côté ?")
	phone.press("//button[text()='Oui, volontiers']")
	phone.sees("Vous aidez aussi les voisins")
	victoria.visit("/across")
	victoria.press("//button[text()='Envoyer aux voisins']")
	victoria.sees("Proposée")

	// In Targon nobody is free: the agent sees the neighbour's offer where she needs it.
	desk := targon.open(browser, 1360)
	desk.signIn("accueil")
	desk.run(chromedp.SendKeys("input[type=search]", "casta"))
	desk.press("//a[contains(@class,'hit')][contains(.,'Castaing')]")
	desk.press("//label[contains(.,'Courses')]/input")
	desk.press("//label[contains(.,'Mercredi matin')]/input")
	desk.press("//button[text()='Enregistrer la demande']")
	desk.sees("La demande est enregistrée.")
	request := desk.here()
	desk.finds(request, "Chez les voisins")
	desk.sees("CC du Réolais en Sud Gironde")
	desk.seesNot("Bernard")
	desk.press("//button[starts-with(.,'Demander')][contains(.,'Réolais')]")
	desk.sees("Demandé à CC du Réolais")

	// La Réole says yes, Targon counts on it, and each learns whom to speak to.
	victoria.finds("/across", "CC Rurales de l’Entre-Deux-Mers aimerait votre aide")
	victoria.seesNot("Castaing")
	victoria.press("//button[text()='Oui, nous venons']")
	victoria.sees("Accepté")
	desk.finds(request, "CC du Réolais en Sud Gironde a dit oui")
	desk.press("//button[text()='C’est entendu']")
	desk.sees("Un bénévole de CC du Réolais en Sud Gironde appelle votre bureau")
	desk.sees("05 36 49 00 00")
	desk.sees("accueil@reole.example")
	phone.finds("/me", "Un bureau voisin attend votre appel")
	phone.sees("05 36 49 11 11")
	phone.sees("accueil@targon.example")
	phone.seesNot("Castaing")
	phone.press("//button[text()='J’appelle']")
	phone.sees("Vous avez dit que vous appelez.")
	victoria.finds("/across", "Votre bénévole sait qui appeler.")

	// The coordinator has something to say to everybody.
	nadia.visit("/nation/bulletins")
	nadia.run(chromedp.SendKeys("#title", "Grand froid"), chromedp.SendKeys("#text", "Dès ce soir, appelez chaque personne isolée."))
	nadia.press("//button[text()='Relire avant de publier']")
	nadia.sees("Rien n’est encore parti.")
	nadia.press("//label[contains(.,'Je publie ce bulletin')]/input")
	nadia.press("//button[text()='Publier']")
	nadia.sees("Déjà publiés")
	for _, agent := range []*screen{victoria, desk} {
		agent.finds("/bulletins", "Grand froid")
		agent.press("//a[contains(.,'Grand froid')]")
		agent.sees("Dès ce soir, appelez chaque personne isolée.")
	}

	// Those who answer for personal data read every thing that has left.
	checks := map[*screen]string{}
	for _, o := range []struct {
		at   *screen
		said []string
	}{
		{victoria, []string{"Nous sommes là", "Les chiffres du trimestre 4 de 2026", "Une offre d’aide : courses, 2 fois, en 4 semaines", "Oui à une demande de CC Rurales de l'Entre-Deux-Mers"}},
		{desk, []string{"Nous sommes là", "Les chiffres du trimestre 4 de 2026", "Intérêt pour une offre de CC du Réolais en Sud Gironde", "est prise"}},
	} {
		o.at.leave()
		o.at.enter("dpo")
		o.at.until("/ledger", "every entry is confirmed", func(page string) bool {
			return !strings.Contains(strings.ToLower(page), "pas encore confirmé") && slices.IndexFunc(o.said, func(s string) bool { return !strings.Contains(page, s) }) < 0
		})
		checks[o.at] = o.at.reads("#check + p + pre")
		entries := o.at.links("ol.lines a")
		if len(entries) < len(o.said) {
			t.Errorf("%d entries are shown", len(entries))
		}
		for _, entry := range entries {
			o.at.visit(entry)
			o.at.sees("La preuve")
			o.at.sees("hub.example")
			for _, person := range []string{"Castaing", "Bernard", "Laforêt", "Exemplaire"} {
				o.at.seesNot(person)
			}
		}
	}

	// He checks it himself, with the command that the page has given him.
	bippop := builtBippop(t)
	for at, command := range checks {
		if !strings.HasPrefix(command, "bippop dpo verify "+at.url+"/transparency/ --genesis ") {
			t.Fatalf("the page says %q", command)
		}
		copied := filepath.Join(t.TempDir(), "registre")
		page, err := bippop(append(strings.Fields(command)[1:], "--keep", copied)...)
		if err != nil || !strings.Contains(page, "RÉSULTAT : EN ORDRE.") || !strings.Contains(page, "C'est celle de l'invitation") {
			t.Errorf("%s: %v\n%s", command, err, page)
		}
		turned := turnBit(t, copied)
		page, err = bippop(append([]string{"dpo", "verify", copied}, strings.Fields(command)[4:]...)...)
		if err == nil || !strings.Contains(page, "PAS EN ORDRE") || !regexp.MustCompile(`- `+turned+`/1, message n° \d+ : `).MatchString(page) {
			t.Errorf("with a bit turned in %s: %v\n%s", turned, err, page)
		}
	}
}

// dpo opens the account of who answers for personal data.
func (t *town) dpo(login string) {
	t.Helper()
	_, err := t.node.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: login, Password: crypto.NewSecret(password), Roles: node.RoleDPO})
	t.must(err)
}

// option is the value of the choice that is called so.
func (s *screen) option(of, called string) (value string) {
	s.Helper()
	s.run(chromedp.Evaluate(fmt.Sprintf(`Array.from(document.querySelector(%s).options).find(o => o.text.trim() === %s)?.value ?? ""`, quote(of), quote(called)), &value))
	if value == "" {
		s.Fatalf("%s offers no %q", of, called)
	}
	return value
}

// here is the path of the present page.
func (s *screen) here() (path string) {
	s.run(chromedp.Evaluate(`location.pathname`, &path))
	return path
}

// reads is the text of one element.
func (s *screen) reads(selector string) (text string) {
	s.Helper()
	s.run(chromedp.Text(selector, &text, chromedp.ByQuery))
	return strings.TrimSpace(text)
}

// links are where these lead.
func (s *screen) links(selector string) (paths []string) {
	s.Helper()
	s.run(chromedp.Evaluate(`Array.from(document.querySelectorAll(`+quote(selector)+`)).map(a => a.getAttribute('href'))`, &paths))
	return paths
}

// builtBippop builds the program, and gives a way to run it: what it prints, and
// whether it is content.
func builtBippop(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bippop")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/bippop/bippop/cmd/bippop").CombinedOutput(); err != nil {
		t.Fatalf("building bippop: %v\n%s", err, out)
	}
	return func(args ...string) (string, error) {
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		return string(out), err
	}
}

// turnBit turns one in the middle of the newest entries of a ledger's copy, and gives
// the name of the feed that it is in.
func turnBit(t *testing.T, dir string) (feed string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "egress", "*", "1", "tile", "entries", "000*", "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no entries in %s: %v", dir, err)
	}
	name := slices.Max(names)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(filepath.Join(strings.Split(path, string(filepath.Separator))[:2]...))
}
