package machine

import (
	"errors"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// replicas are the commands about the machines that carry the territory.
type replicas struct{ *act }

// first is the machine on which the territory was founded. It drew the root.
func (a replicas) first(r replica.Replica) {
	r = replica.New(r, replica.Member, a.stamp.At)
	r.Holds, r.HeldAt = a.root(), a.stamp.At
	a.save(nil, r)
}

// root is the name of the root key in force; zero before there is one.
func (a replicas) root() crypto.KeyID {
	top, err := a.tx.TreeNode(0, 0)
	if errors.Is(err, crypto.ErrNoNode) {
		return crypto.KeyID{}
	}
	a.must(err)
	return top.Parent
}

// inForce refuses what is said about any root but the one in force. Who says that
// he holds an older one is late, and says it again about the new one: so a word
// that is taken is good for every erasure so far.
func (a replicas) inForce(root crypto.KeyID) error {
	switch {
	case root == a.root():
		return nil
	case a.wasRoot(root):
		return refuse.OlderRoot
	}
	return refuse.NoRoot
}

// wasRoot reports whether a root is or was in force.
func (a replicas) wasRoot(root crypto.KeyID) bool {
	known, err := view.KnownRoot(a.tx, root)
	a.must(err)
	return known || root == a.root()
}

func (a replicas) admit(c command.AdmitReplica) (Reply, error) {
	if exists(a.act, store.Replicas, c.ID[:]) {
		return Reply{ID: c.ID}, refuse.Exists
	}
	i, err := find(a.act, store.Invitations, c.Invitation[:], refuse.NoInvitation)
	if err != nil {
		return Reply{}, err
	}
	if i, err = i.Use(c.Secret, c.ID, a.stamp.At); err != nil {
		return Reply{}, err
	}
	if a.taken(c.ID, c.Name, c.At) {
		return Reply{}, refuse.ReplicaTaken
	}
	store.Invitations.Put(a.tx, i)
	r := replica.New(replica.Replica{ID: c.ID, Name: c.Name, At: c.At}, replica.Joining, a.stamp.At)
	a.save(nil, r)
	return Reply{ID: r.ID, Version: r.Version}, nil
}

// taken reports whether another replica has this name, or lives and has this
// address; a key belongs to one replica for ever.
func (a replicas) taken(id ident.Replica, name string, at replica.Address) bool {
	for _, r := range a.all() {
		if r.ID != id && (r.Name == name || r.At.Fingerprint == at.Fingerprint || r.State.Alive() && r.At.Peer == at.Peer) {
			return true
		}
	}
	return false
}

func (a replicas) all() (out []replica.Replica) {
	a.must(store.Replicas.Each(a.tx, nil, func(r replica.Replica) bool { out = append(out, r); return true }))
	return out
}

func (a replicas) change(c command.ChangeReplica) (Reply, error) {
	before, err := find(a.act, store.Replicas, c.ID[:], refuse.NoReplica)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	after, err := before.Change(c.At)
	if err != nil {
		return reply, err
	}
	if a.taken(c.ID, before.Name, c.At) {
		return reply, refuse.ReplicaTaken
	}
	a.save(&before, after)
	return Reply{ID: after.ID, Version: after.Version}, nil
}

func (a replicas) invite(c command.Invite) (Reply, error) {
	i := c.Invitation
	switch {
	case exists(a.act, store.Invitations, i.ID[:]):
		return Reply{ID: i.ID}, refuse.Exists
	case i.Until <= a.stamp.At:
		return Reply{}, refuse.InvitationOver
	}
	store.Invitations.Put(a.tx, replica.Invitation{ID: i.ID, Secret: i.Secret, Made: a.stamp.At, Until: i.Until, By: a.stamp.By})
	return Reply{ID: i.ID}, nil
}

// step lets a replica vote, or takes it out. Those who vote afterwards must for
// the most part hold the root in force, or nobody could hand it on.
func (a replicas) step(c command.StepReplica) (Reply, error) {
	before, ok, err := store.Replicas.Get(a.tx, c.ID[:])
	a.must(err)
	if !ok {
		return a.stepUnknown(c)
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	after, err := before.Step(c.To, a.stamp.By, a.stamp.At)
	if err != nil {
		return reply, err
	}
	if before.State == replica.Member || after.State == replica.Member {
		if err := a.quorum(after); err != nil {
			return reply, err
		}
	}
	a.save(&before, after)
	if after.State == replica.Destroyed {
		erasures{a.act}.nearer(func(e erasure.Erasure) erasure.Erasure { return e.Destroyed(after.ID, c.How, a.stamp.By, a.stamp.At) })
	}
	return Reply{ID: after.ID, Version: after.Version}, nil
}

// stepUnknown is about a replica of a former life of the territory, which a
// restore has not brought back and which an erasure may still wait for.
func (a replicas) stepUnknown(c command.StepReplica) (Reply, error) {
	waits := false
	for _, e := range (erasures{a.act}).pending() {
		for _, h := range e.Holders {
			waits = waits || h.Replica == c.ID && h.Pending()
		}
	}
	switch {
	case !waits || c.To != replica.Destroyed:
		return Reply{}, refuse.NoReplica
	case a.stamp.By.Zero():
		return Reply{ID: c.ID}, refuse.PersonNeeded
	}
	erasures{a.act}.nearer(func(e erasure.Erasure) erasure.Erasure { return e.Destroyed(c.ID, c.How, a.stamp.By, a.stamp.At) })
	return Reply{ID: c.ID}, nil
}

// quorum refuses a change after which most of those who vote would lack the root.
func (a replicas) quorum(changed replica.Replica) error {
	votes, hold := 0, 0
	for _, r := range a.all() {
		if r.ID == changed.ID {
			r = changed
		}
		if r.State == replica.Member {
			votes++
			if r.Holds == a.root() {
				hold++
			}
		}
	}
	switch {
	case votes == 0:
		return refuse.LastReplica
	case 2*hold <= votes:
		return refuse.RootNotHeld
	}
	return nil
}

func (a replicas) release(c command.RecordRelease) (Reply, error) {
	r := c.Release
	if exists(a.act, store.Releases, r.ID[:]) {
		return Reply{ID: r.ID}, refuse.Exists
	}
	to, err := find(a.act, store.Replicas, r.Replica[:], refuse.NoReplica)
	if err != nil {
		return Reply{}, err
	}
	if !to.State.Alive() {
		return Reply{}, refuse.ReplicaRemoved
	}
	r.At, r.By = a.stamp.At, a.stamp.By
	store.Releases.Put(a.tx, r)
	a.happen(event.ReplicaChanged{ID: r.Replica})
	return Reply{ID: r.ID}, nil
}

// hold notes a replica's word that it holds the root in force and nothing older.
func (a replicas) hold(c command.HoldRoot) (Reply, error) {
	before, err := find(a.act, store.Replicas, c.Replica[:], refuse.NoReplica)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	if err := a.inForce(c.Root); err != nil {
		return reply, err
	}
	after, err := before.Hold(c.Root, a.stamp.At)
	if err != nil {
		return reply, err
	}
	if before.Holds == c.Root {
		return reply, nil // said before
	}
	a.save(&before, after)
	erasures{a.act}.nearer(func(e erasure.Erasure) erasure.Erasure { return e.Held(after.ID, c.Root, a.stamp.At) })
	return Reply{ID: after.ID, Version: after.Version}, nil
}

func (a replicas) save(before *replica.Replica, after replica.Replica) {
	save(a.act, store.Replicas, before, &after, after.ID[:], after.Version)
	a.happen(event.ReplicaChanged{ID: after.ID})
}
