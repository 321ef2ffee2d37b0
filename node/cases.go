package node

import (
	"context"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Cases are the demands by which people use their rights, and what answers them.
// The desk writes a demand down; the data protection officer sees and answers it.
type Cases struct{ *core }

// DPO is what the data protection officer works with.
type DPO struct {
	Cases     *Cases
	Retention *Retention
	Books     *Books
	Texts     *Texts
	Breaches  *Breaches
}

// Person is a subject with her words, restricted or not: for the DPO.
type Person struct {
	Subject
	Version     uint32
	Name, First Secret
	Civility    Secret
	Commune     string
	Paper       Paper
	Standing    Standing
	Her         *Beneficiary // one of the two
	Him         *Volunteer
}

// Case is one demand with whom it is about.
type Case struct {
	rights.Case
	About  Subject
	Person Person // empty when nobody is, or is any more
	Note   Secret
	Gone   bool // she was erased
}

// Overdue reports whether the day to answer by has passed.
func (c Case) Overdue(today Day) bool { return !c.State.Closed() && today > c.Due }

// NewCase is what is written down of a demand.
type NewCase struct {
	Demand   Demand
	About    Subject
	Received Day // 0: today
	Asker    Asker
	Note     Secret // of somebody in the files only
}

// Somebody is a subject by the API's word for the kind, ErasableBeneficiary or
// ErasableVolunteer; the empty one is nobody in the files.
func Somebody(kind Erasable, id [16]byte) (Subject, error) {
	switch kind {
	case "":
		return Subject{}, nil
	case ErasableBeneficiary, ErasableVolunteer:
		return Subject{erasables[kind], id}, nil
	}
	return Subject{}, invalid("kind", "unknown-kind", "a right is used by a beneficiary or a volunteer, or by somebody who is not in the files")
}

// Kind is the API's word; empty for nobody.
func (s Subject) Kind() Erasable { return erasableOf(s.Collection) }

// person opens somebody's record, whatever its standing. NotFound.
func (s *Cases) person(by Caller, who Subject) (p Person, err error) {
	p.Subject = who
	err = s.view(by, func(tx *store.Tx) error {
		switch who.Kind() {
		case ErasableBeneficiary:
			r, err := beneficiaryIn(tx, who.ID)
			if err != nil {
				return err
			}
			b, err := s.opening(by).beneficiary(r)
			w := b.Words
			p.Her, p.Version, p.Standing, p.Commune = &b, r.Version, r.Standing, r.Commune
			p.Name, p.First, p.Civility, p.Paper = w.Last, w.First, w.Civility, w.Paper
			return err
		case ErasableVolunteer:
			r, err := volunteerIn(tx, who.ID)
			if err != nil {
				return err
			}
			v, err := s.opening(by).volunteer(r)
			w := v.Words
			p.Him, p.Version, p.Standing, p.Commune = &v, r.Version, r.Standing, r.Offer.Commune
			p.Name, p.First, p.Civility, p.Paper = w.Last, w.First, w.Civility, w.Paper
			return err
		}
		return invalid("kind", "unknown-kind", "a right is used by a beneficiary or a volunteer")
	})
	return p, explain(err)
}

// leaf is the key of somebody's record.
func (p Person) leaf() crypto.Leaf {
	if p.Her != nil {
		return p.Her.Leaf
	}
	return p.Him.Leaf
}

// Person opens somebody for a case. NotFound.
func (s *Cases) Person(by Caller, who Subject) (Person, error) {
	if err := by.may(NoteDemands); err != nil {
		return Person{}, err
	}
	return s.person(by, who)
}

// oldestDemand is how many days ago a demand may have come in that is written down
// today.
const oldestDemand = 90

// Open writes a demand down. Its month begins with the day on which it came in.
func (s *Cases) Open(ctx context.Context, by Caller, in NewCase) (Receipt, error) {
	if err := by.may(NoteDemands); err != nil {
		return Receipt{}, err
	}
	today := s.today()
	if in.Received == 0 {
		in.Received = today
	}
	switch {
	case !in.Demand.Known():
		return Receipt{}, invalid("demand", "missing", "say which right is used: access, portability, rectification, restriction, erasure or objection")
	case !in.Asker.Known():
		return Receipt{}, invalid("asker", "missing", "say who asks: the person, a relative with a mandate, or a guardian")
	case in.Received > today || in.Received < today-oldestDemand:
		return Receipt{}, invalid("received", "day-out-of-range", "a demand came in today or within the last ninety days")
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}); err != nil {
		return Receipt{}, err
	}
	departement, err := s.departement()
	if err != nil {
		return Receipt{}, err
	}
	c := command.OpenCase{
		ID: newID[CaseID](), Demand: in.Demand, Collection: in.About.Collection, Who: in.About.ID, Received: in.Received,
		Due: rights.Due(in.Received, rights.AnswerMonths, departement), Asker: in.Asker,
	}
	commune := ""
	if in.About.Collection != 0 {
		p, err := s.person(by, in.About)
		if err != nil {
			return Receipt{}, err
		}
		if commune = p.Commune; !in.Note.Empty() {
			if c.Box, err = s.sealForHer(p.leaf(), store.Cases.Name, c.ID, 1, rights.CaseWords{Note: in.Note}); err != nil {
				return Receipt{}, err
			}
		}
	} else if !in.Note.Empty() {
		return Receipt{}, invalid("note", "no-note", "of somebody who is not in the files nothing is noted: there is no key to keep it under")
	}
	c.Stamp = s.stamp(by, commune)
	return s.propose(ctx, c)
}

