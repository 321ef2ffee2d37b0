package web_test

import (
	"testing"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/chromedp/chromedp"
)

// TestNewsWaits: what others do reaches an open desk as a number behind a button;
// no row moves and nothing typed is touched before somebody asks.
func TestNewsWaits(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.run(chromedp.SendKeys("input[type=search]", "laf"))
	desk.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	desk.run(chromedp.WaitVisible("#note"), chromedp.SendKeys("#note", "deux packs"))
	_, err := town.node.Requests.Open(t.Context(), town.admin, node.NewRequest{Beneficiary: her, Type: town.kinds["Promenade"], Wish: node.Wish{Kind: node.Flexible}})
	town.must(err) // a colleague
	desk.sees("1 nouveauté")
	var v string
	if desk.run(chromedp.Value("#note", &v)); v != "deux packs" {
		t.Errorf("the note reads %q", v)
	}
	desk.press("//button[contains(.,'nouveauté')]")
	desk.run(chromedp.WaitNotPresent("//button[contains(.,'nouveauté')]"))
	if desk.run(chromedp.Value("#note", &v)); v != "deux packs" {
		t.Errorf("after the news the note reads %q", v)
	}
	desk.run(chromedp.WaitVisible("//aside//a[contains(.,'Promenade')]"))
}

// TestSessionEndsMidSentence: a form that is sent after the session has ended
// comes back after signing in, and is recorded once.
func TestSessionEndsMidSentence(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.run(chromedp.SendKeys("input[type=search]", "laf"))
	desk.press("//a[contains(@class,'hit')][contains(.,'Laforêt')]")
	desk.press("//label[contains(.,'Courses')]/input")
	desk.press("//label[contains(.,'Cette semaine')]/input")
	desk.run(chromedp.SendKeys("#note", "deux packs d’eau"))
	town.wait(3 * 24 * time.Hour)
	desk.press("//button[text()='Enregistrer la demande']")
	desk.sees("ce que vous avez écrit est gardé")
	desk.run(chromedp.SendKeys("#login", "accueil"), chromedp.SendKeys("#password", "faux"))
	desk.press("//button[text()='Entrer']") // mistyped: still nothing lost
	desk.sees("ne va pas")
	desk.run(chromedp.SendKeys("#password", password))
	desk.press("//button[text()='Entrer']")
	desk.sees("Vous revoilà")
	desk.press("//button[contains(.,'Reprendre')]")
	desk.sees("La demande est enregistrée")
	desk.sees("deux packs d’eau")
}
