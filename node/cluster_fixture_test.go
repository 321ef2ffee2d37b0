package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/mesh/meshtest"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// cluster is a territory of several replicas in one process, each behind a line
// that can be cut and listened to.
type cluster struct {
	testing.TB
	seats []*seat
	admin node.Caller
	kinds map[string]node.TypeID
	siren string
	key   crypto.Unsealer

	mu  sync.Mutex // guards now, for a reading
	now time.Time
}

// seat is one machine. Node and web are nil while it is down.
type seat struct {
	*cluster
	name string // as the territory calls it
	cfg  node.Config
	line *meshtest.Line
	log  *heardLog
	node *node.Node
	web  *httptest.Server
	late time.Duration // of its clock

	disk atomic.Pointer[func() error] // what the disk of its log does; nil: it works
}

// heardLog takes what a replica writes to its log.
type heardLog struct {
	mu sync.Mutex // guards b, for one line
	b  bytes.Buffer
}

func (l *heardLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *heardLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// patience bounds every waiting: far more than anything here takes.
const patience = 60 * time.Second

// swift are times for replicas that share one machine with other tests.
var swift = consensus.Tuning{Heartbeat: 500 * time.Millisecond, Election: 500 * time.Millisecond, Lease: 400 * time.Millisecond, SegmentBytes: 1 << 20}

// newCluster founds a territory of so many replicas, all voting. change may alter
// each one's Config.
func newCluster(tb testing.TB, replicas int, change ...func(*node.Config)) *cluster {
	return newTerritory(tb, "200044394", replicas, change...)
}

func newTerritory(tb testing.TB, siren string, replicas int, change ...func(*node.Config)) *cluster {
	tb.Helper()
	c := &cluster{TB: tb, siren: siren, kinds: map[string]node.TypeID{}, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	c.key = quickKey(tb)
	first := c.seat(change...)
	first.founded()
	_, by, err := first.node.Accounts.SignIn(c.Context(), "admin", secret(password), "test", false)
	c.must(err)
	c.admin = by
	all, err := first.node.Catalogue.All()
	c.must(err)
	for _, k := range all {
		c.kinds[k.Name] = k.ID
	}
	for range replicas - 1 {
		c.joined(c.seat(change...))
	}
	c.allVote()
	return c
}

// quickKey opens vaults in no time, which are written at every turn of the root.
func quickKey(tb testing.TB) crypto.Unsealer {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "identity.txt")
	if err := crypto.NewIdentityFile(path); err != nil {
		tb.Fatal(err)
	}
	u, err := crypto.IdentityFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func (c *cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) wait(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (s *seat) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.Add(s.late)
}

// seat adds a machine on which nothing runs yet.
func (c *cluster) seat(change ...func(*node.Config)) *seat {
	c.Helper()
	s := &seat{cluster: c, line: meshtest.NewLine(c), log: &heardLog{}}
	dir := c.TempDir()
	s.cfg = node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: c.key, Logger: node.NewLogger(s.log, slog.LevelDebug),
		PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, MinFree: 1, Now: s.clock, Tuning: swift,
		Autopilot: node.VotingRules{Stable: 100 * time.Millisecond}, Program: "1.0.0",
	}
	s.cfg.Tuning.BeforeStore = func() error {
		if f := s.disk.Load(); f != nil {
			return (*f)()
		}
		return nil
	}
	s.cfg.Peering.Address = s.line.Address()
	node.Hurry(&s.cfg)
	for _, f := range change {
		f(&s.cfg)
	}
	c.seats = append(c.seats, s)
	c.Cleanup(s.stop)
	return s
}

// ready lays the line to a fresh port.
func (s *seat) ready() node.Config {
	l := meshtest.Listen(s)
	s.line.To(l.Addr().String())
	cfg := s.cfg
	cfg.Peering.Listener = l
	return cfg
}

func (s *seat) founded() {
	s.Helper()
	n, err := node.FoundTerritory(s.Context(), s.ready(), node.Founding{
		Territory: node.Territory{Siren: s.siren, Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Communes: []string{"33352", "33187", "33289"}},
		Login:     "admin", Password: secret(password),
	})
	s.must(err)
	s.runs(n)
}

// joined lets s join by a token of the leader's, and opens it.
func (c *cluster) joined(s *seat) {
	c.Helper()
	token, _, err := c.leader().node.Replicas.Invite(c.Context(), c.admin, 0)
	c.must(err)
	c.must(s.join(token))
	s.start()
}

// join tries a token; nothing runs afterwards.
func (s *seat) join(token node.Secret) error {
	cfg := s.ready()
	_, err := node.Join(s.Context(), cfg, token)
	cfg.Peering.Listener.Close()
	return err
}

// start opens the node on what is on disk.
func (s *seat) start() {
	s.Helper()
	if err := s.tryStart(); err != nil {
		s.Fatal(err)
	}
}

func (s *seat) tryStart() error { return s.tryStartFor(patience) }

func (s *seat) tryStartFor(d time.Duration) error {
	ctx, cancel := context.WithTimeout(s.Context(), d)
	defer cancel()
	cfg := s.ready()
	n, err := node.Open(ctx, cfg)
	if err != nil {
		cfg.Peering.Listener.Close()
		return err
	}
	s.runs(n)
	return nil
}

func (s *seat) runs(n *node.Node) {
	s.node = n
	s.web = httptest.NewServer(api.New(api.Config{Node: n, Logger: s.cfg.Logger}))
}

// stop ends a replica in order, kill as a power cut does. The folder and the
// vault stay.
func (s *seat) stop() {
	s.end(func(n *node.Node) {
		if err := n.Close(); err != nil {
			s.Error(err)
		}
	})
}

func (s *seat) kill() { s.end((*node.Node).Crash) }

func (s *seat) end(how func(*node.Node)) {
	if s.node == nil {
		return
	}
	n, web := s.node, s.web
	s.node, s.web = nil, nil
	web.CloseClientConnections()
	n.Dismiss()
	how(n)
	web.Close()
}

// restart is a power cut and a start.
func (s *seat) restart() {
	s.Helper()
	s.kill()
	s.start()
}

// until waits for a condition, and says what was waited for in vain.
func (c *cluster) until(what string, ok func() bool) {
	c.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end.C:
			for _, s := range c.seats {
				c.Logf("--- %s\n%s", s.name, tail(s.log.String(), 4000))
			}
			c.Fatalf("in vain: %s", what)
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// up are the machines that run.
func (c *cluster) up() (out []*seat) {
	for _, s := range c.seats {
		if s.node != nil {
			out = append(out, s)
		}
	}
	return out
}

// leader waits for one.
func (c *cluster) leader() (leads *seat) {
	c.Helper()
	c.until("a leader", func() bool {
		for _, s := range c.up() {
			if s.node.Leading() {
				leads = s
				return true
			}
		}
		return false
	})
	return leads
}

// followers run and do not lead.
func (c *cluster) followers() (out []*seat) {
	c.Helper()
	leader := c.leader()
	for _, s := range c.up() {
		if s != leader {
			out = append(out, s)
		}
	}
	return out
}

// allVote waits until every machine that runs is a member that votes and holds
// the root in force.
func (c *cluster) allVote() {
	c.Helper()
	c.until("every replica votes", func() bool {
		list, err := c.leader().node.Replicas.List(c.admin)
		if err != nil {
			return false
		}
		votes := 0
		for _, r := range list.Replicas {
			if r.Voter && r.Current && r.State == node.ReplicaMember {
				votes++
			}
		}
		return votes == len(c.up())
	})
	c.together()
	for _, s := range c.up() {
		s.name = s.self().Name
	}
}

// together waits until all that run have applied what the leader has.
func (c *cluster) together() {
	c.Helper()
	leader := c.leader()
	index := leader.node.Index()
	for _, s := range c.up() {
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		c.must(s.node.Await(ctx, index))
		cancel()
	}
}

// self is a machine's own record, as it knows it.
func (s *seat) self() node.Replica {
	s.Helper()
	list, err := s.node.Replicas.List(s.admin)
	s.must(err)
	for _, r := range list.Replicas {
		if r.Here {
			return r
		}
	}
	s.Fatal("a replica does not know itself")
	return node.Replica{}
}

// record is what the leader knows of a machine.
func (c *cluster) record(name string) node.Replica {
	c.Helper()
	list, err := c.leader().node.Replicas.List(c.admin)
	c.must(err)
	for _, r := range list.Replicas {
		if r.Name == name {
			return r
		}
	}
	c.Fatalf("there is no %s", name)
	return node.Replica{}
}

// answered is what a replica says over HTTP.
type answered struct {
	status int
	header http.Header
	body   []byte
}

func (a answered) text(field string) string {
	var v map[string]any
	if json.Unmarshal(a.body, &v) != nil {
		return ""
	}
	s, _ := v[field].(string)
	return s
}

// desk is somebody's program, at one replica.
type desk struct {
	*seat
	token string
}

// desk signs the administrator in at this replica.
func (s *seat) desk() desk {
	s.Helper()
	a := desk{seat: s}.send("POST", "/api/v1/sessions", map[string]any{"login": "admin", "password": password})
	if a.status != 201 {
		s.Fatalf("signing in at %s: %d %s", s.name, a.status, a.body)
	}
	return desk{s, a.text("token")}
}

// at is the same program at another replica.
func (d desk) at(s *seat) desk { return desk{s, d.token} }

// send asks, and gives what was answered; a replica that is gone answers status 0.
func (d desk) send(method, path string, body any, headers ...string) answered {
	d.Helper()
	var raw []byte
	if body != nil {
		var err error
		raw, err = json.Marshal(body)
		d.must(err)
	}
	if d.web == nil {
		d.Fatalf("%s does not run", d.name)
	}
	req, err := http.NewRequestWithContext(d.Context(), method, d.web.URL+path, bytes.NewReader(raw))
	d.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answered{body: []byte(err.Error())}
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return answered{body: []byte(err.Error())}
	}
	return answered{res.StatusCode, res.Header, got}
}

// wants is send with the status that must come.
func (d desk) wants(status int, method, path string, body any, headers ...string) answered {
	d.Helper()
	a := d.send(method, path, body, headers...)
	if a.status != status {
		d.Fatalf("%s %s at %s: %d, not %d: %s", method, path, d.name, a.status, status, a.body)
	}
	return a
}

// person is what the form of a new beneficiary holds.
func person(last string) map[string]any {
	return map[string]any{
		"commune": "33352", "basis": "consent", "civility": "Mme", "last_name": last, "first_name": "Exemple", "birth": "1942",
		"phones": []map[string]any{{"number": "05 36 49 12 07"}}, "address": "3 rue du Marché",
	}
}

// enrol records somebody at the leader, past HTTP.
func (c *cluster) enrol(last string) node.BeneficiaryID {
	c.Helper()
	id, err := c.tryEnrol(c.leader(), last)
	c.must(err)
	return id
}

func (c *cluster) tryEnrol(s *seat, last string) (node.BeneficiaryID, error) {
	r, err := s.node.Beneficiaries.Enrol(c.Context(), c.admin, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent},
		node.BeneficiaryWords{Civility: secret("Mme"), Last: secret(last), First: secret("Exemple"), Birth: secret("1942"), Phones: []node.Phone{{Number: secret("05 36 49 12 07")}}})
	return r.ID, err
}

