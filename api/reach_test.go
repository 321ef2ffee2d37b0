package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/google/uuid"
)

// Two communes of one territory, each with its own people.
const (
	home   = "33352"
	yonder = "33183"
)

// village is what there is in one commune, by the beginning of the address that shows it.
type village struct {
	marks []string          // words that are of nobody else
	ids   map[string]string // by the first part of an address
}

// reaching is a node with people in two communes and somebody in every role.
type reaching struct {
	*rig
	admin   node.Caller
	doors   []web.Door
	pages   http.Handler
	tokens  map[string]string
	callers map[string]node.Caller
	here    village
	there   village
}

func newReaching(t *testing.T) *reaching {
	r := &reaching{rig: newRig(t), tokens: map[string]string{}, callers: map[string]node.Caller{}}
	var err error
	if _, r.admin, err = r.node.Accounts.SignIn(t.Context(), "admin", crypto.NewSecret(password), "fixture", false); err != nil {
		t.Fatal(err)
	}
	cfg := api.Config{Node: r.node, Logger: node.NewLogger(r.log, slog.LevelError)}
	r.pages = api.New(cfg)
	var routed []string
	r.doors, routed = api.Doors(cfg)
	r.everyDoor(routed)
	r.here, r.there = r.village(home, "Xanthe"), r.village(yonder, "Zephyr")
	for _, h := range hats {
		r.person(h)
	}
	return r
}

// open are the addresses that are no doors: they show no record.
var open = []string{"GET /api/v1/openapi.json", "GET /assets/:hash/:name", "GET /theme/:colour", "GET /logo/:version", "GET /sw.js"}

// everyDoor: an address that nobody has said for whom it is does not exist.
func (r *reaching) everyDoor(routed []string) {
	said := map[string]bool{}
	for _, d := range r.doors {
		said[d.Method+" "+regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(d.Path, ":$1")] = true
	}
	for _, name := range routed {
		if !said[name] && !slices.Contains(open, name) {
			r.t.Errorf("%s says for nobody whom it is for", name)
		}
	}
	if len(said) < 200 {
		r.t.Fatalf("only %d doors", len(said))
	}
}

func (r *reaching) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// village puts people into a commune, and one of everything between them.
func (r *reaching) village(commune, mark string) (v village) {
	ctx, by, n := r.t.Context(), r.admin, r.node
	v.marks = []string{mark + "elle", mark + "ami", mark + "note", mark + "phrase"}
	say := crypto.NewSecret
	her, err := n.Beneficiaries.Enrol(ctx, by, node.BeneficiaryFacts{Commune: commune, Basis: node.Consent, Notice: node.ReadOnPhone}, node.BeneficiaryWords{
		Last: say(v.marks[0]), First: say("Rose"), Phones: []node.Phone{{Number: say("05 56 00 00 1" + commune[4:])}}, Note: say(v.marks[2]),
	})
	r.must(err)
	him, err := n.Volunteers.Register(ctx, by, node.Readiness{Commune: commune, RadiusKm: 40, Car: true, Seats: 3}, node.VolunteerWords{Last: say(v.marks[1]), First: say("Paul"), Phones: []node.Phone{{Number: say("06 39 98 11 2" + commune[4:])}}})
	r.must(err)
	version := him.Version
	for _, to := range []node.Status{node.Met, node.Approved} {
		step, err := n.Volunteers.Step(ctx, by, him.ID, version, to, 0)
		r.must(err)
		version = step.Version
	}
	kinds, err := n.Catalogue.All()
	r.must(err)
	kind := kinds[slices.IndexFunc(kinds, func(k node.ActionType) bool { return k.Pairing == node.Alone })].ID
	day, _ := node.ParseDay(tomorrow)
	q, err := n.Requests.Open(ctx, by, node.NewRequest{Beneficiary: her.ID, Type: kind, Wish: node.Wish{Kind: node.OnDay, Day: day, Half: node.Morning}, Note: say(v.marks[3]), Ask: []node.VolunteerID{him.ID}})
	r.must(err)
	_, err = n.Requests.Accept(ctx, by, q.ID, him.ID, node.Slot{})
	r.must(err)
	looks, err := n.Requests.Open(ctx, by, node.NewRequest{Beneficiary: her.ID, Type: kind, Wish: node.Wish{Kind: node.Flexible}})
	r.must(err)
	again, err := n.Series.Open(ctx, by, node.NewSeries{Beneficiary: her.ID, Type: kind, Rule: node.SeriesRule{Rhythm: 1, Weekday: 2, Half: node.Morning}, Agreed: true})
	r.must(err)
	offer, err := n.Offers.Make(ctx, by, node.NewOffer{Volunteer: him.ID, Types: []node.TypeID{kind}, Day: day + 3, Half: node.Morning, Places: 2, Line: say(v.marks[3])})
	r.must(err)
	tie, err := n.Bonds.Make(ctx, by, her.ID, him.ID)
	r.must(err)
	v.ids = map[string]string{
		"people": idText(her.ID), "beneficiaries": idText(her.ID), "desk": idText(her.ID), "calls": idText(her.ID),
		"volunteers": idText(him.ID), "requests": idText(looks.ID), "series": idText(again.ID), "offers": idText(offer.ID), "bonds": idText(tie.ID),
	}
	return v
}

