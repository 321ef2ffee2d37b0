package oidc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	model "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/crypto"
)

const (
	client  = "bippop"
	secret  = "a secret of thirty-two characters"
	address = "http://127.0.0.1:22209" // of the node; nobody listens there
	siret   = "20004439400019"
)

// claimed is what the provider of the tests says about its one agent.
var claimed = map[string]any{"given_name": "Zoé", "usual_name": "d’Arc", "email": "zoe@mairie.example", "siret": siret, "uid": "za"}

// state is a real provider, with what a test breaks in it.
type state struct {
	*testing.T
	*storage.Storage
	server *httptest.Server
	client *http.Client // the agent's browser

	mu       sync.Mutex
	key      jose.JSONWebKey // signs from now on
	public   []op.Key
	lifetime time.Duration
	claims   map[string]any
	token    func(claims map[string]any) string // makes the ID token of its claims; nil: as it is
	userinfo func(claims map[string]any) (kind, body string)
	before   func(w http.ResponseWriter, r *http.Request) (done bool)
	asked    []string // paths
}

var signer = sync.OnceValue(func() *rsa.PrivateKey { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k })

func newProvider(t *testing.T) *state {
	t.Helper()
	s := &state{T: t, lifetime: time.Hour, claims: maps.Clone(claimed)}
	s.rotate("first", signer())
	s.userinfo = func(claims map[string]any) (string, string) { return "application/jwt", s.sign(s.for_(claims)) }
	clients := map[string]*storage.Client{client: storage.WebClient(client, secret, address+oidc.ReturnPath)}
	var provider http.Handler
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(provider, w, r) }))
	t.Cleanup(s.server.Close)
	s.Storage = storage.NewStorageWithClients(storage.NewUserStore(s.server.URL), clients)
	made, err := op.NewProvider(&op.Config{CryptoKey: [32]byte{1}, CodeMethodS256: true, AuthMethodPost: true}, s, op.StaticIssuer(s.server.URL),
		op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	provider = made
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// rotate signs with another key from now on, and forgets the former one.
func (s *state) rotate(id string, key *rsa.PrivateKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "RS256", Use: "sig"}
	s.public = []op.Key{pair{jose.JSONWebKey{Key: key.Public(), KeyID: id}}}
}

// pair is a key as the provider's library wants it.
type pair struct{ jose.JSONWebKey }

func (p pair) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (p pair) Algorithm() jose.SignatureAlgorithm          { return jose.RS256 }
func (p pair) Use() string                                 { return "sig" }
func (p pair) Key() any                                    { return p.JSONWebKey.Key }
func (p pair) ID() string                                  { return p.KeyID }

func (s *state) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return pair{s.key}, nil
}

func (s *state) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *state) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.public, nil
}

// agentsClient gives the scopes of ProConnect.
type agentsClient struct {
	op.Client
	life time.Duration
}

func (agentsClient) IsScopeAllowed(string) bool       { return true }
func (agentsClient) PostLogoutRedirectURIs() []string { return []string{address + "/"} }
func (c agentsClient) IDTokenLifetime() time.Duration { return c.life }

func (s *state) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	return agentsClient{c, s.lifetime}, err
}

func (s *state) SetUserinfoFromToken(ctx context.Context, info *model.UserInfo, tokenID, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	info.Email = "" // ours is another
	for name, v := range s.claims {
		info.AppendClaims(name, v)
	}
	return nil
}

// serve lets the provider answer, and bends what it says as the test wants.
func (s *state) serve(provider http.Handler, w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if r.URL.Path != "/userinfo" && (r.URL.Path != "/oauth/token" || s.token == nil) {
		provider.ServeHTTP(w, r)
		return
	}
	kept := httptest.NewRecorder()
	provider.ServeHTTP(kept, r)
	said := map[string]any{}
	if kept.Code != 200 || json.Unmarshal(kept.Body.Bytes(), &said) != nil {
		w.WriteHeader(kept.Code)
		io.Copy(w, kept.Body)
		return
	}
	if r.URL.Path == "/userinfo" {
		kind, body := s.userinfo(said)
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
		return
	}
	_, payload, _ := strings.Cut(said["id_token"].(string), ".")
	payload, _, _ = strings.Cut(payload, ".")
	said["id_token"] = s.token(decode(s.T, payload))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(said)
}

// for_ makes claims those of a JWT to our client.
func (s *state) for_(claims map[string]any) map[string]any {
	claims["iss"], claims["aud"], claims["exp"] = s.server.URL, client, time.Now().Add(time.Minute).Unix()
	return claims
}

// sign makes a JWT by the present key.
func (s *state) sign(claims map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return signWith(s.T, jose.RS256, s.key, claims)
}

func signWith(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	b, _ := json.Marshal(claims)
	signed, err := made.Sign(b)
	if err != nil {
		t.Error(err)
		return ""
	}
	text, _ := signed.CompactSerialize()
	return text
}

// config is the door's to this provider.
func (s *state) config() oidc.Config {
	return oidc.Config{Issuer: s.server.URL, Client: client, Secret: crypto.NewSecret(secret), Address: address}
}

func (s *state) door(cfg oidc.Config) *oidc.Door {
	s.Helper()
	d, err := oidc.Open(cfg)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// visit is the agent at the provider: she signs in, and is sent back with a query.
func (s *state) visit(to string) url.Values {
	s.Helper()
	login := s.follow(to)
	id := login.Query().Get("authRequestID")
	if err := s.CheckUsernamePassword("test-user@127.0.0.1", "verysecure", id); err != nil {
		s.Fatalf("%v at %s", err, login)
	}
	back := s.follow(s.server.URL + "/authorize/callback?id=" + url.QueryEscape(id))
	if got := back.Scheme + "://" + back.Host + back.Path; got != address+oidc.ReturnPath {
		s.Fatalf("sent back to %s", got)
	}
	return back.Query()
}

func (s *state) follow(to string) *url.URL {
	s.Helper()
	answer, err := s.client.Get(to)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	next, err := answer.Location()
	if err != nil {
		b, _ := io.ReadAll(answer.Body)
		s.Fatalf("%d, to nowhere: %s", answer.StatusCode, bytes.TrimSpace(b))
	}
	return next
}

// enter is the whole way.
func (s *state) enter(d *oidc.Door) (oidc.Person, error) {
	s.Helper()
	to, flow, err := d.Begin(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return d.Finish(s.Context(), flow, s.visit(to))
}
