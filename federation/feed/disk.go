package feed

import (
	"os"
	"path/filepath"
)

// disk is where a copy writes: the border at which tests let a machine lose its
// current. What was written is certain after Sync alone, a new name after SyncDir
// alone.
type disk interface {
	Write(path string, b []byte, at int64) error // makes the file when there is none
	Sync(path string) error
	Rename(from, to string) error
	Truncate(path string, size int64) error
	SyncDir(path string) error
}

// osDisk keeps no file open between calls: a hub holds a thousand feeds.
type osDisk struct{}

func (osDisk) Write(path string, b []byte, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	return closing(f, err)
}

func (osDisk) Sync(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return closing(f, f.Sync())
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Truncate(path string, size int64) error { return os.Truncate(path, size) }

func (osDisk) SyncDir(path string) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return closing(f, f.Sync())
}

func closing(f *os.File, err error) error {
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
