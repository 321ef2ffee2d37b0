package synth

import (
	"cmp"
	"sort"
)

// wish is a request in hand before it has a person: how far it has come and when
// it is for.
type wish struct {
	state string
	when  When
}

// open makes the requests in hand, day after day as diaries want it.
func (p *planner) open() []Request {
	n := p.w.profile.Size().OpenRequests
	p.left, p.moving = n, nil
	wishes := make([]wish, n)
	for i := range wishes {
		wishes[i] = p.wish(i)
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].rank() < wishes[j].rank() })
	list := make([]Request, 0, n)
	for _, v := range wishes {
		list = append(list, p.wanted(v))
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		x, y := wish{when: a.When}.rank(), wish{when: b.When}.rank()
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.StartMinute, b.StartMinute)) < 0
	})
	return list
}

// rank orders days, then whole weeks, then what has no day.
func (v wish) rank() int {
	switch {
	case v.when.Flexible:
		return 2000
	case v.when.Week:
		return 1000 + v.when.DaysFromToday
	}
	return v.when.DaysFromToday
}

// wish deals the four states in turn. The first ones told are for today, so that
// there is a visit to see; of those nobody was asked for, two in three leave the
// day to us.
func (p *planner) wish(i int) wish {
	switch i % 4 {
	case 0:
		v := wish{state: Open}
		switch i / 4 % 3 {
		case 0:
			v.when.DaysFromToday = p.workday(between(p.r, 1, 8))
		case 1:
			v.when = When{Week: true, DaysFromToday: p.weekAhead()}
		case 2:
			v.when = When{Flexible: true}
		}
		return v
	case 1:
		return wish{Asked, When{DaysFromToday: p.workday(between(p.r, 1, 7))}}
	case 2:
		if i > 8 && percent(p.r, 15) {
			return wish{Covered, When{DaysFromToday: p.workday(0)}}
		}
		return wish{Covered, When{DaysFromToday: p.workday(between(p.r, 1, 5))}}
	}
	if i < 8 || percent(p.r, 50) {
		return wish{Told, When{DaysFromToday: p.workday(0)}}
	}
	return wish{Told, When{DaysFromToday: p.workday(between(p.r, 1, 2))}}
}

// workday is day, or the Monday after a Sunday.
func (p *planner) workday(day int) int {
	if p.w.dayOfWeek(day) == sunday {
		return day + 1
	}
	return day
}

// weekAhead is a day of this week while some of it is left, or next Monday.
func (p *planner) weekAhead() int {
	if p.w.weekday < friday && percent(p.r, 60) {
		return 0
	}
	return 7 - p.w.weekday
}

// wanted gives a wish its person, and volunteers from the state asked on. Where
// none can be found the request stays open.
func (p *planner) wanted(v wish) Request {
	moving := p.nextMoves()
	if v.when.Flexible || v.when.Week {
		q := p.ask(p.workday(1), moving)
		q.When, q.StartMinute, q.State = v.when, 0, Open
		return q
	}
	day := v.when.DaysFromToday
	q := p.ask(day, moving)
	for try := 0; v.state != Open && !p.find(&q, day); try++ {
		if try == 30 {
			v.state = Open
			break
		}
		q = p.ask(day, moving)
	}
	q.State = v.state
	p.keep(&q, day)
	return q
}
