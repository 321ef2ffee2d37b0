package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/replica"
)

// A replica that is to start by its peers keeps a box beside its vault, in which
// the vault lies once more, and leaves the lock with the other replicas:
//
//	draw a lock ─▶ hand it to those who are there ─▶ write the box ─▶ they let the
//	                                                                 older lock go
//
// Before the vault is saved the box goes, so that it never holds less than what
// this replica has promised to keep, nor a root that it has destroyed.

// lendEvery is how often a replica looks whether somebody lacks its lock, and
// whose it lacks; lendPause is between two locks that it draws, unless the vault
// was saved.
const (
	lendEvery = time.Second
	lendPause = 5 * time.Second
)

// lending is what a replica leaves with the others. Safe for concurrent use.
type lending struct {
	path string // of the vault
	wake chan struct{}

	mu     sync.Mutex             // guards what follows, for a look
	with   map[ReplicaID]struct{} // who holds the lock of the box
	spoilt bool                   // the vault was saved since the last lock was drawn
}

func newLending(vault string) *lending {
	return &lending{path: vault, wake: make(chan struct{}, 1), with: map[ReplicaID]struct{}{}}
}

// boxPath and bellPath lie beside the vault: /etc/bippop/vault.peers for
// /etc/bippop/vault.age.
func boxPath(vault string) string  { return besides(vault, ".peers") }
func bellPath(vault string) string { return besides(vault, ".doorbell") }

func besides(vault, ending string) string {
	return strings.TrimSuffix(vault, filepath.Ext(vault)) + ending
}

// peersBox is the file that a sealed replica starts from. Nothing in it is secret
// to who has the disk.
type peersBox struct {
	Format    int      `json:"format"`
	Authority string   `json:"authority"` // fingerprint, in hexadecimal
	Peers     []string `json:"peers"`     // where the others are
	Lock      string   `json:"lock"`      // its name
	Vault     string   `json:"vault"`     // SHA-256 of the file that the box is a copy of
	Box       []byte   `json:"box"`
}

const peersFormat = 1

