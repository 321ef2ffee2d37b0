package consensus

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/bippop/bippop/crypto"
)

const (
	snapshotFile = "snapshot" // sealed snapshotMeta
	installFile  = "install"  // a received stream, until the machine has loaded it
	tempPattern  = "temp-*"
)

// snapshotMeta is all that a snapshot is on disk: the state itself lives in the
// machine, which is made durable before the log is cut.
type snapshotMeta struct {
	Index              uint64             `json:"index"`
	Term               uint64             `json:"term"`
	Configuration      raft.Configuration `json:"configuration"`
	ConfigurationIndex uint64             `json:"configuration_index"`

	// Machine is what the machine had applied when the snapshot was taken. It
	// is below Index when raft's own entries stand between.
	Machine uint64 `json:"machine"`
	// Installed: the snapshot came from another replica, the log may be empty.
	Installed bool `json:"installed"`
	// Loaded is what the machine had applied after the last installation, which
	// may be beyond Index and beyond the log.
	Loaded uint64 `json:"loaded"`
	// Pending: installFile is complete, but not known to be loaded, and the log
	// is still the one from before.
	Pending bool `json:"pending"`
	// Cut: the log was let go of up to Index and may be empty. See Replica.Cut.
	Cut bool `json:"cut,omitempty"`
}

func (m snapshotMeta) id() string { return fmt.Sprintf("%d-%d", m.Term, m.Index) }

func (m snapshotMeta) raft(size int64) *raft.SnapshotMeta {
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersionMax, ID: m.id(), Index: m.Index, Term: m.Term,
		Configuration: m.Configuration, ConfigurationIndex: m.ConfigurationIndex, Size: size,
	}
}

// snapshots is a raft.SnapshotStore that keeps one snapshot's metadata.
//
// The stream that a follower gets is dumped when it is asked for, so it may hold
// more than the metadata's index says. That is safe: the machine stores its index
// with its state and skips what it has. The stream is dumped to a file first,
// because raft wants its exact size ahead; the bytes are sealed by the machine.
type snapshots struct {
	dir     string
	key     crypto.Key
	machine Machine

	// loading is held for writing while the machine loads, for reading while it
	// dumps or syncs.
	loading sync.RWMutex

	cutting atomic.Bool // what is declared now lets go of the whole log

	mu   sync.Mutex // guards meta and snapshotFile, for a file's fsync
	meta snapshotMeta
	log  raft.LogStore // set before raft starts
}

func openSnapshots(dir string, key crypto.Key, machine Machine) (*snapshots, error) {
	s := &snapshots{dir: dir, key: key, machine: machine}
	leftover, err := filepath.Glob(filepath.Join(dir, tempPattern))
	if err != nil {
		return nil, err
	}
	for _, name := range leftover {
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	box, err := os.ReadFile(filepath.Join(dir, snapshotFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := key.Open(box, snapshotPlace())
	if err != nil {
		return nil, fmt.Errorf("%w: snapshot file: %w", ErrDamaged, err)
	}
	if err := json.Unmarshal(text, &s.meta); err != nil {
		return nil, fmt.Errorf("snapshot file is of a newer version: %w", err)
	}
	return s, nil
}

func snapshotPlace() []byte { return crypto.Place([]byte("bippop snapshot v1")) }

func (s *snapshots) current() snapshotMeta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta
}

// declareLocked makes meta the snapshot, durably.
func (s *snapshots) declareLocked(meta snapshotMeta) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, tempPattern)
	if err != nil {
		return err
	}
	if _, err := f.Write(s.key.Seal(text, snapshotPlace())); err != nil {
		return errors.Join(err, discard(f))
	}
	if err := s.keep(f, snapshotFile); err != nil {
		return err
	}
	s.meta = meta
	return nil
}

