package command

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/request"
)

// PrepareCrossOffer writes down an offer to neighbouring territories. Nothing
// leaves yet.
type PrepareCrossOffer struct {
	Stamp      `cbor:"0,keyasint"`
	ID         ident.CrossOffer  `cbor:"1,keyasint"`
	Terms      public.Offer      `cbor:"2,keyasint"`
	Volunteers []ident.Volunteer `cbor:"3,keyasint,omitempty"` // from whose availability it is made; each is asked
}

// HearCrossOffer notes what a volunteer says to an offer, or, with Interest, that
// he knows whom to call.
type HearCrossOffer struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.CrossOffer `cbor:"1,keyasint"`
	Volunteer ident.Volunteer  `cbor:"2,keyasint"`
	Consent   across.Consent   `cbor:"3,keyasint,omitempty"`
	Interest  public.Ref       `cbor:"4,keyasint,omitzero"`
}

// PublishCrossOffer lets an offer leave, in exactly the terms that it was prepared
// in.
type PublishCrossOffer struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.CrossOffer `cbor:"1,keyasint"`
	Version uint32           `cbor:"2,keyasint"` // that was read
	Entry   []byte           `cbor:"3,keyasint"` // public.Offer
}

// EndCrossOffer ends an offer: withdrawn with an entry; without one it is dropped
// before it has left, or its last day is over.
type EndCrossOffer struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.CrossOffer `cbor:"1,keyasint"`
	Entry []byte           `cbor:"2,keyasint,omitempty"` // public.Withdraw
}

// AnswerInterest meets or does not meet a neighbour's interest in our offer.
type AnswerInterest struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.CrossOffer `cbor:"1,keyasint"`
	Interest  []byte           `cbor:"2,keyasint"`          // the neighbour's entry, settled
	Volunteer ident.Volunteer  `cbor:"3,keyasint,omitzero"` // who calls; of an acceptance
	Entry     []byte           `cbor:"4,keyasint"`          // public.Accept or public.Decline
}

// LapseInterest frees slots that were accepted and not acknowledged.
type LapseInterest struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.CrossOffer `cbor:"1,keyasint"`
	// Spoken is an entry of the neighbour, settled: the one that renounces, or a newer
	// one than the acceptance, or nothing.
	Spoken []byte `cbor:"2,keyasint,omitempty"`
	Entry  []byte `cbor:"3,keyasint"` // public.Lapse
}

// ShowInterest asks for a part of a neighbour's offer, for a request of ours.
type ShowInterest struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Interest `cbor:"1,keyasint"`
	Request ident.Request  `cbor:"2,keyasint"`
	Offer   []byte         `cbor:"3,keyasint"` // the neighbour's entry, settled
	Entry   []byte         `cbor:"4,keyasint"` // public.Interest
}

// EndInterest ends an interest of ours: we renounce, with an entry; or the
// neighbour does not meet it, as an entry of his says.
type EndInterest struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Interest `cbor:"1,keyasint"`
	Other []byte         `cbor:"2,keyasint,omitempty"` // settled: Decline, Lapse, Withdraw, or a Close that says no
	Entry []byte         `cbor:"3,keyasint,omitempty"` // public.Renounce
}

// AckInterest takes up what a neighbour has accepted. She is to be told.
type AckInterest struct {
	Stamp  `cbor:"0,keyasint"`
	ID     ident.Interest `cbor:"1,keyasint"`
	Accept []byte         `cbor:"2,keyasint"` // the neighbour's entry, settled
	Entry  []byte         `cbor:"3,keyasint"` // public.Ack
	Counts []Count        `cbor:"4,keyasint,omitempty"`
}

// CloseInterest notes what came of a match, on either side. When it happened, the
// request for which we asked is done.
type CloseInterest struct {
	Stamp    `cbor:"0,keyasint"`
	Offer    ident.CrossOffer `cbor:"1,keyasint,omitzero"` // of ours that was taken
	Interest ident.Interest   `cbor:"2,keyasint,omitzero"` // or of ours that was met
	Entry    []byte           `cbor:"3,keyasint"`          // public.Close
	Outcome  request.Outcome  `cbor:"4,keyasint,omitzero"` // of the request
	Counts   []Count          `cbor:"5,keyasint,omitempty"`
}

func (PrepareCrossOffer) Kind() Kind { return KindPrepareCrossOffer }
func (HearCrossOffer) Kind() Kind    { return KindHearCrossOffer }
func (PublishCrossOffer) Kind() Kind { return KindPublishCrossOffer }
func (EndCrossOffer) Kind() Kind     { return KindEndCrossOffer }
func (AnswerInterest) Kind() Kind    { return KindAnswerInterest }
func (LapseInterest) Kind() Kind     { return KindLapseInterest }
func (ShowInterest) Kind() Kind      { return KindShowInterest }
func (EndInterest) Kind() Kind       { return KindEndInterest }
func (AckInterest) Kind() Kind       { return KindAckInterest }
func (CloseInterest) Kind() Kind     { return KindCloseInterest }
