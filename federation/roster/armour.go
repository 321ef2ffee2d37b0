package roster

import (
	"bytes"
	"encoding/pem"
)

// What is mailed or lies in files is armoured: base64 between two lines that say what
// it is. Mail programs may add text before and after it.
const (
	draftBlock       = "BIPPOP ROSTER DRAFT"
	applicationBlock = "BIPPOP FEDERATION APPLICATION"
	entryBlock       = "BIPPOP ROSTER ENTRY"
)

const (
	maxText = 256 << 10 // bytes of a mail with a draft or an application
	maxFile = 64 << 20  // bytes of a roster
)

func armour(block string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: block, Bytes: b})
}

// unarmour finds the one block in a text.
func unarmour(block string, text []byte) ([]byte, error) {
	if len(text) > maxText {
		return nil, ErrForm
	}
	all, err := blocks(block, text)
	if err != nil || len(all) != 1 {
		return nil, ErrForm
	}
	return all[0], nil
}

// blocks finds all blocks in a text; they are all of one type.
func blocks(block string, text []byte) (all [][]byte, err error) {
	begin, end := bytes.Count(text, []byte("BEGIN "+block)), bytes.Count(text, []byte("END "+block))
	for {
		b, rest := pem.Decode(text)
		if b == nil {
			break
		}
		if b.Type != block || len(b.Headers) > 0 || len(b.Bytes) == 0 {
			return nil, ErrForm
		}
		all, text = append(all, b.Bytes), rest
	}
	// pem passes over what it can not read: a damaged block must not go unnoticed.
	if begin > len(all) || end > len(all) {
		return nil, ErrForm
	}
	return all, nil
}

// FormatFile writes a roster's entries as text, the first one first. Texts of
// entries that follow each other may be joined.
func FormatFile(entries [][]byte) []byte {
	var out bytes.Buffer
	for _, e := range entries {
		out.Write(armour(entryBlock, e))
	}
	return out.Bytes()
}

// ParseFile reads what FormatFile wrote; [Fold] says what it is worth. [ErrForm].
func ParseFile(text []byte) ([][]byte, error) {
	if len(text) > maxFile {
		return nil, ErrForm
	}
	all, err := blocks(entryBlock, text)
	if err != nil || len(all) == 0 {
		return nil, ErrForm
	}
	return all, nil
}
