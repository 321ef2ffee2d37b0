package synth_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
)

var profiles = []synth.Profile{synth.Start, synth.CommuneProfile, synth.EPCI, synth.Departement}

var today = time.Date(2026, time.November, 24, 9, 0, 0, 0, time.UTC) // a Tuesday

// communes are a few around La Réole, then a grid of made-up ones.
func communes(n int) []synth.Commune {
	list := []synth.Commune{
		{Code: "33352", Name: "La Réole", Population: 4400, Postcodes: []string{"33190"}, Lat: 4458100, Lon: -3600, Located: true},
		{Code: "33289", Name: "Monségur", Population: 1500, Postcodes: []string{"33580"}, Lat: 4465100, Lon: 8000, Located: true},
		{Code: "33187", Name: "Gironde-sur-Dropt", Population: 1200, Postcodes: []string{"33190"}, Lat: 4458200, Lon: -9000, Located: true},
		{Code: "33171", Name: "Fontet", Population: 850, Postcodes: []string{"33190"}, Lat: 4455800, Lon: -2400, Located: true},
		{Code: "33111", Name: "Caudrot", Population: 1200, Postcodes: []string{"33490"}},
	}
	for i := len(list); i < n; i++ {
		list = append(list, synth.Commune{
			Code: fmt.Sprintf("33%03d", 600+i), Name: fmt.Sprint("Commune ", i), Population: 150 + i*37%2200,
			Lat: 4440000 + int32(i%20)*4000, Lon: -60000 + int32(i/20)*6000, Located: true,
		})
	}
	return list[:n]
}

func world(p synth.Profile) *synth.World {
	n := map[synth.Profile]int{synth.Start: 5, synth.CommuneProfile: 1, synth.EPCI: 20, synth.Departement: 300}[p]
	return synth.New(p, 1, communes(n), today)
}

// each runs a test on a world of each profile, built once.
func each(t *testing.T, check func(t *testing.T, w *synth.World, size synth.Size)) {
	t.Helper()
	for _, p := range profiles {
		t.Run(string(p), func(t *testing.T) { check(t, worlds[p], p.Size()) })
	}
}

var worlds = func() map[synth.Profile]*synth.World {
	m := map[synth.Profile]*synth.World{}
	for _, p := range profiles {
		m[p] = world(p)
	}
	return m
}()

func TestParseProfile(t *testing.T) {
	for _, p := range profiles {
		if got, err := synth.ParseProfile(string(p)); got != p || err != nil {
			t.Errorf("ParseProfile(%q) = %q, %v", p, got, err)
		}
	}
	if _, err := synth.ParseProfile("village"); err == nil {
		t.Error("ParseProfile takes an unknown profile")
	}
}

