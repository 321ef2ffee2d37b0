package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// read gives the status and the text of a page as HTML.
func (r *handset) read(path string) (int, string) {
	r.Helper()
	res, err := r.Get(r.url + path)
	r.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	r.must(err)
	return res.StatusCode, string(b)
}

// says checks which texts a page says and which it does not.
func (r *handset) says(path string, these, butNot []string) {
	r.Helper()
	status, html := r.read(path)
	text := strings.Join(strings.Fields(strings.ReplaceAll(tags.ReplaceAllString(html, " "), "\u00a0", " ")), " ")
	if status != http.StatusOK {
		r.Fatalf("%s answers %d", path, status)
	}
	for _, want := range these {
		if !strings.Contains(text, want) {
			r.Errorf("%s does not say %q:\n%s", path, want, text)
		}
	}
	for _, no := range butNot {
		if strings.Contains(text, no) {
			r.Errorf("%s says %q:\n%s", path, no, text)
		}
	}
}

// promise makes a visit that he has accepted and she may know of or not.
func (t *town) promise(her node.BeneficiaryID, kind string, day node.Day, minute uint16, told bool, him ...node.VolunteerID) node.RequestID {
	t.Helper()
	ctx := context.Background()
	r, err := t.node.Requests.Open(ctx, t.admin, node.NewRequest{
		Beneficiary: her, Type: t.kinds[kind], Wish: node.Wish{Kind: node.OnDay, Day: day, Minute: minute}, Ask: him, Seats: uint8(len(him)), Exception: crypto.NewSecret("ils se connaissent"),
	})
	t.must(err)
	id := node.RequestID(r.ID)
	for _, v := range him {
		r, err = t.node.Requests.Accept(ctx, t.admin, id, v, node.Slot{})
		t.must(err)
	}
	if told {
		_, err = t.node.Calls.Told(ctx, t.admin, her, []node.Heard{{Request: id, Version: r.Version}})
		t.must(err)
	}
	return id
}

// speak sets the language of her papers.
func (t *town) speak(her node.BeneficiaryID, p node.Paper) {
	t.Helper()
	b, err := t.node.Beneficiaries.Get(t.admin, her)
	t.must(err)
	b.Words.Paper = p
	_, err = t.node.Beneficiaries.Change(context.Background(), t.admin, her, b.Version, node.BeneficiaryFacts{Commune: b.Commune, State: b.State, Basis: b.Enrolled.Basis, Notice: b.Enrolled.Notice}, b.Words)
	t.must(err)
}

// TestCalendar: her calendar says what is promised in her language, whatever the
// desk reads, and marks on the screen what she has not heard yet.
func TestCalendar(tt *testing.T) {
	t := newTown(tt)
	t.agent("accueil")
	her, other := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.beneficiary("M.", "Jean", "Exemplard", "05 36 49 12 08")
	paul, jeanne := t.volunteer("Paul", "Exemplaire", "voisin"), t.volunteer("Jeanne", "Exemplaire", "")
	today := node.DayOf(t.clock())
	t.promise(her, "Courses", today+1, 600, true, paul)
	t.promise(other, "Visite", today+2, 600, true, jeanne)
	desk := t.handset("accueil")
	calendar := "/people/" + her.String() + "/calendar"
	desk.says(calendar,
		[]string{"Vos visites", "Mme Exemple Laforêt", "Mardi 24 novembre 10 h Courses avec Paul, voiture : Clio bleue", "jusqu’au 20 décembre", "Mot de confiance : tilleul", "05 36 49 00 00", "Entraide chez nous"},
		[]string{"Exemplaire", "Jeanne", "avant de poster", "demain", "rue des Exemples"})

	t.promise(her, "Promenade", today+8, 870, false, paul, jeanne)
	t.speak(her, node.InEnglish)
	desk.says(calendar,
		[]string{"Your visits", "Tuesday 24 November 10 am Shopping with Paul, car: Clio bleue", "Tuesday 1 December 2:30 pm Walk with Paul (car: Clio bleue) and Jeanne (car: Clio bleue)", "Trust word: tilleul", "to be told before this is posted", "If anything changes, call:"},
		[]string{"novembre", "appelez", "Vos visites"})
	if _, html := desk.read(calendar); !strings.Contains(html, `<html lang="en">`) {
		t.Error("the page does not say that it is in English")
	}
	desk.says("/desk/monday", []string{"La semaine du 23 novembre"}, []string{"Week of"}) // the agent's, not hers

	t.speak(her, node.InFrench)
	desk.says(calendar, []string{"Mardi 1er décembre 14 h 30 Promenade avec Paul (voiture : Clio bleue) et Jeanne (voiture : Clio bleue)", "à lui dire avant de poster"}, nil)
	desk.says("/people/"+other.String()+"/edit", []string{"Ses papiers en français anglais"}, nil)

	// Nobody comes: the paper is of use all the same.
	nobody := t.beneficiary("M.", "Michel", "Exempleux", "05 36 49 12 09")
	desk.says("/people/"+nobody.String()+"/calendar", []string{"Pas de visite prévue", "05 36 49 00 00", "Notes"}, nil)
	now, err := t.node.Settings.Territory()
	t.must(err)
	now.Phone = ""
	_, err = t.node.Settings.Change(context.Background(), t.admin, now.Version, now)
	t.must(err)
	desk.says(calendar, []string{"Votre service n’a pas de numéro", "Téléphone :"}, nil)
	if _, html := desk.read(calendar); strings.Contains(html, `class="qr"`) {
		t.Error("a code stands where there is no number")
	}
}

