package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/crypto"
)

func decode(t *testing.T, part string) (claims map[string]any) {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || json.Unmarshal(b, &claims) != nil {
		t.Errorf("not a part of a JWT: %v", err)
	}
	return claims
}

// known are the parameters that ProConnect knows; it answers Y000400 to others.
var known = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "claims", "code_challenge", "code_challenge_method"}

func TestEnter(t *testing.T) {
	s := newProvider(t)
	d := s.door(s.config())
	if d.Calls() != 0 {
		t.Error("opening the door calls the provider")
	}
	to, flow, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(to)
	q := u.Query()
	for name := range q {
		if !slices.Contains(known, name) {
			t.Errorf("asks with %s, which ProConnect refuses", name)
		}
	}
	if len(q.Get("state")) < 32 || len(q.Get("nonce")) < 32 || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid given_name usual_name email siret uid" {
		t.Errorf("asks for %s", to)
	}
	if strings.Contains(to, flow.Verifier) || strings.Contains(fmt.Sprintf("%v %+v %#v", flow, flow, flow), flow.Verifier) {
		t.Error("the verifier shows")
	}
	var kept oidc.Flow // as the cookie brings it back
	if b, err := json.Marshal(flow); err != nil || json.Unmarshal(b, &kept) != nil || kept != flow || len(b) > 300 {
		t.Fatalf("a flow of %d bytes comes back another: %v", len(b), err)
	}
	p, err := d.Finish(t.Context(), kept, s.visit(to))
	if err != nil {
		t.Fatal(err)
	}
	if p.Issuer != s.server.URL || p.Subject.Reveal() != "id1" || p.SIRET != siret || p.SIREN() != "200044394" || p.Factors != 1 ||
		p.Given.Reveal() != "Zoé" || p.Usual.Reveal() != "d’Arc" || p.Email.Reveal() != "zoe@mairie.example" {
		t.Errorf("somebody else came in, of %s by %d factors", p.SIRET, p.Factors)
	}
	for _, word := range []string{"Zoé", "zoe@", "id1", p.IDToken.Reveal()} {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", p, p, p), word) {
			t.Error("a word of hers can be printed")
		}
	}
	if n := d.Calls(); n != 4 { // document, tokens, keys, claims
		t.Errorf("%d calls", n)
	}
	again, _ := s.enter(d)
	if n := d.Calls(); n != 6 || !again.Subject.Equal(p.Subject) {
		t.Errorf("%d calls after the second sign-in", n)
	}
}

func TestLeave(t *testing.T) {
	s := newProvider(t)
	d := s.door(s.config())
	p, err := s.enter(d)
	if err != nil {
		t.Fatal(err)
	}
	to := d.Leave(t.Context(), p.IDToken, "/")
	u, _ := url.Parse(to)
	if q := u.Query(); len(q) != 3 || q.Get("post_logout_redirect_uri") != address+"/" || len(q.Get("state")) < 32 {
		t.Errorf("leaves with %d parameters to %s", len(q), q.Get("post_logout_redirect_uri"))
	}
	if back := s.follow(to); !strings.HasPrefix(back.String(), address+"/") {
		t.Errorf("the provider sends on to %s", back)
	}
	if to := d.Leave(t.Context(), crypto.Secret{}, "/"); to != "" {
		t.Error("leaves without a token")
	}
	restarted := s.door(s.config())
	if restarted.Leave(t.Context(), p.IDToken, "/") == "" {
		t.Error("after a restart nobody signs out at the provider")
	}
}

