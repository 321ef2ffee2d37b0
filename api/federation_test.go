package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/bippop/bippop/node"
)

// federation is a coordinator's node with a hub inside, and two territories, of which
// the second answers for a commune of the first too. Three holders sign the roster,
// two of them are enough.
type federation struct {
	*testing.T
	nation, reole, rurale *rig
	hub                   say // as it stands in the roster
	seeds                 [3][32]byte
	chief, first, second  user // the administrators
}

func newFederation(t *testing.T) *federation {
	t.Helper()
	at := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", simulation.FreePort())
	f := &federation{T: t}
	found := func(part node.Federating, territory node.Territory) *rig {
		r := &rig{t: t, log: &safeBuffer{}}
		r.node = foundAs(t, r.log, r.clock, part, territory)
		r.open()
		return r
	}
	f.nation = found(node.Federating{Hub: node.FederationHub{Name: "hub1.example", Listen: []string{at}}}, node.Territory{Siren: "130025265", Name: "Coordination", Calls: "La nation", Phone: "05 36 49 00 01", Role: node.CoordinatorNode})
	f.reole = found(node.Federating{}, node.Territory{Siren: "200044394", Name: "CC du Réolais", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Communes: []string{"33183", "33352"}})
	f.rurale = found(node.Federating{}, node.Territory{Siren: "200069599", Name: "CC Rurales", Calls: "Coup de main", Phone: "05 36 49 00 02", Communes: []string{"33063", "33352"}})
	for i := range f.seeds {
		f.seeds[i] = [32]byte{5, byte(i)}
	}
	f.chief, f.first, f.second = f.nation.signIn("admin"), f.reole.signIn("admin"), f.rurale.signIn("admin")
	hub := f.chief.call("POST", "/federation/hub", say{"name": "hub1.example"}).want(200)
	f.hub = say{"name": "hub1.example", "operator": "ANCT", "peer": hub.text("peer"), "key": hub.text("key"), "addresses": []string{at}, "witness": true}
	return f
}

func (f *federation) holders() (keys []string) {
	for i, name := range []string{"anct", "epci", "departements"} {
		keys = append(keys, node.HolderKey(name, f.seeds[i]))
	}
	return keys
}

func (f *federation) founding() say {
	return say{"name": "Essai", "demo": true, "holders": f.holders(), "need": 2, "hubs": []say{f.hub}, "threshold": 1, "days": 400}
}

// signed is a draft with the signatures of some holders.
func (f *federation) signed(draft string, holders ...int) string {
	f.Helper()
	for _, i := range holders {
		var err error
		if draft, _, err = node.SignDraft(draft, f.seeds[i]); err != nil {
			f.Fatal(err)
		}
	}
	return draft
}

// refuses wants a refusal with a status and a code.
func (u user) refuses(status int, code, method, path string, body any) {
	u.t.Helper()
	if p := u.call(method, path, body).want(status).problem(); p.Code != code {
		u.t.Errorf("%s %s is refused as %q, not %q", method, path, p.Code, code)
	}
}

func (f *federation) publish(draft string) {
	f.Helper()
	f.chief.call("POST", "/federation/roster", say{"draft": draft}).want(204)
}

// begin founds it and takes both territories in.
func (f *federation) begin() {
	f.Helper()
	f.publish(f.signed(f.chief.call("POST", "/federation/founding", f.founding()).want(200).text("text"), 0, 1, 2))
	for _, u := range []user{f.first, f.second} {
		siren := u.get("/territory").text("siren")
		u.call("POST", "/federation/join", say{"invitation": f.chief.call("POST", "/federation/invitations", say{"siren": siren}).want(200).text("text")}).want(204)
		application := u.call("POST", "/federation/application", say{}).want(200).text("text")
		f.publish(f.signed(f.chief.call("POST", "/federation/drafts", say{"application": application, "take": true}).want(200).text("text"), 0, 2))
	}
	f.all("everybody knows the roster", func(u user) bool {
		s := u.get("/federation")
		return s.number("roster_version") == 3 && s.at("listed") == true
	})
}

