package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	library "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Bounds of a call to the provider.
const (
	mostAnswer = 512 << 10      // bytes
	knownLife  = 24 * time.Hour // of the discovery document
)

// They stay what they are but in a test.
var (
	callLife   = 10 * time.Second
	retryAfter = 5 * time.Second // a provider that is away is not asked before
)

// algorithms are the signatures that are believed: made by a key that the provider
// alone has. "none" and the HS family, whose key is our own secret, are not among them.
var algorithms = []string{library.RS256, library.RS384, library.RS512, library.PS256, library.PS384, library.PS512,
	library.ES256, library.ES384, library.ES512, library.EdDSA}

// provider is what its discovery document says.
type provider struct {
	cfg    Config
	client *http.Client
	auth   oauth2.Config
	keys   *library.RemoteKeySet
	claims string // the userinfo endpoint
	end    string // where sessions end, or ""
}

// provider reads the discovery document, if it was not read today. One that cannot be
// read again is used on.
func (d *Door) provider(ctx context.Context) (*provider, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ErrAway
	}
	defer func() { <-d.turn }()
	now := d.cfg.Now()
	if d.known != nil && now.Sub(d.read) < knownLife {
		return d.known, nil
	}
	if d.why == nil || now.Sub(d.tried) >= retryAfter {
		var p *provider
		p, d.why = d.discover(context.WithoutCancel(ctx)) // for all who wait
		d.tried = d.cfg.Now()
		if d.why == nil {
			d.known, d.read = p, d.tried
		}
	}
	if d.known != nil {
		return d.known, nil
	}
	return nil, d.why
}

func (d *Door) discover(ctx context.Context) (*provider, error) {
	issuer, _ := url.Parse(d.cfg.Issuer) // checked in Open
	g := &guard{next: d.wire, calls: &d.calls, hosts: []string{issuer.Host}, here: loopback(issuer)}
	client := &http.Client{Transport: g, Timeout: callLife, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	found, err := library.NewProvider(library.ClientContext(ctx, client), d.cfg.Issuer)
	if _, other := errors.AsType[*library.IssuerMismatchError](err); other {
		return nil, ErrSetup.because("it calls itself by another name than --oidc-issuer")
	} else if err != nil {
		return nil, ErrAway
	}
	var doc struct {
		Auth   string   `json:"authorization_endpoint"`
		Token  string   `json:"token_endpoint"`
		Claims string   `json:"userinfo_endpoint"`
		Keys   string   `json:"jwks_uri"`
		End    string   `json:"end_session_endpoint"`
		Means  []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&doc); err != nil {
		return nil, ErrAway
	}
	for _, address := range []string{doc.Auth, doc.Token, doc.Claims, doc.Keys, doc.End} {
		if address == "" && address == doc.End {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || !g.may(u) {
			return nil, ErrSetup.because("its discovery document leads where we do not go")
		}
		g.hosts = append(g.hosts, u.Host)
	}
	style := oauth2.AuthStyleInHeader // what a provider means that says nothing
	if slices.Contains(doc.Means, "client_secret_post") {
		style = oauth2.AuthStyleInParams
	}
	return &provider{
		cfg: d.cfg, client: client, claims: doc.Claims, end: doc.End,
		auth: oauth2.Config{
			ClientID: d.cfg.Client, ClientSecret: d.cfg.Secret.Reveal(), RedirectURL: d.home + ReturnPath, Scopes: scopes,
			Endpoint: oauth2.Endpoint{AuthURL: doc.Auth, TokenURL: doc.Token, AuthStyle: style},
		},
		keys: library.NewRemoteKeySet(library.ClientContext(ctx, client), doc.Keys),
	}, nil
}

// exchange gives the code, once, for tokens.
func (p *provider) exchange(ctx context.Context, code, verifier string) (*oauth2.Token, error) {
	tokens, err := p.auth.Exchange(library.ClientContext(ctx, p.client), code, oauth2.VerifierOption(verifier))
	if err == nil {
		return tokens, nil
	}
	said, _ := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case said == nil || said.ErrorCode == "" && said.Response.StatusCode >= 500:
		return nil, ErrAway
	case said.ErrorCode == "invalid_grant":
		return nil, ErrCode
	}
	return nil, ErrSetup.because("the provider refuses this client or its secret")
}

// verify checks signature, issuer, audience and, unless ageless, age of a JWT. What is
// wrong with it is refusal; keys that cannot be fetched are [ErrAway].
func (p *provider) verify(ctx context.Context, raw string, ageless bool, refusal *Refusal) (*library.IDToken, error) {
	keys := &watched{keys: p.keys}
	token, err := library.NewVerifier(p.cfg.Issuer, keys, &library.Config{
		ClientID: p.cfg.Client, SupportedSigningAlgs: algorithms, Now: p.cfg.Now, SkipExpiryCheck: ageless,
	}).Verify(ctx, raw)
	_, late := errors.AsType[*library.TokenExpiredError](err)
	switch {
	case err == nil:
		return token, nil
	case keys.away:
		return nil, ErrAway
	case late:
		return nil, refusal.because("too old; see whether the clock of this machine is right")
	}
	return nil, refusal.because("signature, issuer or audience")
}

// watched tells keys that cannot be fetched from a signature that none of them made.
type watched struct {
	keys *library.RemoteKeySet
	away bool
}

func (w *watched) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	b, err := w.keys.VerifySignature(ctx, jwt)
	w.away = errors.Unwrap(err) != nil // the library wraps what fetching failed by, and nothing else
	return b, err
}

