package node

import (
	"context"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Volunteers are the neighbours who help.
type Volunteers struct{ *core }

// Register adds somebody as an applicant.
func (s *Volunteers) Register(ctx context.Context, by Caller, offer Readiness, w VolunteerWords) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	if err := s.check(&offer, &w); err != nil {
		return Receipt{}, err
	}
	if err := by.mayAt(WritePeople, offer.Commune); err != nil {
		return Receipt{}, errCommune
	}
	id := newID[VolunteerID]()
	return s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		box, err := s.seal(keys[0], store.Volunteers.Name, id, 1, w)
		return command.Register{
			Stamp: s.stamp(by, offer.Commune),
			Who:   command.NewVolunteer{ID: id, Leaf: leaves[0], Status: people.Applicant, Offer: offer, Box: box},
		}, err
	})
}

// Change replaces what he is ready for, and his words.
func (s *Volunteers) Change(ctx context.Context, by Caller, id VolunteerID, version uint32, offer Readiness, w VolunteerWords) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	if err := s.check(&offer, &w); err != nil {
		return Receipt{}, err
	}
	if err := by.mayAt(WritePeople, offer.Commune); err != nil {
		return Receipt{}, errCommune
	}
	r, err := s.record(by, id)
	if err != nil {
		return Receipt{}, err
	}
	key, err := s.ring.Open(r.Leaf)
	if err != nil {
		return Receipt{}, explain(err)
	}
	box, err := s.seal(key, store.Volunteers.Name, id, version+1, w)
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeVolunteer{Stamp: s.stamp(by, offer.Commune), ID: id, Version: version, Offer: offer, Box: box, Next: r.Next})
}

// SetReadiness lets a volunteer, or an agent for him, say when he is free and
// when he is away, how often he may be asked and how far he goes. Kinds, car and
// commune stay what the desk wrote down.
func (s *Volunteers) SetReadiness(ctx context.Context, by Caller, id VolunteerID, version uint32, week Week, perWeek, radiusKm uint8, absences []Absence) (Receipt, error) {
	if err := by.mayFor(id, ChangeOwnReadiness, WritePeople); err != nil {
		return Receipt{}, err
	}
	r, err := s.record(by, id)
	if err != nil {
		return Receipt{}, err
	}
	offer := r.Offer
	offer.Week, offer.PerWeek, offer.RadiusKm, offer.Absences = week, perWeek, radiusKm, absences
	if err := s.checkOffer(&offer); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeVolunteer{Stamp: s.stamp(by, offer.Commune), ID: id, Version: version, Offer: offer, Next: r.Next})
}

// SetNext notes on which day the next step is, as it was agreed with him. Day 0
// takes the day away.
func (s *Volunteers) SetNext(ctx context.Context, by Caller, id VolunteerID, version uint32, next Day) (Receipt, error) {
	if err := by.may(VetVolunteers); err != nil {
		return Receipt{}, err
	}
	if err := s.checkNext(next); err != nil {
		return Receipt{}, err
	}
	r, err := s.record(by, id)
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeVolunteer{Stamp: s.stamp(by, r.Offer.Commune), ID: id, Version: version, Offer: r.Offer, Next: next})
}

func (s *Volunteers) checkNext(next Day) error {
	if today := s.today(); next != 0 && (next < today || next > today+400) {
		return invalid("next", "day-out-of-range", "the next step lies between today and a year ahead")
	}
	return nil
}

// Step moves a volunteer along: met, approved, suspended, ended. next is the day
// agreed for the step after this one, or 0.
func (s *Volunteers) Step(ctx context.Context, by Caller, id VolunteerID, version uint32, to Status, next Day) (Receipt, error) {
	if err := by.may(VetVolunteers); err != nil {
		return Receipt{}, err
	}
	if err := s.checkNext(next); err != nil {
		return Receipt{}, err
	}
	r, err := s.record(by, id)
	if err != nil {
		return Receipt{}, err
	}
	c := command.StepVolunteer{Stamp: s.stamp(by, r.Offer.Commune), ID: id, Version: version, To: to, Next: next}
	if to == people.Approved && r.Status == people.Met {
		cell := s.cell(public.Joined, r.Offer.Commune, public.NoCategory, BeneficiaryWords{})
		c.Counts = []command.Count{command.CountOf(cell, 1)}
	}
	return s.propose(ctx, c)
}

