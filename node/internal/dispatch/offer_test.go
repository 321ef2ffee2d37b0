package dispatch_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

func TestRhythm(t *testing.T) {
	for _, c := range []struct {
		days []when.Day
		want int
	}{
		{nil, 0}, {[]when.Day{5}, 0}, {[]when.Day{5, 12}, 0}, {[]when.Day{5, 5, 5}, 0},
		{[]when.Day{5, 12, 19}, 7}, {[]when.Day{19, 5, 12}, 7}, {[]when.Day{1, 8, 15, 22, 50}, 7}, {[]when.Day{1, 15, 30}, 15},
	} {
		if got := dispatch.Rhythm(c.days); got != c.want {
			t.Errorf("%v: every %d days, want %d", c.days, got, c.want)
		}
	}
}

func TestWhoMayNeedIt(t *testing.T) {
	asked := ident.Request{15: 1}
	for _, c := range []struct {
		c    dispatch.Callee
		want bool
	}{
		{dispatch.Callee{}, false},
		{dispatch.Callee{Request: asked}, true},
		{dispatch.Callee{Since: 6}, false},
		{dispatch.Callee{Since: 7}, true},
		{dispatch.Callee{Since: 5, Every: 7}, false},
		{dispatch.Callee{Since: 6, Every: 7}, true},
		{dispatch.Callee{Since: 20, Every: 30}, false},
		{dispatch.Callee{Since: 23, Every: 30}, true},
		{dispatch.Callee{Since: -1, Every: 7}, false}, // she has it planned for later, and had it so
	} {
		if got := c.c.Needs(); got != c.want {
			t.Errorf("%+v: %v", c.c, got)
		}
	}
}

// TestHour: the hour that is worked out answers both the offer and the wish.
func TestHour(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	half := rapid.SampledFrom([]when.Half{when.AnyHalf, when.Morning, when.Afternoon})
	hour := rapid.SampledFrom([]uint16{0, 0, 9 * 60, 10 * 60, 15 * 60})
	rapid.Check(t, func(t *rapid.T) {
		trip := offer.Trip{Day: tuesday, Half: half.Draw(t, "his half"), Minute: hour.Draw(t, "his hour")}
		if trip.Minute > 0 {
			trip.Half = when.HalfOf(int(trip.Minute))
		}
		w := request.Wish{Kind: rapid.SampledFrom([]request.WishKind{request.OnDay, request.InWeek, request.Flexible}).Draw(t, "kind")}
		switch w.Kind {
		case request.OnDay:
			w.Day, w.Half, w.Minute = tuesday+when.Day(rapid.IntRange(0, 1).Draw(t, "day")), half.Draw(t, "her half"), hour.Draw(t, "her hour")
			if w.Minute > 0 {
				w.Half = when.HalfOf(int(w.Minute))
			}
		case request.InWeek:
			w.Day = when.WeekOf(tuesday) + when.Day(7*rapid.IntRange(0, 1).Draw(t, "week"))
		}
		minute, ok := dispatch.Hour(trip, w)
		his := request.Wish{Kind: request.OnDay, Day: trip.Day, Half: trip.Half, Minute: trip.Minute}
		if ok && (!his.Fits(tuesday, minute) || !w.Fits(tuesday, minute)) {
			t.Fatalf("%d answers not both %+v and %+v", minute, trip, w)
		}
		if !ok { // then no hour of a working day does
			for m := 8 * 60; m < 20*60; m += 15 {
				if his.Fits(tuesday, m) && w.Fits(tuesday, m) {
					t.Fatalf("%d would answer %+v and %+v", m, trip, w)
				}
			}
		}
		if alone, ok := dispatch.Hour(trip, request.Wish{}); !ok || !his.Fits(tuesday, alone) {
			t.Fatalf("%+v: he comes at %d", trip, alone)
		}
	})
}

// TestOrderCallees: the order is one, whatever order they came in, and says first
// who has asked, and last who was called for nothing.
func TestOrderCallees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cs []dispatch.Callee
		for i := range rapid.IntRange(0, 8).Draw(t, "callees") {
			n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, fmt.Sprint(name, i)) }
			c := dispatch.Callee{
				Beneficiary: ident.Beneficiary{15: byte(i)}, Visits: n("visits", 4), Since: n("since", 20), Every: 7 * n("every", 2),
				Metres: n("metres", 3) * 1000, Two: n("two", 1) == 1, Preferred: n("preferred", 4) == 4,
			}
			if n("asked", 1) == 1 {
				c.Request, c.Latest = ident.Request{15: byte(i + 1)}, when.Day(n("latest", 2))
			}
			if n("tried", 3) == 3 {
				c.Tried = when.At(n("at", 2) + 1)
			}
			cs = append(cs, c)
		}
		one, two := slices.Clone(cs), rapid.Permutation(cs).Draw(t, "otherwise")
		dispatch.OrderCallees(one)
		dispatch.OrderCallees(two)
		if !slices.Equal(one, two) {
			t.Fatalf("%v\n%v", one, two)
		}
		for i := range one {
			for j := range one[:i] {
				a, b := one[j], one[i]
				if a.Tried != 0 && b.Tried == 0 {
					t.Fatal("somebody who was called for nothing stands before one who was not called")
				}
				if (a.Tried == 0) == (b.Tried == 0) && a.Tried == b.Tried && a.Request.Zero() && !b.Request.Zero() {
					t.Fatal("somebody who has not asked stands before one who has")
				}
			}
		}
	})
}
