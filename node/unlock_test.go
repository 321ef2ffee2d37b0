package node_test

import (
	"bytes"
	"context"
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

// TestRestart: a replica that is back within minutes opens by itself, the release
// is in the records, and what it saves afterwards opens by hand as before.
func TestRestart(tt *testing.T) {
	t := newTrio(tt, [3]string{"127.0.0.1", "127.0.0.1", "127.0.0.1"})
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
	t.lent(0, 1, 2)
	if v, err := crypto.LoadVault(t.cfgs[1].Vault, t.cfgs[1].Unseal); err != nil || v.Sealed < 2 {
		t.Errorf("the passphrase does not open what was saved since: %v", err)
	}
}

// TestThief: a copy of the disk opens nothing while the replica runs, and an older
// copy never does.
func TestThief(tt *testing.T) {
	t := newTrio(tt, [3]string{"127.0.0.1", "127.0.0.1", "127.0.0.1"})
	thief := t.copyOf(1)
	t.refused(thief, "identity is connected")
	if _, err := t.nodes[0].Replicas.Approve(t.Context(), t.admin, t.id(1)); err == nil {
		t.Error("approved beside a replica that runs")
	}
	_, err := t.nodes[0].Replicas.Rotate(t.Context(), t.admin)
	t.must(err)
	t.lent(0, 1, 2)
	t.refused(thief, "it is a copy")
}
