package alarm_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/alarm"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

var (
	from   = alarm.From{Siren: "200044394", Machine: "node-a"}
	letter = alarm.Letter{Phase: alarm.Begins, Kind: alarm.ReplicaLost, Subject: "replica-2", Since: noon, At: noon}
	quiet  = slog.New(slog.DiscardHandler)
)

// received is one mail at a server.
type received struct{ sender, to, body, login string }

// mailServer is a real SMTP server on this machine. refuse makes it turn away that
// many mails first.
type mailServer struct {
	address string
	mails   chan received

	mu     sync.Mutex
	refuse int
	auth   bool
}

// asked reports whether anybody has tried to sign in.
func (m *mailServer) asked() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.auth
}

func newMailServer(t *testing.T, refuse int) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{address: l.Addr().String(), mails: make(chan received, 10), refuse: refuse}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{server: m}, nil }))
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", true, silent{}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return m
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

type mailSession struct {
	server *mailServer
	mail   received
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *mailSession) Auth(string) (sasl.Server, error) {
	s.server.mu.Lock()
	s.server.auth = true
	s.server.mu.Unlock()
	return sasl.NewPlainServer(func(_, login, password string) error {
		if password != "le moulin du lavoir" {
			return errors.New("wrong password")
		}
		s.mail.login = login
		return nil
	}), nil
}
func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
func (s *mailSession) Mail(sender string, _ *smtp.MailOptions) error {
	s.mail.sender = sender
	return nil
}
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.refuse > 0 {
		s.server.refuse--
		return &smtp.SMTPError{Code: 451, Message: "greylisted: " + to}
	}
	s.mail.to = to
	return nil
}
func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mail.body = string(b)
	s.server.mails <- s.mail
	return err
}

func newMail(t *testing.T, server, login string) *alarm.Mail {
	t.Helper()
	m, err := alarm.NewMail(alarm.MailConfig{To: "operator@exemple.example", Sender: "bippop@exemple.example", Server: server, Login: login, Password: crypto.NewSecret("le moulin du lavoir")}, from)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMail(t *testing.T) {
	server := newMailServer(t, 0)
	if err := newMail(t, server.address, "node").Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := <-server.mails
	if got.sender != "bippop@exemple.example" || got.to != "operator@exemple.example" || got.login != "node" {
		t.Errorf("sent by %s to %s as %s", got.sender, got.to, got.login)
	}
	french, english, both := strings.Cut(got.body, "\r\n-- \r\n")
	if !both {
		french, english, both = strings.Cut(got.body, "--=20\r\n")
	}
	if !both || !strings.Contains(french, "replica-2") || !strings.Contains(french, "systemctl status bippop") || !strings.Contains(english, "does not answer") {
		t.Errorf("the mail is not in French, then in English, with what to do:\n%s", got.body)
	}
	for _, want := range []string{"Content-Type: text/plain", "Auto-Submitted: auto-generated", "Subject:"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the mail has no %s", want)
		}
	}
}

// TestMailFaults: each is said in our words, without an address.
func TestMailFaults(t *testing.T) {
	closed := newMailServer(t, 0).address
	for name, c := range map[string]struct{ server, password, want string }{
		"refused": {newMailServer(t, 1).address, "le moulin du lavoir", "451"},
		"login":   {closed, "faux", "login and password"},
		"nobody":  {"127.0.0.1:1", "le moulin du lavoir", "cannot be reached"},
	} {
		m, err := alarm.NewMail(alarm.MailConfig{To: "operator@exemple.example", Sender: "bippop@exemple.example", Server: c.server, Login: "node", Password: crypto.NewSecret(c.password)}, from)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Send(t.Context(), letter)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v, want %q and no address", name, err, c.want)
		}
	}
}

// TestMailPassword: it does not travel in clear to another machine.
func TestMailPassword(t *testing.T) {
	server := newMailServer(t, 0)
	m := newMail(t, "smtp.exemple.example:587", "node")
	alarm.Redirect(m, server.address)
	if err := m.Send(t.Context(), letter); err == nil {
		t.Error("a server without TLS is trusted with the password")
	}
	if server.asked() {
		t.Error("the password went to another machine without TLS")
	}
	plain := newMail(t, "smtp.exemple.example:25", "")
	alarm.Redirect(plain, server.address)
	if err := plain.Send(t.Context(), letter); err != nil {
		t.Errorf("without a password: %v", err)
	}
}

func TestMailConfig(t *testing.T) {
	good := alarm.MailConfig{To: "a@exemple.example", Sender: "b@exemple.example", Server: "smtp.exemple.example:587"}
	for name, change := range map[string]func(*alarm.MailConfig){
		"to": func(c *alarm.MailConfig) { c.To = "Zyxwvut" }, "header": func(c *alarm.MailConfig) { c.To = "a@b.c\r\nBcc: x@y.z" },
		"from": func(c *alarm.MailConfig) { c.Sender = "" }, "no port": func(c *alarm.MailConfig) { c.Server = "smtp.exemple.example" },
		"port": func(c *alarm.MailConfig) { c.Server = "smtp.exemple.example:x" },
	} {
		c := good
		change(&c)
		if _, err := alarm.NewMail(c, from); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := alarm.NewMail(good, from); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "alerts", "ftp://x/y", "http://"} {
		if _, err := alarm.NewWebhook(bad, from); err == nil {
			t.Errorf("the webhook %q is accepted", bad)
		}
	}
}

// hook is a real HTTP server that answers with the statuses in turn, then with 204.
func hook(t *testing.T, statuses ...int) (url string, bodies chan map[string]any) {
	t.Helper()
	bodies = make(chan map[string]any, 100)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if len(statuses) > 0 {
			w.WriteHeader(statuses[0])
			statuses = statuses[1:]
			return
		}
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s with %v: %v", r.Method, r.Header, err)
		}
		w.WriteHeader(http.StatusNoContent)
		bodies <- body
	}))
	t.Cleanup(s.Close)
	return s.URL, bodies
}

