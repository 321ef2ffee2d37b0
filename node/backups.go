package node

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// Backups are copies of the territory outside its replicas: of the data, which
// holds no key and may be old, and of the keys, of which only the latest exists.
type Backups struct{ *core }

// DestinationID names a place for backups.
type DestinationID = ident.Destination

// DestinationKind is what can be done at a place. The words are the API's.
type DestinationKind string

const (
	// FolderDestination is a folder on one replica's machine: written and cleared by it, on the schedule.
	FolderDestination DestinationKind = "folder"
	// ManualDestination is a safe that a person fills and clears, and says so.
	ManualDestination DestinationKind = "manual"
)

// Destination is a place for backups.
type Destination struct {
	ID         DestinationID
	Version    uint32
	Name       string // "safe of the CCAS"
	Kind       DestinationKind
	Keys       bool      // key backups go there; else data backups
	Replica    ReplicaID // whose folder it is: it alone writes there
	Path       string
	Recipients []string      // age1pq…: who can open it
	Every      time.Duration // schedule; 0: 24 h. Key backups follow every change of root at once, too

	Last    Instant // when the last backup there was made; 0: never
	Bytes   uint64
	Current bool   // Keys: what lies there opens with the current root, and nothing older lies there
	Fault   string // code of what the last try ran into, "" for nothing
}

// BackupStatus is all places, and how old the newest data backup is.
type BackupStatus struct {
	Destinations []Destination
	NewestData   Instant
	NewestKeys   Instant
}

// Codes of what is wrong with a place, beside those in folder.go.
const (
	ownerGone  = "replica-gone" // the replica whose folder it is takes no part any more
	notCleared = "not-cleared"  // it was given up, and a key backup may lie there
)

// Status of all places. One that was given up is shown until no key backup can lie
// there any more.
func (s *Backups) Status(by Caller) (BackupStatus, error) {
	if err := by.may(KeepBackups); err != nil {
		return BackupStatus{}, err
	}
	root, err := rooting{s.core}.inForce()
	if err != nil {
		return BackupStatus{}, err
	}
	var all []backup.Destination
	var waiting map[DestinationID]bool
	err = s.view(by, func(tx *store.Tx) (err error) {
		if _, waiting, err = overtaken(tx); err != nil {
			return err
		}
		return store.Destinations.Each(tx, nil, func(d backup.Destination) bool {
			all = append(all, d)
			return true
		})
	})
	if err != nil {
		return BackupStatus{}, err
	}
	var st BackupStatus
	for _, d := range all {
		st.NewestData, st.NewestKeys = max(st.NewestData, d.DataAt), max(st.NewestKeys, d.KeysAt)
		if d.State != backup.Registered && !d.Counts() {
			continue
		}
		out := Destination{
			ID: d.ID, Version: d.Version, Name: d.Name, Kind: ManualDestination, Keys: d.Keys, Path: d.Path, Recipients: d.Recipients,
			Every: time.Duration(d.Hours) * time.Hour, Last: max(d.DataAt, d.KeysAt), Bytes: d.Try.Bytes,
			Current: d.Keys && d.Held == root && !waiting[d.ID], Fault: d.Try.Fault,
		}
		if d.Kind == backup.Folder {
			out.Kind, out.Replica = FolderDestination, d.Replica
			if r, ok := s.members.known(d.Replica); !ok || !r.State.Alive() {
				out.Fault = ownerGone
			}
		}
		if d.State != backup.Registered {
			out.Fault = notCleared
		}
		st.Destinations = append(st.Destinations, out)
	}
	return st, nil
}

// overtaken says how many roots have replaced another one so far, and where a key
// backup has to be made again because one that was begun earlier does not count.
func overtaken(tx *store.Tx) (order uint64, waiting map[DestinationID]bool, err error) {
	waiting = map[DestinationID]bool{}
	err = store.Erasures.Each(tx, nil, func(e erasure.Erasure) bool {
		order = max(order, e.Order)
		for _, c := range e.Copies {
			if c.Pending() {
				waiting[c.Destination] = true
			}
		}
		return true
	})
	return order, waiting, err
}

