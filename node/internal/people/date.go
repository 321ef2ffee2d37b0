package people

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// ErrDate says that a text is not a date of birth. It never quotes the text.
var ErrDate = errors.New("date cannot be read: write day/month/year, or the year alone")

// Date is a day of the civil calendar, without hour or zone. Month and Day are both zero when only the year is known.
// The zero Date is "not known" and is written "". Dates are comparable with ==.
type Date struct {
	Year  int16 `cbor:"1,keyasint"`
	Month uint8 `cbor:"2,keyasint,omitempty"`
	Day   uint8 `cbor:"3,keyasint,omitempty"`
}

const (
	oldest  = 130 // years: nobody on record reached 123
	adult   = 15  // years: below this a two-digit year means the century before
	dateLen = 64  // bytes of text
)

// ParseDate reads a date of birth as French people write it: "12/03/1941", "12.3.41", "12 mars 1941", "1er mai 1939",
// "née le 12/03/1941", "1941-03-12", "1941", with or without a midnight behind ("12/03/1941 00:00"), and the serial
// number of a spreadsheet (five digits, 1900 system: 15047 is 12 March 1941). The day comes before the month.
//
// A two-digit year is of today's century, or of the one before if that would make the person younger than 15.
// Days that do not exist, days after today and years more than 130 ago are refused. The only error is [ErrDate].
func ParseDate(s string, today Date) (Date, error) {
	if len(s) > dateLen {
		return Date{}, ErrDate
	}
	words, ok := dateWords(withoutMidnight(unaccent.Replace(strings.ToLower(strings.TrimSpace(s)))))
	if !ok {
		return Date{}, ErrDate
	}
	d, ok := readDate(words, today)
	if !ok || !d.valid() || d.IsZero() || yearsBetween(d, today) > oldest || isAfter(d, today) {
		return Date{}, ErrDate
	}
	return d, nil
}

// IsZero says that nothing is known, not even the year.
func (d Date) IsZero() bool { return d == Date{} }

// Age is in completed years at today, never negative. When only the year is known it is the age reached in that year.
func (d Date) Age(today Date) int { return max(0, yearsBetween(d, today)) }

