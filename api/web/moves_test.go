package web_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/simulation"
	"github.com/bippop/bippop/node"
)

// beside is another territory, whose one commune is the first one's too.
func beside(tt *testing.T) *town {
	return foundTown(tt, node.Territory{Siren: "200069599", Name: "CC Rurales", Calls: "Coup de main", Phone: "05 36 49 00 02", Communes: []string{"33352"}}, func(*node.Config) {})
}

// shown is what came back.
type shown struct {
	status int
	text   string // without the marks of HTML's characters
	header http.Header
}

func (t *town) send(c *http.Client, lang, path, kind string, body io.Reader) shown {
	t.Helper()
	r, err := http.NewRequest("POST", t.url+path, body)
	t.must(err)
	r.Header.Set("Content-Type", kind)
	r.AddCookie(&http.Cookie{Name: "language", Value: lang})
	stay := *c
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := stay.Do(r)
	t.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	t.must(err)
	return shown{res.StatusCode, html.UnescapeString(string(b)), res.Header}
}

// post fills a form in: pairs of field and value.
func (t *town) post(c *http.Client, lang, path string, pairs ...string) shown {
	t.Helper()
	form := url.Values{"key": {fmt.Sprint(time.Now().UnixNano())}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return t.send(c, lang, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload gives a file in a form.
func (t *town) upload(c *http.Client, lang, path string, file []byte) shown {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, err := w.CreateFormFile("file", "dossiers.bippop")
	t.must(err)
	_, err = f.Write(file)
	t.must(err)
	t.must(w.Close())
	return t.send(c, lang, path, w.FormDataContentType(), &b)
}

// refuses wants the sentence of a refusal, in both languages.
func (t *town) refuses(what, code string, try func(lang string) shown) {
	t.Helper()
	for _, lang := range []string{"fr", "en"} {
		words, err := os.ReadFile("locales/problem." + lang + ".toml")
		t.must(err)
		m := regexp.MustCompile(`(?m)^` + code + ` = "(.*)"$`).FindSubmatch(words)
		if m == nil {
			t.Fatalf("%s has no words in %s", code, lang)
		}
		if s := try(lang); s.status/100 != 4 || !strings.Contains(s.text, string(m[1])) {
			t.Errorf("%s, %s: %d without %q", what, lang, s.status, m[1])
		}
	}
}

var draftBlock = regexp.MustCompile(`(?s)-----BEGIN BIPPOP ROSTER DRAFT-----.*?-----END BIPPOP ROSTER DRAFT-----`)

var holders = [][32]byte{{1}, {2}, {3}}

func (t *town) sign(draft string, with ...int) string {
	t.Helper()
	for _, i := range with {
		var err error
		draft, _, err = node.SignDraft(draft, holders[i])
		t.must(err)
	}
	return draft
}

// draft of a page.
func (t *town) draft(s shown) string {
	t.Helper()
	d := draftBlock.FindString(s.text)
	if s.status != http.StatusOK || d == "" {
		t.Fatalf("no draft: %d", s.status)
	}
	return d + "\n"
}

func (t *town) founding(hub node.HubKeys) string {
	t.Helper()
	var keys []string
	for i, name := range []string{"anct", "epci", "departements"} {
		keys = append(keys, node.HolderKey(name, holders[i]))
	}
	text, err := t.node.Federation.Begin(t.Context(), t.admin, node.Beginning{Name: "Essai", Demo: true, Holders: keys, Need: 2, Hubs: []node.HubKeys{hub}, Threshold: 1, Days: 400})
	t.must(err)
	return text
}

// applies has joined with the invitation that the page shows, and applies.
func (t *town) applies(nation *town, c *http.Client, siren string) string {
	t.Helper()
	invited := nation.post(c, "fr", "/nation/roster/invite", "siren", siren)
	m := regexp.MustCompile(`(?s)<pre[^>]*>(.*?)</pre>`).FindStringSubmatch(invited.text)
	if invited.status != http.StatusOK || m == nil {
		t.Fatalf("no invitation: %d", invited.status)
	}
	mine := t.plain("admin")
	t.refuses("half an invitation", "invitation-unreadable", func(lang string) shown {
		return t.post(mine, lang, "/federation/join", "invitation", m[1][:len(m[1])/2])
	})
	if s := t.post(mine, "fr", "/federation/join", "invitation", m[1]); s.status != http.StatusSeeOther {
		t.Fatalf("joining: %d", s.status)
	}
	t.refuses("an invitation used twice", "already-federated", func(lang string) shown { return t.post(mine, lang, "/federation/join", "invitation", m[1]) })
	applied := t.post(mine, "fr", "/federation/apply", "email", "ccas@example.org")
	text := regexp.MustCompile(`(?s)-----BEGIN BIPPOP [A-Z ]*APPLICATION-----.*?-----END BIPPOP [A-Z ]*APPLICATION-----`).FindString(applied.text)
	if text == "" {
		t.Fatalf("no application: %d", applied.status)
	}
	return text
}

// TestRosterPages: the coordinator invites, reads applications, drafts, reads what
// comes back from the holders and publishes; what can not count is refused in words.
func TestRosterPages(tt *testing.T) {
	const published = "/nation/roster?ok=roster-published"
	t := newNation(tt, nil)
	c := t.plain("nation")
	hub, err := t.node.Federation.HubKeys(t.admin, "hub1.example")
	t.must(err)
	hub.Operator, hub.Addresses = "ANCT", []string{"/ip4/127.0.0.1/tcp/7500"}
	founding := t.founding(hub)
	publish := func(lang, draft string) shown {
		return t.post(c, lang, "/nation/roster/publish", "draft", draft, "sure", "1")
	}
	count := func(draft string) {
		t.Helper()
		if s := publish("fr", draft); s.status != http.StatusSeeOther || s.header.Get("Location") != published {
			t.Fatalf("publishing: %d", s.status)
		}
	}
	t.refuses("no draft", "draft-unreadable", func(lang string) shown { return t.post(c, lang, "/nation/roster/read", "draft", "bonjour") })
	t.refuses("no SIREN", "siren-wrong", func(lang string) shown { return t.post(c, lang, "/nation/roster/invite", "siren", "200044390") })
	t.refuses("no roster yet", "no-roster", func(lang string) shown { return t.post(c, lang, "/nation/roster/invite", "siren", "200044394") })
	if s := t.post(c, "fr", "/nation/roster/read", "draft", founding); s.status != http.StatusOK || !strings.Contains(s.text, "« Essai » est fondée") || strings.Contains(s.text, "/nation/roster/publish") {
		t.Errorf("an unsigned founding: %d", s.status)
	}
	t.refuses("two of three found", "draft-unsigned", func(lang string) shown { return publish(lang, t.sign(founding, 0, 1)) })
	t.refuses("not sure", "roster-sure", func(lang string) shown {
		return t.post(c, lang, "/nation/roster/publish", "draft", t.sign(founding, 0, 1, 2))
	})
	count(t.sign(founding, 0, 1, 2))

	first, second := newTown(tt), beside(tt)
	application := first.applies(t, c, "200044394")
	draft := func(lang string, pairs ...string) shown { return t.post(c, lang, "/nation/roster/draft", pairs...) }
	t.refuses("nothing", "nothing-to-draft", func(lang string) shown { return draft(lang) })
	t.refuses("half an application", "application-unreadable", func(lang string) shown { return draft(lang, "application", application[:len(application)/2]) })
	t.refuses("oneself", "coordinator-stays", func(lang string) shown { return draft(lang, "remove", "130025265", "last", "0") })
	t.refuses("a stranger", "roster-refused", func(lang string) shown { return draft(lang, "remove", "200044394", "last", "0") })
	read := draft("fr", "application", application)
	if read.status != http.StatusOK || !strings.Contains(read.text, "CC du Réolais en Sud Gironde entre (territoire, 200044394") || draftBlock.MatchString(read.text) {
		t.Errorf("the application is not read first: %d", read.status)
	}
	early := t.draft(draft("fr", "renew", "400"))
	joins := t.draft(draft("fr", "application", application, "make", "1"))
	if s := t.post(c, "fr", "/nation/roster/read", "draft", t.sign(joins, 2)); !strings.Contains(s.text, "departements") || strings.Contains(s.text, "/nation/roster/publish") {
		t.Error("one signature is not shown, or enough")
	}
	t.refuses("one of three", "draft-unsigned", func(lang string) shown { return publish(lang, t.sign(joins, 2)) })
	forged := []byte(t.sign(joins, 0, 1))
	from := 0
	for from < len(joins) && joins[from] == forged[from] {
		from++
	}
	for at := from; at < len(forged)-1 && at < from+60; at++ { // in the signatures
		bad := bytes.Clone(forged)
		if bad[at] == '\n' {
			continue
		}
		if bad[at]++; publish("fr", string(bad)).status < http.StatusBadRequest {
			t.Fatalf("a draft that somebody has touched at %d is published", at-from)
		}
	}
	count(t.sign(joins, 0, 2))
	t.refuses("a draft of before", "draft-stale", func(lang string) shown { return t.post(c, lang, "/nation/roster/read", "draft", early) })
	t.refuses("a draft of before, signed", "draft-stale", func(lang string) shown { return publish(lang, t.sign(early, 0, 1)) })

	application = second.applies(t, c, "200069599")
	t.refuses("another's commune", "communes-taken", func(lang string) shown { return draft(lang, "application", application) })
	if s := draft("fr", "application", application); !strings.Contains(s.text, `name="take"`) {
		t.Error("the way on is not shown")
	}
	read = draft("fr", "application", application, "take", "1")
	if !strings.Contains(read.text, "De CC du Réolais en Sud Gironde à CC Rurales passent : La Réole") || !strings.Contains(read.text, `name="take" value="1"`) {
		t.Errorf("the move is not told: %d", read.status)
	}
	count(t.sign(t.draft(draft("fr", "application", application, "take", "1", "make", "1")), 1, 2))
	if _, text := t.get(c, "/nation/roster"); !strings.Contains(text, "CC Rurales") {
		t.Error("the list lacks the new member")
	}
	count(t.sign(t.draft(draft("fr", "remove", "200069599", "last", "0")), 1, 2))
	count(t.sign(t.draft(draft("en", "renew", "400")), 0, 1))
	if v, err := t.node.Federation.Roster(t.admin); err != nil || v.Version != 5 || len(v.Members) != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestHandoverPages: dossiers go from one territory's page to the other's, by hand.
func TestHandoverPages(tt *testing.T) {
	at := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", simulation.FreePort())
	nation := newNation(tt, nil, node.FederationHub{Name: "hub1.example", Listen: []string{at}})
	hub, err := nation.node.Federation.HubKeys(nation.admin, "hub1.example")
	nation.must(err)
	hub.Operator, hub.Addresses = "ANCT", []string{at}
	nation.must(nation.node.Federation.Publish(tt.Context(), nation.admin, nation.sign(nation.founding(hub), 0, 1, 2)))
	giver, taker := newTown(tt), beside(tt)
	giver.agent("desk.1")
	c := nation.plain("nation")
	for _, x := range []struct {
		*town
		siren string
	}{{giver, "200044394"}, {taker, "200069599"}} {
		draft, _, err := nation.node.Federation.Draft(nation.admin, node.RosterChange{Application: x.applies(nation, c, x.siren), Take: true})
		nation.must(err)
		nation.must(nation.node.Federation.Publish(tt.Context(), nation.admin, nation.sign(draft, 0, 1)))
	}
	until := func(what string, holds func() bool) {
		tt.Helper()
		for end := time.Now().Add(time.Minute); !holds(); {
			for _, x := range []*town{giver, taker, nation} {
				x.node.Federation.Sync(tt.Context(), x.admin)
			}
			if time.Now().After(end) {
				tt.Fatalf("in vain: %s", what)
			}
		}
	}
	until("both know the roster", func() bool {
		for _, x := range []*town{giver, taker} {
			if s, err := x.node.Federation.Status(tt.Context(), x.admin); err != nil || s.Version != 3 || !s.Listed {
				return false
			}
		}
		return true
	})
	giver.beneficiary("Mme", "Paule", "Zyxwvutine", "05 36 49 12 07")

	mine, theirs := giver.plain("admin"), taker.plain("admin")
	if _, text := giver.get(mine, "/federation"); !strings.Contains(text, "Communes qui changent de territoire") || !strings.Contains(text, "La Réole") {
		tt.Error("the giver's page does not tell of the move")
	}
	agent := giver.plain("desk.1")
	if s := giver.post(agent, "fr", "/federation/handovers/export", "roster", "3", "recipient", "x"); s.status != http.StatusForbidden {
		tt.Errorf("an agent hands dossiers over: %d", s.status)
	}
	_, recipient := taker.get(theirs, "/federation/handovers/recipient")
	_, own := giver.get(mine, "/federation/handovers/recipient")
	export := func(lang, roster, to string) shown {
		return giver.post(mine, lang, "/federation/handovers/export", "roster", roster, "recipient", to)
	}
	giver.refuses("no recipient", "recipient-unreadable", func(lang string) shown { return export(lang, "3", "bonjour") })
	giver.refuses("oneself", "no-move", func(lang string) shown { return export(lang, "3", own) })
	giver.refuses("another version", "no-move", func(lang string) shown { return export(lang, "2", recipient) })
	written := export("fr", "3", recipient)
	if written.status != http.StatusOK || !strings.HasPrefix(written.header.Get("Content-Disposition"), "attachment") || written.header.Get("Cache-Control") != "no-store" || strings.Contains(written.text, "Zyxwvutine") {
		tt.Fatalf("the file is answered %d %v", written.status, written.header)
	}
	// Read again as bytes: the page's text is not the file's.
	file, _, err := giver.node.Handovers.Export(tt.Context(), giver.admin, 3, recipient)
	giver.must(err)

	take := func(lang string, file []byte) shown { return taker.upload(theirs, lang, "/federation/handovers", file) }
	taker.refuses("half a file", "handover-damaged", func(lang string) shown { return take(lang, file[:len(file)/2]) })
	taker.refuses("no file", "handover-damaged", func(lang string) shown { return taker.post(theirs, lang, "/federation/handovers") })
	giver.refuses("the wrong territory", "handover-receiver", func(lang string) shown { return giver.upload(mine, lang, "/federation/handovers", file) })
	if s := take("fr", file); s.status != http.StatusSeeOther {
		tt.Fatalf("it is taken in: %d", s.status)
	}
	taker.refuses("twice", "handover-taken", func(lang string) shown { return take(lang, file) })
	_, text := taker.get(theirs, "/federation")
	digest := regexp.MustCompile(`action="/federation/handovers/receipt".*?name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(text)
	if digest == nil {
		tt.Fatal("nothing is to be confirmed")
	}
	if _, text := taker.get(theirs, "/people"); !strings.Contains(text, "Zyxwvutine") {
		tt.Error("she is not there")
	}
	confirm := func(lang, digest string) shown {
		return taker.post(theirs, lang, "/federation/handovers/receipt", "digest", digest)
	}
	erase := func(lang, digest string) shown {
		return giver.post(mine, lang, "/federation/handovers/erase", "digest", digest)
	}
	giver.refuses("too early", "not-received", func(lang string) shown { return erase(lang, digest[1]) })
	taker.refuses("no digest", "digest-unreadable", func(lang string) shown { return confirm(lang, "bonjour") })
	taker.refuses("another file", "no-handover", func(lang string) shown { return confirm(lang, strings.Repeat("0", 64)) })
	if s := confirm("fr", digest[1]); s.status != http.StatusSeeOther {
		tt.Fatalf("confirming: %d", s.status)
	}
	taker.refuses("twice", "handover-said", func(lang string) shown { return confirm(lang, digest[1]) })
	until("the giver's page offers to erase", func() bool {
		_, text := giver.get(mine, "/federation")
		return strings.Contains(text, `action="/federation/handovers/erase"`)
	})
	if s := erase("fr", digest[1]); s.status != http.StatusOK || !strings.Contains(s.text, "1 personne sera effacée") {
		tt.Errorf("erasing: %d", s.status)
	}
	_, err = giver.node.Erasures.Run(tt.Context(), giver.admin)
	giver.must(err)
	if _, text := giver.get(mine, "/people"); strings.Contains(text, "Zyxwvutine") {
		tt.Error("she is at the giver still")
	}
}
