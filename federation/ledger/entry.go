package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
)

// lexicon is which kinds a roster names, or ever named, in which forms.
type lexicon map[public.Kind][]public.Schema

func (l lexicon) learn(kinds []public.Schema) {
	for _, s := range kinds {
		known := false
		for _, o := range l[s.Kind] {
			known = known || o == s
		}
		if !known {
			l[s.Kind] = append(l[s.Kind], s)
		}
	}
}

// judge says whether an entry's kind may be said, in the form that this program
// knows.
func (l lexicon) judge(k public.Kind, known public.Schema, ok bool) (Code, string) {
	newest := uint16(0)
	for _, s := range l[k] {
		if ok && s == known {
			return "", ""
		}
		newest = max(newest, s.Version)
	}
	if len(l[k]) == 0 {
		return KindUnnamed, fmt.Sprintf("the roster names no kind %d", k)
	}
	return NeedVersion, fmt.Sprintf("need version ≥ %d of kind %d: check with a newer program", newest, k)
}

// said is what is kept of an entry that was checked.
type said struct {
	kind    public.Kind
	day     public.Day
	release *public.Release
	code    Code // of a fault; empty: in order
	what    string
}

// speaker is whose feed it is.
type speaker struct {
	listed
	coordinator bool
	words       lexicon
}

// check reads one entry. Decoding refuses what would not encode to the same bytes.
func (s speaker) check(seq int64, b []byte) said {
	e, err := public.Decode(b)
	if errors.Is(err, public.ErrKind) {
		return s.checkOther(seq, b)
	}
	if err != nil {
		return said{code: Form, what: err.Error()}
	}
	out := said{kind: e.Body.Kind(), day: e.Day}
	if e.From != s.Siren || e.Epoch != s.Epoch || e.Seq != uint64(seq) {
		out.code, out.what = Place, fmt.Sprintf("it says that it is entry %d of %s in epoch %d", e.Seq, e.From, e.Epoch)
		return out
	}
	if r, ok := e.Body.(public.Release); ok {
		out.release = &r
	}
	out.code, out.what = s.words.judge(out.kind, schemaOf(out.kind), true)
	return out
}

// checkOther reads a bulletin, or says what would be needed to read it.
func (s speaker) checkOther(seq int64, b []byte) said {
	e, err := bulletin.Decode(b, s.Siren)
	switch {
	case errors.Is(err, public.ErrKind):
		k, ok := peek(b)
		if !ok {
			return said{code: Form, what: public.ErrForm.Error()}
		}
		out := said{kind: k}
		out.code, out.what = s.words.judge(k, public.Schema{}, false)
		return out
	case err != nil:
		return said{code: Form, what: err.Error()}
	}
	out := said{kind: e.Body.Kind(), day: e.Day}
	switch schema, ok := bulletin.SchemaOf(out.kind); {
	case !s.coordinator:
		out.code, out.what = KindUnnamed, bulletin.ErrSpeaker.Error()
	case e.From != s.Siren || e.Epoch != s.Epoch || e.Seq != uint64(seq):
		out.code, out.what = Place, fmt.Sprintf("it says that it is entry %d of %s in epoch %d", e.Seq, e.From, e.Epoch)
	default:
		out.code, out.what = s.words.judge(out.kind, schema, ok)
	}
	return out
}

// schemas of this program, computed once: describing a form takes reflection.
var schemas = func() map[public.Kind]public.Schema {
	all := map[public.Kind]public.Schema{}
	for _, k := range public.Kinds() {
		all[k] = public.SchemaOf(k)
	}
	return all
}()

func schemaOf(k public.Kind) public.Schema { return schemas[k] }

// peek finds the kind of an entry whose body can not be read: an array of seven whose
// sixth is the kind, all numbers before it unsigned.
func peek(b []byte) (public.Kind, bool) {
	if len(b) == 0 || b[0] != 0x87 {
		return 0, false
	}
	b = b[1:]
	for field := 0; ; field++ {
		if len(b) == 0 || b[0]>>5 != 0 {
			return 0, false
		}
		n, size := uint64(b[0]&31), 0
		switch n {
		case 24, 25, 26, 27:
			size = 1 << (n - 24)
			if len(b) < 1+size {
				return 0, false
			}
			var wide [8]byte
			copy(wide[8-size:], b[1:1+size])
			n = binary.BigEndian.Uint64(wide[:])
		case 28, 29, 30, 31:
			return 0, false
		}
		if field == 5 {
			return public.Kind(n), n < 1<<16
		}
		b = b[1+size:]
	}
}
