package sheet

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/bippop/bippop/node/internal/people"
)

// Write writes what a French Excel opens by double click: UTF-8 with byte order mark, semicolons, CRLF.
//
// A cell that a spreadsheet might run (it begins with = + - @, a tab or a line end, spaces apart) gets an apostrophe
// in front, which [Read] takes away again. A French number in E.164 is written as people dial it, "05 36 49 12 07".
// NUL characters are dropped and broken UTF-8 becomes U+FFFD. A row whose cells are all blank comes out as a blank
// line, which Read skips.
func Write(w io.Writer, header []string, rows iter.Seq[[]string]) error {
	b := bufio.NewWriter(w)
	b.WriteString("\ufeff")
	writeRecord(b, header)
	for row := range rows {
		writeRecord(b, row)
	}
	// bufio keeps the first error and returns it here.
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing spreadsheet: %w", err)
	}
	return nil
}

func writeRecord(b *bufio.Writer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(';')
		}
		cell = guard(strings.ReplaceAll(strings.ToValidUTF8(cell, "\ufffd"), "\x00", ""))
		if strings.ContainsAny(cell, ";\"\r\n\t,|") || strings.TrimSpace(cell) != cell {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		b.WriteString(cell)
	}
	b.WriteString("\r\n")
}

// guard disarms formulas.
func guard(cell string) string {
	if !isArmed(cell) {
		return cell
	}
	if phone, err := people.ParsePhone(cell); err == nil && cell[0] == '+' {
		if national := people.FormatPhone(phone); national[0] == '0' {
			return national
		}
	}
	return "'" + cell
}

// disguard undoes guard.
func disguard(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && isArmed(rest) {
		return rest
	}
	return cell
}

// isArmed looks behind spaces, which some programs skip, and behind apostrophes, so that each layer of guard has
// its own and disguard takes off exactly one.
func isArmed(cell string) bool {
	rest := strings.TrimLeft(cell, " '\u00a0")
	return rest != "" && strings.IndexByte("=+-@\t\r\n", rest[0]) >= 0
}
