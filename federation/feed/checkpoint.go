package feed

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxCheckpoint is in bytes: a hundred signatures, which is what a note may have.
const maxCheckpoint = 32 << 10

// FormatCheckpoint is the text that is signed: origin, size and root, a line each.
func FormatCheckpoint(origin string, h Head) []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", origin, h.Size, h.Root)
}

// ParseCheckpoint reads a signed checkpoint and refuses every other form of it. It
// checks no signature: that is a [Policy]'s. [ErrCheckpoint].
func ParseCheckpoint(signed []byte) (Checkpoint, error) {
	text, _, err := open(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseBody(text)
	if err != nil {
		return Checkpoint{}, err
	}
	c.Signed = bytes.Clone(signed)
	return c, nil
}

func parseBody(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return Checkpoint{}, ErrCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, ErrCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	c := Checkpoint{Origin: lines[0], Head: Head{size, root}}
	if string(FormatCheckpoint(c.Origin, c.Head)) != text || size == 0 && c.Head != EmptyHead() {
		return Checkpoint{}, ErrCheckpoint // +5, 05, the idle bits of base64
	}
	return c, nil
}

// line is one signature of a note.
type line struct {
	name string
	hash uint32 // of the key
	sig  []byte
}

// open reads a note's text and its signatures, at least one, none of them checked.
func open(signed []byte) (text string, sigs []line, err error) {
	if len(signed) > maxCheckpoint {
		return "", nil, ErrCheckpoint
	}
	_, err = note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return "", nil, ErrCheckpoint
	}
	n := unverified.Note
	if len(n.UnverifiedSigs) == 0 {
		return "", nil, ErrCheckpoint
	}
	for _, s := range n.UnverifiedSigs {
		raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		if err != nil || len(raw) < 5 {
			return "", nil, ErrCheckpoint
		}
		sigs = append(sigs, line{s.Name, s.Hash, raw[4:]})
	}
	return n.Text, sigs, nil
}

// write is the inverse of open.
func write(text string, sigs []line) []byte {
	b := []byte(text + "\n")
	for _, s := range sigs {
		raw := append(binary.BigEndian.AppendUint32(nil, s.hash), s.sig...)
		b = fmt.Appendf(b, "— %s %s\n", s.name, base64.StdEncoding.EncodeToString(raw))
	}
	return b
}

// same reports whether two lines claim to be by one key.
func (l line) same(o line) bool { return l.name == o.name && l.hash == o.hash }

// Merge joins the signatures of two checkpoints of one origin and head, one for each
// key: b's where both have one, so that a witness's later instant replaces its
// earlier one. It checks no signature; what a stranger sent goes through
// [Policy.Trim] first, or it could push a good signature out with a bad one of the
// same name. [ErrCheckpoint] for another origin, [ErrFork] and [ErrOld] for another
// head.
func Merge(a, b Checkpoint) (Checkpoint, error) {
	switch {
	case a.Origin != b.Origin:
		return Checkpoint{}, ErrCheckpoint
	case a.Head.Size != b.Head.Size:
		return Checkpoint{}, ErrOld
	case a.Head != b.Head:
		return Checkpoint{}, ErrFork
	case a.Signed == nil:
		return b, nil
	case b.Signed == nil:
		return a, nil
	}
	text, sigs, err := open(a.Signed)
	if err != nil {
		return Checkpoint{}, err
	}
	_, more, err := open(b.Signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(write(text, join(sigs, more)))
}

// join is a's lines, each replaced by b's of the same key, then b's others.
func join(a, b []line) (out []line) {
	put := func(l line) {
		for i := range out {
			if out[i].same(l) {
				out[i] = l
				return
			}
		}
		out = append(out, l)
	}
	for _, l := range a {
		put(l)
	}
	for _, l := range b {
		put(l)
	}
	return out
}
