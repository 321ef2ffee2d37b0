package ledger_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// TestPeace: a ledger in order is in order, from a folder and over HTTP.
func TestPeace(t *testing.T) {
	w := peace(t)
	l := w.ledger()
	folder := filepath.Join(t.TempDir(), "ledger")
	if err := l.Write(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(t.Context(), folder); !errors.Is(err, ledger.ErrFolder) {
		t.Errorf("a second ledger in the same folder: %v", err)
	}
	dir, err := ledger.Dir(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	server := httptest.NewServer(http.StripPrefix("/transparency", http.FileServer(http.Dir(folder))))
	defer server.Close()
	web, err := ledger.URL(server.URL + "/transparency/")
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []ledger.Source{dir, web} {
		r := verify(t, src, ledger.Options{Genesis: w.state.Genesis, Against: []ledger.Source{web, dir}})
		if !r.OK || len(r.Faults) > 0 || !r.Pinned || r.Listed != (src == ledger.Source(dir)) {
			t.Fatalf("%s: %+v", src, r)
		}
		if r.Entries != 13 || len(r.Feeds) != 4 || r.Version != w.state.Version || !r.Seen.Equal(noon) || r.Genesis != w.state.Genesis {
			t.Errorf("%s: %+v", src, r)
		}
		if len(r.Compared) != 2 || r.Compared[0].Feeds != 4 || r.Compared[0].Entries != 13 {
			t.Errorf("%s: compared %+v", src, r.Compared)
		}
		// Feeds stand by SIREN, then epoch.
		if f := r.Feeds[2]; f.Siren != reole || f.Epoch != 2 || f.Entries != 4 || f.Kinds[public.KindRelease] != 1 || f.Witnesses != 2 || !f.Witnessed.Equal(noon) {
			t.Errorf("%s: %+v", src, f)
		}
	}
	if r := verify(t, dir, ledger.Options{}); !r.OK || r.Pinned || r.Genesis != w.state.Genesis {
		t.Errorf("without a genesis: %+v", r)
	}
}

// TestEveryBit turns one bit of each byte of each file: it is found, and where it is.
func TestEveryBit(t *testing.T) {
	w := peace(t)
	good := shelve(t, w.ledger())
	o := ledger.Options{Genesis: w.state.Genesis}
	step, tries := 5, 0
	if *long {
		step = 1
	}
	for _, path := range slices.Sorted(maps.Keys(good)) {
		folder := path
		if at := strings.Index(path, "/checkpoint"); at > 0 {
			folder = path[:at]
		} else if at := strings.Index(path, "/tile"); at > 0 {
			folder = path[:at]
		}
		for i := tries % step; i < len(good[path]); i += step {
			bad := maps.Clone(good)
			bad[path] = bytes.Clone(good[path])
			bad[path][i] ^= 1 << (tries % 8)
			tries++
			r := verify(t, bad, o)
			if r.OK || len(r.Faults) == 0 {
				t.Fatalf("byte %d of %s turned: nothing is found", i, path)
			}
			if !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == folder }) {
				t.Fatalf("byte %d of %s turned: the faults name other places: %+v", i, path, r.Faults)
			}
			if !strings.Contains(path, "/tile/entries") || folder == "roster" {
				continue
			}
			if !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == folder && f.Seq == entryAt(good[path], i) }) {
				t.Fatalf("byte %d of %s turned, which is in entry %d: %+v", i, path, entryAt(good[path], i), r.Faults)
			}
		}
	}
	t.Logf("%d bits turned, all found", tries)
}

// entryAt is the place of the entry that byte i of a first bundle belongs to.
func entryAt(bundle []byte, i int) int64 {
	entries, _ := feed.ParseBundle(bundle)
	at := 0
	for n, e := range entries {
		if at += 2 + len(e); i < at {
			return int64(n)
		}
	}
	return int64(len(entries))
}

