package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

const (
	walFolder = "log"
	lockFile  = "lock"
	// cachedEntries are kept in memory for followers that are nearly up to date.
	cachedEntries = 1024
	// commitTimeout is how soon idle followers hear of the last commit.
	commitTimeout = 50 * time.Millisecond
	// appendEntries is the most in one request, and in one batch of applying. An
	// entry holds up to maxEntryCommands; raft makes room for this many at every
	// commit, however few there are.
	appendEntries = 64
	// readyPoll is how often a follower looks at the commit index it has heard,
	// of which raft sends no notice.
	readyPoll = 10 * time.Millisecond
)

// Replica is this node's part in replication. Its methods are safe for
// concurrent use.
type Replica struct {
	*Membership

	id        raft.ServerID
	logger    *slog.Logger
	raft      *raft.Raft
	transport transport
	wal       *wal.WAL
	log       raft.LogStore
	snapshots *snapshots
	fsm       *fsm
	faults    *faults
	lock      *os.File

	changed   *signal       // applied index, leadership
	readyTerm atomic.Uint64 // in which this replica led and passed its barrier

	packer   *packer
	barriers *rounds[uint64]

	mu         sync.Mutex // guards closed and the first Add of calls
	closed     bool
	calls      sync.WaitGroup // that raft has to answer
	background sync.WaitGroup
	closing    chan struct{} // closed first
	closeOnce  sync.Once
	closeErr   error
}

// Open opens the log and starts to take part. On an empty folder it founds the
// territory, once, or waits to be added when [Config.Joining] is set. It does not wait for a leader: see [Replica.Ready]. Errors a
// caller may branch on: [ErrDamaged], [ErrBehind].
func Open(ctx context.Context, cfg Config) (*Replica, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cfg.Tuning = cfg.Tuning.withDefaults()
	if err := os.MkdirAll(filepath.Join(cfg.Dir, walFolder), 0o700); err != nil {
		return nil, err
	}
	changed := &signal{}
	r := &Replica{
		id: raft.ServerID(cfg.ID), logger: cfg.Logger, changed: changed,
		fsm:     &fsm{machine: cfg.Machine, changed: changed},
		faults:  &faults{tell: cfg.OnFault},
		packer:  &packer{queue: make(chan *proposal, cfg.Tuning.QueueLength), stop: make(chan struct{})},
		closing: make(chan struct{}),
	}
	r.barriers = &rounds[uint64]{ask: r.oneBarrier}
	r.packer.faults, r.fsm.faults = r.faults, r.faults
	r.Membership = newMembership(r, cfg.Tuning)
	if err := r.open(&cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the log in %s: %w", cfg.Dir, err), r.release())
	}
	r.packer.raft = r.raft
	r.background.Go(r.lead)
	for range packers {
		r.background.Go(r.packer.pack)
	}
	r.faults.arm()
	return r, nil
}

func (r *Replica) open(cfg *Config) error {
	var err error
	if r.lock, err = lockFolder(cfg.Dir); err != nil {
		return err
	}
	if r.snapshots, err = openSnapshots(cfg.Dir, cfg.LogKey, cfg.Machine); err != nil {
		return err
	}
	r.fsm.snapshots = r.snapshots
	if r.wal, err = openWAL(filepath.Join(cfg.Dir, walFolder), cfg); err != nil {
		return err
	}
	sealed := &sealedLog{wal: r.wal, key: cfg.LogKey, faults: r.faults, stallLimit: cfg.Tuning.StallLimit,
		before: cfg.Tuning.BeforeStore}
	if r.log, err = raft.NewLogCache(cachedEntries, sealed); err != nil {
		return err
	}
	r.snapshots.log = r.log
	if err := r.snapshots.resume(); err != nil {
		return err
	}
	applied, err := cfg.Machine.Applied()
	if err != nil {
		return err
	}
	if err := r.compare(applied); err != nil {
		return err
	}
	r.fsm.applied.Store(applied)
	r.fsm.members.Store(r.snapshots.current().ConfigurationIndex)
	r.transport = newTransport(cfg, r.contacts)
	return r.start(cfg)
}

// lockFolder keeps a second process out at once; raft-wal's own lock would wait
// for ever.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the folder is in use by another process: %w", err), f.Close())
	}
	return f, nil
}

