package node

import (
	"context"
	"io"
	"time"

	"github.com/bippop/bippop/node/internal/ident"
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
	Replica    ReplicaID // whose folder it is
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

// Status of all places.
func (s *Backups) Status(by Caller) (BackupStatus, error) { return BackupStatus{}, errNotBuilt }

// Register adds a place. It is tried at once: written, read back, and for keys removed again.
func (s *Backups) Register(ctx context.Context, by Caller, d Destination) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Drop gives up a place. A place of keys is first cleared; a manual one only after
// a person says that it is.
func (s *Backups) Drop(ctx context.Context, by Caller, id DestinationID, cleared bool) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Now makes the backup of a folder at once and waits for it.
func (s *Backups) Now(ctx context.Context, by Caller, id DestinationID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Data streams a data backup, encrypted to recipients and signed, to w. done is called with the bytes written so far.
func (s *Backups) Data(ctx context.Context, by Caller, recipients []string, w io.Writer, done func(bytes uint64)) error {
	return errNotBuilt
}

// Keys streams the key backup for a manual place, encrypted to its recipients.
func (s *Backups) Keys(ctx context.Context, by Caller, id DestinationID, w io.Writer) error {
	return errNotBuilt
}

// Kept records that the key backup made for a manual place lies there, and that the older one was destroyed.
func (s *Backups) Kept(ctx context.Context, by Caller, id DestinationID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Signer is the public key by which restore knows this territory's backups; it stands on the recovery sheet.
func (s *Backups) Signer(by Caller) (string, error) { return "", errNotBuilt }
