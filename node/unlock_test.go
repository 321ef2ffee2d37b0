package node_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// trio is three replicas in one process that open each other.
type trio struct {
	*testing.T
	cfgs  [3]node.Config
	nodes [3]*node.Node
	logs  [3]*logged
	admin node.Caller
}

// logged is what a replica logs, read while it runs.
type logged struct {
	mu sync.Mutex // guards b, for a line
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newTrio founds a territory whose replicas have these addresses on the loopback
// network; the third listens elsewhere than it dials from, if it is told so.
func newTrio(tt *testing.T, hosts [3]string) *trio {
	t := &trio{T: tt}
	for i, host := range hosts {
		unseal, err := crypto.Passphrase("une phrase de passe longue", 1)
		t.must(err)
		l, err := net.Listen("tcp", host+":0")
		t.must(err)
		dir := t.TempDir()
		t.logs[i] = &logged{}
		t.cfgs[i] = node.Config{
			Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal, Logger: node.NewLogger(t.logs[i], slog.LevelDebug),
			PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, Unsealing: node.ByPeers, Autopilot: node.VotingRules{Stable: time.Second},
			Peering: node.Peering{Listener: l, Address: l.Addr().String()},
		}
	}
	var err error
	t.nodes[0], err = node.FoundTerritory(t.Context(), t.cfgs[0], node.Founding{
		Territory: node.Territory{Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Communes: []string{"33352"}},
		Login:     "admin", Password: secret(password),
	})
	t.must(err)
	t.Cleanup(func() {
		var all sync.WaitGroup
		for _, n := range t.nodes {
			if n != nil {
				all.Go(func() { n.Close() })
			}
		}
		all.Wait()
	})
	_, t.admin, err = t.nodes[0].Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	t.must(err)
	for i := 1; i < 3; i++ {
		token, _, err := t.nodes[0].Replicas.Invite(t.Context(), t.admin, time.Hour)
		t.must(err)
		_, err = node.Join(t.Context(), t.cfgs[i], token)
		t.must(err)
		t.nodes[i], err = node.Open(t.Context(), t.cfgs[i])
		t.must(err)
	}
	t.until("three vote", func() bool { return t.nodes[0].Voters() == 3 })
	t.lent(0, 1, 2)
	return t
}

func (t *trio) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what the replicas do by themselves.
func (t *trio) until(what string, ok func() bool) {
	t.Helper()
	late := time.After(45 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-late:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}

// lent waits until the lock of each of these is with every other that is up.
func (t *trio) lent(all ...int) {
	t.Helper()
	up := 0
	for _, n := range t.nodes {
		if n != nil {
			up++
		}
	}
	for _, i := range all {
		t.until("the others hold its lock", func() bool { return t.nodes[i].Lent() == up-1 })
	}
}

func (t *trio) beside(i int, ending string) string {
	return strings.TrimSuffix(t.cfgs[i].Vault, ".age") + ending
}

func (t *trio) exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (t *trio) stop(i int) {
	t.Helper()
	t.must(t.nodes[i].Close())
	t.nodes[i] = nil
}

// start opens replica i again at its former address, with what u says.
func (t *trio) start(i int, u crypto.Unsealer) {
	t.Helper()
	var err error
	cfg := t.cfgs[i]
	cfg.Unseal = u
	cfg.Peering.Listener, err = net.Listen("tcp", cfg.Peering.Address)
	t.must(err)
	t.nodes[i], err = node.Open(t.Context(), cfg)
	t.must(err)
}

// unlock is what a sealed replica does; it gives up after d.
func (t *trio) unlock(cfg node.Config, d time.Duration) (crypto.Unsealer, error) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return node.Unlock(ctx, cfg)
}

func (t *trio) refused(cfg node.Config, want string) {
	t.Helper()
	_, err := t.unlock(cfg, 4*time.Second)
	if !errors.Is(err, node.ErrNoRelease) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func (t *trio) releases() []node.Release {
	t.Helper()
	c, err := t.nodes[0].Replicas.List(t.admin)
	t.must(err)
	return c.Releases
}

// waiting are those who wait for an administrator's yes.
func (t *trio) waiting() (out []node.Release) {
	for _, r := range t.releases() {
		if r.Waiting {
			out = append(out, r)
		}
	}
	return out
}

func (t *trio) id(i int) node.ReplicaID {
	t.Helper()
	c, err := t.nodes[0].Replicas.List(t.admin)
	t.must(err)
	return c.Replicas[i].ID // by name: in the order of joining
}

// copyOf is replica i's vault and what lies beside it, on another disk.
func (t *trio) copyOf(i int) node.Config {
	t.Helper()
	cfg := t.cfgs[i]
	cfg.Vault = filepath.Join(t.TempDir(), "vault.age")
	t.must(os.CopyFS(filepath.Dir(cfg.Vault), besides{os.DirFS(filepath.Dir(t.cfgs[i].Vault))}))
	return cfg
}

// besides leaves the data folder out.
type besides struct{ fs.FS }

func (b besides) ReadDir(name string) (out []fs.DirEntry, err error) {
	all, err := fs.ReadDir(b.FS, name)
	for _, e := range all {
		if !e.IsDir() {
			out = append(out, e)
		}
	}
	return out, err
}

// asking is a sealed replica that rings while the test looks on.
type asking struct {
	u    crypto.Unsealer
	err  error
	done chan struct{}
	stop context.CancelFunc
}

func (t *trio) asks(cfg node.Config) *asking {
	ctx, stop := context.WithTimeout(t.Context(), 45*time.Second)
	a := &asking{done: make(chan struct{}), stop: stop}
	go func() {
		defer close(a.done)
		a.u, a.err = node.Unlock(ctx, cfg)
	}()
	return a
}

func (t *trio) opened(a *asking) crypto.Unsealer {
	t.Helper()
	<-a.done
	t.must(a.err)
	return a.u
}

// holds no lock in any form.
func (t *trio) holdsNone(name string, b []byte, locks [][]byte) {
	t.Helper()
	for _, l := range locks {
		for form, text := range map[string][]byte{
			"raw": l, "hexadecimal": []byte(hex.EncodeToString(l)), "base64": []byte(base64.RawStdEncoding.EncodeToString(l)[:40]),
			"base64 for URLs": []byte(base64.RawURLEncoding.EncodeToString(l)[:40]),
		} {
			if bytes.Contains(b, text) {
				t.Errorf("a lock lies in %s, %s", name, form)
			}
		}
	}
}

// TestRestart: a replica that is back within minutes opens by itself, the release
// is in the records, and what it saves afterwards opens by hand as before. No lock
// reaches a disk or a log. Once the others were restarted, a person is needed.
func TestRestart(tt *testing.T) {
	t := newTrio(tt, [3]string{"127.0.0.1", "127.0.0.1", "127.0.0.1"})
	first := t.nodes[0].HeldLocks()
	t.stop(1)
	u, err := t.unlock(t.cfgs[1], 40*time.Second)
	t.must(err)
	got := t.releases()
	if len(got) != 1 || got[0].Replica != t.id(1) || got[0].Waiting || !got[0].By.Zero() {
		t.Fatalf("releases %+v", got)
	}
	t.start(1, u)
	_, err = t.nodes[0].Replicas.Rotate(t.Context(), t.admin) // the vault is written
	t.must(err)
	t.until("the vault holds the root in force alone", func() bool {
		c, err := t.nodes[0].Replicas.List(t.admin)
		t.must(err)
		return c.Replicas[0].Current && c.Replicas[1].Current && c.Replicas[2].Current
	})
	t.lent(0, 1, 2)
	v, err := crypto.LoadVault(t.cfgs[1].Vault, t.cfgs[1].Unseal)
	t.must(err)
	if len(v.Roots.Candidates) != 0 {
		t.Errorf("%d candidates are left", len(v.Roots.Candidates))
	}

	locks := first
	for _, n := range t.nodes {
		locks = append(locks, n.HeldLocks()...)
	}
	if len(locks) < 8 {
		t.Fatalf("%d locks are held, of three replicas by two each, now and before", len(locks))
	}
	for i := range t.nodes {
		t.holdsNone("the log", []byte(t.logs[i].String()), locks)
		t.must(filepath.WalkDir(filepath.Dir(t.cfgs[i].Vault), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil // gone meanwhile
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			t.holdsNone(path, b, locks)
			return err
		}))
	}

	// Nobody holds its lock any more.
	t.stop(1)
	for _, i := range []int{2, 0} {
		t.stop(i)
		t.start(i, t.cfgs[i].Unseal)
		t.until("a majority is back", func() bool {
			return t.nodes[0] != nil && t.nodes[0].Fresh(t.Context()) == nil || i == 2 && t.nodes[2].Fresh(t.Context()) == nil
		})
	}
	t.refused(t.cfgs[1], "no lock of this replica is held here")
	t.start(1, t.cfgs[1].Unseal)
}

// TestThief: a copy of the disk opens nothing while the replica runs, and an older
// copy never does, not even with the name of today's lock.
func TestThief(tt *testing.T) {
	t := newTrio(tt, [3]string{"127.0.0.1", "127.0.0.1", "127.0.0.1"})
	thief := t.copyOf(1)
	t.refused(thief, "identity is connected")
	if _, err := t.nodes[0].Replicas.Approve(t.Context(), t.admin, t.id(1)); err == nil {
		t.Error("approved beside a replica that runs")
	}
	if got := t.releases(); len(got) != 1 || !got[0].Waiting || got[0].Why != "second-connection" {
		t.Errorf("the administrator sees %+v", got)
	}
	_, err := t.nodes[0].Replicas.Rotate(t.Context(), t.admin)
	t.must(err)
	t.lent(0, 1, 2)
	t.refused(thief, "it is a copy")

	t.stop(1)
	for !t.exists(t.beside(1, ".peers")) { // it was saving its vault: the box was away
		t.start(1, t.cfgs[1].Unseal)
		t.lent(0, 1, 2)
		t.stop(1)
	}
	old, today := lockName(t.read(boxOf(thief))), lockName(t.read(t.beside(1, ".peers")))
	t.must(os.WriteFile(boxOf(thief), bytes.Replace(t.read(boxOf(thief)), old, today, 1), 0o600))
	t.refused(thief, crypto.ErrDamaged.Error())

	// Another doorbell, and none.
	other := t.copyOf(1)
	bell := strings.TrimSuffix(other.Vault, ".age") + ".doorbell"
	t.must(crypto.SaveDoorbell(bell, crypto.NewDoorbell("200044394", t.id(1).String())))
	t.refused(other, "not the doorbell")
	t.must(os.Remove(bell))
	if _, err := t.unlock(other, time.Second); !errors.Is(err, node.ErrNoBox) {
		t.Errorf("without a doorbell: %v", err)
	}

	// Once it was removed, its own disk opens nothing.
	_, err = t.nodes[0].Replicas.Remove(t.Context(), t.admin, t.id(1))
	t.must(err)
	t.refused(t.cfgs[1], "was removed")
}

func boxOf(cfg node.Config) string { return strings.TrimSuffix(cfg.Vault, ".age") + ".peers" }

func (t *trio) read(path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	t.must(err)
	return b
}

// lockName is the part of a box's file that names its lock.
func lockName(b []byte) []byte {
	_, after, _ := bytes.Cut(b, []byte(`"lock":"`))
	name, _, _ := bytes.Cut(after, []byte(`"`))
	return name
}

// TestApprove: from another address, or after too long, it waits for an
// administrator, whose name stands in the record; beside a second machine that asks
// it waits whatever he says; without a majority nothing is given out.
func TestApprove(tt *testing.T) {
	t := newTrio(tt, [3]string{"127.0.0.1", "127.0.0.1", "127.0.0.3"})
	one, two := t.id(1), t.id(2)
	if _, err := t.nodes[0].Replicas.Approve(t.Context(), t.admin, two); err == nil {
		t.Error("approved although nobody asks")
	}
	t.stop(2) // it dials from 127.0.0.1
	a := t.asks(t.cfgs[2])
	waits := func(id node.ReplicaID, why string) {
		t.Helper()
		t.until(why, func() bool {
			w := t.waiting()
			return len(w) == 1 && w[0].Replica == id && w[0].Why == why
		})
	}
	waits(two, "other-address")
	operator := t.admin
	operator.Roles = 0
	if _, err := t.nodes[0].Replicas.Approve(t.Context(), operator, two); err == nil {
		t.Error("approved by somebody without the right to")
	}
	t.nodes[0].Ring(two, "192.0.2.7")
	waits(two, "second-connection")
	if _, err := t.nodes[0].Replicas.Approve(t.Context(), t.admin, two); err == nil {
		t.Error("approved although two machines ask")
	}
	t.nodes[0].Unring(two)
	waits(two, "other-address")
	_, err := t.nodes[0].Replicas.Approve(t.Context(), t.admin, two)
	t.must(err)
	t.start(2, t.opened(a))
	if got := t.releases(); len(got) != 1 || got[0].Replica != two || got[0].By != t.admin.Account || got[0].Waiting {
		t.Errorf("releases %+v", got)
	}
	t.lent(0, 1, 2)

	t.stop(1)
	a = t.asks(t.cfgs[1])
	t.until("absent-too-long", func() bool {
		for _, i := range []int{0, 2} {
			t.nodes[i].LastSeen(one, 10*time.Minute+time.Second) // again: who is gone is heard of for a while
		}
		w := t.waiting()
		return len(w) == 1 && w[0].Replica == one && w[0].Why == "absent-too-long"
	})
	t.stop(2) // no majority
	t.until("the leader steps down", func() bool { return !t.nodes[0].Leading() })
	a.stop()
	<-a.done
	box := t.beside(0, ".peers")
	kept := t.read(box)
	t.must(t.nodes[0].SaveVault())
	if _, err := os.Stat(box); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the vault was saved, and its older copy is there: %v", err)
	}
	t.must(os.WriteFile(box, kept, 0o600)) // as when the machine stops in between
	if _, err := t.unlock(t.cfgs[0], time.Second); !errors.Is(err, node.ErrNoBox) {
		t.Errorf("an older copy than the vault: %v", err)
	}
	t.refused(t.cfgs[1], "no majority")
}
