package synth

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// planner plays the desk, day after day. It serves one walk through the weeks and
// one goroutine.
type planner struct {
	w       *World
	r       *rand.Rand
	known   []bool  // per beneficiary: a first visit at home has been made
	lastDay []int   // per beneficiary: day of the latest dated request
	diaries []diary // per volunteer
	moving  []bool  // of the next requests, latest first: is it mobility
	left    int     // requests of the past still to come
}

// diary is what a volunteer has promised on a day and in its week. At most three
// gestures fit, as nobody offers more in a week.
type diary struct {
	day, week    int
	today, count int
	slots        [3]slot
}

type slot struct{ from, to int } // minutes since midnight

const never = math.MinInt

func newPlanner(w *World) *planner {
	p := &planner{
		w: w, r: w.stream(streamWeeks),
		known:   make([]bool, len(w.Beneficiaries)),
		lastDay: make([]int, len(w.Beneficiaries)),
		diaries: make([]diary, len(w.Volunteers)),
		left:    w.profile.Size().PastRequests,
	}
	for i, b := range w.Beneficiaries {
		p.known[i] = b.EnrolledDaysAgo > 7*w.profile.weeks()
		p.lastDay[i] = never
	}
	for i := range p.diaries {
		p.diaries[i] = diary{day: never, week: never}
	}
	return p
}

// dayWeights are shares of a week: shopping swells Wednesday and Friday, Saturday
// has its markets, Sunday is left alone.
var dayWeights = running([]int{16, 17, 24, 16, 24, 11, 0})

// past yields the requests of the past until yield says no. Each week has the
// same number, as the desk's calls do.
func (p *planner) past(yield func(Request) bool) {
	total, weeks := p.left, p.w.profile.weeks()
	for week := range weeks {
		var count [7]int // by weekday
		for range total*(week+1)/weeks - total*week/weeks {
			count[weighted(p.r, dayWeights)]++
		}
		for day := 7 * (week - weeks); day < 7*(week-weeks+1); day++ {
			for _, q := range p.dayPast(day, count[p.w.dayOfWeek(day)]) {
				if !yield(q) {
					return
				}
			}
		}
	}
}

func (p *planner) dayPast(day, n int) []Request {
	list := make([]Request, 0, n)
	for range n {
		outcome := Done
		switch o := p.r.IntN(100); {
		case o < 6:
			outcome = Cancelled
		case o < 10:
			outcome = Unfilled
		case o < 12:
			outcome = NotDone
		}
		list = append(list, p.happened(day, outcome))
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].StartMinute < list[j].StartMinute })
	return list
}

// happened makes a past request; when nobody is found for it, it is unfilled.
func (p *planner) happened(day int, outcome string) Request {
	moving := p.nextMoves()
	q := p.ask(day, moving)
	alone := outcome == Unfilled || outcome == Cancelled && percent(p.r, 40)
	for try := 0; !alone && !p.find(&q, day); try++ {
		if try == 6 {
			outcome, alone = Unfilled, true
			break
		}
		q = p.ask(day, moving)
	}
	q.Outcome = outcome
	p.keep(&q, day)
	if outcome == Done {
		p.tell(&q)
	}
	return q
}

// nextMoves deals twelve requests of mobility in each twenty, shuffled, so that
// the share holds in a small world too.
func (p *planner) nextMoves() bool {
	if len(p.moving) == 0 {
		n := min(20, max(p.left, 1))
		p.moving = quota(p.r, n, (n*6+5)/10)
	}
	last := len(p.moving) - 1
	move := p.moving[last]
	p.moving = p.moving[:last]
	p.left--
	return move
}

