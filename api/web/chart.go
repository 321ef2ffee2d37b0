package web

import (
	"fmt"
	"html/template"
	"strings"
	"unicode/utf8"
)

// mark is one bar of a chart: what it stands for, what is written beside it, and
// how long it is. What may not be shown has no length.
type mark struct {
	Label string
	Value string
	N     uint64
	Blank bool // no bar: the number is hidden
}

// Sizes of a chart, in its own units; chartText is the height of a line.
const (
	chartWidth  = 420
	chartText   = 17
	barHeight   = 14
	barRow      = 46
	columnsHigh = 150
)

// chartBars draws marks as lying bars, one below the other. name is unique on the
// page; title and description are what a screen reader says.
func chartBars(name, title, description string, marks []mark) template.HTML {
	var b strings.Builder
	longest, room := longestOf(marks), chartWidth-widest(marks)
	open(&b, name, title, description, barRow*len(marks))
	for i, m := range marks {
		y := i * barRow
		text(&b, "", 0, y+chartText, m.Label)
		length := 0
		if !m.Blank && m.N > 0 {
			length = max(2, int(m.N*uint64(room)/longest))
			fmt.Fprintf(&b, `<rect x="0" y="%d" width="%d" height="%d" rx="2"/>`, y+chartText+8, length, barHeight)
		}
		at := 0
		if length > 0 {
			at = length + 8
		}
		text(&b, numberClass(m), at, y+chartText+8+barHeight-1, m.Value)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// chartColumns draws marks as columns, side by side in their order.
func chartColumns(name, title, description string, marks []mark) template.HTML {
	var b strings.Builder
	longest := longestOf(marks)
	open(&b, name, title, description, columnsHigh+3*chartText)
	step := chartWidth / max(1, len(marks))
	for i, m := range marks {
		x, bottom := i*step, columnsHigh+chartText
		height := 0
		if !m.Blank && m.N > 0 {
			height = max(2, int(m.N*columnsHigh/longest))
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="2"/>`, x+2, bottom-height, step-4, height)
		}
		text(&b, numberClass(m)+" mid", x+step/2, bottom-height-5, m.Value)
		text(&b, "mid", x+step/2, bottom+chartText+4, m.Label)
	}
	fmt.Fprintf(&b, `<line x1="0" x2="%d" y1="%d" y2="%[2]d"/></svg>`, chartWidth, columnsHigh+chartText)
	return template.HTML(b.String())
}

func open(b *strings.Builder, name, title, description string, height int) {
	fmt.Fprintf(b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %[3]s-d"><title id="%[3]s-t">%[4]s</title><desc id="%[3]s-d">%[5]s</desc>`,
		chartWidth, height, escape(name), escape(title), escape(description))
}

func text(b *strings.Builder, class string, x, y int, words string) {
	if words == "" {
		return
	}
	if class = strings.TrimSpace(class); class != "" {
		class = ` class="` + class + `"`
	}
	fmt.Fprintf(b, `<text%s x="%d" y="%d">%s</text>`, class, x, y, escape(words))
}

// numberClass writes what is hidden softly.
func numberClass(m mark) string {
	if m.Blank {
		return "soft"
	}
	return "num"
}

// escape is for words between tags and in attributes of SVG.
func escape(s string) string { return template.HTMLEscapeString(s) }

func longestOf(marks []mark) (n uint64) {
	for _, m := range marks {
		if !m.Blank {
			n = max(n, m.N)
		}
	}
	return max(n, 1)
}

// widest is how much room the longest number needs beside its bar.
func widest(marks []mark) (units int) {
	for _, m := range marks {
		if !m.Blank {
			units = max(units, 10*utf8.RuneCountInString(m.Value)+12)
		}
	}
	return units
}
