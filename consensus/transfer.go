package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
)

// Transfer makes another voter lead: the one named, or, for "", the one in reach
// that lacks the least. It returns when another leader is known here. Writes are
// refused with [ErrNotLeader] meanwhile. Errors: [ErrNoMember], [ErrLags] when the
// one named could not take over, [ErrNoQuorum] when no voter is in reach.
func (m *Membership) Transfer(ctx context.Context, to string) error {
	release, err := m.begin()
	if err != nil {
		return err
	}
	heir, err := m.heir(to)
	if err != nil {
		release()
		return err
	}
	r := m.replica
	err = r.await(ctx, func() error {
		defer release()
		err := m.hand(heir)
		if err != nil {
			// A leader still: let nobody find out later that it is locked.
			if barrier := r.passBarrier(); errors.Is(barrier, ErrTransfer) {
				return barrier
			}
		}
		return err
	})
	switch {
	case errors.Is(err, ErrClosed):
		release()
		return err
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	case errors.Is(err, raft.ErrNotLeader):
		return ErrNotLeader
	case errors.Is(err, raft.ErrRaftShutdown), errors.Is(err, ErrTransfer):
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	case err != nil:
		return fmt.Errorf("leadership stays: %w: %w", ErrLags, err)
	}
	return m.otherLeads(ctx)
}

// StepDown is Transfer to whoever can.
func (m *Membership) StepDown(ctx context.Context) error { return m.Transfer(ctx, "") }

// heir picks who shall lead.
func (m *Membership) heir(to string) (Member, error) {
	members, _ := m.Members()
	if to != "" {
		member := find(members, to)
		switch {
		case member == nil:
			return Member{}, fmt.Errorf("%w: %s", ErrNoMember, to)
		case to == string(m.replica.id):
			return Member{}, ErrLeads
		case !member.Voter || !m.caughtUp(to):
			return Member{}, fmt.Errorf("%w: %s", ErrLags, to)
		}
		return *member, nil
	}
	var best Member
	var matched uint64
	for _, o := range members {
		if c, ok := m.reach(o.ID); ok && o.Voter && (best.ID == "" || c.Matched > matched) {
			best, matched = o, c.Matched
		}
	}
	if best.ID == "" {
		return Member{}, fmt.Errorf("%w: no other voter is", ErrNoQuorum)
	}
	return best, nil
}

func (m *Membership) hand(to Member) error {
	return m.replica.raft.LeadershipTransferToServer(raft.ServerID(to.ID), raft.ServerAddress(to.Address)).Error()
}

// otherLeads waits until this replica knows another leader.
func (m *Membership) otherLeads(ctx context.Context) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		if id, _ := m.Leader(); id != "" && id != string(m.replica.id) {
			return nil
		}
		select {
		case <-poll.C:
		case <-m.replica.closing:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
		}
	}
}

// passBarrier is raft's barrier, repeated while raft refuses everything because a
// transfer runs. raft gives a transfer one election timeout; when it refuses after
// two, it would for ever.
func (m *Membership) passBarrier() error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for begun := time.Now(); ; {
		err := m.replica.raft.Barrier(0).Error()
		if !errors.Is(err, raft.ErrLeadershipTransferInProgress) {
			return err
		}
		if time.Since(begun) > 2*m.election {
			return m.replica.faults.report(fmt.Errorf("%w within %v", ErrTransfer, 2*m.election))
		}
		select {
		case <-poll.C:
		case <-m.replica.closing:
			return ErrClosed
		}
	}
}

// handOver gives leadership away before this replica stops, so that nobody has to
// wait until its silence is noticed. It takes two election timeouts at most.
func (m *Membership) handOver() {
	r := m.replica
	if r.raft.State() != raft.Leader || r.faults.first() != nil {
		return
	}
	heir, err := m.heir("")
	if err != nil {
		return // nobody would notice
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.hand(heir); err != nil {
			r.logger.Info("closing the leader without a transfer", slog.Any("error", err))
		}
	}()
	late := time.NewTimer(2 * m.election)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}
