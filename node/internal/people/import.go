package people

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// ImportState says whether the rows of a spreadsheet are visible.
type ImportState uint8

const (
	Staged    ImportState = 1 // rows arrive, nobody sees them
	Committed ImportState = 2
	Undone    ImportState = 3
)

// Import is one spreadsheet that came in. Rows are people's records with this
// import's ID; they are seen while State is Committed.
type Import struct {
	ID      ident.Import  `cbor:"1,keyasint"`
	State   ImportState   `cbor:"2,keyasint"`
	Rows    uint32        `cbor:"3,keyasint"` // arrived so far; a batch is taken only at its place
	Used    uint32        `cbor:"4,keyasint"` // how often its people were changed or helped since
	Begun   when.At       `cbor:"5,keyasint"`
	By      ident.Account `cbor:"6,keyasint"`
	Closed  when.At       `cbor:"7,keyasint,omitempty"`
	Leaf    crypto.Leaf   `cbor:"8,keyasint"` // seals Box, not the people
	Box     []byte        `cbor:"9,keyasint"` // ImportWords
	Version uint32        `cbor:"10,keyasint"`
}

// ImportWords describe the file.
type ImportWords struct {
	File   crypto.Secret `cbor:"1,keyasint"`
	Digest []byte        `cbor:"2,keyasint"` // SHA-256 of file and mapping: a resumed import is of the same file
}

// Take counts rows that arrive at place from.
func (i Import) Take(from, rows uint32) (Import, error) {
	switch {
	case i.State != Staged:
		return i, refuse.ImportClosed
	case from != i.Rows:
		return i, refuse.ImportGap
	}
	i.Rows += rows
	i.Version++
	return i, nil
}

// Commit makes the rows visible once all have arrived.
func (i Import) Commit(rows uint32, at when.At) (Import, error) {
	switch {
	case i.State != Staged:
		return i, refuse.ImportClosed
	case rows != i.Rows:
		return i, refuse.ImportGap
	}
	i.State, i.Closed = Committed, at
	i.Version++
	return i, nil
}

// Undo hides all rows, unless somebody has worked with one since.
func (i Import) Undo(at when.At) (Import, error) {
	switch {
	case i.State == Undone:
		return i, refuse.ImportClosed
	case i.Used > 0:
		return i, refuse.ImportUsed
	}
	i.State, i.Closed = Undone, at
	i.Version++
	return i, nil
}