// TestManyTiles: bits in a feed of three levels of tiles, sampled.
func TestManyTiles(t *testing.T) {
	w := newWorld(t)
	const size = 256*256 + 256 + 9
	entries := messages(t, reole, 1, 0, size)
	c, err := feed.OpenCopy(t.TempDir(), feed.EgressOrigin(reole, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(entries, sign(t, c.Origin(), headOf(entries), w.signers(reole)...)); err != nil {
		t.Fatal(err)
	}
	w.feeds = []ledger.Feed{{Siren: reole, Epoch: 1, Log: ledger.Of(c)}}
	good := shelve(t, w.ledger())
	// The same tiles without the copy's stored hashes.
	plain := logOf(c.Checkpoint(), entries)
	for path, want := range good {
		if rest, ok := strings.CutPrefix(path, "egress/200044394/1/"); ok && !strings.Contains(path, "/tile/0/") {
			if got, err := plain.Read(t.Context(), rest); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s: tiles from entries and from hashes differ: %v", path, err)
			}
		}
	}
	o := ledger.Options{Genesis: w.state.Genesis}
	if r := verify(t, good, o); !r.OK || r.Entries != size {
		t.Fatalf("%d entries, %+v", r.Entries, r.Faults)
	}
	for _, x := range []struct {
		path string
		at   int
		seq  int64
	}{
		{"tile/0/000", 255 * 32, 255}, {"tile/0/255", 32 * 7, 255*256 + 7}, {"tile/0/257.p/9", 8*32 + 31, 257*256 + 8},
		{"tile/1/000", 32 * 3, 3 * 256}, {"tile/1/001.p/1", 0, 256 * 256}, {"tile/2/000.p/1", 31, 0},
		{"tile/entries/255", 0, 255 * 256}, {"tile/entries/257.p/9", 1, 257 * 256}, {"tile/entries/128", 2, 128 * 256},
	} {
		path := "egress/200044394/1/" + x.path
		if _, there := good[path]; !there {
			t.Fatalf("%s is not there", path)
		}
		bad := maps.Clone(good)
		bad[path] = bytes.Clone(good[path])
		bad[path][x.at] ^= 4
		r := verify(t, bad, o)
		if r.OK || !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == "egress/200044394/1" && f.Seq == x.seq }) {
			t.Errorf("%s: %+v", x.path, r.Faults)
		}
		delete(bad, path)
		if r := verify(t, bad, o); r.OK || r.Faults[0].Code != ledger.Unreadable {
			t.Errorf("%s is missing: %+v", x.path, r.Faults)
		}
	}
}

