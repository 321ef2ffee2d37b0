package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/sheet"
)

func write(t interface{ Fatal(...any) }, header []string, rows ...[]string) string {
	var b bytes.Buffer
	if err := sheet.Write(&b, header, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Élimont", "Élimont"},
		{"empty", "", ""},
		{"separator", "a;b", `"a;b"`},
		{"quotation mark", `dit "Lili"`, `"dit ""Lili"""`},
		{"line break", "a\nb", "\"a\nb\""},
		{"spaces around", " a", `" a"`},
		{"French phone", "+33536491207", "05 36 49 12 07"},
		{"overseas phone", "+262692123456", "0692 12 34 56"},
		{"foreign phone", "+32470123456", "'+32470123456"},
		{"formula", "=1+1", "'=1+1"},
		{"plus", "+1+1", "'+1+1"},
		{"minus", "-2", "'-2"},
		{"at", "@SUM(A1)", "'@SUM(A1)"},
		{"tab", "\t=1", "\"'\t=1\""},
		{"carriage return", "\r=1", "\"'\r=1\""},
		{"formula behind spaces", "  =1", "'  =1"},
		{"formula behind an apostrophe", "'=1", "''=1"},
		{"phone behind a dash", "-0536491207", "'-0536491207"},
		{"nul", "a\x00b", "ab"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
	} {
		if got, want := write(t, []string{"Nom", "Zz"}, []string{"x", c.in}), "\ufeffNom;Zz\r\nx;"+c.want+"\r\n"; got != want {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
	if got := write(t, []string{"=Nom", "a;b"}); got != "\ufeff'=Nom;\"a;b\"\r\n" {
		t.Errorf("header: got %q", got)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteSaysThatItCannot(t *testing.T) {
	full := errors.New("disk is full")
	if err := sheet.Write(brokenWriter{full}, []string{"Nom"}, slices.Values([][]string{{"x"}})); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

// TestWriteThenRead is the law of the export: what is written is read back, but for French numbers, which come back as
// people dial them.
func TestWriteThenRead(t *testing.T) {
	cell := rapid.OneOf(
		rapid.StringOf(rapid.RuneFrom(nil, unicode.L, unicode.Nd, unicode.P, unicode.S, unicode.Zs)),
		rapid.StringOf(rapid.SampledFrom([]rune("=+-@';\",|\t\r\n a1é\u00a0"))),
		rapid.SampledFrom([]string{"+33536491207", "+32470123456", "=1+1", "'=1", "05 36 49 12 07"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 1, 20).Draw(t, "rows")
		for i := range want {
			want[i] = append([]string{"ELIMONT"}, want[i]...) // a blank row is a blank line
		}
		table, err := sheet.Read(strings.NewReader(write(t, []string{"Nom", "Prénom", "Tél", "Observations"}, want...)))
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, got := range table.All() {
			for j := range want[i] {
				if phone, err := people.ParsePhone(want[i][j]); err == nil && got[j] == people.FormatPhone(phone) {
					continue
				}
				if got[j] != want[i][j] {
					t.Fatalf("row %d, cell %d: got %q, want %q", i, j, got[j], want[i][j])
				}
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("got %d rows, want %d", i, len(want))
		}
	})
}

// TestNothingWrittenRuns reads as a spreadsheet does: no cell begins with what makes a formula.
func TestNothingWrittenRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.SampledFrom([]rune("=+-@';\"\t\r\n 1a\u00a0"))).Draw(t, "cell")
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(write(t, []string{"Nom", cell}), "\ufeff")))
		r.Comma = ';'
		record, err := r.Read()
		if err != nil || len(record) != 2 {
			t.Fatalf("another reader gets %q, %v", record, err)
		}
		if bare := strings.TrimLeft(record[1], " \u00a0"); bare != "" && strings.ContainsRune("=+-@\t\r\n", rune(bare[0])) {
			t.Fatalf("%q comes out as %q", cell, record[1])
		}
	})
}
