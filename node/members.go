package node

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"sync"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/google/uuid"
)

// members are the replicas' records, kept in memory because every stream between
// replicas asks for one. Safe for concurrent use.
type members struct {
	store *store.Store
	self  ReplicaID

	mu   sync.RWMutex // guards list, for a look
	list map[ReplicaID]replica.Replica
}

func newMembers(st *store.Store, self ReplicaID) (*members, error) {
	m := &members{store: st, self: self}
	_, err := m.learn()
	return m, err
}

// learn reads the records again, and says which replicas do not take part any
// more.
func (m *members) learn() (gone []ReplicaID, err error) {
	list := map[ReplicaID]replica.Replica{}
	err = m.store.View(func(tx *store.Tx) error {
		return store.Replicas.Each(tx, nil, func(r replica.Replica) bool {
			list[r.ID] = r
			return true
		})
	})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, was := range m.list {
		if was.State.Alive() && !list[id].State.Alive() {
			gone = append(gone, id)
		}
	}
	m.list = list
	return gone, nil
}

// known is a replica's record.
func (m *members) known(id ReplicaID) (replica.Replica, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.list[id]
	return r, ok
}

// all are the records by name, those that take part first.
func (m *members) all() []replica.Replica {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]replica.Replica, 0, len(m.list))
	for _, r := range m.list {
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.State.Alive() != b.State.Alive() {
			return a.State.Alive()
		}
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name)) < 0
	})
	return out
}

// present are the records of replicas that take part, by name.
func (m *members) present() []replica.Replica {
	return slices.DeleteFunc(m.all(), func(r replica.Replica) bool { return !r.State.Alive() })
}

// level is the highest that every replica's program knows.
func (m *members) level() uint16 {
	least := uint16(0)
	for i, r := range m.present() {
		if i == 0 || r.At.Level < least {
			least = r.At.Level
		}
	}
	return least
}

// removed reports whether this replica's own record says that it was taken out.
func (m *members) removed() bool {
	r, ok := m.known(m.self)
	return ok && !r.State.Alive()
}

// behind is a replica whose program does not know a level, by name. This one's
// knows all that it proposes, whatever its record says.
func (m *members) behind(l command.Level) (name string, yes bool) {
	if command.Current < l {
		return "this machine", true
	}
	for _, r := range m.present() {
		if r.ID != m.self && command.Level(r.At.Level) < l {
			return r.Name, true
		}
	}
	return "", false
}

// freeName is a name that no replica has had.
func (m *members) freeName() string {
	taken := map[string]bool{}
	for _, r := range m.all() {
		taken[r.Name] = true
	}
	for n := 1; ; n++ {
		if name := "replica-" + strconv.Itoa(n); !taken[name] {
			return name
		}
	}
}

// parseReplica reads a replica's name in the log's protocol, which is its ID.
func parseReplica(name string) (ReplicaID, error) {
	u, err := uuid.Parse(name)
	if err != nil {
		return ReplicaID{}, ident.ErrID
	}
	return ReplicaID(u), nil
}
