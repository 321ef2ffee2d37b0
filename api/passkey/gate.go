package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// StateLife is how long a challenge is good for.
	StateLife = 5 * time.Minute

	mostAnswer = 32 << 10 // bytes
	mostKey    = 2 << 10  // bytes; RSA of 4096 bits has 600
	mostID     = 1023     // bytes, of a credential: WebAuthn §5.8.3
)

// State is a ceremony under way. It lives in the browser, sealed under a key of ours,
// and is thrown away when the browser comes back.
type State struct {
	Challenge string    `json:"c"`
	Handle    []byte    `json:"h,omitempty"` // for whom a passkey is made; none when somebody enters
	Until     time.Time `json:"u"`           // UTC
}

// Credential is what is kept of a passkey. Nothing in it is secret, and nothing in it
// names a person or a device's make.
type Credential struct {
	ID       []byte // what the device calls it
	Key      []byte // public, COSE
	Count    uint32 // how often it has signed; 0 for ever where a device does not count
	Eligible bool   // it may be copied to the owner's other devices
	BackedUp bool   // and is
}

// Entered is who has come in.
type Entered struct {
	Handle     []byte     // the account's
	Credential Credential // to be kept in place of the former one
}

// Gate is one site's ceremonies. Safe for concurrent use; it belongs to a process, for
// it remembers which challenges have let somebody in.
type Gate struct {
	library *webauthn.WebAuthn
	now     func() time.Time

	mu           sync.Mutex      // held for no longer than a look
	used, former map[string]bool // challenges, of two generations
	turned       time.Time
}

// New makes the gate of a site. rpID is its host without a port, by which devices know
// it for ever: changed, every passkey is lost. name is what people call the service.
// origins are the addresses of its pages: https, or http on localhost, on rpID itself or
// below it. Browsers know no passkeys for numeric addresses, and New says so. now is
// the clock; nil: the system's.
func New(rpID, name string, origins []string, now func() time.Time) (*Gate, error) {
	if now == nil {
		now = time.Now
	}
	if net.ParseIP(strings.Trim(rpID, "[]")) != nil || rpID == "" || strings.ContainsAny(rpID, ":/ ") || rpID != strings.ToLower(rpID) || name == "" || len(origins) == 0 {
		return nil, errors.New("passkeys need the site's host name in small letters, not a number, and what people call it")
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || o != u.Scheme+"://"+u.Host || u.Hostname() != rpID && !strings.HasSuffix(u.Hostname(), "."+rpID) ||
			u.Scheme != "https" && !(u.Scheme == "http" && u.Hostname() == "localhost") {
			return nil, errors.New("passkeys work on https pages of the site's own host")
		}
	}
	yes := true
	library, err := webauthn.New(&webauthn.Config{
		RPID: rpID, RPDisplayName: name, RPOrigins: slices.Clone(origins), AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: StateLife, TimeoutUVD: StateLife},
			Registration: webauthn.TimeoutConfig{Timeout: StateLife, TimeoutUVD: StateLife},
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // password managers add some
	})
	if err != nil {
		return nil, errors.New("passkeys cannot be set up for this host name")
	}
	return &Gate{library: library, now: now, used: map[string]bool{}, former: map[string]bool{}, turned: now()}, nil
}

// kinds of signatures, the likeliest first: ES256, EdDSA, RS256.
var kinds = []protocol.CredentialParameter{{Type: "public-key", Algorithm: -7}, {Type: "public-key", Algorithm: -8}, {Type: "public-key", Algorithm: -257}}

// owner is an account as the library wants it.
type owner struct {
	handle []byte
	name   string
	has    []webauthn.Credential
}

func (o owner) WebAuthnID() []byte                         { return o.handle }
func (o owner) WebAuthnName() string                       { return o.name }
func (o owner) WebAuthnDisplayName() string                { return o.name }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.has }

// BeginCreate gives the options of a passkey for an account, and what to keep. handle
// names the account, 16 to 64 bytes that say nothing; shown is how the device lists it
// to its owner, a login; existing are the account's passkeys, so that a device does not
// get a second one.
func (g *Gate) BeginCreate(handle []byte, shown string, existing []Credential) (options []byte, s State, err error) {
	if len(handle) < 16 || len(handle) > 64 || shown == "" {
		return nil, State{}, errors.New("passkey: a handle has 16 to 64 bytes, and an account is shown by a name")
	}
	has := make([]protocol.CredentialDescriptor, len(existing))
	for i, c := range existing {
		has[i] = protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: c.ID}
	}
	made, session, err := g.library.BeginRegistration(owner{handle: handle, name: shown},
		webauthn.WithExclusions(has), webauthn.WithCredentialParameters(kinds))
	if err != nil {
		return nil, State{}, errors.New("passkey: no options can be made for this account")
	}
	return g.begun(made, session.Challenge, handle)
}