// departement is where the desk's working days are counted.
func (s *Cases) departement() (string, error) {
	t, err := s.territory()
	if err != nil || len(t.Communes) == 0 {
		return "", err
	}
	return series.Departement(t.Communes[0]), nil
}

// Get opens a case with whom it is about.
func (s *Cases) Get(by Caller, id CaseID) (c Case, err error) {
	if err := by.may(AnswerRights); err != nil {
		return c, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		r, ok, err := store.Cases.Get(tx, id[:])
		if err == nil && !ok {
			err = errNoCase
		}
		c = Case{Case: r, About: Subject{r.Collection, r.Who}}
		return err
	})
	if err != nil || c.Collection == 0 {
		return c, err
	}
	if c.Person, err = s.person(by, c.About); err != nil {
		if e, ok := err.(*Error); ok && e.Kind == NotFound {
			c.Gone = true
			return c, nil
		}
		return c, err
	}
	if len(c.Box) > 0 {
		var w rights.CaseWords
		if err = s.opening(by).open(c.Person.leaf(), store.Cases.Name, c.ID, c.Boxed, c.Box, &w); err != nil {
			s.health.note(err)
			return c, explain(err)
		}
		c.Note = w.Note
	}
	return c, nil
}

var errNoCase = &Error{Kind: NotFound, Code: "no-case", Reason: "no such case"}

// List is the cases that are open, the most urgent first, or the closed ones, the
// newest first; at most a hundred, without anybody's words.
func (s *Cases) List(by Caller, closed bool) (out []Case, err error) {
	if err := by.may(AnswerRights); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		if closed {
			err := store.Cases.Each(tx, nil, func(r rights.Case) bool {
				if r.State.Closed() {
					out = append(out, Case{Case: r, About: Subject{r.Collection, r.Who}})
				}
				return true
			})
			slices.Reverse(out)
			out = out[:min(len(out), 100)]
			return err
		}
		var inner error
		err := view.Each(tx, view.OpenCases(), nil, false, func(id CaseID, _ []byte) bool {
			var r rights.Case
			var ok bool
			if r, ok, inner = store.Cases.Get(tx, id[:]); ok {
				out = append(out, Case{Case: r, About: Subject{r.Collection, r.Who}})
			}
			return inner == nil && len(out) < 100
		})
		return either(err, inner)
	})
	return out, err
}