// TestWeek: a volunteer's paper holds his visits and nobody else's.
func TestWeek(tt *testing.T) {
	t := newTown(tt)
	t.agent("accueil")
	her, other := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.beneficiary("M.", "Jean", "Exemplard", "05 36 49 12 08")
	paul, jeanne := t.volunteer("Paul", "Exemplaire", "voisin"), t.volunteer("Jeanne", "Exemplaire", "voisine")
	today := node.DayOf(t.clock())
	t.promise(her, "Courses", today+1, 600, true, paul)
	t.promise(other, "Visite", today+9, 600, false, paul, jeanne)
	t.promise(her, "Lecture", today+3, 600, true, jeanne)

	his := []string{"Mardi 24 novembre 10 h Mme Exemple Laforêt 05 36 49 12 07", "12 rue des Exemples, La Réole · 2e sonnette", "Courses", "tilleul", "Mercredi 2 décembre", "M. Jean Exemplard", "Avec Jeanne, 06 39 98 11 22", "Vous ne pouvez pas venir ? Appelez : 05 36 49 00 00"}
	desk, voisin, voisine := t.handset("accueil"), t.handset("voisin"), t.handset("voisine")
	desk.says("/volunteers/"+paul.String()+"/week", his, []string{"Lecture"})
	voisin.says("/me/week", his, []string{"Lecture"})
	voisine.says("/me/week", []string{"Lecture", "Jeudi 26 novembre"}, []string{"Courses"})
	for _, path := range []string{"/people/" + her.String() + "/calendar", "/volunteers/" + paul.String() + "/week", "/volunteers/" + jeanne.String() + "/week", "/desk/monday"} {
		if status, html := voisin.read(path); status != http.StatusForbidden || strings.Contains(html, "Laforêt") {
			t.Errorf("a volunteer reads %s: %d", path, status)
		}
		stranger := &handset{town: t}
		if status, html := stranger.read(path); status != http.StatusUnauthorized || strings.Contains(html, "Laforêt") {
			t.Errorf("a stranger reads %s: %d", path, status)
		}
	}
	if status, _ := desk.read("/me/week"); status != http.StatusForbidden {
		t.Errorf("the desk has a week of its own: %d", status)
	}
}

