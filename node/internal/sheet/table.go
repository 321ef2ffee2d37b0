package sheet

import (
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
)

// Table is a file as it came: a line of titles and rows of cells. It holds personal words and therefore prints as
// "[table]" everywhere, also from within an unexported field. It does not change and may be shared.
type Table struct {
	open func() *grid // a closure, because fmt reads unexported fields without asking their methods
}

type grid struct {
	charset string
	comma   rune
	sheet   string // of a workbook, which was read
	sheets  []string
	marks   map[int][]mark // by line
	header  []string       // cleaned, to be shown
	groups  []string       // the titles above the titles ("Personne à prévenir" over "Nom", "Tél"), carried right; or nil
	rows    [][]string
	lines   []int // parallel to rows
}

func newTable(g grid) Table { return Table{open: func() *grid { return &g }} }

func (t Table) grid() *grid {
	if t.open == nil {
		return &grid{}
	}
	return t.open()
}

// Header is the titles, cleaned for display; a title may be empty or stand twice.
func (t Table) Header() []string { return slices.Clone(t.grid().header) }

// Len is how many rows the table has, titles and blank lines apart.
func (t Table) Len() int { return len(t.grid().rows) }

// Charset is how the file was read: "UTF-8", "UTF-16", "Windows-1252", or "XLSX" for a workbook.
func (t Table) Charset() string { return t.grid().charset }

// Comma is the separator that was found; 0 for a workbook.
func (t Table) Comma() rune { return t.grid().comma }

// Sheet is the name of the sheet that was read; empty for a text file.
func (t Table) Sheet() string { return t.grid().sheet }

// Sheets are the names of all sheets of the workbook that a person sees.
func (t Table) Sheets() []string { return slices.Clone(t.grid().sheets) }

// All gives each row's line in the file (the first, if it runs over several) and its cells, as they stand there.
// A row may have fewer or more cells than the header. The caller must not change the cells.
func (t Table) All() iter.Seq2[int, []string] {
	return func(yield func(int, []string) bool) {
		g := t.grid()
		for i, row := range g.rows {
			if !yield(g.lines[i], row) {
				return
			}
		}
	}
}

// Format prints "[table]" under every verb.
func (Table) Format(f fmt.State, _ rune) { io.WriteString(f, "[table]") }

// LogValue logs "[table]".
func (Table) LogValue() slog.Value { return slog.StringValue("[table]") }

// MarshalText gives "[table]".
func (Table) MarshalText() ([]byte, error) { return []byte("[table]"), nil }
