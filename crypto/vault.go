package crypto

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// vaultFormat is the number in the file. A vault with another one is refused.
const vaultFormat = 2

var (
	// ErrWrongUnseal says that the identity, passphrase or shares do not open the
	// vault.
	ErrWrongUnseal = errors.New("this identity, passphrase or set of shares does not open the vault; give what it was last sealed with")
	// ErrVaultDamaged says that the vault file was altered or cut short.
	ErrVaultDamaged = errors.New("the vault file is damaged; restore it from the key backup, or let this replica join the others anew")
	// ErrVaultThere says that a vault would be overwritten.
	ErrVaultThere = errors.New("there is a vault at this place already: it may be the only one that opens its data; choose another place")
	// ErrOtherTerritory says that a vault belongs to somebody else's data.
	ErrOtherTerritory = errors.New("this vault belongs to another territory or another replica; give the one that belongs to this data folder")
)

// Vault is what a replica needs to read its own disk and its people's words, and
// to prove to the others who it is. It lives in a small age file outside the data
// folder and outside data backups.
type Vault struct {
	Territory   string   // SIREN
	Incarnation [16]byte // drawn when the territory is founded and again when it is restored
	Replica     string   // ID of this replica, never used again for another
	Sealed      uint64   // grows with every save, so that an old copy can be told from a new one
	Roots       Roots    // top the key tree; without a current one in a replica that has just joined
	Node        NodeKeys // of this replica alone
	Shared      Shared   // equal on all replicas
	TLS         Identity // of this replica alone
}

// NodeKeys seal one replica's disk and are known to it alone.
type NodeKeys struct {
	Log    Key // log frames
	Values Key // stored values
	Skin   Key // Badger's own encryption
}

// NewNodeKeys draws them.
func NewNodeKeys() NodeKeys { return NodeKeys{Log: NewKey(), Values: NewKey(), Skin: NewKey()} }

// Shared is what all replicas of a territory hold alike. It seals no person's
// word and is not replaced when a person is forgotten.
type Shared struct {
	Domain    Key       // sessions, password hashes, dumps, the signature on backups
	Gossip    Key       // what replicas tell each other about being alive
	Authority Authority // says who is a replica of this territory
}

// NewVault founds a territory: it draws every key and issues the certificate of
// the first replica.
func NewVault(territory, replica string, now time.Time) (Vault, error) {
	v := Vault{
		Territory: territory, Incarnation: NewIncarnation(), Replica: replica,
		Roots: Roots{Current: NewKey()}, Node: NewNodeKeys(), TLS: NewIdentity(),
		Shared: Shared{Domain: NewKey(), Gossip: NewKey()},
	}
	var err error
	if v.Shared.Authority, err = NewAuthority(territory, v.Incarnation, now); err != nil {
		return Vault{}, err
	}
	from, to := Validity(now)
	der, err := v.Shared.Authority.Issue(replica, v.TLS.Public(), from, to)
	if err != nil {
		return Vault{}, err
	}
	v.TLS, err = v.TLS.WithCertificate(der)
	return v, err
}

// NewIncarnation draws the name of one life of a territory.
func NewIncarnation() (id [16]byte) {
	rand.Read(id[:])
	return id
}

// BelongsTo returns [ErrOtherTerritory] when v is not the vault of this replica
// of this territory.
func (v Vault) BelongsTo(territory, replica string) error {
	if v.Territory != territory || v.Replica != replica {
		return ErrOtherTerritory
	}
	return nil
}

// CreateVault is [SaveVault] for a place where there is none: [ErrVaultThere].
func CreateVault(path string, v *Vault, u Unsealer) error {
	if _, err := os.Lstat(path); err == nil {
		return ErrVaultThere
	}
	return SaveVault(path, v, u)
}

// SaveVault writes v to path, whole or not at all, and returns once it is on
// disk. v.Sealed grows by one, also when the writing fails: no two vaults that
// were ever written have the same number. One caller at a time.
func SaveVault(path string, v *Vault, u Unsealer) error {
	v.Sealed++
	plain, err := encodeVault(*v)
	if err != nil {
		return err
	}
	box, err := u.seal(plain)
	if err != nil {
		return fmt.Errorf("sealing the vault: %w", err)
	}
	if err := WriteFile(path, box); err != nil {
		return fmt.Errorf("writing the vault: %w", err)
	}
	return nil
}

// LoadVault opens the vault at path. [ErrWrongUnseal], [ErrVaultDamaged],
// [ErrPlugin], or an error of the file system.
func LoadVault(path string, u Unsealer) (Vault, error) {
	b, err := readFile(path)
	if err != nil {
		return Vault{}, fmt.Errorf("reading the vault: %w", err)
	}
	plain, err := u.open(b)
	switch {
	case errors.Is(err, ErrWrongUnseal), errors.Is(err, ErrPlugin):
		return Vault{}, err
	case err != nil:
		return Vault{}, ErrVaultDamaged
	}
	return decodeVault(plain)
}

// The names in these structs are the format: a change needs another vaultFormat.
type (
	vaultFile struct {
		Format      int          `json:"format"`
		Territory   string       `json:"territory"`
		Incarnation string       `json:"incarnation"` // hex
		Replica     string       `json:"replica"`
		Sealed      uint64       `json:"sealed"`
		Roots       rootsFile    `json:"roots"`
		Node        nodeFile     `json:"node"`
		Shared      sharedFile   `json:"shared"`
		TLS         identityFile `json:"tls"`
	}
	rootsFile struct {
		Current    []byte          `json:"current"` // or empty
		Candidates []candidateFile `json:"candidates"`
	}
	candidateFile struct {
		Key  []byte `json:"key"`
		From string `json:"from"` // hex
	}
	nodeFile struct {
		Log    []byte `json:"log"`
		Values []byte `json:"values"`
		Skin   []byte `json:"skin"`
	}
	sharedFile struct {
		Domain    []byte       `json:"domain"`
		Gossip    []byte       `json:"gossip"`
		Authority identityFile `json:"authority"`
	}
	// identityFile is an Ed25519 seed and an X.509 certificate in DER.
	identityFile struct {
		Key         []byte `json:"key"`
		Certificate []byte `json:"certificate"`
	}
)

