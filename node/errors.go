package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// Kind says how a caller may react to an [Error].
type Kind uint8

const (
	Internal    Kind = 0 // a fault of ours: the log says more, the caller only that it happened
	Invalid     Kind = 1 // the input can never be accepted
	NotFound    Kind = 2
	Conflict    Kind = 3 // the state has moved on: read again
	Stale       Kind = 4 // the caller's version is not the current one
	Forbidden   Kind = 5 // this caller may not
	SignIn      Kind = 6 // nobody is signed in, or the sign-in does not hold
	Unavailable Kind = 7 // try again, or call the operator: sealed, no leader, disk full, damaged
	TooMany     Kind = 8 // too many tries; wait
)

// Error is what a caller may know. It never holds a person's words.
type Error struct {
	Kind   Kind
	Code   string // stable, for programs: "double-booked"
	Field  string // of the input, in the API's words, if one is at fault
	Reason string // for people who read English: what is wrong and what to do
	Clash  RequestID
	After  int // TooMany: seconds to wait
	Line   int // of a file that was sent, if one is at fault
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Reason
	}
	return e.Reason
}

func invalid(field, code, reason string) error {
	return &Error{Kind: Invalid, Code: code, Field: field, Reason: reason}
}

var (
	errBeyond    = &Error{Kind: NotFound, Code: "no-such-person", Reason: "nobody like this is known here"}
	errStepUp    = &Error{Kind: Forbidden, Code: "step-up", Reason: "show once more that it is you: password, passkey or code; what you have begun is not lost"}
	errBare      = &Error{Kind: Forbidden, Code: "second-needed", Reason: "your role asks for a second factor: set one up on your account's page first; nothing else is open until then"}
	errForbidden = &Error{Kind: Forbidden, Code: "forbidden", Reason: "your role does not allow this"}
	errNoDesk    = &Error{Kind: NotFound, Code: "no-desk", Reason: "this is the national coordinator's node: there is no desk and nobody's file here"}
	errSignIn    = &Error{Kind: SignIn, Code: "sign-in", Reason: "sign in first"}
	errFull      = &Error{Kind: Unavailable, Code: "disk-full", Reason: "the disk is almost full: nothing is written until the operator frees space; reading goes on"}
	errDamaged   = &Error{Kind: Unavailable, Code: "damaged", Reason: "the data on disk is damaged: this node serves nothing until the operator restores it"}
	errTakenOut  = &Error{Kind: Unavailable, Code: "removed", Reason: "this replica was removed from the territory and serves nothing any more: use another one's address, and destroy this one's vault"}
	errStopped   = &Error{Kind: Unavailable, Code: "log-stopped", Reason: "the log cannot be written: the operator must look at the disk and start the node again"}
	errBusy      = &Error{Kind: Unavailable, Code: "busy", Reason: "too many writes are waiting; try again in a few seconds"}
	errUnknown   = &Error{Kind: Unavailable, Code: "unknown-outcome", Reason: "nobody can say yet whether this was recorded; send it again with the same Idempotency-Key"}
	errLeader    = &Error{Kind: Unavailable, Code: "no-leader", Reason: "the replicas are choosing a leader; try again in a few seconds"}
)

// refused turns a machine's no into an Error.
func refused(r refuse.Reason, clash RequestID) error {
	kind := map[refuse.Kind]Kind{
		refuse.Invalid: Invalid, refuse.NotFound: NotFound, refuse.Conflict: Conflict,
		refuse.Stale: Stale, refuse.Retry: Unavailable,
	}[r.Kind()]
	return &Error{Kind: kind, Code: r.Code(), Reason: r.Error(), Clash: clash}
}

// explain turns a foreign error into what a caller may know. What is not
// recognised stays as it is and shows as Internal.
func explain(err error) error {
	var known *Error
	var reason refuse.Reason
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.As(err, &reason):
		return refused(reason, RequestID{})
	case errors.Is(err, crypto.ErrStaleRoot):
		return errRootMissing
	case errors.Is(err, crypto.ErrNoLeaf):
		return &Error{Kind: NotFound, Code: "erased", Reason: "this person was erased"}
	case errors.Is(err, store.ErrDamaged), errors.Is(err, crypto.ErrDamaged), errors.Is(err, consensus.ErrDamaged):
		return errDamaged
	case errors.Is(err, consensus.ErrUnknown), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errUnknown // whatever else is wrong: it may be recorded
	case errors.Is(err, consensus.ErrStore), errors.Is(err, consensus.ErrStalled):
		return errStopped
	case errors.Is(err, consensus.ErrBusy):
		return errBusy
	case errors.Is(err, consensus.ErrNotLeader):
		return errLeader
	case errors.Is(err, consensus.ErrClosed):
		return &Error{Kind: Unavailable, Code: "stopping", Reason: "the node is stopping; try again in a moment"}
	}
	return fmt.Errorf("node: %w", err)
}
