package consensus_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/consensus"
)

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 600), 1, consensus.MaxEntryCommands).Draw(t, "commands")
		got, err := consensus.DecodeEntry(consensus.EncodeEntry(want))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("got %d commands, want %d, or they differ", len(got), len(want))
		}
	})
}

func TestDecodeEntryRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
	}{
		{"nothing", nil},
		{"no command", []byte{1}},
		{"unknown format", []byte{2, 1, 'a'}},
		{"command cut short", []byte{1, 3, 'a', 'b'}},
		{"length cut short", []byte{1, 0x80}},
		{"length not minimal", []byte{1, 0x81, 0x00, 'a'}},
		{"length overflows", append([]byte{1}, bytes.Repeat([]byte{0xff}, 11)...)},
		{"command too large", append([]byte{1, 0x81, 0x80, 0x04}, make([]byte, consensus.MaxCommand+1)...)},
		{"too many commands", append([]byte{1}, make([]byte, consensus.MaxEntryCommands+1)...)},
		{"too large", make([]byte, consensus.MaxEntry+1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := consensus.DecodeEntry(test.in); err == nil {
				t.Errorf("got %d commands, want an error", len(got))
			}
		})
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add(consensus.EncodeEntry([][]byte{[]byte("a"), nil, bytes.Repeat([]byte{7}, 300)}))
	f.Add([]byte{1, 0x81, 0x00, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		commands, err := consensus.DecodeEntry(b)
		if err == nil && !bytes.Equal(consensus.EncodeEntry(commands), b) {
			t.Error("two entries for the same commands")
		}
	})
}
