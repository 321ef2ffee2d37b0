package crypto_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
)

// TestCorrespondence: what is encrypted to a derived recipient opens with the same
// key again, with no other, and says who has signed it.
func TestCorrespondence(t *testing.T) {
	key, other := crypto.NewKey(), crypto.NewKey()
	_, text, err := crypto.DerivedIdentity(key)
	if err != nil || !strings.HasPrefix(text, "age1pq1") {
		t.Fatal(text, err)
	}
	to, err := crypto.ParseRecipients([]string{text})
	if err != nil {
		t.Fatal(err)
	}
	by := crypto.SeededSigner([32]byte{7})
	var file bytes.Buffer
	w, err := crypto.Encrypt(&file, to, by)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "dossiers")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, same, err := crypto.DerivedIdentity(key)
	if err != nil || same != text {
		t.Fatal("the recipient of one key changes", err)
	}
	e, err := crypto.Decrypt(bytes.NewReader(file.Bytes()), again, crypto.AnySigner)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(e); err != nil || string(plain) != "dossiers" || e.Signer() != by.VerifyKey() {
		t.Error(string(plain), err)
	}
	foreign, _, err := crypto.DerivedIdentity(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.Decrypt(bytes.NewReader(file.Bytes()), foreign, crypto.AnySigner); err == nil {
		t.Error("another key opens it")
	}
}
