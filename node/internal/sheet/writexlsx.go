package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What a workbook of ours holds.
const (
	mostCell = 32_767  // characters in one cell, as a workbook's limit is
	mostWide = 26 * 27 // columns with at most two letters
)

// frameParts are what stands around the one sheet of a workbook that we write. The second format of a cell is bold.
var frameParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`},
}

const (
	bookHead = `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<bookViews><workbookView/></bookViews><sheets><sheet name="`
	bookFoot  = `" sheetId="1" r:id="rId1"/></sheets></workbook>`
	sheetHead = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	sheetFoot = `</sheetData></worksheet>`
)

// WriteXLSX writes a workbook of one sheet, with the titles in bold and kept in view. Every cell is text, also one that
// looks like a number or a formula: nothing in it is run. NUL characters are dropped, broken UTF-8 and what XML cannot hold become
// U+FFFD, and nothing is cut: a cell longer than a workbook holds is [ErrTooLarge]. On such an error nothing is written.
// The same rows give the same bytes.
func WriteXLSX(w io.Writer, name string, header []string, rows iter.Seq[[]string]) error {
	if name == "" || utf8.RuneCountInString(name) > 31 || strings.ContainsAny(name, `:\/?*[]'`) {
		return fmt.Errorf("writing workbook: %w", ErrNoSheet)
	}
	var packed bytes.Buffer // nothing that is written to it fails
	z := zip.NewWriter(&packed)
	for _, p := range frameParts {
		io.WriteString(begin(z, p.name), p.text)
	}
	book := begin(z, "xl/workbook.xml")
	io.WriteString(book, bookHead)
	xml.EscapeText(book, []byte(name))
	io.WriteString(book, bookFoot)

	cells := bufio.NewWriter(begin(z, "xl/worksheets/sheet1.xml"))
	cells.WriteString(sheetHead)
	line := 1
	err := writeRow(cells, line, ` s="1"`, header)
	for row := range rows {
		if err != nil {
			break
		}
		line++
		err = writeRow(cells, line, "", row)
	}
	if err != nil {
		return err
	}
	cells.WriteString(sheetFoot)
	cells.Flush()
	z.Close()
	if _, err := packed.WriteTo(w); err != nil {
		return fmt.Errorf("writing workbook: %w", err)
	}
	return nil
}

// begin begins a part, which ends where the next one begins.
func begin(z *zip.Writer, name string) io.Writer {
	w, _ := z.Create(name) // our names are short, and what lies below does not fail
	io.WriteString(w, xml.Header)
	return w
}

// writeRow writes the cells that hold something.
func writeRow(w *bufio.Writer, line int, style string, cells []string) error {
	fmt.Fprintf(w, `<row r="%d">`, line)
	for i, cell := range cells {
		cell = escape(strings.ReplaceAll(strings.ToValidUTF8(cell, "\ufffd"), "\x00", ""))
		if cell == "" {
			continue
		}
		if utf8.RuneCountInString(cell) > mostCell || i >= mostWide {
			return fmt.Errorf("writing workbook, line %d: %w", line, ErrTooLarge)
		}
		fmt.Fprintf(w, `<c r="%s%d"%s t="inlineStr"><is><t xml:space="preserve">`, columnLetters(i), line, style)
		xml.EscapeText(w, []byte(cell))
		w.WriteString("</t></is></c>")
	}
	w.WriteString("</row>")
	return nil
}

// columnLetters names a column as spreadsheets do: A to Z, then AA to ZZ.
func columnLetters(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return string(rune('A'+i/26-1)) + string(rune('A'+i%26))
}

// escaped is what a workbook takes for a character that XML has not.
var escaped = regexp.MustCompile("_x[0-9A-F]{4}_")

// escape makes it stand for itself.
func escape(cell string) string {
	for from := 0; ; {
		at := escaped.FindStringIndex(cell[from:])
		if at == nil {
			return cell
		}
		cell = cell[:from+at[0]] + "_x005F" + cell[from+at[0]:]
		from += at[0] + len("_x005F_")
	}
}
