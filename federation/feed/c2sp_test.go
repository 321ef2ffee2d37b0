package feed_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/bippop/bippop/federation/feed"
)

// TestStrangersTool has another implementation of C2SP, whose authors know nothing of
// us, check our checkpoints under our policy and read our tiles from a folder.
func TestStrangersTool(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	policy := foreign(t, who.policy)
	for _, size := range []int{1, 2, 255, 256, 257, 700, 256*256 + 3} {
		entries := some(0, size)
		point := who.settle(t, headOf(entries))
		c, err := feed.OpenCopy(t.TempDir(), origin)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Append(entries, point); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, path := range append(feed.Tiles(int64(size)), "checkpoint") {
			b, err := c.Tile(path)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			file := filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tiles, err := torchwood.NewTileFS(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := tiles.ReadEndpoint(t.Context(), "checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		read, _, err := torchwood.VerifyCheckpoint(signed, policy)
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if read.N != int64(size) {
			t.Errorf("it reads size %d of %d", read.N, size)
		}
		client, err := torchwood.NewClient(tiles)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i, e := range client.AllEntries(context.Background(), read.Tree, 0) {
			if int(i) != n || !bytes.Equal(e, entries[i]) {
				t.Fatalf("size %d: entry %d differs", size, i)
			}
			n++
		}
		if err := client.Err(); err != nil || n != size {
			t.Fatalf("size %d: it reads %d entries: %v", size, n, err)
		}
		_, proof, err := client.Entry(t.Context(), read.Tree, int64(size/2))
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, read.N, read.Hash, int64(size/2), tlog.RecordHash(entries[size/2])); err != nil {
			t.Error(err)
		}
	}
	// It refuses what we refuse.
	h := headOf(some(0, 3))
	for name, c := range map[string]feed.Checkpoint{
		"one replica":  sign(t, origin, h, noon, who.replicas[0], who.witnesses[0], who.witnesses[1]),
		"one witness":  sign(t, origin, h, noon, who.replicas[0], who.replicas[1], who.witnesses[1]),
		"other origin": sign(t, feed.EgressOrigin(siren, 2), h, noon, who.replicas[0], who.replicas[1], who.witnesses[0], who.witnesses[1]),
	} {
		if _, _, err := torchwood.VerifyCheckpoint(c.Signed, policy); err == nil {
			t.Errorf("%s: it takes the checkpoint", name)
		}
		if err := who.policy.Settled(c); err == nil {
			t.Errorf("%s: we take the checkpoint", name)
		}
	}
}

// foreign is a policy in the other implementation's words.
func foreign(t *testing.T, p feed.Policy) torchwood.Policy {
	t.Helper()
	var replicas, witnesses []torchwood.Policy
	for _, k := range p.Replicas {
		v, err := note.NewVerifier(k)
		if err != nil {
			t.Fatal(err)
		}
		replicas = append(replicas, torchwood.SingleVerifierPolicy(v))
	}
	for _, k := range p.Witnesses {
		v, err := torchwood.NewCosignatureVerifier(k)
		if err != nil {
			t.Fatal(err)
		}
		witnesses = append(witnesses, torchwood.SingleVerifierPolicy(v))
	}
	return torchwood.ThresholdPolicy(3, torchwood.OriginPolicy(p.Origin),
		torchwood.ThresholdPolicy(p.Quorum, replicas...), torchwood.ThresholdPolicy(p.Threshold, witnesses...))
}
