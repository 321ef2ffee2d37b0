package consensus

import (
	"sort"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// lagLimit is how long a replica in reach may get nothing of what it lacks. A
// write takes milliseconds, and a disk that does not answer is a fault after five
// seconds.
const lagLimit = 10 * time.Second

// contacts is what this leader knows of the others, from what they answer to it.
// It begins anew with every term: what an earlier leader was told may be cut off.
type contacts struct {
	mu     sync.Mutex // guards all, for a map access
	term   uint64
	commit uint64 // highest that was sent
	of     map[raft.ServerID]*contact
}

type contact struct {
	last    time.Time // of the last answer in this term
	failing bool      // the last call failed
	matched uint64    // its log equals the leader's up to here
	loading int       // snapshots on their way to it

	// target was committed at since. Whoever has not reached it, nor anything
	// beyond what it had then, lags since then.
	target uint64
	since  time.Time
}

func newContacts() *contacts { return &contacts{of: map[raft.ServerID]*contact{}} }

// Contact is what the leader knows of another replica.
type Contact struct {
	ID string
	// Last is when it last answered in this term; zero if it did not.
	Last time.Time
	// Failing: the last try to reach it has failed since.
	Failing bool
	// Matched is an index up to which its log is known to equal the leader's.
	Matched uint64
	// Lagging: see [Stats].
	Lagging bool
}

// appended notes an answer to entries, or to a heartbeat, which names none.
func (c *contacts) appended(id raft.ServerID, req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) {
	if resp.Term > req.Term {
		return // it follows another leader
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	matched := uint64(0)
	if resp.Success && (req.PrevLogEntry > 0 || len(req.Entries) > 0) {
		matched = req.PrevLogEntry + uint64(len(req.Entries))
	}
	c.noteLocked(id, req.Term, matched, req.LeaderCommitIndex)
}

func (c *contacts) failed(id raft.ServerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ofLocked(id).failing = true
}

func (c *contacts) installed(id raft.ServerID, req *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse) {
	if resp.Term > req.Term {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	matched := uint64(0)
	if resp.Success {
		matched = req.LastLogIndex
	}
	c.noteLocked(id, req.Term, matched, 0)
}

func (c *contacts) noteLocked(id raft.ServerID, term, matched, commit uint64) {
	if term < c.term {
		return
	}
	if term > c.term {
		c.term, c.commit = term, 0
		for _, of := range c.of {
			*of = contact{loading: of.loading}
		}
	}
	c.commit = max(c.commit, commit)
	of := c.ofLocked(id)
	of.last, of.failing = time.Now(), false
	// A follower that moves, or that has all of what was committed when it was
	// last looked at, gets a new target.
	if moved := matched > of.matched; moved || of.since.IsZero() || max(of.matched, matched) >= of.target {
		of.matched = max(of.matched, matched)
		of.target, of.since = c.commit, of.last
	}
}

func (c *contacts) ofLocked(id raft.ServerID) *contact {
	of := c.of[id]
	if of == nil {
		of = &contact{}
		c.of[id] = of
	}
	return of
}

// installing marks a replica as one that gets a snapshot, which takes as long as
// it takes.
func (c *contacts) installing(id raft.ServerID) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ofLocked(id).loading++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		of := c.ofLocked(id)
		of.loading--
		of.since = time.Now()
	}
}

// list tells what was heard in a term, sorted by ID. Members that were removed
// remain until the term ends.
func (c *contacts) list(term uint64, fresh, limit time.Duration) []Contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	if term != c.term {
		return nil
	}
	var out []Contact
	now := time.Now()
	for id, of := range c.of {
		out = append(out, Contact{
			ID: string(id), Last: of.last, Failing: of.failing, Matched: of.matched,
			Lagging: of.loading == 0 && of.matched < of.target && now.Sub(of.last) < fresh && now.Sub(of.since) > limit,
		})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}