// until calls the hubs, from all three, until something holds.
func (f *federation) until(what string, holds func() bool) {
	f.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		for _, u := range []user{f.first, f.second, f.chief} {
			u.call("POST", "/federation/sync", nil)
		}
		if time.Now().After(end) {
			f.Fatalf("in vain: %s\n%s\n%s\n%s", what, f.nation.log, f.reole.log, f.rurale.log)
		}
	}
}

func (f *federation) all(what string, holds func(user) bool) {
	f.Helper()
	f.until(what, func() bool {
		return !slices.ContainsFunc([]user{f.first, f.second, f.chief}, func(u user) bool { return !holds(u) })
	})
}

// TestRosterRoutes: the coordinator's node drafts, and nothing counts that the holders
// have not signed, that is not next, or that the roster does not allow.
func TestRosterRoutes(t *testing.T) {
	t.Parallel()
	f := newFederation(t)
	chief := f.chief
	chief.refuses(422, "hub-name", "POST", "/federation/hub", say{"name": "two words"})
	chief.refuses(404, "no-roster", "POST", "/federation/drafts", say{"renew": 400})
	chief.refuses(404, "no-roster", "POST", "/federation/invitations", say{"siren": "200044394"})
	chief.refuses(503, "no-roster", "GET", "/federation/roster", nil)
	chief.refuses(503, "no-roster", "GET", "/federation/roster/file", nil)

	// The founding: every holder signs it.
	for name, c := range map[string]struct {
		change say
		code   string
	}{
		"a key that is none":        {say{"holders": []string{"anct+cut"}, "need": 1}, "holder-unreadable"},
		"fewer than half sign":      {say{"need": 1}, "roster-refused"},
		"more than there are":       {say{"need": 4}, "roster-refused"},
		"one witness and no demo":   {say{"demo": false}, "roster-refused"},
		"more witnesses than hubs":  {say{"threshold": 2}, "roster-refused"},
		"a hub with another's name": {say{"hubs": []say{{"name": "hub2.example", "operator": "x", "peer": f.hub["peer"], "key": f.hub["key"], "addresses": f.hub["addresses"], "witness": true}}}, "roster-refused"},
		"no name":                   {say{"name": ""}, "roster-refused"},
	} {
		body := f.founding()
		for k, v := range c.change {
			body[k] = v
		}
		if p := chief.call("POST", "/federation/founding", body).want(422).problem(); p.Code != c.code {
			t.Errorf("%s is refused as %q", name, p.Code)
		}
	}
	f.first.refuses(403, "not-coordinator", "POST", "/federation/founding", f.founding())
	founding := chief.call("POST", "/federation/founding", f.founding()).want(200).text("text")
	chief.refuses(422, "draft-unreadable", "POST", "/federation/roster", say{"draft": "Zyxwvutine"})
	chief.refuses(409, "draft-unsigned", "POST", "/federation/roster", say{"draft": founding})
	chief.refuses(409, "draft-unsigned", "POST", "/federation/roster", say{"draft": f.signed(founding, 0, 1)})
	f.publish(f.signed(founding, 0, 1, 2))
	chief.refuses(409, "already-federated", "POST", "/federation/roster", say{"draft": f.signed(founding, 0, 1, 2)})
	roster := chief.get("/federation/roster")
	roster.is(t, "name", "Essai")
	roster.is(t, "need", 2)
	roster.is(t, "members.0.role", "coordinator")
	if !strings.Contains(chief.get("/federation/roster/file").text("text"), "BEGIN BIPPOP ROSTER") {
		t.Error("the roster as it was signed is not there")
	}

	// Who is invited joins once, by his own invitation.
	chief.refuses(422, "siren-wrong", "POST", "/federation/invitations", say{"siren": "200044390"})
	invitation := chief.call("POST", "/federation/invitations", say{"siren": "200044394"}).want(200).text("text")
	f.first.refuses(409, "not-federated", "POST", "/federation/application", say{})
	f.first.refuses(422, "invitation-unreadable", "POST", "/federation/join", say{"invitation": invitation[:len(invitation)/2]})
	f.second.refuses(422, "invitation-other", "POST", "/federation/join", say{"invitation": invitation})
	f.first.call("POST", "/federation/join", say{"invitation": invitation}).want(204)
	f.first.refuses(409, "already-federated", "POST", "/federation/join", say{"invitation": invitation})
	f.first.refuses(422, "application-refused", "POST", "/federation/application", say{"email": "nobody"})
	application := f.first.call("POST", "/federation/application", say{"email": "ccas@example.org"}).want(200).text("text")

	// Drafts.
	drafts := func(body say) reply { return chief.call("POST", "/federation/drafts", body) }
	chief.refuses(422, "nothing-to-draft", "POST", "/federation/drafts", say{})
	chief.refuses(422, "application-unreadable", "POST", "/federation/drafts", say{"application": application[:len(application)/2]})
	chief.refuses(422, "application-unreadable", "POST", "/federation/drafts", say{"application": strings.Replace(application, "A", "B", 5)})
	chief.refuses(422, "siren-wrong", "POST", "/federation/drafts", say{"remove": "200044390"})
	chief.refuses(422, "roster-refused", "POST", "/federation/drafts", say{"remove": "200044394"})
	chief.refuses(409, "coordinator-stays", "POST", "/federation/drafts", say{"remove": "130025265"})
	chief.refuses(422, "root-unreadable", "POST", "/federation/drafts", say{"epoch": "200044394", "root": "12"})
	chief.refuses(422, "roster-refused", "POST", "/federation/drafts", say{"hubs": []say{f.hub}, "threshold": 2})
	f.first.refuses(403, "not-coordinator", "POST", "/federation/drafts", say{"renew": 400})
	f.first.refuses(403, "not-coordinator", "POST", "/federation/invitations", say{"siren": "200069599"})
	f.first.refuses(403, "not-coordinator", "POST", "/federation/roster", say{"draft": founding})
	joins := drafts(say{"application": application}).want(200)
	if said, _ := joins.at("tells").([]any); len(said) == 0 || !strings.Contains(said[0].(string), "200044394") {
		t.Errorf("the draft says %v", said)
	}
	renews := drafts(say{"renew": 300}).want(200).text("text")

	// Two of three: one is too few, one who is no holder cannot, and a signature that
	// was taken from another draft is seen.
	chief.refuses(409, "draft-unsigned", "POST", "/federation/roster", say{"draft": f.signed(joins.text("text"), 1)})
	if _, _, err := node.SignDraft(joins.text("text"), [32]byte{9}); err == nil {
		t.Error("a stranger signs")
	}
	f.publish(f.signed(joins.text("text"), 0, 1))
	chief.refuses(409, "draft-stale", "POST", "/federation/roster", say{"draft": f.signed(renews, 0, 2)})
	f.publish(f.signed(joins.text("text"), 0, 1)) // again: it counts already
	chief.get("/federation/roster").is(t, "version", 2)
	f.publish(f.signed(drafts(say{"renew": 300}).want(200).text("text"), 1, 2))

	// Another's commune comes only when it is meant to.
	f.second.call("POST", "/federation/join", say{"invitation": chief.call("POST", "/federation/invitations", say{"siren": "200069599"}).want(200).text("text")}).want(204)
	application = f.second.call("POST", "/federation/application", say{}).want(200).text("text")
	chief.refuses(409, "communes-taken", "POST", "/federation/drafts", say{"application": application})
	f.publish(f.signed(drafts(say{"application": application, "take": true}).want(200).text("text"), 0, 1))
	roster = chief.get("/federation/roster")
	roster.is(t, "version", 4)
	roster.is(t, "members.1.siren", "200044394")
	roster.is(t, "members.1.communes.0", "33183")
	roster.is(t, "members.1.communes.1", nil)
	roster.is(t, "members.2.communes.1", "33352")
	roster.is(t, "members.1.neighbours.0", "200069599")

	// A member leaves, and what it says counts no more.
	f.publish(f.signed(drafts(say{"remove": "200044394", "last": 0}).want(200).text("text"), 0, 1))
	chief.get("/federation/roster").is(t, "members.1.siren", "200069599")
	f.until("who was removed knows it", func() bool { return f.first.get("/federation").at("listed") == false })
	f.first.call("POST", "/federation/leave", nil).want(204)
	f.first.refuses(409, "not-federated", "POST", "/federation/leave", nil)
}

