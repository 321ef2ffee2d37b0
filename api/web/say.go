package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bippop/bippop/node"
)

// entry says one entry of a table of area say: "state", "month", "category".
// Tables are keyed by the numbers of the node, or by its codes.
func (w *tongue) entry(table string, key any) string {
	return w.t(fmt.Sprintf("say.%s.%v", table, key))
}

// dayText says a day as people do: "aujourd’hui", "demain", "mardi 24 novembre".
func (w *tongue) dayText(d node.Day) string {
	switch d - w.today() {
	case 0:
		return w.t("say.today")
	case 1:
		return w.t("say.tomorrow")
	case -1:
		return w.t("say.yesterday")
	}
	return w.dateText(d)
}

// dateText names the day itself, with the year only when it is another one.
func (w *tongue) dateText(d node.Day) string {
	t, year := d.Date(), 0
	if t.Year() != w.today().Date().Year() {
		year = t.Year()
	}
	return w.t("say.date", "Weekday", w.entry("weekday", int(t.Weekday())), "Day", t.Day(), "Month", w.month(t.Month()), "Year", year)
}

func (w *tongue) month(m time.Month) string { return w.entry("month", int(m)) }

// hourText says "10 h" or "14 h 30", with no-break spaces.
func (w *tongue) hourText(minute int) string {
	hour, past := minute/60, ""
	if minute%60 != 0 {
		past = fmt.Sprintf("%02d", minute%60)
	}
	return w.t("say.hour", "H", hour, "H12", (hour+11)%12+1, "M", past)
}

func (w *tongue) clockText(t time.Time) string { return w.hourText(t.Hour()*60 + t.Minute()) }

// wishText says when she would like it.
func (w *tongue) wishText(wish node.Wish) string {
	switch wish.Kind {
	case node.OnDay:
		day := w.dayText(wish.Day)
		switch {
		case wish.Minute > 0:
			return w.t("say.start", "Day", day, "Hour", w.hourText(int(wish.Minute)))
		case wish.Half == node.Morning:
			return w.t("say.in_morning", "Day", day)
		case wish.Half == node.Afternoon:
			return w.t("say.in_afternoon", "Day", day)
		}
		return day
	case node.InWeek:
		switch wish.Day - node.WeekOf(w.today()) {
		case 0:
			return w.t("say.this_week")
		case 7:
			return w.t("say.next_week")
		}
		t := wish.Day.Date()
		return w.t("say.week_of", "Day", t.Day(), "Month", w.month(t.Month()))
	}
	return w.t("say.flexible")
}

// startText says a fixed moment: "mardi 24 novembre à 10 h".
func (w *tongue) startText(t time.Time) string {
	return w.t("say.start", "Day", w.dayText(node.DayOf(t)), "Hour", w.clockText(t))
}

// lengthText says minutes as people do: "1 h 30", "45 min".
func (w *tongue) lengthText(minutes int) string {
	switch {
	case minutes < 60:
		return w.t("say.minutes", "N", minutes)
	case minutes%60 == 0:
		return w.t("say.hours", "N", minutes/60)
	}
	return w.t("say.hours_minutes", "Hours", minutes/60, "Minutes", fmt.Sprintf("%02d", minutes%60))
}

