package federation_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/bippop/bippop/node"
)

const reole = "200044394"

// whole is a real node in a nation of one hub, with a neighbour that has an offer.
// The hub hears over QUIC, and everything that it hears is kept.
type whole struct {
	*world
	*node.Node
	cfg   node.Config
	admin node.Caller
	kinds map[string]node.TypeID
	words *words
	log   sheet

	mu    sync.Mutex // guards what follows
	now   time.Time
	heard []*sheet
}

func (n *whole) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *whole) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *whole) ctx() context.Context { return n.t.Context() }

// until a condition holds, which the network brings about.
func (n *whole) until(what string, holds func() bool) {
	n.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-late:
			n.t.Fatalf("waiting in vain until %s\n%s", what, n.log.text())
		}
	}
}

// words draws what is said of people: each has a stem that stands nowhere else, and
// all that were drawn are known.
type words struct {
	stem string
	all  []string
}

func (w *words) draw(what string) node.Secret {
	w.all = append(w.all, fmt.Sprintf("%s%s%03d", w.stem, what, len(w.all)*7%1000))
	return crypto.NewSecret(w.all[len(w.all)-1])
}

func (w *words) phone() node.Phone {
	number := fmt.Sprintf("53649%02d%02d", 10+len(w.stem), len(w.all)%100)
	w.all = append(w.all, number)
	return node.Phone{Number: crypto.NewSecret("0" + number), Label: w.draw("label"), Ring: w.draw("ring")}
}

func (w *words) contact() node.Contact {
	return node.Contact{Name: w.draw("close"), Phone: w.phone().Number, Link: w.draw("link")}
}

func (w *words) her() node.BeneficiaryWords {
	return node.BeneficiaryWords{
		Civility: crypto.NewSecret("Mme"), Last: w.draw("last"), First: w.draw("first"), Birth: crypto.NewSecret("1938"), Phones: []node.Phone{w.phone()},
		Address: w.draw("street"), Entry: w.draw("entry"), Needs: w.draw("needs"), Languages: w.draw("tongue"), Trusted: w.contact(), Emergency: w.contact(),
		MayAsk: []node.Contact{w.contact()}, TrustWord: w.draw("trust"), Note: w.draw("note"),
	}
}

func (w *words) him() node.VolunteerWords {
	return node.VolunteerWords{First: w.draw("first"), Last: w.draw("last"), Birth: crypto.NewSecret("1961"), Phones: []node.Phone{w.phone()},
		Address: w.draw("street"), CarText: w.draw("car"), Languages: w.draw("tongue"), Note: w.draw("note")}
}

// newWhole founds the nation and the node, and lets it join. Nobody is in its files.
func newWhole(t *testing.T) *whole {
	t.Helper()
	n := &whole{kinds: map[string]node.TypeID{}, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	sim, err := simulation.Found(public.DayOf(n.now), 1, hubAt(0, over(t, "quic")))
	n.world = &world{Nation: sim, t: t}
	n.must(err)
	n.must(sim.Add(1, 1))
	n.hubs = []*federation.Host{nil}

	unseal, err := crypto.Passphrase("une phrase de passe longue", 10)
	n.must(err)
	dir := t.TempDir()
	n.cfg = node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal, Logger: node.NewLogger(&n.log, slog.LevelInfo),
		PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, Now: n.clock, Federation: node.Federating{Tune: func(c *federation.Config) { c.PullEvery = time.Hour }},
	}
	n.Node, err = node.FoundTerritory(t.Context(), n.cfg, node.Founding{
		Territory: node.Territory{Siren: reole, Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Communes: []string{"33352", "33187", "33289"}},
		Login:     "admin", Password: crypto.NewSecret("quatre mots bien tranquilles"),
	})
	n.must(err)
	t.Cleanup(func() { n.end() })
	_, n.admin, err = n.Accounts.SignIn(t.Context(), "admin", crypto.NewSecret("quatre mots bien tranquilles"), "test", false)
	n.must(err)
	all, err := n.Catalogue.All()
	n.must(err)
	for _, k := range all {
		n.kinds[k.Name] = k.ID
	}
	_, err = n.Federation.Join(t.Context(), n.admin, sim.State().Invite(siren(t)).String())
	n.must(err)
	text, err := n.Federation.Application(t.Context(), n.admin, "accueil@reole.example")
	n.must(err)
	a, err := roster.ParseApplication([]byte(text))
	n.must(err)
	member, err := sim.State().Admit(a, []public.Siren{sim.Territories[0].Siren})
	n.must(err)
	n.must(sim.Change(member))
	return n
}

