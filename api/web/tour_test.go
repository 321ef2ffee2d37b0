package web_test

import (
	"testing"
	"time"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestFirstVisit: somebody who has never seen it does the main job from the
// demo's front page, following what the page says and nothing else.
func TestFirstVisit(t *testing.T) {
	browser := chromium(t)
	town := newTown(t, web.DemoAccount{Role: "admin", Login: "admin", Password: password}, web.DemoAccount{Role: "agent", Login: "accueil", Password: password})
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	paul := town.volunteer("Paul", "Exemplaire", "")
	_, err := town.node.Requests.RecordDone(t.Context(), town.admin, node.PastAction{
		Beneficiary: her, Type: town.kinds["Promenade"], Day: node.DayOf(monday) - 7, Volunteers: []node.VolunteerID{paul},
	})
	town.must(err)
	town.wait(time.Minute)

	s := town.open(browser, 1360)
	s.run(emulation.SetDeviceMetricsOverride(1360, 1700, 1, false)) // a press does not look under the bar
	s.visit("/")
	s.sees("Qui êtes-vous ?")
	s.press("//button[contains(.,'Je réponds au téléphone')]")
	s.sees("Un appel arrive")
	s.press("//button[text()='Décrocher']")
	s.sees("Mme Exemple Laforêt, de La Réole")
	s.sees("Tapez « lafo »")
	s.sees("0 clic")
	town.wait(time.Minute)
	s.run(chromedp.SendKeys("input[type=search]", "lafo"))
	s.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	s.press("//label[contains(.,'Courses')]/input")
	s.press("//label[contains(.,'Demain matin')]/input")
	s.sees("1 bénévole peut convenir · Paul connaît déjà")
	s.press("//button[text()='Enregistrer la demande']")
	s.sees("vous pouvez raccrocher")
	s.sees("4 clics") // person, kind, when, save
	s.press("//button[text()='Poser la question']")
	s.sees("Le téléphone de Paul vibre")
	if found := s.axe(); len(found) > 0 {
		t.Errorf("axe: %v", found)
	}
	s.press("//aside[contains(@class,'handset')]//button[text()='Je viens']")
	s.sees("Elle ne le sait pas encore")
	s.press("//button[text()='Prévenue']")
	s.sees("le chiffre du mois : 1 personne prévenue")
	s.sees("son calendrier pour le frigo")
	s.press("//button[text()='Terminer la visite']")
	s.run(chromedp.WaitNotPresent("section.tour"))
}

// TestLikeLastTimeInTwoPresses: from her page, one press more.
func TestLikeLastTimeInTwoPresses(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	her, paul := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), town.volunteer("Paul", "Exemplaire", "")
	_, err := town.node.Requests.RecordDone(t.Context(), town.admin, node.PastAction{
		Beneficiary: her, Type: town.kinds["Courses"], Day: node.DayOf(monday) - 4, Minute: 9*60 + 30, Volunteers: []node.VolunteerID{paul},
	})
	town.must(err)
	s := town.open(browser, 1360)
	s.signIn("accueil")
	s.run(chromedp.SendKeys("input[type=search]", "1207"))
	s.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	s.sees("Courses, jeudi 26 novembre, le matin, avec Paul")
	s.press("//button[contains(.,'Oui, comme la dernière fois')]")
	s.sees("la même personne est demandée en premier")
	s.sees("attend sa réponse")
	// The same again is named before it happens.
	s.run(chromedp.Navigate(town.url + "/desk/" + her.String()))
	s.press("//label[contains(.,'Courses')]/input")
	s.press("//label[contains(.,'Cette semaine')]/input")
	s.press("//button[text()='Enregistrer la demande']")
	s.sees("Elle l’a peut-être déjà demandé")
	s.press("//button[text()='C’est une autre demande, enregistrer']")
	s.sees("La demande est enregistrée")
}

// TestByKeyboardAlone does the main job without a pointer.
func TestByKeyboardAlone(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	town.volunteer("Paul", "Exemplaire", "")
	s := town.open(browser, 1360)
	s.signIn("accueil")
	s.run(chromedp.WaitVisible("input[type=search]:focus", chromedp.ByQuery), chromedp.KeyEvent("lafore"))
	s.run(chromedp.WaitVisible("#results [data-for=lafore] a.hit", chromedp.ByQuery), chromedp.KeyEvent("\r"))
	s.run(chromedp.WaitVisible("#need", chromedp.ByQuery))
	key := func(until, with string) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for time.Now().Before(deadline) {
			var there bool
			s.run(chromedp.Evaluate("document.activeElement.matches("+quote(until)+")", &there))
			if there {
				return
			}
			s.run(chromedp.KeyEvent(with))
		}
		t.Fatalf("no key leads to %s", until)
	}
	key("input[name=type]", "\t")
	s.run(chromedp.KeyEvent(kb.ArrowRight)) // Courses, after Visite
	key("input[name=when]", "\t")
	s.run(chromedp.KeyEvent(" "))
	key("#note", "\t")
	s.run(chromedp.KeyEvent("\r"))
	s.sees("La demande est enregistrée")
	key("button[form=askform]", "\t")
	s.run(chromedp.KeyEvent("\r"))
	s.sees("La question est posée")
	key("details:not([open]) > summary", "\t") // what Paul says on the telephone
	s.run(chromedp.KeyEvent("\r"))
	key("select[name=slot]", "\t")
	s.run(chromedp.KeyEvent(kb.ArrowDown))
	key("form[action$='/accept'] button", "\t")
	s.run(chromedp.KeyEvent("\r"))
	s.sees("La personne est à prévenir")
	key("button[name=result][value=told]", "\t")
	s.run(chromedp.KeyEvent("\r"))
	s.sees("Elle est au courant")
}
