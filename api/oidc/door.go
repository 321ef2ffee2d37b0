package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	library "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bippop/bippop/crypto"
)

// ReturnPath is where the provider sends the browser back to, below
// [Config.Address].
const ReturnPath = "/sign-in/oidc"

// Config is what an operator says about the provider. All but the two switches is
// required.
type Config struct {
	// Issuer is the provider's name as its tokens say it, letter for letter: an https
	// address, or http on this machine. Its discovery document lies below it.
	Issuer string
	// Client is this node's name at the provider, and Secret what proves it.
	Client string
	Secret crypto.Secret
	// Address is how people reach this node, like https://entraide.example.fr.
	Address string
	// Plain believes what is said of a person without a signature of its own, over TLS.
	// ProConnect signs.
	Plain bool
	// TwoFactors lets nobody in of whom the provider does not say that two were shown.
	TwoFactors bool
	// Now is the clock; nil: the system's.
	Now func() time.Time
}

// check says by the option's name what is wrong.
func (c Config) check() error {
	switch {
	case !reachable(c.Issuer):
		return errors.New("the issuer is an https address without query, as the provider gives it")
	case c.Client == "" || c.Secret.Empty():
		return errors.New("the provider knows this node by a client name and a secret: both are needed")
	case !reachable(c.Address):
		return errors.New("the address of this node is https://HOST, as people type it and as it is registered at the provider")
	}
	return nil
}

// reachable says whether an address may be called: https, or http on this machine.
func reachable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback(u))
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Door is one provider. Safe for concurrent use.
type Door struct {
	cfg   Config
	home  string // Address without a slash at its end
	calls atomic.Uint64
	wire  http.RoundTripper

	turn  chan struct{} // holds one while somebody looks at the fields below; at most one call long
	known *provider
	read  time.Time // when known was
	tried time.Time // when the last try to read it ended
	why   error     // of that try
}

// Open makes a door and calls nobody: a provider that is away does not keep a node
// from starting.
func Open(cfg Config) (*Door, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Door{cfg: cfg, home: strings.TrimSuffix(cfg.Address, "/"), wire: newWire(), turn: make(chan struct{}, 1)}, nil
}

// Calls is how often the provider was called since the start.
func (d *Door) Calls() uint64 { return d.calls.Load() }

// Host is the provider's, for the page that shows what leaves.
func (d *Door) Host() string {
	u, _ := url.Parse(d.cfg.Issuer) // checked in Open
	return u.Host
}

// Flow is a sign-in under way. It lives in the browser, sealed under a key of ours, for
// [FlowLife] at most, and is thrown away when the browser comes back, whatever comes of
// it. It holds no word of a person, but opens what its code leads to.
type Flow struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Begun    time.Time `json:"b"` // UTC
}

func (Flow) String() string       { return "[flow]" }
func (Flow) GoString() string     { return "[flow]" }
func (Flow) LogValue() slog.Value { return slog.StringValue("[flow]") }

// FlowLife is how long somebody may take at the provider.
const FlowLife = 10 * time.Minute

// scopes are those of ProConnect's agents.
var scopes = []string{"openid", "given_name", "usual_name", "email", "siret", "uid"}

// amrAsked asks how the person proved who she is; ProConnect does not say it unasked.
const amrAsked = `{"id_token":{"amr":{"essential":true}}}`

// draw is 43 letters that nobody guesses; ProConnect wants 32 at least.
func draw() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Begin says where to send the browser, and what to keep until it comes back. A page
// leads here by a link: a form may be sent to this node alone, and browsers hold the
// answer's redirection to that too. It returns [ErrAway] or [ErrSetup].
func (d *Door) Begin(ctx context.Context) (to string, flow Flow, err error) {
	p, err := d.provider(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	flow = Flow{State: draw(), Nonce: draw(), Verifier: draw(), Begun: d.cfg.Now().UTC()}
	return p.auth.AuthCodeURL(flow.State, library.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier), oauth2.SetAuthURLParam("claims", amrAsked)), flow, nil
}

// Finish learns who came back with the query, after the flow that Begin gave. Every
// [Refusal] may come of it.
func (d *Door) Finish(ctx context.Context, flow Flow, query url.Values) (Person, error) {
	code, err := d.returned(flow, query)
	if err != nil {
		return Person{}, err
	}
	p, err := d.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx, done := context.WithTimeout(ctx, 3*callLife) // three calls: tokens, keys, claims
	defer done()
	tokens, err := p.exchange(ctx, code, flow.Verifier)
	if err != nil {
		return Person{}, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := p.identify(ctx, raw, tokens.AccessToken, flow.Nonce)
	if err != nil {
		return Person{}, err
	}
	said, err := p.userinfo(ctx, tokens, id.Subject)
	if err != nil {
		return Person{}, err
	}
	person, err := parsePerson(said)
	if err != nil {
		return Person{}, err
	}
	person.Issuer, person.Subject, person.IDToken = d.cfg.Issuer, crypto.NewSecret(id.Subject), crypto.NewSecret(raw)
	var how struct {
		AMR []string `json:"amr"`
	}
	if id.Claims(&how) == nil {
		person.Factors = factors(how.AMR)
	}
	if d.cfg.TwoFactors && person.Factors < 2 {
		return Person{}, ErrFactors
	}
	return person, nil
}

// returned is the code that the browser brings, if it is the browser of this flow.
func (d *Door) returned(flow Flow, query url.Values) (code string, err error) {
	one := func(name string) string {
		if all := query[name]; len(all) == 1 && len(all[0]) <= mostParameter {
			return all[0]
		}
		return ""
	}
	if len(flow.State) < 32 || subtle.ConstantTimeCompare([]byte(one("state")), []byte(flow.State)) != 1 {
		return "", ErrState
	}
	if age := d.cfg.Now().Sub(flow.Begun); age > FlowLife || age < -time.Minute {
		return "", ErrLate
	}
	if query.Has("iss") && one("iss") != d.cfg.Issuer { // RFC 9207
		return "", ErrState
	}
	switch one("error") {
	case "":
	case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
		return "", ErrDeclined
	case "server_error", "temporarily_unavailable":
		return "", ErrAway
	default:
		return "", ErrSetup.because("the provider refuses the request")
	}
	if code = one("code"); code == "" {
		return "", ErrCode
	}
	return code, nil
}

// mostParameter is the length in bytes of what a provider hands over by the browser.
const mostParameter = 4096

// Leave is where to send the browser when the session here has ended, so that it ends
// at the provider too, which sends it on to path below [Config.Address]. It is empty
// when the provider has no such place or is away.
func (d *Door) Leave(ctx context.Context, idToken crypto.Secret, path string) string {
	p, err := d.provider(ctx)
	if err != nil || p.end == "" || idToken.Empty() {
		return ""
	}
	u, err := url.Parse(p.end)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("id_token_hint", idToken.Reveal())
	q.Set("post_logout_redirect_uri", d.home+path)
	q.Set("state", draw()) // ProConnect wants one; nothing hangs on it
	u.RawQuery = q.Encode()
	return u.String()
}