// TestAcrossRoutes: an offer goes to a neighbour, who asks; the one whose offer it is
// decides, and nobody's name crosses.
func TestAcrossRoutes(t *testing.T) {
	t.Parallel()
	f := newFederation(t)
	first, second := f.first, f.second
	first.get("/across").is(t, "member", false)
	f.begin()
	him := first.approve("Dumas")
	for _, other := range []string{"Petit", "Martin"} { // an offer that fewer could keep would point at one
		first.approve(other)
	}
	first.account("dumas", him)
	volunteer := f.reole.signIn("dumas")
	her := second.write(201, "POST", "/beneficiaries", say{"commune": "33063", "basis": "consent", "last_name": "Zyxwvutine", "address": "Le Bourg"})
	wish := second.write(201, "POST", "/requests", say{"beneficiary": her, "type": second.kind("Visite"), "when": say{"kind": "flexible"}})

	terms := say{"category": "visit", "monday": "2026-11-30", "weeks": 4, "slots": 3, "radius": "far", "languages": []string{"french"}, "volunteers": []string{him}}
	with := func(name string, v any) say {
		out := say{}
		for k, v := range terms {
			out[k] = v
		}
		out[name] = v
		return out
	}
	for name, body := range map[string]say{
		"a Tuesday": with("monday", "2026-12-01"), "no week": with("weeks", 0), "too many weeks": with("weeks", 14), "no slot": with("slots", 0), "a free word": with("category", "Zyxwvutine"),
		"a language of its own": with("languages", []string{"klingon"}), "somebody unknown": with("volunteers", []string{someID}), "free text": with("note", "chez Mme Zyxwvutine"),
	} {
		if r := first.call("POST", "/across/offers", body); r.status/100 != 4 || strings.Contains(string(r.raw), "Zyxwvutine") {
			t.Errorf("%s is answered %d %s", name, r.status, r.raw)
		}
	}
	offer := first.write(201, "POST", "/across/offers", terms)
	path := "/across/offers/" + offer
	if r := first.call("POST", path+"/publish", nil); r.status != 409 {
		t.Errorf("it is published before he has agreed: %d", r.status)
	}
	volunteer.get("/me/across").is(t, "items.0.asked", true)
	volunteer.write(200, "POST", path+"/consent", say{"agrees": true})
	first.write(200, "POST", path+"/publish", nil)
	first.get("/across").is(t, "ours.0.state", "published")

	name := ""
	f.until("the neighbour sees the offer", func() bool {
		name = second.get("/across").text("offered.0.name")
		return name != ""
	})
	fits := second.get("/requests/" + wish + "/across")
	fits.is(t, "offers.0.name", name)
	fits.is(t, "offers.0.capacity.slots", 3)
	if strings.Contains(string(fits.raw), "Dumas") {
		t.Errorf("the volunteer's name has crossed: %s", fits.raw)
	}
	second.refuses(422, "cross-entry", "POST", "/across/interests", say{"request": wish, "offer": "there"})
	if r := second.call("POST", "/across/interests", say{"request": someID, "offer": name}); r.status != 404 {
		t.Errorf("for no request: %d", r.status)
	}
	interest := second.write(201, "POST", "/across/interests", say{"request": wish, "offer": name})
	second.refuses(409, "interest-shown", "POST", "/across/interests", say{"request": wish, "offer": name})
	ref := ""
	f.until("the interest arrives", func() bool {
		ref = first.get("/across").text("ours.0.waiting.0.interest")
		return ref != ""
	})
	if r := second.call("POST", "/across/interests/"+interest+"/acknowledge", nil); r.status != 409 {
		t.Errorf("it is acknowledged before it is accepted: %d", r.status)
	}
	if r := first.call("POST", path+"/accept", say{"interest": "200069599.1.99", "volunteer": him}); r.status/100 != 4 {
		t.Errorf("an interest that nobody has shown is accepted: %d", r.status)
	}
	first.write(200, "POST", path+"/accept", say{"interest": ref, "volunteer": him})
	if r := first.call("POST", path+"/decline", say{"interest": ref, "why": "taken"}); r.status != 409 {
		t.Errorf("what was accepted is declined: %d", r.status)
	}
	volunteer.get("/me/across").is(t, "items.0.calls.0.by.phone", "+33536490002")
	volunteer.write(200, "POST", path+"/told", say{"interest": ref})
	f.until("the neighbour hears yes", func() bool { return second.get("/across").text("asked.0.match") == "accepted" })
	second.write(200, "POST", "/across/interests/"+interest+"/acknowledge", nil)
	f.until("the acknowledgement arrives", func() bool { return first.get("/across").text("ours.0.answered.0.match") == "acknowledged" })
	second.write(200, "POST", "/across/interests/"+interest+"/close", say{"outcome": "happened"})
	first.write(200, "POST", path+"/close", say{"interest": ref, "outcome": "happened"})

	// Another time it says no; another time the neighbour finds somebody at home; then
	// the offer ends.
	again := second.write(201, "POST", "/requests", say{"beneficiary": her, "type": second.kind("Visite"), "when": say{"kind": "flexible"}})
	second.write(201, "POST", "/across/interests", say{"request": again, "offer": name})
	f.until("it arrives", func() bool {
		ref = first.get("/across").text("ours.0.waiting.0.interest")
		return ref != ""
	})
	first.write(200, "POST", path+"/decline", say{"interest": ref, "why": "not-then"})
	f.until("the neighbour hears no", func() bool { return strings.Contains(string(second.get("/across").raw), `"match":"declined"`) })
	third := second.write(201, "POST", "/requests", say{"beneficiary": her, "type": second.kind("Visite"), "when": say{"kind": "flexible"}})
	renounced := second.write(201, "POST", "/across/interests", say{"request": third, "offer": name})
	second.write(200, "POST", "/across/interests/"+renounced+"/renounce", nil)
	if r := second.call("POST", "/across/interests/"+renounced+"/renounce", nil); r.status != 409 {
		t.Errorf("it is renounced twice: %d", r.status)
	}
	first.write(200, "POST", path+"/end", nil)
	if r := first.call("POST", path+"/end", nil); r.status != 409 {
		t.Errorf("it ends twice: %d", r.status)
	}

	// What has left is there with its proof, and nobody is in it.
	first.write(201, "POST", "/accounts", say{"login": "dpo1", "password": password, "roles": []string{"dpo"}})
	auditor := f.reole.signIn("dpo1")
	f.until("all has settled", func() bool {
		s := auditor.get("/federation")
		return s.number("entries") > 3 && s.number("settled") == s.number("entries")
	})
	proof := auditor.get("/ledger/1/0")
	proof.is(t, "entry.seq", 0)
	if !strings.Contains(proof.text("checkpoint"), "bippop/egress/200044394/1") || len(proof.at("path").([]any)) == 0 {
		t.Errorf("no proof: %s", proof.raw)
	}
	auditor.call("GET", "/ledger/1/999", nil).want(404)
	auditor.call("GET", "/ledger/9/0", nil).want(404)
	for _, word := range []string{"Dumas", "Zyxwvutine", "Bourg"} {
		if strings.Contains(string(auditor.get("/ledger?limit=100").raw), word) {
			t.Errorf("%s has left", word)
		}
	}
}