func newHook(t *testing.T, url string) *alarm.Webhook {
	t.Helper()
	w, err := alarm.NewWebhook(url, from)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhook(t *testing.T) {
	url, bodies := hook(t)
	if err := newHook(t, url).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := <-bodies
	for field, want := range map[string]string{"territory": "200044394", "machine": "node-a", "phase": "begins", "kind": "replica-lost", "subject": "replica-2", "at": "2026-05-04T12:00:00Z"} {
		if got[field] != want {
			t.Errorf("%s = %v, want %s", field, got[field], want)
		}
	}
	url, _ = hook(t, http.StatusFound, http.StatusInternalServerError)
	for range 2 { // where an address points to, a secret does not follow
		if err := newHook(t, url).Send(t.Context(), letter); err == nil {
			t.Error("an answer other than success counts as success")
		}
	}
	err := newHook(t, "http://127.0.0.1:1/secret").Send(t.Context(), letter)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Send = %v, want an error without the address", err)
	}
}

// TestCourier: what is refused arrives later, in order, and a dead channel holds
// up no other.
func TestCourier(t *testing.T) {
	server := newMailServer(t, 2)
	url, bodies := hook(t, 500, 503, 404)
	dead := newHook(t, "http://127.0.0.1:1/")
	c := &alarm.Courier{Channels: []alarm.Channel{dead, newMail(t, server.address, ""), newHook(t, url)}, Logger: quiet}
	alarm.Hasty(c)
	ctx, stop := context.WithCancel(t.Context())
	wait := c.Start(ctx)
	second := letter
	second.Phase = alarm.Ended
	c.Post(letter, second)
	for _, want := range []string{"begins", "ended"} {
		if got := <-bodies; got["phase"] != want {
			t.Errorf("phase = %v, want %s", got["phase"], want)
		}
	}
	for _, want := range []string{"ALERTE", "TERMIN"} {
		if got := <-server.mails; !strings.Contains(got.body, want) {
			t.Errorf("the mail does not say %s:\n%s", want, got.body)
		}
	}
	if c.Waiting() == 0 {
		t.Error("nothing waits for the channel that is down")
	}
	stop()
	wait()
}

// stuck never takes a letter.
type stuck struct{ begun chan struct{} }

func (stuck) Name() string { return "stuck" }
func (s stuck) Send(ctx context.Context, _ alarm.Letter) error {
	s.begun <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// TestCourierNeverWaits: any number of letters can be posted while nothing arrives.
func TestCourierNeverWaits(t *testing.T) {
	s := stuck{make(chan struct{}, 1)}
	c := &alarm.Courier{Channels: []alarm.Channel{s}, Logger: quiet}
	ctx, stop := context.WithCancel(t.Context())
	wait := c.Start(ctx)
	c.Post(letter)
	<-s.begun
	for range 10 * alarm.QueueLength {
		c.Post(letter)
	}
	if got, most := c.Waiting(), alarm.QueueLength+1; got != most {
		t.Errorf("%d letters wait, want %d", got, most)
	}
	stop()
	wait()
}

// TestLettersSayNothing: every letter of every kind, also with a person's words
// where only the operator's should be, holds what is ours.
func TestLettersSayNothing(t *testing.T) {
	v := well()
	v.Backups.NewestData, v.Backups.Destinations[0].Current = 0, false
	v.Fault, v.Cluster.Replicas[1].Alive, v.DiskFree = "Zyxwvut", false, 1
	v.Federation = &node.FederationVitals{}
	for _, code := range node.Troubles {
		v.Federation.Troubles = append(v.Federation.Troubles, node.FederationTrouble{Code: code})
	}
	v.Cluster.Replicas[0].Said.Expires, v.Erasures.Oldest = noon, noon.Add(-48*time.Hour)
	sight := alarm.Look(v)
	sight.Conditions = append(sight.Conditions, alarm.Condition{Kind: alarm.LeaderFlaps, Value: 5}, alarm.Condition{Kind: alarm.NoLeader}, alarm.Condition{Kind: alarm.Sealed})
	for i := range sight.Conditions {
		sight.Conditions[i].Patience = 0
	}
	seen := map[alarm.Kind]bool{}
	letters, memory := alarm.Decide(sight, alarm.Memory{}, noon)
	more, memory := alarm.Decide(sight, memory, noon.Add(25*time.Hour))
	last, _ := alarm.Decide(standing(true), memory, noon.Add(26*time.Hour))
	for _, l := range append(append(letters, more...), last...) {
		seen[l.Kind] = true
		text := l.SubjectLine(from) + "\n" + l.Text(from)
		if strings.Contains(strings.ToLower(text), "zyxwvut") {
			t.Errorf("a letter repeats a person's words:\n%s", text)
		}
		if strings.ContainsAny(text, "{}%") || strings.Contains(text, "\n: ") {
			t.Errorf("a letter is not filled in:\n%s", text)
		}
	}
	if len(letters) != len(alarm.Kinds) || len(more) != len(letters) || len(last) != len(letters) {
		t.Errorf("%d, %d and %d letters, want %d each", len(letters), len(more), len(last), len(alarm.Kinds))
	}
	for _, k := range alarm.Kinds {
		if !seen[k] {
			t.Errorf("no letter about %s", k)
		}
	}
	try := alarm.Letter{Phase: alarm.Test, At: noon}
	if text := try.SubjectLine(from) + try.Text(from); !strings.Contains(text, "ESSAI") || !strings.Contains(text, "test") {
		t.Errorf("the test letter says %s", text)
	}
}