// TestPaperLanguageByForm: the desk chooses the language of somebody's papers.
func TestPaperLanguageByForm(tt *testing.T) {
	t := newTown(tt)
	t.agent("accueil")
	her, him := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.volunteer("Paul", "Exemplaire", "")
	desk := t.handset("accueil")
	v, err := t.node.Volunteers.Get(t.admin, him)
	t.must(err)
	for path, form := range map[string]url.Values{
		"/people/" + her.String():     {"version": {"1"}, "last_name": {"Laforêt"}, "phone": {"05 36 49 12 07"}, "commune": {"33352"}, "basis": {"1"}, "paper": {"en"}},
		"/volunteers/" + him.String(): {"version": {fmt.Sprint(v.Version)}, "last_name": {"Exemplaire"}, "phone": {"06 39 98 11 22"}, "commune": {"33352"}, "paper": {"en"}},
	} {
		res, err := desk.PostForm(t.url+path, form)
		t.must(err)
		res.Body.Close()
		if _, html := desk.read(path + "/edit"); !strings.Contains(html, `<option value="en" selected>`) {
			t.Errorf("%s/edit does not show the language that was chosen", path)
		}
	}
	desk.says("/people/"+her.String()+"/calendar", []string{"Your visits"}, nil)
	desk.says("/volunteers/"+him.String()+"/week", []string{"Your visits", "You cannot come?"}, nil)
}

// TestMonday: the desk's week on paper.
func TestMonday(tt *testing.T) {
	t := newTown(tt)
	t.agent("accueil")
	desk := t.handset("accueil")
	desk.says("/desk/monday", []string{"Rien de prévu cette semaine."}, []string{"À trouver", "À rappeler", "À remercier"})
	her := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	paul := t.volunteer("Paul", "Exemplaire", "")
	t.requests(her, paul)
	_, err := t.node.Volunteers.Register(context.Background(), t.admin, node.Readiness{Commune: "33352"}, node.VolunteerWords{First: crypto.NewSecret("Nina"), Last: crypto.NewSecret("Exemplette"), Phones: []node.Phone{{Number: crypto.NewSecret("06 39 98 11 33")}}})
	t.must(err)
	desk.says("/desk/monday", []string{
		"Lundi 23 novembre 11 h 30 Mme Exemple Laforêt , La Réole Courses avec Paul · à prévenir", "14 h Mme Exemple Laforêt , La Réole Courses avec Paul · prévenue",
		"À trouver Mme Exemple Laforêt , La Réole Courses, la semaine du 23 novembre", "À rappeler Mme Exemple Laforêt 05 36 49 12 07", "À remercier Paul Exemplaire 06 39 98 11 22 · 1 visite", "À rencontrer Nina Exemplette , La Réole 06 39 98 11 33",
	}, []string{"aujourd’hui", "demain"})
}

// TestPaperIsLegible measures the papers as a browser prints them: 18 pt at
// least, 24 pt for day, hour and number, nothing larger than the number to call.
func TestPaperIsLegible(tt *testing.T) {
	browser := chromium(tt)
	t := newTown(tt)
	her, long := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.beneficiary("Mme", "Marie-Antoinette", "de La Rochefoucauld-Beauvilliers", "05 36 49 12 08")
	nobody := t.beneficiary("M.", "Jean", "Exemplard", "05 36 49 12 09")
	paul, jeanne := t.volunteer("Paul", "Exemplaire", ""), t.volunteer("Jeanne-Françoise", "Exemplaire", "")
	today := node.DayOf(t.clock())
	for i := range node.Day(8) {
		t.promise(her, "Courses", today+1+3*i, 600+uint16(i%2)*30, false, paul)
	}
	for i := range node.Day(6) {
		t.promise(long, "Accompagnement en voiture", today+1+2*i, 870, true, jeanne)
	}
	desk := t.open(browser, 1000)
	desk.signIn("admin")
	for _, p := range []struct {
		path  string
		pages int // at most
	}{
		{"/people/" + her.String() + "/calendar", 1}, {"/people/" + long.String() + "/calendar", 2}, {"/people/" + nobody.String() + "/calendar", 1},
		{"/volunteers/" + paul.String() + "/week", 2}, {"/volunteers/" + jeanne.String() + "/week", 3}, {"/desk/monday", 3},
	} {
		desk.visit(p.path)
		desk.run(emulation.SetEmulatedMedia().WithMedia("print"))
		var faults []string
		desk.run(chromedp.Evaluate(measure, &faults))
		for _, f := range faults {
			t.Errorf("%s: %s", p.path, f)
		}
		var hidden bool
		desk.run(chromedp.Evaluate(`document.querySelector('[data-print]').hidden`, &hidden))
		if hidden {
			t.Errorf("%s: nothing to press for printing", p.path)
		}
		var pdf []byte
		desk.run(emulation.SetEmulatedMedia(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
			pdf, _, err = page.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
			return err
		}))
		if n := len(pageOfPDF.FindAll(pdf, -1)); n == 0 || n > p.pages {
			t.Errorf("%s: %d pages, at most %d", p.path, n, p.pages)
		}
	}
}

