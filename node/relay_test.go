package node_test

import (
	"strings"
	"testing"
)

// TestNoMajority: a replica that is left alone reads, and says of a write that
// nothing was recorded, which then holds.
func TestNoMajority(t *testing.T) {
	c := newCluster(t, 3)
	her := c.enrol("Aubertin")
	d, leader, followers := c.leader().desk(), c.leader(), c.followers()
	c.together()
	left := followers[0]
	leader.kill()
	followers[1].kill()
	a := d.at(left).wants(503, "POST", "/api/v1/beneficiaries", person("Bellanger"), "Idempotency-Key", "k")
	if got := a.text("code"); got != "no-leader" {
		t.Errorf("a write without a majority is answered %s", a.body)
	}
	d.at(left).wants(200, "GET", "/api/v1/beneficiaries/"+her.String(), nil)
	d.at(left).wants(503, "GET", "/api/v1/beneficiaries/"+her.String()+"?fresh=1", nil)
	leader.start()
	followers[1].start()
	c.together()
	if a := d.at(left).wants(200, "GET", "/api/v1/beneficiaries?fresh=1", nil); strings.Contains(string(a.body), "Bellanger") {
		t.Errorf("what was answered as not recorded is there: %s", a.body)
	}
}
