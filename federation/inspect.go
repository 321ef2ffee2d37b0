package federation

import (
	"fmt"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/fxamacker/cbor/v2"
)

// Quotas of a feed, counted from the days in its entries so that every hub agrees.
// What is above them is refused for good: the node keeps to them.
const (
	DayEntries            = 500
	DayBytes              = 4 << 20
	CoordinatorDayEntries = 4000
	CoordinatorDayBytes   = 64 << 20
)

// Kinds of the coordinator's own words.
const (
	firstBulletin public.Kind = 50
	lastBulletin  public.Kind = 59
)

// envelope is what every entry begins with, whatever its kind.
type envelope struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	From    public.Siren
	Epoch   uint16
	Seq     uint64
	Day     public.Day
	Kind    public.Kind
	Body    cbor.RawMessage
}

// tally counts a feed's entries of its newest day.
type tally struct {
	day     public.Day
	entries int
	bytes   int
}

// add an entry of a day. errRole above the quota; errLie for a day that goes back by
// more than one, which the night between two machines excuses.
func (t *tally) add(day public.Day, size int, coordinator bool) error {
	if day+1 < t.day {
		return fmt.Errorf("an entry is dated before the one before it: %w", errLie)
	}
	if day > t.day {
		*t = tally{day: day}
	}
	t.entries++
	t.bytes += size
	entries, bytes := DayEntries, DayBytes
	if coordinator {
		entries, bytes = CoordinatorDayEntries, CoordinatorDayBytes
	}
	if t.entries > entries || t.bytes > bytes {
		return fmt.Errorf("more than %d entries or %d bytes of one day: %w", entries, bytes, errQuota)
	}
	return nil
}

// inspector checks a feed's entries one after another, before they are stored or
// passed on: the form, the kind under the roster, the writer, the place, the day.
type inspector struct {
	roster *roster.State
	role   roster.Role
	decode func(role roster.Role, entry []byte) error
	today  public.Day
	feed   feedKey
	tally  tally
}

// check the entry at a place.
func (i *inspector) check(seq int64, b []byte) error {
	if len(b) == 0 || len(b) > public.MaxEntry {
		return fmt.Errorf("an entry of %d bytes: %w", len(b), errLie)
	}
	e, err := parse[envelope](b)
	if err != nil {
		return fmt.Errorf("entry %d: not in the right form: %w", seq, errLie)
	}
	if e.From != i.feed.siren || e.Epoch != i.feed.epoch || e.Seq != uint64(seq) {
		return fmt.Errorf("entry %d: it names another feed or place: %w", seq, errLie)
	}
	if e.Day > i.today+1 {
		return fmt.Errorf("entry %d is dated %s: %w", seq, e.Day.Time().Format(time.DateOnly), errFuture)
	}
	if err := i.kind(e.Kind, b); err != nil {
		return fmt.Errorf("entry %d: %w", seq, err)
	}
	if err := i.tally.add(e.Day, len(b), i.role == roster.Coordinator); err != nil {
		return fmt.Errorf("entry %d: %w", seq, err)
	}
	return nil
}

func (i *inspector) kind(k public.Kind, b []byte) error {
	bulletin := k >= firstBulletin && k <= lastBulletin
	switch {
	case bulletin && i.role != roster.Coordinator, i.role == roster.Observer:
		return fmt.Errorf("kind %d is not its to say: %w", k, errLie)
	case bulletin && i.decode == nil:
		return public.ErrKind
	case bulletin:
		if !names(i.roster, k) {
			return fmt.Errorf("kind %d is not on the roster: %w", k, errKind)
		}
		return i.decode(i.role, b)
	case !i.roster.Speaks(k):
		return fmt.Errorf("kind %d is not on the roster in the form that this program knows: %w", k, errKind)
	}
	if _, err := public.Decode(b); err != nil {
		return fmt.Errorf("%w: %w", err, errLie)
	}
	return nil
}

// names reports whether the roster names a kind at all.
func names(s *roster.State, k public.Kind) bool {
	for _, f := range s.Kinds {
		if f.Kind == k {
			return true
		}
	}
	return false
}
