package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// happen lets a request of the past run its course, on its day, or ends the course
// that it has begun before.
func (f *filler) happen(ctx context.Context, q synth.Request, begun *course, today time.Time) error {
	var err error
	if begun != nil && begun.receipt.Version > 0 {
		err = f.end(ctx, begun)
	} else {
		err = f.runCourse(ctx, q, today)
	}
	if err = f.forgive(err); err != nil {
		return fmt.Errorf("telling the past: %w", err)
	}
	f.steps.step(1)
	return nil
}

// forgive passes over a refusal: now and then the node's rules are stricter than
// the invented world's, and one request less does no harm.
func (f *filler) forgive(err error) error {
	e, ok := errors.AsType[*node.Error](err)
	if !ok || e.Kind != node.Conflict {
		return err
	}
	f.log.Info("left something out of the demo", slog.String("code", e.Code))
	return nil
}

func (f *filler) runCourse(ctx context.Context, q synth.Request, today time.Time) error {
	requests := f.node.Requests
	if q.Outcome == synth.Done {
		return aroundHour(q, func(minute int) error {
			_, err := requests.RecordDone(ctx, f.by, node.PastAction{
				Beneficiary: f.her[q.BeneficiaryIndex], Type: f.kinds[q.Kind], Day: dayOf(today, q), Minute: minute,
				Volunteers: f.ids(q.VolunteerIndexes), Note: crypto.NewSecret(q.Note),
				Ending: node.Ending{Minutes: uint16(q.Minutes), Metres: uint32(q.Km) * 1000, Word: crypto.NewSecret(q.Word)},
			})
			return err
		})
	}
	r, err := f.open(ctx, q, today)
	if err != nil {
		return err
	}
	if len(q.VolunteerIndexes) > 0 {
		if r, err = f.cover(ctx, q, today, r); codeOf(err) == "double-booked" {
			q.Outcome, err = synth.Cancelled, f.forgive(err)
		}
		if err != nil {
			return err
		}
	}
	switch q.Outcome {
	case synth.Cancelled:
		_, err = requests.Drop(ctx, f.by, r.ID, r.Version, false, node.ByHer)
	case synth.Unfilled:
		if r, err = requests.Drop(ctx, f.by, r.ID, r.Version, true, node.NobodyFound); err == nil {
			err = f.tell(ctx, q, r)
		}
	case synth.NotDone:
		if err = f.tell(ctx, q, r); err == nil {
			_, err = requests.Finish(ctx, f.by, r.ID, false, node.Ending{Why: notDoneWhy[q.StartMinute/15%len(notDoneWhy)]})
		}
	}
	return err
}

// notDoneWhy are reasons for which a promised visit did not take place.
var notDoneWhy = []node.Why{node.NotAtHome, node.ByHer, node.ByVolunteer, node.ByUs}

// request opens a request of the week ahead and takes it as far as it has come.
func (f *filler) request(ctx context.Context, q synth.Request, today time.Time) error {
	r, err := f.open(ctx, q, today)
	if err == nil && q.State != synth.Open {
		if r, err = f.ask(ctx, q, r); err == nil && q.State != synth.Asked {
			if r, err = f.accept(ctx, q, today, r); err == nil && q.State == synth.Told {
				err = f.tell(ctx, q, r)
			}
		}
	}
	if err == nil {
		f.mark(q, r.ID)
	}
	if err = f.forgive(err); err != nil {
		return fmt.Errorf("opening a request: %w", err)
	}
	f.steps.step(1)
	return nil
}

// mark remembers who has something to answer or to keep.
func (f *filler) mark(q synth.Request, id node.RequestID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.State == synth.Asked {
		f.waiting = append(f.waiting, id)
	}
	for _, v := range q.VolunteerIndexes {
		switch q.State {
		case synth.Asked:
			f.asked[v]++
		case synth.Covered, synth.Told:
			f.coming[v]++
		}
	}
}

// dayOf is the day of a request in the node's calendar.
func dayOf(today time.Time, q synth.Request) node.Day {
	return node.DayOf(today.AddDate(0, 0, q.When.DaysFromToday))
}

func (f *filler) open(ctx context.Context, q synth.Request, today time.Time) (node.Receipt, error) {
	wish := node.Wish{Kind: node.OnDay, Day: dayOf(today, q), Half: node.Morning}
	switch {
	case q.When.Flexible:
		wish = node.Wish{Kind: node.Flexible}
	case q.When.Week:
		wish = node.Wish{Kind: node.InWeek, Day: dayOf(today, q)}
	case q.Outcome != "":
		wish.Half = node.AnyHalf // it is over: the hour that was found is what counts
	case q.Kind == synth.Ride:
		wish.Minute = uint16(q.StartMinute) // somebody expects her at that hour
	case q.When.Half == synth.Afternoon:
		wish.Half = node.Afternoon
	}
	in := node.NewRequest{
		Beneficiary: f.her[q.BeneficiaryIndex], Type: f.kinds[q.Kind], Wish: wish, Minutes: uint16(q.Minutes), Seats: uint8(q.Needs),
		Note: crypto.NewSecret(q.Note),
	}
	r, err := f.node.Requests.Open(ctx, f.by, in)
	if codeOf(err) == "pair-needed" { // the world knows her from before its past began, or will by then
		in.Exception = crypto.NewSecret("connaît déjà le bénévole")
		r, err = f.node.Requests.Open(ctx, f.by, in)
	}
	return r, err
}

// codeOf is the code of a node's error, or empty.
func codeOf(err error) string {
	if e, ok := errors.AsType[*node.Error](err); ok {
		return e.Code
	}
	return ""
}

func (f *filler) ask(ctx context.Context, q synth.Request, r node.Receipt) (node.Receipt, error) {
	return f.node.Requests.Ask(ctx, f.by, r.ID, f.ids(q.VolunteerIndexes))
}

func (f *filler) accept(ctx context.Context, q synth.Request, today time.Time, r node.Receipt) (node.Receipt, error) {
	for _, v := range f.ids(q.VolunteerIndexes) {
		err := aroundHour(q, func(minute int) error {
			accepted, err := f.node.Requests.Accept(ctx, f.by, r.ID, v, node.Slot{Day: dayOf(today, q), Minute: minute})
			if err == nil {
				r = accepted
			}
			return err
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// aroundHour tries the request's hour, then others near it: the world keeps time
// for the road after a visit, the node before it too.
func aroundHour(q synth.Request, f func(minute int) error) error {
	err := f(q.StartMinute)
	for off := 15; codeOf(err) == "double-booked" && off <= 180; off += 15 {
		for _, minute := range []int{q.StartMinute - off, q.StartMinute + off} {
			if again := f(minute); codeOf(again) != "not-her-wish" {
				err = again
			}
			if err == nil {
				return nil
			}
		}
	}
	return err
}

func (f *filler) cover(ctx context.Context, q synth.Request, today time.Time, r node.Receipt) (node.Receipt, error) {
	r, err := f.ask(ctx, q, r)
	if err == nil {
		r, err = f.accept(ctx, q, today, r)
	}
	return r, err
}

func (f *filler) tell(ctx context.Context, q synth.Request, r node.Receipt) error {
	_, err := f.node.Calls.Told(ctx, f.by, f.her[q.BeneficiaryIndex], []node.Heard{{Request: r.ID, Version: r.Version}})
	return err
}
