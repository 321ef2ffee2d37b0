package people_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/node/internal/people"
)

func TestParsePhone(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"pairs", "05 36 49 12 07", "+33536491207"},
		{"dots", "05.36.49.12.07", "+33536491207"},
		{"dashes", "05-36-49-12-07", "+33536491207"},
		{"slashes", "05/36/49/12/07", "+33536491207"},
		{"bare", "0536491207", "+33536491207"},
		{"uneven", " 0536 49 12 07 ", "+33536491207"},
		{"no-break spaces", "05\u00a036\u00a049\u202f12\u202f07", "+33536491207"},
		{"copied from an address book", "\u202a05 36 49 12 07\u202c", "+33536491207"},
		{"international", "+33 5 36 49 12 07", "+33536491207"},
		{"two zeros", "0033 5 36 49 12 07", "+33536491207"},
		{"optional zero", "+33 (0)5 36 49 12 07", "+33536491207"},
		{"optional zero at home", "(0)5 36 49 12 07", "+33536491207"},
		{"code in parentheses", "(+33) 5 36 49 12 07", "+33536491207"},
		{"superfluous zero", "+33 05 36 49 12 07", "+33536491207"},
		{"zero eaten", "536491207", "+33536491207"},
		{"plus eaten", "33536491207", "+33536491207"},
		{"mobile", "06 39 98 12 34", "+33639981234"},
		{"Guadeloupe", "0590 12 34 56", "+590590123456"},
		{"Guadeloupe, mobile", "0690 12 34 56", "+590690123456"},
		{"Guyane", "0594123456", "+594594123456"},
		{"Martinique", "05 96 12 34 56", "+596596123456"},
		{"Réunion", "0262 12 34 56", "+262262123456"},
		{"Réunion, mobile", "0692 12 34 56", "+262692123456"},
		{"Réunion, mobile, 0693", "693123456", "+262693123456"},
		{"Mayotte", "0269 12 34 56", "+262269123456"},
		{"Mayotte, mobile", "0639 12 34 56", "+262639123456"},
		{"overseas under the wrong code", "+33 692 12 34 56", "+262692123456"},
		{"overseas, superfluous zero", "+262 0692 12 34 56", "+262692123456"},
		{"overseas, plus eaten", "262692123456", "+262692123456"},
		{"Belgium", "+32 470 12 34 56", "+32470123456"},
		{"Portugal", "00351 21 234 56 78", "+351212345678"},
		{"United Kingdom, optional zero", "+44 (0)1632 960123", "+441632960123"},
		{"eight digits", "+29912345", "+29912345"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := people.ParsePhone(c.in)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestParsePhoneRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "+", "()", "15", "3949", "05 36 49 12", "05 36 49 12 07 8", "05 36 49 12 07 (fille)", "néant",
		"+33 5 36 49 12", "+33 0036491207", "+0536491207", "+1234567", "+1234567890123456", "05+36491207", "++33536491207",
		"00 00 00 00 00", "0036491207", "05 36 49 12 07 / 06 39 98 12 34", "5,36E+08", "٠٥٣٦٤٩١٢٠٧", strings.Repeat("0536491207", 20),
	} {
		if got, err := people.ParsePhone(in); !errors.Is(err, people.ErrPhone) || got != "" {
			t.Errorf("%q: got %q, %v, want ErrPhone", in, got, err)
		}
	}
}

func TestFormatPhone(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"+33536491207", "05 36 49 12 07"},
		{"+33639981234", "06 39 98 12 34"},
		{"+590590123456", "0590 12 34 56"},
		{"+262692123456", "0692 12 34 56"},
		{"+262123456789", "+262 123 45 67 89"}, // no such subscriber: must not become 01 23 45 67 89
		{"+32470123456", "+32 470 12 34 56"},
		{"+441632960123", "+44 16 32 96 01 23"},
		{"+12025550123", "+1 20 25 55 01 23"},
		{"", ""},
		{"+", "+"},
		{"0536491207", "0536491207"},
		{"+33 5", "+33 5"},
	} {
		if got := people.FormatPhone(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// phones are what ParsePhone may give.
func phones() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		in := rapid.OneOf(
			rapid.StringMatching(`0[1-9][0-9]{8}`),
			rapid.StringMatching(`0(590|690|594|694|596|696|262|263|269|639|692|693)[0-9]{6}`),
			rapid.StringMatching(`\+[1-9][0-9]{7,14}`),
			rapid.StringMatching(`\+(33|262|590|594|596)0?[1-9][0-9]{8}`),
		).Draw(t, "written")
		got, err := people.ParsePhone(in)
		if err != nil {
			return "+33536491207" // "+33" and too few digits
		}
		return got
	})
}

func TestPhoneRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phone := phones().Draw(t, "phone")
		for _, written := range []string{people.FormatPhone(phone), phone} {
			if got, err := people.ParsePhone(written); err != nil || got != phone {
				t.Fatalf("%q: got %q, %v, want %q", written, got, err, phone)
			}
		}
	})
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"05 36 49 12 07", "+33 (0)5 36 49 12 07", "0033", "(0)0", "+262 0692", "\xff", "Zyxwvut"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		phone, err := people.ParsePhone(s)
		if err != nil {
			if err.Error() != people.ErrPhone.Error() || phone != "" {
				t.Fatalf("got %q, %v", phone, err)
			}
			return
		}
		again, err := people.ParsePhone(people.FormatPhone(phone))
		if err != nil || again != phone {
			t.Fatalf("%q: read back %q, %v", phone, again, err)
		}
	})
}

func ExampleFormatPhone() {
	phone, _ := people.ParsePhone("+33 (0)5 36 49 12 07")
	fmt.Println(phone, people.FormatPhone(phone))
	// Output: +33536491207 05 36 49 12 07
}
