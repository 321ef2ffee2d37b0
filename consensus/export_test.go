package consensus

import (
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/bippop/bippop/crypto"
)

// Diverge writes n more commands to the log in dir, as its replica would have done
// had it led without a majority.
func Diverge(dir string, key crypto.Key, n int, command []byte) (last uint64, err error) {
	cfg := &Config{Logger: slog.New(slog.DiscardHandler), Tuning: Tuning{SegmentBytes: 64 << 10}}
	w, err := openWAL(filepath.Join(dir, walFolder), cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	log := &sealedLog{wal: w, key: key, faults: &faults{}, stallLimit: stallLimit}
	if last, err = log.LastIndex(); err != nil {
		return 0, err
	}
	var newest raft.Log
	if err := log.GetLog(last, &newest); err != nil {
		return 0, err
	}
	for range n {
		last++
		err := log.StoreLog(&raft.Log{Index: last, Term: newest.Term, Type: raft.LogCommand, Data: encodeEntry([][]byte{command})})
		if err != nil {
			return 0, err
		}
	}
	return last, nil
}

// BeforeStore makes f run before entries are written; its error is the disk's.
func (c *Config) BeforeStore(f func() error) { c.Tuning.BeforeStore = f }

var (
	EncodeEntry = encodeEntry
	DecodeEntry = decodeEntry
)

const (
	MaxEntry         = maxEntry
	MaxEntryCommands = maxEntryCommands
)