// countsAnew reports whether a key backup that is begun now would count for an
// erasure for which the present one, begun too early, does not.
func countsAnew(tx *store.Tx, id DestinationID) (anew bool, err error) {
	err = store.Erasures.Each(tx, nil, func(e erasure.Erasure) bool {
		anew = e.Released > 0 && slices.ContainsFunc(e.Copies, func(c erasure.Copy) bool { return c.Destination == id && c.Pending() })
		return !anew
	})
	return anew, err
}

// The schedule of a folder.
const (
	usualHours = 24
	mostHours  = 7 * 24
)

// Register adds a place. It is tried at once: written, read back, and removed
// again. The first backup follows by itself.
func (s *Backups) Register(ctx context.Context, by Caller, d Destination) (Receipt, error) {
	if err := by.may(KeepBackups); err != nil {
		return Receipt{}, err
	}
	to, err := s.checked(d)
	if err != nil {
		return Receipt{}, err
	}
	if to.Kind == backup.Folder {
		answer, err := askReplica[folderAnswer](ctx, s.core, to.Replica, "/backup/try", s.copies.try, folderQuestion{Path: to.Path})
		if err != nil {
			return Receipt{}, err
		}
		if answer.Fault != "" {
			return Receipt{}, folderError(answer.Fault)
		}
	}
	return s.propose(ctx, command.RegisterDestination{Stamp: s.stamp(by, ""), Destination: to})
}

// checked puts a place into its stored form, or says which field does not fit.
func (s *Backups) checked(d Destination) (backup.Destination, error) {
	to := backup.Destination{ID: newID[DestinationID](), Name: d.Name, Kind: backup.Manual, Keys: d.Keys, Data: !d.Keys, Recipients: d.Recipients}
	if err := shortText("name", d.Name, 80); err != nil {
		return to, err
	}
	if d.Name == "" {
		return to, invalid("name", "missing", "the place needs a name: safe of the CCAS")
	}
	if _, err := crypto.ParseRecipients(d.Recipients); err != nil {
		return to, invalid("recipients", "recipient-malformed", err.Error())
	}
	switch d.Kind {
	case ManualDestination:
		return to, nil
	case FolderDestination:
	default:
		return to, invalid("kind", "unknown-kind", "a place is a folder, or a manual one")
	}
	if d.Every == 0 {
		d.Every = usualHours * time.Hour
	}
	if d.Every < time.Hour || d.Every > mostHours*time.Hour {
		return to, invalid("every_hours", "out-of-range", "a backup is made every 1 to 168 hours")
	}
	if d.Replica == (ReplicaID{}) {
		d.Replica = s.self
	}
	if r, ok := s.members.known(d.Replica); !ok || !r.State.Alive() {
		return to, errNoReplica
	}
	if err := shortText("path", d.Path, 1000); err != nil {
		return to, err
	}
	if !filepath.IsAbs(d.Path) {
		return to, invalid("path", "path-relative", "write the whole path of the folder, from the root")
	}
	to.Kind, to.Replica, to.Path, to.Hours = backup.Folder, d.Replica, filepath.Clean(d.Path), uint16(d.Every/time.Hour)
	return to, s.unshared(to)
}

// unshared refuses a folder that is in use: whoever writes into a folder of keys
// deletes every other key backup there.
func (s *Backups) unshared(d backup.Destination) error {
	taken := false
	err := s.view(itself, func(tx *store.Tx) error {
		return store.Destinations.Each(tx, nil, func(o backup.Destination) bool {
			taken = o.State == backup.Registered && o.Kind == backup.Folder && o.Replica == d.Replica && o.Path == d.Path
			return !taken
		})
	})
	if err == nil && taken {
		err = &Error{Kind: Conflict, Code: "path-taken", Field: "path", Reason: "another place is in this folder already; keep data and keys apart, each in a folder of its own"}
	}
	return err
}

