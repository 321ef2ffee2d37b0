package web_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestMainJob plays the whole of it in a real browser: somebody phones, the agent
// finds her and records the request, a volunteer takes it on a phone, she is told,
// it happens, it is counted.
func TestMainJob(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	town.volunteer("Paul", "Exemplaire", "voisin")

	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.sees("Qui appelle ?")

	// As heard on the phone, while typing.
	desk.run(chromedp.SendKeys("input[type=search]", "lafo"))
	desk.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	desk.sees("De quoi a-t-elle besoin ?")
	desk.sees("laisser sonner longtemps")
	desk.press("//label[contains(.,'Courses')]/input")
	desk.press("//label[contains(.,'Mercredi matin')]/input")
	desk.run(chromedp.SendKeys("#note", "pain et lait"))
	desk.press("//button[text()='Enregistrer la demande']")
	desk.sees("La demande est enregistrée.")
	desk.sees("À qui demander ?")
	desk.press("//button[text()='Poser la question']")
	desk.sees("attend sa réponse")

	// The volunteer, phone in hand: before he accepts he knows no name.
	phone := town.open(browser, 430)
	phone.signIn("voisin")
	phone.sees("On vous demande")
	phone.sees("Mercredi 25 novembre, le matin")
	phone.seesNot("Laforêt")
	phone.seesNot("rue des Exemples")
	phone.press("//button[text()='Je viens']")
	phone.sees("Merci, nous comptons sur vous.")
	phone.sees("12 rue des Exemples")
	phone.sees("05 36 49 12 07")
	phone.sees("tilleul")

	// She is told by phone.
	desk.visit("/calls")
	desk.sees("Paul (Clio bleue) vient mercredi 25 novembre à 10 h")
	desk.press("//button[text()='Prévenue']")
	desk.sees("Elle est au courant.")
	desk.sees("Tout le monde est au courant.")
	phone.visit("/me")
	phone.sees("Elle est prévenue")

	// It happens, and is counted.
	town.wait(2*24*time.Hour + 3*time.Hour)
	phone.visit("/me")
	phone.press("//summary[contains(.,'Ajouter la durée')]")
	phone.run(chromedp.SendKeys("//input[@name='km']", "4,5"), chromedp.SendKeys("//input[@name='word']", "Un bon moment"))
	phone.press("//button[text()='C’est fait']")
	phone.sees("Merci ! C’est noté et compté.")

	desk.signIn("accueil") // a working day has passed
	desk.visit("/figures")
	desk.sees("Pas encore assez de chiffres")
	desk.sees("4 km")
	desk.visit("/requests?state=done")
	desk.press("//a[contains(.,'Courses')]")
	desk.sees("Un bon moment")
	desk.sees("pain et lait")
}

// TestWithoutScript does the desk's part of the main job with script switched off.
func TestWithoutScript(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	town.volunteer("Paul", "Exemplaire", "")

	desk := town.open(browser, 1360)
	desk.run(emulation.SetScriptExecutionDisabled(true))
	desk.signIn("accueil")
	desk.run(chromedp.SendKeys("input[type=search]", "1207"))
	desk.press("//button[text()='Chercher']")
	desk.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	desk.press("//label[contains(.,'Accompagnement')]/input")
	desk.press("//label[contains(.,'Mercredi après-midi')]/input")
	desk.press("//button[text()='Enregistrer la demande']")
	desk.run(chromedp.WaitVisible("//h2[text()='À qui demander ?']"))
	// Paul has no account: the agent phones him and notes his yes.
	desk.press("//summary[contains(.,'Sa réponse : Paul')]")
	desk.press("//button[text()='Paul vient']")
	desk.run(chromedp.WaitVisible("//button[text()='Prévenue']"))
	desk.press("//button[text()='Prévenue']")
	desk.run(chromedp.WaitVisible("//p[contains(@class,'flash')][contains(.,'au courant')]"))
	var here string
	desk.run(chromedp.Location(&here))
	town.wait(2*24*time.Hour + 7*time.Hour)
	desk.signIn("accueil")
	desk.run(chromedp.Navigate(here))
	desk.run(chromedp.WaitVisible("//button[text()='C’est fait']"))
	desk.press("//button[text()='C’est fait']")
	desk.run(chromedp.WaitVisible("//p[contains(@class,'flash')][contains(.,'compté')]"))
}

