package node

import (
	"context"

	"github.com/bippop/bippop/node/internal/ident"
)

// Erasures make people's words unreadable for ever.
type Erasures struct{ *core }

// ErasureID names an erasure, or the wish for one.
type ErasureID = ident.Erasure

// Erasable is a kind of record that can be erased. The words are the API's.
type Erasable string

const (
	ErasableBeneficiary Erasable = "beneficiary"
	ErasableVolunteer   Erasable = "volunteer"
	ErasableAccount     Erasable = "account" // of staff, closed before
	ErasableImport      Erasable = "import"  // an import that was undone, with all its people
)

// Wanted is somebody who will be erased with the next batch, within the hour.
type Wanted struct {
	ID   ErasureID
	Kind Erasable
	Who  [16]byte
	At   Instant
	By   AccountID
}

// Erasure is one change of the root key and whom it has made unreadable.
type Erasure struct {
	ID        ErasureID
	At        Instant
	By        []AccountID
	Who       []ErasedRecord
	From, To  string // names of the root keys, hexadecimal
	Holders   []Holder
	Backups   []BackupWait
	Certified Instant // 0: pending
}

// ErasedRecord is what is left of somebody.
type ErasedRecord struct {
	Kind Erasable
	ID   [16]byte
}

// Holder is a replica that had the former root key.
type Holder struct {
	Replica   ReplicaID
	Name      string
	Gone      Instant // when it said that it holds the former root no more; 0: pending
	Destroyed Instant // when a person recorded its vault as destroyed; 0: not
	By        AccountID
	How       string
}

// BackupWait is a place where an older key backup may still lie.
type BackupWait struct {
	Destination DestinationID
	Name        string
	Replaced    Instant // 0: pending
}

// Certificate is an erasure with what can and what cannot be promised.
type Certificate struct {
	Erasure
	Territory Territory
	// Limits are codes of what the certificate cannot promise: "vault-copies" (holds
	// unless an older copy of a vault exists together with what opens it), "one-replica",
	// "backups-35-days" (IDs, communes and dates leave with the last old data backup), "manual-backups".
	Limits []string
	Day    Day // when what stood in clear has left the last data backup
}

// Want notes that somebody is to be erased with the next batch. For now: at once.
// Everything that was planned with her is called off first, by the desk's own rules.
func (s *Erasures) Want(ctx context.Context, by Caller, kind Erasable, who [16]byte, now bool) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Keep takes the wish back, as long as the batch has not run.
func (s *Erasures) Keep(ctx context.Context, by Caller, id ErasureID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Run erases everybody who is wanted, now.
func (s *Erasures) Run(ctx context.Context, by Caller) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// List is whoever waits, and the erasures, newest first.
func (s *Erasures) List(by Caller, page Page) (waiting []Wanted, done []Erasure, next []byte, err error) {
	return nil, nil, nil, errNotBuilt
}

// Certificate of one erasure; pending ones say so.
func (s *Erasures) Certificate(by Caller, id ErasureID) (Certificate, error) {
	return Certificate{}, errNotBuilt
}
