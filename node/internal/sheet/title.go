package sheet

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold makes titles comparable: lower case, no accents, one space for whatever is no letter or digit.
// "Tél. n° 1" becomes "tel n 1", "NOM D'USAGE" becomes "nom d usage".
func fold(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteString(strings.ReplaceAll(string(unicode.ToLower(r)), "œ", "oe"))
		default:
			gap = true
		}
	}
	return b.String()
}

// titles is what town halls write above their columns, folded. What is made of a few known words ("tél. portable de la
// personne") need not stand here: see fromWords.
var titles = index(map[Column][]string{
	Civility: {"civilite", "civ", "titre", "m mme", "mr mme", "m mme mlle", "m ou mme"},
	LastName: {"nom d usage", "nom usage", "nom usuel", "nom de famille", "nom marital", "nom d epouse", "nom epouse"},
	BirthName: {"nom de naissance", "nom naissance", "nom de jeune fille", "nom jeune fille", "nom jf",
		"nom patronymique", "nee"},
	FirstName: {"prenom usuel", "prenom d usage"},
	FullName:  {"nom complet", "identite"},
	Sex:       {"sexe", "genre", "h f", "m f", "f h", "f m", "homme femme"},
	BirthDate: {"date de naissance", "date naissance", "ne e le", "ne le", "nee le", "ne nee le", "ne ou nee le", "ne e",
		"ne", "naissance", "ddn", "dn", "date naiss", "date de naiss", "date nais", "annee de naissance",
		"annee naissance"},
	Age: {"age", "age ans"},
	Email: {"mail", "mails", "email", "e mail", "courriel", "mel", "adresse mail", "adresse email", "adresse e mail",
		"adresse electronique", "adresse courriel", "courrier electronique"},
	Address: {"adresse", "adresse postale", "adresse 1", "adresse ligne 1", "adresse complete", "adresse domicile",
		"adresse du domicile", "adresse personnelle", "domicile", "rue", "voie", "n rue", "n et rue", "numero et rue",
		"lieu de residence"},
	Address2: {"adresse 2", "adresse ligne 2", "adresse suite", "complement d adresse", "complement adresse", "complement",
		"batiment", "bat", "etage", "digicode", "code porte", "interphone", "acces", "lieu dit", "hameau", "residence",
		"appartement", "appt"},
	Postcode: {"cp", "c p", "code postal", "codepostal", "code post"},
	Commune: {"commune", "ville", "localite", "commune de residence", "commune residence", "ville de residence",
		"cp ville", "cp et ville", "cp commune", "code postal ville", "code postal et ville", "code postal commune"},
	Needs: {"besoin", "besoins", "besoin s", "besoins exprimes", "nature du besoin", "demande", "demandes",
		"nature de la demande", "aide souhaitee", "aides souhaitees", "aide demandee", "type d aide", "types d aide",
		"services souhaites", "attentes"},
	Languages: {"langue", "langues", "langue s", "langue parlee", "langues parlees", "langue s parlee s"},
	Notes: {"observation", "observations", "observation s", "obs", "remarque", "remarques", "remarque s", "note", "notes",
		"commentaire", "commentaires", "commentaire s", "divers", "info", "infos", "information", "informations",
		"informations complementaires", "infos complementaires", "particularites", "precisions"},
	RingHabit: {"sonnerie", "laisser sonner", "consigne d appel", "consignes d appel", "habitude d appel",
		"consigne telephone", "heure d appel", "horaire d appel", "horaires d appel", "quand appeler",
		"meilleur moment pour appeler"},
	Paper: {"langue des papiers", "langue du papier", "langue des courriers", "langue du courrier", "papiers en"},

	Status: {"statut", "etat"},
	Car: {"vehicule", "vehicule personnel", "vehicule o n", "vehicule oui non", "voiture", "voiture oui non", "auto",
		"motorise", "motorisee", "motorise e", "possede un vehicule", "permis", "permis b", "permis de conduire",
		"permis vehicule"},
	Seats: {"places", "nombre de places", "nb places", "nb de places", "places vehicule", "places voiture",
		"places disponibles"},
	RadiusKM: {"rayon", "rayon km", "rayon en km", "rayon d action", "distance", "distance max", "distance maximum", "km",
		"km max", "perimetre"},
	Kinds: {"action", "actions", "type d action", "types d actions", "actions proposees", "mission", "missions",
		"type de mission", "types de missions", "activite", "activites", "aide proposee", "aides proposees", "proposition",
		"propositions", "services proposes", "competences", "domaines", "domaine d intervention", "envies"},
	Availability: {"disponibilite", "disponibilites", "disponibilite s", "dispo", "dispos", "jours",
		"jours de disponibilite", "creneaux"},
	MaxPerWeek: {"max par semaine", "maximum par semaine", "nb par semaine", "nb max par semaine", "nombre par semaine",
		"fois par semaine", "actions par semaine"},
})

