package sheet

import (
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/bippop/bippop/node/internal/people"
)

// Codes of faults. They are keys of the interface's dictionary.
const (
	NameMissing        = "name_missing"        // fatal for the last name, not for the first
	NameSplit          = "name_split"          // a full name without capitals was split by position
	TwoPeople          = "two_people"          // a couple in one row
	NotAPerson         = "not_a_person"        // a line of totals
	PhoneUnreadable    = "phone_unreadable"    // the cell is kept as it stands
	DateUnreadable     = "date_unreadable"     // the cell is kept as it stands
	BirthFromAge       = "birth_from_age"      // the year may be one too late
	EmailUnreadable    = "email_unreadable"    // the cell is kept as it stands
	PostcodePadded     = "postcode_padded"     // a 0 was put back before four digits
	PostcodeUnreadable = "postcode_unreadable" // the cell is kept as it stands
	SexUnreadable      = "sex_unreadable"      // the cell is kept as it stands
	ChoiceUnreadable   = "choice_unreadable"   // none of the known answers; the cell is kept as it stands
	NumberUnreadable   = "number_unreadable"   // the cell is kept as it stands
	TooLong            = "too_long"            // fatal; nothing is cut, the cell is left out
	Formula            = "formula"             // in free text the sign is taken off; elsewhere fatal, the cell is left out
	Garbled            = "garbled"             // accents were lost before the file came here
	CellsShifted       = "cells_shifted"       // fatal: more cells than titles, so none is sure to stand in its place
	PhonePadded        = "phone_padded"        // a 0 was put back before nine digits
	Merged             = "merged_cells"        // of merged cells only the first has the value
	NoValue            = "no_value"            // a formula without a value, or an error in its place; fatal outside of free text
)

// FaultCodes lists the codes of faults, for dictionaries.
func FaultCodes() []string {
	return []string{
		NameMissing, NameSplit, TwoPeople, NotAPerson, PhoneUnreadable, DateUnreadable, BirthFromAge, EmailUnreadable, PostcodePadded,
		PostcodeUnreadable, SexUnreadable, ChoiceUnreadable, NumberUnreadable, TooLong, Formula, Garbled, CellsShifted, PhonePadded,
		Merged, NoValue,
	}
}

// Fault is what is wrong with a row, or was guessed: where and what kind, never the words. A row with a Fatal fault is
// not fit to be kept.
type Fault struct {
	Line   int
	Column Column // empty for the row as a whole
	Code   string
	Fatal  bool
}

// Row is one person's row. It holds personal words; it prints as "[row]", but only where fmt and slog may ask it: do not
// put it in an unexported field of something that is printed.
type Row struct {
	// Line is in the file, from 1; the first, if the row runs over several.
	Line int
	// Cells are by meaning; empty ones are absent. Spaces are even, characters composed (NFC), control and invisible
	// characters gone. Telephone columns hold E.164, several separated by one space, or the words as they stand
	// if they could not all be read. FullName is never here: it has been split.
	Cells map[Column]string
	// Phones are her own, E.164, without repetition: Phone, Mobile, Phone2.
	Phones []string
	// Birth is the zero Date if not known.
	Birth people.Date
	// Faults are in the order of Columns; what concerns the whole row comes first.
	Faults []Fault
}

// Format prints "[row]" under every verb.
func (Row) Format(f fmt.State, _ rune) { io.WriteString(f, "[row]") }

// LogValue logs "[row]".
func (Row) LogValue() slog.Value { return slog.StringValue("[row]") }

// MarshalText gives "[row]".
func (Row) MarshalText() ([]byte, error) { return []byte("[row]"), nil }

// Fatal says that a fault forbids to keep the row.
func (r Row) Fatal() bool {
	return slices.ContainsFunc(r.Faults, func(f Fault) bool { return f.Fatal })
}

// Rows reads each row of a table by a mapping. Columns that the kind has not are left out, and titles that the table
// has not are passed over. today is the caller's, for dates of birth.
func Rows(t Table, m Mapping, kind Kind, today people.Date) iter.Seq[Row] {
	l := layoutOf(t, m, kind, today)
	return func(yield func(Row) bool) {
		for line, cells := range t.All() {
			if !yield(l.row(line, cells)) {
				return
			}
		}
	}
}

// layout is a mapping turned round: where to find each column.
type layout struct {
	columns    []Column // of the kind, in order
	places     map[Column][]int
	width      int
	firstFirst bool // the full name is written "Prénom Nom"
	today      people.Date
	marks      map[int][]mark
	meanings   []Column // of the table's columns
}

