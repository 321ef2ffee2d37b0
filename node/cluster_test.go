package node_test

import "testing"

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