func TestSizes(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, want synth.Size) {
		past := 0
		for range w.Past() {
			past++
		}
		got := synth.Size{Volunteers: len(w.Volunteers), Beneficiaries: len(w.Beneficiaries), PastRequests: past, OpenRequests: len(w.Open())}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestStartIsLaReole(t *testing.T) {
	w := worlds[synth.Start]
	volunteers, beneficiaries := 0, 0
	status := map[string]int{}
	for _, v := range w.Volunteers {
		status[v.Status]++
		if v.CommuneIndex == 0 {
			volunteers++
		}
	}
	for _, b := range w.Beneficiaries {
		if b.CommuneIndex == 0 {
			beneficiaries++
		}
	}
	if volunteers != 26 || beneficiaries != 32 {
		t.Errorf("in the main town got %d and %d, want 26 and 32", volunteers, beneficiaries)
	}
	if status[synth.Approved] != 30 || status[synth.Applicant]+status[synth.Met] != 4 || status[synth.Suspended] != 1 || status[synth.Ended] != 1 {
		t.Errorf("statuses are %v", status)
	}
}

// print writes all that a world says.
func print(out io.Writer, w *synth.World) {
	fmt.Fprintf(out, "%+v\n%+v\n%+v\n", w.Beneficiaries, w.Volunteers, w.Open())
	for q := range w.Past() {
		fmt.Fprintf(out, "%+v\n", q)
	}
}

func sum(w *synth.World) [32]byte {
	h := sha256.New()
	print(h, w)
	return [32]byte(h.Sum(nil))
}

func TestSameSeedSameWorld(t *testing.T) {
	for _, p := range profiles {
		if sum(world(p)) != sum(worlds[p]) {
			t.Errorf("%s: two worlds of one seed differ", p)
		}
	}
	zone := time.FixedZone("CET", 3600)
	at := func(seed uint64, c []synth.Commune, today time.Time) [32]byte {
		return sum(synth.New(synth.Start, seed, c, today))
	}
	first := at(7, communes(5), today)
	if at(7, communes(5), time.Date(2026, time.November, 24, 23, 59, 0, 0, zone)) != first {
		t.Error("the hour or the zone of today changes the world")
	}
	if at(8, communes(5), today) == first {
		t.Error("another seed gives the same world")
	}
	if at(7, communes(4), today) == first {
		t.Error("other communes give the same world")
	}
	if at(7, communes(5), today.AddDate(0, 0, 1)) == first {
		t.Error("another day gives the same world")
	}
}

func TestPastStops(t *testing.T) {
	n := 0
	for range worlds[synth.CommuneProfile].Past() {
		if n++; n == 5 {
			break
		}
	}
	if n != 5 {
		t.Errorf("got %d requests, want 5", n)
	}
}

func TestTimesOfYear(t *testing.T) {
	for day := range 14 { // each weekday, and the end of February of a leap year
		now := time.Date(2028, time.February, 24+day, 12, 0, 0, 0, time.UTC)
		w := synth.New(synth.Start, uint64(day), communes(5), now)
		checkWeeks(t, w, now)
		checkAges(t, w, now)
		first := 0
		if now.Weekday() == time.Sunday {
			first = 1
		}
		states := map[string]bool{}
		visit := false
		for _, q := range w.Open() {
			states[q.State] = true
			visit = visit || q.When.DaysFromToday == first && q.When.Half != "" && q.State == synth.Told
		}
		if !visit || len(states) != 4 {
			t.Errorf("%s: a visit today is %v, states are %v", now.Weekday(), visit, states)
		}
	}
}

// sealed are the ranges kept for fiction.
var sealed = []string{"+3319900", "+3326191", "+3335301", "+3346571", "+3353649", "+3363998"}

func isFiction(number string) bool {
	return len(number) == 12 && slices.ContainsFunc(sealed, func(p string) bool { return strings.HasPrefix(number, p) })
}

func TestPhones(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, _ synth.Size) {
		of := map[string]bool{}
		for _, v := range w.Volunteers {
			of[v.Phone] = true
			if !isFiction(v.Phone) {
				t.Errorf("volunteer has %q", v.Phone)
			}
		}
		for _, b := range w.Beneficiaries {
			for _, p := range b.Phones {
				if !isFiction(p.Number) || of[p.Number] {
					t.Errorf("beneficiary has %q, a volunteer's: %v", p.Number, of[p.Number])
				}
				if p.Label == "fixe" && !strings.HasPrefix(p.Number, "+3353649") {
					t.Errorf("landline in Gironde is %q", p.Number)
				}
			}
			for _, c := range []synth.Contact{b.Emergency, b.Trusted, b.MayAsk} {
				if c != (synth.Contact{}) && (!isFiction(c.Phone) || c.Name == "" || c.Link == "") {
					t.Errorf("contact is %+v", c)
				}
			}
			if len(b.Phones) == 0 || b.Emergency == (synth.Contact{}) {
				t.Error("beneficiary without a phone or somebody to warn")
			}
		}
	})
	for code, want := range map[string]string{
		"75056": "+331", "14118": "+332", "02168": "+333", "69123": "+334", "2A004": "+334", "33352": "+335", "97105": "+335", "97411": "+332",
	} {
		w := synth.New(synth.Start, 3, []synth.Commune{{Code: code, Population: 9000}}, today)
		for _, b := range w.Beneficiaries {
			if p := b.Phones[0]; p.Label == "fixe" && !strings.HasPrefix(p.Number, want) {
				t.Errorf("landline of %s is %s", code, p.Number)
			}
		}
	}
}

