package synth

import (
	"math/rand/v2"
	"slices"
)

// Sexes.
const (
	Woman = "f"
	Man   = "m"
)

// Beneficiary is an invented older person. Words about needs say what to do, never
// why: there is no diagnosis anywhere.
type Beneficiary struct {
	Civility        string // "Mme" or "M."
	First, Last     string
	Sex             string // Woman or Man
	Birth           Date   // 68 to 101 years before today
	Phones          []Phone
	ContactModes    []string // preferred first: "phone", "sms", "letter", "visit"
	Address         string
	Complement      string // how to get in, or empty
	CommuneIndex    int
	NeedsText       string   // or empty
	Languages       []string // ISO 639-1, "fr" first unless another is easier
	Emergency       Contact
	Trusted         Contact // zero when nobody is named
	MayAsk          Contact // who may call in the person's place; zero when nobody
	TrustWord       string  // or empty
	Note            string  // or empty
	Preferred       []int   // volunteers, by index
	Refused         []int   // volunteers, by index; never sent
	EnrolledDaysAgo int     // at least 8, a day the desk was open
}

// Contact is somebody close to a beneficiary.
type Contact struct {
	Name  string // first and last
	Phone string // E.164
	Link  string // "fille", "voisin", "aide à domicile"
}

// link is a tie between a beneficiary and somebody close.
type link struct {
	word, sex string
	same      int // times in a hundred they carry the same name
	younger   int // years
}

var kin = []link{
	{"fille", Woman, 45, 27}, {"fille", Woman, 45, 27}, {"fille", Woman, 45, 27}, {"fils", Man, 95, 28}, {"fils", Man, 95, 28},
	{"nièce", Woman, 25, 25}, {"neveu", Man, 45, 25}, {"voisine", Woman, 0, 20}, {"voisin", Man, 0, 20}, {"belle-fille", Woman, 85, 29},
	{"petite-fille", Woman, 30, 52}, {"sœur", Woman, 20, 3}, {"frère", Man, 60, 3}, {"amie", Woman, 0, 5}, {"gendre", Man, 0, 26},
}

var callers = []link{
	{"aide à domicile", Woman, 0, 40}, {"voisine", Woman, 0, 15}, {"voisin", Man, 0, 15}, {"fille", Woman, 45, 27},
	{"fils", Man, 95, 28}, {"gardienne de la résidence", Woman, 0, 35}, {"facteur", Man, 0, 45},
}

var rings = []string{
	"laisser sonner 12 fois", "laisser sonner longtemps", "pas avant 9 h", "plutôt après 11 h", "plutôt le matin",
	"rappeler tout de suite si ça coupe", "laisser sonner 8 fois, le téléphone est au fond du couloir", "pas pendant le repas de midi",
	"parler fort dès le début", "dire son nom lentement",
}

var needs = []string{
	"marche lentement, voiture basse", "entend mal, parler lentement", "marche avec une canne", "monte difficilement dans une voiture haute",
	"a besoin d'un bras pour les marches", "se fatigue vite, prévoir une pause", "voit mal, se présenter en entrant",
	"lit les gros caractères seulement", "marche avec un déambulateur pliant", "ne porte rien de lourd",
	"entend mieux à droite", "préfère les phrases courtes", "ne conduit plus", "prévoir dix minutes pour se préparer",
	"préfère tenir le côté du mur", "siège avant de préférence", "sort peu quand il fait chaud", "écrire en gros sur un papier",
	"parler face à la personne", "attendre sur place et ramener jusqu'à la porte",
}

// said is a sentence in its two genders.
type said struct{ f, m string }

func (s said) of(sex string) string {
	if sex == Woman {
		return s.f
	}
	return s.m
}

func both(s string) said { return said{s, s} }

var notes = []said{
	{"a tenu l'épicerie du bourg, aime en parler", "a tenu le café de la place, aime en parler"}, {"ancienne institutrice", "ancien instituteur"},
	{"ancienne couturière, répare tout", "ancien menuisier, répare tout"}, both("aime les mots croisés"), both("joue à la belote le jeudi"),
	both("a un chat qui se cache sous le buffet"), both("aime qu'on lise le journal local à voix haute"), both("offre toujours un café, le prendre"),
	{"a travaillé aux vignes toute sa vie", "a travaillé aux vignes toute sa vie"}, both("garde ses graines de tomates, en donne volontiers"),
	{"née dans la maison où elle habite", "né dans la maison où il habite"}, both("va au cimetière le premier samedi du mois"),
	both("aime le rugby à la radio"), both("chante à la chorale quand on l'emmène"), {"ancienne postière, connaît tout le monde", "ancien facteur, connaît tout le monde"},
	both("n'ouvre pas avant qu'on dise son nom"), both("aime marcher jusqu'au lavoir"), both("parle volontiers du bal de la Saint-Jean"),
	both("a cinq petits-enfants, tous au loin"), both("écoute la radio le matin, ne pas s'étonner du volume"),
	{"arrivée dans la commune cette année", "arrivé dans la commune cette année"}, both("n'ose pas demander, proposer"),
}

var trustWords = words(`tilleul mirabelle hirondelle lavande coquelicot moulin noisette cerisier rouge-gorge tournesol girouette
	myosotis châtaigne glycine pigeonnier muguet sureau romarin figuier grillon capucine verveine marjolaine pervenche`)

