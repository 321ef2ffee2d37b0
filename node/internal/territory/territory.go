// Package territory holds what a node is for: a controller and its communes.
package territory

import (
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Territory is the one record that says whose node this is.
type Territory struct {
	Siren    string   `cbor:"1,keyasint"` // of the controller
	Name     string   `cbor:"2,keyasint"` // the controller's: "CC du Réolais en Sud Gironde"
	Calls    string   `cbor:"3,keyasint"` // how it calls its service: "Entraide chez nous"
	Phone    string   `cbor:"4,keyasint"` // the desk's number, E.164; public
	Hours    string   `cbor:"5,keyasint"` // "du lundi au vendredi, 9 h – 17 h"
	Communes []string `cbor:"6,keyasint"` // INSEE codes, sorted
	Zone     string   `cbor:"7,keyasint"` // IANA name: days are counted there
	Founded  when.At  `cbor:"8,keyasint"`
	Version  uint32   `cbor:"9,keyasint"`
}

// Change replaces what people may change: names, phone, hours, communes.
func (t Territory) Change(version uint32, to Territory) (Territory, error) {
	if t.Version != version {
		return t, refuse.StaleVersion
	}
	to.Siren, to.Zone, to.Founded, to.Version = t.Siren, t.Zone, t.Founded, version+1
	return to, nil
}