// keep makes a temporary file durable under name.
func (s *snapshots) keep(f *os.File, name string) error {
	if err := f.Sync(); err != nil {
		return errors.Join(err, discard(f))
	}
	if err := f.Close(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), filepath.Join(s.dir, name)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func discard(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// List is part of raft.SnapshotStore.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	meta := s.current()
	if meta.Index == 0 {
		return nil, nil
	}
	return []*raft.SnapshotMeta{meta.raft(0)}, nil
}

// Open gives the received stream while it waits to be loaded, a fresh dump
// otherwise.
func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta := s.current()
	if meta.id() != id {
		return nil, nil, fmt.Errorf("snapshot %s was replaced by %s", id, meta.id())
	}
	var f *os.File
	var err error
	if meta.Pending {
		f, err = os.Open(filepath.Join(s.dir, installFile))
	} else {
		f, err = s.dump()
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return meta.raft(info.Size()), f, nil
}

// dump returns a file that has no name any more.
func (s *snapshots) dump() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, tempPattern)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.loading.RLock()
	defer s.loading.RUnlock()
	w := bufio.NewWriterSize(f, 64<<10)
	if err := s.machine.Dump(w); err != nil {
		return nil, errors.Join(fmt.Errorf("dumping the state: %w", err), f.Close())
	}
	if err := w.Flush(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Create is called for a snapshot of this replica, which goes on with
// localSnapshot.Persist, and for one that is received, which writes bytes.
func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration, configurationIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	if version != raft.SnapshotVersionMax {
		return nil, fmt.Errorf("unknown snapshot version %d", version)
	}
	return &snapshotSink{store: s, meta: snapshotMeta{
		Index: index, Term: term, Configuration: configuration, ConfigurationIndex: configurationIndex,
	}}, nil
}

// snapshotSink is used by one goroutine.
type snapshotSink struct {
	store *snapshots
	meta  snapshotMeta
	local bool
	file  *os.File // of a received stream
}

func (k *snapshotSink) ID() string { return k.meta.id() }

func (k *snapshotSink) Write(b []byte) (int, error) {
	if k.file == nil {
		f, err := os.CreateTemp(k.store.dir, tempPattern)
		if err != nil {
			return 0, err
		}
		k.file = f
	}
	return k.file.Write(b)
}

func (k *snapshotSink) Cancel() error {
	if k.file == nil {
		return nil
	}
	f := k.file
	k.file = nil
	return discard(f)
}

func (k *snapshotSink) Close() error {
	s := k.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.local {
		if s.meta.Pending || s.meta.Index > k.meta.Index {
			return errors.New("a newer snapshot was installed meanwhile")
		}
		k.meta.Loaded = s.meta.Loaded
		k.meta.Cut = s.cutting.Load() || s.meta.Cut && s.meta.Index == k.meta.Index
		return s.declareLocked(k.meta)
	}
	if k.file == nil {
		return errors.New("an empty snapshot was received")
	}
	f := k.file
	k.file = nil
	if err := s.keep(f, installFile); err != nil {
		return err
	}
	k.meta.Machine, k.meta.Loaded = s.meta.Machine, s.meta.Loaded
	k.meta.Installed, k.meta.Pending = true, true
	return s.declareLocked(k.meta)
}

// load gives the machine a received stream, then forgets the stream and the log
// from before, and returns what the machine has applied.
func (s *snapshots) load(stream io.Reader) (uint64, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if err := s.machine.Load(stream); err != nil {
		return 0, fmt.Errorf("loading a snapshot: %w", err)
	}
	applied, err := s.machine.Applied()
	if err != nil {
		return 0, err
	}
	return applied, s.installed(applied)
}

// installed drops the old log here, although raft would: if the process ended
// between, a log that stops before the snapshot would refuse all that follows.
func (s *snapshots) installed(applied uint64) error {
	if err := dropLog(s.log); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	meta := s.meta
	meta.Pending, meta.Machine, meta.Loaded = false, applied, applied
	if err := s.declareLocked(meta); err != nil {
		return err
	}
	return os.Remove(filepath.Join(s.dir, installFile))
}

func dropLog(log raft.LogStore) error {
	first, err := log.FirstIndex()
	if err != nil {
		return err
	}
	last, err := log.LastIndex()
	if err != nil || last == 0 {
		return err
	}
	return log.DeleteRange(first, last)
}

// resume ends an installation that a crash cut short.
func (s *snapshots) resume() error {
	if !s.current().Pending {
		err := os.Remove(filepath.Join(s.dir, installFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	f, err := os.Open(filepath.Join(s.dir, installFile))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = s.load(f)
	return err
}

// localSnapshot is taken by raft on the goroutine that applies, and persisted on
// another one.
type localSnapshot struct {
	store   *snapshots
	machine uint64
}

func (l localSnapshot) Persist(sink raft.SnapshotSink) error {
	k, ok := sink.(*snapshotSink)
	if !ok {
		panic("consensus: snapshot sink of another store")
	}
	l.store.loading.RLock()
	defer l.store.loading.RUnlock()
	if err := l.store.machine.Sync(); err != nil {
		return fmt.Errorf("syncing the state: %w", err)
	}
	k.local = true
	k.meta.Machine = l.machine
	return nil
}

func (localSnapshot) Release() {}