// womenPercent is the share of women: they are the ones who ask.
const womenPercent = 72

func (w *World) drawBeneficiaries(r *rand.Rand, n int, book *phonebook) []Beneficiary {
	inTown := -1
	if w.profile == Start {
		inTown = 32 // La Réole's own number
	}
	homes := w.settle(r, n, inTown)
	women := quota(r, n, (n*womenPercent+50)/100)
	enrolled := w.tenure(r, n)
	names := newNamer(r)
	wife := make([]int, len(w.communes)) // 1 + index of the latest woman of each commune who may have a husband here
	list := make([]Beneficiary, n)
	for i := range list {
		b := &list[i]
		b.CommuneIndex, b.EnrolledDaysAgo = homes[i], enrolled[i]
		b.Civility, b.Sex = "M.", Man
		if women[i] {
			b.Civility, b.Sex = "Mme", Woman
		}
		b.Birth = w.birth(r)
		if at := wife[b.CommuneIndex]; b.Sex == Man && at > 0 && percent(r, 12) {
			wife[b.CommuneIndex] = 0
			b.marry(list[at-1], names)
		} else {
			b.move(r, w.communes[b.CommuneIndex], names, book)
		}
		b.describe(r, book)
		if b.Sex == Woman && len(b.Phones) > 0 && b.Phones[0].Label == "fixe" {
			wife[b.CommuneIndex] = i + 1
		}
	}
	return list
}

// birth makes three in four between 78 and 92 years old, all between 68 and 101.
func (w *World) birth(r *rand.Rand) Date {
	age := between(r, 78, 92)
	switch p := r.IntN(100); {
	case p < 13:
		age = between(r, 68, 77)
	case p < 20:
		age = between(r, 93, 97)
	case p < 23:
		age = between(r, 98, 101)
	}
	y, m, d := w.today.AddDate(-age, 0, -between(r, 1, 360)).Date()
	return Date{y, m, d}
}

// move gives a person a name, a home, telephones and somebody to warn.
func (b *Beneficiary) move(r *rand.Rand, c Commune, names *namer, book *phonebook) {
	var language string
	b.First, b.Last, language = names.draw(b.Sex, b.Birth.Year)
	b.Languages = []string{"fr"}
	switch {
	case language != "fr" && percent(r, 70):
		b.Languages = append(b.Languages, language)
		if percent(r, 15) {
			slices.Reverse(b.Languages)
		}
	case language == "fr" && percent(r, 3):
		b.Languages = append(b.Languages, "oc")
	}
	b.Address, b.Complement = street(r, c), door(r, c)
	if percent(r, 88) {
		b.Phones = append(b.Phones, Phone{Number: book.forPerson(zoneOf(c.Code)), Label: "fixe"})
	}
	if len(b.Phones) == 0 || percent(r, 24) {
		b.Phones = append(b.Phones, Phone{Number: book.forPerson(mobile), Label: "portable"})
	}
	if percent(r, 40) {
		b.Phones[0].Ring = pick(r, rings)
	}
	b.Emergency = b.contact(r, pick(r, kin), book)
	if l := b.Emergency.Link; (l == "fille" || l == "fils") && percent(r, 30) {
		b.Phones = append(b.Phones, Phone{Number: b.Emergency.Phone, Label: l})
	}
}

// marry moves a man in with his wife: her name, door, landline and child to warn.
func (b *Beneficiary) marry(wife Beneficiary, names *namer) {
	b.Last = wife.Last
	b.First = names.spouse(b.Sex, b.Birth.Year, b.Last)
	b.Address, b.Complement = wife.Address, wife.Complement
	b.Phones = slices.Clone(wife.Phones[:1])
	b.Languages = slices.Clone(wife.Languages)
	b.Emergency = wife.Emergency
}

// describe adds what an agent writes down in four minutes.
func (b *Beneficiary) describe(r *rand.Rand, book *phonebook) {
	b.ContactModes = []string{"phone"}
	switch p := r.IntN(100); {
	case p < 12:
		b.ContactModes = append(b.ContactModes, "letter")
	case p < 20:
		b.ContactModes = append(b.ContactModes, "visit")
	case p < 28 && b.Phones[len(b.Phones)-1].Label == "portable":
		b.ContactModes = append(b.ContactModes, "sms")
	}
	if percent(r, 62) {
		b.NeedsText = pick(r, needs)
		if more := pick(r, needs); percent(r, 20) && more != b.NeedsText {
			b.NeedsText += " ; " + more
		}
	}
	if percent(r, 12) {
		b.Trusted = b.contact(r, pick(r, kin), book)
	}
	if percent(r, 15) {
		b.MayAsk = b.contact(r, pick(r, callers), book)
	}
	if percent(r, 30) {
		b.TrustWord = pick(r, trustWords)
	}
	if percent(r, 28) {
		b.Note = pick(r, notes).of(b.Sex)
	}
}

func (b *Beneficiary) contact(r *rand.Rand, l link, book *phonebook) Contact {
	n := newNamer(r)
	born := min(b.Birth.Year+l.younger, 2000)
	first, last, _ := n.draw(l.sex, born)
	if percent(r, l.same) {
		first, last = n.spouse(l.sex, born, b.Last), b.Last
	}
	return Contact{Name: first + " " + last, Phone: book.forKin(), Link: l.word}
}
