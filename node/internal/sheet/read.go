package sheet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/bippop/bippop/node/internal/people"
)

// What a file may hold. A département has 6,090 beneficiaries; its heat register at 2.5 % has 12,500 people.
const (
	MaxBytes   = 8 << 20
	MaxColumns = 200
	MaxRows    = 50_000
)

// What is wrong with a file as a whole. The texts say what to do and never quote the file.
var (
	ErrTooLarge    = errors.New("file is larger than 8 MiB: split it and import the parts")
	ErrTooManyRows = errors.New("file has more than 50,000 rows: split it and import the parts")
	ErrTooWide     = errors.New("file has more than 200 columns: keep those that describe people")
	ErrBinary      = errors.New("file is a document or a picture, not a table: save the table as a workbook (.xlsx) or as CSV")
	ErrOldWorkbook = errors.New("file is a workbook of an older or another program (.xls, .xlsb, .ods): open it and save it as .xlsx or as CSV")
	ErrEncrypted   = errors.New("workbook is locked with a password: open it, take the password off, save it and try again")
	ErrBroken      = errors.New("workbook is damaged or not whole: open it, save it under another name and try again")
	ErrUnpacked    = errors.New("workbook unpacks to more than is read here: copy the sheet of people into a new workbook, or save it as CSV")
	ErrNoSheet     = errors.New("workbook has no visible sheet of that name: choose one of those that it has")
	ErrEmpty       = errors.New("file holds no rows under its line of titles")
	ErrNoTitles    = errors.New("file has no line of titles that is understood: name at least two columns above the rows, for example Nom and Téléphone")
	ErrQuotes      = errors.New("a quotation mark opens a cell and does not close it: remove it in the spreadsheet and save again")
)

// errorCodes name the errors of this file for programs and dictionaries.
var errorCodes = []struct {
	err  error
	code string
}{
	{ErrTooLarge, "file-too-large"}, {ErrTooManyRows, "too-many-rows"}, {ErrTooWide, "too-many-columns"}, {ErrBinary, "not-a-table"},
	{ErrOldWorkbook, "old-workbook"}, {ErrEncrypted, "locked-workbook"}, {ErrBroken, "broken-workbook"}, {ErrUnpacked, "workbook-too-large"},
	{ErrNoSheet, "no-such-sheet"}, {ErrEmpty, "no-rows"}, {ErrNoTitles, "no-titles"}, {ErrQuotes, "open-quotes"},
}

// lineError says where in the file.
type lineError struct {
	line int
	err  error
}

func (e lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e lineError) Unwrap() error { return e.err }

// Line is the line that an error of this package is about, or 0.
func Line(err error) int {
	e, _ := errors.AsType[lineError](err)
	return e.line
}

