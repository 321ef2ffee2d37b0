package feed_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/bippop/bippop/federation/feed"
)

var update = flag.Bool("update", false, "write the golden vectors anew; a changed one makes every signature there is worthless")

// TestGolden pins every byte string that is signed, and the signatures: Ed25519 draws
// nothing.
func TestGolden(t *testing.T) {
	egress, roster := feed.EgressOrigin(siren, 3), feed.RosterOrigin(seed("genesis"))
	who := newCast(egress)
	h := headOf(some(0, 1000))
	var b strings.Builder
	for _, part := range []struct {
		name string
		text []byte
	}{
		{"replica's key", []byte(who.replicas[0].Key())},
		{"witness's key", []byte(who.witnesses[0].Key())},
		{"body, empty", feed.FormatCheckpoint(egress, feed.EmptyHead())},
		{"body, egress", feed.FormatCheckpoint(egress, h)},
		{"body, roster", feed.FormatCheckpoint(roster, h)},
		{"signed by a replica", sign(t, egress, h, noon, who.replicas[0]).Signed},
		{"cosigned by a witness", sign(t, roster, h, noon, who.witnesses[0]).Signed},
		{"settled", who.settle(t, h).Signed},
		{"bundle of 3 entries, hex", []byte(hex.EncodeToString(feed.AppendBundle(feed.AppendBundle(feed.AppendBundle(nil, nil), []byte("a")), bytes.Repeat([]byte("b"), 300))))},
	} {
		b.WriteString("--- " + part.name + "\n" + string(part.text) + "\n")
	}
	file := filepath.Join("testdata", "golden.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("what is signed has changed: no signature there is would hold. Got\n%s", b.String())
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	c := who.settle(f, headOf(some(0, 5)))
	f.Add(c.Signed)
	f.Add(feed.FormatCheckpoint(origin, c.Head))
	f.Add([]byte("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— b AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := feed.ParseCheckpoint(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Signed, b) || !bytes.HasPrefix(b, append(feed.FormatCheckpoint(c.Origin, c.Head), '\n')) {
			t.Fatal("what is read is not what was given")
		}
		// Nobody who lacks the keys makes one that counts.
		if !bytes.Equal(feed.FormatCheckpoint(c.Origin, c.Head), feed.FormatCheckpoint(origin, headOf(some(0, 5)))) && who.policy.Quorate(c) == nil {
			t.Fatal("a checkpoint counts that nobody signed")
		}
		if merged, err := feed.Merge(c, c); err != nil || merged.Head != c.Head {
			t.Fatalf("it does not merge with itself: %v", err)
		}
	})
}

