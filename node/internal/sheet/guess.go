package sheet

import (
	"strings"
	"unicode"

	"github.com/bippop/bippop/node/internal/people"
)

// sampled is how many rows are asked for their opinion.
const sampled = 1000

// Guess says what the columns of a table mean: by their titles first, by the cells where the title says nothing or the
// cells say otherwise. It gives one Assigned per column of the header, in order. Nothing is used twice, but for columns of
// which several make one (notes, the name of the person to call). A person should see the outcome before it is used.
func Guess(t Table, kind Kind) Mapping {
	g := t.grid()
	m := make(Mapping, len(g.header))
	cells := make([]opinion, len(g.header))
	for i, title := range g.header {
		cells[i] = ask(g.rows, i)
		m[i] = Assigned{Header: title, Column: titleOf(title, kind), Why: ByTitle}
		group := g.group(i)
		if group != "" {
			m[i].Column = titleOf(group+" "+title, kind)
		}
		m[i].correct(cells[i], group != "" || isSomebodyElses(title) || isOffice(title))
	}
	m.settleNames(cells)
	m.settleTwins()
	for i := range m {
		if m[i].Column == "" && m[i].Why == ByTitle {
			m[i].Why = IsUnknown
		}
	}
	return m
}

// group is the title above column i, if it says that somebody else's data stand there: the person to call, a doctor.
// Remarks and the like stay hers: a title above is carried to the right, and may be carried too far.
func (g *grid) group(i int) string {
	if i >= len(g.groups) || !isSomebodyElses(g.groups[i]) {
		return ""
	}
	if own := titleOf(g.header[i], Volunteers); own.isFreeText() || isVolunteersOnly(own) {
		return ""
	}
	return g.groups[i]
}

// opinion is what the cells of a column look like.
type opinion struct{ filled, phones, mobiles, emails, dates, pairs int }

func ask(rows [][]string, column int) opinion {
	var o opinion
	for _, row := range rows[:min(len(rows), sampled)] {
		if column >= len(row) {
			continue
		}
		cell := clean(row[column])
		if cell == "" {
			continue
		}
		o.filled++
		if numbers, _ := readPhones(cell); len(numbers) > 0 {
			o.phones++
			if isMobile(numbers[0]) {
				o.mobiles++
			}
		}
		if isEmail(cell) {
			o.emails++
		}
		if isWrittenDate(cell) {
			o.dates++
		}
		if strings.Count(cell, " ") > 0 {
			o.pairs++
		}
	}
	return o
}

// mostly is four cells in five, of at least two.
func (o opinion) mostly(n int) bool { return o.filled >= 2 && n*5 >= o.filled*4 }

// hardly is one cell in five or fewer, of at least five.
func (o opinion) hardly(n int) bool { return o.filled >= 5 && n*5 <= o.filled }

// correct lets the cells speak. elses says that the column is about somebody else, so that phones there are not hers.
func (a *Assigned) correct(o opinion, elses bool) {
	column := a.Column
	switch {
	case fold(a.Header) == "ne e" || fold(a.Header) == "nee" || fold(a.Header) == "ne":
		column = BirthName
		if o.mostly(o.dates) {
			column = BirthDate
		}
	case o.mostly(o.phones):
		column = phoneColumn(a.Column, o, elses)
	case a.Column.isPhone() && o.hardly(o.phones):
		column = "" // "Port." over "oui, non": meals on wheels
	case a.Column == "" && !elses && o.mostly(o.emails):
		column = Email
	case a.Column == BirthDate && o.mostly(o.pairs) && o.hardly(o.dates):
		column = "" // a place of birth, perhaps
	}
	if column != a.Column {
		a.Column, a.Why = column, ByCells
	}
}

// phoneColumn turns what a title says into the column for numbers nearest to it.
func phoneColumn(c Column, o opinion, elses bool) Column {
	switch {
	case c.isPhone():
		return c
	case c == EmergencyName:
		return EmergencyPhone
	case c == TrustedName:
		return TrustedPhone
	case elses:
		return ""
	case o.mostly(o.mobiles):
		return Mobile
	}
	return Phone
}

// settleNames sees to two names for one person and two names in one cell.
func (m Mapping) settleNames(cells []opinion) {
	usage := m.find(func(a Assigned) bool { return a.Column == LastName && titles[fold(a.Header)] == LastName })
	birth := m.find(func(a Assigned) bool { return a.Column == BirthName })
	first := m.find(func(a Assigned) bool { return a.Column == FirstName })
	for i := range m {
		if m[i].Column != LastName || fold(m[i].Header) != "nom" {
			continue
		}
		switch {
		case usage >= 0 && birth < 0:
			// Beside a "nom d'usage", often empty, the plain name is the one of birth; Rows falls back on it.
			m[i].Column = BirthName
			return
		case first < 0 && m.find(func(a Assigned) bool { return a.Column == FullName }) < 0 && cells[i].mostly(cells[i].pairs):
			m[i].Column, m[i].Why = FullName, ByCells
			return
		}
	}
}

// settleTwins leaves one table column for each meaning that cannot be shared; a second number becomes Phone2. Where a
// title stands twice word for word and names stand twice too, the second set is somebody else's and is not used.
func (m Mapping) settleTwins() {
	taken := map[Column]bool{}
	seen := map[string]bool{}
	license := m.find(func(a Assigned) bool { return a.Column == Car && !isLicense(a.Header) })
	otherPerson := false
	for i := range m {
		a := &m[i]
		if a.Column == "" {
			continue
		}
		repeated := seen[fold(a.Header)]
		seen[fold(a.Header)] = true
		otherPerson = otherPerson || repeated && (a.Column == LastName || a.Column == FirstName || a.Column == FullName)
		_, shared := a.Column.joint()
		switch {
		case repeated && otherPerson, a.Column == Car && isLicense(a.Header) && license >= 0:
			a.Column, a.Why = "", IsTwice
		case shared || !taken[a.Column]:
		case (a.Column == Phone || a.Column == Mobile) && !taken[Phone2] && m.find(func(b Assigned) bool { return b.Column == Phone2 }) < 0:
			a.Column = Phone2
		default:
			a.Column, a.Why = "", IsTwice
		}
		taken[a.Column] = true
	}
}

// isLicense tells a driving licence from a car: with both in the file, the car counts.
func isLicense(title string) bool { return strings.HasPrefix(fold(title), "permis") }

func (m Mapping) find(is func(Assigned) bool) int {
	for i, a := range m {
		if is(a) {
			return i
		}
	}
	return -1
}

// isMobile is for French numbers; overseas mobiles begin 69 or 639.
func isMobile(e164 string) bool {
	return strings.HasPrefix(people.FormatPhone(e164), "06") || strings.HasPrefix(people.FormatPhone(e164), "07")
}

// isWrittenDate wants more than digits: five of them may be a postcode. It only has to look like a date of birth, so a
// fixed year stands for today and lets 1900 to 2030 pass.
func isWrittenDate(cell string) bool {
	if strings.IndexFunc(cell, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
		return false
	}
	_, err := people.ParseDate(cell, people.Date{Year: 2030})
	return err == nil
}
