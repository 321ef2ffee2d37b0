package crypto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/bippop/bippop/crypto"
)

// noon is when the tests' territories are founded.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

// cheap is scrypt's cost in tests, as a power of two.
const cheap = 4

func passphrase(t *testing.T, words string) crypto.Unsealer {
	t.Helper()
	u, err := crypto.Passphrase(words, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func identity(t *testing.T) crypto.Unsealer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity")
	if err := crypto.NewIdentityFile(path); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newVault(t testing.TB) *crypto.Vault {
	t.Helper()
	v, err := crypto.NewVault(siren, "replica-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	v.Roots.Candidates = []crypto.Candidate{{Key: crypto.NewKey(), From: v.Roots.Current.ID()}, {Key: crypto.NewKey(), From: crypto.KeyID{1, 2, 3}}}
	return &v
}

// sameVault compares what is written, which is all there is.
func sameVault(t *testing.T, got, want crypto.Vault) {
	t.Helper()
	a, err := crypto.TestOnlyEncodeVault(got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := crypto.TestOnlyEncodeVault(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("another vault was read than was written")
	}
}

func TestVault(t *testing.T) {
	_, shares, err := crypto.NewShares(siren, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]crypto.Unsealer{"passphrase": passphrase(t, "une phrase bien longue"), "identity": identity(t), "shares": shares} {
		path := filepath.Join(t.TempDir(), "vault.age")
		want := newVault(t)
		if err := crypto.CreateVault(path, want, u); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		got, err := crypto.LoadVault(path, u)
		if err != nil {
			t.Fatal(err)
		}
		sameVault(t, got, *want)
		if len(got.Roots.Candidates) != 2 || got.Roots.Candidates[1].From != (crypto.KeyID{1, 2, 3}) || got.Sealed != 1 {
			t.Errorf("%s: %d candidates, sealed %d times", name, len(got.Roots.Candidates), got.Sealed)
		}
		if err := got.BelongsTo(siren, "replica-1"); err != nil {
			t.Error(err)
		}
		if err := got.BelongsTo("200069599", "replica-1"); !errors.Is(err, crypto.ErrOtherTerritory) {
			t.Errorf("got %v", err)
		}
		for other, wrong := range map[string]crypto.Unsealer{"another passphrase": passphrase(t, "une autre phrase longue"), "another identity": identity(t)} {
			if v, err := crypto.LoadVault(path, wrong); !errors.Is(err, crypto.ErrWrongUnseal) || !v.Roots.Current.Zero() {
				t.Errorf("%s opened with %s: %v", name, other, err)
			}
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(whole, []byte(siren)) {
			t.Errorf("%s: the vault shows its territory", name)
		}
		step := 13
		if *long {
			step = 1
		}
		for at := 0; at < len(whole); at += step {
			bad := bytes.Clone(whole)
			bad[at] ^= 0x10
			fails(t, name, bad, u, at)
		}
		for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
			fails(t, name+", cut", whole[:n], u, n)
		}
		// A founding does not overwrite, a save does.
		if err := crypto.CreateVault(path, newVault(t), u); !errors.Is(err, crypto.ErrVaultThere) {
			t.Errorf("%s: a vault was overwritten: %v", name, err)
		}
		if err := crypto.SaveVault(path, &got, u); err != nil {
			t.Fatal(err)
		}
		again, err := crypto.LoadVault(path, u)
		if err != nil || again.Sealed != 2 {
			t.Errorf("%s: sealed %d times, %v", name, again.Sealed, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
}

// TestFoundingDraws: no key is there twice, in one territory or in two.
func TestFoundingDraws(t *testing.T) {
	seen := map[crypto.KeyID]bool{}
	a, b := newVault(t), newVault(t)
	for _, v := range []*crypto.Vault{a, b} {
		for _, k := range []crypto.Key{v.Roots.Current, v.Node.Log, v.Node.Values, v.Node.Skin, v.Shared.Domain, v.Shared.Gossip} {
			if seen[k.ID()] {
				t.Error("a key is there twice")
			}
			seen[k.ID()] = true
		}
	}
	if a.Incarnation == b.Incarnation || a.TLS.Fingerprint() == b.TLS.Fingerprint() || a.Shared.Authority.Fingerprint() == b.Shared.Authority.Fingerprint() {
		t.Error("two foundings are one")
	}
}

// TestVaultFormat holds the names in the file. Another set of names is another
// format.
func TestVaultFormat(t *testing.T) {
	b, err := crypto.TestOnlyEncodeVault(*newVault(t))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	pair := map[string]any{"key": "", "certificate": ""}
	candidate := map[string]any{"key": "", "from": ""}
	want := map[string]any{
		"format": 2.0, "territory": "", "incarnation": "", "replica": "", "sealed": 0.0,
		"roots":  map[string]any{"current": "", "candidates": []any{candidate, candidate}},
		"node":   map[string]any{"log": "", "values": "", "skin": ""},
		"shared": map[string]any{"domain": "", "gossip": "", "authority": pair},
		"tls":    pair,
	}
	if got = blank(got); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// blank empties every text.
func blank(v any) any {
	switch v := v.(type) {
	case string:
		return ""
	case map[string]any:
		for k := range v {
			v[k] = blank(v[k])
		}
	case []any:
		for i := range v {
			v[i] = blank(v[i])
		}
	}
	return v
}

// TestOldVault reads a vault as it was written when format 2 was made.
func TestOldVault(t *testing.T) {
	b, err := os.ReadFile("testdata/vault2.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := crypto.TestOnlyDecodeVault(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := crypto.TestOnlyEncodeVault(v)
	if err != nil || !bytes.Equal(bytes.TrimSpace(b), again) {
		t.Errorf("it is written otherwise: %s, %v", again, err)
	}
	for name, bad := range map[string]string{
		"a name more":   strings.Replace(string(again), `{"format"`, `{"secret":"","format"`, 1),
		"a value more":  string(again) + "{}",
		"a brace more":  string(again) + "}",
		"a name less":   strings.Replace(string(again), `"gossip"`, `"gozzip"`, 1),
		"another's key": strings.Replace(string(again), `"tls":{"key":"`, `"tls":{"key":"AAAA`, 1),
		"keys changed":  strings.Replace(strings.Replace(string(again), `"authority"`, `"x"`, 1), `"tls"`, `"authority"`, 1),
	} {
		if _, err := crypto.TestOnlyDecodeVault([]byte(bad)); !errors.Is(err, crypto.ErrVaultDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJoinersVault: who has just joined has no root yet, and keeps what it has.
func TestJoinersVault(t *testing.T) {
	v, u := newVault(t), passphrase(t, "une phrase bien longue")
	v.Roots = crypto.Roots{}
	path := filepath.Join(t.TempDir(), "vault.age")
	if err := crypto.SaveVault(path, v, u); err != nil {
		t.Fatal(err)
	}
	got, err := crypto.LoadVault(path, u)
	if err != nil || !got.Roots.Current.Zero() {
		t.Fatal(err)
	}
	sameVault(t, got, *v)
}

// TestIncompleteVault: what could not be read again is not written over what can.
func TestIncompleteVault(t *testing.T) {
	path, u := filepath.Join(t.TempDir(), "vault.age"), passphrase(t, "une phrase bien longue")
	for name, spoil := range map[string]func(*crypto.Vault){
		"no log key": func(v *crypto.Vault) { v.Node.Log = crypto.Key{} },
		"no domain":  func(v *crypto.Vault) { v.Shared.Domain = crypto.Key{} }, "no authority": func(v *crypto.Vault) { v.Shared.Authority = crypto.Authority{} },
		"no identity": func(v *crypto.Vault) { v.TLS = crypto.Identity{} }, "no certificate": func(v *crypto.Vault) { v.TLS = crypto.NewIdentity() },
	} {
		v := newVault(t)
		spoil(v)
		if err := crypto.SaveVault(path, v, u); err == nil {
			t.Errorf("%s: it was written", name)
		}
		if _, _, err := crypto.SealForPeers(*v, passphrase(t, "une phrase bien longue")); err == nil {
			t.Errorf("%s: it was sealed for the peers", name)
		}
	}
}

func TestShared(t *testing.T) {
	want := newVault(t).Shared
	b, err := want.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := crypto.SharedFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Domain.ID() != want.Domain.ID() || got.Gossip.ID() != want.Gossip.ID() || got.Authority.Fingerprint() != want.Authority.Fingerprint() {
		t.Error("other keys were read than were written")
	}
	for _, bad := range [][]byte{nil, []byte("{}"), b[:len(b)-1], append(bytes.Clone(b), '{'), bytes.Replace(b, []byte("gossip"), []byte("gozzip"), 1)} {
		if _, err := crypto.SharedFromBytes(bad); !errors.Is(err, crypto.ErrDamaged) {
			t.Errorf("got %v", err)
		}
	}
}

func fails(t *testing.T, name string, bad []byte, u crypto.Unsealer, at int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bad.age")
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := crypto.LoadVault(path, u)
	if !errors.Is(err, crypto.ErrVaultDamaged) && !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("%s, byte %d: %v", name, at, err)
	}
}

func TestMissingVault(t *testing.T) {
	_, err := crypto.LoadVault(filepath.Join(t.TempDir(), "none"), passphrase(t, "une phrase bien longue"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestForbidden: who may not read or write is told what to do.
func TestForbidden(t *testing.T) {
	err := crypto.TestOnlyWithHint(&os.PathError{Op: "open", Path: "vault.age", Err: os.ErrPermission})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "run bippop as the user who owns") {
		t.Errorf("got %v", err)
	}
	v := newVault(t)
	if err := crypto.SaveVault(filepath.Join(t.TempDir(), "none", "vault"), v, passphrase(t, "une phrase bien longue")); !errors.Is(err, os.ErrNotExist) || v.Sealed != 1 {
		t.Errorf("sealed %d, %v", v.Sealed, err)
	}
}

// TestForeignVault: an age file of ours that is no vault.
func TestForeignVault(t *testing.T) {
	dir := t.TempDir()
	if err := crypto.NewIdentityFile(dir + "/id"); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(dir + "/id")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(dir + "/id")
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":         {"hello", "damaged"},
		"an older program": {`{"format":9}`, "format 9"},
		"format 1":         {`{"format":1,"territory":"200044394","root":"AAAA"}`, "found the territory anew"},
		"short keys":       {`{"format":2,"node":{"log":"AAAA"}}`, "damaged"},
		"unknown names":    {`{"format":2,"secret":"AAAA"}`, "damaged"},
	} {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, ids[0].(*age.HybridIdentity).Recipient())
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(c.text))
		w.Close()
		os.WriteFile(dir+"/v", out.Bytes(), 0o600)
		if _, err := crypto.LoadVault(dir+"/v", u); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzVault(f *testing.F) {
	b, err := os.ReadFile("testdata/vault2.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := crypto.TestOnlyDecodeVault(b)
		if err != nil {
			return
		}
		again, err := crypto.TestOnlyEncodeVault(v)
		if err != nil {
			t.Fatal(err)
		}
		w, err := crypto.TestOnlyDecodeVault(again)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		sameVault(t, w, v)
	})
}
