package api

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// Paging is in every list that has more than one page.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next of the page before, of the same list"`
}

// list is a page. Next is empty at the end.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Cursor of the next page; empty at the end"`
}

type listed[T any] = answer[list[T]]

// page maps records to their form in answers.
func page[R, T any](records []R, next string, form func(R) T) *listed[T] {
	items := make([]T, 0, len(records))
	for _, r := range records {
		items = append(items, form(r))
	}
	return &listed[T]{list[T]{items, next}}
}

// listName identifies a list with its filters, so that a cursor of one is not
// taken for a place in another.
func listName(parts ...string) string { return strings.Join(parts, "\x00") }

const cursorSum = 8 // bytes

// cursor writes a place in a list for callers: opaque, and checked when it comes
// back. nil is the end.
func cursor(list string, place []byte) string {
	if place == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(cursorCheck(list, place), place...))
}

// at reads what cursor wrote.
func (p Paging) at(list string) ([]byte, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(p.Cursor)
	if err != nil || len(b) <= cursorSum || string(cursorCheck(list, b[cursorSum:])) != string(b[:cursorSum]) {
		return nil, malformed("query.cursor", "expected the next of a page of this list")
	}
	return b[cursorSum:], nil
}

func (p Paging) page(list string) (node.Page, error) {
	place, err := p.at(list)
	return node.Page{Limit: p.Limit, Cursor: place}, err
}

// cursorCheck is no secret: whoever forges a cursor reads a list that he may read.
func cursorCheck(list string, place []byte) []byte {
	sum := sha256.Sum256(crypto.Place([]byte("cursor v1"), []byte(list), place))
	return sum[:cursorSum]
}