func layoutOf(t Table, m Mapping, kind Kind, today people.Date) layout {
	header := t.grid().header
	l := layout{columns: Columns(kind), places: map[Column][]int{}, width: len(header), today: today, marks: t.grid().marks, meanings: make([]Column, len(header))}
	blank := make(Mapping, len(header))
	for i, title := range header {
		blank[i].Header = title
	}
	taken := make([]bool, len(header))
	for _, a := range m {
		i := place(blank, taken, a.Header)
		if i < 0 {
			continue
		}
		taken[i] = true
		if a.Column == "" {
			continue
		}
		l.places[a.Column] = append(l.places[a.Column], i)
		l.meanings[i] = a.Column
		if a.Column == FullName {
			l.firstFirst = strings.HasPrefix(fold(a.Header), "prenom")
		}
	}
	return l
}

// row reads one row.
func (l layout) row(line int, cells []string) Row {
	b := rowBuilder{Row: Row{Line: line, Cells: map[Column]string{}}, today: l.today}
	for _, c := range l.columns {
		if text := b.take(c, l.text(c, cells)); text != "" {
			b.Cells[c] = text
		}
	}
	for _, m := range l.marks[line] {
		b.mark(m, l)
	}
	b.name(l.firstFirst)
	b.place()
	for _, c := range l.columns {
		b.read(c)
	}
	if b.Birth.IsZero() {
		b.birthFromAge()
	}
	if len(cells) > l.width && !isBlank(cells[l.width:]) {
		b.fault("", CellsShifted, fatal)
	}
	rank := func(f Fault) int { return slices.Index(l.columns, f.Column) }
	sort.SliceStable(b.Faults, func(i, j int) bool { return rank(b.Faults[i]) < rank(b.Faults[j]) })
	return b.Row
}

// text is the cell of a column, or several of them joined; of columns that cannot be joined the first that is filled.
func (l layout) text(c Column, cells []string) string {
	between, joins := c.joint()
	var parts []string
	for _, i := range l.places[c] {
		if i < len(cells) {
			if text := clean(cells[i]); text != "" {
				parts = append(parts, text)
			}
		}
	}
	if len(parts) > 1 && !joins {
		parts = parts[:1]
	}
	return strings.Join(parts, between)
}

type rowBuilder struct {
	Row
	today people.Date
}

const fatal, notFatal = true, false

func (b *rowBuilder) fault(c Column, code string, isFatal bool) {
	b.Faults = append(b.Faults, Fault{Line: b.Line, Column: c, Code: code, Fatal: isFatal})
}

// mark notes what is wrong with cells beside their words. Cells of a column that is not used do no harm.
func (b *rowBuilder) mark(m mark, l layout) {
	for i := m.from; i <= m.to && i < len(l.meanings); i++ {
		if c := l.meanings[i]; slices.Contains(l.columns, c) {
			b.fault(c, m.code, m.code == NoValue && !c.isFreeText())
			return
		}
	}
}

// take lets a text into its column, or leaves it out with a fault.
func (b *rowBuilder) take(c Column, text string) string {
	text = unwrapNumber(text)
	if text != "" && strings.IndexByte("=+-@", text[0]) >= 0 && !isNumberToCall(c, text) {
		if !c.isFreeText() {
			b.fault(c, Formula, fatal)
			return ""
		}
		b.fault(c, Formula, notFatal)
		text = strings.TrimLeft(text, "=+-@ ")
	}
	if utf8.RuneCountInString(text) > c.limit() {
		b.fault(c, TooLong, fatal)
		return ""
	}
	if isGarbled(text) {
		b.fault(c, Garbled, notFatal)
	}
	return text
}

// isNumberToCall tells "+33 5…" from a formula. Where a number is expected, a sign before digits is a mistyped one.
func isNumberToCall(c Column, text string) bool {
	if numbers, whole := readPhones(text); whole && len(numbers) > 0 {
		return true
	}
	return c.isPhone() && text[0] != '=' && text[0] != '@' && strings.IndexFunc(text, unicode.IsLetter) < 0
}

// unwrapNumber undoes ="0536491207", with which programs save a first 0 from Excel.
func unwrapNumber(text string) string {
	inner, ok := strings.CutPrefix(text, `="`)
	if ok {
		inner, ok = strings.CutSuffix(inner, `"`)
	}
	if !ok || strings.Trim(inner, "0123456789 .+") != "" {
		return text
	}
	return strings.TrimSpace(inner)
}

