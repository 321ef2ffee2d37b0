package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

// promoteLag is how many entries a replica may lack and still be made a voter. The
// leader keeps more in memory.
const promoteLag = cachedEntries / 2

// Member is one replica in the territory's configuration.
type Member struct {
	ID      string
	Address string // as in [Peer]
	Voter   bool   // otherwise it receives all and decides nothing
}

// Membership changes who takes part. All changes go through the leader, one at a
// time, each committed by a majority before the next. Its methods are safe for
// concurrent use; they are those of [Replica].
//
// They answer [ErrNotLeader], [ErrChanging] and [ErrClosed] when nothing was
// changed, and [ErrUnknown] when nobody knows yet: [Membership.Members] will tell.
// A change that is in force already is no error.
type Membership struct {
	replica  *Replica
	contacts *contacts
	changing chan struct{} // holds one while a change or a transfer runs
	fresh    time.Duration // a replica that answered within it is in reach
	lagLimit time.Duration
	election time.Duration
}

func newMembership(r *Replica, t Tuning) *Membership {
	return &Membership{
		replica: r, contacts: newContacts(), changing: make(chan struct{}, 1),
		fresh: 2 * t.Heartbeat, lagLimit: t.LagLimit, election: t.Election,
	}
}

// Members is the newest configuration that this replica has, in the order of
// joining, and the index of the newest that it knows to be committed, 0 for none:
// raft keeps the former's to itself. A replica that is not in it was removed, or
// not added yet.
func (m *Membership) Members() (members []Member, index uint64) {
	index = m.replica.fsm.members.Load()
	for _, s := range m.replica.raft.GetConfiguration().Configuration().Servers {
		members = append(members, Member{string(s.ID), string(s.Address), s.Suffrage == raft.Voter})
	}
	return members, index
}

// Leader is whom this replica takes for the leader, or "". The address is the one
// that the leader itself has named.
func (m *Membership) Leader() (id, address string) {
	a, i := m.replica.raft.LeaderWithID()
	return string(i), string(a)
}

// Contacts is what this replica knows of the others while it leads, by ID, without
// itself; nil when it does not lead. Whoever has not answered in this term is
// missing.
func (m *Membership) Contacts() []Contact {
	if m.replica.raft.State() != raft.Leader {
		return nil
	}
	return m.contacts.list(m.replica.raft.CurrentTerm(), m.fresh, m.lagLimit)
}