// TestNationRoutes: the coordinator reads totals and speaks to all; a territory does
// neither, and reads what is said to it.
func TestNationRoutes(t *testing.T) {
	t.Parallel()
	f := newFederation(t)
	f.begin()
	_, by, err := f.nation.node.Accounts.SignIn(t.Context(), "admin", crypto.NewSecret(password), "test", false)
	if err == nil {
		_, err = f.nation.node.Accounts.Open(t.Context(), by, node.NewAccount{Login: "nadia", Password: crypto.NewSecret(password), Roles: node.RoleCoordinator, Name: crypto.NewSecret("Nadia")})
	}
	if err != nil {
		t.Fatal(err)
	}
	nadia := f.nation.signIn("nadia")
	for _, path := range []string{"/nation", "/nation?real=true", "/nation?year=2025", "/nation/coverage", "/nation/export"} {
		nadia.get(path)
		f.first.call("GET", path, nil).want(403)
	}
	nadia.get("/nation").is(t, "territories_expected", 2)
	nadia.get("/nation/coverage").is(t, "items.1.siren", "200044394")
	nadia.get("/nation/export").is(t, "schema", "bippop/nation/1")
	nadia.get("/nation/territories/200069599").is(t, "siren", "200069599")
	nadia.call("GET", "/nation/territories/200069581", nil).want(404)
	for _, path := range []string{"/nation/territories/Zyxwvutin", "/nation?year=1999", "/nation?year=x", "/nation/export?of=people"} {
		if r := nadia.call("GET", path, nil); r.status != 400 && r.status != 422 {
			t.Errorf("%s is answered %d", path, r.status)
		}
	}

	for name, body := range map[string]say{"no title": {"title": "", "text": "x"}, "no text": {"title": "x", "text": ""}, "no PDF": {"title": "x", "text": "y", "pdf": []byte("Zyxwvutine")}, "too long": {"title": strings.Repeat("x", 500), "text": "y"}} {
		if r := nadia.call("POST", "/bulletins", body); r.status != 422 {
			t.Errorf("%s is answered %d %s", name, r.status, r.raw)
		}
	}
	f.first.call("POST", "/bulletins", say{"title": "x", "text": "y"}).want(403)
	said := nadia.call("POST", "/bulletins", say{"title": "Grand froid", "text": "Appelez chacun.", "pdf": []byte("%PDF-1.7\n%%EOF\n")}).want(201)
	number := said.number("number")
	if number == 0 {
		t.Fatalf("%s", said.raw)
	}
	f.until("the territories hear it", func() bool {
		return len(f.first.get("/bulletins").items(t)) == 1 && len(f.second.get("/bulletins").items(t)) == 1
	})
	f.first.get("/bulletins").is(t, "items.0.title", "Grand froid")
	path := "/bulletins/" + string(rune('0'+number))
	f.until("its PDF is whole", func() bool { return f.first.get(path).at("pdf_whole") == true })
	f.first.get(path).is(t, "text", "Appelez chacun.")
	if pdf := f.first.get(path + "/pdf"); !strings.HasPrefix(string(pdf.raw), "%PDF-1.7") {
		t.Errorf("the PDF is %q", pdf.raw)
	}
	f.first.call("GET", "/bulletins/99", nil).want(404)
	f.first.call("GET", "/bulletins/99/pdf", nil).want(404)
	if r := f.first.call("GET", "/bulletins/0", nil); r.status != 400 && r.status != 422 {
		t.Errorf("number 0 is answered %d", r.status)
	}
}

