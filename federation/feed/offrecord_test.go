package feed_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/feed"
)

// take is what a reader does with what somebody hands to it.
func take(c *feed.Copy, p feed.Policy, entries [][]byte, signed []byte) error {
	point, err := feed.ParseCheckpoint(signed)
	if err != nil {
		return err
	}
	if err := p.Settled(point); err != nil {
		return err
	}
	return c.Append(entries, point)
}

// liar makes messages that must not be taken, out of all that an attacker may have: the
// true record, every checkpoint there ever was, keys of his own, one replica and one
// witness that he has taken over.
type liar struct {
	t      *testing.T
	r      *rand.Rand
	who    cast
	true   [][]byte
	known  int // entries that the reader has
	points []feed.Checkpoint
}

// lies are ways to say something off the record, by the name of the attack.
var lies = []struct {
	name string
	tell func(l *liar) ([][]byte, []byte)
}{
	{"altered", func(l *liar) ([][]byte, []byte) {
		e := clone(l.true[l.known:])
		i := l.r.IntN(len(e))
		e[i][l.r.IntN(len(e[i]))] ^= 1 << l.r.IntN(8)
		return e, l.last()
	}},
	{"put in between", func(l *liar) ([][]byte, []byte) {
		e := clone(l.true[l.known:])
		return slices.Insert(e, l.r.IntN(len(e)+1), []byte("off the record")), l.last()
	}},
	{"said without a checkpoint", func(l *liar) ([][]byte, []byte) {
		return [][]byte{[]byte("off the record")}, l.points[l.known].Signed
	}},
	{"unsigned", func(l *liar) ([][]byte, []byte) {
		e := append(clone(l.true[l.known:]), []byte("off the record"))
		return e, feed.FormatCheckpoint(l.who.policy.Origin, headOf(append(clone(l.true), []byte("off the record"))))
	}},
	{"forked, by one replica", func(l *liar) ([][]byte, []byte) {
		e, h := l.fork()
		return e, l.by(h, l.who.replicas[0], l.who.witnesses[0], l.who.witnesses[1], l.who.witnesses[2])
	}},
	{"forked, seen by one witness", func(l *liar) ([][]byte, []byte) {
		e, h := l.fork()
		return e, l.by(h, l.who.replicas[0], l.who.replicas[1], l.who.replicas[2], l.who.witnesses[l.r.IntN(3)])
	}},
	{"forked, by strangers", func(l *liar) ([][]byte, []byte) {
		e, h := l.fork()
		mine := newStrangers(l.r)
		return e, l.by(h, mine...)
	}},
	{"forked before what is known, by everybody", func(l *liar) ([][]byte, []byte) {
		other := clone(l.true)
		other[l.r.IntN(l.known)] = []byte("another past")
		size := l.r.IntN(len(other)) + 1
		if size <= l.known && l.r.IntN(2) == 0 {
			size = l.known
		}
		// Only a head that holds the changed entry contradicts.
		h := headOf(other[:size])
		if h == l.points[size].Head {
			h = headOf(other[:l.known])
			size = l.known
		}
		return other[min(l.known, size):size], l.by(h, l.who.replicas[0], l.who.replicas[1], l.who.witnesses[0], l.who.witnesses[1])
	}},
	{"replayed", func(l *liar) ([][]byte, []byte) {
		to := l.r.IntN(l.known)
		return l.true[l.r.IntN(to+1):to], l.points[to].Signed
	}},
	{"repeated", func(l *liar) ([][]byte, []byte) {
		from := l.r.IntN(l.known)
		return l.true[from:l.known], l.points[l.known].Signed
	}},
	{"of another epoch", func(l *liar) ([][]byte, []byte) {
		o := feed.EgressOrigin(siren, 2)
		return l.true[l.known:], sign(l.t, o, headOf(l.true), noon, l.who.replicas[0], l.who.replicas[1], l.who.witnesses[0], l.who.witnesses[1]).Signed
	}},
	{"origin rewritten", func(l *liar) ([][]byte, []byte) {
		o := feed.EgressOrigin(siren, 2)
		s := sign(l.t, o, headOf(l.true), noon, l.who.replicas[0], l.who.replicas[1], l.who.witnesses[0], l.who.witnesses[1]).Signed
		return l.true[l.known:], bytes.Replace(s, []byte(o), []byte(l.who.policy.Origin), 1)
	}},
	{"reordered", func(l *liar) ([][]byte, []byte) {
		e := clone(l.true[l.known:])
		i := l.r.IntN(len(e) - 1)
		e[i], e[i+1] = e[i+1], e[i]
		return e, l.last()
	}},
	{"cosignature back-dated", func(l *liar) ([][]byte, []byte) {
		return l.true[l.known:], redate(l, l.last(), -time.Duration(1+l.r.IntN(1e6))*time.Second)
	}},
	{"cosignature dated ahead", func(l *liar) ([][]byte, []byte) {
		return l.true[l.known:], redate(l, l.last(), time.Duration(1+l.r.IntN(1e6))*time.Second)
	}},
	{"begun late", func(l *liar) ([][]byte, []byte) { return l.true[l.known+1+l.r.IntN(3):], l.last() }},
	{"ended early", func(l *liar) ([][]byte, []byte) {
		return l.true[l.known : len(l.true)-1-l.r.IntN(3)], l.last()
	}},
	{"one left out", func(l *liar) ([][]byte, []byte) {
		e := clone(l.true[l.known:])
		i := l.r.IntN(len(e))
		return slices.Delete(e, i, i+1), l.last()
	}},
	{"checkpoint cut off", func(l *liar) ([][]byte, []byte) {
		s := l.last()
		return l.true[l.known:], s[:l.r.IntN(len(s))]
	}},
	{"checkpoint with a bit turned", func(l *liar) ([][]byte, []byte) {
		s := bytes.Clone(l.last())
		s[l.r.IntN(len(s))] ^= 1 << l.r.IntN(8)
		return l.true[l.known:], s
	}},
	{"too few signatures", func(l *liar) ([][]byte, []byte) {
		r, w := l.r.IntN(3), l.r.IntN(4)
		if r == 2 {
			w = l.r.IntN(2)
		}
		signers := append(slices.Clone(pick(l.r, l.who.replicas, r)), pick(l.r, l.who.witnesses, w)...)
		if len(signers) == 0 {
			signers = newStrangers(l.r)
		}
		return l.true[l.known:], l.by(headOf(l.true), signers...)
	}},
	{"one witness twice", func(l *liar) ([][]byte, []byte) {
		w := l.r.IntN(3)
		s := l.by(headOf(l.true), l.who.replicas[0], l.who.replicas[1], l.who.witnesses[w])
		for i := range 1 + l.r.IntN(4) {
			again := sign(l.t, l.who.policy.Origin, headOf(l.true), noon.Add(time.Duration(i)*time.Second), l.who.witnesses[w]).Signed
			_, line, _ := bytes.Cut(again, []byte("\n\n"))
			s = append(s, line...)
		}
		return l.true[l.known:], s
	}},
	{"one replica twice", func(l *liar) ([][]byte, []byte) {
		s := l.by(headOf(l.true), l.who.replicas[0], l.who.witnesses[0], l.who.witnesses[1])
		_, line, _ := bytes.Cut(s, []byte("\n\n"))
		first, _, _ := bytes.Cut(line, []byte("\n"))
		return l.true[l.known:], append(append(s, first...), '\n')
	}},
	{"one key under two names", func(l *liar) ([][]byte, []byte) {
		return l.true[l.known:], l.by(headOf(l.true), l.who.replicas[0], l.who.replicas[1], l.who.witnesses[0], feed.NewWitnessSigner("hub2.example", seed("witness 0")))
	}},
	{"witness as replica", func(l *liar) ([][]byte, []byte) {
		return l.true[l.known:], l.by(headOf(l.true), l.who.replicas[0], l.who.witnesses[0], l.who.witnesses[1], l.who.witnesses[2],
			feed.NewReplicaSigner("hub1.example", seed("witness 0")), feed.NewWitnessSigner(l.name(1), seed("replica 1")))
	}},
}

