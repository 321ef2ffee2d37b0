package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/bippop/bippop/node"
)

// TestRightsAreAnswered plays it in a real browser, in both languages: a citizen asks at
// the desk what is held of her, another by telephone to be erased; the data protection
// officer makes sure who asks, hands over all that is held in plain words, erases, and
// hands over the proof. Every page on the way is there for a keyboard, a reader and a
// narrow screen.
func TestRightsAreAnswered(t *testing.T) {
	browser := chromium(t)
	for _, lang := range []string{"fr", "en"} {
		t.Run(lang, func(t *testing.T) {
			town := newTown(t)
			town.agent("accueil")
			town.dpo("dpo1")
			asks := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
			leaves := town.beneficiary("Mme", "Exemple", "Castaing", "05 36 49 12 08")
			him := town.volunteer("Paul", "Exemplaire", "")
			town.requests(leaves, him)
			say := func(fr, en string) string { return map[string]string{"fr": fr, "en": en}[lang] }

			// At the desk.
			desk := town.open(browser, 1360)
			desk.signIn("accueil")
			desk.speak(lang)
			desk.visit("/people/" + asks.String())
			desk.press("//ul[@class='choices']//a") // nothing explains that the dossier is opened: she telephones
			desk.press("//a[contains(@href, '/dpo/cases/new')]")
			desk.sees(say("Une demande de Mme Exemple Laforêt", "A demand of Mme Exemple Laforêt"))
			desk.press("//input[@name='demand'][@value='1']")
			desk.press("//input[@name='asker'][@value='1']")
			desk.press(fmt.Sprintf("//main//button[text()=%q]", say("Noter la demande", "Write it down")))
			desk.sees(say("La demande est notée.", "The demand is written down."))
			desk.visit("/dpo/cases")
			desk.sees(say("Votre rôle ne permet pas cela.", "Your role does not allow this."))

			// The officer answers it.
			odile := town.open(browser, 320)
			odile.signIn("dpo1")
			odile.speak(lang)
			odile.check("/dpo")
			odile.sees(say("Une personne attend une réponse.", "One person waits for an answer."))
			odile.check("/dpo/cases")
			odile.press("//main//a[contains(@href, '/dpo/cases/') and not(contains(@href, 'new'))]")
			odile.sees("Laforêt")
			odile.check(odile.here())
			odile.press("//input[@name='check'][@value='2']")
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("C’est bien la bonne personne", "It is the right person")))
			odile.sees(say("La réponse à imprimer", "The answer, to be printed"))
			of := odile.here()
			odile.check(of)
			odile.visit(of + "/answer")
			for _, want := range []string{"Laforêt", "05 36 49 12 07", "CNIL", "Consentement"} { // in the language of her papers
				odile.sees(want)
			}
			for _, v := range odile.axe() {
				t.Errorf("the answer: %s", v)
			}
			odile.visit(of)
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("C’est fait : la réponse est remise", "Done: the answer was handed over")))
			odile.sees(say("C’est noté.", "Noted."))

			// By telephone: she wishes to be forgotten.
			odile.visit("/dpo/cases")
			odile.run(chromedp.SendKeys("#q", "Castaing"))
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("Chercher", "Find")))
			odile.press("//main//a[contains(@href, 'kind=beneficiary')]")
			odile.sees("Castaing")
			odile.check("/dpo/cases/new?kind=beneficiary&id=" + leaves.String())
			odile.press("//input[@name='demand'][@value='5']")
			odile.press("//input[@name='asker'][@value='1']")
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("Noter la demande", "Write it down")))
			odile.press("//input[@name='check'][@value='1']")
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("C’est bien la bonne personne", "It is the right person")))
			odile.sees(say("Effacer maintenant", "Erase now"))
			odile.check(odile.here())
			odile.press("//input[@name='sure']")
			odile.press(fmt.Sprintf("//main//button[text()=%q]", say("Effacer maintenant", "Erase now")))
			odile.sees(say("La fiche est illisible. La preuve est ci-dessous.", "The file is unreadable. The proof is below."))
			odile.check(odile.here())
			odile.press("//main//a[contains(@href, '/erasures/')]")
			odile.sees(node.RequestID(leaves).String())
			odile.seesNot("Castaing")
			desk.visit("/people/" + leaves.String())
			desk.seesNot("Castaing")

			for _, page := range []string{"/dpo", "/dpo/retention", "/dpo/notices", "/dpo/breaches", "/dpo/breaches/new"} {
				odile.check(page)
			}
			for _, paper := range []string{"/dpo/register", "/dpo/assessment", "/dpo/notices/1"} { // the law's language
				odile.visit(paper)
				odile.sees("Réolais")
				for _, v := range odile.axe() {
					t.Errorf("%s: %s", paper, v)
				}
			}
		})
	}
}
