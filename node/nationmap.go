package node

import "github.com/bippop/bippop/node/internal/geo"

// Outline is the border of a département on the map of France.
type Outline = geo.Outline

// MapWidth and MapHeight are the size of that map, in its units.
const (
	MapWidth  = geo.MapWidth
	MapHeight = geo.MapHeight
)

// Outlines are the metropolitan départements, in order of code.
func Outlines() []Outline { return geo.Map() }

// Overseas are the départements that no map of metropolitan France shows.
var Overseas = []string{"971", "972", "973", "974", "976"}

// DepartementName is "Gironde" for "33"; a code that is unknown names itself.
func DepartementName(code string) string {
	if d, ok := geo.LookupDepartement(code); ok {
		return d.Name
	}
	return code
}