// TestReturns: what the browser brings is not believed.
func TestReturns(t *testing.T) {
	s := newProvider(t)
	d := s.door(s.config())
	to, flow, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mine := s.visit(to)
	theirsTo, theirs, _ := d.Begin(t.Context())
	hers := s.visit(theirsTo)
	calls := d.Calls()
	with := func(changes ...string) url.Values {
		q := url.Values{}
		for name := range mine {
			q[name] = slices.Clone(mine[name])
		}
		for i := 0; i < len(changes); i += 2 {
			if q.Del(changes[i]); changes[i+1] != "" {
				q.Set(changes[i], changes[i+1])
			}
		}
		return q
	}
	twice := with()
	twice.Add("state", flow.State)
	for name, c := range map[string]struct {
		flow  oidc.Flow
		query url.Values
		want  *oidc.Refusal
	}{
		"another's answer":     {flow, hers, oidc.ErrState},
		"another's flow":       {theirs, mine, oidc.ErrState},
		"no flow":              {oidc.Flow{}, mine, oidc.ErrState},
		"no flow and no state": {oidc.Flow{Begun: flow.Begun}, with("state", ""), oidc.ErrState},
		"a short state":        {oidc.Flow{State: "a", Begun: flow.Begun}, with("state", "a"), oidc.ErrState},
		"state twice":          {flow, twice, oidc.ErrState},
		"another provider":     {flow, with("iss", "https://elsewhere.example"), oidc.ErrState},
		"no code":              {flow, with("code", ""), oidc.ErrCode},
		"endless code":         {flow, with("code", strings.Repeat("c", 5000)), oidc.ErrCode},
		"declined":             {flow, with("code", "", "error", "access_denied"), oidc.ErrDeclined},
		"refused":              {flow, with("code", "", "error", "Y000400", "error_description", "Zoé d’Arc"), oidc.ErrSetup},
		"away":                 {flow, with("code", "", "error", "temporarily_unavailable"), oidc.ErrAway},
		"too late":             {oidc.Flow{State: flow.State, Nonce: flow.Nonce, Verifier: flow.Verifier, Begun: flow.Begun.Add(-oidc.FlowLife - time.Second)}, mine, oidc.ErrLate},
		"from tomorrow":        {oidc.Flow{State: flow.State, Nonce: flow.Nonce, Verifier: flow.Verifier, Begun: flow.Begun.Add(time.Hour)}, mine, oidc.ErrLate},
	} {
		refused(t, name, c.want, func() (oidc.Person, error) { return d.Finish(t.Context(), c.flow, c.query) })
	}
	if d.Calls() != calls {
		t.Error("a foreign answer reaches the provider")
	}
	if _, err := d.Finish(t.Context(), flow, with("code", hers.Get("code"))); !errors.Is(err, oidc.ErrCode) {
		t.Errorf("another's code with my verifier: %v", err)
	}
	if _, err := d.Finish(t.Context(), flow, mine); err != nil {
		t.Errorf("the good way: %v", err)
	}
	refused(t, "the code a second time", oidc.ErrCode, func() (oidc.Person, error) { return d.Finish(t.Context(), flow, mine) })
}

// refused checks that nobody comes in, and that the reason says nothing about her.
func refused(t *testing.T, name string, want *oidc.Refusal, enter func() (oidc.Person, error)) {
	t.Helper()
	p, err := enter()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
		return
	}
	if !p.Subject.Empty() || p.SIRET != "" || !p.IDToken.Empty() {
		t.Errorf("%s: somebody comes in", name)
	}
	for _, word := range []string{"Zoé", "zoe@", "id1", siret} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error holds a word of hers", name)
		}
	}
}

