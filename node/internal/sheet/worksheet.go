package sheet

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
)

// mark is something about cells of a row that a person must know and that is not in their words.
type mark struct {
	from, to int // columns
	code     string
}

// worksheet is one sheet while it is read.
type worksheet struct {
	*workbook
	records []record
	marks   map[int][]mark // by line
	rec     record
	column  int
	slots   int
	text    int
}

// readWorkbook reads the sheet of that name or, if name is empty, the first in which titles are understood.
func readWorkbook(raw []byte, name string) (Table, error) {
	b, err := openWorkbook(raw)
	if err != nil {
		return Table{}, err
	}
	g := grid{charset: "XLSX"}
	for _, s := range b.sheets {
		g.sheets = append(g.sheets, s.name)
	}
	var first error
	for _, s := range b.sheets {
		if name != "" && s.name != name {
			continue
		}
		g.sheet = s.name
		w := worksheet{workbook: b, marks: map[int][]mark{}}
		if err = w.read(s.part); err == nil {
			err = g.settle(w.records)
		}
		switch {
		case err == nil:
			g.marks = w.marks
			return newTable(g), nil
		case name != "" || !errors.Is(err, ErrNoTitles) && !errors.Is(err, ErrEmpty):
			return Table{}, err
		}
		// Titles over no row are nearer to what is sought than no titles.
		if first == nil || errors.Is(err, ErrEmpty) && len(w.records) > 0 {
			first = err
		}
	}
	if first == nil {
		first = ErrNoSheet
	}
	return Table{}, first
}

// read takes the rows of a sheet, and after them what is merged.
func (w *worksheet) read(part string) error {
	line := 0
	err := w.elements(part, mostSheet, func(e xml.StartElement, d *xml.Decoder) error {
		switch e.Name.Local {
		case "row":
			if err := w.endRow(); err != nil {
				return err
			}
			if n, err := strconv.Atoi(attr(e, "r")); err == nil && n > line {
				line = n
			} else {
				line++
			}
			w.rec, w.column = record{line: line}, -1
		case "c":
			return w.cell(e, d)
		case "mergeCell":
			if err := w.endRow(); err != nil {
				return err
			}
			return w.merged(attr(e, "ref"))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.endRow()
}

func (w *worksheet) endRow() error {
	rec := w.rec
	w.rec = record{}
	switch {
	case rec.wide:
		return ErrTooWide
	case isBlank(rec.cells) && len(w.marks[rec.line]) == 0:
		return nil
	case len(w.records) > MaxRows+titleDepth+1:
		return ErrTooManyRows
	}
	w.slots += len(rec.cells)
	if w.slots > mostSlots {
		return ErrUnpacked
	}
	w.records = append(w.records, rec)
	if len(w.records) == titleDepth+2 {
		if _, known := findTitles(w.records); known < 2 {
			return ErrNoTitles
		}
	}
	return nil
}

// cell reads one cell to its end. The formula is passed over; the value that the spreadsheet last computed counts.
func (w *worksheet) cell(e xml.StartElement, d *xml.Decoder) error {
	w.column++
	if column, _, ok := position(attr(e, "r")); ok {
		w.column = column
	}
	value, formula := "", false
	for {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch x := token.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "f":
				formula = true
				_, err = plainText(d, "f")
			case "v":
				value, err = plainText(d, "v")
			case "is":
				value, err = richText(d, "is")
			}
			if err != nil {
				return err
			}
			continue
		case xml.EndElement:
			if x.Name.Local != "c" {
				continue
			}
		default:
			continue
		}
		break
	}
	return w.put(attr(e, "t"), attr(e, "s"), value, formula)
}

// put writes a value into the row, as the words that a person sees.
func (w *worksheet) put(kind, styled, value string, formula bool) error {
	noValue := value == "" && formula && kind != "str"
	switch kind {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if value == "" {
			break
		}
		if err != nil || n < 0 || n >= len(w.shared) {
			return ErrBroken
		}
		value = w.shared[n]
	case "e":
		noValue, value = true, ""
	case "b":
		value = map[string]string{"1": "VRAI", "0": "FAUX"}[strings.TrimSpace(value)]
	case "str":
		value = unescape(value)
	case "", "n":
		var s style
		if n, err := strconv.Atoi(styled); err == nil && n >= 0 && n < len(w.styles) {
			s = w.styles[n]
		}
		value = w.number(strings.TrimSpace(value), s)
	}
	if w.column >= MaxColumns {
		w.rec.wide = w.rec.wide || strings.TrimSpace(value) != ""
		return nil
	}
	if noValue && len(w.marks[w.rec.line]) < MaxColumns {
		w.marks[w.rec.line] = append(w.marks[w.rec.line], mark{w.column, w.column, NoValue})
	}
	if strings.TrimSpace(value) == "" {
		return nil
	}
	if w.text += len(value); w.text > mostText {
		return ErrUnpacked
	}
	for len(w.rec.cells) <= w.column {
		w.rec.cells = append(w.rec.cells, "")
	}
	w.rec.cells[w.column] = value
	return nil
}

// merged marks every row that a merge touches: its value stands in the first cell only.
func (w *worksheet) merged(ref string) error {
	from, to, _ := strings.Cut(ref, ":")
	left, top, ok1 := position(from)
	right, bottom, ok2 := position(to)
	if !ok1 || !ok2 || len(w.records) == 0 {
		return nil
	}
	bottom = min(bottom, w.records[len(w.records)-1].line)
	if w.slots += 1 + max(0, bottom-top); w.slots > mostSlots {
		return ErrUnpacked
	}
	for line := top; line <= bottom; line++ {
		if len(w.marks[line]) < 20 {
			w.marks[line] = append(w.marks[line], mark{left, min(right, MaxColumns), Merged})
		}
	}
	return nil
}

// plainText is the text up to the end of the element.
func plainText(d *xml.Decoder, end string) (string, error) {
	var text strings.Builder
	for {
		token, err := d.RawToken()
		if err != nil {
			return "", err
		}
		switch x := token.(type) {
		case xml.EndElement:
			if x.Name.Local == end {
				return text.String(), nil
			}
		case xml.CharData:
			text.Write(x)
		}
	}
}

// position reads "AB12" as column 27 of line 12.
func position(ref string) (column, line int, ok bool) {
	i := 0
	for ; i < len(ref) && i < 4 && 'A' <= ref[i] && ref[i] <= 'Z'; i++ {
		column = column*26 + int(ref[i]-'A') + 1
	}
	line, err := strconv.Atoi(ref[i:])
	return column - 1, line, i > 0 && i < 4 && err == nil && line > 0
}
