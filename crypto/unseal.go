package crypto

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

// ErrPlugin says that the program which keeps the key (age-plugin-NAME) is
// missing or refused.
var ErrPlugin = errors.New("the age plugin did not do its part")

// Unsealer opens and seals a vault.
type Unsealer struct {
	hidden
	reveal func() (age.Identity, age.Recipient)
	known  string         // what may be said of it to the person who gave it, or ""
	again  func() sealing // how a copy of it seals
	opened func() []byte  // by peers, see [OpenFromPeers]; else nil
}

func unsealer(id age.Identity, r age.Recipient, again sealing) Unsealer {
	return Unsealer{reveal: func() (age.Identity, age.Recipient) { return id, r }, again: func() sealing { return again }}
}

// Plugin reports whether an age plugin keeps the key. The zero Unsealer has none.
func (u Unsealer) Plugin() bool { return u.again != nil && u.again().Plugin != "" }

// sealing is what a replica that was opened by its peers seals its vault with: of
// a passphrase or of shares the words, as they open and seal alike, of an identity
// the public half. One field is set. The names are part of the box's format.
type sealing struct {
	Recipient string `json:"recipient,omitempty"` // age1pq1…
	Plugin    string `json:"plugin,omitempty"`    // AGE-PLUGIN-…
	Words     string `json:"words,omitempty"`
	Cost      int    `json:"cost,omitempty"` // of Words: scrypt's, as a power of two
}

// unsealer makes one that seals; of what it opens, only words do.
func (s sealing) unsealer() (Unsealer, error) {
	switch {
	case s.Words != "":
		return Passphrase(s.Words, s.Cost)
	case s.Plugin != "":
		return pluginUnsealer("what the peers kept", s.Plugin)
	}
	r, err := age.ParseHybridRecipient(s.Recipient)
	if err != nil {
		return Unsealer{}, ErrDamaged
	}
	return unsealer(opensNothing{}, r, s), nil
}

type opensNothing struct{}

func (opensNothing) Unwrap([]*age.Stanza) ([]byte, error) { return nil, age.ErrIncorrectIdentity }

// IdentityFile reads an age identity: hybrid, as [NewIdentityFile] or age-keygen
// -pq writes it, or one that an age plugin keeps (AGE-PLUGIN-NAME-1…: a TPM, a
// security key). A plugin's program is looked for in the PATH each time the vault
// is opened or saved; what it has to say or ask goes to standard error and the
// terminal. A plugin may be weaker than the hybrid identity against a quantum
// computer: the vault stays on this machine, a backup does not, see
// [ParseRecipients].
func IdentityFile(path string) (Unsealer, error) {
	b, err := readFile(path)
	if err != nil {
		return Unsealer{}, fmt.Errorf("reading the identity file: %w", err)
	}
	if text, ok := pluginIdentity(b); ok {
		return pluginUnsealer(filepath.Base(path), text)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil || len(ids) != 1 {
		return Unsealer{}, fmt.Errorf("%s is not an age identity file with one identity", filepath.Base(path))
	}
	id, ok := ids[0].(*age.HybridIdentity)
	if !ok {
		return Unsealer{}, fmt.Errorf("%s holds a classical age identity; make a hybrid one with age-keygen -pq", filepath.Base(path))
	}
	return unsealer(id, id.Recipient(), sealing{Recipient: id.Recipient().String()}), nil
}

// pluginIdentity returns the one identity in b, when it is a plugin's.
func pluginIdentity(b []byte) (string, bool) {
	var found []string
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	if len(found) == 1 && strings.HasPrefix(found[0], "AGE-PLUGIN-") {
		return found[0], true
	}
	return "", false
}

func pluginUnsealer(file, text string) (Unsealer, error) {
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "bippop: "+format+"\n", args...) }
	id, err := plugin.NewIdentity(text, plugin.NewTerminalUI(say, say))
	if err != nil { // it would quote the file
		return Unsealer{}, fmt.Errorf("%s does not hold a readable age plugin identity; copy the line AGE-PLUGIN-… again", file)
	}
	return unsealer(kept{id}, keptFor{id.Recipient()}, sealing{Plugin: text}), nil
}

// kept marks what a plugin says as [ErrPlugin], so that it is not taken for a
// damaged vault.
type kept struct{ *plugin.Identity }

func (k kept) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := k.Identity.Unwrap(stanzas)
	return key, pluginFault(k.Name(), err)
}

type keptFor struct{ *plugin.Recipient }

func (k keptFor) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	s, err := k.Recipient.Wrap(fileKey)
	return s, pluginFault(k.Name(), err)
}

func (k keptFor) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	s, labels, err := k.Recipient.WrapWithLabels(fileKey)
	return s, labels, pluginFault(k.Name(), err)
}

func pluginFault(name string, err error) error {
	switch {
	case err == nil, errors.Is(err, age.ErrIncorrectIdentity):
		return err
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: there is no program age-plugin-%s in the PATH; install it", ErrPlugin, name)
	}
	return fmt.Errorf("%w: %w", ErrPlugin, err)
}

// NewIdentityFile writes a new hybrid identity to path, which must not exist,
// readable by its owner only.
func NewIdentityFile(path string) error {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("making an identity: %w", err)
	}
	text := "# Unseals the vault of a bippop territory. Keep a copy in a safe.\n" + id.String() + "\n"
	if err := writeNew(path, []byte(text)); err != nil {
		return fmt.Errorf("writing a new identity: %w; an identity that is there already may open a vault", err)
	}
	return nil
}

// Passphrase unseals with words. logN is scrypt's cost as a power of two: 18 for
// people, less in tests.
func Passphrase(words string, logN int) (Unsealer, error) {
	words = strings.TrimSpace(words)
	if len(words) < 12 {
		return Unsealer{}, errors.New("a passphrase has at least 12 characters")
	}
	id, err := age.NewScryptIdentity(words)
	if err != nil {
		return Unsealer{}, err
	}
	id.SetMaxWorkFactor(max(logN, 18))
	rec, err := age.NewScryptRecipient(words)
	if err != nil {
		return Unsealer{}, err
	}
	rec.SetWorkFactor(logN)
	return unsealer(id, rec, sealing{Words: words, Cost: logN}), nil
}

// PassphraseFile reads the first line of a file as a passphrase.
func PassphraseFile(path string, logN int) (Unsealer, error) {
	b, err := readFile(path)
	if err != nil {
		return Unsealer{}, fmt.Errorf("reading the passphrase file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return Passphrase(line, logN)
}

func (u Unsealer) seal(plain []byte) ([]byte, error) {
	_, recipient := u.reveal()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// open returns [ErrWrongUnseal], [ErrPlugin], or an error that means damage.
func (u Unsealer) open(box []byte) ([]byte, error) {
	if u.opened != nil {
		return u.opened(), nil
	}
	r, err := u.reader(bytes.NewReader(box))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (u Unsealer) reader(r io.Reader) (io.Reader, error) {
	id, _ := u.reveal()
	plain, err := age.Decrypt(r, id)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); !ok {
		return plain, err
	}
	if u.known != "" {
		return nil, fmt.Errorf("%w (given: %s)", ErrWrongUnseal, u.known)
	}
	return nil, ErrWrongUnseal
}