// destination is the record of a place.
func (c *copies) destination(id DestinationID) (d backup.Destination, err error) {
	err = c.view(itself, func(tx *store.Tx) (err error) {
		var ok bool
		if d, ok, err = store.Destinations.Get(tx, id[:]); err == nil && !ok {
			err = refused(refuse.NoDestination, RequestID{})
		}
		return err
	})
	return d, err
}

// Drop gives up a place. A place of keys is first cleared; a manual one only after
// a person says that it is (cleared), and so is a folder that cannot be reached.
func (s *Backups) Drop(ctx context.Context, by Caller, id DestinationID, cleared bool) (Receipt, error) {
	if err := by.may(KeepBackups); err != nil {
		return Receipt{}, err
	}
	d, err := s.copies.destination(id)
	if err != nil {
		return Receipt{}, err
	}
	empty := d.KeysAt == 0 && d.Try.Handed == (crypto.KeyID{})
	switch {
	case !d.Keys:
		return s.propose(ctx, command.DropDestination{Stamp: s.stamp(by, ""), ID: id})
	case d.Kind == backup.Manual && !cleared && !empty:
		return Receipt{}, &Error{Kind: Conflict, Code: notCleared, Reason: "destroy the key backup that lies there first, then say so"}
	case d.Kind == backup.Manual:
		return s.propose(ctx, command.DropDestination{Stamp: s.stamp(by, ""), ID: id, Deleted: true})
	}
	index := uint64(0)
	if d.State == backup.Registered {
		first := s.stamp(by, "")
		first.Key = "" // the second command is the one that is known again
		receipt, err := s.propose(ctx, command.DropDestination{Stamp: first, ID: id})
		if err != nil {
			return receipt, err
		}
		index = receipt.Index // no backup goes there any more
	}
	answer, err := askReplica[folderAnswer](ctx, s.core, d.Replica, "/backup/clear", s.copies.clear, folderQuestion{ID: id, Index: index})
	if (err != nil || answer.Fault != "") && !cleared {
		return Receipt{}, &Error{Kind: Conflict, Code: notCleared, Reason: "no backup goes there any more, but its replica could not clear the folder: erasures wait for it. Destroy the key backup by hand, then say so"}
	}
	return s.propose(ctx, command.DropDestination{Stamp: s.stamp(by, ""), ID: id, Deleted: true})
}

// Now makes the backup of a folder at once and waits for it.
func (s *Backups) Now(ctx context.Context, by Caller, id DestinationID) (Receipt, error) {
	if err := by.may(KeepBackups); err != nil {
		return Receipt{}, err
	}
	d, err := s.copies.destination(id)
	switch {
	case err != nil:
		return Receipt{}, err
	case d.State != backup.Registered:
		return Receipt{}, refused(refuse.DestinationDropped, RequestID{})
	case d.Kind != backup.Folder:
		return Receipt{}, &Error{Kind: Conflict, Code: "by-hand", Reason: "a person carries the backup to this place: download it"}
	}
	answer, err := askReplica[folderAnswer](ctx, s.core, d.Replica, "/backup/now", s.copies.now, folderQuestion{ID: id})
	if err != nil {
		return Receipt{}, err
	}
	if answer.Fault != "" {
		return Receipt{}, folderError(answer.Fault)
	}
	if err := s.replica.Wait(ctx, answer.Index); err != nil {
		return Receipt{}, explain(err)
	}
	d, err = s.copies.destination(id)
	return Receipt{ID: id, Version: d.Version, Index: answer.Index}, err
}

// Data streams a data backup, encrypted to recipients and signed, to w. done is called with the bytes written so far.
func (s *Backups) Data(ctx context.Context, by Caller, recipients []string, w io.Writer, done func(bytes uint64)) error {
	if err := by.may(KeepBackups); err != nil {
		return err
	}
	if err := s.fresh(by); err != nil {
		return err
	}
	to, err := crypto.ParseRecipients(recipients)
	if err != nil {
		return invalid("recipient", "recipient-malformed", err.Error())
	}
	return explain(s.copies.writeData(to, &counting{alive: ctx.Err, w: w, done: done}))
}