// readable reports whether s can open her words.
func (s *seat) readable(her node.BeneficiaryID, last string) error {
	b, err := s.node.Beneficiaries.Get(s.admin, her)
	if err == nil && b.Words.Last.Reveal() != last {
		err = fmt.Errorf("%s reads another name", s.name)
	}
	return err
}

// allRead requires her words at every replica that runs.
func (c *cluster) allRead(her node.BeneficiaryID, last string) {
	c.Helper()
	c.together()
	for _, s := range c.up() {
		if err := s.readable(her, last); err != nil {
			c.Errorf("%s does not read %s: %v", s.name, last, err)
		}
	}
}

// erase forgets somebody at once.
func (c *cluster) erase(kind node.Erasable, who [16]byte) {
	c.Helper()
	_, err := c.leader().node.Erasures.Want(c.Context(), c.admin, kind, who, true)
	for e := (*node.Error)(nil); errors.As(err, &e) && e.Kind == node.Unavailable; { // on a busy machine a leader may be lost
		_, err = c.leader().node.Erasures.Run(c.Context(), c.admin)
	}
	c.must(err)
}

// erasures are what s knows, newest first.
func (s *seat) erasures() []node.Erasure {
	s.Helper()
	_, done, _, err := s.node.Erasures.List(s.admin, node.Page{Limit: 100})
	s.must(err)
	return done
}

// pending are the names of whom the newest erasure waits for.
func (c *cluster) pending() string {
	c.Helper()
	var out []string
	for _, h := range c.leader().erasures()[0].Holders {
		if h.Gone == 0 && h.Destroyed == 0 {
			out = append(out, h.Name)
		}
	}
	return strings.Join(out, " ")
}

// certified waits for the certificate of the newest erasure.
func (c *cluster) certified() node.Erasure {
	c.Helper()
	var e node.Erasure
	c.until("the certificate", func() bool {
		e = c.leader().erasures()[0]
		return e.Certified != 0
	})
	return e
}
