package node

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
)

// longestAbsence is how long a replica may have been away and still be opened
// without a person: a restart, an update, a short power cut, and not the time in
// which a machine is carried away.
const longestAbsence = 10 * time.Minute

// ringEvery is between two rounds in which a sealed replica asks the others.
const ringEvery = 3 * time.Second

type (
	// lockMessage leaves a lock, and says by which key its owner will ring.
	lockMessage struct {
		Lock     []byte   `cbor:"1,keyasint"`
		Doorbell [32]byte `cbor:"2,keyasint"`
	}
	// ringMessage asks for the lock of that name, from a sealed replica.
	ringMessage struct {
		Replica ReplicaID    `cbor:"1,keyasint"`
		Lock    crypto.KeyID `cbor:"2,keyasint"`
	}
	// ringAnswer has one of the three.
	ringAnswer struct {
		Lock    []byte `cbor:"1,keyasint,omitempty"`
		Waits   string `cbor:"2,keyasint,omitempty"` // why, for the operator: it rings again
		Refused string `cbor:"3,keyasint,omitempty"` // for good
	}
	// wishMessage is what the replica at whose door it rings knows of who rings.
	wishMessage struct {
		Replica ReplicaID     `cbor:"1,keyasint"`
		From    string        `cbor:"2,keyasint"` // IP address
		Listed  bool          `cbor:"3,keyasint"` // which is that of its record
		Live    bool          `cbor:"4,keyasint"` // somebody of that identity takes part
		Absent  time.Duration `cbor:"5,keyasint"`
	}
	// verdictMessage is the leader's.
	verdictMessage struct {
		Why string `cbor:"1,keyasint,omitempty"` // as in Release; "": released, and committed
	}
)

var (
	// ErrNoBox says that this replica has left no lock with others, or that the vault
	// was saved after it had.
	ErrNoBox = errors.New("this replica has left no key with the others: unseal it by hand")
	// ErrNoRelease says that the other replicas will not open this one.
	ErrNoRelease = errors.New("the other replicas do not open this one: unseal it by hand")

	errNoLock   = errors.New("no lock of this replica is held here: this one was restarted since, or that one was not set to start by its peers")
	errDoorbell = errors.New("this is not the doorbell of the replica: the files beside its vault are of another machine or another time")
	errOldBox   = errors.New("the file beside the vault is older than the lock that is held here: it is a copy")
)

// Why somebody waits for an administrator. The words are the API's.
const (
	absentTooLong    = "absent-too-long"
	otherAddress     = "other-address"
	secondConnection = "second-connection"
)

// waitingFor says the same to the operator of the machine that waits.
var waitingFor = map[string]string{
	absentTooLong:    "it was away for more than ten minutes: an administrator approves it on the page of the machines",
	otherAddress:     "it rings from another address than the recorded one: an administrator approves it on the page of the machines",
	secondConnection: "a replica of this identity is connected, or rings from a second address: stop the other machine; the key is held back until it is gone",
}

// claim is what is known of who rings.
type claim struct {
	live, listed, approved bool
	absent                 time.Duration
}

// why says why it must wait, or "". An administrator's yes stands for time and
// place. It never lets a second one in beside one that runs: two with one name
// would vote twice.
func (c claim) why() string {
	switch {
	case c.live:
		return secondConnection
	case c.approved:
		return ""
	case !c.listed:
		return otherAddress
	case c.absent > longestAbsence:
		return absentTooLong
	}
	return ""
}

func (c unlocking) takeLock(ctx context.Context, in lockMessage) (nothing, error) {
	key, err := crypto.KeyFromBytes(in.Lock)
	if err != nil {
		return nothing{}, err
	}
	c.peers.locks.take(peerOf(ctx), key, in.Doorbell, systemClock())
	return nothing{}, nil
}

func (c unlocking) noteWritten(ctx context.Context, in keyName) (nothing, error) {
	if !c.peers.locks.written(peerOf(ctx), in.ID) {
		return nothing{}, errNoLock
	}
	return nothing{}, nil
}

func (c unlocking) noteWanted(ctx context.Context, _ nothing) (nothing, error) {
	c.peers.lending.wanted(peerOf(ctx))
	return nothing{}, nil
}

