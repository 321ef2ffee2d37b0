package rights

import (
	"strconv"
	"strings"
)

// values say in French and in English what the numbers of closed sets mean, for who
// reads what is held of her. A test compares them with the constants.
var values = map[string]string{
	"people.BeneficiaryState": "1 suivie | accompanied; 2 n’est plus suivie | not accompanied any more",
	"people.Basis":            "1 consentement | consent; 2 mission d’intérêt public | public interest; 3 sauvegarde des intérêts vitaux | vital interests",
	"people.Notice":           "0 non | no; 1 lue au téléphone | read on the telephone; 2 remise en main propre | given by hand; 3 envoyée par courrier | sent by letter",
	"people.Status":           "1 candidat | applicant; 2 rencontré | met; 3 approuvé | approved; 4 suspendu | suspended; 5 terminé | ended",
	"people.Paper":            "fr français | French; en anglais | English",
	"request.State": "1 brouillon | draft; 2 cherche des bénévoles | looks for volunteers; 3 bénévoles sollicités | volunteers asked; 4 bénévole trouvé | volunteer found; " +
		"5 bénévole trouvé, personne prévenue | volunteer found, she knows; 6 faite | done; 7 pas faite | not done; 8 annulée | cancelled; 9 personne trouvé | nobody found; 10 faite | done",
	"request.WishKind": "1 ce jour-là | on that day; 2 dans la semaine | within the week; 3 quand c’est possible | whenever possible",
	"request.Answer":   "0 pas encore de réponse | no answer yet; 1 oui | yes; 2 non | no; 3 s’est désisté | had to cancel; 4 non souhaité | not wished",
	"request.Why": "0 - | -; 1 à la demande de la personne | as she wished; 2 par le service | by the service; 3 le bénévole n’est pas venu | the volunteer did not come; " +
		"4 personne absente | not at home; 5 personne trouvé | nobody found; 6 notée deux fois | entered twice",
	"series.State":   "1 en cours | running; 2 en pause | paused; 3 terminée | ended",
	"series.Rhythm":  "1 chaque semaine | each week; 2 toutes les deux semaines | every two weeks; 3 chaque mois | each month",
	"contact.Result": "1 prévenue | told; 2 pas de réponse | no answer; 3 plus tard | later",
	"contact.Means":  "0 - | -; 1 téléphone | telephone; 2 par le bénévole | by the volunteer; 3 de vive voix | face to face",
	"bond.State":     "1 se voient | see each other; 2 terminé | ended",
	"bond.Why":       "0 - | -; 1 elle ne le souhaite plus | she wishes it no more; 2 il ne peut plus | he cannot any more; 3 départ | gone; 4 autre | other",
	"offer.State":    "1 ouverte | open; 2 complète | full; 3 retirée | withdrawn; 4 passée | past",
	"across.Consent": "0 pas encore de réponse | no answer yet; 1 accord | agrees; 2 refus | objects",
	"when.Half":      "0 à toute heure | at any time; 1 matin | morning; 2 après-midi | afternoon",
	"account.Roles": "1 administrateur | administrator; 2 agent | agent; 4 bénévole | volunteer; 8 élu | elected member; 16 délégué à la protection des données | data protection officer; " +
		"32 coordination | coordination; 64 accueil | reception; 128 association | association; 256 professionnel | professional; 512 personne accompagnée | beneficiary; 1024 exploitant | operator",
	"rights.Means":  "0 - | -; 1 téléphone | telephone; 2 en main propre | by hand; 3 courrier | letter; 4 courriel | e-mail",
	"rights.Use":    "1 tout l’accompagnement | the whole of it; 2 proposition aux territoires voisins | offers to neighbouring territories; 4 transmission aux associations | passing on to associations; 8 liste de visites de courtoisie | list of courtesy visits",
	"rights.Demand": "1 accès | access; 2 portabilité | portability; 3 rectification | rectification; 4 limitation | restriction; 5 effacement | erasure; 6 opposition | objection",
	"rights.State":  "1 reçue | received; 2 identité vérifiée | identity checked; 3 répondue | answered; 4 refusée | declined; 5 retirée | taken back",
	"rights.Asker":  "1 la personne elle-même | the person; 2 un proche, avec son mandat | a relative, with a mandate; 3 un tuteur ou curateur | a guardian",
	"rights.Check":  "0 pas encore | not yet; 1 rappelée au numéro de la fiche | called back on the number in the file; 2 pièce d’identité montrée | card shown; 3 connue de l’accueil | known at the desk; 4 pièce et mandat montrés | card and mandate shown",
	"rights.Harm":   "1 divulgation à qui n’y avait pas droit | disclosed to others; 2 modification | altered; 4 perte | lost",
	"rights.Risk":   "1 pas de risque | no risk; 2 un risque : la CNIL est prévenue | a risk: the CNIL is told; 3 un risque élevé : les personnes sont prévenues aussi | a high risk: the people are told, too",
	"rights.Reason": "0 - | -; 1 demande complexe | complex demand; 2 nombreuses demandes | many demands; 3 demande infondée ou excessive | unfounded or excessive; 4 identité non établie | identity not proven; " +
		"5 atteinte aux droits d’autrui | harms others’ rights; 6 conservation imposée par la loi | the law asks to keep it",
}

// Value is what number n of a closed set means in French, or in English; "" for a
// set or number that is not known. name is the type's: "people.Basis".
func Value(name, n string, english bool) string {
	for part := range strings.SplitSeq(values[name], "; ") {
		number, words, _ := strings.Cut(part, " ")
		if number != n {
			continue
		}
		french, plain, _ := strings.Cut(words, " | ")
		if english {
			return plain
		}
		return french
	}
	return ""
}

// Bits is Value for a set of bits: all that are in it.
func Bits(name string, set uint64, english bool) string {
	var all []string
	for bit := uint64(1); bit != 0 && bit <= set; bit <<= 1 {
		if words := Value(name, strconv.FormatUint(bit, 10), english); set&bit != 0 && words != "" {
			all = append(all, words)
		}
	}
	return strings.Join(all, ", ")
}

// ClosedSet reports whether a type is a closed set that is known here.
func ClosedSet(name string) bool { return values[name] != "" }