// elided is the French "de" or "d’" before a word.
func elided(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	if strings.ContainsRune("aeiouyhàâéèêëîïôùûAEIOUYHÀÂÉÈÊËÎÏÔÙÛ", r) {
		return "d’"
	}
	return "de "
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

// feminine is the French ending of words about her: when the civility does not
// say, they are in the feminine, as most who call are women and the desk hears who
// speaks. Messages get it as E, and by it choose between "elle" and "il".
func feminine(w node.BeneficiaryWords) string {
	if man(w.Civility) {
		return ""
	}
	return "e"
}

func man(civility node.Secret) bool {
	c := strings.ToLower(strings.TrimSuffix(civility.Reveal(), "."))
	return c == "m" || c == "mr" || c == "monsieur"
}

// kindName names a kind of action. It is the territory's own word; one that still
// has the name that every territory starts with is said in each language.
func (w *tongue) kindName(t node.ActionType) string {
	if key := "kinds." + t.Icon; t.Name == w.first.t(key) {
		return w.t(key)
	}
	return t.Name
}

// script is what the agent reads aloud for one piece of news.
func (w *tongue) script(n node.News) string {
	what := lower(w.kindName(n.Kind))
	read := func(key string, pairs ...any) string {
		return w.t("say.script."+key, append(pairs, "What", what, "Of", elided(what))...)
	}
	switch {
	case n.State == node.StateCovered || n.State == node.StateTold:
		key := "changed"
		if n.First {
			key = "found"
		}
		return read(key, "N", len(n.Coming()), "Who", w.comers(n.Coming()), "When", w.startText(n.Start))
	case n.State == node.StateUnfilled:
		return read("unfilled")
	case n.State == node.StateCancelled && n.Believes.Start != 0:
		return read("cancelled")
	case n.State == node.StateCancelled:
		return read("declined")
	}
	if n.Across && n.State.Looking() {
		return read("across")
	}
	for _, s := range n.Seats {
		if s.Answer == node.Withdrawn && contains(n.Believes.Coming, s.Asking.Volunteer) {
			return read("withdrawn")
		}
	}
	return read("again", "When", w.wishText(n.Wish))
}

// comers are the first names, with the car where there is one: what she will see
// from her window.
func (w *tongue) comers(seats []node.Seat) string {
	var out []string
	for _, s := range seats {
		name := s.Volunteer.Words.First.Reveal()
		if name == "" {
			name = w.t("say.somebody")
		}
		if car := s.Volunteer.Words.CarText.Reveal(); car != "" {
			name += " (" + car + ")"
		}
		out = append(out, name)
	}
	return w.together(out)
}

// together joins names: "Paul et Jeanne".
func (w *tongue) together(names []string) string {
	return strings.Join(names, " "+w.t("say.and")+" ")
}

// stateText names where a request stands, as the desk says it about her.
func (w *tongue) stateText(s node.State, her node.BeneficiaryWords) string {
	return w.t(fmt.Sprintf("say.state.%d", s), "E", feminine(her))
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

// changeText says what a change in a history was. The numbers are command kinds;
// entry 0 is said of those that have none.
func (w *tongue) changeText(kind uint8) string {
	if !w.knows(fmt.Sprintf("say.change.%d", kind)) {
		kind = 0
	}
	return w.entry("change", kind)
}

// far writes metres as people say distances.
func (w *tongue) far(metres int) string {
	switch {
	case metres < 0:
		return w.t("say.far_unknown")
	case metres < 1500:
		return w.t("say.close_by")
	}
	return w.t("say.kilometres", "Km", (metres+500)/1000)
}

// nearby says how far it is to somebody whose commune alone is told.
func nearby(w *tongue, metres int) string {
	switch {
	case metres == 0:
		return w.t("helping.same_commune")
	case metres < 1500:
		return w.far(metres)
	}
	return w.t("helping.about_far", "Far", w.far(metres))
}

// driven writes metres to a tenth of a kilometre.
func (w *tongue) driven(metres uint32) string {
	return w.t("say.kilometres", "Km", strings.Replace(fmt.Sprintf("%.1f", float64(metres)/1000), ".", w.t("say.decimal"), 1))
}

// ago says how long ago a day was.
func (w *tongue) ago(d node.Day) string {
	switch n := int(w.today() - d); {
	case n <= 0:
		return w.t("say.today")
	case n == 1:
		return w.t("say.yesterday")
	case n < 14:
		return w.t("say.days_ago", "N", n)
	case n < 60:
		return w.t("say.weeks_ago", "N", n/7)
	case n < 730:
		return w.t("say.months_ago", "N", n/30)
	}
	return w.t("say.years_ago", "N", w.today().Date().Year()-d.Date().Year())
}

// weekday is one day of the week table.
type weekday struct {
	Name               string
	Morning, Afternoon bool
	Number             int // of its morning, as weekOf reads it
}

// weekTable is a week of half-days, Monday first.
func (w *tongue) weekTable(week node.Week) (out []weekday) {
	for i := range 7 {
		out = append(out, weekday{w.entry("weekday", (i+1)%7), week&(1<<(2*i)) != 0, week&(1<<(2*i+1)) != 0, 2 * i})
	}
	return out
}

// freeText says a week of half-days: "lundi matin, mardi, jeudi après-midi".
func (w *tongue) freeText(week []weekday) string {
	var out []string
	for _, d := range week {
		switch {
		case d.Morning && d.Afternoon:
			out = append(out, d.Name)
		case d.Morning:
			out = append(out, w.t("say.morning", "Day", d.Name))
		case d.Afternoon:
			out = append(out, w.t("say.afternoon", "Day", d.Name))
		}
	}
	return strings.Join(out, ", ")
}

// born is a date of birth as people write it, the day first, or the year alone.
func born(birth node.Secret) string {
	if t, err := time.Parse(time.DateOnly, birth.Reveal()); err == nil {
		return t.Format("02/01/2006")
	}
	return birth.Reveal()
}

// iso says a day that the federation writes as 2026-11-22.
func iso(w *tongue, day string) string {
	d, ok := node.ParseDay(day)
	if !ok {
		return day
	}
	return w.fullDate(d)
}
