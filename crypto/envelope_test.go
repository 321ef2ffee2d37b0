package crypto_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"github.com/bippop/bippop/crypto"
)

// safe is somebody who can open backups.
type safe struct {
	recipient string
	unseal    crypto.Unsealer
}

func newSafe(t testing.TB) safe {
	t.Helper()
	text, recipient, err := crypto.NewRecoveryIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recovery")
	if err := os.WriteFile(path, []byte(text.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return safe{recipient, u}
}

func wrapped(t testing.TB, plain []byte, by crypto.Signer, to ...safe) []byte {
	t.Helper()
	var texts []string
	for _, s := range to {
		texts = append(texts, s.recipient)
	}
	r, err := crypto.ParseRecipients(texts)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := crypto.Encrypt(&out, r, by)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unwrapped is what a careful reader gets: all, or an error.
func unwrapped(r io.Reader, u crypto.Unsealer, from crypto.VerifyKey) ([]byte, error) {
	e, err := crypto.Decrypt(r, u, from)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(e)
}

func TestEnvelope(t *testing.T) {
	by, one, two := crypto.NewSigner(crypto.NewKey()), newSafe(t), newSafe(t)
	for _, size := range []int{0, 1, 63, 64, 65, 64 << 10, 64<<10 + 1, 200 << 10} {
		plain := bytes.Repeat([]byte("x"), size)
		box := wrapped(t, plain, by, one, two)
		for _, s := range []safe{one, two} {
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(box), "in halves": iotest.HalfReader(bytes.NewReader(box)), "with its end": iotest.DataErrReader(bytes.NewReader(box)),
			} {
				if got, err := unwrapped(r, s.unseal, by.VerifyKey()); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%d bytes, %s: %d bytes, %v", size, name, len(got), err)
				}
			}
		}
		if k, err := crypto.VerifyEnvelope(iotest.HalfReader(bytes.NewReader(box)), by.VerifyKey()); err != nil || k != by.VerifyKey() {
			t.Errorf("%d bytes: %v", size, err)
		}
		if bytes.Contains(box, []byte("xxxxxxxxxxxxxxxx")) {
			t.Error("the envelope shows what it holds")
		}
	}
}

// TestAlteredEnvelope: no byte can be changed, added or cut away without being
// found, by who can open the envelope and by who cannot.
func TestAlteredEnvelope(t *testing.T) {
	by, mine := crypto.NewSigner(crypto.NewKey()), newSafe(t)
	box := wrapped(t, bytes.Repeat([]byte("words of people "), 5000), by, mine)
	refused := func(name string, at int, bad []byte) {
		t.Helper()
		_, err := unwrapped(bytes.NewReader(bad), mine.unseal, by.VerifyKey())
		if !errors.Is(err, crypto.ErrEnvelopeDamaged) && !errors.Is(err, crypto.ErrOtherSigner) && !errors.Is(err, crypto.ErrWrongUnseal) {
			t.Errorf("%s at %d, opened: %v", name, at, err)
		}
		if _, err := crypto.VerifyEnvelope(bytes.NewReader(bad), by.VerifyKey()); !errors.Is(err, crypto.ErrEnvelopeDamaged) && !errors.Is(err, crypto.ErrOtherSigner) {
			t.Errorf("%s at %d, verified: %v", name, at, err)
		}
	}
	step := 997
	if *long {
		step = 31
	}
	var places []int
	for at := 0; at < len(box); at += step {
		places = append(places, at)
	}
	for at := range 60 { // head and tail in full
		places = append(places, at, len(box)-1-at)
	}
	for _, at := range places {
		bad := bytes.Clone(box)
		bad[at] ^= 0x20
		refused("changed", at, bad)
		refused("cut", at, box[:at])
	}
	refused("with a tail", len(box), append(bytes.Clone(box), 0))
	refused("twice", len(box), append(bytes.Clone(box), box...))
	refused("none", 0, nil)
	refused("not ours", 0, []byte("age-encryption.org/v1\n"))
}

// TestEnvelopeOfOthers: who knows the recipients, which are no secret, makes
// envelopes that open. They are not the territory's.
func TestEnvelopeOfOthers(t *testing.T) {
	domain := crypto.NewKey()
	ours, theirs, mine := crypto.NewSigner(domain), crypto.NewSigner(crypto.NewKey()), newSafe(t)
	if crypto.NewSigner(domain).VerifyKey() != ours.VerifyKey() {
		t.Error("a territory that was restored signs otherwise")
	}
	forged := wrapped(t, []byte("nobody"), theirs, mine)
	if _, err := unwrapped(bytes.NewReader(forged), mine.unseal, ours.VerifyKey()); !errors.Is(err, crypto.ErrOtherSigner) {
		t.Errorf("got %v", err)
	}
	if _, err := crypto.VerifyEnvelope(bytes.NewReader(forged), ours.VerifyKey()); !errors.Is(err, crypto.ErrOtherSigner) {
		t.Errorf("got %v", err)
	}
	// With our name on it, and with our signature of another envelope under it.
	key := ours.VerifyKey()
	copy(forged[len("bippop envelope 1\n"):], key[:])
	real := wrapped(t, []byte("nobody"), ours, mine)
	copy(forged[len(forged)-64:], real[len(real)-64:])
	if got, err := unwrapped(bytes.NewReader(forged), mine.unseal, ours.VerifyKey()); !errors.Is(err, crypto.ErrEnvelopeDamaged) {
		t.Errorf("got %s, %v", got, err)
	}
	// Who does not know the signer yet learns who it is.
	e, err := crypto.Decrypt(bytes.NewReader(real), mine.unseal, crypto.AnySigner)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(e); err != nil || string(b) != "nobody" || e.Signer() != ours.VerifyKey() {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := unwrapped(bytes.NewReader(real), newSafe(t).unseal, ours.VerifyKey()); !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("opened by another identity: %v", err)
	}
	if k, err := crypto.ParseVerifyKey(" " + key.String() + "\n"); err != nil || k != key {
		t.Errorf("got %v, %v", k, err)
	}
	for _, bad := range []string{"", key.String()[1:], key.String() + "00", strings.Repeat("0", 64), strings.Repeat("x", 64)} {
		if _, err := crypto.ParseVerifyKey(bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

// TestUnclosedEnvelope: a backup that was given up does not pass for a short one.
func TestUnclosedEnvelope(t *testing.T) {
	by, mine := crypto.NewSigner(crypto.NewKey()), newSafe(t)
	r, err := crypto.ParseRecipients([]string{mine.recipient})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := crypto.Encrypt(&out, r, by)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 300<<10))
	if _, err := unwrapped(bytes.NewReader(out.Bytes()), mine.unseal, by.VerifyKey()); !errors.Is(err, crypto.ErrEnvelopeDamaged) {
		t.Errorf("got %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := out.Len(); w.Close() == nil || out.Len() != n {
		t.Error("it was closed twice")
	}
	if _, err := unwrapped(bytes.NewReader(out.Bytes()), mine.unseal, by.VerifyKey()); err != nil {
		t.Error(err)
	}
}

var errDisk = errors.New("disk on fire")

// TestEnvelopeOnBadDisk: a disk that does not read or write is no damaged backup.
func TestEnvelopeOnBadDisk(t *testing.T) {
	by, mine := crypto.NewSigner(crypto.NewKey()), newSafe(t)
	box := wrapped(t, make([]byte, 100<<10), by, mine)
	for at := 0; at <= len(box); at += 1999 {
		broken := func() io.Reader { return io.MultiReader(bytes.NewReader(box[:at]), iotest.ErrReader(errDisk)) }
		if _, err := unwrapped(broken(), mine.unseal, by.VerifyKey()); !errors.Is(err, errDisk) {
			t.Errorf("reading ends at %d: %v", at, err)
		}
		if _, err := crypto.VerifyEnvelope(broken(), by.VerifyKey()); !errors.Is(err, errDisk) {
			t.Errorf("verifying ends at %d: %v", at, err)
		}
	}
	r, err := crypto.ParseRecipients([]string{mine.recipient})
	if err != nil {
		t.Fatal(err)
	}
	for room := 0; room < len(box); room += 1999 {
		w, err := crypto.Encrypt(&small{room}, r, by)
		if err == nil {
			_, err = w.Write(make([]byte, 100<<10))
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errDisk) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
}

// small is a disk with room for a few bytes.
type small struct{ room int }

func (s *small) Write(p []byte) (int, error) {
	if s.room -= len(p); s.room < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestRecipients(t *testing.T) {
	mine := newSafe(t)
	classical, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.ParseRecipients([]string{mine.recipient + "\n", hybrid.Recipient().String()}); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"classical": {classical.Recipient().String(), "age-keygen -pq"},
		"plugin":    {"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "age-keygen -pq"},
		"ssh":       {"ssh-ed25519 AAAA", "age-keygen -pq"},
		"cut":       {mine.recipient[:100], "mistyped"},
		"identity":  {hybrid.String(), "in a safe"},
		"small":     {strings.ToLower(hybrid.String()), "in a safe"},
		"empty":     {"", "age-keygen -pq"},
	} {
		_, err := crypto.ParseRecipients([]string{mine.recipient, c.text})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "recipient 2") {
			t.Errorf("%s: %v", name, err)
		} else if c.text != "" && strings.Contains(err.Error(), c.text[len(c.text)-10:]) {
			t.Errorf("%s: the error quotes it: %v", name, err)
		}
	}
	if _, err := crypto.ParseRecipients(nil); err == nil {
		t.Error("a backup for nobody")
	}
}

// TestOldEnvelope opens what was written when the form was made.
func TestOldEnvelope(t *testing.T) {
	u, err := crypto.IdentityFile("testdata/envelope1.identity")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/envelope1")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := unwrapped(f, u, goldenSigner(t).VerifyKey()); err != nil || string(b) != "Zyxwvut" {
		t.Errorf("%s, %v", b, err)
	}
}

func goldenSigner(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := crypto.KeyFromBytes([]byte("swordfish-swordfish-swordfish-32"))
	if err != nil {
		t.Fatal(err)
	}
	return crypto.NewSigner(k)
}

func FuzzEnvelope(f *testing.F) {
	b, err := os.ReadFile("testdata/envelope1")
	if err != nil {
		f.Fatal(err)
	}
	u, err := crypto.IdentityFile("testdata/envelope1.identity")
	if err != nil {
		f.Fatal(err)
	}
	from := goldenSigner(f).VerifyKey()
	f.Add(b)
	f.Add(b[:len(b)-64])
	f.Add([]byte("bippop envelope 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := unwrapped(bytes.NewReader(b), u, from)
		_, outside := crypto.VerifyEnvelope(bytes.NewReader(b), from)
		if err == nil && (string(plain) != "Zyxwvut" || outside != nil) {
			t.Errorf("somebody else's words pass: %q, %v", plain, outside)
		}
	})
}
