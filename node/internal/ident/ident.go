// Package ident names things. An ID says by its type what it names, so that a
// volunteer cannot be passed where a request is meant, and carries nothing about
// what it names but the millisecond in which it was made (UUIDv7, RFC 9562).
package ident

import (
	"errors"

	"github.com/google/uuid"
)

// ErrID says that a text is not an ID.
var ErrID = errors.New("not an identifier")

// ID names one N. The zero ID names nothing. IDs are made by the proposer, never
// while a command is applied.
type ID[N any] [16]byte

type (
	beneficiary struct{}
	volunteer   struct{}
	request     struct{}
	actionType  struct{}
	account     struct{}
	attempt     struct{}
	imported    struct{}
	series      struct{}
	offer       struct{}
	bond        struct{}
	replica     struct{}
	invitation  struct{}
	release     struct{}
	erasure     struct{}
	destination struct{}
	crossOffer  struct{}
	interest    struct{}
	rightcase   struct{}
	sorting     struct{}
	breach      struct{}
)

// The things that have names.
type (
	Beneficiary = ID[beneficiary]
	Volunteer   = ID[volunteer]
	Request     = ID[request]
	ActionType  = ID[actionType]
	Account     = ID[account]
	Attempt     = ID[attempt]
	Import      = ID[imported]
	Series      = ID[series]
	Offer       = ID[offer]
	Bond        = ID[bond]
	Replica     = ID[replica]
	Invitation  = ID[invitation]
	Release     = ID[release]
	Erasure     = ID[erasure]
	Destination = ID[destination]
	CrossOffer  = ID[crossOffer] // of ours, to neighbouring territories
	Interest    = ID[interest]   // of ours, in a neighbour's offer
	Case        = ID[rightcase]
	Sorting     = ID[sorting] // of what is kept too long
	Breach      = ID[breach]
)

// Parse reads the canonical text form, 36 characters.
func Parse[N any](s string) (ID[N], error) {
	u, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return ID[N]{}, ErrID
	}
	return ID[N](u), nil
}

// Zero reports whether id names nothing.
func (id ID[N]) Zero() bool { return id == ID[N]{} }

// String is the canonical text form, or "" for the zero ID.
func (id ID[N]) String() string {
	if id.Zero() {
		return ""
	}
	return uuid.UUID(id).String()
}

func (id ID[N]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *ID[N]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = ID[N]{}
		return nil
	}
	p, err := Parse[N](string(b))
	*id = p
	return err
}
