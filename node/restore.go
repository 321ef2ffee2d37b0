package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
)

// Restoring is what a territory comes back from.
type Restoring struct {
	Data, Keys string          // paths of the two backups
	Recovery   crypto.Unsealer // opens both
	// Signer must have signed both. AnySigner: whoever it is, the same for both.
	Signer crypto.VerifyKey
	// AcceptLoss: go on although people were enrolled after the key backup was
	// made, whom nobody can ever read again.
	AcceptLoss bool
	// Read is called with the bytes read so far, of so many. May be nil.
	Read func(done, all int64)
}

// Restored says what came back.
type Restored struct {
	Territory Territory
	DataMade  Instant
	KeysMade  Instant
	Signer    string // of both
	Kept      int    // people, accounts and imports that can be read
	Erased    int    // erased since the data backup: they stay erased
	Lost      int    // newer than the key backup: nobody can read them
	Places    int    // for backups, which have to be registered anew
}

// restoringMark lies in a data folder while it is being filled. A folder with it
// holds nothing that was ever served.
const restoringMark = "restoring"

// Errors of Restore, beside those of package crypto for a damaged, foreign or
// closed backup.
var (
	errNotKeys       = errors.New("this is a data backup: give the key backup for --keys, and the data backup for --data")
	errNotData       = errors.New("this is a key backup: give the data backup for --data, and the key backup for --keys")
	errTwoTerritory  = errors.New("the two backups are of different territories: give the data backup and the key backup of the same one")
	errRecovery      = errors.New("the recovery identity does not open this backup: it is made for others; give the identity whose public key was a recipient (the recovery sheet names it)")
	errRestoreInside = errors.New("the vault lies inside the data folder; a copy of the data would carry its keys: choose another place for it")
)

// Restore makes this bare machine the first replica of a territory that comes back
// from its backups. Both are read and verified whole before anything is served,
// and nothing is left behind when it fails. The territory begins another life: its
// incarnation, authority and gossip key, this replica's ID and keys are new, so
// that no replica of the former life can be mistaken for one of this; and the log
// begins anew. Who was erased stays so. An old data backup with today's key backup
// gives back everybody but those who were erased since.
func Restore(ctx context.Context, cfg Config, r Restoring) (out Restored, err error) {
	if err := cfg.withDefaults(); err != nil {
		return out, err
	}
	if inside(cfg.Vault, cfg.Dir) {
		return out, errRestoreInside
	}
	if err := clearHalf(cfg); err != nil {
		return out, err
	}
	if err := vacant(cfg); err != nil {
		return out, err
	}
	if _, err := os.Stat(filepath.Dir(cfg.Vault)); err != nil {
		return out, fmt.Errorf("the folder for the vault: %w", err)
	}
	keys, err := r.open(r.Keys, nil)
	if err != nil {
		return out, fmt.Errorf("the key backup: %w", err)
	}
	head := keys.head
	err = keys.verify(keyBackup)
	keys.Close()
	if err != nil {
		return out, fmt.Errorf("the key backup: %w", err)
	}
	vault, err := reborn(head, keys.by)
	if err != nil {
		return out, fmt.Errorf("the key backup: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return out, wrap("making the data folder", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, emptied(cfg))
		}
	}()
	if err := crypto.WriteFile(filepath.Join(cfg.Dir, restoringMark), nil); err != nil {
		return out, wrap("marking the data folder", err)
	}
	if out, err = r.into(cfg, vault, keys.by); err != nil {
		return out, err
	}
	out.KeysMade, out.Signer = head.At, keys.by.String()
	if err := beginLog(ctx, cfg, vault, &out); err != nil {
		return out, err
	}
	if err := folder(cfg.Dir).sync(); err != nil {
		return out, err
	}
	if err := crypto.CreateVault(cfg.Vault, &vault, cfg.Unseal); err != nil {
		return out, err
	}
	os.Remove(filepath.Join(cfg.Dir, restoringMark)) // with the vault there it means nothing
	return out, nil
}

// clearHalf removes what a restore that was interrupted has left.
func clearHalf(cfg Config) error {
	if _, err := os.Stat(filepath.Join(cfg.Dir, restoringMark)); err != nil || Founded(cfg) {
		return nil
	}
	return emptied(cfg)
}

