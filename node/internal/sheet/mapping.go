package sheet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Why says on what evidence a column has its meaning. The words are keys of the interface's dictionary.
const (
	ByTitle   = "title"   // the title is known
	ByCells   = "cells"   // the cells speak, the title does not or says otherwise
	ByChoice  = "choice"  // a person said so
	IsUnknown = "unknown" // not used: neither title nor cells are understood
	IsTwice   = "twice"   // not used: another column has this meaning already
)

// ErrMapping says that a mapping is not written as "title=column,title=column", names a column that does not exist,
// or a title that the file has not.
var ErrMapping = errors.New("mapping is not understood: write title=column,title=column, with titles as in the file")

// Assigned is one column of the file and its meaning; an empty Column is not used.
type Assigned struct {
	Header string
	Column Column
	Why    string
}

// Mapping says what each column of a file means, in the file's order. It holds titles, which are no personal words.
type Mapping []Assigned

// ParseMapping reads what a person typed: "Ville=commune,Obs=notes". A title without a column ("Ville=") is not to be
// used. Titles may hold commas ("Nom, prénom=full_name") and equal signs. The error is [ErrMapping] with the place of
// the pair, counted from 1.
func ParseMapping(s string) (Mapping, error) {
	var m Mapping
	title := ""
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for piece := range strings.SplitSeq(s, ",") {
		title += piece
		i := strings.LastIndexByte(title, '=')
		if i < 0 {
			title += ","
			continue
		}
		column := Column(strings.ToLower(strings.TrimSpace(title[i+1:])))
		header := clean(title[:i])
		if header == "" || column != "" && !slices.Contains(Columns(Volunteers), column) {
			return nil, fmt.Errorf("pair %d: %w", len(m)+1, ErrMapping)
		}
		m = append(m, Assigned{Header: header, Column: column, Why: ByChoice})
		title = ""
	}
	if title != "" {
		return nil, fmt.Errorf("pair %d: %w", len(m)+1, ErrMapping)
	}
	return m, nil
}

// With gives the mapping as corrected by over. Titles are compared without case and accents; of equal titles the first
// is meant, and the next by naming it again. A column that over gives to one title is taken from any other that cannot share it.
// The error is [ErrMapping] with the place in over of a title that the file has not.
func (m Mapping) With(over Mapping) (Mapping, error) {
	out := slices.Clone(m)
	chosen := make([]bool, len(out))
	for n, o := range over {
		i := place(out, chosen, o.Header)
		if i < 0 {
			return nil, fmt.Errorf("pair %d: %w", n+1, ErrMapping)
		}
		out[i].Column, out[i].Why = o.Column, ByChoice
		chosen[i] = true
	}
	for i := range out {
		if _, shared := out[i].Column.joint(); shared || out[i].Column == "" || chosen[i] {
			continue
		}
		for j := range out {
			if chosen[j] && out[j].Column == out[i].Column {
				out[i].Column, out[i].Why = "", IsTwice
				break
			}
		}
	}
	return out, nil
}

// Choose gives the mapping as a person corrected it: one Column for each of the file's, in order. A column that is
// chosen is taken from any other that cannot share it. The error is [ErrMapping].
func (m Mapping) Choose(columns []Column) (Mapping, error) {
	if len(columns) != len(m) {
		return nil, ErrMapping
	}
	out := slices.Clone(m)
	taken := map[Column]bool{}
	settle := func(i int) {
		if _, shared := out[i].Column.joint(); shared || out[i].Column == "" {
			return
		}
		if taken[out[i].Column] {
			out[i].Column, out[i].Why = "", IsTwice
		}
		taken[out[i].Column] = true
	}
	for i, c := range columns {
		if c != "" && !slices.Contains(Columns(Volunteers), c) {
			return nil, ErrMapping
		}
		if c != m[i].Column {
			out[i].Column, out[i].Why = c, ByChoice
			settle(i)
		}
	}
	for i, c := range columns {
		if c == m[i].Column {
			settle(i)
		}
	}
	return out, nil
}

// Ignored lists the titles that are not used.
func (m Mapping) Ignored() []string {
	var titles []string
	for _, a := range m {
		if a.Column == "" {
			titles = append(titles, a.Header)
		}
	}
	return titles
}

// place finds the first title not yet taken that reads the same; -1 if there is none.
func place(m Mapping, taken []bool, header string) int {
	folded := fold(header)
	for i, a := range m {
		if !taken[i] && (a.Header == header || folded != "" && fold(a.Header) == folded) {
			return i
		}
	}
	return -1
}
