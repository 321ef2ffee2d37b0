package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
)

// trioReplicas is how many replicas a trio has.
const trioReplicas = 3

// trio is a territory of invented people whose replicas run each in a process of
// its own, as operators run them. For one goroutine, but for start.
type trio struct {
	home     *demoHome
	program  string
	replicas []*process // by number; nil: not running
	admin    *client    // at any replica: sessions are known to all
	further  []string   // flags of serve
}

// openTrio makes the territory in dir, or finds it there, and starts its replicas.
func openTrio(ctx context.Context, dir string, profile synth.Profile, out output) (_ *trio, err error) {
	t := &trio{replicas: make([]*process, trioReplicas)}
	if t.program, err = os.Executable(); err != nil {
		return nil, err
	}
	if t.home, err = openDemoHome(dir, false); err != nil {
		return nil, err
	}
	if !t.home.Filled {
		t.home.Profile, t.home.Seed, t.home.Replicas = profile, 1, trioReplicas
		c, err := t.home.openAll(ctx, nil, out)
		if err != nil {
			return nil, err
		}
		if err := c.Close(); err != nil {
			return nil, err
		}
	}
	if err := t.startAll(ctx); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	if err := t.signIn(ctx); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

// signIn begins a session of the administrator's.
func (t *trio) signIn(ctx context.Context) error {
	who, err := t.home.account("admin")
	if err != nil {
		return err
	}
	t.admin = &client{base: t.replicas[0].url(), http: t.replicas[0].client}
	return t.admin.signIn(ctx, who.Login, who.Password)
}

// join makes replica i a further one of the territory, as an operator does, and
// does not start it yet. Its folder is empty.
func (t *trio) join(ctx context.Context, i int) error {
	leader, err := t.leader(ctx)
	if err != nil {
		return err
	}
	var made struct{ Token string }
	if err := t.at(leader).call(ctx, "POST", "/replicas/invitations", map[string]int{"minutes": 60}, &made); err != nil {
		return err
	}
	if err := os.MkdirAll(t.home.replica(i), 0o700); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, t.program, append([]string{"join", "--token-file", "-"}, t.flags(i)...)...)
	c.Stdin = strings.NewReader(made.Token)
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("replica %d does not join: %w: %s", i+1, err, text)
	}
	return nil
}

// wipe loses everything that replica i had, which was stopped before.
func (t *trio) wipe(i int) error {
	if i == 0 {
		return errors.New("the first replica's folder holds the others")
	}
	return os.RemoveAll(t.home.replica(i))
}

// idOf is the ID under which replica i is known.
func (t *trio) idOf(ctx context.Context, i int) (string, error) {
	var s standing
	if err := t.at(i).call(ctx, "GET", "/replicas", nil, &s); err != nil {
		return "", err
	}
	for _, r := range s.Items {
		if r.Here {
			return r.ID, nil
		}
	}
	return "", errors.New("a replica does not know itself")
}

// startAll starts all at once: none answers before most of them are there.
func (t *trio) startAll(ctx context.Context) error {
	errs := make([]error, len(t.replicas))
	var all sync.WaitGroup
	for i := range t.replicas {
		all.Go(func() { errs[i] = t.start(ctx, i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// start returns once replica i answers. What it logs is kept beside its data.
func (t *trio) start(ctx context.Context, i int) error {
	log, err := os.OpenFile(filepath.Join(t.home.replica(i), "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	args := append([]string{"serve", "--json", "--listen", "127.0.0.1:0"}, t.flags(i)...)
	args = append(args, t.further...)
	var answer serveAnswer
	p, err := launch(ctx, log, &answer, t.program, args...)
	if err != nil {
		return fmt.Errorf("replica %d does not start: %w; it says why in %s", i+1, err, log.Name())
	}
	p.base = answer.URL
	t.replicas[i] = p
	return nil
}

// flags say where replica i is.
func (t *trio) flags(i int) []string {
	at := t.home.replica(i)
	return []string{
		"--dir", filepath.Join(at, "data"), "--vault", filepath.Join(at, "vault.age"),
		"--identity", filepath.Join(t.home.dir, "identity.txt"), "--peer-listen", t.home.Peers[i],
	}
}

// kill ends replica i as a power cut does.
func (t *trio) kill(i int) error {
	p := t.replicas[i]
	t.replicas[i] = nil
	return p.kill()
}

// stop ends all as operators do, and waits.
func (t *trio) stop() error {
	var errs []error
	for i := range t.replicas {
		if t.replicas[i] != nil {
			errs = append(errs, t.replicas[i].stop())
		}
		t.replicas[i] = nil
	}
	return errors.Join(errs...)
}

// at is the administrator's client at replica i.
func (t *trio) at(i int) *client {
	return &client{base: t.replicas[i].url(), token: t.admin.token, http: t.replicas[i].client}
}

// standing is what a replica says of all of them.
type standing struct {
	Items []struct {
		ID, Name, State     string
		Here, Leader, Voter bool
		Said                struct{ Applied uint64 }
	}
	Index uint64
}

// leader is the number of the replica that leads, once there is one.
func (t *trio) leader(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, mostMissing, fmt.Errorf("no replica has led for %v", mostMissing))
	defer cancel()
	for {
		for i, p := range t.replicas {
			var s standing
			if p == nil || t.at(i).call(ctx, "GET", "/replicas", nil, &s) != nil {
				continue
			}
			for _, r := range s.Items {
				if r.Here && r.Leader {
					return i, nil
				}
			}
		}
		if err := pause(ctx, askAgain); err != nil {
			return 0, err
		}
	}
}

// whole waits until every replica runs and votes.
func (t *trio) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, mostMissing, fmt.Errorf("not all replicas have voted for %v", mostMissing))
	defer cancel()
	for {
		i, err := t.leader(ctx)
		if err != nil {
			return err
		}
		var s standing
		if err := t.at(i).call(ctx, "GET", "/replicas", nil, &s); err == nil {
			voters := 0
			for _, r := range s.Items {
				if r.Voter {
					voters++
				}
			}
			if voters == trioReplicas {
				return nil
			}
		}
		if err := pause(ctx, 10*askAgain); err != nil {
			return err
		}
	}
}
