package node_test

import (
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
)

// TestThreeReplicas: whatever replica a program speaks to, it finds what was
// written through another.
func TestThreeReplicas(t *testing.T) {
	c := newCluster(t, 3)
	d := c.leader().desk()
	for i, s := range c.seats {
		name := []string{"Aubertin", "Bellanger", "Castaing"}[i]
		a := d.at(s).wants(201, "POST", "/api/v1/beneficiaries", person(name))
		path := "/api/v1/beneficiaries/" + a.text("id")
		for _, other := range c.seats {
			if got := d.at(other).wants(200, "GET", path, nil, "X-Index", a.header.Get("X-Index")); got.text("last_name") != name {
				t.Errorf("%s reads %s", other.name, got.body)
			}
		}
	}
}

// TestLevel: while one replica runs an older program, nothing is recorded that it
// would stop at, and whoever asks is told which machine to upgrade.
func TestLevel(t *testing.T) {
	c := newCluster(t, 3)
	her := c.enrol("Aubertin")
	old := c.followers()[0]
	restartAs := func(change func(*node.Config)) {
		t.Helper()
		old.stop()
		change(&old.cfg)
		old.start()
	}
	level := func() uint16 { return c.record(old.name).Level }
	restartAs(node.Older)
	c.until("the older level is recorded", func() bool { return level() == 1 })
	_, err := c.leader().node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, true)
	wants(t, err, "level")
	if err == nil || !strings.Contains(err.Error(), "upgrade "+old.name) {
		t.Errorf("nobody is told which machine to upgrade: %v", err)
	}
	c.allRead(c.enrol("Bellanger"), "Bellanger") // what all know goes on
	late := c.seat(node.Older)
	token, _, err := c.leader().node.Replicas.Invite(t.Context(), c.admin, 0)
	c.must(err)
	restartAs(node.Newer)
	c.until("the newer level is recorded", func() bool { return level() > 1 })
	c.erase(node.ErasableBeneficiary, her)
	c.certified()
	if err := late.join(token); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("a program that does not know all that is recorded joins: %v", err)
	}
}