// emptied removes what Restore has put into the data folder.
func emptied(cfg Config) error {
	var errs []error
	for _, path := range []string{storeDir(cfg), logDir(cfg), filepath.Join(cfg.Dir, upkeepMark), filepath.Join(cfg.Dir, restoringMark)} {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}

// reborn is the vault of the first replica of the new life.
func reborn(h backupHead, by crypto.VerifyKey) (v crypto.Vault, err error) {
	shared, err := crypto.SharedFromBytes(h.Shared)
	if err != nil {
		return v, crypto.ErrEnvelopeDamaged
	}
	if crypto.NewSigner(shared.Domain).VerifyKey() != by {
		return v, crypto.ErrOtherSigner
	}
	if v, err = crypto.NewVault(h.Territory, newID[ReplicaID]().String(), systemClock()); err != nil {
		return v, err
	}
	v.Shared.Domain = shared.Domain // sealed passwords, and the signature, are the same
	v.Roots.Current, err = crypto.KeyFromBytes(h.Root)
	if err != nil {
		err = crypto.ErrEnvelopeDamaged
	}
	return v, err
}

// into fills the store from both backups, all or nothing.
func (r Restoring) into(cfg Config, vault crypto.Vault, by crypto.VerifyKey) (out Restored, err error) {
	r.Signer = by
	data, err := r.open(r.Data, r.Read)
	if err == nil {
		defer data.Close()
		err = data.is(dataBackup)
	}
	if errors.Is(err, crypto.ErrOtherSigner) || err == nil && data.head.Territory != vault.Territory {
		err = errTwoTerritory
	}
	if err != nil {
		return out, fmt.Errorf("the data backup: %w", err)
	}
	keys, err := r.open(r.Keys, nil)
	if err != nil {
		return out, fmt.Errorf("the key backup: %w", err)
	}
	defer keys.Close()
	if string(keys.head.Root) != string(vault.Roots.Current.Reveal()) {
		return out, errors.New("the key backup was replaced while it was read: try again")
	}
	st, err := store.Open(store.Config{
		Dir: storeDir(cfg), Values: vault.Node.Values, Skin: vault.Node.Skin, Dump: vault.Shared.Domain.Derive("dump"), Logger: cfg.Logger,
	})
	if err != nil {
		return out, err
	}
	self, err := parseReplica(vault.Replica)
	if err != nil {
		return out, errors.Join(err, st.Close())
	}
	here := replica.Replica{ID: self, At: replica.Address{
		Peer: cfg.Peering.Address, URL: cfg.Peering.URL, Level: uint16(command.Current), Fingerprint: crypto.FingerprintOf(vault.TLS.Public()),
	}}
	got, err := machine.Restore(st, data.body, keys.body, here, func(got machine.Restored) error {
		if got.Lost > 0 && !r.AcceptLoss {
			return &olderKeys{got.Lost}
		}
		return nil
	})
	switch {
	case errors.Is(err, store.ErrDump) && data.whole() != nil:
		err = fmt.Errorf("the data backup: %w", data.whole())
	case errors.Is(err, store.ErrDump):
		err = fmt.Errorf("the backups: %w", crypto.ErrEnvelopeDamaged)
	}
	out = Restored{DataMade: data.head.At, Kept: got.Kept, Erased: got.Erased, Lost: got.Lost}
	return out, errors.Join(err, st.Close())
}

// olderKeys says how many people a key backup does not reach.
type olderKeys struct{ lost int }

func (e *olderKeys) Error() string {
	return fmt.Sprintf("the key backup is older than the data backup: %d people, accounts or imports that were added after it could never be read again. Give a newer key backup, or an older data backup, or accept the loss (--accept-loss); nothing was restored", e.lost)
}

// beginLog starts the new life once, alone, so that its log begins behind the
// state: whoever joins is sent the state, not a log that lacks it.
func beginLog(ctx context.Context, cfg Config, vault crypto.Vault, out *Restored) error {
	cfg.Peering = Peering{}
	n, err := open(ctx, cfg, vault)
	if err != nil {
		return err
	}
	err = func() error {
		if out.Territory, err = n.Settings.Territory(); err != nil {
			return err
		}
		if out.Places, err = n.core.copies.formerPlaces(); err != nil {
			return err
		}
		held := vault.Roots.Current.ID()
		if _, err := n.core.propose(ctx, command.HoldRoot{Stamp: n.core.own(), Replica: n.core.self, Root: held}); err != nil {
			return err
		}
		whole, err := n.core.replica.Cut(ctx)
		if err == nil && (!whole || n.core.replica.Stats().First == 1) {
			err = errors.New("the new log could not be begun; try again")
		}
		return errors.Join(err, n.core.store.Sync())
	}()
	return errors.Join(err, n.Close())
}

// formerPlaces is how many places of the former life were in use.
func (c *copies) formerPlaces() (n int, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		return store.Destinations.Each(tx, nil, func(d backup.Destination) bool {
			if d.State == backup.Registered {
				n++
			}
			return true
		})
	})
	return n, err
}