func idText(id [16]byte) string { return uuid.UUID(id).String() }

// wearer is somebody with one role.
type wearer struct {
	login   string
	role    node.Roles
	grants  []node.Grant
	limited bool // knows nothing of yonder
}

var hats = []wearer{
	{"whole.agent", node.RoleAgent, nil, false},
	{"local.agent", node.RoleAgent, []node.Grant{{Role: node.RoleAgent, Communes: []string{home}}}, true},
	{"local.desk", node.RoleReception, []node.Grant{{Role: node.RoleReception, Communes: []string{home}}}, true},
	{"elue", node.RoleOfficial, nil, true},
	{"dpo", node.RoleDPO, nil, false},
	{"club", node.RoleAssociation, []node.Grant{{Role: node.RoleAssociation, Association: "W332000001"}}, true},
	{"nurse", node.RoleProfessional, nil, true},
	{"machines", node.RoleOperator, nil, true},
	{"voisin", node.RoleVolunteer, nil, true},
	{"admin", node.RoleAdmin, nil, false},
}

func (r *reaching) person(h wearer) {
	r.t.Helper()
	if h.login != "admin" {
		in := node.NewAccount{Login: h.login, Password: crypto.NewSecret(password), Roles: h.role, Grants: h.grants}
		if h.role == node.RoleVolunteer {
			id, err := node.ParseID[node.VolunteerID](r.here.ids["volunteers"])
			r.must(err)
			in.Of = id
		}
		_, err := r.node.Accounts.Open(r.t.Context(), r.admin, in)
		r.must(err)
	}
	token, by, err := r.node.Accounts.SignIn(r.t.Context(), h.login, crypto.NewSecret(password), h.login, true)
	r.must(err)
	r.tokens[h.login], r.callers[h.login] = token.Text.Reveal(), by
}

