package node

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Visit is a request as the desk sees it: who asks, what for, who comes.
type Visit struct {
	request.Request
	Her       Beneficiary
	Kind      ActionType
	Note      Secret
	Exception Secret
	Word      Secret // how it went
	Line      Secret // that she added to her thanks
	Seats     []Seat // everybody who was asked, in the order of asking
	Start     time.Time
}

// Seat is one volunteer's part in a visit.
type Seat struct {
	request.Asking
	Volunteer Volunteer
}

// Coming lists the seats that are taken.
func (v Visit) Coming() []Seat {
	return slices.DeleteFunc(slices.Clone(v.Seats), func(s Seat) bool { return s.Answer != request.Yes })
}

// Waiting lists who has not answered yet.
func (v Visit) Waiting() []Seat {
	return slices.DeleteFunc(slices.Clone(v.Seats), func(s Seat) bool { return s.Answer != request.Waiting })
}

// reader opens visits within one transaction, each person and kind once.
type reader struct {
	*core
	by    Caller
	tx    *store.Tx
	zone  *time.Location
	her   map[BeneficiaryID]Beneficiary
	him   map[VolunteerID]Volunteer
	kinds map[TypeID]catalogue.ActionType
}

func (c *core) reader(by Caller, tx *store.Tx, zone *time.Location) *reader {
	return &reader{c, by, tx, zone, map[BeneficiaryID]Beneficiary{}, map[VolunteerID]Volunteer{}, map[TypeID]catalogue.ActionType{}}
}

func (r *reader) beneficiary(id BeneficiaryID) (Beneficiary, error) {
	if b, ok := r.her[id]; ok {
		return b, nil
	}
	rec, _, err := store.Beneficiaries.Get(r.tx, id[:])
	if err != nil {
		return Beneficiary{}, err
	}
	b, err := r.opening(r.by).beneficiary(rec)
	r.her[id] = b
	return b, err
}

func (r *reader) volunteer(id VolunteerID) (Volunteer, error) {
	if v, ok := r.him[id]; ok {
		return v, nil
	}
	// Who helps somebody whom the caller reaches is known, wherever he lives.
	var rec people.Volunteer
	err := store.Plain(r.tx, func() (err error) {
		rec, _, err = store.Volunteers.Get(r.tx, id[:])
		return err
	})
	if err != nil {
		return Volunteer{}, err
	}
	v, err := r.opening(r.by).volunteer(rec)
	r.him[id] = v
	return v, err
}

func (r *reader) kind(id TypeID) (catalogue.ActionType, error) {
	if t, ok := r.kinds[id]; ok {
		return t, nil
	}
	t, _, err := store.ActionTypes.Get(r.tx, id[:])
	r.kinds[id] = t
	return t, err
}

// visit opens a request whole.
func (r *reader) visit(q request.Request) (v Visit, err error) {
	v.Request = q
	if v.Her, err = r.beneficiary(q.Beneficiary); err != nil {
		return v, err
	}
	if v.Kind, err = r.kind(q.Type); err != nil {
		return v, err
	}
	words, err := r.opening(r.by).requestWords(v.Her.Beneficiary, q)
	if err != nil {
		return v, err
	}
	v.Note, v.Exception = words.Note, words.Exception
	how, err := r.opening(r.by).outcomeWords(v.Her.Beneficiary, q)
	if err != nil {
		return v, err
	}
	v.Word = how.Word
	thanks, err := r.opening(r.by).thanksWords(v.Her.Beneficiary, q)
	if err != nil {
		return v, err
	}
	v.Line = thanks.Line
	for _, a := range q.Askings {
		him, err := r.volunteer(a.Volunteer)
		if err != nil {
			return v, err
		}
		v.Seats = append(v.Seats, Seat{a, him})
	}
	if q.Plan.Start != 0 {
		v.Start = q.Plan.Start.Time().In(r.zone)
	}
	return v, nil
}

