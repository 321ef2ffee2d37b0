package crypto

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts b at path by a synced rename, readable by its owner only: path
// holds the old bytes or the new ones, never a part, and the new ones are on disk
// when it returns.
func WriteFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return withHint(err)
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return withHint(err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// writeNew is [WriteFile] for a path where nothing may be.
func writeNew(path string, b []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists already", filepath.Base(path))
	}
	return WriteFile(path, b)
}

func readFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	return b, withHint(err)
}

// withHint says what to do where the operator can do it.
func withHint(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run bippop as the user who owns this file and its folder", err)
	}
	return err
}