func siren(t *testing.T) public.Siren {
	s, err := public.ParseSiren(reole)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opensHub on an empty disk, on the address that the roster names.
func (n *whole) opensHub() {
	n.t.Helper()
	cfg := n.config(n.Hubs[0].Seed, n.Roster())
	cfg.Hub, cfg.Clock = &n.Hubs[0].Config, n.clock
	var err error
	n.hubs[0], err = federation.Open(cfg)
	n.must(err)
	h := n.hubs[0]
	n.t.Cleanup(func() { h.Close() })
	h.Overhear(func() io.Writer {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.heard = append(n.heard, &sheet{})
		return n.heard[len(n.heard)-1]
	})
}

func (n *whole) end() {
	if n.Node != nil {
		n.must(n.Close())
		n.Node = nil
	}
}

func (n *whole) starts() {
	n.t.Helper()
	var err error
	n.Node, err = node.Open(n.ctx(), n.cfg)
	n.must(err)
}

// synced waits until everything that was said has settled.
func (n *whole) synced() (s node.FederationStatus) {
	n.t.Helper()
	n.until("all has settled", func() bool {
		err := n.Federation.Sync(n.ctx(), n.admin)
		var err2 error
		s, err2 = n.Federation.Status(n.ctx(), n.admin)
		return err == nil && err2 == nil && s.Listed && s.Settled == int64(s.Size)
	})
	return s
}

// lives a day, or with figures a quarter: people are known, asked for and helped, and
// help crosses the border both ways. The words of everybody are w's.
func (n *whole) lives(w *words, figures bool) {
	n.t.Helper()
	n.words = w
	ctx := n.ctx()
	n.opensHub()
	neighbour := n.Territories[0]
	today := public.DayOf(n.clock())
	n.must(neighbour.Say(today, public.Offer{Category: public.Shopping, From: today, Weeks: 4, Slots: 2, Radius: public.Near, Languages: public.French}))
	leaf := n.leaf(neighbour, func(c *federation.Config) { c.Clock = n.clock })
	n.sync(leaf)
	n.must(leaf.Close())
	n.mu.Lock()
	n.heard = nil
	n.mu.Unlock()
	n.synced()
	n.until("quarters are counted", func() bool { s, err := n.Figures.Quarters.Statement(n.admin); return err == nil && s.Begun })

	r, err := n.Beneficiaries.Enrol(ctx, n.admin, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent}, w.her())
	n.must(err)
	her := r.ID
	var his []node.VolunteerID
	for range 3 {
		r, err := n.Volunteers.Register(ctx, n.admin, node.Readiness{Commune: "33352", RadiusKm: 15, Car: true}, w.him())
		n.must(err)
		for i, to := range []node.Status{node.Met, node.Approved} {
			_, err := n.Volunteers.Step(ctx, n.admin, r.ID, uint32(i+1), to, 0)
			n.must(err)
		}
		his = append(his, r.ID)
	}
	login := strings.ToLower(w.draw("login").Reveal())
	w.all[len(w.all)-1] = login
	_, err = n.Accounts.Open(ctx, n.admin, node.NewAccount{Login: login, Password: w.draw("password"), Roles: node.RoleVolunteer, Of: his[0], Name: w.draw("account")})
	n.must(err)
	_, err = n.Requests.RecordDone(ctx, n.admin, node.PastAction{Beneficiary: her, Type: n.kinds["Courses"], Volunteers: his[:1], Day: node.DayOf(n.clock()), Minute: 8 * 60,
		Note: w.draw("note"), Ending: node.Ending{Minutes: 90, Word: w.draw("said")}})
	n.must(err)
	_, err = n.Offers.Make(ctx, n.admin, node.NewOffer{Volunteer: his[1], Types: []node.TypeID{n.kinds["Courses"]}, Day: node.DayOf(n.clock()) + 3, Half: node.Afternoon, Places: 2, Line: w.draw("line")})
	n.must(err)

	r, err = n.Across.Prepare(ctx, n.admin, node.NewCrossOffer{Category: public.Shopping, Monday: node.DayOf(n.clock()), Weeks: 4, Slots: 2, Radius: public.Near, Languages: public.French, Volunteers: his[:1]})
	n.must(err)
	r, err = n.Across.Consent(ctx, node.Caller{Account: n.admin.Account, Roles: node.RoleVolunteer, Volunteer: his[0]}, r.ID, his[0], true)
	n.must(err)
	_, err = n.Across.Publish(ctx, n.admin, r.ID, r.Version)
	n.must(err)
	asked, err := n.Requests.Open(ctx, n.admin, node.NewRequest{Beneficiary: her, Type: n.kinds["Courses"], Wish: node.Wish{Kind: node.Flexible}, Note: w.draw("note")})
	n.must(err)
	var fits node.Fitting
	n.until("the neighbour's offer is heard", func() bool {
		fits, err = n.Across.For(n.admin, asked.ID)
		return err == nil && len(fits.Offers) == 1
	})
	i, err := n.Across.Ask(ctx, n.admin, asked.ID, fits.Offers[0].Name)
	n.must(err)
	n.synced()
	if figures {
		n.mu.Lock()
		n.now = n.now.Add(60 * 24 * time.Hour)
		n.mu.Unlock()
		n.synced()
		_, err = n.Figures.Quarters.Freeze(ctx, n.admin)
		n.must(err)
		n.synced()
	}
	_, err = n.Across.Renounce(ctx, n.admin, i.ID)
	n.must(err)
	n.synced()
}

