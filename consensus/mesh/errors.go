package mesh

import (
	"errors"
	"fmt"
)

var (
	// ErrOtherTerritory says that the other end is a replica of another
	// territory, or of this one before or after it was restored.
	ErrOtherTerritory = errors.New("this is a replica of another territory: check the address")
	// ErrNotAllowed says that a replica does not belong: it was removed, shows
	// another key than the one recorded for it, or no certificate of the
	// territory's authority. It joins again as a new replica.
	ErrNotAllowed = errors.New("this replica does not belong to the territory: it was removed, or is not the one it says")
	// ErrTurnedAway is an [ErrNotAllowed] that a replica of the territory has said,
	// after it has shown its own certificate.
	ErrTurnedAway = fmt.Errorf("a replica of the territory says: %w", ErrNotAllowed)
	// ErrOtherReplica says that another replica than the one asked for answers
	// at an address.
	ErrOtherReplica = errors.New("another replica of the territory answers at this address")
	// ErrClock says that a certificate is not valid yet, or no longer.
	ErrClock = errors.New("a certificate is not valid yet or has expired: compare the clocks of the two machines")
	// ErrUnreachable says that nobody answers at an address, or nobody who
	// speaks the protocol: the replica is off, sealed, older, or the network
	// is cut.
	ErrUnreachable = errors.New("no replica answers at this address")
	// ErrBusy says that too many strangers are being served; try again.
	ErrBusy = errors.New("too many machines are joining: try again in a minute")
	// ErrClosed says that the mesh, or its part that was asked, is closed.
	ErrClosed = errors.New("the mesh is closed")

	errOtherIncarnation = fmt.Errorf("%w: the territory was restored from a backup, and one of the two replicas is from before", ErrOtherTerritory)
)

// verdict is the first byte of the listener on every stream. The numbers are
// for ever.
type verdict byte

const (
	admitted         verdict = 1
	otherTerritory   verdict = 2
	otherIncarnation verdict = 3
	notAllowed       verdict = 4
	clock            verdict = 5
	busy             verdict = 6
)

func verdictOf(err error) verdict {
	switch {
	case err == nil:
		return admitted
	case errors.Is(err, errOtherIncarnation):
		return otherIncarnation
	case errors.Is(err, ErrOtherTerritory):
		return otherTerritory
	case errors.Is(err, ErrClock):
		return clock
	case errors.Is(err, ErrBusy):
		return busy
	default:
		return notAllowed
	}
}

func (v verdict) err() error {
	switch v {
	case admitted:
		return nil
	case otherTerritory:
		return ErrOtherTerritory
	case otherIncarnation:
		return errOtherIncarnation
	case notAllowed:
		return ErrTurnedAway
	case clock:
		return ErrClock
	case busy:
		return ErrBusy
	default:
		return fmt.Errorf("%w: what answers gives verdict %d, which needs a newer version here", ErrUnreachable, byte(v))
	}
}
