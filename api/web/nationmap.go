package web

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/bippop/bippop/node"
)

// Sizes of the overseas squares below the map, in its units.
const (
	squareWide = 108
	squareHigh = 62
	squareGap  = 14
	mapMargin  = 18 // at its sides: a dot at the edge is drawn whole
)

// drawMap is France with its départements, a dot for each territory as large as its
// population, and the overseas ones as squares below. A simulated territory is an
// empty circle with a broken edge: nobody takes it for one that exists. The table
// beside the map says the same.
func (s nation) drawMap(w *tongue, all []node.NationTerritory) template.HTML {
	var b strings.Builder
	title, real, simulated := w.t("nation.map_title"), 0, 0
	has := map[string]bool{}
	for _, t := range all {
		has[t.Departement] = true
		if t.Simulated {
			simulated++
		} else {
			real++
		}
	}
	description := w.t("nation.map_describe", "N", real) + w.t("nation.map_describe_simulated", "N", simulated)
	fmt.Fprintf(&b, `<svg class="france" viewBox="-%d 0 %d %d" role="img" aria-labelledby="map-t map-d"><title id="map-t">%s</title><desc id="map-d">%s</desc>`,
		mapMargin, node.MapWidth+2*mapMargin, node.MapHeight+squareHigh+squareGap, escape(title), escape(description))
	for _, o := range node.Outlines() {
		class := ""
		if has[o.Departement] {
			class = ` class="has"`
		}
		fmt.Fprintf(&b, `<path%s d="%s"/>`, class, o.Path)
	}
	for i, code := range node.Overseas {
		x, y := i*(squareWide+squareGap)+6, node.MapHeight+squareGap
		class := ""
		if has[code] {
			class = ` class="has"`
		}
		fmt.Fprintf(&b, `<rect%s x="%d" y="%d" width="%d" height="%d" rx="6"/><text x="%d" y="%d">%s</text>`,
			class, x, y, squareWide, squareHigh-8, x+squareWide/2, y+squareHigh-16, escape(node.DepartementName(code)))
	}
	// The large ones first, so that none hides another.
	sorted := slices.Clone(all)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[j].Population < sorted[i].Population })
	beside := map[string]int{}
	for _, t := range sorted {
		x, y := t.X, t.Y
		if !t.OnMap {
			at := slices.Index(node.Overseas, t.Departement)
			if at < 0 {
				continue // no place of it is known: the table has it
			}
			x, y = 10*(at*(squareWide+squareGap)+6+26+22*beside[t.Departement]), 10*(node.MapHeight+squareGap+19)
			beside[t.Departement]++
		}
		class := "dot"
		if t.Simulated {
			class = "dot made-up"
		}
		if t.Reporting == node.ReportsSilent || t.Reporting == node.ReportsNever {
			class += " silent"
		}
		r := 3.5 + math.Sqrt(float64(t.Population)/1000)*0.75
		fmt.Fprintf(&b, `<circle class="%s" cx="%d.%d" cy="%d.%d" r="%.1f"/>`, class, x/10, x%10, y/10, y%10, min(r, 16))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
