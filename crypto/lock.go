package crypto

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// ErrDoorbell says that the file of a [Doorbell] cannot be used.
var ErrDoorbell = errors.New("the doorbell file is damaged; unseal this replica by hand, it then writes another")

// SealForPeers seals a copy of v that only its peers can help to open: the box
// lies on this replica's disk, the lock is drawn here and now, goes to the peers
// and is kept in their memory alone. Each call draws another lock, so that a copy
// of an older box opens for nobody once the peers have let the older lock go. u is
// what v was saved with: with the box goes what it takes to save v again.
func SealForPeers(v Vault, u Unsealer) (lock Key, box []byte, err error) {
	if u.again == nil {
		return Key{}, nil, errors.New("the vault was saved by nothing that can save it again")
	}
	var f peersFile
	if f.Vault, err = encodeVault(v); err != nil {
		return Key{}, nil, err
	}
	f.Format, f.Again, f.Known = vaultFormat, u.again(), u.known
	plain, err := json.Marshal(f)
	if err != nil {
		return Key{}, nil, err
	}
	lock = NewKey()
	return lock, lock.Seal(plain, peersPlace), nil
}

// OpenFromPeers opens what [SealForPeers] sealed: [ErrDamaged] when it is not the
// box of this lock. The Unsealer saves the vault as it was saved before; given to
// [LoadVault] it yields what was in the box, whatever the file there holds, so the
// box must be the copy of that file's vault.
func OpenFromPeers(box []byte, lock Key) (Vault, Unsealer, error) {
	plain, err := lock.Open(box, peersPlace)
	if err != nil {
		return Vault{}, Unsealer{}, err
	}
	var f peersFile
	if decodeStrictly(plain, &f) != nil || f.Format != vaultFormat {
		return Vault{}, Unsealer{}, ErrDamaged
	}
	v, err := decodeVault(f.Vault)
	if err != nil {
		return Vault{}, Unsealer{}, err
	}
	u, err := f.Again.unsealer()
	if err != nil {
		return Vault{}, Unsealer{}, err
	}
	u.known, u.opened = f.Known, func() []byte { return f.Vault }
	return v, u, nil
}

type peersFile struct {
	Format int     `json:"format"` // vaultFormat
	Vault  []byte  `json:"vault"`  // as in the vault's file, in clear
	Again  sealing `json:"again"`
	Known  string  `json:"known,omitempty"` // see Unsealer
}

var peersPlace = Place([]byte("bippop vault for peers"), []byte{vaultFormat})

// Doorbell is the key by which a sealed replica tells its peers which one it is.
// It lies in clear beside the vault, so whoever has the disk has it: it opens
// nothing, and peers that answer it do so under conditions of their own. It is
// another key than the vault's [Identity], so that ringing is never taken for
// being let in. Safe for concurrent use.
type Doorbell struct {
	hidden
	reveal func() doorbell
}

type doorbell struct {
	territory, replica string
	key                ed25519.PrivateKey
}

type doorbellFile struct {
	Format    int    `json:"format"`
	Territory string `json:"territory"`
	Replica   string `json:"replica"`
	Key       []byte `json:"key"` // Ed25519 seed
}

// NewDoorbell draws the key of a replica.
func NewDoorbell(territory, replica string) Doorbell {
	d := doorbell{territory, replica, newSigningKey()}
	return Doorbell{reveal: func() doorbell { return d }}
}

// Territory is the SIREN.
func (d Doorbell) Territory() string { return d.reveal().territory }

// Replica is the ID of the replica that rings.
func (d Doorbell) Replica() string { return d.reveal().replica }

// Fingerprint names the key, see [Fingerprint].
func (d Doorbell) Fingerprint() [32]byte {
	return FingerprintOf(d.reveal().key.Public().(ed25519.PublicKey))
}

// TLS signs a certificate for itself: peers look at its fingerprint, which they
// know, and at nothing else in it. It has no dates, as a sealed machine's clock
// may be wrong.
func (d Doorbell) TLS() (tls.Certificate, error) {
	of := d.reveal()
	template := &x509.Certificate{
		NotBefore: time.Unix(0, 0).UTC(), NotAfter: never, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		URIs:        []*url.URL{{Scheme: "bippop-doorbell", Host: of.territory, Path: "/" + of.replica}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, of.key.Public(), of.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making the doorbell's certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: of.key}, nil
}

// SaveDoorbell writes d in clear, readable by its owner only, whole or not at all.
func SaveDoorbell(path string, d Doorbell) error {
	of := d.reveal()
	b, err := json.Marshal(doorbellFile{1, of.territory, of.replica, of.key.Seed()})
	if err != nil {
		return err
	}
	if err := WriteFile(path, b); err != nil {
		return fmt.Errorf("writing the doorbell: %w", err)
	}
	return nil
}

// LoadDoorbell reads what [SaveDoorbell] wrote: [ErrDoorbell], or an error of the
// file system.
func LoadDoorbell(path string) (Doorbell, error) {
	b, err := readFile(path)
	if err != nil {
		return Doorbell{}, fmt.Errorf("reading the doorbell: %w", err)
	}
	var f doorbellFile
	if err := decodeStrictly(b, &f); err != nil || f.Format != 1 || len(f.Key) != ed25519.SeedSize {
		return Doorbell{}, ErrDoorbell
	}
	d := doorbell{f.Territory, f.Replica, ed25519.NewKeyFromSeed(f.Key)}
	return Doorbell{reveal: func() doorbell { return d }}, nil
}