// TestHandoverRoutes: who may not, and what is no file, no recipient and no move.
// The whole of it is told by the story handover.
func TestHandoverRoutes(t *testing.T) {
	t.Parallel()
	f := newFederation(t)
	f.first.refuses(409, "not-federated", "GET", "/federation/handovers/recipient", nil)
	f.begin()
	f.first.write(201, "POST", "/accounts", say{"login": "desk.1", "password": password, "roles": []string{"agent"}})
	agent := f.reole.signIn("desk.1")
	digest := strings.Repeat("0", 64)
	operations := []struct {
		method, path string
		body         any
	}{
		{"GET", "/federation/handovers", nil}, {"GET", "/federation/handovers/recipient", nil}, {"POST", "/federation/handovers/export", say{"roster_version": 3, "recipient": "x"}},
		{"POST", "/federation/handovers", say{"file": []byte("x")}}, {"POST", "/federation/handovers/receipt", say{"digest": digest}}, {"POST", "/federation/handovers/erase", say{"digest": digest}},
		{"POST", "/federation/join", say{"invitation": "x"}}, {"POST", "/federation/leave", nil}, {"POST", "/federation/sync", nil}, {"POST", "/federation/application", say{}}, {"POST", "/federation/hub", say{"name": "x"}},
	}
	for _, o := range operations {
		agent.call(o.method, o.path, o.body).want(403)
	}
	first := f.first
	move := first.get("/federation/handovers")
	move.is(t, "items.0.gives", true)
	move.is(t, "items.0.current", true)
	move.is(t, "items.0.communes.0", "33352")
	version := move.number("items.0.roster_version")
	recipient := f.second.get("/federation/handovers/recipient").text("text")
	for name, c := range map[string]struct {
		status   int
		code, do string
		body     say
	}{
		"a recipient that is none": {422, "recipient-unreadable", "/export", say{"roster_version": version, "recipient": "Zyxwvutine"}},
		"oneself":                  {409, "no-move", "/export", say{"roster_version": version, "recipient": first.get("/federation/handovers/recipient").text("text")}},
		"another version":          {409, "no-move", "/export", say{"roster_version": version + 1, "recipient": recipient}},
		"a file that is none":      {422, "handover-damaged", "", say{"file": []byte("Nom;Prénom")}},
		"no file":                  {422, "invalid", "", say{"file": []byte{}}},
		"a digest that is none":    {422, "digest-unreadable", "/receipt", say{"digest": "Zyxwvutine"}},
		"a receipt for nothing":    {404, "no-handover", "/receipt", say{"digest": digest}},
		"an erasure of nothing":    {404, "no-handover", "/erase", say{"digest": digest}},
		"an erasure of no digest":  {422, "digest-unreadable", "/erase", say{"digest": digest[1:]}},
	} {
		p := first.call("POST", "/federation/handovers"+c.do, c.body)
		if p.status != c.status || p.problem().Code != c.code || strings.Contains(string(p.raw), "Zyxwvutine") {
			t.Errorf("%s is answered %d %s", name, p.status, p.raw)
		}
	}

	// Nobody lives there: the file holds nobody, and goes the whole way.
	given := first.call("POST", "/federation/handovers/export", say{"roster_version": version, "recipient": recipient}).want(200)
	given.is(t, "people", 0)
	file := say{"file": given.at("file")}
	first.refuses(422, "handover-receiver", "POST", "/federation/handovers", file)
	taken := f.second.call("POST", "/federation/handovers", file).want(200)
	taken.is(t, "state", "committed")
	taken.is(t, "digest", given.text("digest"))
	f.second.refuses(409, "handover-taken", "POST", "/federation/handovers", file)
	first.refuses(409, "not-received", "POST", "/federation/handovers/erase", say{"digest": given.text("digest")})
	f.second.call("POST", "/federation/handovers/receipt", say{"digest": given.text("digest")}).want(204)
	f.second.refuses(409, "handover-said", "POST", "/federation/handovers/receipt", say{"digest": given.text("digest")})
	f.until("the giver hears of it", func() bool { return first.get("/federation/handovers").text("items.0.files.0.state") == "received" })
	first.call("POST", "/federation/handovers/erase", say{"digest": given.text("digest")}).want(200).is(t, "erased", 0)
}