// TestCrimes: what a territory may do wrong with all its own keys, and sometimes with
// everybody's.
func TestCrimes(t *testing.T) {
	fine := func(w *world) { w.say(rurale, 1, messages(w.t, rurale, 1, 0, 3)) }
	entry := func(seq int, b []byte) func(w *world) {
		return func(w *world) {
			e := messages(w.t, rurale, 1, 0, 5)
			e[seq] = b
			w.say(rurale, 1, e)
		}
	}
	first, spent := release(t, public.Odometer{}, 24)
	second, _ := release(t, spent, 25)
	future := []byte{0x87, 1, 0x1a, 0x0b, 0xef, 0x33, 0x9f, 1, 2, 0x19, 0x09, 0xc4, 0x18, 45, 0x80}
	epoch2 := func(startAt int) func(w *world) {
		return func(w *world) {
			old := messages(w.t, reole, 1, 0, 6)
			w.say(reole, 1, old)
			w.change(roster.OpenEpoch{Siren: reole, Epoch: 2, StartSize: 6, StartRoot: headOf(messages(w.t, reole, 1, startAt, 6)).Root})
			w.say(reole, 2, messages(w.t, reole, 2, 0, 1))
		}
	}
	for _, x := range []struct {
		name string
		do   func(w *world)
		feed string
		seq  int64
		code ledger.Code
	}{
		{"nothing", fine, "", 0, ""},
		{"free text", entry(3, []byte("Mme Dupont, 84 ans")), "egress/200069599/1", 3, ledger.Form},
		{"another form of a good entry", entry(3, append(encode(t, rurale, 1, 3, public.Presence{}), 0)), "egress/200069599/1", 3, ledger.Form},
		{"in another's name", entry(3, encode(t, reole, 1, 3, public.Presence{})), "egress/200069599/1", 3, ledger.Place},
		{"in another place", entry(3, encode(t, rurale, 1, 2, public.Presence{})), "egress/200069599/1", 3, ledger.Place},
		{"of another epoch", entry(3, encode(t, rurale, 2, 3, public.Presence{})), "egress/200069599/1", 3, ledger.Place},
		{"a kind of the future", entry(3, future), "egress/200069599/1", 3, ledger.KindUnnamed},
		{"a bulletin by a territory", func(w *world) { w.say(rurale, 1, [][]byte{bulletinBy(w.t, rurale)}) }, "egress/200069599/1", 0, ledger.KindUnnamed},
		{"a quarter twice", func(w *world) {
			w.say(rurale, 1, [][]byte{encode(w.t, rurale, 1, 0, first), encode(w.t, rurale, 1, 1, first)})
		}, "egress/200069599/1", 1, ledger.Budget},
		{"a release that forgets what was spent", func(w *world) {
			w.say(rurale, 1, [][]byte{encode(w.t, rurale, 1, 0, second)})
		}, "egress/200069599/1", 0, ledger.Budget},
		{"budget begun anew in a new epoch", func(w *world) {
			old := [][]byte{encode(w.t, reole, 1, 0, first)}
			w.say(reole, 1, old)
			w.change(roster.OpenEpoch{Siren: reole, Epoch: 2, StartSize: 1, StartRoot: headOf(old).Root})
			w.say(reole, 2, [][]byte{encode(w.t, reole, 2, 0, first)})
		}, "egress/200044394/2", 0, ledger.Budget},
		{"one replica of three", func(w *world) {
			w.say(reole, 1, messages(w.t, reole, 1, 0, 3), replicaSigners(reole, 1)[0], w.witness[0], w.witness[1])
		}, "egress/200044394/1", -1, ledger.Quorum},
		{"one witness", func(w *world) {
			w.say(reole, 1, messages(w.t, reole, 1, 0, 3), append(replicaSigners(reole, 2), w.witness[1])...)
		}, "egress/200044394/1", -1, ledger.Witness},
		{"a stranger beside", func(w *world) {
			w.say(reole, 1, messages(w.t, reole, 1, 0, 3), append(w.signers(reole), feed.NewWitnessSigner("stranger", seed("stranger")))...)
		}, "egress/200044394/1", -1, ledger.Signature},
		{"signed for other entries", func(w *world) {
			w.say(rurale, 1, messages(w.t, rurale, 1, 0, 3))
			w.feeds[0].Log = logOf(w.feeds[0].Checkpoint, messages(w.t, rurale, 1, 1, 3))
		}, "egress/200069599/1", -1, ledger.Root},
		{"a stranger's feed", func(w *world) {
			w.say(public.Siren(732829320), 1, messages(w.t, 732829320, 1, 0, 1), w.witness[0])
		}, "egress/732829320/1", -1, ledger.Unknown},
		{"an epoch that nobody opened", func(w *world) {
			w.say(rurale, 2, messages(w.t, rurale, 2, 0, 1))
		}, "egress/200069599/2", -1, ledger.Unknown},
		{"epochs in order", epoch2(0), "", 0, ""},
		{"an epoch that continues something else", epoch2(1), "egress/200044394/1", -1, ledger.Epoch},
		{"the former epoch left out", func(w *world) { epoch2(0)(w); w.feeds = w.feeds[1:] }, "egress/200044394/2", 0, ledger.Epoch},
		{"more than counts of an epoch that has ended", func(w *world) {
			w.say(reole, 1, messages(w.t, reole, 1, 0, 8))
			w.change(roster.OpenEpoch{Siren: reole, Epoch: 2, StartSize: 6, StartRoot: headOf(messages(w.t, reole, 1, 0, 6)).Root})
		}, "egress/200044394/1", 6, ledger.Epoch},
		{"less than counts of a former member", func(w *world) {
			w.say(reole, 1, messages(w.t, reole, 1, 0, 8))
			w.change(roster.RemoveMember{Siren: reole, Last: 9})
		}, "egress/200044394/1", 8, ledger.Epoch},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t)
			x.do(w)
			r := verify(t, shelve(t, w.ledger()), ledger.Options{Genesis: w.state.Genesis})
			if x.code == "" {
				if !r.OK {
					t.Fatalf("faults where there are none: %+v", r.Faults)
				}
				return
			}
			if r.OK || !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == x.feed && f.Seq == x.seq && f.Code == x.code }) {
				t.Fatalf("got %+v, want %s at %d of %s", r.Faults, x.code, x.seq, x.feed)
			}
		})
	}
}