// compare refuses a state and a log that do not belong together. What is applied
// was acknowledged, so a log that ends before it has lost entries, and new ones
// under old numbers would be skipped silently.
func (r *Replica) compare(applied uint64) error {
	last, err := r.wal.LastIndex()
	if err != nil {
		return err
	}
	meta := r.snapshots.current()
	if last < meta.Index && !((meta.Installed || meta.Cut) && last == 0) {
		return fmt.Errorf("%w: it ends at %d, before its snapshot at %d", ErrDamaged, last, meta.Index)
	}
	end := max(last, meta.Loaded)
	if meta.Cut {
		end = max(end, meta.Index)
	}
	if applied > end {
		return fmt.Errorf("%w: it ends at %d, but the state has applied %d", ErrDamaged, end, applied)
	}
	if applied < meta.Machine {
		return fmt.Errorf("%w: state at %d, snapshot at %d: restore it, or rejoin empty", ErrBehind, applied, meta.Machine)
	}
	return nil
}

func (r *Replica) start(cfg *Config) error {
	conf := raftConfig(cfg)
	if err := r.found(cfg, conf); err != nil {
		return fmt.Errorf("founding the territory: %w", err)
	}
	var err error
	if r.raft, err = r.newRaft(conf); err != nil {
		return err
	}
	// A replica that joins may have heard of the founder alone so far.
	servers := r.raft.GetConfiguration().Configuration().Servers
	if len(servers) == 1 && servers[0].ID != r.id && !cfg.Joining {
		return fmt.Errorf("the log belongs to replica %s, not to %s", servers[0].ID, r.id)
	}
	return nil
}

func raftConfig(cfg *Config) *raft.Config {
	conf := raft.DefaultConfig() // pre-vote is on
	conf.LocalID = raft.ServerID(cfg.ID)
	conf.Logger = newRaftLog(cfg.Logger, "raft")
	conf.HeartbeatTimeout = cfg.Tuning.Heartbeat
	conf.ElectionTimeout = cfg.Tuning.Election
	conf.LeaderLeaseTimeout = cfg.Tuning.Lease
	conf.CommitTimeout = commitTimeout
	conf.MaxAppendEntries = appendEntries
	conf.BatchApplyCh = true
	conf.SnapshotInterval = cfg.Tuning.SnapshotCheck
	conf.SnapshotThreshold = cfg.Tuning.SnapshotEntries
	conf.TrailingLogs = cfg.Tuning.TrailingEntries
	conf.PreVoteDisabled = cfg.Network == nil // a lone voter asks nobody
	conf.NoSnapshotRestoreOnStart = true      // the machine keeps its own state
	conf.NoLegacyTelemetry = true
	return conf
}

// found writes the first configuration into an empty log. raft's bootstrap is two
// writes; one that a crash cut between is completed.
func (r *Replica) found(cfg *Config, conf *raft.Config) error {
	last, err := r.log.LastIndex()
	if err != nil {
		return err
	}
	term, err := r.wal.GetUint64([]byte("CurrentTerm")) // raft's name for it
	if err != nil {
		return err
	}
	if last > 0 || term > 1 || r.snapshots.current().Index > 0 || cfg.Joining {
		return nil
	}
	if term == 1 {
		return r.log.StoreLog(&raft.Log{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(r.founders(cfg))})
	}
	return raft.BootstrapCluster(conf, r.log, r.wal, r.snapshots, r.transport, r.founders(cfg))
}

func (r *Replica) founders(cfg *Config) raft.Configuration {
	if len(cfg.Peers) == 0 {
		return raft.Configuration{Servers: []raft.Server{{ID: r.id, Address: r.transport.address}}}
	}
	var c raft.Configuration
	for _, p := range cfg.Peers {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(p.ID), Address: raft.ServerAddress(p.Address)})
	}
	return c
}

// newRaft reads every entry above the snapshot. raft panics, or drops the cause,
// when one does not open.
func (r *Replica) newRaft(conf *raft.Config) (started *raft.Raft, err error) {
	defer func() {
		fault := r.faults.first()
		if fault == nil {
			return
		}
		if p := recover(); p != nil || err != nil {
			started, err = nil, fault
		}
	}()
	return raft.NewRaft(conf, r.fsm, r.log, r.wal, r.snapshots, r.transport)
}