// isGarbled finds characters lost in a conversion, and UTF-8 that was read as Windows-1252 and saved again. "Ã" alone is a
// letter of Portuguese names.
func isGarbled(text string) bool {
	for _, trace := range []string{"\ufffd", "Ã©", "Ã¨", "Ã§", "Ãª", "Ã´", "Ã®", "Ã‰"} {
		if strings.Contains(text, trace) {
			return true
		}
	}
	return false
}

// names are where a couple shows.
var names = []Column{Civility, FirstName, FullName, LastName}

// name splits a full name, falls back on the name of birth, and sees that there is a name at all.
func (b *rowBuilder) name(firstFirst bool) {
	couple := slices.IndexFunc(names, func(c Column) bool { return isTwoPeople(b.Cells[c]) })
	if couple >= 0 {
		b.fault(names[couple], TwoPeople, notFatal)
	}
	if full := b.Cells[FullName]; full != "" && b.Cells[LastName] == "" {
		n := splitName(full, firstFirst)
		for c, part := range map[Column]string{Civility: n.civility, LastName: n.last, FirstName: n.first, BirthName: n.birth} {
			if part != "" && b.Cells[c] == "" {
				b.Cells[c] = part
			}
		}
		if n.guessed {
			b.fault(FullName, NameSplit, notFatal)
		}
		for _, c := range []Column{LastName, FirstName, BirthName} {
			if utf8.RuneCountInString(b.Cells[c]) > c.limit() {
				delete(b.Cells, c)
				b.fault(c, TooLong, fatal)
			}
		}
	}
	delete(b.Cells, FullName)
	if b.Cells[LastName] == "" && b.Cells[BirthName] != "" {
		b.Cells[LastName] = b.Cells[BirthName]
	}
	switch strings.TrimRight(fold(b.Cells[LastName]), " 0123456789") {
	case "total", "totaux", "total general", "sous total", "nombre total":
		b.fault(LastName, NotAPerson, fatal)
	case "":
		b.fault(LastName, NameMissing, fatal)
	default:
		if b.Cells[FirstName] == "" {
			b.fault(FirstName, NameMissing, notFatal)
		}
	}
}

// place takes the postcode out of "33190 La Réole" and puts back the 0 of "1300".
func (b *rowBuilder) place() {
	commune := b.Cells[Commune]
	if len(commune) > 6 && isDigits(commune[:5]) && commune[5] == ' ' && b.Cells[Postcode] == "" {
		b.Cells[Postcode], b.Cells[Commune] = commune[:5], strings.TrimSpace(commune[6:])
	}
	switch code := strings.ReplaceAll(b.Cells[Postcode], " ", ""); {
	case code == "":
	case !isDigits(code) || len(code) < 4 || len(code) > 5:
		b.fault(Postcode, PostcodeUnreadable, notFatal)
	case len(code) == 4:
		b.Cells[Postcode] = "0" + code
		b.fault(Postcode, PostcodePadded, notFatal)
	default:
		b.Cells[Postcode] = code
	}
}

// read gives the cell of a column its meaning.
func (b *rowBuilder) read(c Column) {
	text := b.Cells[c]
	if text == "" {
		return
	}
	ok, code := true, NumberUnreadable
	switch c {
	case Phone, Mobile, Phone2, EmergencyPhone, TrustedPhone:
		b.phones(c, text)
	case BirthDate:
		date, err := people.ParseDate(text, b.today)
		b.Birth = date
		ok, code = err == nil, DateUnreadable
	case Email:
		ok, code = isEmail(text), EmailUnreadable
	case Sex:
		_, ok = ParseSex(text)
		code = SexUnreadable
	case Car:
		_, ok = ParseYes(text)
		code = ChoiceUnreadable
	case Paper:
		_, ok = ParsePaper(text)
		code = ChoiceUnreadable
	case Age, Seats, RadiusKM, MaxPerWeek:
		_, ok = ParseNumber(text)
	}
	if !ok {
		b.fault(c, code, notFatal)
	}
}

