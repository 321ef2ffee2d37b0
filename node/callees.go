package node

import (
	"maps"
	"slices"
	"sort"

	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Callee is somebody whom an offer may suit, with what speaks for calling her.
type Callee struct {
	dispatch.Callee
	Her  Beneficiary
	Kind ActionType
	Wish Wish    // of her open request
	Note Secret  // of her open request
	Try  Instant // the last call for nothing since the offer was made; 0: none
}

const (
	habitDays  = 120 // how far back a rhythm is looked for
	closerLook = 12  // callees whose requests and calls are read
)

// neighbours are the open requests near an offer, read once for several offers.
// Owned by one reading.
type neighbours struct {
	open map[string][]request.Request
}

func newNeighbours() *neighbours { return &neighbours{map[string][]request.Request{}} }

func (n *neighbours) in(s *Offers, r *reader, commune string) ([]request.Request, error) {
	if have, ok := n.open[commune]; ok {
		return have, nil
	}
	some, err := ids(r.tx, view.Looking(commune), mostLooking)
	if err != nil {
		return nil, err
	}
	out := []request.Request{}
	for _, id := range some {
		q, ok, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if ok && r.answerable(q) {
			out = append(out, q)
		}
	}
	n.open[commune] = out
	return out, nil
}

// callees lists whom to call for an offer, best first: who has asked for what it
// answers, then who asked for that kind before and may need it again.
func (s *Offers) callees(r *reader, near *neighbours, o Offer) ([]Callee, error) {
	found, err := s.around(r, near, o)
	if err != nil {
		return nil, err
	}
	known, err := s.knownTo(r, o.Volunteer)
	if err != nil {
		return nil, err
	}
	var all []dispatch.Callee
	for _, c := range found {
		c.Visits = known[c.Beneficiary]
		if c.Needs() && !slices.Contains(o.Declined, c.Beneficiary) {
			all = append(all, c)
		}
	}
	dispatch.OrderCallees(all)
	var out []Callee
	for _, c := range all {
		if len(out) == closerLook {
			break
		}
		full, fits, err := s.callee(r, o, c)
		if err != nil {
			return nil, err
		}
		if fits && !slices.ContainsFunc(out, func(have Callee) bool { return have.Beneficiary == c.Beneficiary }) {
			out = append(out, full)
		}
	}
	return ordered(out)[:min(len(out), mostCallees)], nil
}

// ordered sorts callees as package dispatch does.
func ordered(cs []Callee) []Callee {
	facts := make([]dispatch.Callee, 0, len(cs))
	for _, c := range cs {
		facts = append(facts, c.Callee)
	}
	dispatch.OrderCallees(facts)
	place := map[BeneficiaryID]int{}
	for i, f := range facts {
		place[f.Beneficiary] = i
	}
	sort.Slice(cs, func(i, j int) bool { return place[cs[i].Beneficiary] < place[cs[j].Beneficiary] })
	return cs
}

// around gathers, for each person near the offer and each kind of it, what speaks
// for calling her.
func (s *Offers) around(r *reader, near *neighbours, o Offer) ([]dispatch.Callee, error) {
	t, err := s.territory()
	if err != nil {
		return nil, err
	}
	since := (o.Trip.Day - habitDays).At(0, r.zone)
	var out []dispatch.Callee
	for _, commune := range t.Communes {
		metres, ok := reach(o, commune)
		if !ok {
			continue
		}
		open, err := near.in(s, r, commune)
		if err != nil {
			return nil, err
		}
		for _, q := range open {
			if _, fits := s.hour(o.Offer, q); fits && o.Trip.Has(q.Type) {
				out = append(out, dispatch.Callee{Beneficiary: q.Beneficiary, Kind: q.Type, Request: q.ID, Latest: q.Wish.Latest(), Metres: metres})
			}
		}
		for _, kind := range o.Trip.Types {
			days := map[BeneficiaryID][]Day{}
			err := view.Habits(r.tx, commune, kind, since, func(she BeneficiaryID, start when.At) {
				days[she] = append(days[she], DayOf(start.Time().In(r.zone)))
			})
			if err != nil {
				return nil, err
			}
			for _, she := range slices.SortedFunc(maps.Keys(days), func(a, b BeneficiaryID) int { return slices.Compare(a[:], b[:]) }) {
				out = append(out, dispatch.Callee{
					Beneficiary: she, Kind: kind, Metres: metres,
					Since: int(o.Trip.Day - slices.Max(days[she])), Every: dispatch.Rhythm(days[she]),
				})
			}
		}
	}
	return out, nil
}

// reach is how far a commune lies from where he starts, or from where he goes if
// that is nearer; ok when that is not more than he would go.
func reach(o Offer, commune string) (metres int, ok bool) {
	metres, ok = distance(o.Him.Offer.Commune, commune)
	if there, known := distance(o.Trip.Destination, commune); o.Trip.Destination != "" && known && (!ok || there < metres) {
		metres, ok = there, true
	}
	return metres, ok && metres <= int(o.Him.Offer.RadiusKm)*1000
}

// knownTo counts his visits, among his last hundred, to each person.
func (s *Offers) knownTo(r *reader, v VolunteerID) (map[BeneficiaryID]int, error) {
	known := map[BeneficiaryID]int{}
	last, err := newest(r.tx, view.SeatsOf(v), 100)
	if err != nil {
		return nil, err
	}
	for _, id := range last {
		q, _, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if q.State == request.Done {
			known[q.Beneficiary]++
		}
	}
	return known, nil
}

// callee looks at one person more closely, and reports whether the offer may suit
// her after all.
func (s *Offers) callee(r *reader, o Offer, c dispatch.Callee) (out Callee, fits bool, err error) {
	out.Callee = c
	if out.Her, err = r.beneficiary(c.Beneficiary); err != nil {
		return out, false, err
	}
	if out.Kind, err = r.kind(c.Kind); err != nil {
		return out, false, err
	}
	out.Preferred = slices.Contains(out.Her.Preferred, o.Volunteer)
	out.Two = c.Request.Zero() && out.Kind.Seats(out.Her.Visits) > 1
	if out.Her.State != people.Active || out.Her.Refuses(o.Volunteer) || out.Kind.Retired {
		return out, false, nil
	}
	recent, err := newest(r.tx, view.OfPerson(c.Beneficiary), mostOpen)
	if err != nil {
		return out, false, err
	}
	for _, id := range recent {
		q, _, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return out, false, err
		}
		profits := slices.Contains(o.Taken, id)
		hasOne := c.Request.Zero() && q.Type == c.Kind && !q.State.Closed()
		a, asked := q.Asking(o.Volunteer)
		hasHim := id == c.Request && asked && a.Answer == request.Yes
		if profits || hasOne || hasHim {
			return out, false, nil
		}
		if id == c.Request {
			words, err := r.opening(r.by).requestWords(out.Her.Beneficiary, q)
			if err != nil {
				return out, false, err
			}
			out.Wish, out.Note = q.Wish, words.Note
		}
	}
	out.Try, err = s.tried(r, c.Beneficiary, o.Made)
	out.Tried = out.Try
	return out, true, err
}

// tried is the last call to her for nothing since an instant, unless somebody has
// reached her after it.
func (s *Offers) tried(r *reader, her BeneficiaryID, since Instant) (at Instant, err error) {
	var last AttemptID
	err = view.Each(r.tx, view.CallsTo(her), nil, true, func(id AttemptID, _ []byte) bool {
		last = id
		return false
	})
	if err != nil || last.Zero() {
		return 0, err
	}
	a, _, err := store.Attempts.Get(r.tx, last[:])
	if a.Result == contact.NoAnswer && a.At >= since {
		at = a.At
	}
	return at, err
}