// TestNewerKind: an entry that this program can not read is no proof of anything; it is
// said what would read it.
func TestNewerKind(t *testing.T) {
	future := []byte{0x87, 1, 0x1a, 0x0b, 0xec, 0xd0, 0x9f, 1, 0, 0x19, 0x09, 0xc4, 0x18, 45, 0x80}
	w := newWorld(t, public.Schema{Kind: public.KindAck, Version: 7, Digest: [32]byte{1}}, public.SchemaOf(public.KindPresence), public.Schema{Kind: 45, Version: 3})
	w.say(rurale, 1, [][]byte{future, encode(t, rurale, 1, 1, public.Presence{}), encode(t, rurale, 1, 2, public.Ack{})})
	r := verify(t, shelve(t, w.ledger()), ledger.Options{Genesis: w.state.Genesis})
	if len(r.Faults) != 2 || r.Faults[0].Code != ledger.NeedVersion || r.Faults[0].Seq != 0 || !strings.Contains(r.Faults[0].What, "need version ≥ 3 of kind 45") ||
		r.Faults[1].Code != ledger.NeedVersion || r.Faults[1].Seq != 2 || !strings.Contains(r.Faults[1].What, "need version ≥ 7 of kind 22") {
		t.Errorf("%+v", r.Faults)
	}
}

// TestWrongHands: another federation's ledger, files that do not belong, lists that do
// not say what lies there.
func TestWrongHands(t *testing.T) {
	w := peace(t)
	good := shelve(t, w.ledger())
	other := w.state.Genesis
	other[0]++
	for _, x := range []struct {
		name    string
		genesis [32]byte
		do      func(s shelf)
		feed    string
		code    ledger.Code
	}{
		{"another genesis", other, func(shelf) {}, "roster", ledger.Genesis},
		{"a file beside", w.state.Genesis, func(s shelf) { s["notes.txt"] = nil }, "notes.txt", ledger.Foreign},
		{"an older partial tile", w.state.Genesis, func(s shelf) { s["egress/200069599/1/tile/0/000.p/1"] = make([]byte, 32) }, "egress/200069599/1/tile/0/000.p/1", ledger.Foreign},
		{"a feed that is not listed", w.state.Genesis, func(s shelf) {
			s["feeds.json"] = bytes.Replace(s["feeds.json"], []byte(",\n{\"siren\":\"200069599\",\"epoch\":1}"), nil, 1)
		}, "egress/200069599/1/checkpoint", ledger.Foreign},
		{"a feed that is not there", w.state.Genesis, func(s shelf) { delete(s, "egress/200069599/1/checkpoint") }, "egress/200069599/1", ledger.Checkpoint},
		{"another feed's checkpoint", w.state.Genesis, func(s shelf) { s["egress/200069599/1/checkpoint"] = s["egress/200044394/1/checkpoint"] }, "egress/200069599/1", ledger.Checkpoint},
		{"a blank in the list", w.state.Genesis, func(s shelf) { s["feeds.json"] = append(bytes.Clone(s["feeds.json"]), ' ') }, "feeds.json", ledger.BadList},
		{"no roster", w.state.Genesis, func(s shelf) { delete(s, "roster/checkpoint") }, "roster", ledger.Unreadable},
	} {
		s := maps.Clone(good)
		x.do(s)
		r := verify(t, s, ledger.Options{Genesis: x.genesis})
		if r.OK || !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == x.feed && f.Code == x.code }) {
			t.Errorf("%s: %+v", x.name, r.Faults)
		}
	}
	if _, err := ledger.Verify(t.Context(), shelf{}, ledger.Options{}); err == nil {
		t.Error("an empty folder is a ledger")
	}
}

