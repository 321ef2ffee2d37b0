package node

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/when"
)

// A machine becomes a replica by a token that an administrator made: it names
// where the replicas are and by which authority they are known, and holds a secret
// that is good once and for a short while. With the secret the machine gets the
// territory's keys, over a connection that it has checked to be the territory's.

const tokenPrefix = "bippop-join-1."

// token is what an invitation looks like outside.
type token struct {
	Invitation ident.Invitation `cbor:"1,keyasint"`
	Secret     []byte           `cbor:"2,keyasint"`
	Authority  [32]byte         `cbor:"3,keyasint"` // fingerprint
	Addresses  []string         `cbor:"4,keyasint"` // of the replicas
	Until      Instant          `cbor:"5,keyasint"`
}

func (t token) text() (Secret, error) {
	b, err := boxEncoding.Marshal(t)
	return crypto.NewSecret(tokenPrefix + base64.RawURLEncoding.EncodeToString(b)), err
}

var errToken = errors.New("this is no join token: paste the whole line that bippop replicas invite has printed")

func parseToken(s Secret) (t token, err error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s.Reveal()), tokenPrefix)
	if !ok {
		return t, errToken
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || boxDecoding.Unmarshal(b, &t) != nil || len(t.Addresses) == 0 {
		return t, errToken
	}
	return t, nil
}

// joinRequest is what a machine asks with.
type joinRequest struct {
	Invitation ident.Invitation `cbor:"1,keyasint"`
	Secret     []byte           `cbor:"2,keyasint"`
	Peer       string           `cbor:"3,keyasint"`
	URL        string           `cbor:"4,keyasint"`
	Level      uint16           `cbor:"5,keyasint"`
	At         Instant          `cbor:"6,keyasint"` // by its clock
	Unsealing  Unsealing        `cbor:"7,keyasint,omitempty"`
}

// joinAnswer makes it a replica, or says why not.
type joinAnswer struct {
	Refused     string    `cbor:"1,keyasint,omitempty"` // for the operator
	Leader      string    `cbor:"2,keyasint,omitempty"` // ask there
	Territory   string    `cbor:"3,keyasint,omitempty"`
	Incarnation [16]byte  `cbor:"4,keyasint"`
	Replica     ReplicaID `cbor:"5,keyasint"`
	Roots       [][]byte  `cbor:"6,keyasint,omitempty"` // the current one first
	Shared      []byte    `cbor:"7,keyasint,omitempty"`
	Certificate []byte    `cbor:"8,keyasint,omitempty"`
}

const (
	inviteLife  = time.Hour
	longestLife = 24 * time.Hour
	// clocksApart is how much two replicas' clocks may differ. Stamps are the
	// leader's, and a day's difference would move visits.
	clocksApart = time.Minute
)

// Invite makes a token that lets one replica join, within life (at most 24 h; 0:
// one hour). It is shown once.
func (s *Replicas) Invite(ctx context.Context, by Caller, life time.Duration) (Secret, Receipt, error) {
	if err := by.may(RunReplicas); err != nil {
		return Secret{}, Receipt{}, err
	}
	if s.peers == nil {
		return Secret{}, Receipt{}, errNoPeering
	}
	if life == 0 {
		life = inviteLife
	}
	if life < time.Minute || life > longestLife {
		return Secret{}, Receipt{}, invalid("life", "out-of-range", "a token is good for one minute to 24 hours")
	}
	t := token{Invitation: newID[ident.Invitation](), Secret: drawBytes(32), Authority: s.keeper.copied().Shared.Authority.Fingerprint()}
	t.Until = s.clock() + Instant(life.Milliseconds())
	t.Addresses = []string{s.peers.mesh.Address()} // its record may still say otherwise
	for _, r := range s.members.present() {
		if r.ID != s.self && r.At.Peer != "" {
			t.Addresses = append(t.Addresses, r.At.Peer)
		}
	}
	text, err := t.text()
	if err != nil {
		return Secret{}, Receipt{}, err
	}
	receipt, err := s.propose(ctx, command.Invite{Stamp: s.stamp(by, ""), Invitation: replica.Invitation{
		ID: t.Invitation, Secret: sha256.Sum256(t.Secret), Until: t.Until,
	}})
	return text, receipt, err
}

// errNoPeering says how a territory of one gets a second replica.
var errNoPeering = &Error{Kind: Conflict, Code: "no-peering", Reason: "this replica runs without an address for others: start it with bippop serve --peer-listen HOST:PORT first"}

// admit answers a machine that wants to join.
func (p *peers) admit(conn *tls.Conn) {
	defer conn.Close()
	var in joinRequest
	b, err := io.ReadAll(io.LimitReader(conn, mostMessage))
	if err == nil {
		err = boxDecoding.Unmarshal(b, &in)
	}
	var answer joinAnswer
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), proposalTimeout)
		answer, err = p.admitted(ctx, conn.ConnectionState(), in)
		cancel()
	}
	if err != nil {
		p.logger.Warn("a machine wanted to join", slog.String("from", conn.RemoteAddr().String()), errAttr(err))
		answer = joinAnswer{Refused: err.Error()}
	}
	if b, err = boxEncoding.Marshal(answer); err == nil {
		conn.Write(b)
		conn.CloseWrite()
	}
}

