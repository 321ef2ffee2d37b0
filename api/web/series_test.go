package web_test

import (
	"testing"

	"github.com/bippop/bippop/node"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestEveryWeek notes once what comes again, without script: the visits are
// there, a day is left out, the hour is changed, and it ends.
func TestEveryWeek(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	town.volunteer("Paul", "Exemplaire", "")

	desk := town.open(browser, 1360)
	desk.run(emulation.SetScriptExecutionDisabled(true))
	shows := func(what string) {
		t.Helper()
		desk.run(chromedp.WaitVisible("//*[contains(normalize-space(translate(., '\u00a0', ' ')), \"" + what + "\")]"))
	}
	desk.signIn("accueil")
	desk.visit("/desk/" + her.String())
	desk.press("//a[text()='Toutes les semaines']")
	desk.press("//label[contains(.,'Courses')]/input")
	desk.press("//label[contains(.,'Vendredi')]/input")
	desk.press("//label[contains(.,'À une heure précise')]/input")
	desk.run(chromedp.SendKeys("#hour", "25 h"), chromedp.SendKeys("#note", "pain et lait"))
	desk.press("//button[text()='Enregistrer']")
	shows("Cette heure ne se lit pas")
	var note string
	if desk.run(chromedp.Value("#note", &note)); note != "pain et lait" {
		t.Errorf("kept %q", note)
	}
	desk.run(chromedp.SetValue("#hour", "10 h 30"), chromedp.SendKeys("#volunteer", "Paul"))
	desk.press("//button[text()='Enregistrer']")
	shows("Les premières visites sont prêtes")
	shows("Courses, tous les vendredis à 10 h 30")
	shows("férié : Noël")
	shows("férié : jour de l’An")
	shows("avec Paul Exemplaire")

	// The first visit says where it comes from, and she knows of it already.
	desk.press("(//section[@aria-labelledby='next']//a)[1]")
	shows("pain et lait")
	desk.press("//a[text()='Cette visite revient régulièrement']")
	desk.press("(//summary[contains(.,'Pas ce jour-là')])[2]")
	desk.press("(//button[contains(.,'À sa demande')])[2]")
	shows("Prévenez aussi le bénévole")
	shows("pas ce jour-là")

	desk.press("//a[text()='Changer']")
	shows("Les visites déjà prévues suivent")
	desk.run(chromedp.SetValue("#hour", "14:00"))
	desk.press("//button[text()='Enregistrer']")
	shows("tous les vendredis à 14 h")
	desk.visit("/people/" + her.String())
	shows("Courses, tous les vendredis à 14 h")
	desk.visit("/calls")
	shows("Tout le monde est au courant.")

	desk.visit("/series")
	desk.press("//a[contains(.,'tous les vendredis')]")
	desk.press("//summary[text()='Mettre en pause']")
	desk.press("//details[@open]//label[contains(.,'De notre fait')]/input")
	desk.press("//button[text()='Mettre en pause']")
	shows("C’est en pause")
	desk.visit("/calls")
	shows("Exemple Laforêt")
	desk.visit("/series")
	desk.press("//a[contains(.,'tous les vendredis')]")
	desk.press("//button[text()='Reprendre']")
	shows("reparti")
	desk.press("//summary[contains(.,'mettre fin')]")
	desk.press("//details[@open]//label[contains(.,'À sa demande')]/input")
	desk.press("//button[text()='Mettre fin']")
	shows("C’est terminé")
	all, _, err := town.node.Series.List(town.admin, true, node.Page{})
	if err != nil || len(all) != 1 || all[0].State != node.SeriesEnded {
		t.Errorf("%+v, %v", all, err)
	}
}