// complete reports whether nothing that v must hold is missing. A replica that has
// just joined holds no root yet.
func (v Vault) complete() bool {
	for _, k := range []Key{v.Node.Log, v.Node.Values, v.Node.Skin, v.Shared.Domain, v.Shared.Gossip} {
		if k.Zero() {
			return false
		}
	}
	return !v.Shared.Authority.Zero() && !v.TLS.Zero() && !v.TLS.Expires().IsZero()
}

func encodeVault(v Vault) ([]byte, error) {
	if !v.complete() {
		return nil, errors.New("the vault lacks a key or a certificate; it is not written")
	}
	f := vaultFile{
		Format: vaultFormat, Territory: v.Territory, Incarnation: hex.EncodeToString(v.Incarnation[:]), Replica: v.Replica, Sealed: v.Sealed,
		Roots:  rootsFile{Current: []byte{}, Candidates: []candidateFile{}},
		Node:   nodeFile{v.Node.Log.Reveal(), v.Node.Values.Reveal(), v.Node.Skin.Reveal()},
		Shared: v.Shared.file(), TLS: v.TLS.file(),
	}
	if !v.Roots.Current.Zero() {
		f.Roots.Current = v.Roots.Current.Reveal()
	}
	for _, c := range v.Roots.Candidates {
		f.Roots.Candidates = append(f.Roots.Candidates, candidateFile{c.Key.Reveal(), c.From.String()})
	}
	return json.Marshal(f)
}

// decodeVault returns [ErrVaultDamaged], or says which program reads b.
func decodeVault(b []byte) (Vault, error) {
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &format); err != nil {
		return Vault{}, ErrVaultDamaged
	}
	switch {
	case format.Format == 1:
		return Vault{}, errors.New("the vault has format 1, of before territories had replicas, and this program cannot read it: export with the program that wrote it, found the territory anew with bippop init and import")
	case format.Format != vaultFormat:
		return Vault{}, fmt.Errorf("the vault has format %d, this program knows %d: use the version that wrote it", format.Format, vaultFormat)
	}
	var f vaultFile
	if err := decodeStrictly(b, &f); err != nil {
		return Vault{}, ErrVaultDamaged
	}
	v, err := f.vault()
	if err != nil {
		return Vault{}, ErrVaultDamaged
	}
	return v, nil
}

func (f vaultFile) vault() (v Vault, err error) {
	v = Vault{Territory: f.Territory, Replica: f.Replica, Sealed: f.Sealed}
	if err := parseHex(v.Incarnation[:], f.Incarnation); err != nil {
		return Vault{}, err
	}
	if err := keysFromBytes(
		into{&v.Node.Log, f.Node.Log}, into{&v.Node.Values, f.Node.Values}, into{&v.Node.Skin, f.Node.Skin},
	); err != nil {
		return Vault{}, err
	}
	if len(f.Roots.Current) > 0 {
		if v.Roots.Current, err = KeyFromBytes(f.Roots.Current); err != nil {
			return Vault{}, err
		}
	}
	for _, c := range f.Roots.Candidates {
		var candidate Candidate
		if candidate.Key, err = KeyFromBytes(c.Key); err != nil {
			return Vault{}, err
		}
		if err := parseHex(candidate.From[:], c.From); err != nil {
			return Vault{}, err
		}
		v.Roots.Candidates = append(v.Roots.Candidates, candidate)
	}
	if v.Shared, err = f.Shared.shared(); err != nil {
		return Vault{}, err
	}
	v.TLS, err = f.TLS.identity()
	return v, err
}

// Reveal returns s in clear, for a peer that is let in or for a box that is
// sealed next. [SharedFromBytes] reads it.
func (s Shared) Reveal() ([]byte, error) { return json.Marshal(s.file()) }

// SharedFromBytes reads what [Shared.Reveal] wrote, or returns [ErrDamaged].
func SharedFromBytes(b []byte) (Shared, error) {
	var f sharedFile
	if err := decodeStrictly(b, &f); err != nil {
		return Shared{}, ErrDamaged
	}
	s, err := f.shared()
	if err != nil {
		return Shared{}, ErrDamaged
	}
	return s, nil
}

func (s Shared) file() sharedFile {
	return sharedFile{s.Domain.Reveal(), s.Gossip.Reveal(), s.Authority.file()}
}

func (f sharedFile) shared() (s Shared, err error) {
	if err := keysFromBytes(into{&s.Domain, f.Domain}, into{&s.Gossip, f.Gossip}); err != nil {
		return Shared{}, err
	}
	s.Authority, err = f.Authority.authority()
	return s, err
}

// into is a key and the bytes it is read from.
type into struct {
	key  *Key
	from []byte
}

func keysFromBytes(all ...into) (err error) {
	for _, k := range all {
		if *k.key, err = KeyFromBytes(k.from); err != nil {
			return err
		}
	}
	return nil
}

// decodeStrictly refuses names that f does not have, and what follows it.
func decodeStrictly(b []byte, f any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

func parseHex(into []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(into) {
		return errors.New("a name in the vault is not in hexadecimal form")
	}
	copy(into, b)
	return nil
}
