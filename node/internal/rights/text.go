package rights

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Text is one version of the notice of a treatment, as the territory has written
// it. Versions count from 1; 0 are the program's own words.
type Text struct {
	Treatment Treatment     `cbor:"1,keyasint"`
	Version   uint16        `cbor:"2,keyasint"`
	Words     string        `cbor:"3,keyasint"`
	At        when.At       `cbor:"4,keyasint"`
	By        ident.Account `cbor:"5,keyasint"`
}

// TextKey is the place of a version: they sort.
func TextKey(t Treatment, version uint16) []byte {
	return []byte{byte(t), byte(version >> 8), byte(version)}
}
