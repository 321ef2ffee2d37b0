package dispatch

import (
	"cmp"
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// Callee is somebody whom an offer may suit, with what speaks for calling her:
// facts to read, never a grade.
type Callee struct {
	Beneficiary ident.Beneficiary
	Kind        ident.ActionType // of the offer, that she asked for
	Request     ident.Request    // hers, open, which the offer answers; zero: she has asked for nothing now
	Latest      when.Day         // that answers her open request; 0: none presses
	Metres      int              // from where he starts or where he goes, whichever is nearer
	Visits      int              // of his to her so far
	Preferred   bool             // by her
	Since       int              // days from her last action of that kind to the day of the offer; 0: none is known
	Every       int              // days, her usual rhythm of that kind; 0: not known
	Two         bool             // the rule of two holds for her: one alone needs an exception
	Tried       when.At          // she was called for nothing since the offer was made; 0: not
}

// quiet is how many days somebody of unknown rhythm is left in peace after an
// action.
const quiet = 7

// Needs reports whether she may need it on the day of the offer: she has asked,
// or three quarters of her rhythm have passed.
func (c Callee) Needs() bool {
	switch {
	case !c.Request.Zero():
		return true
	case c.Since <= 0:
		return false
	case c.Every > 0:
		return c.Since*4 >= c.Every*3
	}
	return c.Since >= quiet
}

// due is how far her rhythm has come round, in hundredths of it.
func (c Callee) due() int {
	every := c.Every
	if every == 0 {
		every = 30
	}
	return min(c.Since*100/every, 300)
}

// OrderCallees sorts as an agent would call: who was tried for nothing comes last;
// who has asked comes first, the most pressing before the others; then whom he
// knows, whose rhythm has come round most, the nearest. Equal ones stand by ID.
func OrderCallees(cs []Callee) {
	slices.SortFunc(cs, func(a, b Callee) int {
		return cmp.Or(
			first(a.Tried == 0, b.Tried == 0),
			cmp.Compare(a.Tried, b.Tried),
			first(!a.Request.Zero(), !b.Request.Zero()),
			cmp.Compare(uint32(a.Latest)-1, uint32(b.Latest)-1), // 0, which presses least, comes last
			first(a.Preferred, b.Preferred),
			cmp.Compare(min(b.Visits, 3), min(a.Visits, 3)),
			first(!a.Two, !b.Two),
			cmp.Compare(b.due(), a.due()),
			cmp.Compare(a.Metres, b.Metres),
			slices.Compare(a.Beneficiary[:], b.Beneficiary[:]),
		)
	})
}

// Rhythm is the usual number of days between actions that took place on those
// days: the middle one of the gaps. Two days show none.
func Rhythm(days []when.Day) int {
	days = slices.Compact(slices.Sorted(slices.Values(days)))
	if len(days) < 3 {
		return 0
	}
	var gaps []int
	for i, d := range days[1:] {
		gaps = append(gaps, int(d-days[i]))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// Usual hours when only a half-day is said.
const (
	MorningHour   = 10 * 60
	AfternoonHour = 14*60 + 30
)

// Hour is the minute of the day at which the offer answers the wish, if it does;
// with the zero Wish, when he would come at all.
func Hour(t offer.Trip, w request.Wish) (minute int, ok bool) {
	his := request.Wish{Kind: request.OnDay, Day: t.Day, Half: t.Half, Minute: t.Minute}
	if w.Kind == 0 {
		w = his
	}
	switch half := max(t.Half, w.Half); {
	case t.Minute > 0:
		minute = int(t.Minute)
	case w.Kind == request.OnDay && w.Minute > 0:
		minute = int(w.Minute)
	case half == when.Afternoon:
		minute = AfternoonHour
	default:
		minute = MorningHour
	}
	return minute, his.Fits(t.Day, minute) && w.Fits(t.Day, minute)
}
