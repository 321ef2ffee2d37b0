package synth

import "slices"

// The catalogue of help.
const (
	Visit     = "visit"
	Reading   = "reading"
	Walk      = "walk"
	Shopping  = "shopping"
	Computer  = "computer"
	Paperwork = "paperwork"
	Ride      = "ride"
	Call      = "call"
	Delivery  = "delivery"
	Outing    = "outing"
	Coffee    = "coffee"
	Event     = "event"
)

// Halves of a day.
const (
	Morning   = "morning"
	Afternoon = "afternoon"
)

// What became of a request of the past.
const (
	Done      = "done"
	Cancelled = "cancelled" // by the person; the volunteers, if any, had been found
	Unfilled  = "unfilled"  // nobody was found
	NotDone   = "notdone"   // promised, and it did not happen
)

// How far an open request has come.
const (
	Open    = "open"    // nobody asked yet
	Asked   = "asked"   // the volunteers are asked and have not answered
	Covered = "covered" // the volunteers said yes, the person does not know yet
	Told    = "told"    // and the person was told
)

// When is the day a request is for. Past ones have a day and a half. An open one
// may have Week, any day left in the Monday-to-Sunday week of DaysFromToday, or
// Flexible, any day at all; both leave Half empty and StartMinute 0.
type When struct {
	DaysFromToday  int // negative in the past; never a Sunday; 0 when Flexible
	Half           string
	Week, Flexible bool
}

// Request is one need of one person.
type Request struct {
	BeneficiaryIndex int
	Kind             string
	When             When
	StartMinute      int // since midnight, on the quarter
	Minutes          int // it took; when not done, it would have taken
	Needs            int // volunteers: 2 for a first visit at home, otherwise 1
	VolunteerIndexes []int
	Note             string // or empty
	AskedDaysAgo     int    // when the desk wrote it down, a day it was open
	State            string // of an open request; empty in the past
	Outcome          string // of a past request; empty while open
	Km               int    // driven, there and back; 0 on foot or unknown
	Word             string // what a volunteer said after, or empty
}

// Mobile says whether a kind counts as mobility, the 60 % of the national figure:
// somebody or something goes along the road. Coffee counts as company.
func Mobile(kind string) bool {
	i := kindIndex(kind)
	return i >= 0 && catalogue[i].mobile
}

func kindIndex(key string) int {
	return slices.IndexFunc(catalogue, func(k kindFacts) bool { return k.key == key })
}

// kindFacts is what a kind of help is like. In each half of the catalogue, moving
// and staying, weights are shares of a day without a
// burst; their order is that of Volunteer.Kinds.
type kindFacts struct {
	key                   string
	mobile, home, car     bool
	weight                int
	shortest, longest     int // minutes
	afternoons            int // times in a hundred
	kmShortest, kmLongest int // of the errand itself, there and back
	notes                 []string
	words                 []said
}

