package passkey_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/bippop/bippop/api/passkey"
)

// csp is that of the product's pages.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const page = `<!doctype html><html lang="fr"><head><title>Clés</title><script type="module" src="/passkey.js"></script></head><body><main>
<form id="create" method="post" action="/answer" data-passkey="create" data-options="/create"><input type="hidden" name="answer"><button hidden>Créer</button><p role="alert" data-trouble hidden>Rien ne s’est passé.</p></form>
<form id="enter" method="post" action="/answer" data-passkey="enter" data-options="/enter"><input type="hidden" name="answer"><button hidden>Entrer</button><p role="alert" data-trouble hidden>Rien ne s’est passé.</p></form>
</main></body></html>`

// desk is a site with a page of the two forms, a browser on it, and a device.
type desk struct {
	*testing.T
	ctx    context.Context
	url    string
	device webauthn.AuthenticatorID

	mu      sync.Mutex
	options []byte // of the next ceremony, for the page to fetch; nil: none
	answers chan []byte
}

// chromium is a real browser; see package web's tests.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const how = "no browser: apt-get install chromium"
	if os.Getenv("CI") != "" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	script, err := os.ReadFile("../web/assets/passkey.js")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, answers: make(chan []byte, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, page)
	})
	mux.HandleFunc("GET /passkey.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	give := func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.options == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(d.options)
	}
	mux.HandleFunc("GET /create", give)
	mux.HandleFunc("GET /enter", give)
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		d.answers <- []byte(r.PostFormValue("answer"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html lang="fr"><title>Clés</title><main id="done">Bonjour</main></html>`)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", csp)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(stop)
	ctx, kill := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(kill)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(func() { chromedp.Cancel(ctx); end() })
	d.ctx = ctx
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	d.run(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		d.device, err = webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}).Do(ctx)
		return err
	}))
	return d
}

func (d *desk) run(actions ...chromedp.Action) {
	d.Helper()
	ctx, stop := context.WithTimeout(d.ctx, time.Minute)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		d.Fatal(err)
	}
}

// gate is the desk's.
func (d *desk) gate(now func() time.Time) *passkey.Gate {
	d.Helper()
	g, err := passkey.New("localhost", "Entraide chez nous", []string{d.url}, now)
	if err != nil {
		d.Fatal(err)
	}
	return g
}

// offer has the page fetch these options.
func (d *desk) offer(options []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.options = options
}

// sign presses the button of a form and returns what the device answered.
func (d *desk) sign(form string, options []byte, err error) []byte {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
	d.offer(options)
	d.run(chromedp.Navigate(d.url), chromedp.WaitVisible("#"+form+" button"), chromedp.Click("#"+form+" button"))
	select {
	case answer := <-d.answers:
		d.run(chromedp.WaitReady("#done"))
		return answer
	case <-time.After(time.Minute):
		d.Fatal("no answer of the device")
		return nil
	}
}

// create makes a passkey for handle.
func (d *desk) create(g *passkey.Gate, handle []byte) passkey.Credential {
	d.Helper()
	options, s, err := g.BeginCreate(handle, "marie", nil)
	c, err := g.FinishCreate(s, d.sign("create", options, err))
	if err != nil {
		d.Fatal(err)
	}
	return c
}

// ask begins a sign-in and lets the device sign it.
func (d *desk) ask(g *passkey.Gate) (passkey.State, []byte) {
	d.Helper()
	options, s, err := g.BeginEnter()
	return s, d.sign("enter", options, err)
}

// knows is a lookup of one passkey.
func knows(c passkey.Credential, handle []byte) func([]byte) (passkey.Credential, []byte, bool) {
	return func(id []byte) (passkey.Credential, []byte, bool) { return c, handle, bytes.Equal(id, c.ID) }
}

func newHandle() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

func (d *desk) refused(what string, want error, e passkey.Entered, err error) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Errorf("%s: %v, want %v", what, err, want)
	}
	if e.Handle != nil && !errors.Is(err, passkey.ErrCloned) {
		d.Errorf("%s: somebody comes in", what)
	}
}