// Code is the stable name of an error of this package, or "".
func Code(err error) string {
	for _, e := range errorCodes {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	return ""
}

// ErrorCodes lists what Code may say.
func ErrorCodes() (codes []string) {
	for _, e := range errorCodes {
		codes = append(codes, e.code)
	}
	return codes
}

// titleDepth is how many records may stand above the titles (a letterhead, a date of printing).
const titleDepth = 30

// commas are the separators in use; the French one first, it wins a tie.
var commas = []byte{';', ',', '\t', '|'}

// Read is [ReadSheet] of the first sheet that has titles.
func Read(r io.Reader) (Table, error) { return ReadSheet(r, "") }

// ReadSheet reads a workbook (.xlsx, also with macros, which are not run) or a delimited text file, told apart by what
// stands in it and never by its name. Of a workbook it reads the sheet of that name or, if name is empty, the first
// visible one in which titles are understood. A text file has no sheets.
//
// Text may be UTF-8 with or without byte order mark, UTF-16 with one, otherwise Windows-1252;
// separated by semicolon, comma, tab or bar, whichever makes the best table; with Windows, Unix or old Mac line ends.
//
// Of a workbook's cell it takes what a person sees: a day as "12/03/1941", a whole number without a point, zeros in
// front where the cell shows them, and of a formula the value last computed. A formula without a value, and rows that a
// merge touches, come out as faults of [Rows].
//
// The line of titles is the first in which at least two cells are recognised as titles, or the one below it if that has
// more of them. What stands above is skipped, and so are blank lines and repetitions of the titles further down. A file
// without such a line is refused.
//
// Errors are those of this package, ErrQuotes with a line number, or the reader's own.
func ReadSheet(r io.Reader, name string) (Table, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Table{}, fmt.Errorf("reading spreadsheet: %w", err)
	}
	if len(raw) > MaxBytes {
		return Table{}, ErrTooLarge
	}
	if bytes.HasPrefix(raw, []byte("PK\x03\x04")) || bytes.HasPrefix(raw, []byte("PK\x05\x06")) {
		return readWorkbook(raw, name)
	}
	text, charset, err := decode(raw)
	if err != nil {
		return Table{}, err
	}
	if strings.TrimSpace(text) == "" {
		return Table{}, ErrEmpty
	}
	first := 1
	comma, skip := declaredComma(text)
	if comma != 0 {
		text, first = text[skip:], 2
	} else {
		comma = guessComma(text)
	}
	g := grid{charset: charset, comma: rune(comma)}
	if err := g.fill(splitter{text: text, comma: comma, line: first}); err != nil {
		return Table{}, err
	}
	return newTable(g), nil
}

// fill cuts a text into records and settles them.
func (g *grid) fill(s splitter) error {
	var records []record
	for s.text != "" {
		rec, fault := s.next()
		switch {
		case fault != 0:
			return lineError{fault, ErrQuotes}
		case rec.wide:
			return ErrTooWide
		case isBlank(rec.cells):
			continue
		case len(records) > MaxRows+titleDepth+1:
			return ErrTooManyRows
		}
		for i, cell := range rec.cells {
			rec.cells[i] = disguard(cell)
		}
		records = append(records, rec)
	}
	return g.settle(records)
}

// settle finds the titles and keeps what is below.
func (g *grid) settle(records []record) error {
	at, known := findTitles(records)
	if known < 2 {
		return ErrNoTitles
	}
	titles := records[at].cells
	g.setTitles(titles)
	if at > 0 {
		g.setGroups(records[at-1].cells)
	}
	for _, rec := range records[at+1:] {
		if !slices.Equal(rec.cells, titles) {
			g.rows = append(g.rows, rec.cells)
			g.lines = append(g.lines, rec.line)
		}
	}
	switch {
	case len(g.rows) == 0:
		return ErrEmpty
	case len(g.rows) > MaxRows:
		return ErrTooManyRows
	}
	return nil
}

func (g *grid) setTitles(cells []string) {
	for _, cell := range cells {
		g.header = append(g.header, clean(cell))
	}
}

// setGroups takes the line above the titles as titles of groups if it has at least two cells filled.
func (g *grid) setGroups(above []string) {
	filled, carried := 0, ""
	groups := make([]string, len(g.header))
	for i := range groups {
		if i < len(above) && clean(above[i]) != "" {
			carried = clean(above[i])
			filled++
		}
		groups[i] = carried
	}
	if filled >= 2 {
		g.groups = groups
	}
}

// findTitles gives the place of the titles and how many of them are recognised.
func findTitles(records []record) (at, known int) {
	for i, rec := range records[:min(len(records), titleDepth+1)] {
		if known = knownTitles(rec.cells); known < 2 {
			continue
		}
		if i+1 < len(records) {
			if next := knownTitles(records[i+1].cells); next > known {
				return i + 1, next
			}
		}
		return i, known
	}
	return 0, 0
}