// Keys streams the key backup for a manual place, encrypted to its recipients. The
// territory notes which one was handed out; see Kept.
func (s *Backups) Keys(ctx context.Context, by Caller, id DestinationID, w io.Writer) error {
	if err := by.may(KeepBackups); err != nil {
		return err
	}
	if err := s.fresh(by); err != nil {
		return err
	}
	d, err := s.copies.destination(id)
	switch {
	case err != nil:
		return err
	case d.State != backup.Registered:
		return refused(refuse.DestinationDropped, RequestID{})
	case !d.Keys:
		return refused(refuse.NoKeysThere, RequestID{})
	case d.Kind != backup.Manual:
		return &Error{Kind: Conflict, Code: "by-machine", Reason: "a replica writes the key backup into this folder, and deletes the older one: no second copy is handed out"}
	}
	to, err := crypto.ParseRecipients(d.Recipients)
	if err != nil {
		return err
	}
	begun, err := s.replica.Barrier(ctx) // what she reads on her screen lies before it
	if err != nil {
		return explain(err)
	}
	made := backup.Made{Begun: begun, Handed: true}
	out := &counting{alive: ctx.Err, w: w, done: func(bytes uint64) { made.Bytes = bytes }}
	if made.Root, err = s.copies.writeKeys(to, out); err != nil {
		return explain(err)
	}
	_, err = s.copies.report(ctx, id, made)
	return err
}

// Kept records that the key backup made for a manual place lies there, and that
// the older one was destroyed. It speaks of the last one that was handed out,
// which must be of the root in force.
func (s *Backups) Kept(ctx context.Context, by Caller, id DestinationID) (Receipt, error) {
	if err := by.may(KeepBackups); err != nil {
		return Receipt{}, err
	}
	d, err := s.copies.destination(id)
	switch {
	case err != nil:
		return Receipt{}, err
	case d.Kind != backup.Manual:
		return Receipt{}, &Error{Kind: Conflict, Code: "by-machine", Reason: "a replica looks after this folder"}
	case d.Try.Handed == (crypto.KeyID{}):
		return Receipt{}, &Error{Kind: Conflict, Code: "nothing-handed", Reason: "no key backup was made for this place yet: make it first, put it there, then say so"}
	}
	return s.propose(ctx, command.RecordBackup{Stamp: s.stamp(by, ""), ID: id, Made: backup.Made{Root: d.Try.Handed, Begun: d.Try.Begun, Bytes: d.Try.Bytes}})
}

// Signer is the public key by which restore knows this territory's backups; it stands on the recovery sheet.
func (s *Backups) Signer(by Caller) (string, error) {
	if err := by.may(KeepBackups); err != nil {
		return "", err
	}
	return s.copies.signer().VerifyKey().String(), nil
}

// askReplica asks one replica, this one without a network. It waits as long as
// relayHeader: a backup takes its time.
func askReplica[O, I any](ctx context.Context, c *core, id ReplicaID, path string, here func(context.Context, I) (O, error), in I) (out O, err error) {
	if id == c.self {
		return here(context.WithValue(ctx, peerKey{}, c.self), in)
	}
	r, ok := c.members.known(id)
	if !ok || !r.State.Alive() || c.peers == nil {
		return out, &Error{Kind: Conflict, Code: ownerGone, Reason: "the replica whose folder this is takes no part any more"}
	}
	out, err = askWith[O](ctx, c.peers.patient, relayHeader, r.At.Peer, path, in)
	if _, known := errors.AsType[*Error](err); err != nil && !known {
		err = &Error{Kind: Unavailable, Code: "replica-away", Reason: "the replica whose folder this is does not answer; try again when it is up"}
	}
	return out, err
}

// own places in folders of this replica that are in use.
func (c *copies) ownFolders() (own []backup.Destination, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		return store.Destinations.Each(tx, nil, func(d backup.Destination) bool {
			if d.Kind == backup.Folder && d.Replica == c.self && d.State == backup.Registered {
				own = append(own, d)
			}
			return true
		})
	})
	return slices.Clip(own), err
}
