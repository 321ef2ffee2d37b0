package crypto_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bippop/bippop/crypto"
)

// TestPeers: each box opens with its own lock and with no other one, so that a
// copy of yesterday's box is worth nothing once the peers forgot its lock.
func TestPeers(t *testing.T) {
	v, u := newVault(t), identity(t)
	lock, box, err := crypto.SealForPeers(*v, u)
	if err != nil {
		t.Fatal(err)
	}
	next, newer, err := crypto.SealForPeers(*v, u)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lock crypto.Key
		box  []byte
	}{{lock, box}, {next, newer}} {
		got, _, err := crypto.OpenFromPeers(c.box, c.lock)
		if err != nil {
			t.Fatal(err)
		}
		sameVault(t, got, *v)
	}
	if _, _, err := crypto.OpenFromPeers(box, next); !errors.Is(err, crypto.ErrDamaged) {
		t.Errorf("an old box opened with a new lock: %v", err)
	}
	for _, k := range []crypto.Key{v.Roots.Current, v.Shared.Domain, v.Shared.Gossip, v.Node.Values} {
		if _, _, err := crypto.OpenFromPeers(box, k); err == nil {
			t.Error("a box opened with a key of the vault")
		}
	}
	for at := 0; at < len(box); at += 17 {
		bad := bytes.Clone(box)
		bad[at] ^= 1
		if _, _, err := crypto.OpenFromPeers(bad, lock); !errors.Is(err, crypto.ErrDamaged) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if bytes.Contains(box, []byte(siren)) || bytes.Contains(box, lock.Reveal()) {
		t.Error("the box shows what it holds")
	}
}

// TestPeersSaveAgain: a replica that was opened by its peers writes its vault as
// before, so that the people or the file that opened it still do.
func TestPeersSaveAgain(t *testing.T) {
	shares, ofShares, err := crypto.NewShares(siren, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	again, err := crypto.CombineShares(shares[1:])
	if err != nil {
		t.Fatal(err)
	}
	file := identity(t)
	for name, u := range map[string]struct{ saved, opens crypto.Unsealer }{
		"passphrase": {passphrase(t, "une phrase bien longue"), passphrase(t, "une phrase bien longue")},
		"identity":   {file, file},
		"shares":     {ofShares, again},
	} {
		path := filepath.Join(t.TempDir(), "vault.age")
		v := newVault(t)
		if err := crypto.SaveVault(path, v, u.saved); err != nil {
			t.Fatal(err)
		}
		lock, box, err := crypto.SealForPeers(*v, u.saved)
		if err != nil {
			t.Fatal(err)
		}
		_, byPeers, err := crypto.OpenFromPeers(box, lock)
		if err != nil {
			t.Fatal(err)
		}
		got, err := crypto.LoadVault(path, byPeers)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sameVault(t, got, *v)
		got.Roots.Current = crypto.NewKey()
		if err := crypto.SaveVault(path, &got, byPeers); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		saved, err := crypto.LoadVault(path, u.opens)
		if err != nil {
			t.Fatalf("%s: what was saved does not open by hand: %v", name, err)
		}
		sameVault(t, saved, got)
	}
}

func TestDoorbell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorbell")
	want := crypto.NewDoorbell(siren, "replica-2")
	if err := crypto.SaveDoorbell(path, want); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	got, err := crypto.LoadDoorbell(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Territory() != siren || got.Replica() != "replica-2" || got.Fingerprint() != want.Fingerprint() {
		t.Errorf("got %s %s", got.Territory(), got.Replica())
	}
	if got.Fingerprint() == crypto.NewDoorbell(siren, "replica-2").Fingerprint() {
		t.Error("two doorbells ring alike")
	}
	c, err := got.TLS()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil || crypto.Fingerprint(leaf) != want.Fingerprint() {
		t.Errorf("the certificate is of another key: %v", err)
	}
	if _, err := crypto.NameOf(leaf); err == nil {
		t.Error("a doorbell passes for a replica")
	}
	whole, _ := os.ReadFile(path)
	for name, bad := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-2], "other format": bytes.Replace(whole, []byte(`"format":1`), []byte(`"format":2`), 1), "no key": []byte(`{"format":1}`),
	} {
		os.WriteFile(path, bad, 0o600)
		if _, err := crypto.LoadDoorbell(path); !errors.Is(err, crypto.ErrDoorbell) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := crypto.LoadDoorbell(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
