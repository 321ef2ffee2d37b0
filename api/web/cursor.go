package web

import (
	"encoding/base64"

	"github.com/bippop/bippop/node"
)

// readCursor reads where a list goes on. It names rows by IDs, never by words.
func readCursor(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) > 64 {
		return nil, &node.Error{Kind: node.NotFound, Code: "no-page"}
	}
	return b, nil
}

func writeCursor(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
