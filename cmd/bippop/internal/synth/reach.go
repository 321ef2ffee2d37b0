package synth

import "math"

// metres is the distance between the centres of two located communes, on a flat
// map: good to one in a hundred at the size of a département.
func metres(a, b Commune) int {
	mid := float64(a.Lat+b.Lat) / 2 * 1e-5 * math.Pi / 180
	shrink := int(math.Round(math.Cos(mid) * 1000)) // of a degree of longitude, per thousand
	// One degree is 111 320 m along a meridian, so 1e-5 degree is 1.1132 m.
	north := int(a.Lat-b.Lat) * 11132 / 10000
	east := int(a.Lon-b.Lon) * 11132 / 10000 * shrink / 1000
	return int(math.Sqrt(float64(north*north + east*east)))
}

// within says whether somebody of commune from goes km kilometres to commune to.
// Everybody goes everywhere at home.
func within(communes []Commune, from, to, km int) bool {
	if from == to {
		return true
	}
	a, b := communes[from], communes[to]
	return a.Located && b.Located && metres(a, b) <= km*1000
}