// ask opens a door as somebody would: an operation as a program, a page as a browser.
func (r *reaching) ask(login string, d web.Door, path string) (status int, body string) {
	req := httptest.NewRequest(d.Method, path, nil)
	req.RemoteAddr = "192.0.2.7:4000"
	if strings.HasPrefix(d.Path, "/api/") {
		req.Header.Set("Authorization", "Bearer "+r.tokens[login])
		if d.Method != "GET" {
			req = httptest.NewRequest(d.Method, path, strings.NewReader("{}"))
			req.Header.Set("Authorization", "Bearer "+r.tokens[login])
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("If-Match", `"1"`)
		}
	} else {
		if d.Method != "GET" {
			req = httptest.NewRequest(d.Method, path, strings.NewReader(url.Values{"key": {"k"}}.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req.AddCookie(&http.Cookie{Name: web.CookieName(false), Value: r.tokens[login]})
	}
	ctx, stop := contextWithin(r.t, 20*time.Second)
	defer stop()
	w := httptest.NewRecorder()
	r.pages.ServeHTTP(w, req.WithContext(ctx))
	b, err := io.ReadAll(w.Result().Body)
	r.must(err)
	return w.Code, string(b)
}

var parameter = regexp.MustCompile(`[:{](\w+)\}?`)

// at puts the records of a village, or an ID of nobody, into an address. ok is false
// where the address is not about people of a commune.
func at(d web.Door, ids map[string]string, other string) (path string, ok bool) {
	first := strings.Split(strings.TrimPrefix(strings.TrimPrefix(d.Path, "/api/v1"), "/"), "/")[0]
	id, ok := other, false
	if ids != nil {
		if id, ok = ids[first], ids[first] != ""; !ok {
			id = other
		}
	}
	path = parameter.ReplaceAllStringFunc(d.Path, func(p string) string {
		switch strings.Trim(p, ":{}") {
		case "id":
			return id
		case "act":
			return "drop"
		case "siren":
			return "200044394"
		case "kind":
			return "beneficiaries"
		}
		return "1"
	})
	return path, ok && strings.Contains(d.Path, "id")
}

// lets says, by the table alone, whether a door is for a role.
func lets(by node.Caller, d web.Door) bool {
	if d.Nation {
		return false
	}
	ok := len(d.Actions) == 0
	for _, a := range d.Actions {
		ok = ok || by.May(a) == nil
	}
	return ok
}

// endless do not answer before somebody goes.
var endless = []string{"/live"}

// TestDoors opens every address in every role, with people of the own and of the
// next commune, and compares with the table. Who does not reach somebody is answered
// as if there were nobody, to the letter, and reads no word of hers anywhere.
func TestDoors(t *testing.T) {
	t.Parallel()
	r := newReaching(t)
	nobody := "01900000-0000-7000-8000-000000000000"
	plain := func(body, id string) string { return strings.ReplaceAll(body, id, "ID") }
	for _, h := range hats {
		t.Run(h.login, func(t *testing.T) {
			by := r.callers[h.login]
			for _, d := range r.doors {
				if d.Anybody || slices.Contains(endless, d.Path) || strings.HasSuffix(d.Path, "/role") || strings.HasSuffix(d.Path, "/sessions/current") {
					continue
				}
				name := d.Method + " " + d.Path
				theirs, about := at(d, r.there.ids, nobody)
				status, body := r.ask(h.login, d, theirs)
				if !lets(by, d) {
					if status != 403 && status != 404 {
						t.Errorf("%s is not for %s and answers %d", name, h.login, status)
					}
				} else if about && h.limited {
					unknown, _ := at(d, nil, nobody)
					want, none := r.ask(h.login, d, unknown)
					a, b := scrub(plain(body, r.there.ids[firstOf(d)])), scrub(plain(none, nobody))
					if status != want || a != b {
						t.Errorf("%s answers %s %d to somebody of the next commune, and %d to nobody:\n%s\n%s", name, h.login, status, want, differing(a, b), differing(b, a))
					}
				} else if status == 403 && !about && !strings.Contains(body, "not-coordinator") || status >= 500 && status != 503 {
					t.Errorf("%s is for %s and answers %d: %.300s", name, h.login, status, body)
				}
				if h.limited {
					for _, mark := range r.there.marks {
						if strings.Contains(body, mark) {
							t.Errorf("%s tells %s of %s", name, h.login, mark)
						}
					}
				}
				if d.Method != "GET" || !lets(by, d) {
					continue
				}
				ours, about := at(d, r.here.ids, nobody)
				if status, body := r.ask(h.login, d, ours); about && (status == 403 || status == 404 || status >= 500) && h.role != node.RoleVolunteer && h.role != node.RoleDPO {
					t.Errorf("%s answers %s %d about her own commune: %.300s", name, h.login, status, body)
				}
			}
		})
	}
}

func firstOf(d web.Door) string {
	return strings.Split(strings.TrimPrefix(strings.TrimPrefix(d.Path, "/api/v1"), "/"), "/")[0]
}

// scrub takes out what differs between two answers by itself: keys of forms, indexes.
func scrub(body string) string {
	body = regexp.MustCompile(`value="[0-9a-f-]{36}(-\w+)?"`).ReplaceAllString(body, "KEY")
	body = regexp.MustCompile(`after=\d+`).ReplaceAllString(body, "INDEX")
	return regexp.MustCompile(`"reference":"[^"]*"|\[[0-9a-f]{8}\]`).ReplaceAllString(body, "REFERENCE")
}

func differing(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("…%.160s", a[max(0, i-60):])
		}
	}
	return fmt.Sprintf("%d bytes", len(a))
}

func contextWithin(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
