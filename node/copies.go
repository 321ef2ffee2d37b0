package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

const (
	// copyEvery is how often a replica looks at the schedule of its folders.
	copyEvery = time.Minute
	// copyAgain is after how long a backup that failed is tried again, on the
	// territory's clock.
	copyAgain = 5 * time.Minute
)

// copies makes the backups in the folders of this machine. Safe for concurrent
// use.
type copies struct {
	*core
	wake chan struct{}

	folders sync.Mutex // held while something is written to a folder or deleted there
	mu      sync.Mutex // guards failed, for a look
	failed  map[DestinationID]Instant
}

func newCopies(c *core) *copies {
	return &copies{core: c, wake: make(chan struct{}, 1), failed: map[DestinationID]Instant{}}
}

// look makes keep look at once: a root was turned, or a place has changed.
func (c *copies) look() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// keep works until ctx ends.
func (c *copies) keep(ctx context.Context) {
	tick := every(copyEvery)
	defer tick.Stop()
	for {
		c.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-tick.C:
		}
	}
}

// round makes the backups that are due.
func (c *copies) round(ctx context.Context) {
	own, err := c.ownFolders()
	if err != nil {
		return // nothing is served now, which says more
	}
	for _, d := range own {
		if due, err := c.due(d); err != nil || !due || ctx.Err() != nil {
			continue
		}
		c.make(ctx, d.ID)
	}
}

// due reports whether a folder waits for a backup: by the clock, and of keys also
// when the root was turned since, or when what lies there was begun too early to
// count for an erasure.
func (c *copies) due(d backup.Destination) (bool, error) {
	now := c.clock()
	c.mu.Lock()
	failed, again := c.failed[d.ID]
	c.mu.Unlock()
	if again && now-failed < Instant(copyAgain.Milliseconds()) {
		return false, nil
	}
	interval := Instant((time.Duration(d.Hours) * time.Hour).Milliseconds())
	last := d.DataAt
	if d.Keys {
		last = d.KeysAt
	}
	if last == 0 || now-last >= interval || !d.Keys {
		return last == 0 || now-last >= interval, nil
	}
	root, err := rooting{c.core}.inForce()
	if err != nil || d.Held != root {
		return err == nil, err
	}
	waits := false
	err = c.view(itself, func(tx *store.Tx) error {
		var err error
		waits, err = countsAnew(tx, d.ID)
		return err
	})
	return waits, err
}

// make writes one backup and has it recorded. Whatever goes wrong is recorded too,
// once, and returned as a code.
func (c *copies) make(ctx context.Context, id DestinationID) folderAnswer {
	c.folders.Lock()
	defer c.folders.Unlock()
	d, err := c.destination(id)
	if err == nil && d.State != backup.Registered {
		err = refused(refuse.DestinationDropped, RequestID{})
	}
	var made backup.Made
	if err == nil {
		made, err = c.write(ctx, d)
	}
	code := faultOf(err)
	c.mu.Lock()
	if delete(c.failed, id); err != nil {
		c.failed[id] = c.clock()
	}
	c.mu.Unlock()
	if err != nil {
		if ctx.Err() != nil {
			return folderAnswer{Fault: errUnknown.Code}
		}
		c.cfg.Logger.Error("making a backup", slog.String("destination", id.String()), slog.String("code", code), errAttr(err))
		if d.Try.Fault == code {
			return folderAnswer{Fault: code}
		}
		made = backup.Made{Fault: code}
	}
	receipt, err := c.report(ctx, id, made)
	if err != nil && ctx.Err() == nil {
		c.cfg.Logger.Warn("recording a backup", slog.String("destination", id.String()), errAttr(err))
		if code == "" {
			code = faultOf(err)
		}
		c.mu.Lock()
		c.failed[id] = c.clock()
		c.mu.Unlock()
		if code == refuse.OlderRoot.Code() { // it is made again at once
			c.mu.Lock()
			delete(c.failed, id)
			c.mu.Unlock()
			c.look()
		}
	}
	return folderAnswer{Fault: code, Index: receipt.Index}
}

// write puts a new backup into its folder, reads it back, and then deletes those
// that have had their time: of keys all older ones.
func (c *copies) write(ctx context.Context, d backup.Destination) (made backup.Made, err error) {
	to, err := crypto.ParseRecipients(d.Recipients)
	if err != nil {
		return made, err
	}
	if err := c.outside(d.Path); err != nil {
		return made, err
	}
	dir, by := folder(d.Path), c.signer().VerifyKey()
	out := func(w io.Writer) io.Writer { return &counting{alive: ctx.Err, w: w, done: func(uint64) {}} }
	made = backup.Made{Begun: c.replica.Applied(), Verified: true, Data: !d.Keys}
	at := c.clock().Time().UTC()
	if !d.Keys {
		name := dataPrefix + at.Format(nameTime) + suffix
		made.Bytes, err = dir.put(name, by, func(w io.Writer) error { return c.writeData(to, out(w)) })
		if err != nil {
			return made, err
		}
		return made, dir.keep(dataPrefix, young(at))
	}
	order, err := c.rootOrder()
	if err != nil {
		return made, err
	}
	name := fmt.Sprintf("%s%010d-%s%s", keysPrefix, order, at.Format(nameTime), suffix)
	made.Bytes, err = dir.put(name, by, func(w io.Writer) (err error) {
		made.Root, err = c.writeKeys(to, out(w))
		return err
	})
	if err != nil {
		return made, err
	}
	return made, dir.keep(keysPrefix, func(other string) bool { return other == name })
}