// String is the ISO 8601 form: "1941-03-12", or "1941" when only the year is known, or "".
func (d Date) String() string {
	switch {
	case d.IsZero():
		return ""
	case d.Month == 0 && d.Day == 0:
		return fmt.Sprintf("%04d", d.Year)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// MarshalText gives String, or ErrDate for a date that does not exist.
func (d Date) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, ErrDate
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText wrote, and nothing else.
func (d *Date) UnmarshalText(text []byte) error {
	s := string(text)
	var got Date
	switch len(s) {
	case 0:
	case 4, 10:
		got.Year = int16(smallNumber(s[:4]))
		if len(s) == 10 {
			got.Month, got.Day = uint8(smallNumber(s[5:7])), uint8(smallNumber(s[8:10]))
		}
	}
	if !got.valid() || got.String() != s {
		return ErrDate
	}
	*d = got
	return nil
}

// valid says that the day exists. The zero Date and a bare year are valid.
func (d Date) valid() bool {
	if d.Month == 0 && d.Day == 0 {
		return d.IsZero() || d.Year > 0 && d.Year <= 9999
	}
	if d.Year <= 0 || d.Year > 9999 || d.Month < 1 || d.Month > 12 || d.Day < 1 {
		return false
	}
	// Day 0 of the next month is the last of this one.
	last := time.Date(int(d.Year), time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return int(d.Day) <= last
}

// isAfter compares by year alone when one of the two is known no better.
func isAfter(d, e Date) bool {
	if d.Year != e.Year || d.Month == 0 || e.Month == 0 {
		return d.Year > e.Year
	}
	return d.Month > e.Month || d.Month == e.Month && d.Day > e.Day
}

// yearsBetween counts completed years from d to today; negative when d is later.
func yearsBetween(d, today Date) int {
	years := int(today.Year) - int(d.Year)
	if d.Month != 0 && today.Month != 0 && (d.Month > today.Month || d.Month == today.Month && d.Day > today.Day) {
		years--
	}
	return years
}

// readDate knows the shapes; the caller checks that the day exists.
func readDate(words []string, today Date) (Date, bool) {
	switch len(words) {
	case 1:
		switch w := words[0]; {
		case len(w) == 4 && isNumber(w):
			return Date{Year: int16(smallNumber(w))}, true
		case len(w) == 5 && isNumber(w):
			return serialDate(smallNumber(w))
		}
	case 3:
		if len(words[0]) == 4 {
			return dayOf(words[2], words[1], words[0], today)
		}
		return dayOf(words[0], words[1], words[2], today)
	}
	return Date{}, false
}

func dayOf(day, month, year string, today Date) (Date, bool) {
	d := Date{Month: monthOf(month)}
	if d.Month == 0 || len(day) > 2 || !isNumber(day) || !isNumber(year) {
		return Date{}, false
	}
	d.Day = uint8(smallNumber(day))
	if d.Day == 0 {
		return Date{}, false
	}
	d.Year = int16(smallNumber(year))
	switch len(year) {
	case 4:
	case 2:
		d.Year += today.Year / 100 * 100
		if yearsBetween(d, today) < adult {
			d.Year -= 100
		}
	default:
		return Date{}, false
	}
	return d, true
}

// serialDate counts days from 30 December 1899, which is how the 1900 system comes out for every day after its
// invented 29 February 1900. Five digits begin at 18 May 1927; shorter ones would be taken for years.
func serialDate(n int) (Date, bool) {
	if n < 10_000 {
		return Date{}, false
	}
	t := time.Date(1899, time.December, 30+n, 0, 0, 0, 0, time.UTC)
	return Date{Year: int16(t.Year()), Month: uint8(t.Month()), Day: uint8(t.Day())}, true
}

// unaccent is for lower case, composed or not.
var unaccent = strings.NewReplacer("é", "e", "è", "e", "ê", "e", "û", "u", "ù", "u", "\u0301", "", "\u0300", "", "\u0302", "")

// withoutMidnight cuts the "00:00:00" that exports hang on a day.
func withoutMidnight(s string) string {
	colon := strings.IndexByte(s, ':')
	if colon < 0 {
		return s
	}
	i := strings.LastIndexAny(s[:colon], " t")
	if i < 0 || strings.Trim(s[i+1:], "0:.z") != "" {
		return s
	}
	return s[:i]
}

// dateWords cuts into runs of digits and runs of letters, and drops the words that only introduce a date.
func dateWords(s string) ([]string, bool) {
	const none, digit, letter = 0, 1, 2
	var words []string
	before := none
	for _, r := range s {
		class := none
		switch {
		case '0' <= r && r <= '9':
			class = digit
		case 'a' <= r && r <= 'z':
			class = letter
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), strings.ContainsRune("/.,-–'()", r):
		default:
			return nil, false
		}
		if class != none && class != before {
			words = append(words, "")
		}
		if class != none {
			words[len(words)-1] += string(r)
		}
		before = class
	}
	for len(words) > 0 && isLeadIn(words[0]) {
		words = words[1:]
	}
	if len(words) > 1 && words[0] == "1" && words[1] == "er" {
		words = append(words[:1:1], words[2:]...)
	}
	return words, true
}

func isLeadIn(w string) bool {
	switch w {
	case "le", "en", "ne", "nee", "e", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche":
		return true
	}
	return false
}

// monthOf takes a number or a French name, whole or shortened as spreadsheets do; 0 if it is neither.
func monthOf(w string) uint8 {
	if isNumber(w) {
		if len(w) > 2 {
			return 0
		}
		return uint8(smallNumber(w))
	}
	switch w {
	case "janvier", "janv", "jan":
		return 1
	case "fevrier", "fevr", "fev":
		return 2
	case "mars", "mar":
		return 3
	case "avril", "avr":
		return 4
	case "mai":
		return 5
	case "juin":
		return 6
	case "juillet", "juil":
		return 7
	case "aout":
		return 8
	case "septembre", "sept", "sep":
		return 9
	case "octobre", "oct":
		return 10
	case "novembre", "nov":
		return 11
	case "decembre", "dec":
		return 12
	}
	return 0
}

func isNumber(w string) bool { return w != "" && strings.Trim(w, "0123456789") == "" }

// smallNumber is for at most five digits; the callers have counted them. What is not a digit counts as 0: the callers
// that have not looked compare the outcome with the text.
func smallNumber(w string) int {
	n := 0
	for i := range len(w) {
		if '0' <= w[i] && w[i] <= '9' {
			n = n*10 + int(w[i]-'0')
		} else {
			n *= 10
		}
	}
	return n
}