// ask says who needs what on a day, and at what hour. The desk leans to whatever
// suits a volunteer who knows the person.
func (p *planner) ask(day int, moving bool) Request {
	b, friend := p.who(day), nobody
	for range 4 {
		if friend = p.friend(b, day, moving); friend != nobody {
			break
		}
		b = p.who(day)
	}
	k := p.what(b, friend, day, moving)
	kind := catalogue[k]
	q := Request{BeneficiaryIndex: b, Kind: kind.key, Needs: 1, Minutes: 5 * between(p.r, kind.shortest/5, kind.longest/5)}
	if kind.home && !p.known[b] {
		q.Needs = 2
	}
	market := moving && p.marketDay(b, day) && (k == rideKind || k == shoppingKind)
	q.When = When{DaysFromToday: day, Half: Morning}
	q.StartMinute = 8*60 + 30 + 15*p.r.IntN(12)
	if later := percent(p.r, kind.afternoons); !market && p.suits(friend, day, later) {
		q.When.Half = Afternoon
		q.StartMinute = 13*60 + 30 + 15*p.r.IntN(14)
	}
	switch {
	case market && k == rideKind && percent(p.r, 50):
		q.Note = "jour de marché, retour avant midi"
	case percent(p.r, 34):
		q.Note = pick(p.r, kind.notes)
	}
	q.AskedDaysAgo = p.called(b, day)
	return q
}

var rideKind, shoppingKind, eventKind = kindIndex(Ride), kindIndex(Shopping), kindIndex(Event)

// who is somebody enrolled by then and not helped that day already, those who
// ask often more often.
func (p *planner) who(day int) int {
	free := func(b int) bool {
		return p.w.Beneficiaries[b].EnrolledDaysAgo > max(-day, 0) && p.lastDay[b] != day
	}
	for range 40 {
		if b := weighted(p.r, p.w.asks); free(b) {
			return b
		}
	}
	n := len(p.lastDay)
	from := p.r.IntN(n)
	for i := range n {
		if b := (from + i) % n; free(b) {
			return b
		}
	}
	panic("synth: everybody enrolled has a request that day")
}

const nobody = -1

// friend is a volunteer who comes back, offers help that moves or stays as wished
// and has room left on that day, or nobody. One request in six is not arranged around anyone.
func (p *planner) friend(b, day int, moving bool) int {
	usual := p.w.usual[b]
	if len(usual) == 0 || percent(p.r, 16) {
		return nobody
	}
	kinds := stayingKinds
	if moving {
		kinds = movingKinds
	}
	from := p.r.IntN(len(usual))
	for i := range usual {
		at := int(usual[(from+i)%len(usual)])
		v, d := &p.w.Volunteers[at], &p.diaries[at]
		weekday := p.w.dayOfWeek(day)
		if v.DaysInStatus > -day && p.w.offers[at]&kinds != 0 && d.day != day &&
			(d.week != p.w.weekOf(day) || d.count < v.MaxPerWeek) && (v.FreeAt(weekday, Morning) || v.FreeAt(weekday, Afternoon)) {
			return at
		}
	}
	return nobody
}

// suits says whether the afternoon it is, given what was wished and when the
// friend is free.
func (p *planner) suits(friend, day int, afternoon bool) bool {
	if friend == nobody {
		return afternoon
	}
	v, weekday := &p.w.Volunteers[friend], p.w.dayOfWeek(day)
	if afternoon {
		return v.FreeAt(weekday, Afternoon)
	}
	return !v.FreeAt(weekday, Morning)
}

// Bits of the kinds that are mobility, and of the others.
var movingKinds, stayingKinds = func() (moving, staying uint16) {
	for i, k := range catalogue {
		if k.mobile {
			moving |= 1 << i
		} else {
			staying |= 1 << i
		}
	}
	return moving, staying
}()

// what keeps to the kinds of a friend and leans to the person's habits, to shopping on Wednesday and Friday, to
// rides and shopping on market day and to events on Saturday.
func (p *planner) what(b, friend, day int, moving bool) int {
	var sums [16]int
	sum, weekday, market := 0, p.w.dayOfWeek(day), p.marketDay(b, day)
	for i := range catalogue {
		weight := catalogue[i].weight
		switch {
		case catalogue[i].mobile != moving || friend != nobody && p.w.offers[friend]>>i&1 == 0:
			weight = 0
		case i == shoppingKind && (weekday == wednesday || weekday == friday):
			weight *= 5
		case i == eventKind && weekday == saturday:
			weight *= 4
		}
		if market && (i == rideKind || i == shoppingKind) {
			weight *= 2
		}
		if int(p.w.habits[b][0]) == i || int(p.w.habits[b][1]) == i {
			weight *= 4
		}
		sum += weight
		sums[i] = sum
	}
	return weighted(p.r, sums[:len(catalogue)])
}

