package offer_test

import (
	"flag"
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// TestPlaces: whatever is taken, released, declined and ended, no more places are
// taken than there are, an offer that lives is full when all are, and nobody
// profits from one that is over.
func TestPlaces(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		const until = when.At(100)
		places := rapid.IntRange(1, offer.MostPlaces).Draw(t, "places")
		o := offer.New(offer.Offer{Trip: offer.Trip{Places: uint8(places), Until: until}}, 1)
		taken := map[ident.Request]bool{}
		for i := range rapid.IntRange(0, 30).Draw(t, "steps") {
			at := when.At(rapid.IntRange(90, 101).Draw(t, "at"))
			r, who := ident.Request{15: byte(rapid.IntRange(0, 12).Draw(t, "request"))}, ident.Beneficiary{15: byte(rapid.IntRange(0, 3).Draw(t, "who"))}
			before := o
			var err error
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			default:
				if taken[r] {
					continue // the machine asks for each request once
				}
				if o, err = o.Take(r, who, at); err == nil {
					taken[r] = true
				}
			case 5, 6:
				var had bool
				if o, had = o.Release(r); had != taken[r] {
					t.Fatalf("step %d: released a place: %v, taken: %v", i, had, taken[r])
				}
				delete(taken, r)
			case 7:
				o, err = o.Decline(who, at)
			case 8:
				o, err = o.Withdraw(at)
			case 9:
				o, err = o.Pass(at)
				if err == nil && at < until {
					t.Fatal("passed before its day was over")
				}
			}
			switch {
			case err != nil && o.Version != before.Version:
				t.Fatalf("a refused step (%v) made version %d of %d", err, o.Version, before.Version)
			case err == nil && before.State.Live() && at >= until && o.State.Live() && len(o.Taken) > len(before.Taken):
				t.Fatal("somebody profits from an offer whose day is over")
			case !before.State.Live() && o.State != before.State:
				t.Fatalf("state %d follows the end %d", o.State, before.State)
			case len(o.Taken) != len(taken) || len(o.Taken) > places:
				t.Fatalf("%d places taken of %d, want %d", len(o.Taken), places, len(taken))
			case o.State.Live() && (o.State == offer.Full) != (len(taken) == places):
				t.Fatalf("state %d with %d of %d places", o.State, len(taken), places)
			case o.Left() < 0 || o.State.Live() && o.Left() != places-len(taken):
				t.Fatalf("%d left of %d, %d taken", o.Left(), places, len(taken))
			}
		}
	})
}

// TestNoIsRemembered: once, and until she says yes.
func TestNoIsRemembered(t *testing.T) {
	she := ident.Beneficiary{15: 1}
	o := offer.New(offer.Offer{Trip: offer.Trip{Places: 1, Until: 10}}, 1)
	o, err := o.Decline(she, 2)
	if err != nil || len(o.Declined) != 1 {
		t.Fatal(o, err)
	}
	if _, err := o.Decline(she, 3); err != refuse.Exists {
		t.Errorf("said no twice: %v", err)
	}
	if o, err = o.Take(ident.Request{15: 1}, she, 4); err != nil || len(o.Declined) != 0 || o.State != offer.Full {
		t.Errorf("after her yes: %+v, %v", o, err)
	}
	if _, err := o.Take(ident.Request{15: 2}, she, 5); err != refuse.OfferFull {
		t.Errorf("one more: %v", err)
	}
	if _, err := o.Pass(9); err != refuse.NotYet {
		t.Errorf("passed before: %v", err)
	}
}

// TestNumbers: they are in stores.
func TestNumbers(t *testing.T) {
	if offer.Open != 1 || offer.Full != 2 || offer.Withdrawn != 3 || offer.Past != 4 {
		t.Error("numbers that stand in stores have changed")
	}
}