func TestTokens(t *testing.T) {
	s := newProvider(t)
	stranger, _ := rsa.GenerateKey(rand.Reader, 2048)
	set := func(name string, value any) func(map[string]any) string {
		return func(c map[string]any) string { c[name] = value; return s.sign(c) }
	}
	unsigned := func(alg string, c map[string]any) string {
		b, _ := json.Marshal(c)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(b) + "."
	}
	for name, c := range map[string]struct {
		token func(map[string]any) string
		want  *oidc.Refusal
	}{
		"alg none":          {func(c map[string]any) string { return unsigned("none", c) }, oidc.ErrToken},
		"alg nOnE":          {func(c map[string]any) string { return unsigned("nOnE", c) }, oidc.ErrToken},
		"HS256, our secret": {func(c map[string]any) string { return signWith(t, jose.HS256, []byte(secret), c) }, oidc.ErrToken},
		"a stranger's key":  {func(c map[string]any) string { return signWith(t, jose.RS256, stranger, c) }, oidc.ErrToken},
		"his key, its name": {func(c map[string]any) string {
			return signWith(t, jose.RS256, jose.JSONWebKey{Key: stranger, KeyID: "first"}, c)
		}, oidc.ErrToken},
		"for another": {set("aud", "another"), oidc.ErrToken},
		"for two": {func(c map[string]any) string {
			c["aud"] = []string{client, "another"}
			delete(c, "azp")
			return s.sign(c)
		}, oidc.ErrToken},
		"another's party":      {set("azp", "another"), oidc.ErrToken},
		"another issuer":       {set("iss", "https://elsewhere.example"), oidc.ErrToken},
		"expired":              {set("exp", time.Now().Add(-time.Minute).Unix()), oidc.ErrToken},
		"without an end":       {func(c map[string]any) string { delete(c, "exp"); return s.sign(c) }, oidc.ErrToken},
		"not yet":              {set("nbf", time.Now().Add(time.Hour).Unix()), oidc.ErrToken},
		"another access token": {set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), oidc.ErrToken},
		"nobody":               {set("sub", ""), oidc.ErrToken},
		"a foreign nonce":      {set("nonce", strings.Repeat("n", 43)), oidc.ErrNonce},
		"no nonce":             {func(c map[string]any) string { delete(c, "nonce"); return s.sign(c) }, oidc.ErrNonce},
		"no token":             {func(map[string]any) string { return "" }, oidc.ErrToken},
		"no JWT":               {func(map[string]any) string { return "Zoé" }, oidc.ErrToken},
		"claims of numbers":    {set("amr", 7), nil},
	} {
		s.token = c.token
		d := s.door(s.config())
		if c.want == nil {
			if p, err := s.enter(d); err != nil || p.Factors != 0 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused(t, name, c.want, func() (oidc.Person, error) { return s.enter(d) })
		if asked := s.asked[len(s.asked)-1]; asked == "/userinfo" {
			t.Errorf("%s: the claims were asked for", name)
		}
	}
}