// opened is a backup that is being read.
type opened struct {
	io.Closer
	head backupHead
	by   crypto.VerifyKey
	body *bufio.Reader
}

// open reads as far as the head. Nothing of it is known to be right before the
// body has been read to its end.
func (r Restoring) open(path string, read func(done, all int64)) (*opened, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var from io.Reader = f
	if read != nil {
		from = &readShown{r: f, all: info.Size(), show: read}
	}
	e, err := crypto.Decrypt(from, r.Recovery, r.Signer)
	if errors.Is(err, crypto.ErrWrongUnseal) {
		err = errRecovery
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	o := &opened{Closer: f, body: bufio.NewReaderSize(e, 64<<10), by: e.Signer()}
	if o.head, err = readHead(o.body); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

// is refuses a backup of the other kind.
func (o *opened) is(kind string) error {
	switch {
	case o.head.Kind == kind:
		return nil
	case kind == keyBackup:
		return errNotKeys
	}
	return errNotData
}

// whole reads on to the end, and says whether that is where the writer ended.
func (o *opened) whole() error {
	_, err := io.Copy(io.Discard, o.body)
	return err
}

// verify reads a backup to its end without keeping anything.
func (o *opened) verify(kind string) error {
	if err := o.is(kind); err != nil {
		return err
	}
	check := store.VerifyRecords
	if kind == keyBackup {
		check = store.VerifyKeys
	}
	err := check(o.body)
	if errors.Is(err, store.ErrDump) {
		return either(o.whole(), crypto.ErrEnvelopeDamaged)
	}
	return err
}

// readShown tells how far a file has been read.
type readShown struct {
	r         io.Reader
	done, all int64
	show      func(done, all int64)
}

func (s *readShown) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.done += int64(n)
	s.show(s.done, s.all)
	return n, err
}

// BackupFacts are what a backup says of itself.
type BackupFacts struct {
	Signer    string
	Bytes     int64
	Opened    bool   // what follows was read, with an identity
	Keys      bool   // a key backup; else of data
	Territory string // SIREN
	Made      Instant
}

// VerifyBackup reads a backup to its end: whole, unaltered, and signed by from.
// With an identity (opened) it is also opened and its inside checked, without
// anything being kept.
func VerifyBackup(path string, from crypto.VerifyKey, recovery crypto.Unsealer, opening bool, read func(done, all int64)) (facts BackupFacts, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return facts, err
	}
	facts.Bytes = info.Size()
	if opening {
		o, err := (Restoring{Recovery: recovery, Signer: from}).open(path, read)
		if err != nil {
			return facts, err
		}
		defer o.Close()
		if err := o.verify(o.head.Kind); err != nil {
			return facts, err
		}
		facts.Signer, facts.Opened, facts.Keys, facts.Territory, facts.Made = o.by.String(), true, o.head.Kind == keyBackup, o.head.Territory, o.head.At
		return facts, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return facts, err
	}
	defer f.Close()
	var in io.Reader = f
	if read != nil {
		in = &readShown{r: f, all: info.Size(), show: read}
	}
	by, err := crypto.VerifyEnvelope(in, from)
	facts.Signer = by.String()
	return facts, err
}
