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
	Face     Face     `cbor:"10,keyasint"`
	Role     Role     `cbor:"11,keyasint,omitempty"` // in the federation
	// Second are the roles, as bits of account.Roles, whose holders do nothing before they
	// have set up a second factor.
	Second uint16 `cbor:"12,keyasint,omitempty"`
}

// Role is what a node is in the federation. The numbers are in the record; the
// zero value is a territory, as all were that were founded before there were others.
type Role uint8

const (
	RoleTerritory   Role = 0
	RoleCoordinator Role = 2
	RoleObserver    Role = 3
)

// Face is how the service looks and what it says first. Everything in it is
// public; empty means as the program has it.
type Face struct {
	Colour   string `cbor:"1,keyasint,omitempty"` // "#0f5c55": of buttons and the head of pages
	Opening  string `cbor:"2,keyasint,omitempty"` // the first sentence of a call: "Bonjour, c’est l’Entraide."
	Notice   string `cbor:"3,keyasint,omitempty"` // the information read to whoever is enrolled
	Logo     []byte `cbor:"4,keyasint,omitempty"` // PNG, JPEG or GIF, ≤ 32 KiB
	LogoType string `cbor:"5,keyasint,omitempty"` // its media type
}

// Change replaces what people may change: names, phone, hours, communes, face.
func (t Territory) Change(version uint32, to Territory) (Territory, error) {
	if t.Version != version {
		return t, refuse.StaleVersion
	}
	to.Siren, to.Zone, to.Founded, to.Role, to.Version = t.Siren, t.Zone, t.Founded, t.Role, version+1
	return to, nil
}
