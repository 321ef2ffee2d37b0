package node

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/store"
)

// folder is a place for backups on this machine. This replica is its only writer:
// another one that wrote there would have its key backups deleted.
type folder string

// The names of backups in a folder. What is being written has .part behind it.
const (
	dataPrefix = "data-"
	keysPrefix = "keys-"
	suffix     = ".bippop"
	partSuffix = ".part"
	nameTime   = "20060102T150405.000Z"
	probeName  = ".bippop-try"
)

// dataKept is how long a data backup stays in a folder: what stands in clear in it
// (IDs, communes, dates) leaves with it. See clearFor.
const dataKept = clearFor * 24 * time.Hour

// errReadBack: the disk said that it was written, and it is not there.
var errReadBack = errors.New("what was written does not read back")

// put writes a backup under name, whole or not at all, and reads it back to its
// last byte, so that by says who signed it.
func (f folder) put(name string, by crypto.VerifyKey, write func(io.Writer) error) (bytes uint64, err error) {
	part := f.at(name + partSuffix)
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	if bytes, err = verified(part, by); err != nil {
		return 0, err
	}
	if err = os.Rename(part, f.at(name)); err != nil {
		return 0, err
	}
	return bytes, f.sync()
}

func verified(path string, by crypto.VerifyKey) (bytes uint64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if _, err := crypto.VerifyEnvelope(file, by); err != nil {
		return 0, errReadBack
	}
	info, err := file.Stat()
	return uint64(info.Size()), err
}

// keep deletes every backup of this prefix but those that which names, and whatever
// was left half written.
func (f folder) keep(prefix string, which func(name string) bool) error {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		whole := strings.HasSuffix(name, suffix)
		if !strings.HasPrefix(name, prefix) || !whole && !strings.HasSuffix(name, suffix+partSuffix) || whole && which(name) {
			continue
		}
		if err := os.Remove(f.at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.sync()
}

// young keeps data backups that are not older than dataKept. A name that holds no
// time was not given here.
func young(now time.Time) func(name string) bool {
	return func(name string) bool {
		at, err := time.Parse(nameTime, strings.TrimSuffix(strings.TrimPrefix(name, dataPrefix), suffix))
		return err != nil || now.Sub(at) <= dataKept
	}
}

// try writes, reads back and removes.
func (f folder) try() error {
	if info, err := os.Stat(string(f)); err != nil || !info.IsDir() {
		return either(err, fs.ErrNotExist)
	}
	const probe = "bippop tries whether it can write here\n"
	if err := crypto.WriteFile(f.at(probeName), []byte(probe)); err != nil {
		return err
	}
	got, err := os.ReadFile(f.at(probeName))
	if err == nil && string(got) != probe {
		err = errReadBack
	}
	return errors.Join(err, os.Remove(f.at(probeName)), f.sync())
}

func (f folder) at(name string) string { return filepath.Join(string(f), name) }

// sync makes names and deletions survive a power cut.
func (f folder) sync() error {
	d, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Codes of what may be wrong with a folder.
const (
	noFolder     = "no-folder"
	noPermission = "no-permission"
	noSpace      = "no-space"
	readOnly     = "read-only"
	notReadBack  = "not-read-back"
	insideData   = "inside-data"
	keyInData    = "key-in-data"
	copyFailed   = "backup-failed"
)

var folderFaults = map[string]string{
	noFolder:     "there is no such folder on that machine: make it, or mount the disk",
	noPermission: "the account under which bippop runs may not write there: change the owner of the folder",
	noSpace:      "the disk of this folder is full: free space, or choose another one",
	readOnly:     "this disk can only be read: a place for key backups must be able to delete",
	notReadBack:  "what was written there does not read back: replace this disk",
	insideData:   "this folder lies beside the data or the vault it is a copy of: choose another disk",
	keyInData:    "the data backup would hold a key; it was stopped: tell the makers of this program",
	copyFailed:   "the backup could not be written: the log of that replica says why",
}

func folderError(code string) error {
	reason, ok := folderFaults[code]
	if !ok { // another error of that replica
		return &Error{Kind: Unavailable, Code: code, Reason: "the backup could not be made: the log of that replica says why"}
	}
	return &Error{Kind: Conflict, Code: code, Field: "path", Reason: reason}
}

// faultOf is the code of an error.
func faultOf(err error) string {
	known, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return ""
	case ok:
		return known.Code
	case errors.Is(err, errReadBack):
		return notReadBack
	case errors.Is(err, store.ErrKey):
		return keyInData
	case errors.Is(err, store.ErrDamaged):
		return errDamaged.Code
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return noSpace
	case errors.Is(err, syscall.EROFS):
		return readOnly
	case errors.Is(err, fs.ErrPermission):
		return noPermission
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return noFolder
	}
	return copyFailed
}