// BeginEnter gives the options of a sign-in, of whomever, and what to keep.
func (g *Gate) BeginEnter() (options []byte, s State, err error) {
	made, session, err := g.library.BeginDiscoverableLogin()
	if err != nil {
		return nil, State{}, errors.New("passkey: no options can be made")
	}
	return g.begun(made, session.Challenge, nil)
}

func (g *Gate) begun(options any, challenge string, handle []byte) ([]byte, State, error) {
	b, err := json.Marshal(options)
	return b, State{Challenge: challenge, Handle: handle, Until: g.now().Add(StateLife).UTC()}, err
}

// FinishCreate is the passkey that a device has made for the account of s, which is the
// one that is signed in: the caller compares. It returns a [Refusal].
func (g *Gate) FinishCreate(s State, answer []byte) (Credential, error) {
	if len(answer) > mostAnswer || len(s.Handle) == 0 {
		return Credential{}, ErrUnreadable
	}
	said, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Credential{}, ErrUnreadable
	}
	at := said.Response.AttestationObject
	if at.Format != string(protocol.AttestationFormatNone) || len(at.AttStatement) != 0 {
		return Credential{}, ErrKind
	}
	if err := g.check(s, said.Response.CollectedClientData, at.AuthData.Flags); err != nil {
		return Credential{}, err
	}
	session := g.session(s)
	session.CredParams = kinds
	made, err := g.library.CreateCredential(owner{handle: s.Handle}, session, said)
	if err != nil || len(made.ID) > mostID || len(made.PublicKey) > mostKey || !bytes.Equal(made.ID, said.RawID) {
		return Credential{}, ErrRefused
	}
	if !g.first(s) {
		return Credential{}, ErrUsed
	}
	return kept(made), nil
}

// FinishEnter is who has signed s. lookup finds a passkey by its ID, with the handle of
// its account. It returns a [Refusal]; with [ErrCloned] the result says whose passkey
// that is, and its Count is the one that was kept.
func (g *Gate) FinishEnter(s State, answer []byte, lookup func(id []byte) (c Credential, handle []byte, found bool)) (Entered, error) {
	if len(answer) > mostAnswer || len(s.Handle) != 0 {
		return Entered{}, ErrUnreadable
	}
	said, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil || len(said.RawID) > mostID {
		return Entered{}, ErrUnreadable
	}
	if err := g.check(s, said.Response.CollectedClientData, said.Response.AuthenticatorData.Flags); err != nil {
		return Entered{}, err
	}
	c, handle, found := lookup(said.RawID)
	if !found || !bytes.Equal(c.ID, said.RawID) || !bytes.Equal(handle, said.Response.UserHandle) {
		return Entered{}, ErrUnknown
	}
	stored := webauthn.Credential{
		ID: c.ID, PublicKey: c.Key, Authenticator: webauthn.Authenticator{SignCount: c.Count},
		Flags: webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: c.Eligible, BackupState: c.BackedUp},
	}
	_, now, err := g.library.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) {
		return owner{handle: handle, has: []webauthn.Credential{stored}}, nil
	}, g.session(s), said)
	if err != nil {
		return Entered{}, ErrRefused
	}
	if !g.first(s) {
		return Entered{}, ErrUsed
	}
	e := Entered{Handle: handle, Credential: kept(now)}
	if now.Authenticator.CloneWarning {
		return e, ErrCloned
	}
	return e, nil
}

// session is s as the library kept it.
func (g *Gate) session(s State) webauthn.SessionData {
	return webauthn.SessionData{Challenge: s.Challenge, RelyingPartyID: g.library.Config.RPID, UserID: s.Handle, UserVerification: protocol.VerificationRequired}
}

func kept(c *webauthn.Credential) Credential {
	return Credential{ID: c.ID, Key: c.PublicKey, Count: c.Authenticator.SignCount, Eligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState}
}

// check says in plain words what the library would refuse too.
func (g *Gate) check(s State, said protocol.CollectedClientData, flags protocol.AuthenticatorFlags) error {
	switch {
	case len(s.Challenge) < 43 || said.Challenge != s.Challenge:
		return ErrChallenge
	case !g.now().Before(s.Until):
		return ErrLate
	case !slices.Contains(g.library.Config.RPOrigins, said.Origin) || said.CrossOrigin:
		return ErrOrigin
	case !flags.HasUserVerified():
		return ErrUnverified
	}
	return nil
}

// first says whether s lets somebody in for the first time, and notes it. Only what was
// signed by a known key comes here, so that strangers fill no memory.
func (g *Gate) first(s State) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if now.Sub(g.turned) > StateLife { // all of the former generation are too late by now
		g.former, g.used, g.turned = g.used, map[string]bool{}, now
	}
	if g.used[s.Challenge] || g.former[s.Challenge] {
		return false
	}
	g.used[s.Challenge] = true
	return true
}
