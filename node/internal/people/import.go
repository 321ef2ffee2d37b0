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
	Closed  when.At       `cbor:"7,keyasint,omitempty"` // when its rows became visible
	Leaf    crypto.Leaf   `cbor:"8,keyasint"`           // seals Box, not the people
	Box     []byte        `cbor:"9,keyasint"`           // ImportWords
	Version uint32        `cbor:"10,keyasint"`
	Counted uint32        `cbor:"11,keyasint,omitempty"` // parts of it that stand in the statistics
	Hidden  when.At       `cbor:"12,keyasint,omitempty"` // when it was undone
}

// ImportWords describe the file.
type ImportWords struct {
	File   crypto.Secret `cbor:"1,keyasint"`
	Digest []byte        `cbor:"2,keyasint"` // SHA-256 of file and choices: a resumed import is of the same
	Kept   []byte        `cbor:"3,keyasint"` // one bit a row of the file, lowest first: it goes in
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
	i.State, i.Hidden = Undone, at
	i.Version++
	return i, nil
}

// Count notes that part, of a few hundred people, stands in the statistics;
// parts are counted in order once the rows are visible. With back a part is
// taken out again, the last one first, once they are hidden.
func (i Import) Count(part uint32, back bool) (Import, error) {
	switch {
	case back && i.State != Undone, !back && i.State != Committed:
		return i, refuse.ImportClosed
	case !back && part != i.Counted, back && (i.Counted == 0 || part != i.Counted-1):
		return i, refuse.ImportGap
	}
	if back {
		i.Counted--
	} else {
		i.Counted++
	}
	i.Version++
	return i, nil
}