// identify checks an ID token, by OpenID Connect Core §3.1.3.7.
func (p *provider) identify(ctx context.Context, raw, access, nonce string) (*library.IDToken, error) {
	id, err := p.verify(ctx, raw, false, ErrToken)
	if err != nil {
		return nil, err
	}
	var more struct {
		Party string `json:"azp"`
	}
	switch err := id.Claims(&more); {
	case err != nil || more.Party != "" && more.Party != p.cfg.Client || more.Party == "" && len(id.Audience) > 1:
		return nil, ErrToken.because("it is for another program")
	case id.Subject == "" || len(id.Subject) > 255:
		return nil, ErrToken.because("it names nobody")
	case nonce == "" || id.Nonce != nonce:
		return nil, ErrNonce
	case id.AccessTokenHash != "" && id.VerifyAccessToken(access) != nil:
		return nil, ErrToken.because("it belongs to other tokens")
	}
	return id, nil
}

// userinfo is what the provider says about subject: the payload of a JWT, or plain
// JSON where the operator allows that.
func (p *provider) userinfo(ctx context.Context, tokens *oauth2.Token, subject string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.claims, nil)
	if err != nil {
		return nil, ErrAway
	}
	r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, ErrAway
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, ErrAway
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case kind == "application/jwt":
		signed, err := p.verify(ctx, string(b), true, ErrUserinfo)
		if err != nil {
			return nil, err
		}
		if !signed.Expiry.IsZero() && signed.Expiry.Before(p.cfg.Now()) {
			return nil, ErrUserinfo.because("too old")
		}
		var payload json.RawMessage
		if err := signed.Claims(&payload); err != nil {
			return nil, ErrUserinfo.because("unreadable")
		}
		b = payload
	case !p.cfg.Plain:
		return nil, ErrUserinfo.because("unsigned")
	}
	if s, err := subjectOf(b); err != nil || s != subject {
		return nil, ErrUserinfo.because("about somebody else")
	}
	return b, nil
}

// newWire is how calls leave: by the proxy that the environment names, if any.
func newWire() *http.Transport {
	dial := net.Dialer{Timeout: callLife / 2}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, TLSHandshakeTimeout: callLife / 2, IdleConnTimeout: time.Minute,
		MaxIdleConns: 4, MaxResponseHeaderBytes: 64 << 10,
	}
}

// guard lets calls go to the hosts of one provider, and answers come up to a size.
type guard struct {
	next  http.RoundTripper
	calls *atomic.Uint64
	hosts []string // fixed before anybody else sees it
	here  bool     // the provider is on this machine
}

// may says whether the provider may name that address.
func (g *guard) may(u *url.URL) bool {
	return u.Host != "" && u.User == nil && u.Fragment == "" && loopback(u) == g.here && (u.Scheme == "https" || g.here && u.Scheme == "http")
}

var errElsewhere = errors.New("oidc: not a host of the provider")

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.may(r.URL) || !slices.Contains(g.hosts, r.URL.Host) {
		return nil, errElsewhere
	}
	g.calls.Add(1)
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &bounded{answer.Body, mostAnswer}
	return answer, nil
}

var errTooLong = errors.New("oidc: the answer is too long")

// bounded fails where an answer goes on past left bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