// captured is the territory's whole feed as it goes to a hub that has nothing yet, in
// one connection, opened with its key log.
func (n *whole) captured() (federation.Ledger, *opened) {
	n.t.Helper()
	n.end()
	n.must(n.hubs[0].Close())
	n.opensHub()
	var keys sheet
	var tap wiretap
	end := federation.LogKeys(&keys)
	defer end()
	was := n.cfg.Federation.Tune
	n.cfg.Federation.Tune = func(c *federation.Config) {
		was(c)
		c.ListenUDP, c.Dir = tap.listen, n.t.TempDir()
	}
	n.starts()
	n.cfg.Federation.Tune = was
	s, err := n.Federation.Status(n.ctx(), n.admin)
	n.must(err)
	n.until("the hub has it all", func() bool {
		c, ok := n.hubs[0].Feed(siren(n.t))
		if !ok || c.Head().Size != int64(s.Size) {
			return false
		}
		now, err := n.Federation.Status(n.ctx(), n.admin)
		return err == nil && len(now.Hubs) == 1 && now.Hubs[0].Size == int64(s.Size)
	})
	point, err := feed.ParseCheckpoint(n.file("egress/" + reole + "/1/checkpoint"))
	n.must(err)
	var ours []byte // without what the hub has added
	for line := range bytes.Lines(point.Signed) {
		if !bytes.HasPrefix(line, []byte("— "+n.Hubs[0].Config.Name+" ")) {
			ours = append(ours, line...)
		}
	}
	l := federation.Ledger{Siren: siren(n.t), Epoch: 1, Checkpoints: [][]byte{ours}, Roster: n.State().Version, Started: true}
	entries, _, err := n.Ledger.Entries(n.admin, node.LedgerPage{})
	n.must(err)
	for _, e := range slices.Backward(entries) {
		l.Entries = append(l.Entries, e.Bytes)
	}
	n.end()
	o, err := tap.open(keys.text())
	n.must(err)
	return l, o
}