// rootOrder is how many roots have replaced another one.
func (c *copies) rootOrder() (order uint64, err error) {
	err = c.view(itself, func(tx *store.Tx) (err error) {
		order, _, err = overtaken(tx)
		return err
	})
	return order, err
}

// outside refuses a folder in which a copy would be lost with what it is of.
func (c *copies) outside(path string) error {
	if inside(filepath.Join(path, "x"), c.cfg.Dir) || inside(c.cfg.Vault, path) {
		return &Error{Kind: Conflict, Code: insideData, Reason: folderFaults[insideData]}
	}
	return nil
}

// report has a backup recorded by the leader.
func (c *copies) report(ctx context.Context, id DestinationID, made backup.Made) (Receipt, error) {
	in := madeMessage{ID: id, Made: made}
	if c.peers == nil {
		answer, err := c.noteMade(context.WithValue(ctx, peerKey{}, c.self), in)
		return Receipt{ID: id, Index: answer.Index}, refusedBy(answer, err)
	}
	answer, err := askLeader(ctx, c.peers, "/backup/made", c.noteMade, in)
	return Receipt{ID: id, Index: answer.Index}, refusedBy(answer, err)
}

func refusedBy(a folderAnswer, err error) error {
	if err == nil && a.Fault != "" {
		err = &Error{Kind: Conflict, Code: a.Fault, Reason: "the backup was made and not recorded: it is tried again"}
	}
	return err
}

// What replicas say to each other about folders.
type (
	folderQuestion struct {
		ID    DestinationID `cbor:"1,keyasint"`
		Path  string        `cbor:"2,keyasint,omitempty"`
		Index uint64        `cbor:"3,keyasint,omitempty"` // to be applied first
	}
	folderAnswer struct {
		Fault string `cbor:"1,keyasint,omitempty"` // code
		Index uint64 `cbor:"2,keyasint,omitempty"` // at which it is recorded
	}
	madeMessage struct {
		ID   DestinationID `cbor:"1,keyasint"`
		Made backup.Made   `cbor:"2,keyasint"`
	}
)

// try looks whether a folder of this machine can hold backups.
func (c *copies) try(_ context.Context, in folderQuestion) (folderAnswer, error) {
	c.folders.Lock()
	defer c.folders.Unlock()
	err := c.outside(in.Path)
	if err == nil {
		err = folder(in.Path).try()
	}
	return folderAnswer{Fault: faultOf(err)}, nil
}

// now makes a backup at once. It stops when the asker has gone.
func (c *copies) now(ctx context.Context, in folderQuestion) (folderAnswer, error) {
	d, err := c.destination(in.ID)
	if err != nil || d.Replica != c.self || d.Kind != backup.Folder {
		return folderAnswer{Fault: refuse.NoDestination.Code()}, err
	}
	return c.make(ctx, in.ID), nil
}

// clear deletes every key backup in a folder that was given up.
func (c *copies) clear(ctx context.Context, in folderQuestion) (folderAnswer, error) {
	if err := c.replica.Wait(ctx, in.Index); err != nil {
		return folderAnswer{}, err
	}
	c.folders.Lock()
	defer c.folders.Unlock()
	d, err := c.destination(in.ID)
	if err != nil || d.Replica != c.self || d.Kind != backup.Folder || d.State == backup.Registered {
		return folderAnswer{Fault: refuse.NoDestination.Code()}, err
	}
	return folderAnswer{Fault: faultOf(folder(d.Path).keep(keysPrefix, func(string) bool { return false }))}, nil
}

// noteMade commits what the asking replica has made: in its own folder, or for a
// person to carry away.
func (c *copies) noteMade(ctx context.Context, in madeMessage) (folderAnswer, error) {
	if !c.replica.Leading() {
		return folderAnswer{}, errLeader
	}
	d, err := c.destination(in.ID)
	if err != nil {
		return folderAnswer{}, err
	}
	if d.Kind == backup.Folder && d.Replica != peerOf(ctx) || d.Kind == backup.Manual && !in.Made.Handed {
		return folderAnswer{Fault: refuse.NoDestination.Code()}, nil
	}
	receipt, err := c.propose(ctx, command.RecordBackup{Stamp: c.own(), ID: in.ID, Made: in.Made})
	if known := faultOf(err); known == refuse.OlderRoot.Code() || known == refuse.DestinationDropped.Code() {
		return folderAnswer{Fault: known}, nil
	}
	return folderAnswer{Index: receipt.Index}, err
}
