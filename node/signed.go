package node

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/crypto"
	"golang.org/x/mod/sumdb/tlog"
)

// signedHead is the last head of the territory's feed that this replica has signed.
type signedHead struct {
	Replica string    `json:"replica"` // who signed: in another's folder it says nothing
	Epoch   uint16    `json:"epoch"`
	Size    int64     `json:"size"`
	Root    tlog.Hash `json:"root"`
}

// signedFile keeps it on this machine's own disk, beside the store: a snapshot that
// is installed, or a backup that is restored, brings no older one back. Without it
// the replica does not know what it has promised. One writer at a time.
type signedFile struct {
	path    string
	replica string
	logger  *slog.Logger
}

func newSignedFile(cfg Config, self ReplicaID) signedFile {
	return signedFile{filepath.Join(federationDir(cfg), "signed"), self.String(), cfg.Logger}
}

// federationDir is where this replica keeps what it holds of the federation outside
// the record.
func federationDir(cfg Config) string { return filepath.Join(cfg.Dir, "federation") }

// read is the last promise; ok is false when nobody knows of one.
func (f signedFile) read() (h signedHead, ok bool) {
	b, err := os.ReadFile(f.path)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err == nil && h.Replica != f.replica {
		err = errors.New("it is another replica's")
	}
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			f.logger.Warn("the last head that this replica has signed cannot be read; it asks the hubs before it signs again", errAttr(err))
		}
		return signedHead{}, false
	}
	return h, true
}

// write returns once the promise is on disk. Only then may it be given.
func (f signedFile) write(h signedHead) error {
	h.Replica = f.replica
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	if err := crypto.WriteFile(f.path, b); err != nil {
		return err
	}
	return folder(filepath.Dir(filepath.Dir(f.path))).sync()
}
