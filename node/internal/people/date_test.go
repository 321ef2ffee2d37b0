package people_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/node/internal/people"
)

var today = people.Date{Year: 2026, Month: 6, Day: 12}

func TestParseDate(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     people.Date
	}{
		{"slashes", "12/03/1941", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"two-digit year", "12-3-41", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"dots", "1.9.38", people.Date{Year: 1938, Month: 9, Day: 1}},
		{"spaces", " 12 03 1941 ", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"year", "1941", people.Date{Year: 1941}},
		{"words", "12 mars 1941", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"capitals", "12 FÉVRIER 1941", people.Date{Year: 1941, Month: 2, Day: 12}},
		{"decomposed", "12 aou\u0302t 1941", people.Date{Year: 1941, Month: 8, Day: 12}},
		{"first", "1er mai 1939", people.Date{Year: 1939, Month: 5, Day: 1}},
		{"shortened", "12-déc.-41", people.Date{Year: 1941, Month: 12, Day: 12}},
		{"with its sentence", "née le mercredi 12 mars 1941", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"ISO", "1941-03-12", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"midnight", "12/03/1941 00:00:00", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"ISO midnight", "1941-03-12T00:00:00.000Z", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"serial", "15047", people.Date{Year: 1941, Month: 3, Day: 12}},
		{"first serial", "10000", people.Date{Year: 1927, Month: 5, Day: 18}},
		{"leap day", "29/02/1940", people.Date{Year: 1940, Month: 2, Day: 29}},
		{"fifteen today", "12/06/11", people.Date{Year: 2011, Month: 6, Day: 12}},
		{"fifteen tomorrow", "13/06/11", people.Date{Year: 1911, Month: 6, Day: 13}},
		{"future otherwise", "01/01/27", people.Date{Year: 1927, Month: 1, Day: 1}},
		{"today", "12/06/2026", today},
		{"no-break space", "12\u00a0mars\u00a01941", people.Date{Year: 1941, Month: 3, Day: 12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := people.ParseDate(c.in, today)
			if err != nil || got != c.want {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, in := range []string{
		"", "-", "31/02/1941", "29/02/1941", "00/03/1941", "12/00/1941", "12/13/1941", "03/25/1941", "32 mars 1941",
		"13/06/2026", "2027", "01/01/2100", "0000", "1014", "12/03/1841", "41", "12/03", "mars 1941", "12/03/941", "12 brumaire 1941",
		"12/03/1941 14:30", "09999", "99999", "1/2/3/1941", "1941-mars", "vers 1941", "82 ans", "12 mars 1941 ?", "٠١/٠١/١٩٤١",
	} {
		if got, err := people.ParseDate(in, today); !errors.Is(err, people.ErrDate) || !got.IsZero() {
			t.Errorf("%q: got %v, %v, want ErrDate", in, got, err)
		}
	}
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		birth people.Date
		want  int
	}{
		{people.Date{Year: 1941, Month: 6, Day: 12}, 85},
		{people.Date{Year: 1941, Month: 6, Day: 13}, 84},
		{people.Date{Year: 1941}, 85},
		{people.Date{Year: 2030}, 0},
	} {
		if got := c.birth.Age(today); got != c.want {
			t.Errorf("%v: got %d, want %d", c.birth, got, c.want)
		}
	}
}

func TestDateText(t *testing.T) {
	for _, in := range []string{"31-12-1941", "1941-3-12", "1941-02-30", "1941-00-00", "1941-03", "0000", "19x1", "1941-03-1x", "1941-03-12 ", "+941"} {
		d := today
		if err := d.UnmarshalText([]byte(in)); !errors.Is(err, people.ErrDate) || d != today {
			t.Errorf("%q: got %v, %v, want ErrDate and no change", in, d, err)
		}
	}
	if text, err := (people.Date{Year: 1941, Month: 2, Day: 30}).MarshalText(); err == nil {
		t.Errorf("got %q for a day that does not exist, want an error", text)
	}
}

// dates are days that exist, bare years, and the zero Date.
func dates() *rapid.Generator[people.Date] {
	return rapid.Custom(func(t *rapid.T) people.Date {
		day := time.Date(rapid.IntRange(1, 9999).Draw(t, "year"), 1, rapid.IntRange(1, 365).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		switch rapid.IntRange(0, 9).Draw(t, "known") {
		case 0:
			return people.Date{}
		case 1:
			return people.Date{Year: int16(day.Year())}
		}
		return people.Date{Year: int16(day.Year()), Month: uint8(day.Month()), Day: uint8(day.Day())}
	})
}

func TestDateTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := dates().Draw(t, "date")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := today
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Fatalf("%s: got %v, %v, want %v", text, got, err, want)
		}
	})
}

// TestDateFormsAgree writes one day in every form.
func TestDateFormsAgree(t *testing.T) {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	months := []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	rapid.Check(t, func(t *rapid.T) {
		serial := rapid.IntRange(10_000, 40_000).Draw(t, "serial") // to 2009: older than 15
		day := epoch.AddDate(0, 0, serial)
		want := people.Date{Year: int16(day.Year()), Month: uint8(day.Month()), Day: uint8(day.Day())}
		forms := []string{
			fmt.Sprint(serial), day.Format("2006-01-02"), day.Format("02/01/2006"), day.Format("2.1.2006"),
			fmt.Sprintf("%d %s %d", day.Day(), months[day.Month()-1], day.Year()),
		}
		if day.Year() >= 1927 && day.Year() < 2000 {
			forms = append(forms, day.Format("02-01-06"))
		}
		for _, form := range forms {
			if got, err := people.ParseDate(form, today); err != nil || got != want {
				t.Fatalf("%q: got %v, %v, want %v", form, got, err, want)
			}
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"12/03/1941", "1er mai 1939", "15047", "29/02/00", "née le", "1941-03-12T00:00:00", "\xff", "Zyxwvut"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := people.ParseDate(s, today)
		if err != nil {
			if err.Error() != people.ErrDate.Error() || !d.IsZero() {
				t.Fatalf("got %v, %v", d, err)
			}
			return
		}
		again, err := people.ParseDate(d.String(), today)
		if err != nil || again != d || d.Age(today) > 130 {
			t.Fatalf("%v: read back %v, %v", d, again, err)
		}
	})
}