// visits opens the requests of a list, page by page.
func (c *core) visits(by Caller, list view.List, reverse bool, page Page) (out []Visit, next []byte, err error) {
	zone := c.zone()
	err = c.view(by, func(tx *store.Tx) error {
		var ids []RequestID
		var inner error
		err := view.Each(tx, list, page.Cursor, reverse, func(id RequestID, cursor []byte) bool {
			if len(ids) == page.limit() {
				return false
			}
			var yes bool
			if yes, inner = inSight(by, tx, store.Requests, id[:]); yes {
				ids, next = append(ids, id), slices.Clone(cursor)
			}
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		if len(ids) < page.limit() {
			next = nil
		}
		out, err = c.reader(by, tx, zone).all(ids)
		return err
	})
	return out, next, err
}

func (r *reader) all(ids []RequestID) (out []Visit, err error) {
	for _, id := range ids {
		q, ok, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		v, err := r.visit(q)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Get opens one request.
func (s *Requests) Get(by Caller, id RequestID) (v Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return v, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		q, ok, err := store.Requests.Get(tx, id[:])
		if err != nil {
			return err
		}
		if !ok {
			return &Error{Kind: NotFound, Code: "no-request", Reason: "no such request"}
		}
		v, err = s.reader(by, tx, zone).visit(q)
		return err
	})
	return v, err
}

// InState lists the requests in a state, the most pressing first; ended ones by
// their last day too.
func (s *Requests) InState(by Caller, state State, page Page) ([]Visit, []byte, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, nil, err
	}
	return s.visits(by, view.InState(state), state.Closed(), page)
}

// OfPerson lists her requests, the newest first.
func (s *Requests) OfPerson(by Caller, id BeneficiaryID, page Page) ([]Visit, []byte, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, nil, err
	}
	return s.visits(by, view.OfPerson(id), true, page)
}

// OfVolunteer lists the visits that a volunteer has accepted, the newest first.
func (s *Requests) OfVolunteer(by Caller, id VolunteerID, page Page) ([]Visit, []byte, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, nil, err
	}
	return s.visits(by, view.SeatsOf(id), true, page)
}

// mostPlanned bounds one reading of the plan; a département in a heatwave has a
// few hundred visits a day.
const mostPlanned = 2000

// Planned lists the visits that are covered and start on the days from first to
// last, in order of time, at most so many (0: two thousand).
func (s *Requests) Planned(by Caller, first, last Day, most int) (out []Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	if most <= 0 || most > mostPlanned {
		most = mostPlanned
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		var ids []RequestID
		var inner error
		err := view.Planned(tx, first.At(0, zone), (last+1).At(0, zone), func(id RequestID) bool {
			var yes bool
			if yes, inner = inSight(by, tx, store.Requests, id[:]); yes {
				ids = append(ids, id)
			}
			return inner == nil && len(ids) < most
		})
		if err = either(err, inner); err != nil {
			return err
		}
		out, err = s.reader(by, tx, zone).all(ids)
		return err
	})
	return out, err
}

// CountIn is how many requests stand in a state, counted up to most.
func (s *Requests) CountIn(by Caller, state State, most int) (n int, err error) {
	if err := by.may(HandleRequests); err != nil {
		return 0, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var inner error
		err := view.Each(tx, view.InState(state), nil, false, func(id RequestID, _ []byte) bool {
			var yes bool
			if yes, inner = inSight(by, tx, store.Requests, id[:]); yes {
				n++
			}
			return inner == nil && n < most
		})
		return either(err, inner)
	})
	return n, err
}

// History lists the changes of a request, oldest first.
func (s *Requests) History(by Caller, id RequestID) ([]Change, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	if _, err := s.request(by, id); err != nil {
		return nil, err
	}
	return s.history(store.Requests.Code, id[:])
}

// Candidate is a volunteer beside a request, with what speaks for and against
// asking him.
type Candidate struct {
	dispatch.Candidate
	Volunteer Volunteer
}

// lookCloser is how many candidates are looked at closely: their week, and how
// often they have been with her.
const lookCloser = 60

// Candidates lists who may be asked, best first, at most limit; those who do not
// fit come last, with the reason. A draft is matched like an open request.
func (s *Requests) Candidates(by Caller, id RequestID, limit int) (out []Candidate, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	q, err := s.request(by, id)
	if err != nil {
		return nil, err
	}
	b, t, err := s.personAndType(by, q.Beneficiary, q.Type)
	if err != nil {
		return nil, err
	}
	return s.candidates(by, q, b.Beneficiary, t, limit)
}

// CandidatesFor is Candidates for a request that is being written.
func (s *Requests) CandidatesFor(by Caller, who BeneficiaryID, what TypeID, wish Wish, limit int) ([]Candidate, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	b, t, err := s.personAndType(by, who, what)
	if err != nil {
		return nil, err
	}
	if err := s.checkWish(&wish); err != nil {
		return nil, err
	}
	return s.candidates(by, request.Request{Beneficiary: who, Type: what, Wish: wish, Commune: b.Commune}, b.Beneficiary, t, limit)
}

