package sheet

import "strings"

// splitter cuts text into records and cells. It forgives what people's files need forgiven: a quotation mark within a
// cell, or around only a part of it ("La Forge" 12 rue X), is taken as it stands.
type splitter struct {
	text  string
	comma byte
	line  int // of text's first byte, from 1
}

// record is one row and the line on which it begins.
type record struct {
	line  int
	cells []string // at most MaxColumns
	wide  bool     // something stood beyond them
}

// mostBreaks is how many line breaks a quoted cell may hold. More means that a quotation mark was never closed and
// swallows its neighbours' rows.
const mostBreaks = 40

// next cuts off one record. fault is 0, or the line of a quotation mark that does not close.
func (s *splitter) next() (rec record, fault int) {
	rec.line = s.line
	for {
		cell, fault := s.cell()
		if fault != 0 {
			return record{}, fault
		}
		switch {
		case len(rec.cells) < MaxColumns:
			rec.cells = append(rec.cells, cell)
		case strings.TrimSpace(cell) != "":
			rec.wide = true
		}
		if s.text == "" || s.text[0] != s.comma {
			s.endLine()
			return rec, 0
		}
		s.text = s.text[1:]
	}
}

// cell cuts off one cell and leaves text at the separator, the line end, or empty.
func (s *splitter) cell() (string, int) {
	if strings.HasPrefix(s.text, `"`) {
		cell, rest, closed := cutQuoted(s.text)
		breaks := lineBreaks(s.text[:len(s.text)-len(rest)])
		switch {
		case !closed || breaks > mostBreaks:
			return "", s.line
		case rest == "" || rest[0] == s.comma || rest[0] == '\r' || rest[0] == '\n':
			s.text = rest
			s.line += breaks
			return cell, 0
		}
	}
	end := len(s.text)
	for i := range len(s.text) {
		if c := s.text[i]; c == s.comma || c == '\r' || c == '\n' {
			end = i
			break
		}
	}
	cell := s.text[:end]
	s.text = s.text[end:]
	return cell, 0
}

// endLine steps over CRLF, LF or CR.
func (s *splitter) endLine() {
	if s.text == "" {
		return
	}
	if strings.HasPrefix(s.text, "\r\n") {
		s.text = s.text[1:]
	}
	s.text = s.text[1:]
	s.line++
}

// cutQuoted reads a cell that begins with a quotation mark; a doubled one within stands for one.
func cutQuoted(text string) (cell, rest string, closed bool) {
	doubled := false
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
		case i+1 < len(text) && text[i+1] == '"':
			doubled = true
			i++
		default:
			cell = text[1:i]
			if doubled {
				cell = strings.ReplaceAll(cell, `""`, `"`)
			}
			return cell, text[i+1:], true
		}
	}
	return "", "", false
}

// lineBreaks counts CRLF once.
func lineBreaks(s string) int {
	return strings.Count(s, "\n") + strings.Count(s, "\r") - strings.Count(s, "\r\n")
}