var catalogue = []kindFacts{
	{key: Visit, home: true, weight: 17, shortest: 45, longest: 90, afternoons: 75,
		notes: []string{"aime qu'on reste pour le thé", "apporter le journal local", "jouer aux dominos", "regarder les photos ensemble", "frapper fort"},
		words: []said{both("On a regardé les photos de l'école."), {"Elle m'a appris la belote.", "Il m'a appris la belote."}, both("Deux cafés et une tarte, on n'a pas vu l'heure."),
			{"Elle a beaucoup ri.", "Il a beaucoup ri."}, both("On reprend la partie la semaine prochaine.")}},
	{key: Reading, home: true, weight: 4, shortest: 45, longest: 75, afternoons: 70,
		notes: []string{"un roman policier, chapitre 4", "le journal d'abord, le livre ensuite", "un livre de la médiathèque en gros caractères", "des poèmes, comme l'autre fois"},
		words: []said{both("Chapitre fini, on a deviné le coupable."), {"Elle connaissait le poème par cœur.", "Il connaissait le poème par cœur."}, both("On commence un autre livre.")}},
	{key: Walk, mobile: true, weight: 12, shortest: 30, longest: 75, afternoons: 60,
		notes: []string{"jusqu'au lavoir et retour", "à petits pas, un banc tous les cent mètres", "le tour de la place", "prendre la canne dans l'entrée", "au bord de l'eau s'il fait beau"},
		words: []said{both("Jusqu'au lavoir, en plein soleil."), both("Trois bancs, trois histoires."), {"Elle a voulu aller plus loin.", "Il a voulu aller plus loin."}, both("On a ramassé des noix.")}},
	{key: Shopping, mobile: true, weight: 13, shortest: 45, longest: 100, afternoons: 25, kmShortest: 4, kmLongest: 18,
		notes: []string{"vient aussi, siège avant", "la liste est sur la table", "un pack d'eau, ne porte rien de lourd", "passer aussi à la boulangerie", "garder le ticket de caisse", "au marché puis à la supérette"},
		words: []said{both("Tout trouvé sauf les poireaux."), {"Elle a choisi ses fruits elle-même.", "Il a choisi ses fruits lui-même."}, both("Courses rangées, ticket rendu."), both("On a croisé la moitié du bourg.")}},
	{key: Computer, home: true, weight: 4, shortest: 45, longest: 90, afternoons: 65,
		notes: []string{"la tablette ne s'allume plus", "voir les photos des petits-enfants", "apprendre l'appel en vidéo", "trop de messages, faire le tri"},
		words: []said{both("L'appel en vidéo marche, les petits-enfants ont répondu."), both("C'était le câble."), both("On a noté le mot de passe dans le carnet.")}},
	{key: Paperwork, home: true, weight: 4, shortest: 45, longest: 90, afternoons: 45,
		notes: []string{"lire le courrier de la semaine", "remplir un dossier, les papiers sont dans la boîte bleue", "classer les factures", "une lettre à écrire à la propriétaire"},
		words: []said{both("Courrier trié, deux lettres écrites."), both("Dossier rempli, il reste une signature."), both("Tout est dans la boîte bleue.")}},
	{key: Ride, mobile: true, car: true, weight: 21, shortest: 45, longest: 150, afternoons: 40, kmShortest: 6, kmLongest: 50,
		notes: []string{"attendre sur place et ramener", "siège avant, voiture basse", "rendez-vous en ville, prévoir un quart d'heure d'avance", "chez le coiffeur", "à la gare, une valise",
			"chez sa sœur au village voisin", "à la banque puis à la poste", "au cimetière, avec un pot de fleurs", "aller seulement, sa fille ramène"},
		words: []said{both("À l'heure, et retour sans se presser."), {"Elle était prête avant moi.", "Il était prêt avant moi."}, both("On a fait un détour par les vignes."), both("Attente un peu longue, bonne conversation.")}},
	{key: Call, weight: 8, shortest: 10, longest: 35, afternoons: 55,
		notes: []string{"juste des nouvelles", "aime parler du jardin", "laisser sonner longtemps", "rappeler si ça ne répond pas"},
		words: []said{both("Bonne humeur, parlé du jardin."), {"Elle attend sa petite-fille dimanche.", "Il attend sa petite-fille dimanche."}, both("On se rappelle la semaine prochaine.")}},
	{key: Delivery, mobile: true, weight: 6, shortest: 15, longest: 40, afternoons: 35, kmShortest: 2, kmLongest: 10,
		notes: []string{"le pain et le journal", "trois livres de la médiathèque", "un colis à retirer au relais", "le panier du marché", "une ampoule à baïonnette"},
		words: []said{both("Livres rapportés et trois nouveaux choisis."), both("Pain encore chaud."), both("Colis remis, resté un moment à parler.")}},
	{key: Outing, mobile: true, car: true, weight: 2, shortest: 120, longest: 210, afternoons: 85, kmShortest: 10, kmLongest: 50,
		notes: []string{"une séance au cinéma, place au bord de l'allée", "l'exposition à la halle", "un concert à l'église", "voir la rivière"},
		words: []said{both("Première fois au cinéma depuis dix ans."), {"Elle a chanté au retour.", "Il a chanté au retour."}, both("Belle après-midi, on y retourne.")}},
	{key: Coffee, weight: 3, shortest: 45, longest: 75, afternoons: 45,
		notes: []string{"au café de la place", "y aller à pied, doucement", "retrouver les copains de la belote"},
		words: []said{both("Un café, deux parties de cartes."), {"Tout le café l'a saluée.", "Tout le café l'a salué."}, both("Revenus par le marché.")}},
	{key: Event, mobile: true, car: true, weight: 3, shortest: 90, longest: 180, afternoons: 80, kmShortest: 4, kmLongest: 24,
		notes: []string{"le loto de l'association", "le repas des aînés", "la kermesse de l'école", "le vide-grenier", "la chorale à l'église"},
		words: []said{both("Gagné un panier garni au loto."), both("Resté jusqu'à la fin."), {"Elle a retrouvé une amie d'enfance.", "Il a retrouvé un ami d'enfance."}}},
}