// TestNothingTypedIsLost sends a form with a mistake and finds everything that was
// typed, and a sentence that says what to do.
func TestNothingTypedIsLost(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.visit("/people/new")
	desk.run(
		chromedp.SendKeys("#last_name", "Exemplard"), chromedp.SendKeys("#phone0", "05 36"),
		chromedp.SetValue("#commune", "33352"), chromedp.SendKeys("#needs", "entend mal"))
	desk.press("//button[text()='Enregistrer']")
	desk.sees("Ce numéro ne se lit pas")
	var last, needs string
	desk.run(chromedp.Value("#last_name", &last), chromedp.Value("#needs", &needs))
	if last != "Exemplard" || needs != "entend mal" {
		t.Errorf("kept %q and %q", last, needs)
	}
	desk.run(chromedp.SetValue("#phone0", "05 36 49 30 18"))
	desk.press("//button[text()='Enregistrer']")
	desk.sees("La personne est inscrite.")
}

// TestPagesAreAccessible runs axe over every page, wide and on a narrow phone,
// where nothing may be wider than the screen, and there in English too.
func TestPagesAreAccessible(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	town.volunteer("Jeanne", "Exemplaire", "")
	requests := town.requests(her, him)
	town.elected("elu1")
	town.overseer("dpo1")
	unasked := town.beneficiary("Mme", "Sans", "Demande", "05 36 49 12 08").String()
	town.past(her, him, "Lecture", 20, 30)
	pages := []string{
		"/desk", "/desk/" + her.String(), "/calls", "/requests", "/requests?state=covered", "/people", "/people/new", "/people/" + her.String(),
		"/people/" + her.String() + "/edit", "/people/" + her.String() + "/past", "/volunteers", "/volunteers/new", "/volunteers/" + him.String(),
		"/volunteers/" + him.String() + "/edit", "/figures", "/figures?year=all", "/figures?commune=33352", "/catalogue", "/catalogue?edit=" + town.kinds["Courses"].String(), "/settings", "/settings/imports", "/sources", "/nowhere",
	}
	pages = append(pages, town.waitingImport())
	// In every state these are in TestBackstageIsAccessible.
	pages = append(pages, "/ledger", "/federation", "/replicas", "/backups", "/erasures", "/people/"+her.String()+"/erase", "/volunteers/"+him.String()+"/erase")
	for _, r := range requests {
		pages = append(pages, "/requests/"+r.String())
	}
	pages = append(pages, "/requests/"+requests[0].String()+"/edit", "/requests/"+requests[0].String()+"/across")
	again := town.weekly(her, him).String()
	pages = append(pages, "/people/"+her.String()+"/again", "/series", "/series?ended=1", "/series/"+again, "/series/"+again+"/edit")
	for _, c := range []struct {
		width int64
		lang  string
	}{{1360, "fr"}, {320, "fr"}, {320, "en"}} {
		public := town.open(browser, c.width)
		public.visit("/")
		public.speak(c.lang)
		public.check("/")
		desk := town.open(browser, c.width)
		desk.signIn("admin")
		desk.speak(c.lang)
		for _, page := range pages {
			desk.check(page)
		}
		council := town.open(browser, c.width)
		council.signIn("elu1")
		council.speak(c.lang)
		for _, page := range []string{"/figures", "/figures?commune=33187"} {
			council.check(page)
		}
		asked := town.open(browser, c.width)
		asked.signIn("accueil")
		asked.speak(c.lang)
		asked.check("/people/" + unasked) // why it is opened
		overseer := town.open(browser, c.width)
		overseer.signIn("dpo1")
		overseer.speak(c.lang)
		for _, page := range []string{"/dpo/journal", "/dpo/journal?check=1", "/dpo/journal?person=" + her.String(), "/dpo/journal/digest", "/people/" + her.String() + "/readers"} {
			overseer.check(page)
		}
		phone := town.open(browser, c.width)
		phone.signIn("voisin")
		phone.speak(c.lang)
		for _, page := range []string{"/me", "/me/" + requests[0].String() + "/accept", "/me/availability"} {
			phone.check(page)
		}
	}
}

func (s *screen) check(page string) {
	s.Helper()
	s.visit(page)
	for _, v := range s.axe() {
		s.Errorf("%s: %s", page, v)
	}
	if px := s.overflow(); px > 0 {
		s.Errorf("%s in %s: %d px wider than the screen", page, s.lang, px)
	}
	var lang string
	if s.run(chromedp.Evaluate(`document.documentElement.lang`, &lang)); lang != s.lang {
		s.Errorf("%s: speaks %q, not %q", page, lang, s.lang)
	}
}