// lead follows raft's own leadership. raft's channel never blocks raft, and shows
// the last change only; every true is taken for a new term.
func (r *Replica) lead() {
	r.leadAtOnce()
	for {
		select {
		case leading := <-r.raft.LeaderCh():
			if leading {
				r.settle()
			} else {
				r.logger.Info("leadership lost", slog.String("replica", string(r.id)))
			}
			r.changed.notify()
		case <-r.packer.stop:
			return
		}
	}
}

// leadAtOnce spares a lone voter the wait for heartbeats that nobody sends. If it
// fails, the ordinary timeout elects.
func (r *Replica) leadAtOnce() {
	servers := r.raft.GetConfiguration().Configuration().Servers
	if len(servers) != 1 || servers[0].ID != r.id || r.raft.State() != raft.Follower {
		return
	}
	header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(r.id), Addr: []byte(r.transport.address)}
	err := r.transport.TimeoutNow(r.id, r.transport.address, &raft.TimeoutNowRequest{RPCHeader: header}, &raft.TimeoutNowResponse{})
	if err != nil {
		r.logger.Debug("no election at once", slog.Any("error", err))
	}
}

// settle passes a barrier: all that earlier leaders committed is applied here.
func (r *Replica) settle() {
	term := r.raft.CurrentTerm()
	if err := r.passBarrier(); err != nil {
		return // no longer the leader, or faults knows why
	}
	if r.raft.CurrentTerm() == term {
		r.readyTerm.Store(term)
		r.logger.Info("leading", slog.String("replica", string(r.id)), slog.Uint64("term", term), slog.Uint64("applied", r.Applied()))
	}
}

// enter lets a call in that raft will have to answer. Close waits for it.
func (r *Replica) enter() (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	r.calls.Add(1)
	return r.calls.Done, nil
}

