package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// voteAfter is how long a replica of a bench is watched before it votes: what is
// measured is how fast it catches up, and this stands beside it.
const voteAfter = time.Second

// wiped takes the time in which a replica that has lost its disk is a voter again:
// removed by a person, joined anew under another name, from the start of serve.
func (f figures) wiped(ctx context.Context, dir, profile string, out output) (err error) {
	t, err := openTrio(ctx, dir, synth.Profile(profile), out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if err := t.whole(ctx); err != nil {
		return err
	}
	lost := trioReplicas - 1
	id, err := t.idOf(ctx, lost)
	if err != nil {
		return err
	}
	if err := t.kill(lost); err != nil {
		return err
	}
	leader, err := t.leader(ctx)
	if err != nil {
		return err
	}
	if err := t.at(leader).call(ctx, "POST", "/replicas/"+id+"/remove", nil, nil); err != nil {
		return err
	}
	if err := errors.Join(t.wipe(lost), t.join(ctx, lost)); err != nil {
		return err
	}
	from := time.Now()
	if err := t.start(ctx, lost); err != nil {
		return err
	}
	f["wiped_profile"] = profile
	f["wiped_to_serving_ms"] = ms(time.Since(from))
	if err := t.whole(ctx); err != nil {
		return err
	}
	f["wiped_to_voter_ms"] = ms(time.Since(from))
	return nil
}

// The territory that a further replica receives whole.
const (
	treePersons = 100_000 // in the key tree when somebody is erased
	erasings    = 5
	writesAlone = 200
)

// rebuild takes the time in which a further replica receives everything of one
// that has grown, and what memory it takes; then how long an erasure takes among
// three, with many people in the tree.
func (f figures) rebuild(ctx context.Context, b *writeBench, dir string, out output) (err error) {
	if err := b.settle(ctx, treePersons, out); err != nil {
		return err
	}
	f["persons_in_tree"] = treePersons
	t := &trio{replicas: make([]*process, trioReplicas), further: []string{"--vote-after", voteAfter.String()}}
	if t.program, err = os.Executable(); err != nil {
		return err
	}
	t.home = &demoHome{dir: dir, Replicas: trioReplicas, Accounts: []demoAccount{{Role: "admin", Login: "bench", Password: benchPassword}}}
	if err := t.home.choosePorts(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	if err := errors.Join(t.start(ctx, 0), t.signIn(ctx)); err != nil {
		return err
	}
	for i := 1; i < trioReplicas; i++ {
		if err := t.join(ctx, i); err != nil {
			return err
		}
		from := time.Now()
		if err := t.start(ctx, i); err != nil {
			return err
		}
		if i > 1 {
			continue
		}
		f["rebuild_records"], f["rebuild_ms"] = b.grown, ms(time.Since(from))
		memory, err := t.replicas[i].memory()
		if err != nil {
			return err
		}
		f["rebuild_peak_rss_bytes"] = memory["VmHWM"]
	}
	if err := t.whole(ctx); err != nil {
		return err
	}
	return f.erase(ctx, t, b)
}

// erase takes the time of writes, and of erasures: from the handover of the new
// root to the commit, as the leader has noted it, and to the last replica's word
// that it holds the former root no more.
func (f figures) erase(ctx context.Context, t *trio, b *writeBench) error {
	leader, err := t.leader(ctx)
	if err != nil {
		return err
	}
	c := t.at(leader)
	var writes, whole, acknowledged sample
	for i := range writesAlone {
		from := time.Now()
		if err := c.call(ctx, "POST", "/requests", map[string]any{"beneficiary": b.her[i%len(b.her)], "type": b.kind, "when": map[string]any{"kind": "flexible"}}, nil); err != nil {
			return err
		}
		writes = append(writes, time.Since(from))
	}
	for range erasings {
		var made struct{ ID string }
		if err := c.call(ctx, "POST", "/beneficiaries", map[string]any{"last_name": "Exemple", "commune": "33352", "phones": []map[string]string{{"number": "05 36 49 12 07"}}, "basis": "consent"}, &made); err != nil {
			return err
		}
		from := time.Now()
		if err := c.call(ctx, "POST", "/erasures", map[string]any{"kind": "beneficiary", "id": made.ID, "now": true}, nil); err != nil {
			return err
		}
		whole = append(whole, time.Since(from))
		if err := f.acknowledged(ctx, c); err != nil {
			return err
		}
		acknowledged = append(acknowledged, time.Since(from))
	}
	commits, err := committed(filepath.Join(t.home.replica(leader), "serve.log"))
	if err != nil {
		return err
	}
	f["write_alone_p50_ms"] = ms(writes.at(0.5))
	f["erasure_p50_ms"], f["erasure_acknowledged_max_ms"] = ms(whole.at(0.5)), ms(acknowledged.at(1))
	f["erasure_commit_p50_ms"] = ms(commits.at(0.5))
	f["erasure_commit_to_write_ratio"] = ratio(commits.at(0.5), writes.at(0.5))
	return nil
}

// acknowledged waits until every replica has let go of the newest former root.
func (f figures) acknowledged(ctx context.Context, c *client) error {
	for {
		var list struct{ Items []erasedOnce }
		if err := c.call(ctx, "GET", "/erasures", nil, &list); err != nil {
			return err
		}
		if len(list.Items) > 0 && !slices.ContainsFunc(list.Items[0].Holders, func(h struct {
			Name, How string
			Gone      time.Time `json:"gone_at"`
			Destroyed time.Time `json:"destroyed_at"`
		}) bool {
			return h.Gone.IsZero()
		}) {
			return nil
		}
		if err := pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

// committed reads from a replica's log how long each turn of the root took after
// the handover.
func committed(path string) (s sample, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var said struct {
			Msg        string
			Committing time.Duration
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "the root key is replaced" {
			s = append(s, said.Committing)
		}
	}
	if len(s) == 0 {
		return nil, errors.New("the leader's log tells of no erasure")
	}
	return s, nil
}

// settle enrols people until there are n in the key tree, and closes the node.
func (b *writeBench) settle(ctx context.Context, n int, out output) error {
	steps := newProgress(out.progress, "settling", n)
	defer steps.end()
	phone := []node.Phone{{Number: crypto.NewSecret("05 36 49 12 07")}}
	err := together(ctx, numbers(max(0, n-len(b.her)-len(b.him))), func(ctx context.Context, i int) error {
		_, err := b.node.Beneficiaries.Enrol(ctx, b.by, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent},
			node.BeneficiaryWords{Last: crypto.NewSecret(fmt.Sprint("Exemple ", i)), Phones: phone})
		steps.step(1)
		return err
	})
	if err == nil {
		err, b.node = b.node.Close(), nil
	}
	return err
}
