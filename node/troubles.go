package node

import (
	"context"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// Trouble is something between the territory and its federation that people have to
// mend. The words are the alarms', the metrics' and the pages'.
type Trouble string

const (
	TroubleFrozen    Trouble = "feed-frozen"      // two signed versions of what it has said contradict each other
	TroubleExpired   Trouble = "roster-expired"   // nothing is sent or taken in until the coordinator renews the roster
	TroubleBehind    Trouble = "roster-unread"    // the roster has entries that this program cannot read
	TroubleStale     Trouble = "roster-stale"     // for 7 days no hub has said that the roster is the newest
	TroubleNoOffers  Trouble = "neighbours-stale" // for 30 days: what neighbours say is not fetched any more
	TroubleHubs      Trouble = "hubs-unreached"   // the last round with the hubs has failed
	TroubleUnsigned  Trouble = "feed-unsigned"    // too few of the territory's own machines sign what should leave
	TroubleEpoch     Trouble = "epoch-unfollowed" // the roster opens an epoch that this record cannot follow to
	TroubleClock     Trouble = "clock-off"        // more than five minutes from a hub's, or something said is dated ahead
	TroubleRelease   Trouble = "release-late"     // a quarter's figures have not left on their day
	TroubleBulletins Trouble = "bulletin-failed"  // a bulletin has arrived and could not be recorded
)

// Troubles are all of them, the gravest first.
var Troubles = []Trouble{
	TroubleFrozen, TroubleExpired, TroubleBehind, TroubleEpoch, TroubleHubs, TroubleUnsigned, TroubleStale, TroubleNoOffers, TroubleRelease, TroubleBulletins, TroubleClock,
}

// FederationTrouble is one that stands now.
type FederationTrouble struct {
	Code  Trouble `cbor:"1,keyasint"`
	Since Instant `cbor:"2,keyasint,omitempty"` // 0: not known
}

// FederationVitals are the troubles that the leader knows of, in the order of
// [Troubles]: only it speaks with the hubs.
type FederationVitals struct {
	Troubles []FederationTrouble `cbor:"1,keyasint"`
}

// troubles looks for what is wrong between the territory and its federation.
type troubles struct{ *core }

// troublesWithin bounds how long a leader is waited for.
const troublesWithin = time.Second

// Troubles are what the leader knows of, asked of it for a second at most: an error
// says that it was not to be reached.
func (s *Federation) Troubles(ctx context.Context, by Caller) (FederationVitals, error) {
	if err := by.may(RunReplicas); err != nil {
		return FederationVitals{}, err
	}
	t := troubles{s.core}
	if s.peers == nil {
		return t.here(ctx, nothing{})
	}
	ctx, cancel := context.WithTimeout(ctx, troublesWithin)
	defer cancel()
	out, err := askLeader(ctx, s.peers, "/federation/troubles", t.here, nothing{})
	return out, explain(err)
}

// here looks on this replica. [errLeader] when it does not lead.
func (t troubles) here(context.Context, nothing) (out FederationVitals, err error) {
	if !t.replica.Leading() {
		return out, errLeader
	}
	m, err := t.membership()
	if err != nil || !m.Belongs() {
		return out, err
	}
	stand := map[Trouble]Instant{}
	if err := t.recorded(stand); err != nil {
		return out, err
	}
	if host := t.federating.speaker(); host != nil {
		heardFrom(host.Status(), stand)
		if t.federating.standstill() != "" {
			stand[TroubleEpoch] = 0
		}
		_, ahead, err := (said{t.core}).ahead()
		if err != nil {
			return out, err
		}
		if ahead {
			stand[TroubleClock] = 0
		}
	}
	if since := t.federating.ear.failing(); !since.IsZero() {
		stand[TroubleBulletins] = when.Of(since)
	}
	for _, code := range Troubles {
		if since, there := stand[code]; there {
			out.Troubles = append(out.Troubles, FederationTrouble{code, since})
		}
	}
	return out, nil
}

// recorded are the troubles that the record shows.
func (t troubles) recorded(stand map[Trouble]Instant) error {
	f, err := said{t.core}.newest()
	if err != nil {
		return err
	}
	if f.Frozen != 0 {
		stand[TroubleFrozen] = f.Frozen
	}
	today := public.DayOf(t.now())
	if state := t.federating.rosters.State(); state != nil && state.Expired(today) {
		stand[TroubleExpired] = when.Of((state.Expires + 1).Time())
	}
	if t.federating.rosters.behind() {
		stand[TroubleBehind] = 0
	}
	var q quarters
	err = t.view(itself, func(tx *store.Tx) (err error) {
		q, err = quarterState(tx)
		return err
	})
	if on := q.next.End() + releaseDay; err == nil && q.begun && f.Frozen == 0 && today > on {
		stand[TroubleRelease] = when.Of(on.Time())
	}
	return err
}

// heardFrom are those that show in the talk with the hubs.
func heardFrom(s federation.Status, stand map[Trouble]Instant) {
	switch {
	case s.Trouble == "" || s.Expired:
	case s.Mute:
		stand[TroubleUnsigned] = 0
	default:
		stand[TroubleHubs] = 0
		for _, h := range s.Hubs {
			if !h.Reached.IsZero() {
				stand[TroubleHubs] = max(stand[TroubleHubs], when.Of(h.Reached))
			}
		}
	}
	if s.ClockOff {
		stand[TroubleClock] = 0
	}
	if s.Fresh.IsZero() {
		return // nothing was heard on this machine yet
	}
	if s.Stale {
		stand[TroubleStale] = when.Of(s.Fresh)
	}
	if s.Frozen {
		stand[TroubleNoOffers] = when.Of(s.Fresh)
	}
}
