package web_test

import (
	"encoding/xml"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/bippop/bippop/api/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCharts: words are escaped, nothing is styled in place, and what is hidden has
// no length.
func TestCharts(t *testing.T) {
	labels := []string{"Visites <b>&", "Courses \"vite\"", "Lecture", "Papiers"}
	values := []string{"120", "60", "moins de 11", "0"}
	for name, columns := range map[string]bool{"bars": false, "columns": true} {
		got := string(web.Chart(columns, name, "Par genre & âge", "La Réole, 2026 <", labels, values, []uint64{120, 60, 7, 0}))
		golden := "testdata/chart-" + name + ".svg"
		if *update {
			if err := os.WriteFile(golden, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got+"\n" != string(want) {
			t.Errorf("%s differs from %s:\n%s", name, golden, got)
		}
		for d := xml.NewDecoder(strings.NewReader(got)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s is not XML: %v", name, err)
			}
		}
		if strings.Contains(got, "style") || strings.Count(got, "<rect") != 2 {
			t.Errorf("%s has %d bars, or a style: %s", name, strings.Count(got, "<rect"), got)
		}
		hidden := []uint64{120, 60, 9, 0}
		if other := string(web.Chart(columns, name, "Par genre & âge", "La Réole, 2026 <", labels, values, hidden)); other != got {
			t.Errorf("%s tells a hidden number", name)
		}
	}
}
