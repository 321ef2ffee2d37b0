package sheet_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/bippop/bippop/node/internal/sheet"
)

// saved gives a workbook's bytes.
func saved(t testing.TB, f *excelize.File) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := f.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// set puts values into cells, "A1", value, "B1", value.
func set(t testing.TB, f *excelize.File, name string, pairs ...any) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := f.SetCellValue(name, pairs[i].(string), pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
}

// number puts a number into a cell under a format of its own.
func number(t testing.TB, f *excelize.File, at string, value float64, format string) {
	t.Helper()
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err == nil {
		err = errors.Join(f.SetCellValue("Sheet1", at, value), f.SetCellStyle("Sheet1", at, at, style))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// townHall is a register as it is kept: a letterhead over merged cells, dates as serial numbers, telephone numbers as
// numbers, a merge among the rows.
func townHall(t testing.TB) *excelize.File {
	f := excelize.NewFile()
	set(t, f, "Sheet1", "A1", "Commune de La Réole", "A2", "Registre des personnes isolées",
		"A4", "Civilité", "B4", "NOM", "C4", "Prénom", "D4", "Né(e) le", "E4", "Téléphone", "F4", "N° et rue", "G4", "CP", "H4", "Observations",
		"A5", "Mme", "B5", "ÉLIMONT", "C5", "Yvette", "F5", "3 rue des Tilleuls", "H5", "voir sa fille",
		"A6", "M.", "B6", "OSSEVARD", "C6", "Noël")
	number(t, f, "D5", 15412, "dd/mm/yyyy")
	number(t, f, "E5", 536491207, `0#" "##" "##" "##" "##`)
	number(t, f, "G5", 1300, "00000")
	number(t, f, "D6", 15413, `[$-40C]d mmmm yyyy;@`)
	number(t, f, "E6", 6.39981234e8, "General")
	number(t, f, "F6", 5, "0.0")
	for _, m := range [][2]string{{"A1", "H1"}, {"A2", "D2"}, {"H5", "H6"}} {
		if err := f.MergeCell("Sheet1", m[0], m[1]); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func workbook(t testing.TB, raw []byte, name string) (sheet.Table, error) {
	t.Helper()
	return sheet.ReadSheet(bytes.NewReader(raw), name)
}

func TestWorkbook(t *testing.T) {
	table, err := workbook(t, saved(t, townHall(t)), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"5: Mme|ÉLIMONT|Yvette|12/03/1942|0536491207|3 rue des Tilleuls|01300|voir sa fille",
		"6: M.|OSSEVARD|Noël|13/03/1942|639981234|5",
	}
	if got := cells(table); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if table.Charset() != "XLSX" || table.Comma() != 0 || table.Sheet() != "Sheet1" {
		t.Errorf("got %s, %q, %s", table.Charset(), table.Comma(), table.Sheet())
	}
	rows := slices.Collect(sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today))
	for i, want := range []struct{ birth, phone, faults string }{
		{"1942-03-12", "+33536491207", "notes:merged_cells"},
		{"1942-03-13", "+33639981234", "phone:phone_padded notes:merged_cells"},
	} {
		if r := rows[i]; r.Birth.String() != want.birth || !slices.Equal(r.Phones, []string{want.phone}) || spell(r.Faults) != want.faults {
			t.Errorf("row %d: got %s, %d phones, %q, want %v", i, r.Birth, len(r.Phones), spell(r.Faults), want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		format string
		value  float64
		is1904 bool
		want   string
	}{
		{"General", 612345678, false, "612345678"},
		{"General", 33612345678, false, "33612345678"},
		{"0.00E+00", 6.12345678e8, false, "612345678"},
		{"0", 5, false, "5"},
		{"General", 2.5, false, "2,5"},
		{"General", 0.1 + 0.2, false, "0,3"},
		{"00000", 1300, false, "01300"},
		{`0#" "##" "##" "##" "##`, 612345678, false, "0612345678"},
		{"dd/mm/yyyy", 15412, false, "12/03/1942"},
		{"jj/mm/aaaa", 15412, false, "12/03/1942"},
		{"dd/mm/yyyy", 15412.5, false, "12/03/1942 12:00"},
		{"dd/mm/yyyy", 13950, true, "12/03/1942"},
		{"dd/mm/yyyy", 0, true, "01/01/1904"},
		{"dd/mm/yyyy", 1, false, "01/01/1900"},
		{"dd/mm/yyyy", 59, false, "28/02/1900"},
		{"dd/mm/yyyy", 60, false, "29/02/1900"},
		{"dd/mm/yyyy", 61, false, "01/03/1900"},
		{"dd/mm/yyyy", -3, false, "-3"},
		{`# ##0" jours"`, 82, false, "82"},
		{"[Red]0", 82, false, "82"},
		{"h:mm", 82, false, "82"},
	} {
		t.Run(c.format, func(t *testing.T) {
			f := excelize.NewFile()
			if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &c.is1904}); err != nil {
				t.Fatal(err)
			}
			set(t, f, "Sheet1", "A1", "Nom", "B1", "Prénom")
			number(t, f, "A2", c.value, c.format)
			table, err := workbook(t, saved(t, f), "")
			if err != nil {
				t.Fatal(err)
			}
			if got := cells(table); !slices.Equal(got, []string{"2: " + c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestDaysOfSerial asks the library for its opinion on every day since the invented one.
func TestDaysOfSerial(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(61, 73_000).Draw(r, "serial")
		at, err := excelize.ExcelDateToTime(float64(n), false)
		if err != nil {
			r.Fatal(err)
		}
		f := excelize.NewFile()
		set(t, f, "Sheet1", "A1", "Nom", "B1", "Prénom")
		number(t, f, "A2", float64(n), "dd/mm/yyyy")
		table, err := workbook(t, saved(t, f), "")
		if err != nil {
			r.Fatal(err)
		}
		if got := cells(table)[0]; got != "2: "+at.Format("02/01/2006") {
			r.Fatalf("got %s, want %s", got, at.Format("02/01/2006"))
		}
	})
}

// TestTheInventedDay is not read as a date of birth.
func TestTheInventedDay(t *testing.T) {
	f := excelize.NewFile()
	set(t, f, "Sheet1", "A1", "Nom", "B1", "Né(e) le", "A2", "ELIMONT")
	number(t, f, "B2", 60, "dd/mm/yyyy")
	table, err := workbook(t, saved(t, f), "")
	if err != nil {
		t.Fatal(err)
	}
	for row := range sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today) {
		if got := spell(row.Faults); got != "first_name:name_missing birth_date:date_unreadable" {
			t.Errorf("got %q", got)
		}
	}
}

func TestFormulas(t *testing.T) {
	part := `<row r="1"><c r="A1" t="inlineStr"><is><t>Nom</t></is></c><c r="B1" t="inlineStr"><is><r><t>Télé</t></r><r><t>phone</t></r><rPh><t>x</t></rPh></is></c><c r="C1" t="inlineStr"><is><t>Observations</t></is></c></row>
		<row r="2"><c r="A2" t="str"><f>UPPER("x")</f><v>ELIMONT</v></c><c r="B2"><f>1+1</f><v>536491207</v></c><c r="C2"><f>X1</f></c></row>
		<row r="3"><c r="A3" t="str"><f>B2</f><v>OSSEVARD</v></c><c r="B3"><f>B2</f></c></row>
		<row r="4"><c r="A4" t="e"><f>B2</f><v>#REF!</v></c><c r="B4" t="inlineStr"><is><t>=HYPERLINK("http://x")</t></is></c></row>
		<row r="5"><c r="A5" t="inlineStr"><is><t>PRADELAINE_x000D__x0041_</t></is></c><c r="B5" t="b"><v>1</v></c></row>`
	table, err := workbook(t, handMade(t, part, ""), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2: ELIMONT|536491207", "3: OSSEVARD", "4: |=HYPERLINK(\"http://x\")", "5: PRADELAINE\rA|VRAI"}
	if got := cells(table); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var got []string
	for row := range sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today) {
		got = append(got, spell(row.Faults))
	}
	wants := []string{
		"first_name:name_missing phone:phone_padded notes:no_value", "first_name:name_missing phone:no_value!",
		"last_name:no_value! last_name:name_missing! phone:formula!", "first_name:name_missing phone:phone_unreadable",
	}
	if !slices.Equal(got, wants) {
		t.Errorf("got %q, want %q", got, wants)
	}
}

// zipped makes a zip of parts, name and content.
func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	contentTypes = `<Types/>`
	workbookXML  = `<workbook xmlns:r="r"><sheets><sheet name="Un" sheetId="1" r:id="r1"/></sheets></workbook>`
	workbookRels = `<Relationships><Relationship Id="r1" Type="t/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="t/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="t/externalLink" Target="http://127.0.0.1:1/" TargetMode="External"/></Relationships>`
)

// handMade is a workbook of one sheet with these rows.
func handMade(t testing.TB, rows, shared string) []byte {
	return zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.xml", workbookXML, "xl/_rels/workbook.xml.rels", workbookRels,
		"xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+rows+`</sheetData></worksheet>`, "xl/sharedStrings.xml", `<sst>`+shared+`</sst>`,
		"xl/vbaProject.bin", "\xd0\xcf\x11\xe0 a macro")
}

const titlesRow = `<row><c t="inlineStr"><is><t>Nom</t></is></c><c t="inlineStr"><is><t>Prénom</t></is></c></row>`

func TestSheets(t *testing.T) {
	f := excelize.NewFile()
	set(t, f, "Sheet1", "A1", "Mode d'emploi", "A2", "Ne pas effacer")
	for _, name := range []string{"Titres", "Registre", "Archives", "Cachée"} {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		set(t, f, name, "A1", "Nom", "B1", "Prénom")
		if name != "Titres" {
			set(t, f, name, "A2", name+"X")
		}
	}
	if err := f.SetSheetVisible("Cachée", false); err != nil {
		t.Fatal(err)
	}
	raw := saved(t, f)
	for _, c := range []struct {
		ask, want string
		err       error
	}{
		{"", "Registre", nil}, {"Archives", "Archives", nil}, {"Sheet1", "", sheet.ErrNoTitles}, {"Titres", "", sheet.ErrEmpty},
		{"Cachée", "", sheet.ErrNoSheet}, {"Zyx", "", sheet.ErrNoSheet},
	} {
		table, err := workbook(t, raw, c.ask)
		if !errors.Is(err, c.err) || table.Sheet() != c.want {
			t.Errorf("%q: got %q, %v, want %q, %v", c.ask, table.Sheet(), err, c.want, c.err)
		}
		if err == nil && !slices.Equal(table.Sheets(), []string{"Sheet1", "Titres", "Registre", "Archives"}) {
			t.Errorf("got sheets %q", table.Sheets())
		}
	}
}

// manyRows are n rows of cells, no two alike.
func manyRows(n, cells int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<row>")
		for j := range cells {
			fmt.Fprintf(&b, `<c t="inlineStr"><is><t>Exemple de rue %x</t></is></c>`, uint32(i*cells+j)*2654435761)
		}
		b.WriteString("</row>")
	}
	return b.String()
}

// lying changes how large the parts of a zip say they are.
func lying(raw []byte, size uint32) []byte {
	raw = slices.Clone(raw)
	for at := 0; ; at++ {
		i := bytes.Index(raw[at:], []byte("PK\x01\x02"))
		if i < 0 {
			return raw
		}
		at += i
		binary.LittleEndian.PutUint32(raw[at+24:], size)
	}
}

func TestRefusedWorkbooks(t *testing.T) {
	zeros := strings.Repeat("\x00", 10<<20)
	row := `<row><c t="inlineStr"><is><t>ELIMONT</t></is></c></row>`
	wide := titlesRow + `<row>` + strings.Repeat(`<c><v>1</v></c>`, 201) + `</row>`
	blanks := strings.Repeat(" ", 60<<20)
	for _, c := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"docx", zipped(t, "[Content_Types].xml", contentTypes, "_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="word/document.xml"/></Relationships>`, "word/document.xml", "<w/>"), sheet.ErrBinary},
		{"any zip", zipped(t, "photo.jpg", "x"), sheet.ErrBinary},
		{"nothing in a zip", zipped(t), sheet.ErrBinary},
		{"ods", zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), sheet.ErrOldWorkbook},
		{"xlsb", zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.bin", "x"), sheet.ErrOldWorkbook},
		{"cut off", saved(t, townHall(t))[:3000], sheet.ErrBroken},
		{"no sheet", zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.xml", "<workbook/>"), sheet.ErrEmpty},
		{"broken sheet", handMade(t, "<row><c", ""), sheet.ErrBroken},
		{"shared text that is not there", handMade(t, `<row><c t="s"><v>5</v></c></row>`, ""), sheet.ErrBroken},
		{"titles only", handMade(t, titlesRow, ""), sheet.ErrEmpty},
		{"no titles", handMade(t, strings.Repeat(row, 200), ""), sheet.ErrNoTitles},
		{"too wide", handMade(t, wide, ""), sheet.ErrTooWide},
		{"too many rows", handMade(t, titlesRow+manyRows(sheet.MaxRows+1, 1), ""), sheet.ErrTooManyRows},
		{"ten megabytes of zeros, many times over", zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.xml", zeros, "a", zeros, "b", zeros, "c", zeros), sheet.ErrUnpacked},
		{"the same, told to be small", lying(zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.xml", workbookXML, "xl/_rels/workbook.xml.rels", workbookRels, "xl/worksheets/sheet1.xml", titlesRow+blanks), 9000), sheet.ErrBroken},
		{"a sheet of blanks", handMade(t, titlesRow+blanks, ""), sheet.ErrUnpacked},
		{"a list of sheets without end", zipped(t, "[Content_Types].xml", contentTypes, "xl/workbook.xml", "<workbook>"+manyRows(80_000, 1)+"</workbook>"), sheet.ErrUnpacked},
		{"thousands of parts", zipped(t, slices.Repeat([]string{"x", ""}, 2001)...), sheet.ErrUnpacked},
		{"one text in every cell", handMade(t, titlesRow+strings.Repeat(`<row><c t="s"><v>0</v></c></row>`, 2000), "<si><t>"+strings.Repeat("é", 30_000)+"</t></si>"), sheet.ErrUnpacked},
		{"merges without end", handMade(t, titlesRow+strings.Repeat(row, 2000)+strings.Repeat(`<mergeCell ref="A1:B1048576"/>`, 5000), ""), sheet.ErrUnpacked},
		{"cells at the far end of every row", handMade(t, titlesRow+strings.Repeat(`<row><c r="GR2"><v>1</v></c></row>`, 20_000), ""), sheet.ErrUnpacked},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := workbook(t, c.raw, "")
			if !errors.Is(err, c.want) || err != nil && sheet.Code(err) == "" {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	locked := excelize.NewFile()
	set(t, locked, "Sheet1", "A1", "Nom")
	var out bytes.Buffer
	if err := locked.Write(&out, excelize.Options{Password: "zyx"}); err != nil {
		t.Fatal(err)
	}
	if _, err := workbook(t, out.Bytes(), ""); !errors.Is(err, sheet.ErrEncrypted) {
		t.Errorf("locked: got %v", err)
	}
}

// TestPartsOverOneAnother packs one part and points to it many times.
func TestPartsOverOneAnother(t *testing.T) {
	raw := zipped(t, "[Content_Types].xml", strings.Repeat("x<y/>", 100_000))
	end := bytes.LastIndex(raw, []byte("PK\x05\x06"))
	start := bytes.Index(raw, []byte("PK\x01\x02"))
	entry := raw[start:end]
	bomb := slices.Concat(raw[:start], bytes.Repeat(entry, 200), raw[end:])
	tail := bomb[len(bomb)-22:]
	binary.LittleEndian.PutUint16(tail[8:], 200)
	binary.LittleEndian.PutUint16(tail[10:], 200)
	binary.LittleEndian.PutUint32(tail[12:], uint32(200*len(entry)))
	if _, err := workbook(t, bomb, ""); !errors.Is(err, sheet.ErrUnpacked) {
		t.Errorf("got %v", err)
	}
}

// TestMemory: the largest files that are let in stay far below 200 MB.
func TestMemory(t *testing.T) {
	raw := handMade(t, titlesRow+manyRows(49_000, 11), "")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table, err := workbook(t, raw, "")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 100<<20 {
		t.Errorf("%d rows take %d MiB", table.Len(), kept>>20)
	}
}

// TestManyEscapes: a text of escaped characters takes no longer than its length. At
// the square of it this test would not end.
func TestManyEscapes(t *testing.T) {
	var text strings.Builder
	for i := range uint32(1 << 20) {
		fmt.Fprintf(&text, "_x0041_%08x", i*2654435761) // noise, so that it does not pack like a bomb
	}
	table, err := workbook(t, handMade(t, titlesRow+`<row><c t="s"><v>0</v></c></row>`, "<si><t>"+text.String()+"</t></si>"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range table.All() {
		if len(cells[0]) != 9<<20 || !strings.HasPrefix(cells[0], "A00000000A") {
			t.Errorf("%d bytes", len(cells[0]))
		}
	}
}

// TestWorkbookCanary: what is refused, or has faults, says nothing of what it holds.
func TestWorkbookCanary(t *testing.T) {
	const word = "Zyxwvut"
	var said strings.Builder
	for _, part := range []string{
		word, "<row><c " + word, "<row><c t=\"" + word + "\"><v>" + word + "</v></c></row>", `<row><c t="s"><v>` + word + `</v></c></row>`,
		"&" + word + ";", "<!DOCTYPE x [<!ENTITY " + word + " \"x\">]><row>&" + word + ";</row>", `<row r="` + word + `"/>`,
	} {
		for _, raw := range [][]byte{handMade(t, part, ""), handMade(t, titlesRow+part, part), zipped(t, word, word), zipped(t, "[Content_Types].xml", word, "xl/workbook.xml", part)} {
			_, err := workbook(t, raw, word)
			fmt.Fprintln(&said, err)
			_, err = workbook(t, raw, "")
			fmt.Fprintln(&said, err)
		}
	}
	if strings.Contains(said.String(), word) {
		t.Error("a word of the file travels")
	}
}

// TestWriteXLSX: what is written is read again, by us and by the library, and nothing of it is run.
func TestWriteXLSX(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching(`[=+@\-]?[ -~éÉ]{0,12}`), rapid.Just("0536491207"), rapid.Just("=1+1"), rapid.Just("_x0041_"))
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 2), 1, 5).Draw(r, "rows")
		for i := range rows {
			rows[i] = append([]string{"X"}, rows[i]...)
		}
		var out bytes.Buffer
		header := []string{"Nom", "Prénom", "Observations"}
		if err := sheet.WriteXLSX(&out, "Personnes", header, slices.Values(rows)); err != nil {
			r.Fatal(err)
		}
		table, err := workbook(t, out.Bytes(), "Personnes")
		if err != nil {
			r.Fatal(err)
		}
		i := 0
		for _, got := range table.All() {
			for j, want := range rows[i] {
				have := ""
				if j < len(got) {
					have = got[j]
				}
				if strings.TrimSpace(want) == "" {
					want, have = "", strings.TrimSpace(have)
				}
				if have != want {
					r.Fatalf("got %q, want %q", have, want)
				}
			}
			i++
		}
		f, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
		if err != nil {
			r.Fatal(err)
		}
		for line := range rows {
			for _, column := range "ABC" {
				at := fmt.Sprintf("%c%d", column, line+2)
				formula, _ := f.GetCellFormula("Personnes", at)
				kind, _ := f.GetCellType("Personnes", at)
				if formula != "" || kind != excelize.CellTypeInlineString && kind != excelize.CellTypeUnset {
					r.Fatalf("%s is %q, of type %d", at, formula, kind)
				}
				want := rows[line][column-'A']
				if got, err := f.GetCellValue("Personnes", at); err != nil || got != want {
					r.Fatalf("%s: another reader gets %q, %v; want %q", at, got, err, want)
				}
			}
		}
	})
}

// TestWorkbookLooks: the titles are bold and stay in view.
func TestWorkbookLooks(t *testing.T) {
	var out, again bytes.Buffer
	header := slices.Repeat([]string{"Nom"}, 60)
	rows := slices.Values([][]string{{"ELIMONT"}, nil, slices.Repeat([]string{"x\ny\tz"}, 60)})
	for _, w := range []*bytes.Buffer{&out, &again} {
		if err := sheet.WriteXLSX(w, "Bénéficiaires", header, rows); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same rows give other bytes")
	}
	f, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at, want string
		bold     bool
	}{{"A1", "Nom", true}, {"Z1", "Nom", true}, {"AA1", "Nom", true}, {"BH1", "Nom", true}, {"BI1", "", false}, {"A2", "ELIMONT", false}, {"A3", "", false}, {"BH4", "x\ny\tz", false}} {
		style, err := f.GetCellStyle("Bénéficiaires", c.at)
		if err != nil {
			t.Fatal(err)
		}
		looks, err := f.GetStyle(style)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.GetCellValue("Bénéficiaires", c.at)
		if bold := looks.Font != nil && looks.Font.Bold; err != nil || got != c.want || bold != c.bold {
			t.Errorf("%s: got %q, bold %t, %v; want %q, %t", c.at, got, bold, err, c.want, c.bold)
		}
	}
	if panes, err := f.GetPanes("Bénéficiaires"); err != nil || !panes.Freeze || panes.YSplit != 1 || panes.TopLeftCell != "A2" {
		t.Errorf("the titles do not stay in view: %+v, %v", panes, err)
	}
}

// TestWorkbookRefuses: what a workbook cannot hold is an error, and nothing is written.
func TestWorkbookRefuses(t *testing.T) {
	rows := func(cells ...string) [][]string { return [][]string{cells} }
	for _, c := range []struct {
		name, sheet string
		rows        [][]string
		want        error
	}{
		{"a long cell", "x", rows(strings.Repeat("é", 32_768)), sheet.ErrTooLarge},
		{"the longest cell", "x", rows(strings.Repeat("é", 32_767)), nil},
		{"many columns", "x", rows(slices.Repeat([]string{"x"}, 703)...), sheet.ErrTooLarge},
		{"the most columns", "x", rows(slices.Repeat([]string{"x"}, 702)...), nil},
		{"a sheet without a name", "", nil, sheet.ErrNoSheet},
		{"a sheet's name that is no name", "a/b", nil, sheet.ErrNoSheet},
		{"a sheet's long name", strings.Repeat("é", 32), nil, sheet.ErrNoSheet},
		{"a sheet's longest name", strings.Repeat("é", 31), nil, nil},
	} {
		var out bytes.Buffer
		err := sheet.WriteXLSX(&out, c.sheet, []string{"Nom"}, slices.Values(c.rows))
		if !errors.Is(err, c.want) || (err == nil) != (out.Len() > 0) {
			t.Errorf("%s: got %v and %d bytes, want %v", c.name, err, out.Len(), c.want)
			continue
		}
		if err == nil {
			if _, err := excelize.OpenReader(&out); err != nil {
				t.Errorf("%s: another reader: %v", c.name, err)
			}
		}
	}
	full := errors.New("disk is full")
	if err := sheet.WriteXLSX(brokenWriter{full}, "x", []string{"x"}, slices.Values(rows("x"))); !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

// workbookCorpus is what the fuzzer begins with.
func workbookCorpus(t testing.TB) [][]byte {
	return [][]byte{
		saved(t, townHall(t)), handMade(t, titlesRow+`<row><c t="s"><v>0</v></c><c><f>1</f></c></row><mergeCell ref="A1:B2"/>`, "<si><t>ELIMONT</t></si>"),
		zipped(t, "x", "y"),
	}
}

// FuzzSheetXML goes past the zip's checksums, where random bytes die.
func FuzzSheetXML(f *testing.F) {
	f.Add(titlesRow+`<row r="2"><c r="A2" t="s" s="1"><v>0</v></c><c r="B2"><f>1</f></c></row><mergeCells><mergeCell ref="A1:B2"/></mergeCells>`, "<si><r><t>x</t></r><rPh><t>y</t></rPh></si>")
	f.Add(titlesRow+`<row><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="d"><v>1942-03-12</v></c></row>`, "")
	f.Fuzz(func(t *testing.T, rows, shared string) {
		table, err := workbook(t, handMade(t, rows, shared), "")
		if err != nil {
			if sheet.Code(err) == "" {
				t.Fatal("an error that is not of this package")
			}
			return
		}
		for row := range sheet.Rows(table, sheet.Guess(table, sheet.Volunteers), sheet.Volunteers, today) {
			for _, fault := range row.Faults {
				if !slices.Contains(sheet.FaultCodes(), fault.Code) {
					t.Fatalf("code %s is not listed", fault.Code)
				}
			}
		}
	})
}

// largeWorkbook has n people, as a spreadsheet saves them.
func largeWorkbook(t testing.TB, n int) []byte {
	f := excelize.NewFile()
	table := read(t, string(large(n)))
	for i, title := range table.Header() {
		at, _ := excelize.CoordinatesToCellName(i+1, 1)
		set(t, f, "Sheet1", at, title)
	}
	for line, row := range table.All() {
		for i, cell := range row {
			at, _ := excelize.CoordinatesToCellName(i+1, line)
			set(t, f, "Sheet1", at, cell)
		}
	}
	return saved(t, f)
}

// BenchmarkWorkbook reads 10,000 people from an .xlsx to rows.
func BenchmarkWorkbook(b *testing.B) {
	raw := largeWorkbook(b, 10_000)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		table, err := workbook(b, raw, "")
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for range sheet.Rows(table, sheet.Guess(table, sheet.Beneficiaries), sheet.Beneficiaries, today) {
			n++
		}
		if n != 10_000 {
			b.Fatalf("got %d rows, want 10,000", n)
		}
	}
}