// TestPapersAreAccessible runs axe over the papers on a screen, wide and on a
// narrow phone, in each language that somebody may hold.
func TestPapersAreAccessible(tt *testing.T) {
	browser := chromium(tt)
	t := newTown(tt)
	her := t.beneficiary("Mme", "Marie-Antoinette", "de La Rochefoucauld-Beauvilliers", "05 36 49 12 07")
	him := t.volunteer("Paul", "Exemplaire", "voisin")
	t.requests(her, him)
	for _, c := range []struct {
		width int64
		lang  string
	}{{1360, "fr"}, {320, "en"}} {
		t.speak(her, node.Paper(c.lang))
		v, err := t.node.Volunteers.Get(t.admin, him)
		t.must(err)
		v.Words.Paper = node.Paper(c.lang)
		_, err = t.node.Volunteers.Change(context.Background(), t.admin, him, v.Version, v.Offer, v.Words)
		t.must(err)
		desk := t.open(browser, c.width)
		desk.signIn("admin")
		desk.speak(c.lang)
		for _, path := range []string{"/people/" + her.String() + "/calendar", "/volunteers/" + him.String() + "/week", "/desk/monday"} {
			desk.check(path)
		}
		phone := t.open(browser, c.width)
		phone.signIn("voisin")
		phone.speak(c.lang)
		phone.check("/me/week")
	}
}

var pageOfPDF = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// measure lists what is too small to read, in CSS pixels: 24 are 18 pt.
const measure = `(() => {
	const faults = [], size = e => parseFloat(getComputedStyle(e).fontSize), number = document.querySelector('.number')
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	let largest = 0
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement
		if (!walk.currentNode.data.trim() || e.getClientRects().length === 0) continue
		if (size(e) < 24) faults.push(size(e) + ' px: ' + walk.currentNode.data)
		if (e !== number) largest = Math.max(largest, size(e))
	}
	for (const e of document.querySelectorAll('.hour, .tel, .days h2, .promised h2, .monday h2')) if (size(e) < 32) faults.push(size(e) + ' px for a day, hour or number: ' + e.textContent)
	if (!number) faults.push('no number to call')
	else if (size(number) <= largest) faults.push('the number is not the largest: ' + size(number) + ' px beside ' + largest)
	for (const e of document.querySelectorAll('.hour, .tel, .days h2, .number')) if (e.getClientRects().length && e.scrollWidth > e.parentElement.clientWidth + 1) faults.push('wider than its place: ' + e.textContent)
	if (document.querySelector('.tools').getClientRects().length) faults.push('buttons are printed')
	return faults
})()`

// TestCode reads the code on her calendar as a telephone would.
func TestCode(tt *testing.T) {
	t := newTown(tt)
	her := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	_, html := t.handset("admin").read("/people/" + her.String() + "/calendar")
	m := regexp.MustCompile(`<svg class="qr" viewBox="0 0 (\d+) (\d+)" role="img" aria-label="([^"]*)"[^>]*><path d="([^"]*)"/></svg>`).FindStringSubmatch(html)
	if m == nil {
		t.Fatal("no code on the page")
	}
	if !strings.Contains(m[3], "05 36 49 00 00") {
		t.Errorf("called %q", m[3])
	}
	var side int
	fmt.Sscan(m[1], &side)
	if m[1] != m[2] {
		t.Error("the code is not square")
	}
	code := newQR(tt, side-8, m[4])
	if got := code.text(); got != "tel:+33536490000" {
		t.Errorf("the code says %q", got)
	}
}