// rung answers a sealed replica.
func (c unlocking) rung(conn *tls.Conn) {
	defer conn.Close()
	var in ringMessage
	b, err := io.ReadAll(io.LimitReader(conn, mostMessage))
	if err == nil {
		err = boxDecoding.Unmarshal(b, &in)
	}
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), proposalTimeout)
	defer cancel()
	answer := c.opened(ctx, conn, in)
	if answer.Refused != "" {
		c.cfg.Logger.Warn("a sealed replica rings, and is refused", slog.String("replica", in.Replica.String()), slog.String("from", conn.RemoteAddr().String()), slog.String("reason", answer.Refused))
	}
	if b, err = boxEncoding.Marshal(answer); err == nil {
		conn.Write(b)
		conn.CloseWrite()
	}
}

// opened hands the lock out when the leader has committed that it may.
func (c unlocking) opened(ctx context.Context, conn *tls.Conn, in ringMessage) ringAnswer {
	r, known := c.members.known(in.Replica)
	switch {
	case !known:
		return ringAnswer{Refused: errNoLock.Error()}
	case !r.State.Alive():
		return ringAnswer{Refused: errRemoved.Error()}
	}
	var doorbell [32]byte
	if shown := conn.ConnectionState().PeerCertificates; len(shown) > 0 {
		doorbell = crypto.Fingerprint(shown[0])
	}
	lock, err := c.peers.locks.lock(in.Replica, in.Lock, doorbell)
	if err != nil {
		return ringAnswer{Refused: err.Error()}
	}
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ringAnswer{Refused: err.Error()}
	}
	ip := from.Addr().Unmap()
	absent, _ := c.peers.locks.absent(in.Replica, systemClock()) // seen when it left its lock
	wish := wishMessage{Replica: in.Replica, From: ip.String(), Listed: listed(ctx, r.At.Peer, ip), Live: c.live(in.Replica, c.peers.heard()), Absent: absent}
	verdict, err := askLeader(ctx, c.peers, "/release", c.decide, wish)
	if err != nil {
		return ringAnswer{Waits: "no majority of the replicas can be reached, and without one no key is given out"}
	}
	if !c.replica.Leading() { // this replica's page shows it too
		c.peers.locks.ring(in.Replica, wish.From, c.clock(), systemClock())
		c.peers.locks.waits(in.Replica, verdict.Why, c.self, absent)
	}
	if verdict.Why != "" {
		return ringAnswer{Waits: waitingFor[verdict.Why]}
	}
	c.cfg.Logger.Info("a restarted replica gets the key of its vault", slog.String("replica", in.Replica.String()), slog.String("from", wish.From))
	return ringAnswer{Lock: lock.Reveal()}
}

// listed reports whether ip is the host of a recorded address.
func listed(ctx context.Context, peer string, ip netip.Addr) bool {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return false
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false
	}
	for _, a := range all {
		if a.Unmap() == ip {
			return true
		}
	}
	return false
}

// decide is the leader's part: it knows all replicas, and commits a release
// before the lock leaves the replica that holds it.
func (c unlocking) decide(ctx context.Context, in wishMessage) (verdictMessage, error) {
	if !c.replica.Leading() {
		return verdictMessage{}, errLeader
	}
	l, now := c.peers.locks, systemClock()
	if absent, known := l.absent(in.Replica, now); known {
		in.Absent = min(in.Absent, absent)
	}
	_, rival := l.ring(in.Replica, in.From, c.clock(), now)
	q := claim{
		live: in.Live || rival || c.live(in.Replica, c.peers.heard()), listed: in.Listed, absent: in.Absent, approved: l.granted(in.Replica, in.From, now),
	}
	why := q.why()
	if why == "" && !q.approved { // an approval was committed when it was given
		if _, err := c.propose(ctx, command.RecordRelease{Stamp: c.own(), Release: replica.Release{
			ID: newID[ident.Release](), Replica: in.Replica, From: peerOf(ctx), Absent: uint32(in.Absent / time.Second),
		}}); err != nil {
			return verdictMessage{}, err
		}
	}
	l.waits(in.Replica, why, peerOf(ctx), in.Absent)
	return verdictMessage{why}, nil
}