// knownTitles counts the cells that are titles; none, if a cell is a phone or an e-mail address, because then it is a
// person's row.
func knownTitles(cells []string) int {
	known := 0
	for _, cell := range cells {
		if _, err := people.ParsePhone(cell); err == nil || strings.Contains(cell, "@") {
			return 0
		}
		if titleOf(cell, Volunteers) != "" {
			known++
		}
	}
	return known
}

// declaredComma reads Excel's own first line, "sep=;".
func declaredComma(text string) (comma byte, skip int) {
	if len(text) < 6 || !strings.EqualFold(text[:4], "sep=") || !slices.Contains(commas, text[4]) {
		return 0, 0
	}
	rest := strings.TrimLeft(text[5:], "\r\n")
	breaks := lineBreaks(text[5 : len(text)-len(rest)])
	if breaks == 0 {
		return 0, 0
	}
	// Only the end of this one line is skipped, so that line numbers stay true.
	s := splitter{text: text[5:]}
	s.endLine()
	return text[4], len(text) - len(s.text)
}

// guessComma takes the separator under which most titles are recognised; then the one under which most records have
// the same number of cells; then the one that makes more cells.
func guessComma(text string) byte {
	best, bestScore := commas[0], [3]int{}
	for _, comma := range commas {
		score := scoreComma(text, comma)
		if slices.Compare(score[:], bestScore[:]) > 0 {
			best, bestScore = comma, score
		}
	}
	return best
}

func scoreComma(text string, comma byte) [3]int {
	const sample = 100
	var records []record
	s := splitter{text: text, comma: comma, line: 1}
	for s.text != "" && len(records) < sample {
		rec, fault := s.next()
		if fault != 0 {
			break
		}
		if !isBlank(rec.cells) {
			records = append(records, rec)
		}
	}
	_, known := findTitles(records)
	widths := map[int]int{}
	for _, rec := range records {
		if len(rec.cells) > 1 {
			widths[len(rec.cells)]++
		}
	}
	usual, share := 0, 0
	for width, n := range widths {
		if n > share || n == share && width > usual {
			usual, share = width, n
		}
	}
	return [3]int{known, share, usual}
}

func isBlank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

// decode gives the text of a file without its byte order mark.
func decode(raw []byte) (text, charset string, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		text, charset = decodeUTF16(raw[2:], binary.LittleEndian), "UTF-16"
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		text, charset = decodeUTF16(raw[2:], binary.BigEndian), "UTF-16"
	}
	switch {
	case charset != "":
	case bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0")):
		return "", "", oldOffice(raw)
	case isDocument(raw):
		return "", "", ErrBinary
	case utf8.Valid(raw):
		text, charset = string(raw), "UTF-8"
	default:
		// Five bytes of Windows-1252 mean nothing and become U+FFFD; Rows reports them.
		plain, err := charmap.Windows1252.NewDecoder().Bytes(raw)
		if err != nil {
			return "", "", ErrBinary
		}
		text, charset = string(plain), "Windows-1252"
	}
	if strings.ContainsRune(text, 0) {
		return "", "", ErrBinary
	}
	return text, charset, nil
}

// decodeUTF16 drops half a unit at the end: the file was cut there.
func decodeUTF16(raw []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}

// oldOffice tells a new workbook under a password, which lies in the container of the old ones, from an old one.
func oldOffice(raw []byte) error {
	if bytes.Contains(raw, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
		return ErrEncrypted
	}
	return ErrOldWorkbook
}

// isDocument knows PDF, RTF and pictures by their first bytes, and the web pages that some programs save under the name
// of .xls.
func isDocument(raw []byte) bool {
	for _, magic := range []string{"%PDF", `{\rtf`, "\x89PNG", "\xff\xd8\xff", "GIF8"} {
		if bytes.HasPrefix(raw, []byte(magic)) {
			return true
		}
	}
	return bytes.HasPrefix(bytes.TrimLeftFunc(raw, unicode.IsSpace), []byte("<"))
}
