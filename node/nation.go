package node

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/national"
	"github.com/bippop/bippop/federation/public"
	federated "github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/geo"
)

// Nation is what the territories have released, added up: on the coordinator's node
// only, in memory, from entries that count, so that nothing is kept here that is not
// in the feeds. Each total comes with the interval that the noise in it leaves open.
//
// Simulated territories of a demo are counted apart and never without saying so.
// Safe for concurrent use.
type Nation struct {
	*core

	mu     sync.Mutex // guards what follows, for a look
	of     map[public.Siren]*reported
	sorted []public.Siren
	book   *national.Book
	roster uint64 // version of the roster that was followed
}

// reported is what is known of one territory.
type reported struct {
	NationMember
	odometer public.Odometer
	epoch    uint16
	next     int64 // of the epoch's entries, the first that was not taken in
	quarters map[Quarter]public.Release
	placed   map[uint64]Quarter // releases by their place in the epoch
	said     public.Day         // day of its newest entry
	arrived  time.Time          // when it was taken in here
}

// Quarter is a calendar quarter.
type Quarter = public.Quarter

// NationMember is a territory as it presents itself.
type NationMember struct {
	Siren       public.Siren
	Name        string
	Departement string // INSEE, "33"
	Population  int    // of the communes that it answers for
	Communes    int
	Contact     federated.Contact
	Simulated   bool
	X, Y        int  // on the map of [Outlines], in tenths of its units
	OnMap       bool // X and Y are known and in metropolitan France
}

// SimulatedTerritory is one that takes part in nothing, for a demo.
type SimulatedTerritory struct {
	Siren    public.Siren
	Releases []public.Release
}

func newNation(c *core) *Nation {
	n := &Nation{core: c}
	n.begin()
	return n
}

// begin forgets what was heard: every feed is heard again from its first entry on.
func (s *Nation) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of, s.sorted, s.book, s.roster = map[public.Siren]*reported{}, nil, national.NewBook(), 0
	for _, one := range s.cfg.Simulated {
		m, ok := memberOf(one.Siren)
		if !ok {
			continue // the registry of another year
		}
		m.Simulated = true
		r := s.add(m)
		for i, release := range one.Releases {
			r.said = public.DayOf(expected(release.Quarter).AddDate(0, 0, -int(uint32(one.Siren)%30)))
			if r.release(release) {
				s.book.Take(public.Entry{From: one.Siren, Epoch: 1, Seq: uint64(i), Day: r.said, Body: release}) // its first at that place
			}
		}
	}
}

// end says that what was heard is out of date from now on; it is still shown, with
// the day of each.
func (s *Nation) end() {}

// follow brings the members up to the roster's present version. The caller holds mu.
func (s *Nation) follow() {
	if state := s.federating.rosters.State(); state != nil && state.Version != s.roster {
		s.know(state.Members)
		s.roster = state.Version
	}
}

// memberOf is a grouping of the registry as a member.
func memberOf(siren public.Siren) (NationMember, bool) {
	g, ok := GroupingOf(siren.String())
	if !ok {
		return NationMember{}, false
	}
	m := NationMember{Siren: siren, Name: g.Name, Departement: g.Departement}
	m.place(g.Communes)
	return m, true
}

// place works out population and position from communes: the position is that of
// the most populous one whose place is known.
func (m *NationMember) place(communes []string) {
	m.Communes, m.Population, m.OnMap = len(communes), 0, false
	most := int32(-1)
	for _, code := range communes {
		c, ok := geo.Lookup(geo.Insee(code))
		if !ok {
			continue
		}
		m.Population += int(c.Population)
		if c.Located && c.Population > most {
			most = c.Population
			m.X, m.Y = geo.Project(c.Point)
			m.OnMap = m.X >= 0 && m.Y >= 0 && m.X <= 10*geo.MapWidth && m.Y <= 10*geo.MapHeight
		}
	}
}

// add makes room for a member. The caller holds mu, or is alone.
func (s *Nation) add(m NationMember) *reported {
	r := s.of[m.Siren]
	if r == nil {
		r = &reported{quarters: map[Quarter]public.Release{}, placed: map[uint64]Quarter{}}
		s.of[m.Siren] = r
		at, _ := slices.BinarySearch(s.sorted, m.Siren)
		s.sorted = slices.Insert(s.sorted, at, m.Siren)
	}
	r.NationMember = m
	return r
}

