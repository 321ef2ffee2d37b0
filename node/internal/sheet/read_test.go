package sheet_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/sheet"
)

var today = people.Date{Year: 2026, Month: 6, Day: 12}

// small is a table whose every cell is telling.
const small = "Nom;Prénom;Téléphone;Adresse\r\nÉLIMONT;Yvette;05 36 49 12 07;\"3, rue des Tilleuls\"\r\nOSSEVARD;Noël;06 39 98 12 34;\r\n"

func read(t testing.TB, text string) sheet.Table {
	t.Helper()
	table, err := sheet.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func open(t testing.TB, name string) sheet.Table {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := sheet.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// cells lists a table as "line: a|b|c".
func cells(table sheet.Table) []string {
	var out []string
	for line, row := range table.All() {
		out = append(out, fmt.Sprintf("%d: %s", line, strings.Join(row, "|")))
	}
	return out
}

func utf16Text(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func windows1252(t testing.TB, s string) string {
	t.Helper()
	out, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadEncodings(t *testing.T) {
	want := []string{"2: ÉLIMONT|Yvette|05 36 49 12 07|3, rue des Tilleuls", "3: OSSEVARD|Noël|06 39 98 12 34|"}
	for _, c := range []struct{ name, in, charset string }{
		{"UTF-8", small, "UTF-8"},
		{"UTF-8 with mark", "\ufeff" + small, "UTF-8"},
		{"UTF-16, little end first", utf16Text(small, binary.LittleEndian), "UTF-16"},
		{"UTF-16, big end first", utf16Text(small, binary.BigEndian), "UTF-16"},
		{"Windows-1252", windows1252(t, small), "Windows-1252"},
		{"Unix lines", strings.ReplaceAll(small, "\r\n", "\n"), "UTF-8"},
		{"old Mac lines", strings.ReplaceAll(small, "\r\n", "\r"), "UTF-8"},
		{"no last line end", strings.TrimRight(small, "\r\n"), "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := read(t, c.in)
			if got := cells(table); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if table.Charset() != c.charset || table.Comma() != ';' {
				t.Errorf("got %s, %q, want %s, ';'", table.Charset(), table.Comma(), c.charset)
			}
		})
	}
}

func TestReadShapes(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"comma", "Nom,Prénom,Adresse\nELIMONT,Yvette,\"3; rue; des; Tilleuls\"\n", []string{"2: ELIMONT|Yvette|3; rue; des; Tilleuls"}},
		{"semicolon against commas", "Nom;Adresse\nELIMONT;3, rue X\nOSSEVARD;4, rue Y\n", []string{"2: ELIMONT|3, rue X", "3: OSSEVARD|4, rue Y"}},
		{"tab", "Nom\tPrénom\nELIMONT\tYvette\n", []string{"2: ELIMONT|Yvette"}},
		{"bar", "Nom|Prénom\nELIMONT|Yvette\n", []string{"2: ELIMONT|Yvette"}},
		{"comma within a title", "Nom, prénom;Tél;Adresse\nELIMONT Yvette;0536491207;3 rue X\n", []string{"2: ELIMONT Yvette|0536491207|3 rue X"}},
		{"declared", "sep=,\nNom,Prénom\nELIMONT,Yvette\n", []string{"3: ELIMONT|Yvette"}},
		{"letterhead and blank lines", "Registre canicule;;\n;;\n\nÉdité le 12/06;;page 1\nNom;Prénom;Tél\n\n;;\nELIMONT;Yvette;\n", []string{"8: ELIMONT|Yvette|"}},
		{"titles again on page two", "Nom;Prénom\nELIMONT;Yvette\nNom;Prénom\nOSSEVARD;Noël\n", []string{"2: ELIMONT|Yvette", "4: OSSEVARD|Noël"}},
		{"titles over titles", "Identité;;Adresse;\nNom;Prénom;Rue;CP\nELIMONT;Yvette;;\n", []string{"3: ELIMONT|Yvette||"}},
		{"two lines in a cell", "Nom;Notes\nELIMONT;\"a\r\nb\"\nOSSEVARD;c\n", []string{"2: ELIMONT|a\r\nb", "4: OSSEVARD|c"}},
		{"doubled quotation marks", "Nom;Notes\nELIMONT;\"dit \"\"Lili\"\"\"\n", []string{`2: ELIMONT|dit "Lili"`}},
		{"quotation marks around a part", "Nom;Adresse\nELIMONT;\"La Forge\" route X\nOSSEVARD;le \"Moulin\"\n", []string{`2: ELIMONT|"La Forge" route X`, `3: OSSEVARD|le "Moulin"`}},
		{"uneven rows", "Nom;Prénom;Tél\nELIMONT\nOSSEVARD;Noël;;;x\n", []string{"2: ELIMONT", "3: OSSEVARD|Noël|||x"}},
		{"disarmed", "Nom;Notes\nELIMONT;'=1+1\nOSSEVARD;'le grand'\n", []string{"2: ELIMONT|=1+1", "3: OSSEVARD|'le grand'"}},
		{"blank columns without end", "Nom;Prénom" + strings.Repeat(";", 20000) + "\nELIMONT;Yvette\n", []string{"2: ELIMONT|Yvette"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := cells(read(t, c.in)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", sheet.ErrEmpty},
		{"blank", " \r\n \r\n", sheet.ErrEmpty},
		{"titles only", "Nom;Prénom\r\n", sheet.ErrEmpty},
		{"beginning of a workbook", "PK\x03\x04\x14\x00\x06\x00", sheet.ErrBroken},
		{"xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", sheet.ErrOldWorkbook},
		{"locked", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 500) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", sheet.ErrEncrypted},
		{"picture", "\x89PNG\r\n\x1a\n", sheet.ErrBinary},
		{"photograph", "\xff\xd8\xff\xe0abc", sheet.ErrBinary},
		{"pdf", "%PDF-1.7\n", sheet.ErrBinary},
		{"web page called xls", "\n<html><table><tr><td>Nom</td></tr></table>", sheet.ErrBinary},
		{"nul bytes", "Nom;Prénom\nELI\x00MONT;Yvette\n", sheet.ErrBinary},
		{"UTF-16 without mark", "N\x00o\x00m\x00;\x00", sheet.ErrBinary},
		{"no titles", "ELIMONT;Yvette;0536491207\nOSSEVARD;Noël;0639981234\n", sheet.ErrNoTitles},
		{"one title", "Nom;Zyx;Wvu\nELIMONT;1;2\n", sheet.ErrNoTitles},
		{"quotation mark left open", "Nom;Notes\nELIMONT;\"a\nOSSEVARD;b\n", sheet.ErrQuotes},
		{"quotation mark that swallows", "Nom;Notes\nELIMONT;\"a\n" + strings.Repeat("OSSEVARD;b\n", 60) + "PRADELAINE;\"\n", sheet.ErrQuotes},
		{"too wide", "Nom;Prénom" + strings.Repeat(";x", 199) + "\n", sheet.ErrTooWide},
		{"too many rows", "Nom;Prénom\n" + strings.Repeat("ELIMONT;Yvette\n", sheet.MaxRows+1), sheet.ErrTooManyRows},
		{"far too many rows", "Nom;Prénom\n" + strings.Repeat("ELIMONT;Yvette\n", sheet.MaxRows+100), sheet.ErrTooManyRows},
		{"too large", "Nom;Prénom\n" + strings.Repeat("x", sheet.MaxBytes), sheet.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sheet.Read(strings.NewReader(c.in))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	_, err := sheet.Read(strings.NewReader("Nom;Notes\nELIMONT;x\nOSSEVARD;\"a\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") {
		t.Errorf("got %v, want line 3", err)
	}
	broken := errors.New("disk is gone")
	if _, err := sheet.Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestReadTakesAsManyRowsAsItSays(t *testing.T) {
	table := read(t, "Nom;Prénom\n"+strings.Repeat("ELIMONT;Yvette\n", sheet.MaxRows))
	if table.Len() != sheet.MaxRows {
		t.Errorf("got %d rows, want %d", table.Len(), sheet.MaxRows)
	}
	if wide := read(t, "Nom;Prénom"+strings.Repeat(";x", 198)+"\nELIMONT;Yvette\n"); len(wide.Header()) != sheet.MaxColumns {
		t.Errorf("got %d columns, want %d", len(wide.Header()), sheet.MaxColumns)
	}
}

func TestNothingPrintsItself(t *testing.T) {
	table := read(t, small)
	var row sheet.Row
	for row = range sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today) {
		break
	}
	hidden := struct{ table sheet.Table }{table}
	shown := struct {
		Table sheet.Table
		Row   sheet.Row
	}{table, row}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, table)
		fmt.Fprintf(&out, verb, row)
		fmt.Fprintf(&out, verb, &row)
		fmt.Fprintf(&out, verb, hidden)
		fmt.Fprintf(&out, verb, shown)
	}
	for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		log.Info("read", slog.Any("table", table), slog.Any("row", row), slog.Any("both", shown))
	}
	if err := json.NewEncoder(&out).Encode(shown); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"LIMONT", "Yvette", "Tilleuls", "36 49", "36491207"} {
		if strings.Contains(out.String(), word) {
			t.Errorf("%q was printed", word)
		}
	}
	if !strings.Contains(out.String(), "[table]") || !strings.Contains(out.String(), "[row]") {
		t.Error("got neither [table] nor [row]")
	}
}

func TestZeroTable(t *testing.T) {
	var zero sheet.Table
	if zero.Len() != 0 || zero.Header() != nil || cells(zero) != nil || sheet.Guess(zero, sheet.Volunteers).Ignored() != nil {
		t.Error("the zero table is not empty")
	}
}

// FuzzRead reads foreign bytes through to the rows. Whatever they are, an error is one of ours and says nothing of them.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(windows1252(f, small)))
	f.Add([]byte(utf16Text(small, binary.LittleEndian)))
	f.Add([]byte("sep=,\nNom,Notes\n\"a\"\"b\",\"c\nd\"\n"))
	f.Add([]byte("Nom et prénom;Né(e);Âge\nMme Élimont née OSSEVARD et Noël;=1;82\n"))
	f.Add([]byte("Personne à prévenir;;Médecin\nNom;Tél;Tél\n\"\"x;\"\n"))
	for _, name := range []string{"beneficiaires-windows-1252.csv", "benevoles-utf8.csv"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, raw := range workbookCorpus(f) {
		f.Add(raw)
	}
	ours := []error{
		sheet.ErrTooLarge, sheet.ErrTooManyRows, sheet.ErrTooWide, sheet.ErrBinary, sheet.ErrEmpty, sheet.ErrNoTitles, sheet.ErrQuotes,
		sheet.ErrOldWorkbook, sheet.ErrEncrypted, sheet.ErrBroken, sheet.ErrUnpacked,
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, err := sheet.Read(bytes.NewReader(raw))
		if err != nil {
			text := err.Error()
			if at, after, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(at, "line ") && errors.Is(err, sheet.ErrQuotes) {
				text = after
			}
			if !slices.ContainsFunc(ours, func(e error) bool { return e.Error() == text }) {
				t.Fatalf("got %v, which is none of ours", err)
			}
			return
		}
		for _, kind := range []sheet.Kind{sheet.Beneficiaries, sheet.Volunteers} {
			mapping := sheet.Guess(table, kind)
			if len(mapping) != len(table.Header()) {
				t.Fatalf("got %d columns guessed of %d", len(mapping), len(table.Header()))
			}
			n := 0
			for row := range sheet.Rows(table, mapping, kind, today) {
				n++
				if _, ok := row.Cells[sheet.FullName]; ok || !row.Fatal() && row.Cells[sheet.LastName] == "" {
					t.Fatalf("line %d: a row to be kept has no last name, or a full one", row.Line)
				}
			}
			if n != table.Len() {
				t.Fatalf("got %d rows of %d", n, table.Len())
			}
		}
		var out bytes.Buffer
		if err := sheet.Write(&out, table.Header(), rowsOf(table)); err != nil {
			t.Fatal(err)
		}
	})
}

// rowsOf gives a table's rows to Write.
func rowsOf(table sheet.Table) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for _, row := range table.All() {
			if !yield(row) {
				return
			}
		}
	}
}