func (p *planner) marketDay(b, day int) bool {
	return p.w.market[p.w.Beneficiaries[b].CommuneIndex] == p.w.dayOfWeek(day)
}

// called is the day the desk noted the request: in the week before, when it was
// open, twice as likely a Monday or a Tuesday, after the person was enrolled.
func (p *planner) called(b, day int) int {
	first := max(1-day, 0) // the day before, or today for what lies ahead
	var weights [7]int
	for i := range weights {
		ago := first + i
		switch weekday := p.w.dayOfWeek(-ago); {
		case ago > p.w.Beneficiaries[b].EnrolledDaysAgo || weekday >= saturday:
		case weekday < wednesday:
			weights[i] = 3
		default:
			weights[i] = 1
		}
	}
	return first + weighted(p.r, running(weights[:]))
}

// find gives the request its volunteers: those who come back, mostly, otherwise
// anybody in reach. It says false, and changes nothing, when they are too few.
func (p *planner) find(q *Request, day int) bool {
	b := q.BeneficiaryIndex
	found := make([]int, 0, q.Needs)
	take := func(list []int32) {
		if len(list) == 0 {
			return
		}
		from := p.r.IntN(len(list))
		for i := range list {
			if len(found) == q.Needs {
				return
			}
			v := int(list[(from+i)%len(list)])
			if !slices.Contains(found, v) && p.free(v, q, day) {
				found = append(found, v)
			}
		}
	}
	if percent(p.r, 90) {
		take(p.w.usual[b])
	}
	take(p.w.reach[p.w.Beneficiaries[b].CommuneIndex])
	if len(found) < q.Needs {
		return false
	}
	q.VolunteerIndexes = found
	return true
}

// free says whether a volunteer in reach may be sent.
func (p *planner) free(v int, q *Request, day int) bool {
	who := &p.w.Volunteers[v]
	d := &p.diaries[v]
	switch {
	case p.w.offers[v]>>kindIndex(q.Kind)&1 == 0,
		who.DaysInStatus <= -day,
		!who.FreeAt(p.w.dayOfWeek(day), q.When.Half),
		d.week == p.w.weekOf(day) && d.count >= who.MaxPerWeek,
		slices.Contains(p.w.Beneficiaries[q.BeneficiaryIndex].Refused, v):
		return false
	}
	if d.day != day {
		return true
	}
	for _, s := range d.slots[:d.today] {
		if q.StartMinute < s.to && s.from < q.StartMinute+q.Minutes {
			return false
		}
	}
	return true
}

// keep writes the request into the diaries. A quarter of an hour after each
// gesture is for the road.
func (p *planner) keep(q *Request, day int) {
	p.lastDay[q.BeneficiaryIndex] = day
	if q.Needs == 2 && (q.Outcome == Done || q.State == Covered || q.State == Told) {
		p.known[q.BeneficiaryIndex] = true
	}
	week := p.w.weekOf(day)
	for _, v := range q.VolunteerIndexes {
		d := &p.diaries[v]
		if d.week != week {
			d.week, d.count = week, 0
		}
		if d.day != day {
			d.day, d.today = day, 0
		}
		d.slots[d.today] = slot{q.StartMinute, q.StartMinute + q.Minutes + 15}
		d.today++
		d.count++
	}
}

// tell adds what a volunteer reports after: the road, sometimes a word.
func (p *planner) tell(q *Request) {
	b := p.w.Beneficiaries[q.BeneficiaryIndex]
	v := p.w.Volunteers[q.VolunteerIndexes[0]]
	kind := catalogue[kindIndex(q.Kind)]
	if v.Car && kind.kmLongest > 0 && percent(p.r, 85) {
		q.Km = between(p.r, kind.kmShortest, kind.kmLongest)
		if from, to := p.w.communes[v.CommuneIndex], p.w.communes[b.CommuneIndex]; from.Located && to.Located {
			q.Km += 2 * metres(from, to) / 1000
		}
		q.Km = min(q.Km, 100) // the most a solidarity ride may cover
	}
	if percent(p.r, 16) {
		q.Word = pick(p.r, kind.words).of(b.Sex)
	}
}
