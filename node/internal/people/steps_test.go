package people_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// TestSteps: nobody is approved who was not met, and nobody comes back from the
// end without being looked at again.
func TestSteps(t *testing.T) {
	//                to: Applicant Met Approved Suspended Ended
	want := map[people.Status]string{
		people.Applicant: ".y..y",
		people.Met:       "..y.y",
		people.Approved:  "...yy",
		people.Suspended: "..y.y",
		people.Ended:     "y....",
	}
	for from := people.Applicant; from <= people.Ended; from++ {
		for to := people.Applicant; to <= people.Ended; to++ {
			v := people.Volunteer{Version: 4, Status: from, Since: 1}
			got, err := v.Step(4, to, 9)
			if ok := want[from][to-1] == 'y'; ok != (err == nil) || ok && (got.Status != to || got.Version != 5 || got.Since != 9) || !ok && (!errors.Is(err, refuse.WrongStep) || got.Status != from) {
				t.Errorf("%d to %d: %+v, %v", from, to, got, err)
			}
			if slices.Contains(from.Next(), to) != (err == nil) {
				t.Errorf("%d to %d is offered otherwise than it is taken", from, to)
			}
		}
		if _, err := (people.Volunteer{Version: 4, Status: from}).Step(3, people.Ended, 9); !errors.Is(err, refuse.StaleVersion) {
			t.Errorf("an old version: %v", err)
		}
	}
}

func TestImportStates(t *testing.T) {
	staged := people.Import{State: people.Staged, Rows: 3, Version: 1}
	for name, c := range map[string]struct {
		do   func(people.Import) (people.Import, error)
		want error
		rows uint32
		end  people.ImportState
	}{
		"take":        {func(i people.Import) (people.Import, error) { return i.Take(3, 2) }, nil, 5, people.Staged},
		"take a gap":  {func(i people.Import) (people.Import, error) { return i.Take(4, 2) }, refuse.ImportGap, 3, people.Staged},
		"take twice":  {func(i people.Import) (people.Import, error) { return i.Take(0, 3) }, refuse.ImportGap, 3, people.Staged},
		"commit":      {func(i people.Import) (people.Import, error) { return i.Commit(3, 9) }, nil, 3, people.Committed},
		"commit some": {func(i people.Import) (people.Import, error) { return i.Commit(2, 9) }, refuse.ImportGap, 3, people.Staged},
		"undo":        {func(i people.Import) (people.Import, error) { return i.Undo(9) }, nil, 3, people.Undone},
		"undo used":   {func(i people.Import) (people.Import, error) { i.Used = 1; return i.Undo(9) }, refuse.ImportUsed, 3, people.Staged},
	} {
		got, err := c.do(staged)
		if !errors.Is(err, c.want) || got.Rows != c.rows || got.State != c.end || err == nil && got.Version != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	committed, err := staged.Commit(3, 9)
	if err != nil || committed.Closed != 9 || committed.Hidden != 0 {
		t.Errorf("%+v, %v", committed, err)
	}
	if got, err := committed.Undo(11); err != nil || got.Closed != 9 || got.Hidden != 11 {
		t.Errorf("%+v, %v", got, err)
	}
	undone := people.Import{State: people.Undone}
	_, take := undone.Take(0, 1)
	_, commit := undone.Commit(0, 9)
	_, undo := undone.Undo(9)
	for _, err := range []error{take, commit, undo} {
		if !errors.Is(err, refuse.ImportClosed) {
			t.Errorf("an undone import goes on: %v", err)
		}
	}
}

// TestImportCount: parts go into the statistics in order while the rows are
// visible, and come out last first once they are hidden.
func TestImportCount(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   people.ImportState
		counted uint32
		part    uint32
		back    bool
		want    error
		after   uint32
	}{
		{"first", people.Committed, 0, 0, false, nil, 1},
		{"next", people.Committed, 2, 2, false, nil, 3},
		{"twice", people.Committed, 2, 1, false, refuse.ImportGap, 2},
		{"gap", people.Committed, 2, 3, false, refuse.ImportGap, 2},
		{"staged", people.Staged, 0, 0, false, refuse.ImportClosed, 0},
		{"undone", people.Undone, 2, 2, false, refuse.ImportClosed, 2},
		{"back", people.Undone, 2, 1, true, nil, 1},
		{"first back", people.Undone, 1, 0, true, nil, 0},
		{"back twice", people.Undone, 2, 2, true, refuse.ImportGap, 2},
		{"back in the wrong order", people.Undone, 2, 0, true, refuse.ImportGap, 2},
		{"back, nothing counted", people.Undone, 0, 0, true, refuse.ImportGap, 0},
		{"back, the part before the first", people.Undone, 0, 1<<32 - 1, true, refuse.ImportGap, 0},
		{"back while visible", people.Committed, 2, 1, true, refuse.ImportClosed, 2},
		{"back while staged", people.Staged, 0, 0, true, refuse.ImportClosed, 0},
	} {
		before := people.Import{State: c.state, Counted: c.counted, Version: 4}
		got, err := before.Count(c.part, c.back)
		version := uint32(5)
		if c.want != nil {
			version = 4
		}
		if !errors.Is(err, c.want) || got.Counted != c.after || got.State != c.state || got.Version != version {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestBeneficiaryRefuse(t *testing.T) {
	him, other := ident.Volunteer{15: 1}, ident.Volunteer{15: 2}
	b := people.Beneficiary{Version: 1, Preferred: []ident.Volunteer{him, other}}
	got := b.Refuse(him).Refuse(him)
	if !got.Refuses(him) || got.Refuses(other) || len(got.Refused) != 1 || !slices.Equal(got.Preferred, []ident.Volunteer{other}) {
		t.Errorf("%+v", got)
	}
	if len(b.Preferred) != 2 || b.Preferred[0] != him || len(b.Refused) != 0 {
		t.Errorf("the value it was called on changed: %+v", b)
	}
}

func TestBeneficiaryChange(t *testing.T) {
	b := people.Beneficiary{Version: 3, Box: []byte("old"), Boxed: 2, Enrolled: people.Enrolment{Notice: people.ReadOnPhone, NoticeAt: 5}}
	got, err := b.Change(3, people.Facts{Commune: "33001", State: people.Left, Notice: people.ReadOnPhone}, nil, 9)
	if err != nil || got.Version != 4 || string(got.Box) != "old" || got.Boxed != 2 || got.Enrolled.NoticeAt != 5 || got.State != people.Left {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = got.Change(4, people.Facts{Notice: people.GivenByHand}, []byte("new"), 9)
	if err != nil || string(got.Box) != "new" || got.Boxed != 5 || got.Enrolled.NoticeAt != 9 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := b.Change(2, people.Facts{}, nil, 9); !errors.Is(err, refuse.StaleVersion) {
		t.Errorf("got %v", err)
	}
}

func TestReadiness(t *testing.T) {
	kind := ident.ActionType{15: 1}
	r := people.Readiness{Absences: []people.Absence{{From: 10, To: 12}, {From: 20, To: 20}}}
	for day, away := range map[when.Day]bool{9: false, 10: true, 12: true, 13: false, 19: false, 20: true, 21: false} {
		if r.Away(day) != away {
			t.Errorf("day %d: away %v", day, !away)
		}
	}
	if !r.Does(kind) {
		t.Error("who chose nothing does everything")
	}
	r.Kinds = []ident.ActionType{{15: 2}}
	if r.Does(kind) {
		t.Error("who chose another kind does this one")
	}
}
