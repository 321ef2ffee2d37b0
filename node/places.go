package node

import (
	"slices"
	"sync"
	"time"

	"github.com/bippop/bippop/node/internal/geo"
	"github.com/bippop/bippop/node/internal/store"
)

// places knows the territory's communes, their distances and its zone. It reads
// the territory's record once and again after it changed. Safe for concurrent
// use.
type places struct {
	mu       sync.Mutex // guards what follows, for a lookup
	known    bool
	record   Territory
	location *time.Location
	areas    [][]string // of the communes in divided
	divided  []string
}

func newPlaces() *places { return &places{location: time.UTC} }

func (p *places) forget() {
	p.mu.Lock()
	p.known = false
	p.mu.Unlock()
}

// territory is the record as last read.
func (c *core) territory() (Territory, error) {
	p := c.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		return p.record, nil
	}
	var found bool
	err := c.view(itself, func(tx *store.Tx) (err error) {
		p.record, found, err = store.Territories.Get(tx, []byte{0})
		return err
	})
	if err != nil {
		return Territory{}, err
	}
	if !found {
		return Territory{}, ErrNotFounded
	}
	zone, err := time.LoadLocation(p.record.Zone)
	if err != nil {
		return Territory{}, wrap("the territory's time zone", err)
	}
	p.location, p.known = zone, true
	return p.record, nil
}

// zone is where the territory counts its days; UTC while nothing is founded.
func (c *core) zone() *time.Location {
	if _, err := c.territory(); err != nil {
		return time.UTC
	}
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	return c.places.location
}

// today is the calendar day in the territory.
func (c *core) today() Day { return DayOf(c.now().In(c.zone())) }

// inTerritory refuses a commune that is not one of the territory's.
func (c *core) inTerritory(field, commune string) error {
	t, err := c.territory()
	if err != nil {
		return err
	}
	if _, ok := slices.BinarySearch(t.Communes, commune); !ok {
		return invalid(field, "commune-outside", "this commune is not part of the territory; choose one from the list")
	}
	return nil
}

// distance between two communes in metres, between their centres; ok is false
// when the registry does not know where one of them lies.
func distance(a, b string) (metres int, ok bool) {
	if a == b {
		return 0, true
	}
	from, ok1 := geo.Lookup(geo.Insee(a))
	to, ok2 := geo.Lookup(geo.Insee(b))
	if !ok1 || !ok2 || !from.Located || !to.Located {
		return 0, false
	}
	return geo.Distance(from.Point, to.Point), true
}

// CommuneName is the commune's name as people say it, with the département where
// that is needed to tell it from another one.
func CommuneName(code string) string {
	c, ok := geo.Lookup(geo.Insee(code))
	if !ok {
		return code
	}
	return c.Label()
}

// LookupCommune reads the embedded registry.
func LookupCommune(code string) (Commune, bool) { return geo.Lookup(geo.Insee(code)) }

// SearchCommunes finds communes of France by name, postcode or code.
func SearchCommunes(text string, limit int) []Commune { return geo.Search(text, limit) }

// NearestCommune is the commune of that name, postcode or code which lies nearest
// to another one: somebody who says where he shops means the town next door.
func NearestCommune(text, from string) (best Commune, ok bool) {
	least := 0
	for i, c := range geo.Search(text, 20) {
		if i > 0 && c.Name != best.Name {
			continue // what only begins like it
		}
		metres, known := distance(from, string(c.Code))
		if !known {
			metres = 1 << 30
		}
		if i == 0 || metres < least {
			best, least, ok = c, metres, true
		}
	}
	return best, ok
}

// LookupEPCI gives the name and the communes of a grouping by its SIREN.
func LookupEPCI(siren string) (name string, communes []string, ok bool) {
	e, ok := geo.LookupEPCI(geo.Siren(siren))
	for _, m := range e.Members {
		communes = append(communes, string(m))
	}
	return e.Name, communes, ok
}

// CommunesOfDepartement lists INSEE codes; name is the département's.
func CommunesOfDepartement(code string) (name string, communes []string, ok bool) {
	d, ok := geo.LookupDepartement(code)
	if !ok {
		return "", nil, false
	}
	for _, c := range geo.CommunesOf(code) {
		communes = append(communes, string(c))
	}
	return d.Name, communes, true
}

// Credits names the sources of the embedded geography.
func Credits() []geo.Credit { return geo.Credits() }
