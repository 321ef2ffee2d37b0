package crypto_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

type holder struct{ key crypto.Secret }
type nested struct{ h *holder }
type keyHolder struct{ key crypto.Key }

// Exported is what a careless API would encode.
type Exported struct {
	Secret crypto.Secret
	Key    crypto.Key
}

// TestNothingPrints: no verb, logger or encoder shows what a Secret or a Key
// holds, wherever it sits.
func TestNothingPrints(t *testing.T) {
	const plain = "swordfish-swordfish-swordfish-32"
	s := crypto.NewSecret(plain)
	k, err := crypto.KeyFromBytes([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(plain)
	list := fmt.Sprint(raw)
	leaks := []string{"swordfish", hex.EncodeToString(raw)[:16], strings.ToUpper(hex.EncodeToString(raw))[:16], strings.Trim(list, "[]")[:12], base64.StdEncoding.EncodeToString(raw)[:12], fmt.Sprintf("%#v", raw)[8:30]}
	vault, err := crypto.NewVault("200044394", "replica-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	vault.Roots = crypto.Roots{Current: k, Candidates: []crypto.Candidate{{Key: k}}}
	vault.Shared.Domain = k
	for _, v := range []any{
		s, &s, holder{s}, &holder{s}, nested{&holder{s}}, Exported{s, k}, &Exported{s, k}, []crypto.Secret{s}, map[string]crypto.Secret{"k": s},
		map[string]any{"k": []any{s, k}}, k, &k, keyHolder{k}, []crypto.Key{k}, vault, &vault, errors.New(fmt.Sprint(s, k)), fmt.Errorf("%v %w", s, errors.New("x")),
		crypto.NewKeyring("200044394", k, nil),
		crypto.KnownIdentity(k), crypto.KnownDoorbell(k), crypto.KnownAuthority(k), crypto.KnownSigner(k), crypto.KnownShare(k),
		struct{ hidden crypto.Identity }{crypto.KnownIdentity(k)}, struct{ hidden *crypto.Share }{new(crypto.KnownShare(k))},
		passphrase(t, plain), struct{ hidden crypto.Unsealer }{passphrase(t, plain)},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%c", "%U", "%b", "%e", "%t", "%T", "% x", "%#x", "%10.3v", "%-50s"} {
			fmt.Fprintf(&out, verb, v)
		}
		fmt.Fprintln(&out, v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(h).Info("x", "v", v, slog.Any("any", v), slog.Group("g", slog.Any("v", v)))
		}
		if out.Len() == 0 {
			t.Errorf("%T: nothing was printed, nothing was tested", v)
		}
		for _, l := range leaks {
			if strings.Contains(out.String(), l) {
				t.Errorf("%T leaks %q in %s", v, l, out.String())
			}
		}
	}
	for _, v := range []any{crypto.KnownIdentity(k), crypto.KnownDoorbell(k), crypto.KnownAuthority(k), crypto.KnownSigner(k), crypto.KnownShare(k), passphrase(t, plain)} {
		if got, err := json.Marshal(v); fmt.Sprintf("%v", v) != "[secret]" || string(got) != `"[secret]"` || err != nil {
			t.Errorf("%T prints as %v, %s", v, v, got)
		}
	}
	if got := fmt.Sprintf("%v %s %+v", s, k, s); got != "[secret] [secret] [secret]" {
		t.Errorf("got %s", got)
	}
	if s.Reveal() != plain || string(k.Reveal()) != plain {
		t.Error("nothing was hidden")
	}
}

func TestSecretCBOR(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "10000")
	}
	type words struct {
		Name crypto.Secret   `cbor:"1,keyasint,omitempty"`
		More []crypto.Secret `cbor:"2,keyasint"`
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		b, err := cbor.Marshal(words{crypto.NewSecret(text), []crypto.Secret{crypto.NewSecret(text)}})
		if err != nil {
			t.Fatal(err)
		}
		if text != "" && !bytes.Contains(b, []byte(text)) {
			t.Fatal("the box would be sealed without the words")
		}
		var got words
		if err := cbor.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if got.Name.Reveal() != text || !got.More[0].Equal(crypto.NewSecret(text)) || got.Name.Empty() != (text == "") {
			t.Fatalf("got %q, want %q", got.Name.Reveal(), text)
		}
	})
	var s crypto.Secret
	if err := cbor.Unmarshal([]byte{0x18, 0x63}, &s); err == nil || strings.Contains(err.Error(), "63") {
		t.Errorf("a number was read as words: %v", err)
	}
	if err := json.Unmarshal([]byte(`"x"`), &s); err == nil && !s.Empty() {
		t.Error("JSON gave words")
	}
}

func TestSecretZero(t *testing.T) {
	var s crypto.Secret
	if !s.Empty() || s.Reveal() != "" || !s.Equal(crypto.NewSecret("")) || s.Equal(crypto.NewSecret("x")) {
		t.Error("the zero Secret holds words")
	}
	if got := fmt.Sprint(s); got != "[secret]" {
		t.Errorf("got %s", got)
	}
}
