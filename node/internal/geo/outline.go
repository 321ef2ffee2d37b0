package geo

import "math"

// MapWidth and MapHeight are the size of the map of [Map], in its units: its SVG viewBox is "0 0 613 585".
const (
	MapWidth  = 613
	MapHeight = 585
)

// Outline is the border of a département, as the d attribute of an SVG path in units of the map.
type Outline struct {
	Departement string
	Path        string
}

// Map returns the outlines of the 96 metropolitan départements in order of code. Overseas is not drawn, nor are the
// smallest islands.
func Map() []Outline {
	f := drawing()
	outlines := make([]Outline, len(f))
	copy(outlines, f)
	return outlines
}

// Project places a point on the map of [Map], in tenths of its units from the left and from the top. A point of
// metropolitan France falls within (0, 0) and (10*MapWidth, 10*MapHeight), right to about 0.1 km in the middle of
// départements and 0.7 km at worst; any other falls outside, and is not to be drawn.
//
// It is for drawing: unlike [Distance], it may differ by one tenth from one kind of processor to another.
func Project(p Point) (x, y int) {
	// Mercator's projection. The four numbers were fitted to the centroids of the départements.
	const (
		perDegree, left = 41.5092, 215.2838
		perRadian, top  = -2371.6733, 2468.2055
	)
	lat := float64(max(-8_500_000, min(p.Lat, 8_500_000))) / 1e5 * math.Pi / 180
	mx := perDegree*float64(p.Lon)/1e5 + left
	my := perRadian*math.Log(math.Tan(math.Pi/4+lat/2)) + top
	return int(math.Round(10 * mx)), int(math.Round(10 * my))
}