// Restricted lists whose files only the DPO sees.
func (s *Cases) Restricted(by Caller) (out []Person, err error) {
	if err := by.may(AnswerRights); err != nil {
		return nil, err
	}
	var who []Subject
	err = s.view(by, func(tx *store.Tx) error {
		for _, kind := range []Erasable{ErasableBeneficiary, ErasableVolunteer} {
			err := view.Each(tx, view.Restricted(erasables[kind]), nil, false, func(id BeneficiaryID, _ []byte) bool {
				who = append(who, Subject{erasables[kind], id})
				return true
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range who {
		p, err := s.person(by, w)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, err
}

// Step moves a case on. A note that is not empty replaces the one that there is.
func (s *Cases) Step(ctx context.Context, by Caller, id CaseID, version uint32, step CaseStep, note Secret) (Receipt, error) {
	c, err := s.Get(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := tidyAll(line{"note", &note, longestNote}); err != nil {
		return Receipt{}, err
	}
	k := command.StepCase{Stamp: s.stamp(by, c.Person.Commune), ID: id, Version: version, Step: step, Today: s.today()}
	if !note.Empty() {
		if c.Gone || c.Collection == 0 {
			return Receipt{}, invalid("note", "no-note", "of somebody who is not in the files nothing is noted: there is no key to keep it under")
		}
		if k.Box, err = s.sealForHer(c.Person.leaf(), store.Cases.Name, id, version+1, rights.CaseWords{Note: note}); err != nil {
			return Receipt{}, err
		}
	}
	return s.propose(ctx, k)
}

// Extend gives the answer two months more, once.
func (s *Cases) Extend(ctx context.Context, by Caller, id CaseID, version uint32, why CaseReason) (Receipt, error) {
	c, err := s.Get(by, id)
	if err != nil {
		return Receipt{}, err
	}
	departement, err := s.departement()
	if err != nil {
		return Receipt{}, err
	}
	due := rights.Due(c.Received, rights.AnswerMonths+rights.ExtensionMonths, departement)
	return s.Step(ctx, by, id, version, CaseStep{Reason: why, Due: due}, Secret{})
}

// checked reads a case in which it is known who asks.
func (s *Cases) checked(by Caller, id CaseID, demands ...Demand) (Case, error) {
	c, err := s.Get(by, id)
	switch {
	case err != nil:
	case c.State == CaseReceived:
		err = &Error{Kind: Conflict, Code: "identity-first", Reason: "make sure first who asks, and note how"}
	case c.State == CaseDeclined || c.State == CaseDropped:
		err = &Error{Kind: Conflict, Code: "case-closed", Reason: "this case is closed; open another one for a new demand"}
	case c.Collection == 0:
		err = invalid("kind", "nobody", "this demand is about nobody in the files: answer that nothing is held")
	case c.Gone:
		err = &Error{Kind: NotFound, Code: "erased", Reason: "this person was erased"}
	case len(demands) > 0 && !slices.Contains(demands, c.Demand):
		err = invalid("demand", "other-demand", "this case is about another right")
	}
	return c, err
}

// done notes that a case was answered.
func (s *Cases) done(ctx context.Context, by Caller, c Case) (Receipt, error) {
	if c.State.Closed() {
		return Receipt{ID: c.ID, Version: c.Version}, nil
	}
	by.Key = "" // the act before it has taken the key
	return s.Step(ctx, by, c.ID, c.Version, CaseStep{To: rights.Answered}, Secret{})
}

// Restrict hides the file of whom the case is about from all but the DPO, or with
// lift shows it again. The case that asked for it is answered by it.
func (s *Cases) Restrict(ctx context.Context, by Caller, id CaseID, lift bool) (Receipt, error) {
	c, err := s.checked(by, id)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := s.propose(ctx, command.Restrict{
		Stamp: s.stamp(by, c.Person.Commune), Collection: c.Collection, ID: c.Who, Version: c.Person.Version, Lift: lift,
	})
	if err != nil || lift || c.Demand != DemandRestriction {
		return receipt, err
	}
	return s.done(ctx, by, c)
}

// Erase makes the file of whom the case is about unreadable for ever, at once, and
// answers the case by it. What is still open is called off first.
func (s *Cases) Erase(ctx context.Context, by Caller, id CaseID) (Receipt, error) {
	c, err := s.checked(by, id, DemandErasure, DemandObjection)
	if err != nil {
		return Receipt{}, err
	}
	_, err = s.propose(ctx, command.WantErasure{Stamp: s.stamp(by, c.Person.Commune), Collection: c.Collection, ID: c.Who, Withdraw: true})
	if e, ok := err.(*Error); ok && e.Code == "exists" {
		err = nil // wanted before
	}
	if err != nil {
		return Receipt{}, err
	}
	by.Key = ""
	if _, err := (&Erasures{s.core}).run(ctx, s.stamp(by, "")); err != nil {
		return Receipt{}, err
	}
	if c, err = s.Get(by, id); err != nil {
		return Receipt{}, err
	}
	return s.done(ctx, by, c)
}

// Proof is the erasure by which whom the case was about has gone; false while she
// has not.
func (s *Cases) Proof(by Caller, id CaseID) (out ErasureID, ok bool, err error) {
	c, err := s.Get(by, id)
	if err != nil || !c.Gone {
		return out, false, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		return store.Erasures.Each(tx, nil, func(e erasure.Erasure) bool {
			if e.Has(c.Collection, c.Who) {
				out, ok = e.ID, true
			}
			return !ok
		})
	})
	return out, ok, err
}

// Object replaces what somebody objects to, in one act with what follows from it:
// who objects to the whole is accompanied, or helps, no more, and everything that is
// open is closed. Who takes it back begins again as if new.
func (s *Cases) Object(ctx context.Context, by Caller, who Subject, version uint32, uses Use, how Means) (Receipt, error) {
	if err := by.may(NoteDemands); err != nil {
		return Receipt{}, err
	}
	if !how.Known() {
		return Receipt{}, invalid("how", "missing", "say how it was said: on the telephone, face to face, by letter or by e-mail")
	}
	if !uses.Known() {
		return Receipt{}, invalid("uses", "unknown-use", "this is no use that can be objected to")
	}
	p, err := s.person(by, who)
	if err != nil {
		return Receipt{}, err
	}
	c := command.Object{Stamp: s.stamp(by, p.Commune), Collection: who.Collection, ID: who.ID, Version: version, Uses: uses, How: how}
	if p.Her != nil && uses.Has(rights.Whole) {
		err = s.view(by, func(tx *store.Tx) (err error) {
			c.Closings, err = (&Erasures{s.core}).closings(tx, p.Her.Beneficiary)
			return err
		})
		if err != nil {
			return Receipt{}, explain(err)
		}
	}
	return s.propose(ctx, c)
}

// ObjectCase is Object for whom a case is about, which is answered by it.
func (s *Cases) ObjectCase(ctx context.Context, by Caller, id CaseID, uses Use, how Means) (Receipt, error) {
	c, err := s.checked(by, id, DemandObjection)
	if err != nil {
		return Receipt{}, err
	}
	if _, err := s.Object(ctx, by, c.About, c.Person.Version, uses, how); err != nil {
		return Receipt{}, err
	}
	return s.done(ctx, by, c)
}

// Planned are the visits to whom a case is about that lie ahead or wait for an
// answer: they are called off, or wait, with what is decided.
func (s *Cases) Planned(by Caller, id CaseID) (out []Visit, err error) {
	c, err := s.Get(by, id)
	if err != nil || c.Person.Her == nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		r := s.reader(by, tx, s.zone())
		var inner error
		err := view.Each(tx, view.OfPerson(c.Who), nil, true, func(id RequestID, _ []byte) bool {
			q, ok, err := store.Requests.Get(tx, id[:])
			if inner = err; err == nil && ok && !q.State.Closed() {
				var v Visit
				if v, inner = r.visit(q); inner == nil {
					out = append(out, v)
				}
			}
			return inner == nil && len(out) < 100
		})
		return either(err, inner)
	})
	return out, err
}

// Link notes that a beneficiary and a volunteer are one person, who has agreed that
// it be known, or with part that it be known no more. The records stay two.
func (s *Cases) Link(ctx context.Context, by Caller, her BeneficiaryID, him VolunteerID, how Means, part bool) (Receipt, error) {
	if err := by.may(NoteDemands); err != nil {
		return Receipt{}, err
	}
	if !how.Known() {
		return Receipt{}, invalid("how", "missing", "say how she has agreed: on the telephone, face to face, by letter or by e-mail")
	}
	return s.propose(ctx, command.LinkRecords{Stamp: s.stamp(by, ""), Beneficiary: her, Volunteer: him, How: how, Part: part})
}

// volunteerIn reads his record if it is there for readers.
func volunteerIn(tx *store.Tx, id VolunteerID) (people.Volunteer, error) {
	r, ok, err := store.Volunteers.Get(tx, id[:])
	if err != nil {
		return r, err
	}
	yes, err := visible(tx, r.Import, map[ImportID]bool{})
	if err == nil && (!ok || !yes) {
		err = &Error{Kind: NotFound, Code: "no-volunteer", Reason: "no such volunteer"}
	}
	return r, err
}