func (n *whole) file(path string) []byte {
	n.t.Helper()
	b, err := n.Ledger.File(n.ctx(), path)
	if err != nil {
		n.t.Fatalf("%s: %v", path, err)
	}
	return b
}

// shown is everything that anybody may fetch, and what is sent by mail or shown to
// those who look after the federation.
func (n *whole) shown() map[string][]byte {
	n.t.Helper()
	all := map[string][]byte{}
	paths := []string{"feeds.json"}
	for _, folder := range []string{"roster", "egress/" + reole + "/1"} {
		paths = append(paths, folder+"/checkpoint")
		c, err := feed.ParseCheckpoint(n.file(folder + "/checkpoint"))
		n.must(err)
		for _, tile := range feed.Tiles(c.Head.Size) {
			paths = append(paths, folder+"/"+tile)
		}
	}
	for _, p := range paths {
		all["/transparency/"+p] = n.file(p)
	}
	text, err := n.Federation.Application(n.ctx(), n.admin, "accueil@reole.example")
	n.must(err)
	all["the application"] = []byte(text)
	keep := func(name string, v any, err error) {
		n.t.Helper()
		b, err2 := json.Marshal(v)
		n.must(errors.Join(err, err2))
		all[name] = b
	}
	s, err := n.Federation.Status(n.ctx(), n.admin)
	for i := range s.Hubs {
		s.Hubs[i].Trip = 0
	}
	keep("the status", s, err)
	r, err := n.Figures.Quarters.Statement(n.admin)
	keep("the statement", r, err)
	entries, _, err := n.Ledger.Entries(n.admin, node.LedgerPage{})
	keep("the ledger", entries, err)
	return all
}

// TestNodeEqualsLedger: every datagram of a whole node, with people, requests and
// offers behind it, is opened and accounted for by its ledger.
func TestNodeEqualsLedger(t *testing.T) {
	n := newWhole(t)
	n.lives(&words{stem: "Zyxwvut"}, true)
	l, o := n.captured()
	control, err := l.Account(o.inOrder())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Entries) != 4 || control > mostControl || o.quiet > mostQuiet {
		t.Errorf("%d entries, %d bytes of control, %d beside the streams", len(l.Entries), control, o.quiet)
	}
}

// TestPeopleDoNotShow: two nodes that were one, with other people in their files, send
// the same streams and serve the same files.
func TestPeopleDoNotShow(t *testing.T) {
	n := newWhole(t)
	n.end()
	dir := filepath.Dir(n.cfg.Dir)
	start := t.TempDir()
	n.must(os.CopyFS(start, os.DirFS(dir)))
	var sent [][][]byte
	var shown []map[string][]byte
	for _, w := range []*words{{stem: "Zyxwvut"}, {stem: "Elimont-Castaing"}} {
		n.must(os.RemoveAll(dir))
		n.must(os.CopyFS(dir, os.DirFS(start)))
		n.Territories[0] = simulation.NewWriter(n.Territories[0].Siren, 1, 1)
		n.starts()
		n.lives(w, false)
		shown = append(shown, n.shown())
		_, o := n.captured()
		sent = append(sent, o.inOrder())
		n.must(n.hubs[0].Close())
	}
	if !slices.EqualFunc(sent[0], sent[1], bytes.Equal) || len(sent[0]) == 0 {
		t.Errorf("other people, other streams:\n%q\n%q", sent[0], sent[1])
	}
	for name, b := range shown[0] {
		if other := shown[1][name]; !bytes.Equal(b, other) {
			t.Errorf("%s depends on who lives there:\n%s\n%s", name, b, other)
		}
	}
}