func index(lists map[Column][]string) map[string]Column {
	byTitle := map[string]Column{}
	for column, list := range lists {
		for _, title := range list {
			if _, taken := byTitle[title]; taken {
				panic("sheet: title listed twice: " + title)
			}
			byTitle[title] = column
		}
	}
	return byTitle
}

// longestTitle is in bytes. What is longer is a sentence about the file.
const longestTitle = 160

// titleOf says what a title means, or "" if nobody can tell.
func titleOf(title string, kind Kind) Column {
	if len(title) > longestTitle {
		return ""
	}
	folded := fold(title)
	column, ok := titles[folded]
	if !ok {
		column = fromWords(strings.Fields(folded))
	}
	switch {
	case kind == Volunteers && (folded == "type d aide" || folded == "types d aide"):
		return Kinds
	case kind == Beneficiaries && isVolunteersOnly(column):
		return ""
	}
	return column
}

func isVolunteersOnly(c Column) bool {
	for _, v := range volunteersOnly {
		if c == v {
			return true
		}
	}
	return false
}

// part is what one word says within a title.
type part uint8

const (
	wordFiller    part = 1 << iota // says nothing
	wordPhone                      // a number
	wordMobile                     // a number she carries
	wordSecond                     // not the first of its sort
	wordLast                       // name
	wordFirst                      // name
	wordEmergency                  // of the person to call
	wordTrusted                    // of the personne de confiance
)

var vocabulary = parts(map[part]string{
	wordFiller: "de du des la le les l d a au aux et ou en n no num numero nos s e un une pour cas si 1 principal principale " +
		"perso personnel personnelle contact coordonnees joindre domicile maison beneficiaire benevole personne " +
		"personnes usager senior aine adherent habitant interesse ee",
	wordPhone:              "tel tels telephone telephones telephonique phone fixe",
	wordPhone | wordMobile: "portable portables port mobile mobiles gsm",
	wordSecond:             "2 autre second seconde secondaire bis",
	wordLast:               "nom noms",
	wordFirst:              "prenom prenoms",
	wordEmergency:          "prevenir urgence contacter proche aidant aidante famille familial familiale parent enfant enfants fille fils",
	wordTrusted:            "confiance",
})

func parts(lists map[part]string) map[string]part {
	byWord := map[string]part{}
	for p, list := range lists {
		for _, word := range strings.Fields(list) {
			byWord[word] = p
		}
	}
	return byWord
}

// fromWords understands titles made of known words only: one strange word ("Tél. médecin", "Nom de l'association")
// and it says nothing, because a doctor's number must not become hers.
func fromWords(words []string) Column {
	var sum part
	fixed := false
	for _, word := range words {
		p, ok := vocabulary[word]
		if !ok {
			return ""
		}
		sum |= p
		fixed = fixed || word == "fixe"
	}
	has := func(p part) bool { return sum&p != 0 }
	switch {
	case has(wordTrusted) && has(wordPhone):
		return TrustedPhone
	case has(wordTrusted):
		return TrustedName
	case has(wordEmergency) && has(wordPhone):
		return EmergencyPhone
	case has(wordEmergency):
		return EmergencyName
	case has(wordPhone) && (has(wordFirst) || has(wordLast)):
		return ""
	case has(wordPhone) && has(wordSecond):
		return Phone2
	case has(wordMobile) && !fixed:
		return Mobile
	case has(wordPhone):
		return Phone
	case has(wordLast) && has(wordFirst):
		return FullName
	case has(wordLast):
		return LastName
	case has(wordFirst):
		return FirstName
	}
	return ""
}

// isSomebodyElses says that a title speaks of another person than the one of the row: what stands below is not taken
// for hers on the evidence of the cells alone.
func isSomebodyElses(title string) bool {
	for _, word := range strings.Fields(fold(title)) {
		if vocabulary[word]&(wordEmergency|wordTrusted) != 0 {
			return true
		}
		switch word {
		case "medecin", "medecins", "docteur", "dr", "infirmier", "infirmiere", "infirmiers", "ide", "ssiad", "saad", "kine",
			"pharmacie", "pharmacien", "tuteur", "tutrice", "curateur", "curatrice", "mandataire", "voisin", "voisine",
			"voisins", "gardien", "bailleur", "proprietaire", "aide", "auxiliaire", "assistant", "assistante", "conjoint":
			return true
		}
	}
	return false
}

// isOffice says that a number under this title rings at an office, or is no telephone at all.
func isOffice(title string) bool {
	for _, word := range strings.Fields(fold(title)) {
		switch word {
		case "association", "service", "organisme", "mairie", "ccas", "employeur", "entreprise", "travail", "bureau",
			"referent", "referente", "fax", "telecopie", "siret", "siren", "secu", "securite", "nir":
			return true
		}
	}
	return false
}