func (m *Membership) lagging() []string {
	var ids []string
	members, _ := m.Members()
	for _, c := range m.Contacts() {
		if c.Lagging && find(members, c.ID) != nil {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Address is where this replica is reached now.
func (m *Membership) Address() string { return string(m.replica.transport.address) }

// Moved: the others know this replica under another address than the present one.
// Until the leader has done [Membership.Readdress] for it, it hears nothing. A
// lone voter that was given a Network does it for itself.
func (m *Membership) Moved() bool {
	members, _ := m.Members()
	self := find(members, string(m.replica.id))
	return self != nil && self.Address != m.Address()
}

func find(members []Member, id string) *Member {
	i := slices.IndexFunc(members, func(m Member) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return &members[i]
}

// AddReplica adds a replica that does not vote. It gets all that was committed;
// see [Membership.Promote]. [ErrAddressTaken] when another one is or was there;
// for a replica that moved there is [Membership.Readdress].
func (m *Membership) AddReplica(ctx context.Context, id, address string) error {
	return m.change(ctx, "adding", id, func(members []Member) (change, error) {
		if known := find(members, id); known != nil {
			if known.Address != address {
				return nil, fmt.Errorf("%s is a replica already, at %s", id, known.Address)
			}
			return nil, nil
		}
		if err := free(members, id, address); err != nil {
			return nil, err
		}
		return func(r *raft.Raft, index uint64, wait time.Duration) raft.Future {
			return r.AddNonvoter(raft.ServerID(id), raft.ServerAddress(address), index, wait)
		}, nil
	})
}

// Promote makes a replica a voter: [ErrLags] when it has not caught up,
// [ErrNoQuorum] when with it too few voters would be in reach.
func (m *Membership) Promote(ctx context.Context, id string) error {
	return m.change(ctx, "promoting", id, func(members []Member) (change, error) {
		member := find(members, id)
		switch {
		case member == nil:
			return nil, ErrNoMember
		case member.Voter:
			return nil, nil
		case !m.caughtUp(id):
			return nil, ErrLags
		}
		member.Voter = true
		if err := m.quorum(members); err != nil {
			return nil, err
		}
		return m.voter(*member), nil
	})
}

// Remove ends a replica's part: what it does afterwards counts for nothing. Errors:
// [ErrNoMember], [ErrLeads], [ErrLastVoter], [ErrNoQuorum].
func (m *Membership) Remove(ctx context.Context, id string) error {
	return m.change(ctx, "removing", id, func(members []Member) (change, error) {
		member := find(members, id)
		if member == nil {
			return nil, ErrNoMember
		}
		if member.Voter {
			others := slices.DeleteFunc(slices.Clone(members), func(o Member) bool { return o.ID == id })
			switch {
			case !slices.ContainsFunc(others, func(o Member) bool { return o.Voter }):
				return nil, ErrLastVoter
			case id == string(m.replica.id):
				return nil, ErrLeads
			}
			if err := m.quorum(others); err != nil {
				return nil, err
			}
		}
		return func(r *raft.Raft, index uint64, wait time.Duration) raft.Future {
			return r.RemoveServer(raft.ServerID(id), index, wait)
		}, nil
	})
}

// Readdress tells all where a replica is reached from now on: [ErrNoMember],
// [ErrAddressTaken].
func (m *Membership) Readdress(ctx context.Context, id, address string) error {
	return m.change(ctx, "readdressing", id, func(members []Member) (change, error) {
		member := find(members, id)
		if member == nil {
			return nil, ErrNoMember
		}
		if member.Address == address {
			return nil, nil
		}
		if err := free(members, id, address); err != nil {
			return nil, err
		}
		member.Address = address
		if member.Voter {
			return m.voter(*member), nil
		}
		return func(r *raft.Raft, index uint64, wait time.Duration) raft.Future {
			return r.AddNonvoter(raft.ServerID(id), raft.ServerAddress(address), index, wait)
		}, nil
	})
}

func (m *Membership) voter(member Member) change {
	return func(r *raft.Raft, index uint64, wait time.Duration) raft.Future {
		return r.AddVoter(raft.ServerID(member.ID), raft.ServerAddress(member.Address), index, wait)
	}
}

func free(members []Member, id, address string) error {
	for _, o := range members {
		if o.ID != id && o.Address == address {
			return fmt.Errorf("%w: %s", ErrAddressTaken, o.ID)
		}
	}
	return nil
}

// reach is what is known of a replica that has answered lately.
func (m *Membership) reach(id string) (Contact, bool) {
	for _, c := range m.Contacts() {
		if c.ID == id {
			return c, !c.Failing && time.Since(c.Last) < m.fresh
		}
	}
	return Contact{}, false
}

func (m *Membership) caughtUp(id string) bool {
	c, ok := m.reach(id)
	return ok && c.Matched+promoteLag >= m.replica.raft.CommitIndex()
}

// quorum refuses members of whose voters no majority is in reach.
func (m *Membership) quorum(members []Member) error {
	voters, here := 0, 0
	for _, o := range members {
		if !o.Voter {
			continue
		}
		voters++
		if _, ok := m.reach(o.ID); ok || o.ID == string(m.replica.id) {
			here++
		}
	}
	if 2*here <= voters {
		return fmt.Errorf("%w: %d of %d", ErrNoQuorum, here, voters)
	}
	return nil
}

// change asks raft for one, provided that the configuration is still that of index: an
// earlier change that is not committed yet makes raft refuse.
type change func(r *raft.Raft, index uint64, wait time.Duration) raft.Future

// change runs one change that plan makes out of the members as they are; plan may
// return nil, and may write to members.
func (m *Membership) change(ctx context.Context, what, id string, plan func(members []Member) (change, error)) error {
	release, err := m.begin()
	if err != nil {
		return err
	}
	members, index := m.Members()
	r := m.replica
	step, err := plan(members)
	if err != nil || step == nil {
		release()
		if err != nil {
			err = fmt.Errorf("%s %s: %w", what, id, err)
		}
		return err
	}
	err = r.await(ctx, func() error {
		defer release()
		return step(r.raft, index, 2*m.election).Error()
	})
	if errors.Is(err, ErrClosed) {
		release()
		return err
	}
	if err != nil {
		return m.changeError(ctx, err)
	}
	r.logger.Info("members changed", slog.String("how", what), slog.String("replica", id))
	r.changed.notify()
	return nil
}

// begin lets one change or transfer in, on a leader that is ready. Release is called once.
func (m *Membership) begin() (release func(), err error) {
	if !m.replica.settled() {
		return nil, ErrNotLeader
	}
	select {
	case m.changing <- struct{}{}:
	default:
		return nil, ErrChanging
	}
	return func() { <-m.changing }, nil
}

func (m *Membership) changeError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, raft.ErrEnqueueTimeout), strings.HasPrefix(err.Error(), "configuration changed since"): // raft has no name for it
		return ErrChanging
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return m.replica.packer.proposeError(err)
}