func (b *rowBuilder) phones(c Column, text string) {
	numbers, whole := readPhones(text)
	if whole {
		b.Cells[c] = strings.Join(numbers, " ")
		if len(text) == 9 && isDigits(text) {
			b.fault(c, PhonePadded, notFatal)
		}
	} else {
		b.fault(c, PhoneUnreadable, notFatal)
	}
	if c == EmergencyPhone || c == TrustedPhone {
		return
	}
	for _, number := range numbers {
		if !slices.Contains(b.Phones, number) {
			b.Phones = append(b.Phones, number)
		}
	}
}

func (b *rowBuilder) birthFromAge() {
	age, ok := ParseNumber(b.Cells[Age])
	if !ok || age < 1 || age > 120 || b.today.Year == 0 {
		return
	}
	b.Birth = people.Date{Year: b.today.Year - int16(age)}
	b.fault(Age, BirthFromAge, notFatal)
}

// readPhones reads a cell with one number or several ("05 36 49 12 07 / 06 39 98 12 34"). whole says that nothing in
// the cell was left unread.
func readPhones(cell string) (numbers []string, whole bool) {
	if number, err := people.ParsePhone(cell); err == nil {
		return []string{number}, true
	}
	pieces := strings.FieldsFunc(severalNumbers.Replace(cell), func(r rune) bool { return strings.ContainsRune("/;,|", r) })
	if len(pieces) == 1 {
		pieces = halves(cell)
	}
	whole = len(pieces) > 0
	for _, piece := range pieces {
		if isPunctuation(piece) {
			continue
		}
		number, err := people.ParsePhone(piece)
		if err != nil {
			whole = false
			continue
		}
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers, whole && len(numbers) > 0
}

var severalNumbers = strings.NewReplacer(" ou ", "/", " et ", "/", " - ", "/")

// halves cuts twenty digits between which only spaces stood: two numbers on two lines of a cell.
func halves(cell string) []string {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '-' {
			return -1
		}
		return r
	}, cell)
	if len(digits) != 20 || !isDigits(digits) {
		return []string{cell}
	}
	return []string{digits[:10], digits[10:]}
}

// ParseSex reads "F", "femme", "Mme", "2" as "F" and "M", "H", "homme", "1" as "M"; 1 and 2 are those of the social security number.
func ParseSex(s string) (code string, ok bool) {
	switch fold(s) {
	case "f", "femme", "feminin", "fem", "mme", "madame", "2":
		return "F", true
	case "m", "h", "homme", "masculin", "masc", "mr", "monsieur", "1":
		return "M", true
	}
	return "", false
}

// ParseYes reads what people put in a column of crosses: oui, o, x, 1, vrai, B (a licence) or a tick; non, n, 0, faux.
func ParseYes(s string) (yes, ok bool) {
	switch strings.TrimSpace(s) {
	case "✓", "✔", "☑", "✅":
		return true, true
	}
	switch fold(s) {
	case "oui", "o", "x", "1", "vrai", "true", "yes", "y", "b", "permis b":
		return true, true
	case "non", "n", "0", "faux", "false", "no", "aucun", "aucune":
		return false, true
	}
	return false, false
}

// ParsePaper reads the name or the code of a language in which papers are printed.
func ParsePaper(s string) (p people.Paper, ok bool) {
	switch fold(s) {
	case "fr", "francais", "francaise", "french":
		return people.InFrench, true
	case "en", "anglais", "anglaise", "english":
		return people.InEnglish, true
	}
	return "", false
}

// ParseNumber reads the whole number, up to six digits, with which a cell begins: "15 km", "82 ans", "2/semaine".
func ParseNumber(s string) (n int, ok bool) {
	s = strings.TrimSpace(s)
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	if end == 0 || end > 6 {
		return 0, false
	}
	n, err := strconv.Atoi(s[:end])
	return n, err == nil
}

// isEmail is rough: the mail server knows better.
func isEmail(s string) bool {
	name, domain, ok := strings.Cut(s, "@")
	return ok && name != "" && !strings.ContainsAny(s, " ,;<>()") && !strings.Contains(domain, "@") &&
		strings.Contains(strings.Trim(domain, "."), ".") && domain == strings.Trim(domain, ".")
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// clean evens spaces (line breaks and no-break spaces are spaces), composes characters, drops control and invisible
// ones, and takes punctuation alone for nothing.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		default:
			b.WriteRune(r)
		}
	}
	text := norm.NFC.String(strings.Join(strings.Fields(b.String()), " "))
	if isPunctuation(text) {
		return ""
	}
	return text
}

// isPunctuation holds for "", "-", "?", "//".
func isPunctuation(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPunct(r) && !unicode.IsSpace(r) }) < 0
}
