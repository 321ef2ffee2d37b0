package node

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
)

// keeper holds this replica's vault while it runs. It is the only place that
// takes a root key in or lets one go. Safe for concurrent use.
//
// A candidate is on disk before anybody is told that it is held. The root in
// force changes in memory with the very entry that commits it, before a reader
// can meet the new tree; the disk follows at once, and only then the others hear
// that the former root is gone here.
type keeper struct {
	path   string
	unseal crypto.Unsealer
	ring   *crypto.Keyring
	logger *slog.Logger
	saving func() error // before each save
	saved  func()       // after each save

	lacking atomic.Bool // the root in force is not held here

	disk    sync.Mutex // held while the vault is written: one writer at a time
	mu      sync.Mutex // guards what follows, for a look or a change in memory
	vault   crypto.Vault
	inForce crypto.KeyID // as the machine says; zero: nothing said yet
	changes uint64       // of vault, in memory
	written uint64       // of these, how many are on disk
}

// errRootMissing says that this replica lacks the root in force and asks the
// others for it.
var errRootMissing = &Error{Kind: Unavailable, Code: "root-missing", Reason: "this replica was away while a key was replaced and is asking the others for the new one; try again in a few seconds, or at another replica"}

// offer takes in a candidate that would replace from, and returns once it is on
// disk.
func (k *keeper) offer(to crypto.Key, from crypto.KeyID) error {
	return k.change(func(v *crypto.Vault) error {
		_, err := v.Roots.Offer(to, from)
		return err
	})
}

// turned follows the machine: to is in force now, in place of from (zero: not
// known). It waits for no disk.
func (k *keeper) turned(from, to crypto.KeyID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.inForce = to
	changed, err := k.vault.Roots.Committed(from, to)
	if changed {
		k.changes++
	}
	k.lacking.Store(err != nil)
	if err == nil {
		k.ring.Turn(k.vault.Roots.Current)
	} else if !errors.Is(err, crypto.ErrLacking) {
		k.logger.Error("turning the root key", errAttr(err))
	}
}

// adopt takes the root in force from another replica.
func (k *keeper) adopt(key crypto.Key) error {
	err := k.change(func(v *crypto.Vault) error {
		if key.ID() == k.inForce {
			v.Roots.Adopt(key)
		}
		return nil // else it has been replaced meanwhile
	})
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.vault.Roots.Current.ID() == k.inForce {
		k.ring.Turn(k.vault.Roots.Current)
		k.lacking.Store(false)
	}
	return nil
}

// settle writes what turned has changed, and says which root is held here with
// nothing older; ok is false while the one in force is lacking.
func (k *keeper) settle() (held crypto.KeyID, ok bool, err error) {
	k.mu.Lock()
	behind := k.changes != k.written
	k.mu.Unlock()
	if behind {
		if err := k.change(func(*crypto.Vault) error { return nil }); err != nil {
			return crypto.KeyID{}, false, err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	current := k.vault.Roots.Current.ID()
	founded := k.inForce != crypto.KeyID{}
	return current, (!founded || current == k.inForce) && k.changes == k.written, nil
}

// missing is the root in force if it is lacking here, or zero.
func (k *keeper) missing() crypto.KeyID {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.vault.Roots.Current.ID() == k.inForce {
		return crypto.KeyID{}
	}
	return k.inForce // zero before a territory is founded
}

// give is the root of that name, for a replica that lacks it.
func (k *keeper) give(id crypto.KeyID) (crypto.Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id != k.inForce || k.vault.Roots.Current.ID() != id {
		return crypto.Key{}, false
	}
	return k.vault.Roots.Current, true
}

// serving reports errRootMissing while nobody's words can be opened here.
func (k *keeper) serving() error {
	if k.lacking.Load() {
		return errRootMissing
	}
	return nil
}

// copied is the vault as it stands.
func (k *keeper) copied() crypto.Vault {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.vault
}

// renew puts another certificate into the vault.
func (k *keeper) renew(id crypto.Identity) error {
	return k.change(func(v *crypto.Vault) error {
		v.TLS = id
		return nil
	})
}

// change alters the vault and returns once it is on disk.
func (k *keeper) change(alter func(*crypto.Vault) error) error {
	k.disk.Lock()
	defer k.disk.Unlock()
	k.mu.Lock()
	err := alter(&k.vault)
	k.changes++
	copied, upTo := k.vault, k.changes
	k.mu.Unlock()
	if err != nil {
		return err
	}
	if err := k.saving(); err != nil {
		return wrap("taking away the older copy of the vault", err)
	}
	if err := crypto.SaveVault(k.path, &copied, k.unseal); err != nil {
		return wrap("writing the vault", err)
	}
	k.mu.Lock()
	k.written, k.vault.Sealed = upTo, copied.Sealed
	k.mu.Unlock()
	k.saved()
	return nil
}

// whileSaved runs f while the vault that was sealed as number n is the one on
// disk, and reports whether it is. The vault is not written meanwhile.
func (k *keeper) whileSaved(n uint64, f func() error) (bool, error) {
	k.disk.Lock()
	defer k.disk.Unlock()
	if k.copied().Sealed != n {
		return false, nil
	}
	return true, f()
}

// credentials are how this replica shows itself to the others.
func (k *keeper) credentials() mesh.Credentials {
	v := k.copied()
	own := v.TLS.TLS()
	own.Certificate = append(own.Certificate, v.Shared.Authority.Certificate()) // by which a machine that joins knows the territory
	return mesh.Credentials{
		Territory: v.Territory, Incarnation: v.Incarnation, Replica: v.Replica, Certificate: own, Authorities: v.Shared.Authority.Pool(),
	}
}

// renewed puts a fresh certificate into the vault when the present one ends soon.
// Certificates live on the machine's own clock.
func (k *keeper) renewed(now time.Time) error {
	v := k.copied()
	if v.TLS.Expires().Sub(now) > crypto.IdentityRenew {
		return nil
	}
	from, to := crypto.Validity(now)
	certificate, err := v.Shared.Authority.Issue(v.Replica, v.TLS.Public(), from, to)
	if err != nil {
		return err
	}
	id, err := v.TLS.WithCertificate(certificate)
	if err != nil {
		return err
	}
	return k.renew(id)
}