// Get opens one volunteer's file. A volunteer may open his own.
func (s *Volunteers) Get(by Caller, id VolunteerID) (v Volunteer, err error) {
	if err := by.mayFor(id, ChangeOwnReadiness, ReadPeople); err != nil {
		return v, err
	}
	r, err := s.record(by, id)
	if err != nil {
		return v, err
	}
	v, err = s.opening(by).volunteer(r)
	s.health.note(err)
	if !by.Staff() {
		v.Words.Note = Secret{} // the desk's own
	}
	return v, explain(err)
}

func (s *Volunteers) record(by Caller, id VolunteerID) (r people.Volunteer, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		if r, ok, err = store.Volunteers.Get(tx, id[:]); err != nil {
			return err
		}
		yes, err := visible(tx, r.Import, map[ImportID]bool{})
		if err == nil && (!ok || !yes) {
			err = errNoVolunteer
		}
		return err
	})
	return r, err
}

var errNoVolunteer = &Error{Kind: NotFound, Code: "no-volunteer", Reason: "no such volunteer"}

// List opens the files of the volunteers in a status.
func (s *Volunteers) List(by Caller, status Status, page Page) (out []Volunteer, next []byte, err error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		err := view.Each(tx, view.InStatus(status), page.Cursor, false, func(id VolunteerID, cursor []byte) bool {
			if len(out) == page.limit() {
				return false
			}
			next = slices.Clone(cursor)
			r, ok, err := store.Volunteers.Get(tx, id[:])
			if inner = err; err != nil || !ok {
				return err == nil
			}
			yes, err := visible(tx, r.Import, seen)
			if inner = err; err != nil || !yes {
				return err == nil
			}
			var v Volunteer
			if v, inner = s.opening(by).volunteer(r); inner == nil {
				out = append(out, v)
			}
			return inner == nil
		})
		return either(err, inner)
	})
	if len(out) < page.limit() {
		next = nil
	}
	return out, next, err
}

// History lists the changes of his file, oldest first.
func (s *Volunteers) History(by Caller, id VolunteerID) ([]Change, error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, err
	}
	if _, err := s.record(by, id); err != nil {
		return nil, err
	}
	return s.history(store.Volunteers.Code, id[:])
}

func (s *Volunteers) check(offer *Readiness, w *VolunteerWords) error {
	if err := s.checkOffer(offer); err != nil {
		return err
	}
	if len(w.Phones) > mostPhones {
		return invalid("phones", "too-many", "at most six telephone numbers")
	}
	if !w.Paper.Known() {
		return errPaper()
	}
	for i := range w.Phones {
		if err := checkPhone("phones", &w.Phones[i]); err != nil {
			return err
		}
	}
	w.Phones = slices.DeleteFunc(w.Phones, func(p Phone) bool { return p.Number.Empty() })
	if err := tidyAll(
		line{"civility", &w.Civility, 12}, line{"last_name", &w.Last, longestName}, line{"first_name", &w.First, longestName},
		line{"email", &w.Email, longestLine}, line{"address", &w.Address, longestLine}, line{"car_text", &w.CarText, 60},
		line{"languages", &w.Languages, longestLine}, line{"note", &w.Note, longestNote},
	); err != nil {
		return err
	}
	if err := s.checkBirth(&w.Birth); err != nil {
		return err
	}
	if err := checkEmail(w.Email); err != nil {
		return err
	}
	switch {
	case w.Last.Empty():
		return invalid("last_name", "missing", "the name is missing")
	case len(w.Phones) == 0 && w.Email.Empty():
		return invalid("phones", "missing", "a telephone number or an e-mail address is needed, or nobody can ask him")
	}
	return nil
}

func (s *core) checkOffer(o *Readiness) error {
	switch {
	case o.RadiusKm > 100:
		return invalid("radius_km", "out-of-range", "a radius is at most 100 km")
	case o.Seats > 9:
		return invalid("seats", "out-of-range", "a car has at most nine seats")
	case o.PerWeek > 50:
		return invalid("per_week", "out-of-range", "at most 50 times a week; 0 means no limit")
	case o.Week >= 1<<14:
		return invalid("week", "out-of-range", "a week has fourteen half-days")
	case len(o.Absences) > 50:
		return invalid("absences", "too-many", "at most 50 absences")
	case o.Association != "" && !association.MatchString(o.Association):
		return invalid("association", "association-malformed", "an association is named by its SIREN (9 digits) or its RNA number (W and 9 signs)")
	case len(o.Kinds) > 100:
		return invalid("kinds", "too-many", "at most 100 kinds of action")
	}
	for _, a := range o.Absences {
		if a.From <= 0 || a.To < a.From || a.To > a.From+3660 {
			return invalid("absences", "out-of-range", "an absence has a first and a last day, in this order")
		}
	}
	return s.inTerritory("commune", o.Commune)
}
