package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/chromedp/chromedp"
)

// did notes that she had it a number of days ago.
func (t *town) did(her node.BeneficiaryID, kind string, who node.VolunteerID, daysAgo ...node.Day) {
	t.Helper()
	for _, d := range daysAgo {
		_, err := t.node.Requests.RecordDone(context.Background(), t.admin, node.PastAction{Beneficiary: her, Type: t.kinds[kind], Day: node.DayOf(t.clock()) - d, Volunteers: []node.VolunteerID{who}})
		t.must(err)
	}
}

// TestOfferFirst: a volunteer proposes on his phone, the desk calls, somebody
// profits and thanks him, and one day they see each other without us.
func TestOfferFirst(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	other := town.beneficiary("M.", "Exemple", "Duval", "05 36 49 12 08")
	him := town.volunteer("Luc", "Exemplaire", "voisin")
	jeanne := town.volunteer("Jeanne", "Exemplaire", "")
	town.did(her, "Courses", him, 8, 15, 22)
	town.did(other, "Courses", jeanne, 20)

	phone := town.open(browser, 430)
	phone.signIn("voisin")
	phone.press("//a[text()='Je propose']")
	phone.press("//label[contains(.,'Courses')]/input")
	phone.press("//label[contains(.,'Jeudi')]/input")
	phone.press("//label[contains(.,'L’après-midi')]/input")
	phone.run(chromedp.SendKeys("#where", "langon"), chromedp.SendKeys("#line", "10 kg, coffre de Clio"))
	phone.press("//button[text()='Je propose']")
	phone.sees("Merci ! La mairie appelle")
	phone.sees("Jeudi 26 novembre, l’après-midi")
	phone.sees("Langon")
	phone.sees("encore 2 places")

	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.visit("/offers")
	desk.sees("Jeudi 26 novembre, l’après-midi · Luc, courses, direction Langon")
	desk.press("//a[text()='Appeler']")
	desk.sees("courses il y a 8 jours, d’ordinaire chaque semaine")
	desk.sees("3 visites de Luc déjà")
	desk.sees("Luc propose : courses, jeudi 26 novembre, l’après-midi, direction Langon (Gironde). Cela vous arrangerait ?")
	desk.press("(//article[contains(.,'Duval')]//button[text()='Non merci'])[1]")
	desk.sees("C’est noté.")
	desk.seesNot("Duval")
	desk.press("//button[text()='Oui, elle en profite']")
	desk.sees("la visite est prévue, et tout le monde le sait")
	desk.sees("Elle est prévenue")

	// He after all: somebody who calls of himself.
	desk.run(chromedp.SendKeys("input[type=search]", "1208"))
	desk.press("//button[text()='Chercher']")
	desk.press("//button[text()='Oui, il en profite']")
	desk.sees("complète")
	desk.visit("/calls")
	desk.sees("Tout le monde est au courant.")
	phone.visit("/me/offer")
	phone.sees("Mme Exemple Laforêt")
	phone.sees("05 36 49 12 07")
	phone.sees("12 rue des Exemples")
	phone.sees("encore 0 place")

	// It takes place; she thanks, in one press.
	town.wait(3*24*time.Hour + 9*time.Hour)
	phone.visit("/me")
	phone.press("(//button[text()='C’est fait'])[1]")
	phone.sees("Merci ! C’est noté et compté.")
	phone.press("//button[text()='C’est fait']")
	desk.signIn("accueil")
	desk.visit("/desk/" + her.String())
	desk.press("//summary[contains(.,'elle remercie')]")
	desk.run(chromedp.SendKeys("//input[@name='line']", "les pêches étaient parfaites"))
	desk.press("//button[text()='Elle remercie']")
	desk.sees("Les remerciements sont transmis.")
	desk.seesNot("elle remercie Luc")
	phone.visit("/me")
	phone.sees("Mme Exemple Laforêt vous remercie : courses")
	phone.sees("les pêches étaient parfaites")
	phone.press("//button[text()='Vu, merci']")
	phone.run(chromedp.WaitNotPresent("//button[text()='Vu, merci']"))
	phone.seesNot("vous remercie")

	// They need nobody any more.
	desk.visit("/people/" + her.String())
	desk.press("//summary[contains(.,'Noter un lien')]")
	desk.press("//button[text()='Avec Luc Exemplaire']")
	desk.sees("Nous prendrons des nouvelles dans trois mois.")
	desk.visit("/bonds")
	desk.sees("Personne à appeler aujourd’hui.")
	town.wait(92 * 24 * time.Hour)
	desk.signIn("accueil")
	desk.visit("/bonds")
	desk.sees("Vous voyez toujours Luc ?")
	desk.press("//summary[contains(.,'C’est fini')]")
	desk.press("//label[contains(.,'Le bénévole ne peut plus')]/input")
	desk.press("//button[text()='Noter']")
	desk.sees("C’est noté. De quoi")
	desk.sees("c’est fini · le bénévole ne peut plus")
}

// TestTogetherPagesAreAccessible runs axe over these pages, wide and on a narrow
// phone, in both languages.
func TestTogetherPagesAreAccessible(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	ctx := context.Background()
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	other := town.beneficiary("M.", "Exemple", "Duval", "05 36 49 12 08")
	third := town.beneficiary("Mme", "Exemple", "Petit", "05 36 49 12 09")
	him := town.volunteer("Luc", "Exemplaire", "voisin")
	jeanne := town.volunteer("Jeanne", "Exemplaire", "")
	town.did(her, "Courses", him, 8, 15, 22)
	town.did(other, "Courses", jeanne, 20)
	_, err := town.node.Bonds.Make(ctx, town.admin, her, him)
	town.must(err)
	town.wait(92 * 24 * time.Hour)
	_, err = town.node.Bonds.Make(ctx, town.admin, other, him)
	town.must(err)
	town.did(her, "Courses", jeanne, 1, 9, 17)
	town.did(other, "Visite", him, 1)
	done, err := town.node.Requests.ToThank(town.admin, 0)
	town.must(err)
	for _, v := range done[1:] {
		_, err := town.node.Requests.Thank(ctx, town.admin, v.ID, node.Secret{})
		town.must(err)
	}
	r, err := town.node.Offers.Make(ctx, town.admin, node.NewOffer{
		Volunteer: him, Types: []node.TypeID{town.kinds["Courses"], town.kinds["Visite"]}, Day: node.DayOf(town.clock()) + 4, Half: node.Afternoon, Places: 2, Destination: "33227",
	})
	town.must(err)
	_, err = town.node.Offers.Take(ctx, town.admin, node.Taking{Offer: r.ID, Beneficiary: third, Type: town.kinds["Courses"]})
	town.must(err)
	pages := []string{
		"/offers", "/offers/" + node.OfferID(r.ID).String(), "/offers/new?of=" + him.String(), "/across", "/across/new", "/bonds", "/people/" + her.String(), "/volunteers/" + him.String(),
		"/desk/" + her.String(), "/requests/" + done[0].ID.String(), "/requests/" + done[1].ID.String(),
	}
	for _, width := range []int64{1360, 320} {
		desk := town.open(browser, width)
		desk.signIn("admin")
		for _, page := range pages {
			desk.check(page)
		}
		phone := town.open(browser, width)
		phone.signIn("voisin")
		phone.check("/me")
		phone.check("/me/offer")
	}
}