func TestPeople(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, size synth.Size) {
		women, approved := 0, 0
		boxes := map[string]bool{}
		for _, b := range w.Beneficiaries {
			if b.Sex == synth.Woman {
				women++
			}
			if (b.Sex == synth.Woman) != (b.Civility == "Mme") || b.First == "" || b.Last == "" || b.Address == "" || b.EnrolledDaysAgo < 8 {
				t.Errorf("beneficiary is %+v", b)
			}
			for _, v := range slices.Concat(b.Preferred, b.Refused) {
				if v < 0 || v >= size.Volunteers || slices.Contains(b.Preferred, v) && slices.Contains(b.Refused, v) {
					t.Errorf("preferred %v, refused %v", b.Preferred, b.Refused)
				}
			}
		}
		if share := 100 * women / size.Beneficiaries; share < 65 || share > 80 {
			t.Errorf("women are %d %%", share)
		}
		for _, v := range w.Volunteers {
			if v.Status == synth.Approved {
				approved++
			}
			if v.MaxPerWeek < 1 || v.MaxPerWeek > 3 || v.Availability == 0 || v.Availability>>14 != 0 || len(v.Kinds) < 2 || v.DaysInStatus < 1 || v.RadiusKm < 1 {
				t.Errorf("volunteer is %+v", v)
			}
			if v.Car != (v.CarText != "") || v.Car != (v.Seats > 0) || !v.Car && slices.Contains(v.Kinds, synth.Ride) {
				t.Errorf("car is %v, %q, %d seats, %v", v.Car, v.CarText, v.Seats, v.Kinds)
			}
			if v.Email != "" {
				plain := strings.Trim(v.Email, "abcdefghijklmnopqrstuvwxyz0123456789-.@") == ""
				if !plain || boxes[v.Email] || !strings.HasSuffix(v.Email, "@exemple.example") {
					t.Errorf("mail address %q, seen before: %v", v.Email, boxes[v.Email])
				}
				boxes[v.Email] = true
			}
		}
		if share := 100 * approved / size.Volunteers; share < 78 || share > 88 {
			t.Errorf("approved are %d %%", share)
		}
		checkAges(t, w, today)
	})
}

func checkAges(t *testing.T, w *synth.World, now time.Time) {
	t.Helper()
	core := 0
	for _, b := range w.Beneficiaries {
		born := time.Date(b.Birth.Year, b.Birth.Month, b.Birth.Day, 0, 0, 0, 0, time.UTC)
		if y, m, d := born.Date(); y != b.Birth.Year || m != b.Birth.Month || d != b.Birth.Day {
			t.Errorf("no such day: %+v", b.Birth)
		}
		age := now.Year() - born.Year()
		if born.AddDate(age, 0, 0).After(now) {
			age--
		}
		if age < 68 || age > 101 {
			t.Errorf("beneficiary is %d, born %+v", age, b.Birth)
		}
		if age >= 78 && age <= 92 {
			core++
		}
	}
	if 100*core/len(w.Beneficiaries) < 55 {
		t.Errorf("only %d of %d are 78 to 92", core, len(w.Beneficiaries))
	}
	for _, v := range w.Volunteers {
		if age := now.Year() - v.BirthYear; age < 19 || age > 79 {
			t.Errorf("volunteer turns %d this year", age)
		}
	}
}

func TestWeeks(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, _ synth.Size) { checkWeeks(t, w, today) })
}

// visit is a gesture of a volunteer in minutes since midnight of today.
type visit struct{ from, to int }

