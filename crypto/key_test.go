package crypto_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
	"pgregory.net/rapid"
)

func TestBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := crypto.NewKey()
		plain := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "plain")
		place := crypto.Place([]byte("words"), rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "id"))
		box := k.Seal(plain, place)
		if len(box) != len(plain)+40 {
			t.Fatalf("%d bytes for %d", len(box), len(plain))
		}
		if got, err := k.Open(box, place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %x, %v", got, err)
		}
		if bytes.Equal(box, k.Seal(plain, place)) {
			t.Fatal("two boxes of the same words are alike")
		}
		bad := slices.Clone(box)
		bad[rapid.IntRange(0, len(box)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		for name, open := range map[string]func() ([]byte, error){
			"altered":     func() ([]byte, error) { return k.Open(bad, place) },
			"cut":         func() ([]byte, error) { return k.Open(box[:rapid.IntRange(0, len(box)-1).Draw(t, "cut")], place) },
			"longer":      func() ([]byte, error) { return k.Open(append(slices.Clone(box), 0), place) },
			"moved":       func() ([]byte, error) { return k.Open(box, append(slices.Clone(place), 0)) },
			"no place":    func() ([]byte, error) { return k.Open(box, nil) },
			"another key": func() ([]byte, error) { return crypto.NewKey().Open(box, place) },
		} {
			if got, err := open(); !errors.Is(err, crypto.ErrDamaged) || got != nil {
				t.Fatalf("%s: %x, %v", name, got, err)
			}
		}
	})
}

// TestPlace: no two lists of parts give the same bytes.
func TestPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a'}), 0, 5), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := slices.EqualFunc(a, b, bytes.Equal)
		if bytes.Equal(crypto.Place(a...), crypto.Place(b...)) != same {
			t.Fatalf("%q and %q", a, b)
		}
	})
	if got := hex.EncodeToString(crypto.Place([]byte("ab"), nil, []byte("c"))); got != "0000000261620000000000000001"+"63" {
		t.Errorf("got %s: boxes sealed before would not open any more", got)
	}
}

// TestGoldenKey pins what is derived from a key and a box of an earlier version.
func TestGoldenKey(t *testing.T) {
	k, err := crypto.KeyFromBytes(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if got := k.ID().String(); got != goldenID {
		t.Errorf("ID %s, was %s", got, goldenID)
	}
	if got := hex.EncodeToString(k.Derive("sessions").Reveal()); got != goldenDerived {
		t.Errorf("derived %s, was %s", got, goldenDerived)
	}
	box, _ := hex.DecodeString(goldenBox)
	if got, err := k.Open(box, crypto.Place([]byte("words"))); string(got) != "bonjour" {
		t.Errorf("the old box gives %q, %v", got, err)
	}
	if k.Derive("a").ID() == k.Derive("b").ID() || k.Derive("a").ID() != k.Derive("a").ID() || k.Derive("a").ID() == k.ID() {
		t.Error("labels do not tell keys apart")
	}
}

func TestKeySizes(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		if k, err := crypto.KeyFromBytes(make([]byte, n)); err == nil || !k.Zero() {
			t.Errorf("%d bytes are a key", n)
		}
	}
	var zero crypto.Key
	if !zero.Zero() || crypto.NewKey().Zero() {
		t.Error("Zero does not tell")
	}
	for name, use := range map[string]func(){"seal": func() { zero.Seal(nil, nil) }, "open": func() { zero.Open(make([]byte, 40), nil) }, "derive": func() { zero.Derive("x") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the zero key works: %s", name)
				}
			}()
			use()
		}()
	}
}

const (
	goldenID      = "57d78e16bb168832"
	goldenDerived = "b6bce1f53883381dd561e2a05994a1ad048b70ef7080ad4fcda45ea8c4f7c085"
	goldenBox     = "b0d8fdda95a993469c428f13643db1f23165c3bd195950ec30be1a961b2fd4cffac709aa7b4c836a840ac3e6b9964c"
)
