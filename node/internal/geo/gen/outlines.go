package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// outline is a département as drawn: an SVG path of commands m and z only, every pair relative.
type outline struct {
	ID   string `json:"id"`
	Path string `json:"path"`

	rings [][]vertex
}

// vertex is in units of the map.
type vertex struct{ x, y float64 }

func readOutlines(src string) ([]outline, error) {
	b, err := packedFile(src, drawing, "package/index.js")
	if err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(bytes.TrimSpace(b), []byte("export default "))
	var m struct {
		ViewBox   string    `json:"viewBox"`
		Locations []outline `json:"locations"`
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&m); err != nil {
		return nil, fmt.Errorf("reading the map: %w", err)
	}
	if m.ViewBox != "0 0 613 585" {
		return nil, fmt.Errorf("the map has box %q: geo.Project would be wrong", m.ViewBox)
	}
	for i := range m.Locations {
		o := &m.Locations[i]
		o.ID = strings.ToUpper(o.ID)
		if o.rings, err = readPath(o.Path); err != nil {
			return nil, fmt.Errorf("outline of %s: %w", o.ID, err)
		}
	}
	slices.SortFunc(m.Locations, func(a, b outline) int { return cmp.Compare(a.ID, b.ID) })
	return m.Locations, nil
}

func readPath(path string) ([][]vertex, error) {
	var rings [][]vertex
	var at vertex
	for _, field := range strings.Fields(path) {
		switch field {
		case "m":
			rings = append(rings, nil)
			continue
		case "z":
			at = rings[len(rings)-1][0]
			continue
		}
		xs, ys, ok := strings.Cut(field, ",")
		x, errX := strconv.ParseFloat(xs, 64)
		y, errY := strconv.ParseFloat(ys, 64)
		if !ok || len(rings) == 0 {
			return nil, fmt.Errorf("%q is not a pair", field)
		}
		if err := errors.Join(errX, errY); err != nil {
			return nil, err
		}
		at = vertex{at.x + x, at.y + y}
		ring := &rings[len(rings)-1]
		*ring = append(*ring, at)
	}
	return rings, nil
}

// km is how far outside the outline a point is; 0 inside.
func (o outline) km(p point) float64 {
	// The map is in Mercator's projection; geo.Project has the same numbers.
	lat := float64(p.lat) / 1e5 * math.Pi / 180
	x := 41.5092*float64(p.lon)/1e5 + 215.2838
	y := -2371.6733*math.Log(math.Tan(math.Pi/4+lat/2)) + 2468.2055
	inside, nearest := false, math.Inf(1)
	for _, ring := range o.rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			if (a.y > y) != (b.y > y) && x < (b.x-a.x)*(y-a.y)/(b.y-a.y)+a.x {
				inside = !inside
			}
			along := 0.0
			if l := (b.x-a.x)*(b.x-a.x) + (b.y-a.y)*(b.y-a.y); l > 0 {
				along = max(0, min(1, ((x-a.x)*(b.x-a.x)+(y-a.y)*(b.y-a.y))/l))
			}
			nearest = min(nearest, math.Hypot(x-a.x-along*(b.x-a.x), y-a.y-along*(b.y-a.y)))
		}
	}
	if inside {
		return 0
	}
	return nearest / 41.5092 * 111.195 * math.Cos(lat)
}
