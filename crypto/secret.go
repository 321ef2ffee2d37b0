package crypto

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/fxamacker/cbor/v2"
)

const redacted = "[secret]"

// Secret holds a person's words, which must never reach a log, an error or a
// file in clear. The zero value holds no words.
//
// The text sits in a closure on purpose. fmt does not call Format or String on
// unexported struct fields, it reads them by reflection; a func prints as an
// address under every verb.
//
// A Secret is encoded by CBOR alone, and CBOR is the form inside a sealed box.
// JSON, text and logs get "[secret]".
type Secret struct{ reveal func() string }

// NewSecret holds s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{func() string { return s }}
}

// Reveal returns the words. Every call site is a place to review.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Empty reports whether there are no words.
func (s Secret) Empty() bool { return s.reveal == nil || s.reveal() == "" }

// Equal reports whether both hold the same words.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

func (Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalCBOR writes the words for a box that is sealed next.
func (s Secret) MarshalCBOR() ([]byte, error) { return cbor.Marshal(s.Reveal()) }

// UnmarshalCBOR reads words from an opened box.
func (s *Secret) UnmarshalCBOR(b []byte) error {
	var text string
	if err := cbor.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("crypto: words in a box are not text")
	}
	*s = NewSecret(text)
	return nil
}

// hidden, embedded, makes a type print as "[secret]" everywhere. What the type
// holds still sits in a closure, see [Secret].
type hidden struct{}

func (hidden) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (hidden) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }
