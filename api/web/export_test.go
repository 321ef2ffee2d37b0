package web

import "html/template"

// Chart draws the charts of the golden test.
func Chart(columns bool, name, title, description string, labels, values []string, n []uint64) template.HTML {
	var marks []mark
	for i := range labels {
		marks = append(marks, mark{labels[i], values[i], n[i], values[i] == "moins de 11"})
	}
	if columns {
		return chartColumns(name, title, description, marks)
	}
	return chartBars(name, title, description, marks)
}
