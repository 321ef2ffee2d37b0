package request

import (
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Mentioned lists the volunteers who stand in r in any way, sorted.
func Mentioned(r Request) []ident.Volunteer {
	var ids []ident.Volunteer
	for _, a := range r.Askings {
		ids = append(ids, a.Volunteer)
	}
	ids = slices.Concat(ids, r.Believes.Coming, r.Thanks.Seen)
	sortVolunteers(ids)
	ids = slices.Compact(ids)
	return slices.DeleteFunc(ids, ident.Volunteer.Zero)
}

// WithoutHer is what stays of a request that was done when she is erased: that
// somebody came, when and for how long.
func (r Request) WithoutHer() Request {
	return Request{
		ID: r.ID, Version: r.Version + 1, Type: r.Type, State: Forgotten, Opened: r.Opened, Counted: r.Counted,
		Plan:    Plan{Seats: r.Plan.Seats, Minutes: r.Plan.Minutes, Start: r.Plan.Start},
		Outcome: Outcome{At: r.Outcome.At, Minutes: r.Outcome.Minutes, Metres: r.Outcome.Metres},
		Askings: slices.DeleteFunc(slices.Clone(r.Askings), func(a Asking) bool { return a.Answer != Yes }),
	}
}

// Without is r when a volunteer is erased. Where he has come, or she believes
// that he comes, the zero volunteer stands for him; so she is called as if he had
// withdrawn. A seat of his that lies ahead is freed before.
func (r Request) Without(v ident.Volunteer) Request {
	var askings []Asking
	for _, a := range r.Askings {
		switch {
		case a.Volunteer != v:
			askings = append(askings, a)
		case a.Answer == Yes:
			askings = append(askings, Asking{At: a.At, Answer: Yes, Answered: a.Answered})
		}
	}
	r.Askings = askings
	r.Believes.Coming = slices.Clone(r.Believes.Coming)
	for i, c := range r.Believes.Coming {
		if c == v {
			r.Believes.Coming[i] = ident.Volunteer{}
		}
	}
	sortVolunteers(r.Believes.Coming)
	r.Thanks.Seen = slices.DeleteFunc(slices.Clone(r.Thanks.Seen), func(s ident.Volunteer) bool { return s == v })
	return r.next()
}

// Close ends a request because she is to be erased: nobody is to come, and there
// is nobody to tell.
func (r Request) Close(at when.At) Request {
	if !r.State.Closed() {
		r.State, r.Outcome = Cancelled, Outcome{At: at, Why: ByHer}
	}
	r.Believes = r.Truth()
	r.Version++
	return r
}

func sortVolunteers(ids []ident.Volunteer) {
	slices.SortFunc(ids, func(a, b ident.Volunteer) int { return slices.Compare(a[:], b[:]) })
}