// TestAgainst: a hub's copy shows what a ledger hides.
func TestAgainst(t *testing.T) {
	w := peace(t)
	ours := shelve(t, w.ledger())
	o := func(s ledger.Source) ledger.Options {
		return ledger.Options{Genesis: w.state.Genesis, Against: []ledger.Source{s}}
	}
	find := func(name string, r ledger.Report, folder string, seq int64, code ledger.Code) {
		t.Helper()
		if r.OK || !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool { return f.Feed == folder && f.Seq == seq && f.Code == code }) {
			t.Errorf("%s: %+v", name, r.Faults)
		}
	}
	copyWith := func(entries [][]byte, by ...feed.Signer) shelf {
		c := &world{t: t, roster: w.roster, state: w.state, witness: w.witness}
		c.say(rurale, 1, entries, by...)
		return shelve(t, c.ledger())
	}
	less := copyWith(messages(t, rurale, 1, 0, 1))
	if r := verify(t, ours, o(less)); !r.OK || r.Compared[0].Feeds != 1 || r.Compared[0].Entries != 1 {
		t.Errorf("a copy that is behind: %+v", r)
	}
	find("a copy with more", verify(t, ours, o(copyWith(messages(t, rurale, 1, 0, 300)))), "egress/200069599/1", 2, ledger.Withheld)
	find("another past", verify(t, ours, o(copyWith([][]byte{encode(t, rurale, 1, 0, public.Presence{}), encode(t, rurale, 1, 1, public.Presence{})}))), "egress/200069599/1", 1, ledger.Differs)
	find("unsigned", verify(t, ours, o(copyWith(messages(t, rurale, 1, 0, 2), w.witness[0]))), "egress/200069599/1", -1, ledger.BadCopy)
}

// TestHidden: a ledger that leaves out a whole epoch.
func TestHidden(t *testing.T) {
	w := peace(t)
	whole := shelve(t, w.ledger())
	w.feeds = slices.DeleteFunc(w.feeds, func(f ledger.Feed) bool { return f.Siren == reole && f.Epoch == 2 })
	r := verify(t, shelve(t, w.ledger()), ledger.Options{Genesis: w.state.Genesis, Against: []ledger.Source{whole}})
	if r.OK || len(r.Faults) != 1 || r.Faults[0].Code != ledger.Withheld || r.Faults[0].Feed != "egress/200044394/2" {
		t.Errorf("%+v", r.Faults)
	}
}

// FuzzVerify puts anybody's bytes in the place of a file: the check ends, and is
// content with nothing but what was there.
func FuzzVerify(f *testing.F) {
	w := peace(f)
	good := shelve(f, w.ledger())
	paths := slices.Sorted(maps.Keys(good))
	for i, path := range paths {
		f.Add(uint8(i), good[path])
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		path := paths[int(i)%len(paths)]
		s := maps.Clone(good)
		s[path] = b
		r, err := ledger.Verify(t.Context(), s, ledger.Options{Genesis: w.state.Genesis, Against: []ledger.Source{good}})
		if err == nil && r.OK != bytes.Equal(b, good[path]) {
			t.Fatalf("%s: in order %v", path, r.OK)
		}
	})
}
