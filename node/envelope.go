package node

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/bippop/bippop/crypto"
)

// What is in the envelope of a backup: the length of its head (4 bytes), the head
// in CBOR, and a part of the store (store.DumpRecords, store.DumpKeys).

// backupHead says what a backup is of.
type backupHead struct {
	Kind        string   `cbor:"1,keyasint"` // dataBackup, keyBackup
	Territory   string   `cbor:"2,keyasint"` // SIREN
	Incarnation [16]byte `cbor:"3,keyasint"`
	At          Instant  `cbor:"4,keyasint"`
	Root        []byte   `cbor:"5,keyasint,omitempty"` // of keyBackup: the root key
	Shared      []byte   `cbor:"6,keyasint,omitempty"` // of keyBackup: crypto.Shared
}

const (
	dataBackup = "data"
	keyBackup  = "keys"
)

// mostHead bounds a head, in bytes.
const mostHead = 64 << 10

func (h backupHead) write(w io.Writer) error {
	b, err := boxEncoding.Marshal(h)
	if err == nil {
		_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	}
	return err
}

// readHead returns [crypto.ErrEnvelopeDamaged] for what no node has written.
func readHead(r *bufio.Reader) (h backupHead, err error) {
	var size uint32
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return h, damagedUnless(err)
	}
	if size > mostHead {
		return h, crypto.ErrEnvelopeDamaged
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return h, damagedUnless(err)
	}
	if boxDecoding.Unmarshal(b, &h) != nil {
		return h, errors.New("this backup was written by a newer version of bippop: use that version, or a newer one")
	}
	return h, nil
}

// damagedUnless turns an end that comes too early into damage.
func damagedUnless(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return crypto.ErrEnvelopeDamaged
	}
	return err
}

func (c *copies) signer() crypto.Signer { return crypto.NewSigner(c.keeper.copied().Shared.Domain) }

// writeData writes everything but keys. What was written is no backup when it
// fails: it is cut short, and does not verify.
func (c *copies) writeData(to crypto.Recipients, w io.Writer) error {
	out, err := crypto.Encrypt(w, to, c.signer())
	if err != nil {
		return err
	}
	v := c.keeper.copied()
	if err := (backupHead{Kind: dataBackup, Territory: v.Territory, Incarnation: v.Incarnation, At: c.clock()}).write(out); err != nil {
		return err
	}
	if err := c.store.DumpRecords(out); err != nil {
		c.health.note(err)
		return err
	}
	return out.Close()
}

// writeKeys writes the key tree with the root in force, what all replicas share,
// who was erased and which replicas there are, and says which root it is.
// [errTurned] when the root was replaced meanwhile.
func (c *copies) writeKeys(to crypto.Recipients, w io.Writer) (root crypto.KeyID, err error) {
	root, err = rooting{c.core}.inForce()
	if err != nil {
		return root, err
	}
	v := c.keeper.copied()
	if v.Roots.Current.ID() != root {
		return root, errRootMissing
	}
	h := backupHead{Kind: keyBackup, Territory: v.Territory, Incarnation: v.Incarnation, At: c.clock(), Root: v.Roots.Current.Reveal()}
	if h.Shared, err = v.Shared.Reveal(); err != nil {
		return root, err
	}
	out, err := crypto.Encrypt(w, to, crypto.NewSigner(v.Shared.Domain))
	if err != nil {
		return root, err
	}
	if err := h.write(out); err != nil {
		return root, err
	}
	if err := c.store.DumpKeys(out); err != nil {
		c.health.note(err)
		return root, err
	}
	// No root comes back: if it is in force still, it was all the time.
	now, err := rooting{c.core}.inForce()
	if err != nil || now != root {
		return root, either(err, errTurned)
	}
	return root, out.Close()
}

// errTurned: what was written opens with a root that is not in force any more.
var errTurned = &Error{Kind: Unavailable, Code: "turned", Reason: "a key was replaced meanwhile; try again"}

// counting counts what passes, and ends when alive says so.
type counting struct {
	alive func() error
	w     io.Writer
	bytes uint64
	done  func(bytes uint64)
}

func (c *counting) Write(p []byte) (int, error) {
	if err := c.alive(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.bytes += uint64(n)
	c.done(c.bytes)
	return n, err
}
