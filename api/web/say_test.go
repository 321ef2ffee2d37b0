package web

import (
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// tongues speak on Monday, 23 November 2026.
func tongues() (fr, en *tongue, monday node.Day) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	all := learn(func() time.Time { return now })
	return all["fr"], all["en"], node.DayOf(now)
}

// TestDatesAreSaid: days, hours and lengths as people say them in each language.
func TestDatesAreSaid(t *testing.T) {
	fr, en, monday := tongues()
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 24, hour, minute, 0, 0, time.UTC) }
	for _, c := range []struct {
		say    func(w *tongue) string
		fr, en string
	}{
		{func(w *tongue) string { return w.dayText(monday) }, "aujourd’hui", "today"},
		{func(w *tongue) string { return w.dayText(monday + 1) }, "demain", "tomorrow"},
		{func(w *tongue) string { return w.dayText(monday - 1) }, "hier", "yesterday"},
		{func(w *tongue) string { return w.dayText(monday + 8) }, "mardi 1er décembre", "Tuesday 1 December"},
		{func(w *tongue) string { return w.dayText(monday + 39) }, "vendredi 1er janvier 2027", "Friday 1 January 2027"},
		{func(w *tongue) string { return w.hourText(0) }, "0\u00a0h", "12\u00a0am"},
		{func(w *tongue) string { return w.hourText(10 * 60) }, "10\u00a0h", "10\u00a0am"},
		{func(w *tongue) string { return w.hourText(12*60 + 5) }, "12\u00a0h\u00a005", "12:05\u00a0pm"},
		{func(w *tongue) string { return w.hourText(14*60 + 30) }, "14\u00a0h\u00a030", "2:30\u00a0pm"},
		{func(w *tongue) string { return w.startText(at(10, 0)) }, "demain à 10\u00a0h", "tomorrow at 10\u00a0am"},
		{func(w *tongue) string {
			return w.wishText(node.Wish{Kind: node.OnDay, Day: monday + 2, Half: node.Morning})
		}, "mercredi 25 novembre, le matin", "Wednesday 25 November, in the morning"},
		{func(w *tongue) string { return w.wishText(node.Wish{Kind: node.InWeek, Day: monday}) }, "cette semaine", "this week"},
		{func(w *tongue) string { return w.wishText(node.Wish{Kind: node.InWeek, Day: monday + 7}) }, "la semaine prochaine", "next week"},
		{func(w *tongue) string { return w.wishText(node.Wish{Kind: node.InWeek, Day: monday + 14}) }, "la semaine du 7 décembre", "the week of 7 December"},
		{func(w *tongue) string { return w.wishText(node.Wish{Kind: node.Flexible}) }, "quand il convient", "whenever suits"},
		{func(w *tongue) string { return w.lengthText(45) }, "45\u00a0min", "45\u00a0min"},
		{func(w *tongue) string { return w.lengthText(120) }, "2\u00a0h", "2\u00a0h"},
		{func(w *tongue) string { return w.lengthText(90) }, "1\u00a0h\u00a030", "1\u00a0h\u00a030\u00a0min"},
		{func(w *tongue) string { return w.ago(monday - 13) }, "il y a 13 jours", "13 days ago"},
		{func(w *tongue) string { return w.ago(monday - 400) }, "il y a 13 mois", "13 months ago"},
		{func(w *tongue) string { return w.driven(4500) }, "4,5 km", "4.5 km"},
		{func(w *tongue) string { return w.far(900) }, "tout près", "close by"},
		{func(w *tongue) string { return w.freeText(w.weekTable(1 | 1<<2 | 1<<3)) }, "lundi matin, mardi", "Monday morning, Tuesday"},
	} {
		if got := c.say(fr); got != c.fr {
			t.Errorf("%q, not %q", got, c.fr)
		}
		if got := c.say(en); got != c.en {
			t.Errorf("%q, not %q", got, c.en)
		}
	}
}

// TestScripts: what the agent reads aloud, and a kind of action under a name of the
// territory's own.
func TestScripts(t *testing.T) {
	fr, en, monday := tongues()
	seat := func(first, car string) node.Seat {
		var s node.Seat
		s.Answer = node.Yes
		s.Volunteer.Words.First, s.Volunteer.Words.CarText = crypto.NewSecret(first), crypto.NewSecret(car)
		return s
	}
	var n node.News
	n.First, n.State, n.Start = true, node.StateCovered, time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	n.Kind = node.ActionType{Name: "Courses", Icon: "cart"}
	n.Seats = []node.Seat{seat("Paul", "Clio bleue")}
	reads := func(wantFr, wantEn string) {
		t.Helper()
		if got := fr.script(n); got != wantFr {
			t.Errorf("%q", got)
		}
		if got := en.script(n); got != wantEn {
			t.Errorf("%q", got)
		}
	}
	reads("Pour votre demande de courses, nous avons trouvé : Paul (Clio bleue) vient demain à 10\u00a0h. Cela vous convient ?",
		"About the shopping you asked for, we have found someone: Paul (Clio bleue) is coming, tomorrow at 10\u00a0am. Does that suit you?")
	n.First, n.Seats = false, append(n.Seats, seat("", ""))
	n.Kind.Name = "Épicerie solidaire"
	reads("Pour votre demande d’épicerie solidaire, il y a un changement : Paul (Clio bleue) et un bénévole viennent demain à 10\u00a0h. Cela vous convient ?",
		"About the épicerie solidaire you asked for, there is a change: Paul (Clio bleue) and a volunteer are coming, tomorrow at 10\u00a0am. Does that suit you?")
	n.State, n.Seats, n.Wish = node.StateOpen, nil, node.Wish{Kind: node.InWeek, Day: monday}
	reads("Pour votre demande d’épicerie solidaire, cela change : nous cherchons de nouveau quelqu’un, cette semaine, et nous vous rappelons.",
		"About the épicerie solidaire you asked for, there is a change: we are looking for someone again, this week, and we will call you back.")
}

// TestHoursAreRead in either language.
func TestHoursAreRead(t *testing.T) {
	for text, want := range map[string]int{
		"14:30": 870, "14h30": 870, "14 h": 840, "14\u00a0h\u00a030": 870, "9": 540, "2:30 pm": 870, "10 am": 600, "12 pm": 720, "12:15 AM": 15,
		"24": -1, "14 pm": -1, "0 am": -1, "9:60": -1, "": -1, "pm": -1, "matin": -1,
	} {
		got, ok := parseHour(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q reads %d, not %d", text, got, want)
		}
	}
}