func (p *peers) admitted(ctx context.Context, state tls.ConnectionState, in joinRequest) (answer joinAnswer, err error) {
	c := p.core
	if !c.replica.Leading() {
		if _, address := c.replica.Leader(); address != "" {
			return joinAnswer{Leader: address}, nil
		}
		return answer, errLeader
	}
	if len(state.PeerCertificates) == 0 {
		return answer, errors.New("the machine has shown no key")
	}
	public, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return answer, errors.New("the machine has shown a key of an unknown kind")
	}
	if apart := time.Duration(in.At-c.clock()) * time.Millisecond; apart.Abs() > clocksApart {
		return answer, fmt.Errorf("the clocks of the two machines differ by %v: set both by NTP, then try again", apart.Abs().Round(time.Second))
	}
	if level := c.members.level(); in.Level < level {
		return answer, fmt.Errorf("the program of the new machine is too old: it knows level %d, and the territory's records are of level %d; install the program that the other replicas run", in.Level, level)
	}
	id := newID[ReplicaID]()
	_, err = c.propose(ctx, command.AdmitReplica{
		Stamp: c.own(), ID: id, Name: c.members.freeName(), Invitation: in.Invitation, Secret: sha256.Sum256(in.Secret),
		At: replica.Address{Peer: in.Peer, URL: in.URL, Level: in.Level, Fingerprint: crypto.FingerprintOf(public), Unsealing: in.Unsealing},
	})
	if err != nil {
		return answer, err
	}
	vault := c.keeper.copied()
	answer = joinAnswer{Territory: vault.Territory, Incarnation: vault.Incarnation, Replica: id, Roots: [][]byte{vault.Roots.Current.Reveal()}}
	if answer.Shared, err = vault.Shared.Reveal(); err != nil {
		return answer, err
	}
	from, to := crypto.Validity(c.now())
	answer.Certificate, err = vault.Shared.Authority.Issue(id.String(), public, from, to)
	return answer, err
}

// Join makes this machine a replica of the territory that the token is of: it
// writes the vault at cfg.Vault. The data follows when the node is opened. Nothing
// is left behind when it fails.
func Join(ctx context.Context, cfg Config, invitation Secret) (territory string, err error) {
	if err := cfg.withDefaults(); err != nil {
		return "", err
	}
	if err := vacant(cfg); err != nil {
		return "", err
	}
	t, err := parseToken(invitation)
	if err != nil {
		return "", err
	}
	if cfg.Peering.Address == "" {
		return "", errors.New("say where the other replicas reach this one: --peer-address HOST:PORT")
	}
	identity := crypto.NewIdentity()
	answer, err := t.ask(ctx, identity, joinRequest{
		Invitation: t.Invitation, Secret: t.Secret, Peer: cfg.Peering.Address, URL: cfg.Peering.URL, Level: uint16(cfg.level), At: when.Of(cfg.Now()), Unsealing: cfg.Unsealing,
	})
	if err != nil {
		return "", err
	}
	vault := crypto.Vault{Territory: answer.Territory, Incarnation: answer.Incarnation, Replica: answer.Replica.String(), Node: crypto.NewNodeKeys()}
	if vault.Roots.Current, err = crypto.KeyFromBytes(answer.Roots[0]); err != nil {
		return "", err
	}
	if vault.Shared, err = crypto.SharedFromBytes(answer.Shared); err != nil {
		return "", err
	}
	if vault.TLS, err = identity.WithCertificate(answer.Certificate); err != nil {
		return "", err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return "", wrap("making the data folder", err)
	}
	if err := crypto.WriteFile(filepath.Join(cfg.Dir, joinedMark), []byte(answer.Replica.String()+"\n")); err != nil {
		return "", wrap("marking the data folder", err)
	}
	return answer.Territory, crypto.CreateVault(cfg.Vault, &vault, cfg.Unseal)
}

// ask tries the replicas that the token names until one of them decides.
func (t token) ask(ctx context.Context, identity crypto.Identity, in joinRequest) (joinAnswer, error) {
	var last error
	asked := map[string]bool{}
	addresses := t.Addresses
	for len(addresses) > 0 {
		address := addresses[0]
		addresses = addresses[1:]
		if asked[address] {
			continue
		}
		asked[address] = true
		answer, err := t.askAt(ctx, address, identity, in)
		switch {
		case err != nil:
			last = err
		case answer.Leader != "":
			addresses = append([]string{answer.Leader}, addresses...)
		case answer.Refused != "":
			return answer, fmt.Errorf("the territory refuses: %s", answer.Refused)
		case len(answer.Roots) == 0:
			last = errToken
		default:
			return answer, nil
		}
	}
	if last == nil {
		last = errors.New("no replica leads at the moment; try again in a few seconds")
	}
	return joinAnswer{}, fmt.Errorf("no replica of the token lets this machine in: %w", last)
}

func (t token) askAt(ctx context.Context, address string, identity crypto.Identity, in joinRequest) (answer joinAnswer, err error) {
	own, err := identity.SelfSigned()
	if err != nil {
		return answer, err
	}
	conn, err := mesh.DialStranger(ctx, address, joinStreams, t.Authority, own)
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	b, err := boxEncoding.Marshal(in)
	if err != nil {
		return answer, err
	}
	if _, err := conn.Write(b); err != nil {
		return answer, err
	}
	if err := conn.CloseWrite(); err != nil {
		return answer, err
	}
	if b, err = io.ReadAll(io.LimitReader(conn, mostMessage)); err != nil {
		return answer, err
	}
	return answer, boxDecoding.Unmarshal(b, &answer)
}