// TestForm: one head has one text.
func TestForm(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	good := string(who.settle(t, headOf(some(0, 5))).Signed)
	body, sigs, _ := strings.Cut(good, "\n\n")
	lines := strings.Split(body, "\n")
	idle := []byte(lines[2]) // 32 bytes leave two idle bits in base64
	idle[len(idle)-2]++
	for name, text := range map[string]string{
		"nothing":              "",
		"no signature":         body + "\n\n",
		"unsigned":             body + "\n",
		"plus":                 strings.Replace(good, "\n5\n", "\n+5\n", 1),
		"leading zero":         strings.Replace(good, "\n5\n", "\n05\n", 1),
		"negative":             strings.Replace(good, "\n5\n", "\n-5\n", 1),
		"too large":            strings.Replace(good, "\n5\n", "\n9223372036854775808\n", 1),
		"idle bits":            strings.Replace(good, lines[2], string(idle), 1),
		"extension":            body + "\nmore\n\n" + sigs,
		"no origin":            strings.TrimPrefix(good, origin),
		"a root for size 0":    strings.Replace(good, "\n5\n", "\n0\n", 1),
		"idle bits, signature": good[:len(good)-3] + string(good[len(good)-3]+1) + good[len(good)-2:],
		"carriage return":      strings.ReplaceAll(good, "\n", "\r\n"),
		"huge":                 good + strings.Repeat("— x AAAAAAA=\n", 5000),
	} {
		if _, err := feed.ParseCheckpoint([]byte(text)); !errors.Is(err, feed.ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := feed.ParseCheckpoint([]byte(good)); err != nil {
		t.Error(err)
	}
}

// TestCount: a signature counts for its key, once.
func TestCount(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	h := headOf(some(0, 5))
	r, w := who.replicas, who.witnesses
	twice := sign(t, origin, h, noon, r[0], r[1], w[0]).Signed
	later := sign(t, origin, h, noon.Add(time.Hour), w[0]).Signed
	_, line, _ := strings.Cut(string(later), "\n\n")
	repeated, err := feed.ParseCheckpoint(append(twice, line...))
	if err != nil {
		t.Fatal(err)
	}
	// The third replica's key is listed under a second name, too.
	alias := feed.NewReplicaSigner("alias", seed("replica 2"))
	aliased := who.policy
	aliased.Replicas = append([]string{alias.Key(), alias.Key()}, who.policy.Replicas...)
	zero := who.policy
	zero.Quorum, zero.Threshold = 0, 0
	noWitness := who.policy
	noWitness.Threshold = 0
	stranger := feed.NewReplicaSigner("bippop/200044394/1", seed("stranger"))
	sameName := feed.NewWitnessSigner("hub1.example", seed("stranger"))
	forged := sign(t, origin, h, noon, r[0], r[1], w[0], w[1])
	forged.Head = headOf(some(0, 6))
	for _, c := range []struct {
		name   string
		policy feed.Policy
		point  feed.Checkpoint
		want   error
	}{
		{"two and two", who.policy, sign(t, origin, h, noon, r[2], r[0], w[2], w[1]), nil},
		{"all", who.policy, sign(t, origin, h, noon, r[0], r[1], r[2], w[0], w[1], w[2], stranger), nil},
		{"nobody", who.policy, feed.Checkpoint{Origin: origin, Head: h}, feed.ErrCheckpoint},
		{"one replica", who.policy, sign(t, origin, h, noon, r[0], w[0], w[1]), feed.ErrQuorum},
		{"one replica and strangers", who.policy, sign(t, origin, h, noon, r[0], stranger, w[0], w[1]), feed.ErrQuorum},
		{"one witness", who.policy, sign(t, origin, h, noon, r[0], r[1], w[0]), feed.ErrWitness},
		{"one witness and its namesake", who.policy, sign(t, origin, h, noon, r[0], r[1], w[0], sameName), feed.ErrWitness},
		{"one witness twice", who.policy, repeated, feed.ErrWitness},
		{"one key under two names", aliased, sign(t, origin, h, noon, r[2], alias, w[0], w[1]), feed.ErrQuorum},
		{"a replica as a witness", who.policy, sign(t, origin, h, noon, r[0], r[1], w[0], feed.NewReplicaSigner("hub2.example", seed("witness 1"))), feed.ErrWitness},
		{"a witness as a replica", who.policy, sign(t, origin, h, noon, r[0], feed.NewWitnessSigner("bippop/200044394/2", seed("replica 1")), w[0], w[1]), feed.ErrQuorum},
		{"a policy of zero", zero, sign(t, origin, h, noon, r[0], r[1], w[0], w[1]), feed.ErrQuorum},
		{"no threshold", noWitness, sign(t, origin, h, noon, r[0], r[1], w[0], w[1]), feed.ErrWitness},
		{"a head put beside the signatures", who.policy, forged, feed.ErrCheckpoint},
		{"another feed", who.policy, sign(t, feed.EgressOrigin(siren, 2), h, noon, r[0], r[1], w[0], w[1]), feed.ErrCheckpoint},
	} {
		if err := c.policy.Settled(c.point); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	earlier, err := feed.ParseCheckpoint([]byte(strings.Replace(string(twice), "\n\n", "\n\n"+line, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := who.policy.Cosignatures(earlier); len(got) != 1 || !got[0].At.Equal(noon.Add(time.Hour)) {
		t.Errorf("of a witness's two instants the later does not count when it stands first: %v", got)
	}
	if got := who.policy.Cosignatures(repeated); len(got) != 1 || !got[0].At.Equal(noon.Add(time.Hour)) || got[0].Witness != w[0].Key() {
		t.Errorf("of a witness's two instants the later does not count: %v", got)
	}
	// A bad signature in a good name hides nothing and goes when the note is trimmed.
	bad := strings.Replace(line, line[len(line)-20:len(line)-10], "AAAAAAAAAA", 1)
	spoiled, err := feed.ParseCheckpoint([]byte(strings.Replace(string(sign(t, origin, h, noon, r[0], r[1], w[0], w[1], stranger).Signed), "\n\n", "\n\n"+bad, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := who.policy.Settled(spoiled); err != nil {
		t.Errorf("a bad signature hides a good one: %v", err)
	}
	trimmed, err := who.policy.Trim(spoiled)
	if err != nil || string(trimmed.Signed) != string(sign(t, origin, h, noon, r[0], r[1], w[0], w[1]).Signed) {
		t.Errorf("trimmed to\n%s%v", trimmed.Signed, err)
	}
}

// TestMerge: signatures that are collected one by one are the same as at once.
func TestMerge(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	h := headOf(some(0, 5))
	all := append(append([]feed.Signer{}, who.replicas...), who.witnesses...)
	joined := feed.Checkpoint{Origin: origin, Head: h}
	var err error
	for _, s := range all {
		if joined, err = feed.Merge(joined, sign(t, origin, h, noon, s)); err != nil {
			t.Fatal(err)
		}
	}
	if want := sign(t, origin, h, noon, all...); string(joined.Signed) != string(want.Signed) {
		t.Errorf("joined:\n%s", joined.Signed)
	}
	// A year of a witness's daily word is one line.
	for day := range 365 {
		if joined, err = feed.Merge(joined, sign(t, origin, h, noon.AddDate(0, 0, day), who.witnesses[0])); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(string(joined.Signed), "— "); n != len(all) {
		t.Errorf("%d signatures of %d keys", n, len(all))
	}
	if got := who.policy.Cosignatures(joined)[0].At; !got.Equal(noon.AddDate(0, 0, 364)) {
		t.Errorf("the last word is of %v", got)
	}
	if _, err := feed.Merge(joined, sign(t, origin, headOf(some(1, 5)), noon, all[0])); !errors.Is(err, feed.ErrFork) {
		t.Errorf("two roots of one size: %v", err)
	}
	if _, err := feed.Merge(joined, sign(t, feed.EgressOrigin(siren, 2), h, noon, all[0])); !errors.Is(err, feed.ErrCheckpoint) {
		t.Errorf("two feeds: %v", err)
	}
}

// hashesOf are the stored hashes of entries.
func hashesOf(t testing.TB, entries [][]byte) tlog.HashReader {
	t.Helper()
	var all []tlog.Hash
	r := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, all[i])
		}
		return out, nil
	})
	for i, e := range entries {
		h, err := tlog.StoredHashes(int64(i), e, r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h...)
	}
	return r
}

// TestContinue: a tree that grows continues itself and no other one, and two signed
// heads that contradict each other are evidence for anybody.
func TestContinue(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(rt, "n")
		m := rapid.IntRange(0, n).Draw(rt, "m")
		entries := some(0, n)
		other := append([][]byte{}, entries...)
		at := rapid.IntRange(0, n-1).Draw(rt, "at")
		other[at] = []byte("another")
		stored := hashesOf(t, other)
		old, now := headOf(entries[:m]), headOf(other)
		if root, err := tlog.TreeHash(int64(n), stored); err != nil || root != now.Root {
			rt.Fatalf("Tree and tlog differ at %d: %v", n, err)
		}
		a := sign(t, origin, old, noon, who.replicas[0], who.replicas[1])
		b := sign(t, origin, now, noon, who.replicas[1], who.replicas[2])
		err := feed.Consistent(old, now, stored)
		evidence, none := feed.Contradict(a, b, stored)
		if at < m { // they differ in what both have
			if !errors.Is(err, feed.ErrFork) {
				rt.Fatalf("a fork continues: %v", err)
			}
			if none != nil {
				rt.Fatal(none)
			}
			if err := evidence.Verify(who.policy); err != nil {
				rt.Fatalf("evidence of a fork counts for nothing: %v", err)
			}
			weak := evidence
			weak.A = sign(t, origin, old, noon, who.replicas[0], who.witnesses[0]).Signed
			if err := weak.Verify(who.policy); !errors.Is(err, feed.ErrQuorum) {
				rt.Fatalf("evidence that one replica signed: %v", err)
			}
			return
		}
		if err != nil {
			rt.Fatalf("a feed does not continue itself: %v", err)
		}
		if none == nil {
			rt.Fatal("evidence against an honest writer")
		}
		// Nor can anybody make some up, not even from the true proof.
		if m > 0 && m < n {
			proof, err := tlog.ProveTree(int64(n), int64(m), stored)
			if err != nil {
				rt.Fatal(err)
			}
			if (feed.Evidence{A: a.Signed, B: b.Signed, Prefix: old.Root, Proof: proof}).Verify(who.policy) == nil {
				rt.Fatal("the proof that a feed continues counts as evidence against it")
			}
		}
		for _, e := range []feed.Evidence{
			{A: a.Signed, B: b.Signed}, {A: b.Signed, B: a.Signed}, {A: a.Signed, B: a.Signed}, {A: a.Signed, B: b.Signed, Prefix: tlog.Hash{1}},
			{A: a.Signed, B: b.Signed, Prefix: tlog.Hash{1}, Proof: tlog.TreeProof{{1}, {2}}},
		} {
			if e.Verify(who.policy) == nil {
				rt.Fatal("evidence against an honest writer")
			}
		}
	})
	if err := feed.Consistent(headOf(some(0, 9)), headOf(some(0, 4)), hashesOf(t, some(0, 4))); !errors.Is(err, feed.ErrOld) {
		t.Errorf("an older head: %v", err)
	}
	if err := feed.Consistent(headOf(some(0, 4)), headOf(some(0, 9)), hashesOf(t, some(1, 9))); !errors.Is(err, feed.ErrRoot) {
		t.Errorf("hashes of another tree: %v", err)
	}
}

// TestRefusals: what an append is refused with says what to do next.
func TestRefusals(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	e := some(0, 20)
	other := append(some(100, 1), some(1, 19)...)
	c, err := feed.OpenCopy(t.TempDir(), origin)
	if err != nil {
		t.Fatal(err)
	}
	if c.Head() != feed.EmptyHead() || c.Checkpoint().Signed != nil {
		t.Error("a new copy is not empty")
	}
	if err := c.Append(e[:10], who.settle(t, headOf(e[:10]))); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name    string
		entries [][]byte
		point   feed.Checkpoint
		want    error
	}{
		{"further, nothing given", nil, who.settle(t, headOf(e)), feed.ErrGap},
		{"further, the last given", e[15:], who.settle(t, headOf(e)), feed.ErrGap},
		{"older", nil, who.settle(t, headOf(e[:4])), feed.ErrOld},
		{"older, another", nil, who.settle(t, headOf(other[:4])), feed.ErrFork},
		{"as large, another", nil, who.settle(t, headOf(other[:10])), feed.ErrFork},
		{"larger, another", other[10:], who.settle(t, headOf(other)), feed.ErrRoot},
		{"too many", e[10:], who.settle(t, headOf(e[:15])), feed.ErrRoot},
		{"unsigned", e[10:], feed.Checkpoint{Origin: origin, Head: headOf(e)}, feed.ErrCheckpoint},
		{"too long", [][]byte{make([]byte, feed.MaxEntry+1)}, who.settle(t, headOf(e[:11])), feed.ErrRoot},
	} {
		if err := c.Append(x.entries, x.point); !errors.Is(err, x.want) {
			t.Errorf("%s: got %v, want %v", x.name, err, x.want)
		}
	}
	if err := c.Append(e[10:], who.settle(t, headOf(e))); err != nil {
		t.Error(err)
	}
	if err := c.Entries(5, 21, nil); !errors.Is(err, feed.ErrGap) {
		t.Errorf("past the end: %v", err)
	}
	for _, path := range []string{
		"", "entries", "../checkpoint", "tile/0/000", "tile/0/000.p/21", "tile/1/000", "tile/1/000.p/1", "tile/entries/001.p/1", "tile/data/000.p/3",
		"tile/0/000.p/020", "tile/0/x000/000.p/20", "tile/8/0/000.p/20", "tile/99/000.p/1", "tile/0/000.p/0", "tile/entries/" + strings.Repeat("x999/", 30) + "000",
	} {
		if b, err := c.Tile(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a tile %q: %d bytes, %v", path, len(b), err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Append(nil, who.settle(t, headOf(e))); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}
