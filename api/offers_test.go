package api_test

import (
	"testing"
	"time"
)

// TestOfferStory: a neighbour proposes, the desk calls, somebody profits, thanks
// him, and one day the two need nobody any more.
func TestOfferStory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	desk := r.signIn("admin")
	her, third, him := desk.enrol("Laforêt"), desk.enrol("Petit"), desk.approve("Dumas")
	desk.account("dumas", him)
	volunteer := r.signIn("dumas")
	kind := desk.kind("Courses")
	open := desk.write(201, "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "week"}})

	id := volunteer.write(201, "POST", "/offers", say{
		"types": []string{kind}, "destination": "33227", "day": tomorrow, "half": "afternoon", "places": 1, "line": "10 kg, coffre de Clio",
	})
	list := desk.get("/offers")
	list.is(t, "items.0.id", id)
	list.is(t, "items.0.trip.left", 1)
	list.is(t, "items.0.trip.line", "10 kg, coffre de Clio")
	list.is(t, "items.0.volunteer.id", him)
	list.is(t, "items.0.to_call.0.request", open)
	list.is(t, "items.0.to_call.0.when.kind", "week")
	desk.write(200, "POST", "/offers/"+id+"/decline", say{"beneficiary": third})
	desk.call("POST", "/offers/"+id+"/decline", say{"beneficiary": third}).want(409)
	if got := desk.write(200, "POST", "/offers/"+id+"/take", say{"beneficiary": her}); got != open {
		t.Errorf("he got request %s, not hers", got)
	}
	desk.get("/requests/"+open).is(t, "state", "told")
	desk.get("/offers?state=full").is(t, "items.0.profits.0.id", open)
	if left := desk.get("/offers").items(t); len(left) != 0 {
		t.Errorf("a full offer is open: %v", left)
	}
	if p := desk.call("POST", "/offers/"+id+"/take", say{"beneficiary": third}).want(409).problem(); p.Code != "offer-full" {
		t.Errorf("the third one: %s", p.Code)
	}
	mine := volunteer.get("/me/offers")
	mine.is(t, "items.0.promised.0.last_name", "Laforêt")
	mine.is(t, "items.0.state", "full")
	volunteer.call("GET", "/offers/"+id, nil).want(403)
	desk.get("/volunteers/"+him+"/offers").is(t, "items.0.id", id)

	second := volunteer.write(201, "POST", "/offers", say{"types": []string{kind}, "day": tomorrow, "hour": "18:30", "places": 3})
	desk.get("/offers/"+second).is(t, "trip.hour", "18:30")
	volunteer.write(200, "POST", "/offers/"+second+"/withdraw", nil)
	desk.get("/offers/"+second).is(t, "state", "withdrawn")

	r.wait(36 * time.Hour)
	desk = r.signIn("admin")
	volunteer.write(200, "POST", "/requests/"+open+"/finish", say{"done": true})
	desk.get("/requests-to-thank").is(t, "items.0.id", open)
	desk.write(200, "POST", "/requests/"+open+"/thank", say{"line": "les pêches étaient parfaites"})
	desk.call("POST", "/requests/"+open+"/thank", nil).want(409)
	thanks := volunteer.get("/me/requests")
	thanks.is(t, "thanks.0.last_name", "Laforêt")
	thanks.is(t, "thanks.0.line", "les pêches étaient parfaites")
	volunteer.write(200, "POST", "/requests/"+open+"/thanks-seen", nil)
	desk.get("/requests/"+open).is(t, "outcome.thanks.seen.0", him)
	desk.get("/requests/"+open+"/history").is(t, "items.2.what", "finished")

	bond := desk.write(201, "POST", "/bonds", say{"beneficiary": her, "volunteer": him})
	desk.call("POST", "/bonds", say{"beneficiary": her, "volunteer": him}).want(409)
	desk.get("/bonds").is(t, "items.0.id", bond)
	if due := desk.get("/bonds?due=true").items(t); len(due) != 0 {
		t.Errorf("asked after on the day it was noted: %v", due)
	}
	desk.write(200, "POST", "/bonds/"+bond+"/check", say{"goes_on": true})
	desk.get("/bonds/"+bond).is(t, "checks", 1)
	desk.call("POST", "/bonds/"+bond+"/check", say{"goes_on": false}).want(422)
	desk.call("POST", "/bonds/"+bond+"/check", say{"goes_on": true}, "If-Match", `"1"`).want(412)
	desk.write(200, "POST", "/bonds/"+bond+"/check", say{"goes_on": false, "why": "by-him"})
	desk.get("/beneficiaries/"+her+"/bonds").is(t, "items.0.why", "by-him")
	desk.get("/volunteers/"+him+"/bonds").is(t, "items.0.state", "ended")

	figures := desk.get("/figures?from=2026-11&to=2026-12")
	for indicator, want := range map[string]int{"offered": 2, "bonds": 1, "requested": 1, "found": 1, "told": 1, "done": 1} {
		figures.is(t, "total."+indicator, want)
	}
}
