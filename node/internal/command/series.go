package command

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/when"
)

// OpenSeries notes help that comes again. It makes no request: [Recur] does.
type OpenSeries struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Series      `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Type        ident.ActionType  `cbor:"3,keyasint"`
	Terms       series.Terms      `cbor:"4,keyasint"`
	Box         []byte            `cbor:"5,keyasint,omitempty"` // sealed at version 1
}

// ChangeSeries replaces the terms and, unless empty, the words. Requests that lie
// ahead follow; Follow has what those need that stay.
type ChangeSeries struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Series `cbor:"1,keyasint"`
	Version uint32       `cbor:"2,keyasint"`
	Terms   series.Terms `cbor:"3,keyasint"`
	Box     []byte       `cbor:"4,keyasint,omitempty"` // sealed at Version+1
	Past    when.Day     `cbor:"5,keyasint"`           // the last day on which no occurrence can begin any more
	Follow  []Follow     `cbor:"6,keyasint,omitempty"`
	Counts  []Count      `cbor:"7,keyasint,omitempty"` // Cancelled, for each request whose day is gone; Found and Told, for one that comes about by it
}

// Follow is what a request needs that a series made, when its terms change.
type Follow struct {
	Request ident.Request `cbor:"1,keyasint"`
	Version uint32        `cbor:"2,keyasint"`
	Start   when.At       `cbor:"3,keyasint"`           // of its day under the new terms, on the territory's clocks
	Box     []byte        `cbor:"4,keyasint,omitempty"` // the new words for it, sealed at Version+1
}

// StepSeries pauses, resumes or ends. What lies ahead is dropped by the first and
// the last.
type StepSeries struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Series `cbor:"1,keyasint"`
	Version uint32       `cbor:"2,keyasint"`
	To      series.State `cbor:"3,keyasint"`
	Past    when.Day     `cbor:"4,keyasint"`
	Why     request.Why  `cbor:"5,keyasint,omitempty"`
	Counts  []Count      `cbor:"6,keyasint,omitempty"` // Cancelled, for each request that is dropped
}

// SkipOccurrence makes an exception of one day, and drops its request if there is
// one.
type SkipOccurrence struct {
	Stamp  `cbor:"0,keyasint"`
	ID     ident.Series `cbor:"1,keyasint"`
	Day    when.Day     `cbor:"2,keyasint"`
	Why    request.Why  `cbor:"3,keyasint"`
	Counts []Count      `cbor:"4,keyasint,omitempty"` // Cancelled, if a request is dropped
}

// Recur makes the request of the next occurrence. Version and Day say what the
// proposer took that to be: when it is not, nothing is made.
type Recur struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Series  `cbor:"1,keyasint"`
	Version uint32        `cbor:"2,keyasint"`
	Day     when.Day      `cbor:"3,keyasint"`
	Past    when.Day      `cbor:"4,keyasint"` // the last day on which no occurrence can begin any more
	Request ident.Request `cbor:"5,keyasint"`
	Start   when.At       `cbor:"6,keyasint"`           // on Day, on the territory's clocks
	Box     []byte        `cbor:"7,keyasint,omitempty"` // sealed for the request at version 1
	Counts  []Count       `cbor:"8,keyasint,omitempty"` // Requested; Found and Told, if it comes about at once
}

func (OpenSeries) Kind() Kind     { return KindOpenSeries }
func (ChangeSeries) Kind() Kind   { return KindChangeSeries }
func (StepSeries) Kind() Kind     { return KindStepSeries }
func (SkipOccurrence) Kind() Kind { return KindSkipOccurrence }
func (Recur) Kind() Kind          { return KindRecur }
