package gossip

import (
	"testing"

	"github.com/bippop/bippop/crypto"
)

// What a replica says is another machine's bytes: no form of it may panic, and
// what is read is what would be written again.
func FuzzMeta(f *testing.F) {
	good, err := Meta{Address: "10.0.0.1:7400", URL: "https://a.example", Level: 2, Applied: 9, Held: []crypto.KeyID{{1}}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0xa1, 1, 0x61, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err != nil {
			return
		}
		if again, err := m.encode(); err == nil {
			if m2, err := decodeMeta(again); err != nil || m2.Address != m.Address || m2.Applied != m.Applied || len(m2.Held) != len(m.Held) {
				t.Errorf("%x is read as another word the second time", b)
			}
		}
	})
}