func (s *Requests) candidates(by Caller, q request.Request, her people.Beneficiary, t ActionType, limit int) (out []Candidate, err error) {
	zone := s.zone()
	need := dispatch.Need{Kind: t, Her: her, Wish: q.Wish}
	far := map[string]int{}
	records := map[VolunteerID]people.Volunteer{}
	var cs []dispatch.Candidate
	for _, v := range s.find.approvedVolunteers(by) {
		metres, ok := far[v.Offer.Commune]
		if !ok {
			if metres, ok = distance(v.Offer.Commune, her.Commune); !ok {
				metres = -1
			}
			far[v.Offer.Commune] = metres
		}
		if a, asked := q.Asking(v.ID); asked && a.Answer == request.Yes {
			continue
		}
		records[v.ID] = v
		cs = append(cs, dispatch.Look(v, need, metres))
	}
	err = s.view(by, func(tx *store.Tx) error {
		known, err := s.visitsTo(tx, her.ID)
		if err != nil {
			return err
		}
		for i := range cs {
			cs[i].Visits = known[cs[i].Volunteer]
		}
		dispatch.Order(cs)
		cs = cs[:min(len(cs), max(limit, lookCloser))]
		for i, c := range cs {
			if !c.May() {
				continue
			}
			if cs[i], err = s.load(tx, c, records[c.Volunteer], q, zone); err != nil {
				return err
			}
		}
		dispatch.Order(cs)
		r := s.reader(by, tx, zone)
		for _, c := range cs[:min(len(cs), limit)] {
			v, err := r.volunteer(c.Volunteer)
			if err != nil {
				return err
			}
			out = append(out, Candidate{c, v})
		}
		return nil
	})
	return out, err
}

// visitsTo counts, per volunteer, his visits to her among her last hundred
// requests.
func (s *core) visitsTo(tx *store.Tx, her BeneficiaryID) (map[VolunteerID]int, error) {
	known := map[VolunteerID]int{}
	var ids []RequestID
	err := view.Each(tx, view.OfPerson(her), nil, true, func(id RequestID, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < 100
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		q, ok, err := store.Requests.Get(tx, id[:])
		if err != nil {
			return nil, err
		}
		if ok && q.State == request.Done {
			for _, v := range q.Coming() {
				known[v]++
			}
		}
	}
	return known, nil
}

// load adds what the volunteer's week holds: his seats, the questions that wait
// for him, and whether he is expected elsewhere at the hour of an appointment.
func (s *core) load(tx *store.Tx, c dispatch.Candidate, v people.Volunteer, q request.Request, zone *time.Location) (dispatch.Candidate, error) {
	day := q.Wish.Day
	if day == 0 {
		day = s.today()
	}
	monday := when.WeekOf(day)
	var seats, waiting []RequestID
	err := view.Seats(tx, v.ID, monday.At(0, zone), (monday+7).At(0, zone), func(id RequestID, _ when.At) bool {
		seats = append(seats, id)
		return len(seats) < 100
	})
	if err != nil {
		return c, err
	}
	if waiting, err = ids(tx, view.WaitingFor(v.ID), 100); err != nil {
		return c, err
	}
	busy := false
	if q.Wish.Kind == request.OnDay && q.Wish.Minute > 0 {
		from := q.Wish.Day.At(int(q.Wish.Minute), zone)
		plan := request.Plan{Start: from, Minutes: q.Plan.Minutes}
		for _, id := range seats {
			other, ok, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return c, err
			}
			busy = busy || ok && request.Clash(plan, other.Plan)
		}
	}
	n := len(seats)
	for _, id := range waiting {
		if id == q.ID {
			continue
		}
		other, ok, err := store.Requests.Get(tx, id[:])
		if err != nil {
			return c, err
		}
		if a, asked := other.Asking(v.ID); ok && asked {
			n++
			c.LastAsked = max(c.LastAsked, a.At)
		}
	}
	return c.Load(v, n, busy), nil
}

// Usual lists the volunteers who have been with her, the most frequent first.
func (s *Requests) Usual(by Caller, id BeneficiaryID) (out []Familiar, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		known, err := s.visitsTo(tx, id)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for v, n := range known {
			him, err := r.volunteer(v)
			if err != nil {
				return err
			}
			out = append(out, Familiar{him, n})
		}
		return nil
	})
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		return cmp.Or(cmp.Compare(b.Visits, a.Visits), slices.Compare(a.Volunteer.ID[:], b.Volunteer.ID[:])) < 0
	})
	return out, err
}

// Familiar is a volunteer whom she knows.
type Familiar struct {
	Volunteer Volunteer
	Visits    int
}