// checkWeeks holds the past and the week ahead to what the package promises.
func checkWeeks(t *testing.T, w *synth.World, now time.Time) {
	t.Helper()
	visits := make([][]visit, len(w.Volunteers))
	weeks := make([]map[int]int, len(w.Volunteers))
	helped := map[[2]int]bool{}
	past := slices.Collect(w.Past())
	for i, q := range slices.Concat(past, w.Open()) {
		isPast := i < len(past)
		if q.BeneficiaryIndex < 0 || q.BeneficiaryIndex >= len(w.Beneficiaries) || q.Kind == "" || q.Minutes <= 0 || q.Km < 0 || q.Km > 100 {
			t.Fatalf("request is %+v", q)
		}
		checkWhen(t, w, q, now, isPast)
		checkVolunteers(t, w, q, now)
		if isPast && i > 0 && q.When.DaysFromToday < past[i-1].When.DaysFromToday {
			t.Errorf("past goes back from %d to %d", past[i-1].When.DaysFromToday, q.When.DaysFromToday)
		}
		if q.When.Half == "" {
			continue
		}
		day := q.When.DaysFromToday
		key := [2]int{q.BeneficiaryIndex, day}
		if helped[key] {
			t.Errorf("two requests of one person on day %d", day)
		}
		helped[key] = true
		monday := (day + 371 + int(now.Weekday()+6)%7) / 7
		for _, v := range q.VolunteerIndexes {
			visits[v] = append(visits[v], visit{day*1440 + q.StartMinute, day*1440 + q.StartMinute + q.Minutes})
			if weeks[v] == nil {
				weeks[v] = map[int]int{}
			}
			if weeks[v][monday]++; weeks[v][monday] > w.Volunteers[v].MaxPerWeek {
				t.Errorf("volunteer %d has %d gestures in a week, offered %d", v, weeks[v][monday], w.Volunteers[v].MaxPerWeek)
			}
		}
	}
	for v, list := range visits {
		slices.SortFunc(list, func(a, b visit) int { return a.from - b.from })
		for i := 1; i < len(list); i++ {
			if list[i].from < list[i-1].to {
				t.Errorf("volunteer %d is booked twice: %v, %v", v, list[i-1], list[i])
			}
		}
	}
}

func checkWhen(t *testing.T, w *synth.World, q synth.Request, now time.Time, past bool) {
	t.Helper()
	on := now.AddDate(0, 0, q.When.DaysFromToday)
	if on.Weekday() == time.Sunday && !q.When.Flexible {
		t.Errorf("request on a Sunday: %+v", q.When)
	}
	noted := now.AddDate(0, 0, -q.AskedDaysAgo).Weekday()
	if noted == time.Saturday || noted == time.Sunday || q.AskedDaysAgo > w.Beneficiaries[q.BeneficiaryIndex].EnrolledDaysAgo {
		t.Errorf("noted on a %s, %d days ago", noted, q.AskedDaysAgo)
	}
	loose := q.When.Week || q.When.Flexible
	dated := q.When.Half == synth.Morning && q.StartMinute < 720 || q.When.Half == synth.Afternoon && q.StartMinute >= 720
	switch {
	case past:
		if q.When.DaysFromToday >= 0 || -q.When.DaysFromToday >= q.AskedDaysAgo || loose || !dated || q.Outcome == "" || q.State != "" {
			t.Errorf("past request is %+v", q)
		}
	case q.When.DaysFromToday < 0 || q.Outcome != "" || loose == dated || loose && (q.State != synth.Open || q.StartMinute != 0):
		t.Errorf("open request is %+v", q)
	}
}

func checkVolunteers(t *testing.T, w *synth.World, q synth.Request, now time.Time) {
	t.Helper()
	switch n := len(q.VolunteerIndexes); {
	case q.Outcome == synth.Unfilled || q.State == synth.Open:
		if n != 0 {
			t.Errorf("nobody should be there: %+v", q)
		}
	case n != q.Needs && !(q.Outcome == synth.Cancelled && n == 0):
		t.Errorf("wants %d volunteers: %+v", q.Needs, q)
	}
	if q.Needs < 1 || q.Needs > 2 || q.Needs == 2 && synth.Mobile(q.Kind) {
		t.Errorf("needs %d for %s", q.Needs, q.Kind)
	}
	weekday := int(now.AddDate(0, 0, q.When.DaysFromToday).Weekday()+6) % 7
	b := w.Beneficiaries[q.BeneficiaryIndex]
	for i, at := range q.VolunteerIndexes {
		v := w.Volunteers[at]
		if !slices.Contains(v.Kinds, q.Kind) || !v.FreeAt(weekday, q.When.Half) || v.Status != synth.Approved ||
			v.DaysInStatus <= -q.When.DaysFromToday || slices.Contains(b.Refused, at) || slices.Contains(q.VolunteerIndexes[:i], at) {
			t.Errorf("volunteer %+v is sent to %+v", v, q)
		}
		if v.CommuneIndex != b.CommuneIndex && !w.Within(v.CommuneIndex, b.CommuneIndex, v.RadiusKm) {
			t.Errorf("volunteer of commune %d is sent to %d", v.CommuneIndex, b.CommuneIndex)
		}
	}
}