// TestOffRecord: whoever holds fewer keys than the policy asks for makes no reader take
// a word that is not on the record, nor lose one that is.
func TestOffRecord(t *testing.T) {
	tries := 5_000
	if *long {
		tries = 100_000
	}
	const size, known = 30, 12
	who := newCast(feed.EgressOrigin(siren, 1))
	entries := some(0, size)
	l := &liar{t: t, r: rand.New(rand.NewPCG(5, uint64(tries))), who: who, true: entries, known: known}
	for i := range size + 1 {
		l.points = append(l.points, who.settle(t, headOf(entries[:i])))
	}
	c, err := feed.OpenCopy(t.TempDir(), who.policy.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if err := take(c, who.policy, entries[:known], l.points[known].Signed); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	told := map[string]int{}
	for i := range tries {
		lie := lies[i%len(lies)]
		told[lie.name]++
		said, signed := lie.tell(l)
		if err := take(c, who.policy, said, signed); err == nil {
			accepted++
			t.Fatalf("message %d is taken: %s", i, lie.name)
		}
		if got := c.Checkpoint(); got.Head != l.points[known].Head || !bytes.Equal(got.Signed, l.points[known].Signed) {
			t.Fatalf("a refused message has changed the copy: %s", lie.name)
		}
	}
	t.Logf("%d of %d accepted, %d kinds of attack", accepted, tries, len(told))
	if err := take(c, who.policy, entries[known:], l.last()); err != nil {
		t.Fatalf("the truth is refused afterwards: %v", err)
	}
	same(t, c, entries)
}

func (l *liar) last() []byte { return l.points[len(l.points)-1].Signed }

func (l *liar) by(h feed.Head, signers ...feed.Signer) []byte {
	return sign(l.t, l.who.policy.Origin, h, noon, signers...).Signed
}

func (l *liar) name(i int) string {
	name, _, _ := strings.Cut(l.who.replicas[i].Key(), "+")
	return name
}

// fork continues what is known in another way.
func (l *liar) fork() ([][]byte, feed.Head) {
	e := [][]byte{[]byte("off the record")}
	for range l.r.IntN(4) {
		e = append(e, []byte{byte(l.r.Uint32())})
	}
	return e, headOf(append(clone(l.true[:l.known]), e...))
}

// newStrangers sign with keys of their own, some under listed names.
func newStrangers(r *rand.Rand) []feed.Signer {
	var own [32]byte
	binary.LittleEndian.PutUint64(own[:], r.Uint64())
	return []feed.Signer{
		feed.NewReplicaSigner("bippop/200044394/1", own), feed.NewReplicaSigner("bippop/200044394/2", own),
		feed.NewWitnessSigner("hub1.example", own), feed.NewWitnessSigner("hub2.example", own),
	}
}

func pick(r *rand.Rand, from []feed.Signer, n int) []feed.Signer {
	out := slices.Clone(from)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}

func clone(entries [][]byte) (out [][]byte) {
	for _, e := range entries {
		out = append(out, bytes.Clone(e))
	}
	return out
}

// redate writes another instant into one of two cosignatures.
func redate(l *liar, signed []byte, by time.Duration) []byte {
	lines := strings.SplitAfter(string(signed), "\n")
	at := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "— hub") }) + l.r.IntN(2)
	head, b64, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(lines[at], "\n"), "— "), " ")
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		l.t.Fatal(err)
	}
	binary.BigEndian.PutUint64(raw[4:], uint64(noon.Add(by).Unix()))
	lines[at] = "— " + head + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	return []byte(strings.Join(lines, ""))
}