// bend changes a member of what is under publicKey.
func bend(t *testing.T, options []byte, change func(key map[string]any)) []byte {
	t.Helper()
	var all map[string]map[string]any
	if err := json.Unmarshal(options, &all); err != nil {
		t.Fatal(err)
	}
	change(all["publicKey"])
	b, _ := json.Marshal(all)
	return b
}

// change rewrites the JSON that the device has signed over, or its envelope.
func change(t *testing.T, answer []byte, edit func(answer, client map[string]any)) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(answer, &all); err != nil {
		t.Fatal(err)
	}
	r := all["response"].(map[string]any)
	raw, _ := base64.RawURLEncoding.DecodeString(r["clientDataJSON"].(string))
	var client map[string]any
	json.Unmarshal(raw, &client)
	edit(all, client)
	raw, _ = json.Marshal(client)
	r["clientDataJSON"] = base64.RawURLEncoding.EncodeToString(raw)
	b, _ := json.Marshal(all)
	return b
}

// TestPasskey: with a real browser and its device, the good way and what thieves try.
func TestPasskey(t *testing.T) {
	d := newDesk(t)
	clock := time.Now()
	g := d.gate(func() time.Time { return clock })
	marie := newHandle()

	options, s, err := g.BeginCreate(marie, "marie", nil)
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"id":"localhost"`} {
		if !bytes.Contains(options, []byte(want)) {
			t.Errorf("%s is not among the options %s", want, options)
		}
	}
	var keptState passkey.State // as the cookie brings it back
	if b, err := json.Marshal(s); err != nil || json.Unmarshal(b, &keptState) != nil || len(b) > 300 {
		t.Fatalf("a state of %d bytes: %v", len(b), err)
	}
	made := d.sign("create", options, err)
	c, err := g.FinishCreate(keptState, made)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ID) < 16 || len(c.Key) == 0 || c.Eligible || c.BackedUp {
		t.Errorf("kept of it: %+v", c)
	}
	if _, err := g.FinishCreate(keptState, made); !errors.Is(err, passkey.ErrUsed) {
		t.Errorf("created twice: %v", err)
	}

	enter, answer := d.ask(g)
	e, err := g.FinishEnter(enter, answer, knows(c, marie))
	if err != nil || !bytes.Equal(e.Handle, marie) || e.Credential.Count <= c.Count || !bytes.Equal(e.Credential.Key, c.Key) {
		t.Fatalf("entering: %v, count %d after %d", err, e.Credential.Count, c.Count)
	}
	again, err := g.FinishEnter(enter, answer, knows(c, marie))
	d.refused("the same answer a second time", passkey.ErrUsed, again, err)
	other := d.gate(func() time.Time { return clock })
	if _, err := other.FinishEnter(enter, answer, knows(c, marie)); err != nil {
		t.Errorf("a gate that has not seen it: %v", err)
	}

	t.Run("of this ceremony", func(t *testing.T) {
		theirs, foreign := d.ask(g)
		_, state, _ := g.BeginEnter()
		e, err := g.FinishEnter(state, foreign, knows(e.Credential, marie))
		d.refused("an answer to another challenge", passkey.ErrChallenge, e, err)
		e, err = g.FinishEnter(passkey.State{Until: state.Until}, change(t, foreign, func(_, client map[string]any) { client["challenge"] = "" }), knows(c, marie))
		d.refused("no challenge", passkey.ErrChallenge, e, err)
		e, err = g.FinishEnter(state, change(t, foreign, func(_, client map[string]any) { client["challenge"] = state.Challenge }), knows(c, marie))
		d.refused("a challenge put in afterwards", passkey.ErrRefused, e, err)
		clock = clock.Add(passkey.StateLife)
		e, err = g.FinishEnter(theirs, foreign, knows(c, marie))
		d.refused("after five minutes", passkey.ErrLate, e, err)
		e, err = g.FinishEnter(s, made, knows(c, marie))
		d.refused("a creation as an entrance", passkey.ErrUnreadable, e, err)
		if _, err := g.FinishCreate(theirs, foreign); !errors.Is(err, passkey.ErrUnreadable) {
			t.Errorf("an entrance as a creation: %v", err)
		}
	})

	t.Run("of this site", func(t *testing.T) {
		state, answer := d.ask(g)
		elsewhere, err := passkey.New("localhost", "Entraide", []string{"http://localhost:1"}, func() time.Time { return clock })
		if err != nil {
			t.Fatal(err)
		}
		e, err := elsewhere.FinishEnter(state, answer, knows(c, marie))
		d.refused("signed on another origin", passkey.ErrOrigin, e, err)
		e, err = g.FinishEnter(state, change(t, answer, func(_, client map[string]any) { client["origin"] = "https://evil.example" }), knows(c, marie))
		d.refused("an origin put in", passkey.ErrOrigin, e, err)
		e, err = g.FinishEnter(state, change(t, answer, func(_, client map[string]any) { client["crossOrigin"] = true }), knows(c, marie))
		d.refused("within another site's page", passkey.ErrOrigin, e, err)
		options, create, err := g.BeginCreate(newHandle(), "paul", nil)
		made := d.sign("create", options, err)
		if _, err := elsewhere.FinishCreate(create, made); !errors.Is(err, passkey.ErrOrigin) {
			t.Errorf("created on another origin: %v", err)
		}
		d.forget(c.ID)
	})

	t.Run("of this account", func(t *testing.T) {
		paul := newHandle()
		state, answer := d.ask(g)
		e, err := g.FinishEnter(state, answer, knows(c, paul))
		d.refused("her passkey for his account", passkey.ErrUnknown, e, err)
		e, err = g.FinishEnter(state, answer, func([]byte) (passkey.Credential, []byte, bool) { return passkey.Credential{}, nil, false })
		d.refused("a passkey that nobody has", passkey.ErrUnknown, e, err)
		e, err = g.FinishEnter(state, change(t, answer, func(all, _ map[string]any) {
			all["response"].(map[string]any)["userHandle"] = base64.RawURLEncoding.EncodeToString(paul)
		}), knows(c, marie))
		d.refused("his handle put in", passkey.ErrUnknown, e, err)
		e, err = g.FinishEnter(state, change(t, answer, func(all, _ map[string]any) { delete(all["response"].(map[string]any), "userHandle") }), knows(c, marie))
		d.refused("no handle", passkey.ErrUnknown, e, err)
		his := c
		his.Key = d.create(g, paul).Key
		e, err = g.FinishEnter(state, answer, knows(his, marie))
		d.refused("another key", passkey.ErrRefused, e, err)
		d.forget(c.ID)
	})

	t.Run("verified", func(t *testing.T) {
		d.run(webauthn.SetResponseOverrideBits(d.device).WithIsBadUV(true))
		state, answer := d.ask(g)
		e, err := g.FinishEnter(state, answer, knows(c, marie))
		d.refused("by whoever holds the device", passkey.ErrUnverified, e, err)
		options, create, err := g.BeginCreate(newHandle(), "paul", nil)
		made := d.sign("create", options, err)
		if _, err := g.FinishCreate(create, made); !errors.Is(err, passkey.ErrUnverified) {
			t.Errorf("created by whoever holds the device: %v", err)
		}
		d.run(webauthn.SetResponseOverrideBits(d.device))
		d.forget(c.ID)
	})

	t.Run("without attestation", func(t *testing.T) {
		options, create, err := g.BeginCreate(newHandle(), "paul", nil)
		told := d.sign("create", bend(t, options, func(key map[string]any) { key["attestation"] = "direct" }), err)
		if _, err := g.FinishCreate(create, told); !errors.Is(err, passkey.ErrKind) {
			t.Errorf("a device that tells its make: %v", err)
		}
		d.forget(c.ID)
	})

	t.Run("signed", func(t *testing.T) {
		d.run(webauthn.SetResponseOverrideBits(d.device).WithIsBogusSignature(true))
		state, answer := d.ask(g)
		d.run(webauthn.SetResponseOverrideBits(d.device))
		e, err := g.FinishEnter(state, answer, knows(c, marie))
		d.refused("a bogus signature", passkey.ErrRefused, e, err)
		d.run(webauthn.SetResponseOverrideBits(d.device).WithIsBadUP(true))
		state, answer = d.ask(g)
		d.run(webauthn.SetResponseOverrideBits(d.device))
		e, err = g.FinishEnter(state, answer, knows(c, marie))
		d.refused("nobody was there", passkey.ErrRefused, e, err)
	})

	t.Run("not copied", func(t *testing.T) {
		state, answer := d.ask(g)
		newest, err := g.FinishEnter(state, answer, knows(c, marie))
		if err != nil {
			t.Fatal(err)
		}
		d.rewind(c.ID)
		state, answer = d.ask(g)
		e, err := g.FinishEnter(state, answer, knows(newest.Credential, marie))
		d.refused("a copy that counts from the beginning", passkey.ErrCloned, e, err)
		if !bytes.Equal(e.Handle, marie) || e.Credential.Count != newest.Credential.Count {
			t.Errorf("the copy is counted: %d after %d", e.Credential.Count, newest.Credential.Count)
		}
	})

	t.Run("backed up", func(t *testing.T) {
		d.run(webauthn.ClearCredentials(d.device))
		synced := d.create(g, marie)
		id := base64.StdEncoding.EncodeToString(synced.ID)
		d.run(webauthn.SetCredentialProperties(d.device, id).WithBackupEligibility(true).WithBackupState(true))
		synced.Eligible = true
		state, answer := d.ask(g)
		e, err := g.FinishEnter(state, answer, knows(synced, marie))
		if err != nil || !e.Credential.Eligible || !e.Credential.BackedUp {
			t.Errorf("a passkey that is copied to her other devices: %v", err)
		}
		state, answer = d.ask(g)
		synced.Eligible = false
		e, err = g.FinishEnter(state, answer, knows(synced, marie))
		d.refused("a key that was bound to one device", passkey.ErrRefused, e, err)
	})

	t.Run("one for each account", func(t *testing.T) {
		d.run(webauthn.ClearCredentials(d.device))
		first := d.create(g, marie)
		options, _, err := g.BeginCreate(marie, "marie", []passkey.Credential{first})
		if err != nil {
			t.Fatal(err)
		}
		d.trouble("create", options)
	})
	t.Run("nothing happens", func(t *testing.T) {
		d.trouble("enter", nil)
		d.run(webauthn.ClearCredentials(d.device))
		options, _, _ := g.BeginEnter()
		d.trouble("enter", bend(t, options, func(key map[string]any) { key["rpId"] = "elsewhere.example" }))
	})
}

// forget removes all passkeys of the device but one, so that it has no choice to offer.
func (d *desk) forget(but []byte) {
	d.Helper()
	d.run(chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := webauthn.GetCredentials(d.device).Do(ctx)
		for _, c := range all {
			if c.CredentialID != base64.StdEncoding.EncodeToString(but) {
				err = errors.Join(err, webauthn.RemoveCredential(d.device, c.CredentialID).Do(ctx))
			}
		}
		return err
	}))
}

// rewind makes the device's passkey one that has never signed.
func (d *desk) rewind(id []byte) {
	d.Helper()
	d.run(chromedp.ActionFunc(func(ctx context.Context) error {
		c, err := webauthn.GetCredential(d.device, base64.StdEncoding.EncodeToString(id)).Do(ctx)
		if err != nil {
			return err
		}
		c.SignCount, c.RpID = 0, "localhost"
		return errors.Join(webauthn.RemoveCredential(d.device, c.CredentialID).Do(ctx), webauthn.AddCredential(d.device, c).Do(ctx))
	}))
}

// trouble presses a button to which no answer comes: the page says so, and the button
// can be pressed again.
func (d *desk) trouble(form string, options []byte) {
	d.Helper()
	d.offer(options)
	d.run(chromedp.Navigate(d.url), chromedp.WaitVisible("#"+form+" button"), chromedp.Click("#"+form+" button"),
		chromedp.WaitVisible("#"+form+" [data-trouble]"), chromedp.WaitEnabled("#"+form+" button"))
	select {
	case <-d.answers:
		d.Error("something was sent")
	default:
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		rpID    string
		origins []string
		good    bool
	}{
		{"entraide.example.fr", []string{"https://entraide.example.fr"}, true},
		{"example.fr", []string{"https://a.example.fr", "https://b.example.fr:8443"}, true},
		{"localhost", []string{"http://localhost:22200"}, true},
		{"127.0.0.1", []string{"http://127.0.0.1"}, false},
		{"[::1]", []string{"http://[::1]"}, false},
		{"entraide.example.fr", []string{"http://entraide.example.fr"}, false},
		{"entraide.example.fr", []string{"https://example.fr"}, false},
		{"example.fr", []string{"https://evilexample.fr"}, false},
		{"example.fr", []string{"https://example.fr/path"}, false},
		{"example.fr", []string{"https://example.fr", "https://elsewhere.example"}, false},
		{"example.fr:443", []string{"https://example.fr:443"}, false},
		{"Example.fr", []string{"https://Example.fr"}, false},
		{"example.fr", nil, false},
		{"", []string{"https://"}, false},
	} {
		if _, err := passkey.New(c.rpID, "Entraide", c.origins, nil); (err == nil) != c.good {
			t.Errorf("%s, %v: %v", c.rpID, c.origins, err)
		}
	}
	g, err := passkey.New("localhost", "Entraide", []string{"http://localhost"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 15, 65} {
		if _, _, err := g.BeginCreate(make([]byte, size), "marie", nil); err == nil {
			t.Errorf("a handle of %d bytes is taken", size)
		}
	}
	codes := map[string]bool{}
	for _, r := range passkey.Refusals {
		if codes[r.Code()] || !strings.HasPrefix(r.Code(), "passkey-") || !strings.Contains(r.Error(), ":") {
			t.Errorf("%s: twice, or without advice", r.Code())
		}
		codes[r.Code()] = true
	}
}

// a browser's answer, once: what the fuzzers begin from.
const seed = `{"id":"AAAAAAAAAAAAAAAAAAAAAA","rawId":"AAAAAAAAAAAAAAAAAAAAAA","type":"public-key","clientExtensionResults":{},"response":{"clientDataJSON":"%s","%s":"%s","signature":"AAAA","userHandle":"AAAA"}}`

func FuzzFinish(f *testing.F) {
	g, err := passkey.New("localhost", "Entraide", []string{"http://localhost"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	s := passkey.State{Challenge: strings.Repeat("A", 43), Until: time.Now().Add(time.Hour)}
	to := s
	to.Handle = make([]byte, 16)
	client := func(kind string) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"type":"webauthn.%s","challenge":"%s","origin":"http://localhost"}`, kind, s.Challenge))
	}
	data := base64.RawURLEncoding.EncodeToString(append(make([]byte, 32), 5, 0, 0, 0, 1))
	object := base64.RawURLEncoding.EncodeToString([]byte("\xa3cfmtdnonegattStmt\xa0hauthDataX\x25" + strings.Repeat("\x00", 32) + "\x45\x00\x00\x00\x00"))
	f.Add(fmt.Appendf(nil, seed, client("get"), "authenticatorData", data))
	f.Add(fmt.Appendf(nil, seed, client("create"), "attestationObject", object))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if c, err := g.FinishCreate(to, answer); err == nil && (len(c.ID) == 0 || len(c.Key) == 0) {
			t.Error("a passkey of nothing")
		}
		e, err := g.FinishEnter(s, answer, func(id []byte) (passkey.Credential, []byte, bool) {
			return passkey.Credential{ID: id, Key: []byte{0xa0}}, to.Handle, true
		})
		if err == nil || e.Handle != nil {
			t.Error("somebody comes in without a key")
		}
		if _, ok := errors.AsType[*passkey.Refusal](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}