// Unlock asks the other replicas for the lock of this one's vault, and again every
// few seconds while they say that an administrator must approve it, or do not
// answer. Of cfg it reads Vault and Logger. What it returns opens the vault once,
// see [crypto.OpenFromPeers], and is good for [Config.Unseal].
//
// [ErrNoBox] when there is nothing to ask with; [ErrNoRelease] when every other
// replica refuses for good, or ctx ends, with the last reason.
func Unlock(ctx context.Context, cfg Config) (crypto.Unsealer, error) {
	b, err := os.ReadFile(boxPath(cfg.Vault))
	if err != nil {
		return crypto.Unsealer{}, fmt.Errorf("%w (%w)", ErrNoBox, err)
	}
	var f peersBox
	var r ringer
	if json.Unmarshal(b, &f) != nil || f.Format != peersFormat || fromHex(r.authority[:], f.Authority) != nil || fromHex(r.ask.Lock[:], f.Lock) != nil {
		return crypto.Unsealer{}, fmt.Errorf("%w: the file beside the vault is damaged", ErrNoBox)
	}
	switch now, err := fileHash(cfg.Vault); {
	case err != nil:
		return crypto.Unsealer{}, err
	case now != f.Vault:
		return crypto.Unsealer{}, fmt.Errorf("%w: the vault was saved since", ErrNoBox)
	}
	bell, err := crypto.LoadDoorbell(bellPath(cfg.Vault))
	if err != nil {
		return crypto.Unsealer{}, fmt.Errorf("%w (%w)", ErrNoBox, err)
	}
	if r.ask.Replica, err = parseReplica(bell.Replica()); err != nil {
		return crypto.Unsealer{}, fmt.Errorf("%w: %w", ErrNoBox, crypto.ErrDoorbell)
	}
	if r.own, err = bell.TLS(); err != nil {
		return crypto.Unsealer{}, err
	}
	if len(f.Peers) == 0 {
		return crypto.Unsealer{}, fmt.Errorf("%w: no other replica is known here", ErrNoBox)
	}
	r.box, r.logger, r.said = f.Box, cfg.Logger, map[string]string{}
	return r.ring(ctx, f.Peers)
}

func fromHex(into []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(into) {
		return crypto.ErrDamaged
	}
	copy(into, b)
	return nil
}

// ringer is a sealed replica at the doors of the others. Owned by one goroutine.
type ringer struct {
	ask       ringMessage
	authority [32]byte
	own       tls.Certificate
	box       []byte
	logger    *slog.Logger
	said      map[string]string // the last reason that was logged, by address
}

func (r *ringer) ring(ctx context.Context, peers []string) (crypto.Unsealer, error) {
	again := every(ringEvery)
	defer again.Stop()
	for {
		refused := 0
		var reason error
		for _, address := range peers {
			u, final, err := r.at(ctx, address)
			if err == nil {
				return u, nil
			}
			if reason == nil || !errors.Is(err, mesh.ErrUnreachable) { // who answers knows more
				reason = err
			}
			if final {
				refused++
			}
			r.tell(address, err)
		}
		if refused == len(peers) {
			return crypto.Unsealer{}, fmt.Errorf("%w: %w", ErrNoRelease, reason)
		}
		select {
		case <-ctx.Done():
			return crypto.Unsealer{}, fmt.Errorf("%w: %w", ErrNoRelease, reason)
		case <-again.C:
		}
	}
}

// tell logs a reason once.
func (r *ringer) tell(address string, reason error) {
	if text := reason.Error(); text != r.said[address] {
		r.said[address] = text
		r.logger.Warn("asking another replica to open this one", slog.String("at", address), errAttr(reason))
	}
}

// at asks at one door; final says that asking there again is in vain.
func (r *ringer) at(ctx context.Context, address string) (u crypto.Unsealer, final bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, proposalTimeout)
	defer cancel()
	answer, err := r.question(ctx, address)
	switch {
	case err != nil:
		return u, false, err
	case answer.Refused != "":
		return u, true, errors.New(answer.Refused)
	case answer.Waits != "":
		return u, false, errors.New(answer.Waits)
	}
	lock, err := crypto.KeyFromBytes(answer.Lock)
	if err == nil {
		_, u, err = crypto.OpenFromPeers(r.box, lock)
	}
	return u, true, err
}

func (r *ringer) question(ctx context.Context, address string) (answer ringAnswer, err error) {
	conn, err := mesh.DialStranger(ctx, address, ringStreams, r.authority, r.own)
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	b, err := boxEncoding.Marshal(r.ask)
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