// await runs a call that raft answers, without holding the caller beyond ctx.
func (r *Replica) await(ctx context.Context, call func() error) error {
	leave, err := r.enter()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer leave()
		done <- call()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ready waits until there is a leader and, when it is this replica, everything
// that was committed before is applied here. A follower waits until it has
// applied what the leader has told it of; [Replica.Barrier] at the leader and
// [Replica.Wait] here are stronger. It returns a fault, [ErrClosed], or the
// context's error.
func (r *Replica) Ready(ctx context.Context) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		changed := r.changed.next()
		if err := r.faults.first(); err != nil {
			return err
		}
		if r.settled() || r.followed() {
			return nil
		}
		select {
		case <-changed:
		case <-poll.C:
		case <-r.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settled: this replica leads and has applied all that came before its term.
func (r *Replica) settled() bool {
	return r.raft.State() == raft.Leader && r.readyTerm.Load() == r.raft.CurrentTerm()
}

// followed: a leader has told of a commit, and all commands up to it are applied.
// Entries of raft's own never reach the machine, so the log is asked what stands
// above the machine's index.
func (r *Replica) followed() bool {
	if _, leader := r.raft.LeaderWithID(); leader == "" || leader == r.id {
		return false
	}
	commit := r.raft.CommitIndex()
	if commit == 0 {
		return false
	}
	for i := commit; i > r.Applied(); i-- {
		var entry raft.Log
		if err := r.log.GetLog(i, &entry); err != nil {
			return errors.Is(err, raft.ErrLogNotFound) // cut off, so applied
		}
		if entry.Type == raft.LogCommand {
			return false
		}
	}
	return true
}

// Barrier makes sure that this replica still leads and returns an index at or
// above every write that was acknowledged before the call, by whatever leader.
// A read of any replica at that index is linearizable; here the index is applied
// already. [ErrNotLeader] otherwise.
func (r *Replica) Barrier(ctx context.Context) (uint64, error) {
	if r.raft.State() != raft.Leader {
		return 0, ErrNotLeader
	}
	if err := r.Ready(ctx); err != nil {
		return 0, err
	}
	index, err := r.barriers.join(ctx)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return index, err
}

// oneBarrier is Barrier for all who ask at the same time.
func (r *Replica) oneBarrier() (uint64, error) {
	leave, err := r.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	// What this leader acknowledged in its term it had applied, and what came
	// before it applied at its barrier. So the index is taken first, and then
	// nobody else may have led.
	term := r.raft.CurrentTerm()
	if r.readyTerm.Load() != term {
		return 0, ErrNotLeader
	}
	index := r.Applied()
	if err := r.raft.VerifyLeader().Error(); err != nil || r.raft.CurrentTerm() != term {
		return 0, ErrNotLeader
	}
	return index, nil
}

// Wait returns when this replica has applied index, which comes from a
// [Result] or from [Replica.Barrier] of any replica.
func (r *Replica) Wait(ctx context.Context, index uint64) error {
	for {
		changed := r.changed.next()
		if r.Applied() >= index {
			return nil
		}
		select {
		case <-changed:
		case <-r.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Applied is the machine's index: that of the last entry of commands. raft's own
// entries take numbers too, so it may stay below the commit index for ever.
func (r *Replica) Applied() uint64 { return r.fsm.applied.Load() }

// Leading reports whether this replica leads and is ready to. It may have lost
// leadership without knowing yet: [Replica.Barrier] makes sure.
func (r *Replica) Leading() bool { return r.settled() }

// Snapshot makes the state durable and cuts the log, but for the trailing
// entries. It happens by itself as the log grows.
func (r *Replica) Snapshot(ctx context.Context) error {
	return r.await(ctx, func() error {
		err := r.raft.Snapshot().Error()
		if errors.Is(err, raft.ErrNothingNewToSnapshot) {
			return nil
		}
		return err
	})
}

// Stats tells how the replica is doing.
type Stats struct {
	State    string // Follower, Candidate, Leader, Shutdown
	Leader   string // ID, "" when unknown
	Term     uint64
	Applied  uint64 // by the machine
	Commit   uint64 // as far as known here
	First    uint64 // entry in the log
	Last     uint64 // entry in the log
	Snapshot uint64 // index of the newest
	Replicas int    // in the configuration
	Waiting  int    // commands in the queue
	// Contact is when a follower last heard of its leader.
	Contact time.Time
	// Stuck: the machine has been busy with one entry, or with loading a
	// snapshot, for more than [Tuning.LagLimit]. What follows waits for it.
	Stuck bool
	// Lagging are the replicas that answer this leader and yet did not get any
	// further for [Tuning.LagLimit], though they lack committed entries. Theirs
	// is not the fault of a slow disk, which they would notice themselves
	// ([ErrStalled]): another leader can heal it (hashicorp/raft#612).
	Lagging []string
}

// Stats may be called at any time.
func (r *Replica) Stats() Stats {
	_, leader := r.raft.LeaderWithID()
	s := Stats{
		State: r.raft.State().String(), Leader: string(leader), Term: r.raft.CurrentTerm(),
		Applied: r.Applied(), Commit: r.raft.CommitIndex(), Last: r.raft.LastIndex(),
		Snapshot: r.snapshots.current().Index, Waiting: len(r.packer.queue), Contact: r.raft.LastContact(),
		Replicas: len(r.raft.GetConfiguration().Configuration().Servers),
		Stuck:    r.fsm.stuck(r.lagLimit),
	}
	if r.raft.State() == raft.Leader {
		s.Lagging = r.lagging()
	}
	if first, err := r.log.FirstIndex(); err == nil { // else closed
		s.First = first
	}
	return s
}

// Close lets the commands that wait be answered, hands leadership over to a voter
// in reach, if it had it, stops, and waits for all. The log can be opened again at
// once.
func (r *Replica) Close() error {
	r.closeOnce.Do(func() { r.closeErr = r.shut() })
	return r.closeErr
}

func (r *Replica) shut() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	close(r.closing)
	// While raft runs it answers everything, if only by stepping down. Once it
	// is shut down, it forgets entries that it has not looked at yet.
	r.calls.Wait()
	close(r.packer.stop)
	r.background.Wait()
	r.handOver()
	return r.release()
}

// release closes what is open, also after half an Open.
func (r *Replica) release() error {
	var errs []error
	if r.raft != nil {
		errs = append(errs, r.raft.Shutdown().Error())
		r.transport.heart.stop()
	}
	if r.transport.close != nil {
		errs = append(errs, r.transport.close())
	}
	if r.wal != nil {
		errs = append(errs, r.wal.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close())
	}
	return errors.Join(errs...)
}
