package sheet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/sheet"
)

// TestCanary puts words that exist nowhere else into every cell, in every way that is wrong, and looks for them in
// what travels: errors, faults and mappings.
func TestCanary(t *testing.T) {
	const word = "Zyxwvut"
	bad := []string{word, "=" + word, "+" + word, "- " + word, "@" + word, word + "@", word + " et " + word,
		strings.Repeat(word+" ", 400), "32/13/" + word, "0536" + word, word + "\ufffd", "+79990001122 " + word}
	var titles, out strings.Builder
	for i, c := range sheet.Columns(sheet.Volunteers) {
		if i > 0 {
			titles.WriteByte(';')
		}
		titles.WriteString("T " + string(c))
	}
	titles.WriteString(";Nom;Prénom")
	text := titles.String() + "\n"
	for _, cell := range bad {
		text += strings.Repeat(cell+";", len(sheet.Columns(sheet.Volunteers))) + ";;" + cell + "\n"
	}
	table := read(t, text)
	var mapping sheet.Mapping
	for _, c := range sheet.Columns(sheet.Volunteers) {
		mapping = append(mapping, sheet.Assigned{Header: "T " + string(c), Column: c})
	}
	codes := map[string]bool{}
	for row := range sheet.Rows(table, mapping, sheet.Volunteers, today) {
		fmt.Fprintf(&out, "%v %+v %#v\n", row, row.Faults, row.Faults)
		for _, f := range row.Faults {
			codes[f.Code] = true
		}
	}
	for _, kind := range []sheet.Kind{sheet.Beneficiaries, sheet.Volunteers} {
		fmt.Fprintf(&out, "%+v\n", sheet.Guess(table, kind))
	}
	for _, file := range []string{word, word + ";" + word + "\n", "Nom;Notes\n\"" + word, "<" + word, "Nom;Prénom\n" + word + "\x00", strings.Repeat(word, sheet.MaxBytes/7+1)} {
		_, err := sheet.Read(strings.NewReader(file))
		if err == nil {
			t.Errorf("a file of %d bytes was read", len(file))
		}
		fmt.Fprintln(&out, err)
	}
	for _, s := range []string{word, word + "=" + word, "=" + word} {
		_, err := sheet.ParseMapping(s)
		fmt.Fprintln(&out, err)
	}
	_, err := sheet.Mapping{}.With(sheet.Mapping{{Header: word}})
	fmt.Fprintln(&out, err)
	for _, canary := range []string{word, strings.ToLower(word), "9990001122"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("a cell travels")
		}
	}
	for _, code := range []string{sheet.PhoneUnreadable, sheet.DateUnreadable, sheet.EmailUnreadable, sheet.PostcodeUnreadable, sheet.SexUnreadable,
		sheet.ChoiceUnreadable, sheet.NumberUnreadable, sheet.TooLong, sheet.Formula, sheet.Garbled, sheet.TwoPeople, sheet.NameMissing, sheet.CellsShifted} {
		if !codes[code] {
			t.Errorf("the canary did not sing %s", code)
		}
	}
}
