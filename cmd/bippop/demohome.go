package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
)

// demoHome is the folder of a demo:
//
//	.bippop-demo    says that a demo made this folder and may wipe it
//	demo.json       this struct; written once everything is there
//	identity.txt    opens the vault
//	vault.age       the keys of the first replica
//	data/           its own
//	replica-2/ …    vault.age and data/ of the others
//	neighbour/ …    the same of another territory, and coordinator/ of the nation's
type demoHome struct {
	Filled   bool          `json:"filled"`
	Profile  synth.Profile `json:"profile"`
	Seed     uint64        `json:"seed"`
	Name     string        `json:"name"` // of the territory
	Accounts []demoAccount `json:"accounts"`
	Replicas int           `json:"replicas"`
	Peers    []string      `json:"peers"` // where the replicas meet, by replica

	Hub       int  `json:"hub,omitempty"`       // the coordinator's listens on this port
	Federated bool `json:"federated,omitempty"` // the coordinator's: the federation was founded

	dir   string
	place demoPlace
	row   int // first of the demo's ports; 0: it has no doors
}

const (
	demoMarker = ".bippop-demo"
	demoFile   = "demo.json"
	markerText = "bippop demo made this folder; bippop demo --reset removes it.\n"
)

// openDemoHome looks into dir, makes it when missing, and wipes what a demo left
// that was interrupted or is to be forgotten. A folder that no demo has made is
// never touched.
func openDemoHome(dir string, reset bool) (*demoHome, error) {
	if dir == "" {
		dir = defaultDemoDir()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("the demo's folder: %w", err)
	}
	h := &demoHome{dir: dir, place: reole}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0:
		return h, h.begin()
	case err != nil:
		return nil, fmt.Errorf("the demo's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, demoMarker)); err != nil {
		return nil, fmt.Errorf("%s holds something that no demo has made: choose another folder with --dir", dir)
	}
	if !reset {
		if err := h.load(); err != nil || h.Filled {
			return h, err
		}
	}
	if err := h.wipe(); err != nil {
		return nil, err
	}
	return h, h.begin()
}

// wipe removes what a demo makes, and nothing else.
func (h *demoHome) wipe() error {
	for _, name := range []string{demoFile, "data", "vault.age", "identity.txt", "replica-2", "replica-3", rural.Folder, nation.Folder} {
		if err := os.RemoveAll(filepath.Join(h.dir, name)); err != nil {
			return fmt.Errorf("forgetting the demo: %w", err)
		}
	}
	return nil
}

func (h *demoHome) begin() error {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	return os.WriteFile(filepath.Join(h.dir, demoMarker), []byte(markerText), 0o600)
}

// load reads demo.json; without one the demo is not filled.
func (h *demoHome) load() error {
	text, err := os.ReadFile(filepath.Join(h.dir, demoFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding the demo again: %w", err)
	}
	if err := json.Unmarshal(text, h); err != nil {
		return fmt.Errorf("%s cannot be read: add --reset to begin anew", filepath.Join(h.dir, demoFile))
	}
	return nil
}

// save writes demo.json, whole or not at all.
func (h *demoHome) save() error {
	h.Filled = true
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(h.dir, demoFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping the demo: %w", err)
	}
	return os.Rename(path+".new", path)
}
