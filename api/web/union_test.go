package web_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/bippop/bippop/node"
)

// union is a federation on real connections: the coordinator's node with a hub in it,
// and territories that were invited, have applied, and are on its signed roster. They
// call the hub five times a second, and what is due is looked for as often.
type union struct {
	*testing.T
	centre *town
	began  time.Time

	mu    sync.Mutex // guards later, for a reading
	later time.Duration
}

// clock runs: who was refused by a hub calls it again after a while.
func (u *union) clock() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return monday.Add(time.Since(u.began) + u.later)
}

// wait lets time pass for everybody.
func (u *union) wait(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.later += d
}

// holder is the seed of the key of the one who signs the roster.
var holder = [32]byte{42}

func newUnion(tt *testing.T) *union {
	u := &union{T: tt, began: time.Now()}
	at := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", simulation.FreePort())
	u.centre = foundTown(tt, coordination, func(c *node.Config) {
		u.hurry(c)
		c.Federation.Hub = node.FederationHub{Name: "hub.example", Listen: []string{at}}
	})
	c := u.centre
	u.stands(c)
	c.coordinator()
	hub, err := c.node.Federation.HubKeys(c.admin, "hub.example")
	c.must(err)
	hub.Operator, hub.Addresses = "Coordination nationale", []string{at}
	draft, err := c.node.Federation.Begin(u.Context(), c.admin, node.Beginning{
		Name: "Essai", Demo: true, Holders: []string{node.HolderKey("bureau", holder)}, Need: 1, Hubs: []node.HubKeys{hub}, Threshold: 1, Days: 400,
	})
	c.must(err)
	u.publish(draft)
	return u
}

func (u *union) hurry(c *node.Config) {
	log := &lockedBuffer{}
	c.Logger = node.NewLogger(log, slog.LevelWarn)
	u.Cleanup(func() {
		if text := log.String(); u.Failed() {
			u.Logf("%s:\n%s", filepath.Base(filepath.Dir(c.Dir)), text[max(0, len(text)-3000):])
		}
	})
	c.Now, c.Pace.Sweep = u.clock, 200*time.Millisecond
	c.Federation.Tune = func(f *federation.Config) {
		f.PullEvery, f.SyncEvery = 200*time.Millisecond, 200*time.Millisecond
	}
}

// lockedBuffer is what a node has logged.
type lockedBuffer struct {
	mu sync.Mutex // guards b, for a write
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// publish has a draft signed by its one holder.
func (u *union) publish(draft string) {
	u.Helper()
	signed, _, err := node.SignDraft(draft, holder)
	u.centre.must(err)
	u.centre.must(u.centre.node.Federation.Publish(u.Context(), u.centre.admin, signed))
}

// territory founds one and takes it in.
func (u *union) territory(in node.Territory, mailbox string) *town {
	u.Helper()
	t, c := foundTown(u.T, in, u.hurry), u.centre
	invitation, err := c.node.Federation.Invite(c.admin, in.Siren)
	t.must(err)
	_, err = t.node.Federation.Join(u.Context(), t.admin, invitation)
	t.must(err)
	application, err := t.node.Federation.Application(u.Context(), t.admin, mailbox)
	t.must(err)
	draft, _, err := c.node.Federation.Draft(c.admin, node.RosterChange{Application: application})
	t.must(err)
	u.publish(draft)
	u.stands(t)
	return t
}

// stands tells of a node's place in the federation when a test has failed.
func (u *union) stands(t *town) {
	u.Cleanup(func() {
		if u.Failed() {
			s, err := t.node.Federation.Status(context.Background(), t.admin)
			u.Logf("%s: next %s, %d of %d settled, %s %+v, %v", t.url, s.Next, s.Settled, s.Size, s.Trouble, s.Hubs, err)
		}
	})
}
