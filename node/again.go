package node

import (
	"context"
	"slices"
	"sort"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Again is what she had last time, ready to be asked for once more: the same
// kind, the same half-day of the week, the same volunteers asked first.
type Again struct {
	From RequestID // the visit of last time
	Kind ActionType
	Wish Wish
	Was  Visit
	With []Volunteer // who came and may be asked again; empty when none may
}

// lookBack is how many of her requests are read to find the last visit.
const lookBack = 40

// Again proposes what she had last time. ok is false when nothing took place
// yet, or its kind is no longer offered.
func (s *Requests) Again(by Caller, id BeneficiaryID) (a Again, ok bool, err error) {
	if err := by.may(HandleRequests); err != nil {
		return a, false, err
	}
	her, err := s.beneficiaryRecord(by, id)
	if err != nil {
		return a, false, err
	}
	zone, today := s.zone(), s.today()
	err = s.view(by, func(tx *store.Tx) error {
		recent, err := s.recent(tx, id)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, q := range recent {
			if q.State != request.Done || q.Plan.Start == 0 {
				continue
			}
			kind, err := r.kind(q.Type)
			if err != nil {
				return err
			}
			if kind.Retired {
				continue
			}
			if a.Was, err = r.visit(q); err != nil {
				return err
			}
			a.From, a.Kind, ok = q.ID, kind, true
			a.Wish = nextLike(a.Was, today)
			for taken(recent, q.Type, a.Wish.Day) {
				a.Wish.Day += 7
			}
			for _, seat := range a.Was.Coming() {
				far := -1
				if metres, known := distance(seat.Volunteer.Offer.Commune, her.Commune); known {
					far = metres
				}
				if dispatch.Look(seat.Volunteer.Volunteer, dispatch.Need{Kind: kind, Her: her, Wish: a.Wish}, far).May() {
					a.With = append(a.With, seat.Volunteer)
				}
			}
			return nil
		}
		return nil
	})
	return a, ok, err
}

// recent reads her last requests, the newest first.
func (s *core) recent(tx *store.Tx, her BeneficiaryID) (out []request.Request, err error) {
	var ids []RequestID
	err = view.Each(tx, view.OfPerson(her), nil, true, func(id RequestID, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < lookBack
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		q, ok, err := store.Requests.Get(tx, id[:])
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, q)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[j].Plan.Start < out[i].Plan.Start })
	return out, nil
}

// nextLike is the next day of the same weekday, from tomorrow on, in the same
// half of the day.
func nextLike(v Visit, today Day) Wish {
	day := DayOf(v.Start)
	for day <= today {
		day += 7 * max(1, (today-day)/7)
	}
	return Wish{Kind: request.OnDay, Day: day, Half: when.HalfOf(v.Start.Hour()*60 + v.Start.Minute())}
}

// taken reports whether she has asked for the same on that day already.
func taken(recent []request.Request, what TypeID, day Day) bool {
	return slices.ContainsFunc(recent, func(q request.Request) bool {
		return q.Type == what && q.Wish.Kind == request.OnDay && q.Wish.Day == day && q.State != request.Cancelled && q.State != request.Unfilled
	})
}

// Repeat asks for what she had last time. as is what the caller was shown: when
// it reads otherwise by now, the answer is [Stale] and nothing is recorded.
func (s *Requests) Repeat(ctx context.Context, by Caller, id BeneficiaryID, from RequestID, as Wish) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	if r, done, err := s.repeated(by, command.KindOpenRequest); done || err != nil {
		return r, err
	}
	a, ok, err := s.Again(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if !ok || a.From != from || a.Wish != as {
		return Receipt{}, &Error{Kind: Stale, Code: "stale-version", Reason: "the last visit is another one by now; read it again"}
	}
	in := NewRequest{Beneficiary: id, Type: a.Kind.ID, Wish: as, Minutes: a.Was.Plan.Minutes}
	for _, v := range a.With {
		in.Ask = append(in.Ask, v.ID)
	}
	return s.Open(ctx, by, in)
}

// Alike lists what she has asked for already that a new wish of the same kind may
// repeat: an open request of that kind for the same day, the same week, or
// whenever it suits. A call that was recorded before has nothing in its way.
func (s *Requests) Alike(by Caller, id BeneficiaryID, what TypeID, wish Wish) (out []Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	if err := s.checkWish(&wish); err != nil {
		return nil, err
	}
	if _, done, err := s.repeated(by, command.KindOpenRequest); done {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		recent, err := s.recent(tx, id)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, q := range recent {
			if q.Type != what || q.State.Closed() || !sameTime(q.Wish, wish) {
				continue
			}
			v, err := r.visit(q)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// sameTime: one visit could answer both.
func sameTime(a, b Wish) bool {
	switch {
	case a.Kind == request.Flexible || b.Kind == request.Flexible:
		return a.Kind == b.Kind
	case a.Kind == request.InWeek && b.Kind == request.InWeek:
		return a.Day == b.Day
	case a.Kind == request.OnDay && b.Kind == request.OnDay:
		return a.Day == b.Day && (a.Half == b.Half || a.Half == when.AnyHalf || b.Half == when.AnyHalf)
	}
	return when.WeekOf(a.Day) == when.WeekOf(b.Day)
}

// SameDay lists her other visits on the day of a request, so that nobody sends
// two people to her door at one hour unawares.
func (s *Requests) SameDay(by Caller, v Visit) (out []Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	day := v.Wish.Day
	if !v.Start.IsZero() {
		day = DayOf(v.Start)
	} else if v.Wish.Kind != request.OnDay {
		return nil, nil
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		recent, err := s.recent(tx, v.Beneficiary)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, q := range recent {
			if q.ID == v.ID || q.State.Closed() || q.Plan.Start == 0 || DayOf(q.Plan.Start.Time().In(zone)) != day {
				continue
			}
			other, err := r.visit(q)
			if err != nil {
				return err
			}
			out = append(out, other)
		}
		return nil
	})
	return out, err
}