func TestUserinfo(t *testing.T) {
	s := newProvider(t)
	stranger, _ := rsa.GenerateKey(rand.Reader, 2048)
	signed := func(change func(c map[string]any)) func(map[string]any) (string, string) {
		return func(c map[string]any) (string, string) {
			change(s.for_(c))
			return "application/jwt", s.sign(c)
		}
	}
	plain := func(c map[string]any) (string, string) {
		b, _ := json.Marshal(c)
		return "application/json", string(b)
	}
	for name, c := range map[string]struct {
		userinfo func(map[string]any) (string, string)
		want     *oidc.Refusal
	}{
		"of somebody else": {signed(func(c map[string]any) { c["sub"] = "id2" }), oidc.ErrUserinfo},
		"of nobody":        {signed(func(c map[string]any) { delete(c, "sub") }), oidc.ErrUserinfo},
		"for another":      {signed(func(c map[string]any) { c["aud"] = "another" }), oidc.ErrUserinfo},
		"for nobody":       {signed(func(c map[string]any) { delete(c, "aud") }), oidc.ErrUserinfo},
		"by another":       {signed(func(c map[string]any) { c["iss"] = "https://elsewhere.example" }), oidc.ErrUserinfo},
		"old":              {signed(func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), oidc.ErrUserinfo},
		"without an end":   {signed(func(c map[string]any) { delete(c, "exp") }), nil},
		"unsigned":         {plain, oidc.ErrUserinfo},
		"called otherwise": {func(c map[string]any) (string, string) { return "text/html", s.sign(s.for_(c)) }, oidc.ErrUserinfo},
		"by a stranger": {func(c map[string]any) (string, string) {
			return "application/jwt", signWith(t, jose.RS256, stranger, s.for_(c))
		}, oidc.ErrUserinfo},
		"by our own secret": {func(c map[string]any) (string, string) {
			return "application/jwt", signWith(t, jose.HS256, []byte(secret), s.for_(c))
		}, oidc.ErrUserinfo},
		"no organisation": {signed(func(c map[string]any) { delete(c, "siret") }), oidc.ErrSIRET},
		"a wrong SIRET":   {signed(func(c map[string]any) { c["siret"] = "20004439400010" }), oidc.ErrSIRET},
		"a number":        {signed(func(c map[string]any) { c["siret"] = 20004439400019 }), oidc.ErrUserinfo},
		"turned text":     {signed(func(c map[string]any) { c["usual_name"] = "d’\u202eArc" }), oidc.ErrUserinfo},
		"an endless name": {signed(func(c map[string]any) { c["given_name"] = strings.Repeat("é", 101) }), oidc.ErrUserinfo},
	} {
		s.userinfo = c.userinfo
		d := s.door(s.config())
		if c.want == nil {
			if _, err := s.enter(d); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused(t, name, c.want, func() (oidc.Person, error) { return s.enter(d) })
	}
	cfg := s.config()
	cfg.Plain = true
	s.userinfo = plain
	if p, err := s.enter(s.door(cfg)); err != nil || p.SIRET != siret {
		t.Errorf("unsigned, as the operator allows: %v", err)
	}
	s.userinfo = func(c map[string]any) (string, string) { c["sub"] = "id2"; return plain(c) }
	refused(t, "unsigned, of somebody else", oidc.ErrUserinfo, func() (oidc.Person, error) { return s.enter(s.door(cfg)) })
}

func TestFactors(t *testing.T) {
	for _, c := range []struct {
		amr  []string
		want int
	}{
		{nil, 0}, {[]string{"pwd"}, 1}, {[]string{"pwd", "pin"}, 1}, {[]string{"pwd", "totp"}, 2}, {[]string{"mfa"}, 2}, {[]string{"pop"}, 1},
		{[]string{"hwk", "fpt"}, 2}, {[]string{"pwd", "otp", "face"}, 2}, {[]string{"mail"}, 1}, {[]string{"anything"}, 0},
	} {
		if got := oidc.TestOnlyFactors(c.amr); got != c.want {
			t.Errorf("%v: %d factors, not %d", c.amr, got, c.want)
		}
	}
	s := newProvider(t)
	cfg := s.config()
	cfg.TwoFactors = true
	d := s.door(cfg)
	refused(t, "a password alone", oidc.ErrFactors, func() (oidc.Person, error) { return s.enter(d) })
	s.token = func(c map[string]any) string { c["amr"] = []string{"pwd", "totp"}; return s.sign(c) }
	if p, err := s.enter(d); err != nil || p.Factors != 2 {
		t.Errorf("with two factors: %v", err)
	}
}

// TestRotation: the provider changes its key while somebody is on the way.
func TestRotation(t *testing.T) {
	s := newProvider(t)
	d := s.door(s.config())
	if _, err := s.enter(d); err != nil {
		t.Fatal(err)
	}
	to, flow, _ := d.Begin(t.Context())
	query := s.visit(to)
	next, _ := rsa.GenerateKey(rand.Reader, 2048)
	s.rotate("second", next)
	if _, err := d.Finish(t.Context(), flow, query); err != nil {
		t.Errorf("after the key was changed: %v", err)
	}
	s.userinfo = func(c map[string]any) (string, string) { // and between its two answers
		last, _ := rsa.GenerateKey(rand.Reader, 2048)
		s.rotate("third", last)
		return "application/jwt", s.sign(s.for_(c))
	}
	if _, err := s.enter(d); err != nil {
		t.Errorf("between token and claims: %v", err)
	}
	s.token = func(c map[string]any) string {
		return signWith(t, jose.RS256, jose.JSONWebKey{Key: signer(), KeyID: "first"}, c)
	}
	refused(t, "a key that was withdrawn", oidc.ErrToken, func() (oidc.Person, error) { return s.enter(d) })
}

// TestAway: a provider that hangs, breaks, or talks without end stops nobody for long.
func TestAway(t *testing.T) {
	paths := []string{"/.well-known/openid-configuration", "/oauth/token", "/keys", "/userinfo"}
	kinds := map[string]func(w http.ResponseWriter, r *http.Request){
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // a server hears of a caller that leaves once it has read him
			<-r.Context().Done()
		},
		"breaks":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"hangs up":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"says nothing": func(http.ResponseWriter, *http.Request) {},
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"keys":[`+strings.Repeat(" ", 10<<20)+`]}`)
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		},
		"elsewhere": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
	}
	for _, path := range paths {
		for name, bad := range kinds {
			t.Run(name+path, func(t *testing.T) {
				s := newProvider(t)
				d := s.door(s.config())
				to, flow, err := d.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				query := s.visit(to)
				if path == paths[0] {
					d = s.door(s.config())
				}
				if name == "hangs" || name == "drips" {
					defer oidc.Hurry(200 * time.Millisecond)()
					if path != paths[0] {
						d = s.door(s.config())
						s.warm(d)
					}
				}
				s.mu.Lock()
				s.before = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == path {
						bad(w, r)
					}
					return r.URL.Path == path
				}
				s.mu.Unlock()
				if _, err := d.Finish(t.Context(), flow, query); !errors.Is(err, oidc.ErrAway) && !(name == "says nothing" || name == "elsewhere") {
					t.Errorf("got %v", err)
				} else if err == nil {
					t.Error("somebody comes in")
				}
				if path != paths[0] {
					return
				}
				if _, _, err := d.Begin(t.Context()); !errors.Is(err, oidc.ErrAway) {
					t.Errorf("beginning: %v", err)
				}
				s.mu.Lock()
				s.before = nil
				s.mu.Unlock()
				defer oidc.Hurry(10 * time.Second)()
				if _, err := s.enter(d); err != nil {
					t.Errorf("when it is back: %v", err)
				}
			})
		}
	}
}

// warm has the door read the discovery document.
func (s *state) warm(d *oidc.Door) {
	s.Helper()
	if _, _, err := d.Begin(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// TestDocument: a discovery document leads nowhere but to its provider.
func TestDocument(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a foreign host is called") }))
	defer trap.Close()
	s := newProvider(t)
	document := func(changes map[string]any) {
		answer, err := http.Get(s.server.URL + "/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		doc := map[string]any{}
		if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		for name, v := range changes {
			doc[name] = v
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(doc)
				return true
			}
			return false
		}
	}
	for name, c := range map[string]struct {
		changes map[string]any
		want    *oidc.Refusal
	}{
		"another issuer":        {map[string]any{"issuer": trap.URL}, oidc.ErrSetup},
		"the network's own":     {map[string]any{"userinfo_endpoint": "http://169.254.169.254/latest"}, oidc.ErrSetup},
		"in clear":              {map[string]any{"token_endpoint": "http://provider.example/token"}, oidc.ErrSetup},
		"a file":                {map[string]any{"jwks_uri": "file:///etc/passwd"}, oidc.ErrSetup},
		"no keys":               {map[string]any{"jwks_uri": ""}, oidc.ErrSetup},
		"no token":              {map[string]any{"token_endpoint": nil}, oidc.ErrSetup},
		"a name in the address": {map[string]any{"authorization_endpoint": strings.Replace(s.server.URL, "http://", "http://a:b@", 1)}, oidc.ErrSetup},
		"a script":              {map[string]any{"end_session_endpoint": "javascript:alert(1)"}, oidc.ErrSetup},
		"numbers":               {map[string]any{"token_endpoint": 7}, oidc.ErrAway},
	} {
		s.mu.Lock()
		s.before = nil
		s.mu.Unlock()
		document(c.changes)
		d := s.door(s.config())
		if to, _, err := d.Begin(t.Context()); !errors.Is(err, c.want) || to != "" {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	s.mu.Lock()
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, trap.URL+r.URL.Path, http.StatusFound)
		return true
	}
	s.mu.Unlock()
	if _, _, err := s.door(s.config()).Begin(t.Context()); !errors.Is(err, oidc.ErrAway) {
		t.Errorf("sent to a foreign host: %v", err)
	}
}

// TestPatience: a provider that was just away is not asked again at once, and one whose
// document was read is used on while it is away.
func TestPatience(t *testing.T) {
	s := newProvider(t)
	now := time.Now()
	cfg := s.config()
	cfg.Now = func() time.Time { return now }
	d := s.door(cfg)
	s.mu.Lock()
	s.before = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(500); return true }
	s.mu.Unlock()
	for range 10 {
		if _, _, err := d.Begin(t.Context()); !errors.Is(err, oidc.ErrAway) {
			t.Fatal(err)
		}
	}
	if d.Calls() != 1 {
		t.Errorf("%d calls within the same second", d.Calls())
	}
	s.mu.Lock()
	s.before = nil
	s.mu.Unlock()
	now = now.Add(time.Minute)
	s.warm(d)
	s.mu.Lock()
	s.before = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(500); return true }
	s.mu.Unlock()
	now = now.Add(48 * time.Hour)
	s.warm(d)
}

func TestSecretRefused(t *testing.T) {
	s := newProvider(t)
	cfg := s.config()
	cfg.Secret = crypto.NewSecret("another")
	d := s.door(cfg)
	refused(t, "another secret", oidc.ErrSetup, func() (oidc.Person, error) { return s.enter(d) })
}

func TestConfig(t *testing.T) {
	good := oidc.Config{Issuer: "https://auth.agentconnect.gouv.fr/api/v2", Client: "c", Secret: crypto.NewSecret("s"), Address: "https://entraide.example.fr/"}
	d, err := oidc.Open(good)
	if err != nil || d.Host() != "auth.agentconnect.gouv.fr" {
		t.Fatalf("%v", err)
	}
	for name, change := range map[string]func(*oidc.Config){
		"no issuer":       func(c *oidc.Config) { c.Issuer = "" },
		"clear issuer":    func(c *oidc.Config) { c.Issuer = "http://auth.example.fr" },
		"issuer by query": func(c *oidc.Config) { c.Issuer += "?a=b" },
		"no client":       func(c *oidc.Config) { c.Client = "" },
		"no secret":       func(c *oidc.Config) { c.Secret = crypto.Secret{} },
		"clear address":   func(c *oidc.Config) { c.Address = "http://entraide.example.fr" },
		"no address":      func(c *oidc.Config) { c.Address = "entraide.example.fr" },
	} {
		bad := good
		change(&bad)
		if _, err := oidc.Open(bad); err == nil {
			t.Errorf("%s: opens", name)
		}
	}
	codes := map[string]bool{}
	for _, r := range oidc.Refusals {
		if codes[r.Code()] || !strings.HasPrefix(r.Code(), "oidc-") || !strings.Contains(r.Error(), ":") {
			t.Errorf("%s: twice, or without advice", r.Code())
		}
		codes[r.Code()] = true
	}
}

func TestSIRET(t *testing.T) {
	for s, want := range map[string]bool{
		siret: true, "73282932000074": true, "35600000000048": true, "35600000049837": true, // the post: Luhn, or a sum of fives
		"73282932000075": false, "35600000049838": false, "00000000000000": false, "7328293200007": false, "732829320000740": false, "": false,
		"7328293200007a": false, "７３２８２９３２００００７４": false, " 7328293200007": false,
	} {
		if got := oidc.TestOnlyValidSIRET(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// FuzzPerson: whatever claims say, whoever is let in has a name that a page can show.
func FuzzPerson(f *testing.F) {
	b, _ := json.Marshal(claimed)
	f.Add(b)
	f.Add([]byte(`{"siret":"20004439400019","given_name":null}`))
	f.Add([]byte(`{"siret":{"a":1}}`))
	f.Add([]byte(`[]`))
	f.Add([]byte("{\"siret\":\"20004439400019\",\"usual_name\":\"\\ud800\xff\"}"))
	f.Fuzz(func(t *testing.T, claims []byte) {
		p, err := oidc.TestOnlyParsePerson(claims)
		if err != nil {
			if !errors.Is(err, oidc.ErrUserinfo) && !errors.Is(err, oidc.ErrSIRET) {
				t.Errorf("got %v", err)
			}
			return
		}
		if !oidc.TestOnlyValidSIRET(p.SIRET) || p.SIREN() != p.SIRET[:9] {
			t.Errorf("SIRET %q", p.SIRET)
		}
		for _, s := range []crypto.Secret{p.Given, p.Usual, p.Email} {
			if strings.ContainsAny(s.Reveal(), "\x00\n\u202e\ufffd") || len(s.Reveal()) > 1016 {
				t.Errorf("%q", s.Reveal())
			}
		}
	})
}

// FuzzReturn: whatever a browser brings, it is not the one of the flow, and nobody is called.
func FuzzReturn(f *testing.F) {
	d, err := oidc.Open(oidc.Config{Issuer: "https://provider.example", Client: "c", Secret: crypto.NewSecret("s"), Address: "https://node.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("state=&code=a")
	f.Add("state=" + strings.Repeat("s", 43) + "&state=x&error=a")
	f.Fuzz(func(t *testing.T, query string) {
		q, _ := url.ParseQuery(query)
		flow := oidc.Flow{State: strings.Repeat("S", 43), Nonce: strings.Repeat("N", 43), Begun: time.Now()}
		if len(q["state"]) == 1 && q.Get("state") == flow.State {
			return
		}
		if _, err := d.Finish(t.Context(), flow, q); !errors.Is(err, oidc.ErrState) || d.Calls() != 0 {
			t.Errorf("got %v after %d calls", err, d.Calls())
		}
	})
}
