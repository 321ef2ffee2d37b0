package node_test

import (
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// shown is a page, or with script a piece of one, as a browser of d's gets it.
func (d desk) shown(path string, script bool) string {
	d.Helper()
	headers := []string{"Cookie", "bippop=" + d.token}
	if script {
		headers = append(headers, "HX-Request", "true")
	}
	return string(d.wants(200, "GET", path, nil, headers...).body)
}

// offersAcross lets the leader hear that a neighbour shops for others, this week on.
func (c *cluster) offersAcross() {
	c.Helper()
	today := public.DayOf(c.leader().clock())
	entry, err := public.Encode(public.Entry{From: rurale, Epoch: 1, Day: today, Body: public.Offer{
		Category: public.Shopping, From: today, Weeks: 4, Slots: 2, Radius: public.Near, Languages: public.French}})
	c.must(err)
	c.leader().node.HeardNeighbour(rurale, 0, [][]byte{entry})
}

// TestNeighboursBesideAnyReplica: only the leader hears the neighbours, and what they
// offer is on a request's page whichever replica shows it, with script and without,
// and to programs; to those who may see the request, and to nobody else. A replica
// that reaches no leader shows the request all the same, and says what it cannot know.
func TestNeighboursBesideAnyReplica(t *testing.T) {
	c, _ := newSpeaking(t, 3, 1)
	c.synced()
	her := c.enrol("Castaing")
	r, err := c.leader().node.Requests.Open(t.Context(), c.admin, node.NewRequest{Beneficiary: her, Type: c.kinds["Courses"], Wish: node.Wish{Kind: node.InWeek, Day: node.DayOf(c.seats[0].clock()) + 7}})
	c.must(err)
	c.together()
	page := "/requests/" + node.RequestID(r.ID).String()
	agent := c.leader().desk()
	const offer, link = `name="offer" value="200069599.1.0"`, "Voir ce que proposent les voisins"
	c.until("the neighbour's offer is heard", func() bool {
		c.offersAcross()
		return strings.Contains(agent.at(c.leader()).shown(page, false), offer)
	})
	for _, s := range c.followers() {
		d := agent.at(s)
		if whole := d.shown(page, false); !strings.Contains(whole, `data-fetch="`+page+`/across"`) || !strings.Contains(whole, link) || !strings.Contains(whole, "Castaing") {
			t.Errorf("%s does not lead to what the neighbours offer", s.name)
		}
		piece, alone := d.shown(page+"/across", true), d.shown(page+"/across", false)
		if !strings.Contains(piece, offer) || strings.Contains(piece, "<html") || !strings.Contains(alone, offer) || !strings.Contains(alone, "<h1>") {
			t.Errorf("%s shows\n%s\nand alone\n%s", s.name, piece, alone)
		}
		if got := string(d.wants(200, "GET", "/api/v1"+page+"/across", nil).body); !strings.Contains(got, `"200069599.1.0"`) {
			t.Errorf("%s answers programs %s", s.name, got)
		}
		if nobody := (desk{seat: s}).send("GET", page+"/across", nil); nobody.status != 401 || strings.Contains(string(nobody.body), offer) {
			t.Errorf("%s shows it to nobody at all: %d", s.name, nobody.status)
		}
	}

	// One of two followers remains, and nobody leads.
	last := c.followers()[0]
	for _, s := range c.up() {
		if s != last {
			s.kill()
		}
	}
	d := agent.at(last)
	c.until("it knows of no leader", func() bool {
		whole := d.shown(page, false)
		if !strings.Contains(whole, link) || !strings.Contains(whole, "Castaing") {
			t.Fatalf("the request's page lacks something:\n%s", whole)
		}
		piece := d.shown(page+"/across", true)
		return strings.Contains(piece, "Impossible de lire les nouvelles des voisins") && !strings.Contains(piece, offer)
	})
}