// write puts f beside the vault, as its copy.
func (f peersBox) write(vault string) (err error) {
	if f.Vault, err = fileHash(vault); err != nil {
		return err
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return crypto.WriteFile(boxPath(vault), b)
}

// fileHash tells a vault that somebody has saved otherwise: with other shares, or
// from a backup.
func fileHash(path string) (string, error) {
	b, err := os.ReadFile(path)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// spoil takes the box away: the vault is about to be saved.
func (l *lending) spoil() error {
	err := os.Remove(boxPath(l.path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// saved asks for another box.
func (l *lending) saved() {
	l.mu.Lock()
	l.spoilt = true
	clear(l.with)
	l.mu.Unlock()
	l.stir()
}

func (l *lending) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// wanted notes that a replica says that it holds no lock.
func (l *lending) wanted(by ReplicaID) {
	l.mu.Lock()
	delete(l.with, by)
	l.mu.Unlock()
	l.stir()
}

// due reports whether a lock is to be drawn: somebody of these lacks it. A lock
// that was drawn less than lendPause ago is left alone, unless its box is spoilt.
func (l *lending) due(there []ReplicaID, drawn, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lacks := false
	for _, id := range there {
		_, has := l.with[id]
		lacks = lacks || !has
	}
	return lacks && (l.spoilt || now.Sub(drawn) >= lendPause)
}

// unlocking is what replicas do so that one of them may restart without a person.
type unlocking struct{ *core }

// keep runs until ctx ends.
func (c unlocking) keep(ctx context.Context) {
	if c.peers == nil {
		return
	}
	tick := every(lendEvery)
	defer tick.Stop()
	var drawn time.Time
	for {
		there := c.there()
		now := systemClock()
		for _, r := range there {
			c.peers.locks.see(r.ID, now)
			if r.At.Unsealing == replica.ByPeers && !c.peers.locks.holds(r.ID) {
				c.want(ctx, r)
			}
		}
		if c.cfg.Unsealing == replica.ByPeers && c.peers.lending.due(idsOf(there), drawn, now) {
			drawn = now
			if err := c.lend(ctx, there); err != nil && ctx.Err() == nil {
				c.cfg.Logger.Info("leaving a lock with the other replicas", errAttr(err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-c.peers.lending.wake:
		case <-tick.C:
		}
	}
}

// there are the other replicas that are up.
func (c unlocking) there() (out []replica.Replica) {
	heard := c.peers.heard()
	for _, r := range c.members.present() {
		if r.ID != c.self && c.live(r.ID, heard) {
			out = append(out, r)
		}
	}
	return out
}

// live reports whether somebody of that identity takes part now, as far as is
// seen from here.
func (c unlocking) live(id ReplicaID, heard map[ReplicaID]hearing) bool {
	return heard[id].alive || c.peers.mesh.Streams(id.String()) > 0
}

func idsOf(all []replica.Replica) (out []ReplicaID) {
	for _, r := range all {
		out = append(out, r.ID)
	}
	return out
}

func (c unlocking) want(ctx context.Context, r replica.Replica) {
	if _, err := askAt[nothing](ctx, c.peers, r.At.Peer, "/lock/wanted", nothing{}); err != nil && ctx.Err() == nil {
		c.cfg.Logger.Debug("asking for the lock of a replica", slog.String("replica", r.ID.String()), errAttr(err))
	}
}

var errNobodyTook = errors.New("no other replica took the lock: until one does, a person unseals this replica after a restart")

// lend draws another lock and leaves it with the others.
func (c unlocking) lend(ctx context.Context, others []replica.Replica) error {
	l := c.peers.lending
	l.mu.Lock()
	l.spoilt = false
	l.mu.Unlock()
	v := c.keeper.copied()
	bell, err := c.doorbell(v)
	if err != nil {
		return err
	}
	lock, box, err := crypto.SealForPeers(v, c.keeper.unseal)
	if err != nil {
		return err
	}
	took := c.tell(ctx, others, "/lock", lockMessage{Lock: lock.Reveal(), Doorbell: bell.Fingerprint()})
	if len(took) == 0 {
		return errNobodyTook
	}
	authority := v.Shared.Authority.Fingerprint()
	f := peersBox{Format: peersFormat, Authority: hex.EncodeToString(authority[:]), Lock: lock.ID().String(), Box: box}
	for _, r := range c.members.present() {
		if r.ID != c.self {
			f.Peers = append(f.Peers, r.At.Peer)
		}
	}
	if ok, err := c.keeper.whileSaved(v.Sealed, func() error { return f.write(c.cfg.Vault) }); err != nil || !ok {
		return err // not ok: the vault was saved meanwhile, and another lock is due
	}
	kept := c.tell(ctx, took, "/lock/written", keyName{lock.ID()})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spoilt {
		return nil
	}
	clear(l.with)
	for _, r := range kept {
		l.with[r.ID] = struct{}{}
	}
	return nil
}

// doorbell is the key by which this replica will ring. Another one does no harm:
// its fingerprint goes with each lock.
func (c unlocking) doorbell(v crypto.Vault) (crypto.Doorbell, error) {
	path := bellPath(c.cfg.Vault)
	if d, err := crypto.LoadDoorbell(path); err == nil && d.Territory() == v.Territory && d.Replica() == v.Replica {
		return d, nil
	}
	d := crypto.NewDoorbell(v.Territory, v.Replica)
	return d, crypto.SaveDoorbell(path, d)
}

// tell asks all of them at once, and returns who has answered.
func (c unlocking) tell(ctx context.Context, all []replica.Replica, path string, in any) []replica.Replica {
	ctx, cancel := context.WithTimeout(ctx, handoverPatience)
	defer cancel()
	var mu sync.Mutex // guards out
	var out []replica.Replica
	var asked sync.WaitGroup
	for _, r := range all {
		asked.Go(func() {
			if _, err := askAt[nothing](ctx, c.peers, r.At.Peer, path, in); err != nil {
				c.cfg.Logger.Debug("leaving a lock with a replica", slog.String("replica", r.ID.String()), errAttr(err))
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out = append(out, r)
		})
	}
	asked.Wait()
	return out
}