func TestShares(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, size synth.Size) {
		n, mobile, pairs := 0, 0, 0
		outcomes, weekdays, kinds := map[string]int{}, map[time.Weekday]int{}, map[string]int{}
		shopping := map[time.Weekday]int{}
		met := map[[2]int]bool{}
		for q := range w.Past() {
			n++
			if synth.Mobile(q.Kind) {
				mobile++
			}
			outcomes[q.Outcome]++
			kinds[q.Kind]++
			on := today.AddDate(0, 0, q.When.DaysFromToday).Weekday()
			weekdays[on]++
			if q.Kind == synth.Shopping {
				shopping[on]++
			}
			if q.Outcome == synth.Done {
				key := [2]int{q.BeneficiaryIndex, q.VolunteerIndexes[0]}
				if met[key] {
					pairs++
				}
				met[key] = true
			}
		}
		t.Logf("%v %v %v, known face %d %%", outcomes, weekdays, kinds, 100*pairs/n)
		if share := 1000 * mobile / n; share < 550 || share > 650 {
			t.Errorf("mobility is %d per thousand", share)
		}
		if weekdays[time.Sunday] != 0 {
			t.Errorf("%d requests on Sundays", weekdays[time.Sunday])
		}
		if n < 3000 { // chance is too loud
			return
		}
		between := func(what string, low, high int) {
			if share := 100 * outcomes[what] / n; share < low || share > high {
				t.Errorf("%s is %d %%, want %d to %d", what, share, low, high)
			}
		}
		between(synth.Done, 84, 92)
		between(synth.Cancelled, 3, 9)
		between(synth.Unfilled, 2, 7)
		between(synth.NotDone, 1, 4)
		if len(kinds) != 12 {
			t.Errorf("kinds asked for are %v", kinds)
		}
		if 100*pairs/n < 40 {
			t.Errorf("a known face came only %d times in %d", pairs, n)
		}
		if burst := shopping[time.Wednesday] + shopping[time.Friday]; 2*burst < kinds[synth.Shopping] {
			t.Errorf("shopping is %v", shopping)
		}
	})
}

// Nothing may say why a person needs help.
var diagnoses = []string{
	"alzheimer", "cancer", "parkinson", "diab", "démence", "demence", "dépress", "depress", "schizo", "hypertens", "arthrose", "infarctus",
	"tumeur", "sclérose", "glaucome", "dmla", "épilep", "chimio", "dialyse", "maladie", "malade", "handicap", "trouble", "psych", "hôpital",
	"médecin", "traitement", "médicament", "kiné", "invalid", "sénil", "gir ", "incontin",
}

func TestNoDiagnosis(t *testing.T) {
	each(t, func(t *testing.T, w *synth.World, _ synth.Size) {
		var all strings.Builder
		print(&all, w)
		text := strings.ToLower(all.String())
		for _, word := range diagnoses {
			if strings.Contains(text, word) {
				t.Errorf("a text says %q", word)
			}
		}
	})
}

func TestUnlocated(t *testing.T) {
	w := synth.New(synth.Start, 5, []synth.Commune{{Code: "33352", Population: 10}, {Code: "33289"}}, today)
	checkWeeks(t, w, today)
}

func BenchmarkDepartement(b *testing.B) {
	c := communes(300)
	b.Run("people", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			synth.New(synth.Departement, 1, c, today)
		}
	})
	w := synth.New(synth.Departement, 1, c, today)
	b.Run("past", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range w.Past() {
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.Open()
		}
	})
}

func TestEnoughWords(t *testing.T) {
	if n := synth.Names(); n < 250 {
		t.Errorf("%d family names", n)
	}
	if n := synth.Streets(); n < 80 {
		t.Errorf("%d streets", n)
	}
}

func TestMetres(t *testing.T) {
	c := communes(2) // about 12 km by the great circle
	if m := synth.Metres(c[0], c[1]); m < 11900 || m > 12300 {
		t.Errorf("La Réole is %d m from Monségur", m)
	}
}