// forms are how a word may stand among bytes, by name.
func forms(word string) map[string][]byte {
	all := map[string][]byte{}
	digest := sha256.Sum256([]byte(word))
	all["SHA-256"], all["SHA-256 in hex"] = digest[:], []byte(hex.EncodeToString(digest[:]))
	for _, w := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
		b, back := []byte(w), []byte(w)
		slices.Reverse(back)
		var big, little []byte
		for _, u := range utf16.Encode([]rune(w)) {
			big, little = append(big, byte(u>>8), byte(u)), append(little, byte(u), byte(u>>8))
		}
		for name, form := range map[string][]byte{
			"text": b, "backwards": back, "UTF-16 BE": big, "UTF-16 LE": little, "hex": []byte(hex.EncodeToString(b)), "HEX": []byte(strings.ToUpper(hex.EncodeToString(b))),
		} {
			all[name+" of "+w] = form
		}
		for before := range 3 { // it may begin at any place of a group of three
			for name, code := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
				text := code.EncodeToString(append(make([]byte, before), b...))
				all[fmt.Sprint(name, "+", before, " of ", w)] = []byte(text[(before*8+5)/6 : (before+len(b))*8/6])
			}
		}
	}
	return all
}

// hitsOf says which words are among bytes and in which form, also of what is packed in
// them.
func hitsOf(all []string, b []byte) (hits []string) {
	for _, word := range all {
		for name, form := range forms(word) {
			if bytes.Contains(b, form) {
				hits = append(hits, word+" as "+name)
			}
		}
	}
	for rest := b; ; {
		at := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
		if at < 0 {
			return hits
		}
		rest = rest[at:]
		if z, err := gzip.NewReader(bytes.NewReader(rest)); err == nil {
			inside, _ := io.ReadAll(io.LimitReader(z, 1<<20)) // what follows a packed part may be anything
			hits = append(hits, hitsOf(all, inside)...)
		}
		rest = rest[1:]
	}
}

// TestCanaries: nothing that leaves a federated node holds a word of anybody's, in any
// form: not what hubs hear all day, nor what is captured, served, mailed or shown.
func TestCanaries(t *testing.T) {
	n := newWhole(t)
	w := &words{stem: "Zyxwvut"}
	n.lives(w, true)
	all := n.shown()
	n.mu.Lock()
	for i, s := range n.heard {
		all[fmt.Sprint("stream ", i, " that a hub has heard")] = []byte(s.text())
	}
	n.mu.Unlock()
	if len(n.heard) < 10 {
		t.Errorf("the hub has heard %d streams in all this time", len(n.heard))
	}
	_, o := n.captured()
	for i, b := range o.inOrder() {
		all[fmt.Sprint("captured stream ", i)] = b
	}
	all["the log"] = []byte(n.log.text())
	size := 0
	for name, b := range all {
		size += len(b)
		for _, hit := range hitsOf(w.all, b) {
			t.Errorf("%s: %s", name, hit)
		}
	}
	t.Logf("%d words, %d things, %d bytes", len(w.all), len(all), size)

	// Each form is seen where it is hidden, in the middle of what left.
	middle := o.inOrder()[len(o.streams)-1]
	hide := func(b []byte) []byte { return slices.Concat(middle, b, middle) }
	for name, form := range forms(w.all[0]) {
		if len(hitsOf(w.all, hide(form))) == 0 {
			t.Errorf("the search does not see a word as %s", name)
		}
	}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + w.all[0] + " and more"))
		if len(hitsOf(w.all, hide([]byte(text)))) == 0 {
			t.Errorf("the search does not see a word in %s", text)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("in words: " + w.all[0]))
	n.must(z.Close())
	if len(hitsOf(w.all, hide(packed.Bytes()))) == 0 {
		t.Error("the search does not see a word that is packed")
	}
}
