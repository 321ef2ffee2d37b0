package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bippop/bippop/node"
)

var (
	weekdays = [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}
	months   = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
)

// dayText says a day as people do: "aujourd’hui", "demain", "mardi 24 novembre".
func dayText(d, today node.Day) string {
	switch d - today {
	case 0:
		return "aujourd’hui"
	case 1:
		return "demain"
	case -1:
		return "hier"
	}
	return dateText(d, today)
}

// dateText names the day itself, with the year only when it is another one.
func dateText(d, today node.Day) string {
	t := d.Date()
	text := fmt.Sprintf("%s %s %s", weekdays[t.Weekday()], ordinal(t.Day()), months[t.Month()-1])
	if t.Year() != today.Date().Year() {
		text += fmt.Sprintf(" %d", t.Year())
	}
	return text
}

func ordinal(day int) string {
	if day == 1 {
		return "1er"
	}
	return fmt.Sprint(day)
}

// hourText says "10 h" or "14 h 30", with no-break spaces.
func hourText(minute int) string {
	if minute%60 == 0 {
		return fmt.Sprintf("%d\u00a0h", minute/60)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", minute/60, minute%60)
}

func clockText(t time.Time) string { return hourText(t.Hour()*60 + t.Minute()) }

// wishText says when she would like it.
func wishText(w node.Wish, today node.Day) string {
	switch w.Kind {
	case node.OnDay:
		text := dayText(w.Day, today)
		switch {
		case w.Minute > 0:
			return text + " à " + hourText(int(w.Minute))
		case w.Half == node.Morning:
			return text + ", le matin"
		case w.Half == node.Afternoon:
			return text + ", l’après-midi"
		}
		return text
	case node.InWeek:
		switch w.Day - node.WeekOf(today) {
		case 0:
			return "cette semaine"
		case 7:
			return "la semaine prochaine"
		}
		t := w.Day.Date()
		return fmt.Sprintf("la semaine du %s %s", ordinal(t.Day()), months[t.Month()-1])
	}
	return "quand il convient"
}

// startText says a fixed moment: "mardi 24 novembre à 10 h".
func startText(t time.Time, today node.Day) string {
	return dayText(node.DayOf(t), today) + " à " + clockText(t)
}

// lengthText says minutes as people do: "1 h 30", "45 min".
func lengthText(minutes uint16) string {
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d\u00a0min", minutes)
	case minutes%60 == 0:
		return fmt.Sprintf("%d\u00a0h", minutes/60)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", minutes/60, minutes%60)
}

// of puts "de" or "d’" before a word.
func of(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	if strings.ContainsRune("aeiouyhàâéèêëîïôùûAEIOUYHÀÂÉÈÊËÎÏÔÙÛ", r) {
		return "d’" + word
	}
	return "de " + word
}

// lower begins a name of the catalogue in the middle of a sentence.
func lower(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// herName is how the desk calls her: "Mme Exemple Laforêt".
func herName(w node.BeneficiaryWords) string {
	return strings.Join(strings.Fields(w.Civility.Reveal()+" "+w.First.Reveal()+" "+w.Last.Reveal()), " ")
}

func hisName(w node.VolunteerWords) string {
	return strings.Join(strings.Fields(w.First.Reveal()+" "+w.Last.Reveal()), " ")
}

// initials stand in the round: first and last name.
func initials(first, last node.Secret) string {
	var b strings.Builder
	for _, s := range []string{first.Reveal(), last.Reveal()} {
		if r, _ := utf8.DecodeRuneInString(s); r != utf8.RuneError {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// feminine reports whether sentences about her are in the feminine: when the
// civility does not say, they are, as most who call are women and the desk hears
// who speaks.
func feminine(w node.BeneficiaryWords) bool { return !man(w.Civility) }

func man(civility node.Secret) bool {
	c := strings.ToLower(strings.TrimSuffix(civility.Reveal(), "."))
	return c == "m" || c == "mr" || c == "monsieur"
}

// script is what the agent reads aloud for one piece of news.
func script(n node.News, today node.Day) string {
	what := "votre demande " + of(lower(n.Kind.Name))
	switch {
	case n.State == node.StateCovered || n.State == node.StateTold:
		who := strings.Join(comers(n.Coming()), " et ")
		verb := "vient"
		if len(n.Coming()) > 1 {
			verb = "viennent"
		}
		if !n.First {
			return fmt.Sprintf("Pour %s, il y a un changement : %s %s %s. Cela vous convient ?", what, who, verb, startText(n.Start, today))
		}
		return fmt.Sprintf("Pour %s, nous avons trouvé : %s %s %s. Cela vous convient ?", what, who, verb, startText(n.Start, today))
	case n.State == node.StateUnfilled:
		return fmt.Sprintf("Pour %s, nous n’avons trouvé personne cette fois. Voulez-vous que nous cherchions pour un autre jour ?", what)
	case n.State == node.StateCancelled && n.Believes.Start != 0:
		return fmt.Sprintf("Pour %s, la visite prévue n’aura pas lieu. Nous en sommes désolés. Voulez-vous un autre jour ?", what)
	case n.State == node.StateCancelled:
		return fmt.Sprintf("Nous ne pouvons pas donner suite à %s. Nous en sommes désolés.", what)
	}
	for _, s := range n.Seats {
		if s.Answer == node.Withdrawn && contains(n.Believes.Coming, s.Asking.Volunteer) {
			return fmt.Sprintf("Pour %s, la personne prévue ne peut plus venir. Nous cherchons quelqu’un d’autre et nous vous rappelons.", what)
		}
	}
	return fmt.Sprintf("Pour %s, cela change : nous cherchons de nouveau quelqu’un, %s, et nous vous rappelons.", what, wishText(n.Wish, today))
}

// comers are the first names, with the car where there is one: what she will see
// from her window.
func comers(seats []node.Seat) (out []string) {
	for _, s := range seats {
		name := s.Volunteer.Words.First.Reveal()
		if name == "" {
			name = "un bénévole"
		}
		if car := s.Volunteer.Words.CarText.Reveal(); car != "" {
			name += " (" + car + ")"
		}
		out = append(out, name)
	}
	return out
}

// stateText names where a request stands, as the desk says it.
func stateText(s node.State) string {
	return map[node.State]string{
		node.StateDraft: "Brouillon", node.StateOpen: "Personne pour l’instant", node.StateAsked: "On attend une réponse", node.StateCovered: "Trouvé, à prévenir",
		node.StateTold: "Elle est prévenue", node.StateDone: "Fait", node.StateNotDone: "N’a pas eu lieu", node.StateCancelled: "Annulée", node.StateUnfilled: "Personne trouvé",
	}[s]
}

// stateChip is the colour that goes with the words.
func stateChip(s node.State) string {
	switch s {
	case node.StateOpen, node.StateCovered:
		return "urgent"
	case node.StateAsked, node.StateDraft:
		return "wait"
	case node.StateTold, node.StateDone:
		return "ok"
	}
	return "calm"
}

func statusText(s node.Status) string {
	return map[node.Status]string{
		node.Applicant: "À rencontrer", node.Met: "Rencontré", node.Approved: "Approuvé", node.Suspended: "Suspendu", node.Ended: "Terminé",
	}[s]
}

// stepText is what the button says that leads to a status.
func stepText(s node.Status) string {
	return map[node.Status]string{
		node.Applicant: "Reprendre comme candidat", node.Met: "Nous nous sommes rencontrés", node.Approved: "Approuver",
		node.Suspended: "Suspendre", node.Ended: "Terminer, avec nos remerciements",
	}[s]
}

func whyText(w node.Why) string {
	return map[node.Why]string{
		node.ByHer: "à sa demande", node.ByUs: "de notre fait", node.ByVolunteer: "le bénévole n’est pas venu", node.NotAtHome: "elle n’était pas là",
		node.NobodyFound: "personne trouvé", node.EnteredTwice: "notée deux fois",
	}[w]
}

// obstacleText says why not him.
func obstacleText(o string) string {
	return map[string]string{
		"not-approved": "pas approuvé", "refused-by-her": "elle ne le souhaite pas", "other-kinds": "ne fait pas ce genre d’action",
		"no-car": "sans voiture", "too-far": "plus loin qu’il ne voudrait", "distance-unknown": "distance inconnue", "away": "absent",
		"not-free-then": "pas son moment habituel", "week-is-full": "déjà pris cette semaine", "busy": "attendu ailleurs",
	}[o]
}

// changeText says what a change in a history was. The numbers are command kinds.
func changeText(kind uint8) string {
	text, ok := map[uint8]string{
		3: "Inscription", 4: "Dossier modifié", 5: "Inscription", 6: "Fiche modifiée", 7: "Étape suivante", 9: "Demande enregistrée",
		10: "Demande modifiée", 11: "Demande ouverte", 12: "Question posée", 13: "Accepté", 14: "Refusé", 15: "Désistement",
		16: "Appel", 17: "Clôture", 18: "Fermée", 19: "Action notée après coup", 25: "Import",
	}[kind]
	if !ok {
		return "Changement"
	}
	return text
}

func categoryText(c node.Category) string { return categories[c] }

// categories in the order of their numbers.
var categories = [...]string{
	"Sans catégorie", "Visites", "Lecture", "Promenades", "Courses", "Aide informatique", "Papiers", "Accompagnements", "Appels", "Portage", "Sorties", "Autre",
}

var ageBands = [...]string{"âge inconnu", "moins de 60 ans", "60 à 69 ans", "70 à 74 ans", "75 à 79 ans", "80 à 84 ans", "85 à 89 ans", "90 ans et plus"}

var sexes = [...]string{"non précisé", "femmes", "hommes"}

// kilometres writes metres as people say distances.
func kilometres(metres int) string {
	switch {
	case metres < 0:
		return "distance inconnue"
	case metres < 1500:
		return "tout près"
	}
	return fmt.Sprintf("%d km", (metres+500)/1000)
}

// ago says how long ago a day was.
func ago(d, today node.Day) string {
	switch n := today - d; {
	case n <= 0:
		return "aujourd’hui"
	case n == 1:
		return "hier"
	case n < 14:
		return fmt.Sprintf("il y a %d jours", n)
	case n < 60:
		return fmt.Sprintf("il y a %d semaines", n/7)
	case n < 730:
		return fmt.Sprintf("il y a %d mois", n/30)
	}
	return fmt.Sprintf("il y a %d ans", today.Date().Year()-d.Date().Year())
}

// freeText says a week of half-days: "lundi matin, mardi, jeudi après-midi".
func freeText(week []weekday) string {
	var out []string
	for _, d := range week {
		switch {
		case d.Morning && d.Afternoon:
			out = append(out, d.Name)
		case d.Morning:
			out = append(out, d.Name+" matin")
		case d.Afternoon:
			out = append(out, d.Name+" après-midi")
		}
	}
	return strings.Join(out, ", ")
}
