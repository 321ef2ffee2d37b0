package node_test

import (
	"testing"

	"github.com/bippop/bippop/node"
)

// TestLikes: whom she prefers is asked first, whom she declines is never asked,
// and a visit that he had promised is hers to hear of.
func TestLikes(tt *testing.T) {
	t := newTown(tt)
	her, paul, jeanne := t.enrol("Laforêt"), t.approve("Paul"), t.approve("Jeanne")
	says := func(him node.VolunteerID, how node.Liking) {
		t.Helper()
		b, err := t.Beneficiaries.Get(t.admin, her)
		t.must(err)
		_, err = t.Beneficiaries.Likes(t.Context(), t.admin, her, b.Version, him, how)
		t.must(err)
		if b, err = t.Beneficiaries.Get(t.admin, her); err != nil || b.Words.Last.Reveal() != "Laforêt" {
			t.Fatalf("her words read %q, %v", b.Words.Last.Reveal(), err)
		}
	}
	first := func() node.Candidate {
		t.Helper()
		list, err := t.Requests.CandidatesFor(t.admin, her, t.kinds["Courses"], t.tomorrow(), 10)
		t.must(err)
		return list[0]
	}
	for _, him := range []node.VolunteerID{paul, jeanne} {
		says(him, node.Prefers)
		if c := first(); c.Volunteer.ID != him || !c.Preferred {
			t.Errorf("not asked first")
		}
		says(him, node.NoMatter)
	}
	id := t.ask(her, "Courses", t.tomorrow(), paul)
	_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: id, Version: t.version(id)}})
	t.must(err)
	says(paul, node.Declines)
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	if len(v.Coming()) != 0 || !v.NeedsCall() {
		t.Error("whom she declines still comes, or she is not to hear of it")
	}
	_, err = t.Requests.Ask(t.Context(), t.admin, id, []node.VolunteerID{paul})
	wants(tt, err, "volunteer-refused")
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	_, err = t.Beneficiaries.Likes(t.Context(), t.admin, her, b.Version-1, jeanne, node.Prefers)
	wants(tt, err, "stale-version")
}

func (t *town) version(id node.RequestID) uint32 {
	t.Helper()
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	return v.Version
}
