package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// helping are the volunteer's own pages, phone in hand.
type helping struct{ *Site }

// page is the volunteer’s own: what I am asked, what I have promised, what is
// near me, what I have done.
func (s helping) page(c *gin.Context) {
	by := caller(c)
	m, err := s.node.Requests.Mine(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	d := mineData{Me: me, Key: newKey(), Past: m.Past, Thanks: m.Thanks}
	if d.Crossings, err = s.node.Across.Mine(by); err != nil {
		s.fail(c, err)
		return
	}
	d.Way, d.Call = s.way(w, me)
	for _, p := range m.Asked {
		d.Asked = append(d.Asked, s.ask(w, me, m, p))
	}
	for _, p := range m.Near {
		d.near(w, s.ask(w, me, m, p))
	}
	for _, p := range m.Promised {
		mine := promise{Promise: p, Name: herName(node.BeneficiaryWords{Civility: p.Civility, First: p.First, Last: p.Last}), Soon: p.Start.Sub(s.node.Now()) < soon}
		if p.Over {
			d.Over = append(d.Over, mine)
		} else {
			d.Ahead = append(d.Ahead, mine)
		}
	}
	s.render(c, http.StatusOK, "mine", page{Title: w.t("helping.asked"), Here: "me", Phone: true, Data: d})
}

// mineData is the volunteer's page.
type mineData struct {
	Me     node.Volunteer
	Key    string
	Way    []waypoint // of one who does not help yet, or not now
	Call   bool       // he had better call
	Asked  []ask
	Over   []promise // their time is past
	Ahead  []promise
	Groups []group // near him, by day
	Past   node.Past
	// Crossings are offers to neighbours in which he stands.
	Crossings []node.MyCrossing
	Thanks    []node.Thanks // that he has not read yet
}

// soon is when a visit is so near that a call is surer than a list.
const soon = 24 * time.Hour

// promise is a visit that he has accepted.
type promise struct {
	node.Promise
	Name string
	Soon bool
}

// group is what is wished on one day near him.
type group struct {
	When  string
	Items []ask
}

// near adds what is wished on a day to that day. They come in order of time.
func (d *mineData) near(w *tongue, a ask) {
	when := a.When
	switch {
	case a.Taken > 0:
		when, a.Half = upper(w.dayText(node.DayOf(a.Start))), w.t("helping.at", "Hour", w.clockText(a.Start))
	case a.Wish.Kind == node.Flexible:
		when = upper(w.t("say.whenever"))
	case a.Wish.Kind == node.OnDay:
		when = upper(w.dayText(a.Wish.Day))
		switch {
		case a.Wish.Minute > 0:
			a.Half = w.t("helping.at", "Hour", w.hourText(int(a.Wish.Minute)))
		case a.Wish.Half == node.Morning:
			a.Half = w.t("helping.in_morning")
		case a.Wish.Half == node.Afternoon:
			a.Half = w.t("helping.in_afternoon")
		}
	}
	if n := len(d.Groups); n == 0 || d.Groups[n-1].When != when {
		d.Groups = append(d.Groups, group{When: when})
	}
	last := &d.Groups[len(d.Groups)-1]
	last.Items = append(last.Items, a)
}

// waypoint is one step of an applicant's way.
type waypoint struct {
	Text string
	Now  bool
}

// patience is how long the town hall has for a call before he may wonder.
const patience = 14

// way says to one who does not help yet where he stands and what comes next; and
// whether he had better call. An approved volunteer has his visits instead.
func (s helping) way(w *tongue, me node.Volunteer) (way []waypoint, call bool) {
	since := node.DayOf(me.Since.Time().In(s.node.Now().Location()))
	today := w.today()
	next := func(on, late, soon string) string {
		switch {
		case me.Next >= today:
			return w.t(on, "Day", w.dateText(me.Next))
		case today-since > patience || me.Next > 0:
			call = true
			return w.t(late)
		}
		return w.t(soon)
	}
	switch me.Status {
	case node.Applicant:
		return []waypoint{{w.t("helping.way_offered", "Day", w.dateText(since)), false}, {next("helping.way_meet_on", "helping.way_meet_late", "helping.way_meet_soon"), true}, {w.t("helping.way_then_meet"), false}}, call
	case node.Met:
		return []waypoint{{w.t("helping.way_met", "Day", w.dateText(since)), false}, {next("helping.way_start_on", "helping.way_start_late", "helping.way_start_soon"), true}}, call
	case node.Suspended:
		return []waypoint{{w.t("helping.way_suspended", "Day", w.dateText(since)), true}}, true
	case node.Ended:
		return []waypoint{{w.t("helping.ended"), true}}, false
	}
	return nil, false
}

// ask is a proposal with what he may answer.
type ask struct {
	node.Proposal
	When     string // the largest words of the card
	Half     string // beside the kind, in a list by day
	Hour     string // the usual one, where she leaves it open
	Promised string // what he has promised already that day, or at that hour
	One      bool   // one press says yes
	OnDay    bool   // the day is hers, the hour his
	Days     []daytime
}

// daytime is a day with the hours at which he could come, and what he has
// promised on it already.
type daytime struct {
	Name     string
	Promised string
	Moments  []moment
}

// moment is one hour; Value is read by slotOf.
type moment struct{ Value, Hour string }

// hoursOf a half-day at which people are glad to see somebody, in minutes.
var hoursOf = map[node.Half][]int{
	node.Morning:   {9 * 60, 9*60 + 30, 10 * 60, 10*60 + 30, 11 * 60},
	node.Afternoon: {14 * 60, 14*60 + 30, 15 * 60, 15*60 + 30, 16 * 60, 17 * 60},
	node.AnyHalf:   {9 * 60, 10 * 60, 11 * 60, 14 * 60, 15 * 60, 16 * 60},
}

// firstOf a half-day, where one hour is enough to choose by: the first that he can
// keep.
var firstOf = map[node.Half][]int{
	node.Morning:   {10 * 60, 9 * 60, 11 * 60},
	node.Afternoon: {14*60 + 30, 16 * 60, 17 * 60},
}

// openDays is on how many days a visit that may be any time is offered.
const openDays = 6

// ask says when, and what he could answer. What he has promised for the same day
// is named, and an hour that he cannot keep is not offered.
func (s helping) ask(w *tongue, me node.Volunteer, m node.Mine, p node.Proposal) ask {
	a := ask{Proposal: p, When: upper(w.wishText(p.Wish)), OnDay: p.Wish.Kind == node.OnDay}
	if p.Taken > 0 {
		a.When = upper(w.startText(p.Start))
	}
	if p.Usual.IsZero() {
		a.Days = s.open(w, me, m, p)
		return a
	}
	other, clash := m.Clash(p.ID, p.Usual, p.Minutes)
	fixed := p.Taken > 0 || p.Wish.Minute > 0
	if !fixed {
		day := daytime{Name: upper(w.dayText(p.Wish.Day)), Moments: s.moments(w, m, p, p.Wish.Day, hoursOf[p.Wish.Half])}
		if len(day.Moments) > 0 {
			a.Days = []daytime{day}
		}
	}
	a.One = !clash && (fixed || len(a.Days) == 0 || p.Usual.After(s.node.Now()))
	a.Promised = s.onDay(w, m, node.DayOf(p.Usual))
	if clash && len(a.Days) == 0 {
		a.Promised = w.t("helping.clash", "What", promised(w, other))
	}
	if a.One && !fixed {
		a.Hour = w.t("helping.around", "Hour", w.clockText(p.Usual))
	}
	return a
}

// open lists the days of a wish that leaves the day open: those on which he is
// there and, when he has said on which half-days he is free, these.
func (s helping) open(w *tongue, me node.Volunteer, m node.Mine, p node.Proposal) (out []daytime) {
	today := w.today()
	first, last := today, today+13
	if p.Wish.Kind == node.InWeek {
		first, last = max(today, p.Wish.Day), p.Wish.Day+6
	}
	find := func(asHeSaid bool) (out []daytime) {
		for d := first; d <= last && len(out) < openDays; d++ {
			if me.Offer.Away(d) || d.Date().Weekday() == time.Sunday {
				continue
			}
			var moments []moment
			for _, half := range []node.Half{node.Morning, node.Afternoon} {
				if !asHeSaid || me.Offer.Week == 0 || me.Offer.Week.Has(d.Date().Weekday(), half) {
					best := s.moments(w, m, p, d, firstOf[half])
					moments = append(moments, best[:min(1, len(best))]...)
				}
			}
			if len(moments) > 0 {
				out = append(out, daytime{upper(w.dayText(d)), s.onDay(w, m, d), moments})
			}
		}
		return out
	}
	if out = find(true); len(out) == 0 {
		out = find(false)
	}
	return out
}

// moments are the hours of a day that lie ahead and that he can keep.
func (s helping) moments(w *tongue, m node.Mine, p node.Proposal, d node.Day, hours []int) (out []moment) {
	now := s.node.Now()
	for _, minute := range hours {
		start := d.At(minute, now.Location()).Time().In(now.Location())
		if _, clash := m.Clash(p.ID, start, p.Minutes); !clash && start.After(now) {
			out = append(out, moment{d.String() + "." + strconv.Itoa(minute), w.hourText(minute)})
		}
	}
	return out
}

// onDay says what he has promised for a day, or nothing.
func (s helping) onDay(w *tongue, m node.Mine, d node.Day) string {
	var all []string
	for _, p := range m.On(d) {
		all = append(all, promised(w, p))
	}
	if len(all) == 0 {
		return ""
	}
	return w.t("helping.that_day", "What", strings.Join(all, " ; "))
}

// promised names a promise: "Courses, 9 h 30".
func promised(w *tongue, p node.Promise) string {
	return w.kindName(p.Kind) + ", " + w.clockText(p.Start)
}

// acceptPage is one request alone: where an answer has gone wrong he tries again.
func (s helping) acceptPage(c *gin.Context) { s.showAccept(c, http.StatusOK, nil) }

func (s helping) showAccept(c *gin.Context, code int, problem error) {
	by := caller(c)
	m, err := s.node.Requests.Mine(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	for _, p := range slices.Concat(m.Asked, m.Near) {
		if p.ID.String() == c.Param("id") {
			s.render(c, code, "accept", page{Title: w.t("helping.when"), Here: "me", Phone: true, Problem: s.sayTo(c, problem), Data: s.ask(w, me, m, p)})
			return
		}
	}
	if problem == nil {
		problem = &node.Error{Kind: node.NotFound, Code: "no-request"}
	}
	s.fail(c, problem)
}

// do does what a volunteer presses.
func (s helping) do(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	by, ctx, r := writer(c), c.Request.Context(), s.node.Requests
	ok := "recorded"
	switch c.Param("act") {
	case "accept":
		ok = "thanks"
		var slot node.Slot
		if slot, err = slotOf(c); err == nil {
			_, err = r.Accept(ctx, by, id, by.Volunteer, slot)
		}
		if err != nil {
			s.showAccept(c, status(err), err)
			return
		}
	case "refuse":
		ok = "refused"
		_, err = r.Refuse(ctx, by, id, by.Volunteer)
	case "withdraw":
		ok = "withdrawn"
		_, err = r.Withdraw(ctx, by, id, by.Volunteer)
	case "told":
		ok = "told"
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		_, err = s.node.Calls.ToldByVolunteer(ctx, by, id, uint32(version))
	case "done", "not-done":
		ok = "done"
		var e node.Ending
		if e, err = endingOf(c); err == nil {
			_, err = r.Finish(ctx, by, id, c.Param("act") == "done", e)
		}
	default:
		err = &node.Error{Kind: node.NotFound, Code: "no-page"}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	recorded(c, "/me?ok="+ok)
}

func (s helping) availability(c *gin.Context) { s.showAvailability(c, http.StatusOK, nil) }

func (s helping) showAvailability(c *gin.Context, code int, problem error) {
	by := caller(c)
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	today := node.DayOf(s.node.Now())
	var ahead []node.Absence
	for _, a := range me.Offer.Absences {
		if a.To >= today {
			ahead = append(ahead, a)
		}
	}
	w := s.words(c)
	s.render(c, code, "availability", page{Title: w.t("helping.when_free"), Here: "availability", Phone: true, Problem: w.say(problem), Data: struct {
		Me    node.Volunteer
		Week  []weekday
		Ahead []node.Absence
		Today node.Day
		Often []uint8
		Far   []uint8
	}{me, w.weekTable(me.Offer.Week), ahead, today, with([]uint8{1, 2, 3, 5}, me.Offer.PerWeek, 0), with([]uint8{0, 5, 10, 20}, me.Offer.RadiusKm)}})
}

func (s helping) setAvailability(c *gin.Context) {
	by := writer(c)
	err := s.saveAvailability(c, by)
	if err != nil {
		s.showAvailability(c, status(err), err)
		return
	}
	recorded(c, "/me/availability?ok=changed")
}

func (s helping) saveAvailability(c *gin.Context, by node.Caller) error {
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	perWeek, err := small(c, "per_week")
	if err != nil {
		return err
	}
	radius, err := small(c, "radius_km")
	if err != nil {
		return err
	}
	absences, err := s.absences(c, me.Offer.Absences)
	if err != nil {
		return err
	}
	_, err = s.node.Volunteers.SetReadiness(c.Request.Context(), by, by.Volunteer, uint32(version), weekOf(c), perWeek, radius, absences)
	return err
}

// absences are those that he has without the ones that were taken back or are
// over, and the one that the form adds.
func (s helping) absences(c *gin.Context, have []node.Absence) (out []node.Absence, err error) {
	back, today := c.PostFormArray("back"), node.DayOf(s.node.Now())
	for _, a := range have {
		if a.To >= today && !slices.Contains(back, a.From.String()) {
			out = append(out, a)
		}
	}
	from, to := c.PostForm("from"), c.PostForm("to")
	if from == "" && to == "" {
		return out, nil
	}
	first, ok1 := node.ParseDay(from)
	last, ok2 := node.ParseDay(to)
	if ok1 && to == "" {
		last, ok2 = first, true
	}
	if !ok1 || !ok2 {
		return nil, &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: "absences"}
	}
	return append(out, node.Absence{From: first, To: last}), nil
}

// with adds what somebody has chosen to the usual choices, in order; then those
// that come last.
func with(usual []uint8, chosen uint8, last ...uint8) []uint8 {
	if !slices.Contains(append(usual, last...), chosen) {
		usual = append(usual, chosen)
		slices.Sort(usual)
	}
	return append(usual, last...)
}

// small reads a small number of a form; empty is 0.
func small(c *gin.Context, field string) (uint8, error) {
	if c.PostForm(field) == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(c.PostForm(field), 10, 8)
	if err != nil {
		return 0, &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: field}
	}
	return uint8(n), nil
}
