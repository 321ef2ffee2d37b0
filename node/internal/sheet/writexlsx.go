package sheet

import (
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// WriteXLSX writes a workbook of one sheet, with the titles in bold and kept in view. Every cell is text, also one that
// looks like a number or a formula: nothing in it is run. NUL characters are dropped, broken UTF-8 and what XML cannot hold become
// U+FFFD, and nothing is cut: a cell longer than a workbook holds is an error.
func WriteXLSX(w io.Writer, name string, header []string, rows iter.Seq[[]string]) error {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return fmt.Errorf("writing workbook: %w", ErrNoSheet)
	}
	line := 0
	put := func(cells []string) error {
		line++
		for i, cell := range cells {
			cell = escape(strings.ReplaceAll(strings.ToValidUTF8(cell, "\ufffd"), "\x00", ""))
			if len([]rune(cell)) > excelize.TotalCellChars {
				return fmt.Errorf("writing workbook, line %d: %w", line, ErrTooLarge)
			}
			at, err := excelize.CoordinatesToCellName(i+1, line)
			if err != nil || cell == "" {
				continue // at most MaxColumns, all of them have names
			}
			if f.SetCellStr(name, at, cell) != nil {
				return fmt.Errorf("writing workbook, line %d: %w", line, ErrBroken)
			}
		}
		return nil
	}
	if err := put(header); err != nil {
		return err
	}
	for row := range rows {
		if err := put(row); err != nil {
			return err
		}
	}
	if bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err == nil {
		f.SetRowStyle(name, 1, 1, bold)
	}
	f.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("writing workbook: %w", err)
	}
	return nil
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
