package alarm

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

const (
	remindEvery = 24 * time.Hour
	settled     = 5 * time.Minute // without being seen, before something counts as ended
)

// Phase says what a letter tells about its condition. The words are the webhook's.
type Phase string

const (
	Begins Phase = "begins"
	Stands Phase = "stands"
	Ended  Phase = "ended"
	Test   Phase = "test"
)

// Letter is one thing to tell the operator.
type Letter struct {
	Phase   Phase
	Kind    Kind
	Subject string
	Since   time.Time
	At      time.Time
	Value   int64
}

// Memory is what is known of the conditions that were seen. It is kept on disk, so
// that a restart repeats nothing. The zero value knows nothing.
type Memory struct {
	Marks   []Mark      `json:"marks"`
	Leader  string      `json:"leader"`  // seen last
	Changes []time.Time `json:"changes"` // of leader, within flapsWithin
}

// Mark remembers one condition.
type Mark struct {
	Kind    Kind      `json:"kind"`
	Subject string    `json:"subject"`
	First   time.Time `json:"first"` // seen
	Last    time.Time `json:"last"`  // seen
	Said    time.Time `json:"said"`  // by this replica or the one that led; zero: not yet
	Value   int64     `json:"value"`
}

// Decide says what is to be written now. It changes nothing of what it was given.
func Decide(s Sight, m Memory, now time.Time) ([]Letter, Memory) {
	m.Marks, m.Changes = slices.Clone(m.Marks), slices.Clone(m.Changes)
	m.follow(&s, now)
	var letters []Letter
	for _, c := range s.Conditions {
		k := m.mark(c, now)
		k.Last, k.Value = now, c.Value
		waited := now.Sub(k.First) >= c.Patience
		due := k.Said.IsZero() && waited || !k.Said.IsZero() && now.Sub(k.Said) >= remindEvery
		if !due || !s.said(c.Kind) {
			continue
		}
		phase := Begins
		if !k.Said.IsZero() {
			phase = Stands
		}
		k.Said = now
		if s.speaks(c.Kind) {
			letters = append(letters, Letter{phase, c.Kind, c.Subject, k.First, now, c.Value})
		}
	}
	m.Marks = slices.DeleteFunc(m.Marks, func(k Mark) bool {
		if k.Last.Equal(now) || !slices.Contains(s.Judged, k.Kind) {
			return false
		}
		if k.Said.IsZero() {
			return true
		}
		if now.Sub(k.Last) < settled || !s.said(k.Kind) {
			return false
		}
		if s.speaks(k.Kind) {
			letters = append(letters, Letter{Ended, k.Kind, k.Subject, k.First, now, k.Value})
		}
		return true
	})
	return letters, m
}

// speaks reports whether this replica writes about k.
func (s Sight) speaks(k Kind) bool { return !k.territorial() || s.Leads }

// said reports whether somebody writes about k.
func (s Sight) said(k Kind) bool { return s.speaks(k) || s.Led }

// mark finds or makes the mark of c.
func (m *Memory) mark(c Condition, now time.Time) *Mark {
	for i := range m.Marks {
		if k := &m.Marks[i]; k.Kind == c.Kind && k.Subject == c.Subject {
			return k
		}
	}
	since := now
	if !c.Since.IsZero() {
		since = c.Since
	}
	m.Marks = append(m.Marks, Mark{Kind: c.Kind, Subject: c.Subject, First: since})
	sort.SliceStable(m.Marks, func(i, j int) bool {
		a, b := &m.Marks[i], &m.Marks[j]
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject)) < 0
	})
	return m.mark(c, now)
}

// follow counts changes of leader. Too many are a condition like any other.
func (m *Memory) follow(s *Sight, now time.Time) {
	if s.Leader != "" {
		if m.Leader != "" && m.Leader != s.Leader {
			m.Changes = append(m.Changes, now)
		}
		m.Leader = s.Leader
	}
	m.Changes = slices.DeleteFunc(m.Changes, func(at time.Time) bool { return now.Sub(at) > flapsWithin })
	if len(m.Changes) >= flapsAre && slices.Contains(s.Judged, LeaderFlaps) {
		s.see(Condition{Kind: LeaderFlaps, Value: int64(len(m.Changes))})
	}
}
