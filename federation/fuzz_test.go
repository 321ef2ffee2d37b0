package federation_test

import (
	"bytes"
	"testing"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
)

// fuzzed tries a decoder: whatever it takes, it gives back byte for byte.
func fuzzed[T any](f *testing.F, seeds ...T) {
	for _, s := range seeds {
		f.Add(federation.Wire(s))
	}
	f.Add([]byte{})
	f.Add([]byte{0x9f, 0xff})
	f.Add([]byte{0x81, 0x18, 0x00}) // a zero, longer than it must be
	f.Add([]byte{0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := federation.Unwire[T](b)
		if err == nil && !bytes.Equal(federation.Wire(v), b) {
			t.Errorf("%x is read, and written as %x", b, federation.Wire(v))
		}
	})
}

func FuzzHelloAsk(f *testing.F) {
	fuzzed(f, federation.HelloAsk{Min: 1, Max: 1, Siren: 200044394, Epoch: 1, Size: 1 << 63, Roster: 7})
}

func FuzzHelloAnswer(f *testing.F) {
	fuzzed(f, federation.HelloAnswer{Status: federation.StatusBehind, Roster: 3, Time: -1, Checkpoint: []byte("x"), Others: [][]byte{[]byte("y")}})
}

func FuzzRosterAsk(f *testing.F) { fuzzed(f, federation.RosterAsk{From: 1, Give: [][]byte{{1}, {2}}}) }

func FuzzRosterAnswer(f *testing.F) {
	fuzzed(f, federation.RosterAnswer{Version: 1, Entries: [][]byte{{1}}, Fresh: []byte("x")})
}

func FuzzPushAsk(f *testing.F) {
	fuzzed(f, federation.PushAsk{Epoch: 1, From: 1 << 63, Entries: [][]byte{{}, {1}}, Checkpoint: []byte("x")})
}

func FuzzPushAnswer(f *testing.F) { fuzzed(f, federation.PushAnswer{Checkpoint: []byte("x")}) }

func FuzzPullAsk(f *testing.F) {
	fuzzed(f, federation.PullAsk{All: true, Have: []federation.Have{federation.FeedOf(200044394, 1, 1<<63)}})
}

func FuzzPullAnswer(f *testing.F) {
	fuzzed(f, federation.PullAnswer{Siren: 200044394, Epoch: 1, From: 2, Entries: [][]byte{{1}}, Checkpoint: []byte("x")})
}

func FuzzEvidenceAsk(f *testing.F) {
	fuzzed(f, federation.EvidenceAsk{Siren: 200044394, Epoch: 1, A: []byte("a"), B: []byte("b"), Proof: [][32]byte{{1}}})
}

func FuzzEvidenceAnswer(f *testing.F) { fuzzed(f, federation.EvidenceAnswer{}) }

// An entry is looked at as it comes from a feed: whatever passes is a message of that
// place, in a kind that the roster names.
func FuzzEntry(f *testing.F) {
	b, err := public.Encode(public.Entry{From: 200044394, Epoch: 1, Seq: 3, Day: 2000, Body: public.Presence{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if federation.Inspect(200044394, 1, 3, b) != nil {
			return
		}
		if e, err := public.Decode(b); err != nil || e.From != 200044394 || e.Seq != 3 {
			t.Errorf("%x passes: %v", b, err)
		}
	})
}

// A frame is refused by its length before anything is allocated.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x80})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = federation.ReadFrame[federation.PullAsk](bytes.NewReader(b), 512)
	})
}

func FuzzWordAsk(f *testing.F) {
	fuzzed(f, federation.WordAsk{Feeds: []federation.WordOf{{Siren: 200044394, Epoch: 1}}})
}

func FuzzWordAnswer(f *testing.F) {
	fuzzed(f, federation.WordAnswer{Words: [][]byte{[]byte("x"), nil}})
}
