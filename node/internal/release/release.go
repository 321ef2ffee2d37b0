// Package release counts what one quarter of the territory comes to for the
// nation, with a bound on what anybody adds to it.
//
// The exact counters of the territory keep no link to anybody, so nobody could say
// of them how much one person has added. Beside them stands the quarter's vector:
// one number for each cell of the public catalogue, in which each person and each
// volunteer adds at most what the catalogue's bounds allow. What of them is used is
// in a [Tally], which is kept as long as something can still be counted for its
// quarter, and no longer. Noise that hides the bound hides her whole quarter.
package release

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/when"
)

// MetaFirst is the store's number of the first quarter that is counted whole, plus
// one; 0 before the counting has begun.
const MetaFirst = "vectors"

// Version of the catalogue in which vectors are counted. Another one begins with a
// command of its own: all replicas must count alike.
const Version = 1

// Vector is one quarter in the order of the catalogue's cells, exact. It never
// leaves; it is gone once the quarter is released. Cells of institutions stay 0:
// they are read when the quarter is frozen.
type Vector struct {
	Quarter   public.Quarter `cbor:"1,keyasint"`
	Catalogue uint16         `cbor:"2,keyasint"`
	Cells     []int32        `cbor:"3,keyasint"`
}

// Change adds N to one cell of a group.
type Change struct {
	Group public.GroupNumber
	Cell  int
	N     int32
}

// NewVector is that of a quarter in which nothing has happened.
func NewVector(q public.Quarter) Vector {
	return Vector{Quarter: q, Catalogue: Version, Cells: make([]int32, public.Cells(Version))}
}

// Apply is v with the changes; v keeps its cells. No cell falls below none: what an
// import takes back that somebody's erasure has taken already is taken once.
func (v Vector) Apply(changes []Change) Vector {
	v.Cells = append([]int32(nil), v.Cells...)
	for _, c := range changes {
		at, g, ok := public.Place(v.Catalogue, c.Group)
		if !ok || c.Cell < 0 || c.Cell >= int(g.Cells) {
			panic("release: a change beyond the catalogue")
		}
		n := &v.Cells[at+c.Cell]
		*n = min(max(0, *n+c.N), public.MaxCell)
	}
	return v
}

// Released is a quarter that has left: where its release stands in the feed.
type Released struct {
	Quarter   public.Quarter `cbor:"1,keyasint"`
	Catalogue uint16         `cbor:"2,keyasint"`
	Epoch     uint16         `cbor:"3,keyasint"`
	Seq       uint64         `cbor:"4,keyasint"`
	At        when.At        `cbor:"5,keyasint"`
}

// grace is how long before its first day and after its last one something may be
// counted for a quarter: cells are dated in the territory's zone and proposed a
// moment before they are applied.
const grace = 2 * 24 * 3600_000

// At is the quarter of an instant, UTC.
func At(at when.At) public.Quarter { return public.QuarterAt(public.DayOf(at.Time())) }

// Open reports whether what happens at an instant may count for a quarter.
func Open(q public.Quarter, at when.At) bool { return At(at-grace) <= q && q <= At(at+grace) }

// Next is the quarter to be released next: the one after the last, or the first
// that was counted whole. Quarters are released in order and without gaps, also
// those in which nothing has happened.
func Next(spent public.Odometer, first public.Quarter) public.Quarter {
	if spent.Any {
		return max(first, spent.Last+1)
	}
	return first
}

// Over reports whether a quarter may be frozen: its last day and the grace are
// over.
func Over(q public.Quarter, at when.At) bool { return At(at-grace) > q }

// Key of a quarter in a store.
func Key(q public.Quarter) []byte { return []byte{byte(q >> 8), byte(q)} }
