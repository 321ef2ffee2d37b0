package web_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBringAWorkbook: the agent brings the town hall's workbook with a mouse,
// finds somebody of it on the desk, and takes it all back.
func TestBringAWorkbook(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	path := filepath.Join(t.TempDir(), "registre.xlsx")
	town.must(os.WriteFile(path, register(t), 0o600))
	s := town.open(browser, 1360)
	s.signIn("accueil")
	s.visit("/settings/imports")
	s.run(chromedp.SetUploadFiles("input[type=file]", []string{path}, chromedp.ByQuery))
	s.press("//label[contains(.,'Elles l’ont demandé')]/input")
	s.press("//button[contains(.,'Voir ce que cela donnerait')]")
	s.sees("peuvent entrer")
	s.sees("Feuille lue")
	s.press("//button[contains(.,'Importer')][contains(.,'personne')]")
	s.run(chromedp.WaitVisible("//button[text()='Annuler cet import']"))
	s.visit("/desk")
	s.run(chromedp.SendKeys("input[type=search]", "exemplard"))
	s.run(chromedp.WaitVisible("//a[contains(@class,'hit')][contains(.,'Exemplard')]"))
	s.visit("/settings/imports")
	s.press("//button[text()='Annuler cet import']")
	s.sees("annulé")
	s.visit("/desk")
	s.run(chromedp.SendKeys("input[type=search]", "exemplard"))
	s.sees("Personne de ce nom")
}