// large is a file of n people.
func large(n int) []byte {
	var b bytes.Buffer
	b.WriteString("Civilité;NOM;Prénom;Né(e) le;Tél. fixe;Tél. portable;Adresse;CP;Commune;Observations\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Mme;ELIMONT%c%c;Yvette;%d mars %d;05 36 49 %02d %02d;63998%04d;%d rue des Tilleuls;33190;La Réole;\"sonne deux fois ; chien gentil\"\r\n",
			'A'+i%26, 'A'+i/26%26, i%28+1, 1930+i%20, i/100%100, i%100, i%10000, i%90)
	}
	return b.Bytes()
}

// BenchmarkRows reads 10,000 people from bytes to rows.
func BenchmarkRows(b *testing.B) {
	raw := large(10_000)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		table, err := sheet.Read(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for row := range sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today) {
			if !row.Fatal() {
				n++
			}
		}
		if n != 10_000 {
			b.Fatalf("got %d rows, want 10,000", n)
		}
	}
}

// BenchmarkWrite writes 10,000 people.
func BenchmarkWrite(b *testing.B) {
	table, err := sheet.Read(bytes.NewReader(large(10_000)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := sheet.Write(io.Discard, table.Header(), rowsOf(table)); err != nil {
			b.Fatal(err)
		}
	}
}