// know follows the roster: its territories are those that are expected to report.
// Who has left it is forgotten with what it had said: the roster says what counts.
// The caller holds mu.
func (s *Nation) know(members []federated.Member) {
	listed := map[public.Siren]bool{}
	for _, m := range members {
		if m.Role != federated.Territory {
			continue
		}
		listed[m.Siren] = true
		var codes []string
		for _, c := range m.Communes {
			codes = append(codes, c.String())
		}
		one := NationMember{Siren: m.Siren, Name: m.Name, Departement: m.Departement, Contact: m.Contact, Simulated: m.Simulated}
		one.place(codes)
		s.add(one)
	}
	s.sorted = slices.DeleteFunc(s.sorted, func(n public.Siren) bool {
		gone := !listed[n] && !s.of[n].Simulated
		if gone {
			delete(s.of, n)
		}
		return gone
	})
}

// heard takes in entries of a territory's feed that count, from place from of an
// epoch on. What is known already is skipped, what is of no interest passed over. A
// newer epoch says again what still counts of the former one.
func (s *Nation) heard(siren public.Siren, epoch uint16, from int64, entries [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow()
	r := s.of[siren]
	if r == nil || r.Simulated || epoch < r.epoch {
		return
	}
	if epoch > r.epoch {
		r.epoch, r.next, r.placed = epoch, 0, map[uint64]Quarter{}
	}
	for i, b := range entries {
		at := from + int64(i)
		if at != r.next { // known, or after a gap that the next round fills
			continue
		}
		r.next++
		e, err := public.Decode(b)
		if err != nil || e.From != siren || e.Seq != uint64(at) {
			continue // it counts as said, and says nothing that is understood here
		}
		r.said, r.arrived = e.Day, s.now()
		if err := s.book.Take(e); err != nil {
			s.cfg.Logger.Warn("what a territory has released is not used", errAttr(err))
			continue
		}
		switch m := e.Body.(type) {
		case public.Release:
			if r.release(m) {
				r.placed[e.Seq] = m.Quarter
			}
		case public.Retract:
			if q, ok := r.placed[m.Seq]; ok {
				delete(r.quarters, q)
			}
		}
	}
}

// release takes one in when it follows those before; else it is not used.
func (r *reported) release(m public.Release) bool {
	after, err := r.odometer.Follow(m)
	if err != nil {
		return false
	}
	r.odometer, r.quarters[m.Quarter] = after, m
	return true
}

// newest is the last quarter that is used; ok is false when there is none.
func (r *reported) newest() (last Quarter, ok bool) {
	for q := range r.quarters {
		if !ok || q > last {
			last, ok = q, true
		}
	}
	return last, ok
}

// Days after a quarter's end by which its release is expected.
const dueDays = 45

// expected is when a quarter's release is expected.
func expected(q Quarter) time.Time {
	year, number := q.Year()
	return time.Date(year, time.Month(3*number+1), 1+dueDays, 0, 0, 0, 0, time.UTC)
}

// lastDue is the newest quarter whose release is expected by now.
func (s *Nation) lastDue() Quarter {
	now := s.now()
	q := public.QuarterOf(public.MonthOf(now.Year(), int(now.Month())))
	for q > 0 && expected(q).After(now) {
		q--
	}
	return q
}

// each calls f with the territories, simulated ones or not. The caller holds mu.
func (s *Nation) each(simulated bool, f func(*reported)) {
	for _, n := range s.sorted {
		if r := s.of[n]; simulated || !r.Simulated {
			f(r)
		}
	}
}

// NationLook is what somebody wants to see.
type NationLook struct {
	Year     int  // four quarters of it; 0: the newest four that are due
	RealOnly bool // without simulated territories
}

// NationSheet is the totals of four quarters.
type NationSheet struct {
	From, To    Quarter
	RealOnly    bool
	Territories int // that have released something in these quarters, simulated ones included
	Simulated   int // of them
	Expected    int // that are on the roster, or simulated
	Releases    int // added up
	Population  int // of the territories that have released
	Sums        Sums
	Trend       []QuarterSums // each quarter since the first, at most twelve, oldest first
	Years       []int         // that can be asked for, the newest first
}

// QuarterSums are one quarter of the trend.
type QuarterSums struct {
	Quarter     Quarter
	Territories int
	Simulated   int // of them
	Sums        Sums
}

// Look adds up. It is for those who present the nation's figures.
func (s *Nation) Look(by Caller, look NationLook) (NationSheet, error) {
	if err := by.may(ReadNation); err != nil {
		return NationSheet{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow()
	sheet := NationSheet{To: s.lastDue(), RealOnly: look.RealOnly}
	sheet.From = sheet.To - min(sheet.To, 3)
	if look.Year != 0 {
		if look.Year < 2020 || look.Year > 2099 {
			return NationSheet{}, invalid("year", "out-of-range", "a year from 2020 on")
		}
		sheet.From = public.QuarterOf(public.MonthOf(look.Year, 1))
		sheet.To = sheet.From + 3
	}
	first, last := sheet.To, sheet.To
	var all []public.Siren
	s.each(!look.RealOnly, func(r *reported) {
		sheet.Expected++
		all = append(all, r.Siren)
		had := false
		for q := range r.quarters {
			first, last = min(first, q), max(last, q)
			if q >= sheet.From && q <= sheet.To {
				sheet.Releases, had = sheet.Releases+1, true
			}
		}
		if had {
			sheet.Territories++
			sheet.Population += r.Population
			if r.Simulated {
				sheet.Simulated++
			}
		}
	})
	sheet.Sums = s.sums(sheet.From, sheet.To, all)
	for q := max(first, last-min(last, 11)); q <= last; q++ {
		row := QuarterSums{Quarter: q}
		s.each(!look.RealOnly, func(r *reported) {
			if _, ok := r.quarters[q]; ok {
				row.Territories++
				if r.Simulated {
					row.Simulated++
				}
			}
		})
		row.Sums = s.sums(q, q, all)
		sheet.Trend = append(sheet.Trend, row)
	}
	newest, _ := last.Year()
	oldest, _ := first.Year()
	for y := newest; y >= oldest; y-- {
		sheet.Years = append(sheet.Years, y)
	}
	return sheet, nil
}

// sums of some territories over a span. The caller holds mu.
func (s *Nation) sums(from, to Quarter, of []public.Siren) Sums {
	if len(of) == 0 {
		of = []public.Siren{0} // nobody, where none would mean all
	}
	return sumsOf(s.book.Totals(national.Span{First: from, Last: to}, slices.Clone(of)...))
}

// Reporting says how a territory keeps to the calendar.
type Reporting uint8

const (
	ReportsInTime Reporting = 1
	ReportsLate   Reporting = 2 // the newest due quarter is missing
	ReportsSilent Reporting = 3 // and the one before, or nothing came for three months
	ReportsNever  Reporting = 4
)

// NationTerritory is a territory as the coordinator sees it.
type NationTerritory struct {
	NationMember
	Reporting Reporting
	First     Quarter // released; meaningful unless Reporting is ReportsNever
	Last      Quarter
	Releases  int
	Said      public.Day // of its newest entry
	Arrived   time.Time  // when that was taken in here; zero for a simulated one
	Entries   int64      // of its feed's present epoch that were taken in
}

// Territories are all of them, by name.
func (s *Nation) Territories(by Caller, realOnly bool) (out []NationTerritory, err error) {
	if err := by.may(ReadNation); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.follow()
	due := s.lastDue()
	s.each(!realOnly, func(r *reported) { out = append(out, s.described(r, due)) })
	s.mu.Unlock()
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		return cmp.Or(cmp.Compare(a.Departement, b.Departement), cmp.Compare(a.Name, b.Name)) < 0
	})
	return out, nil
}

func (s *Nation) described(r *reported, due Quarter) NationTerritory {
	t := NationTerritory{NationMember: r.NationMember, Releases: len(r.quarters), Said: r.said, Arrived: r.arrived, Entries: r.next}
	last, any := r.newest()
	t.First, t.Last = last, last
	for q := range r.quarters {
		t.First = min(t.First, q)
	}
	switch {
	case !any:
		t.Reporting = ReportsNever
	case last >= due:
		t.Reporting = ReportsInTime
	case last+1 == due:
		t.Reporting = ReportsLate
	default:
		t.Reporting = ReportsSilent
	}
	return t
}

// Due is the newest quarter whose release is expected by now, and until when it was.
func (s *Nation) Due() (q Quarter, until time.Time) {
	q = s.lastDue()
	return q, expected(q)
}
