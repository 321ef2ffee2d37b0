package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// Options of a check.
type Options struct {
	// Genesis is the digest of the roster's first entry, from the invitation. Zero
	// takes the ledger's own, and the report names it, to be compared by eye.
	Genesis [32]byte
	// Against are copies that others hold.
	Against []Source
	// Progress is told now and then how many entries are done; nil: nobody is.
	Progress func(entries int64)
}

// verifier is one check under way.
type verifier struct {
	src    Source
	o      Options
	report Report

	state   *roster.State // nil: the roster says nothing
	words   lexicon
	roles   map[public.Siren]roster.Role // of members and former members
	names   map[public.Siren]string
	starts  map[listed]start // of epochs after the first
	spent   map[public.Siren]public.Odometer
	checked map[string]mark // by folder
}

// start is what a roster says of a new epoch: what of the former one counts.
type start struct {
	size uint64
	root [32]byte
}

// mark is how far a feed was checked.
type mark struct {
	head   feed.Head
	policy feed.Policy
	roster bool
}

// Verify checks a ledger by its bytes alone: that the roster was signed by its
// holders, from the genesis on; that every checkpoint has its quorum and its witnesses;
// that entries, without gap, lead to the signed root; that each is of the closed
// schema in its one form, in its place, of a kind that the roster names; that releases
// stay in their privacy budget over all epochs; and that copies hold the same. What is
// wrong is in the report. An error says that the check could not be done.
func Verify(ctx context.Context, src Source, o Options) (Report, error) {
	v := &verifier{
		src: src, o: o, words: lexicon{}, roles: map[public.Siren]roster.Role{}, names: map[public.Siren]string{},
		starts: map[listed]start{}, spent: map[public.Siren]public.Odometer{}, checked: map[string]mark{},
	}
	raw, err := src.Read(ctx, fileFeeds, maxList)
	if err != nil {
		return Report{}, fmt.Errorf("%s holds no ledger: %w", src, err)
	}
	feeds, ok := parseList(raw)
	if !ok {
		v.report.fault(fileFeeds, -1, BadList, "the list of feeds is not in its one form")
	}
	if err := v.roster(ctx); err != nil {
		return Report{}, err
	}
	if v.state != nil {
		for i, f := range feeds {
			if err := v.feed(ctx, f, feeds[:i]); err != nil {
				return Report{}, err
			}
		}
		for _, other := range o.Against {
			if err := v.against(ctx, other); err != nil {
				return Report{}, err
			}
		}
	}
	if err := v.strangers(ctx, ok); err != nil {
		return Report{}, err
	}
	v.report.OK = len(v.report.Faults) == 0
	return v.report, nil
}

// point reads a folder's checkpoint.
func (v *verifier) point(ctx context.Context, src Source, folder, origin string) (feed.Checkpoint, error) {
	b, err := src.Read(ctx, folder+"/"+fileCheckpoint, maxCheckpoint)
	if err != nil {
		return feed.Checkpoint{}, fmt.Errorf("%s: %w", unread(fileCheckpoint, err), feed.ErrCheckpoint)
	}
	c, err := feed.ParseCheckpoint(b)
	if err == nil && c.Origin != origin {
		err = fmt.Errorf("%w: it is one of %s", feed.ErrCheckpoint, c.Origin)
	}
	return c, err
}

// signatures reports lines that do not count: none may be there, so that every byte
// of a checkpoint is checked.
func (v *verifier) signatures(folder string, p feed.Policy, c feed.Checkpoint) {
	trimmed, err := p.Trim(c)
	if err != nil || lines(trimmed) != lines(c) {
		v.report.fault(folder, -1, Signature, "a signature of the checkpoint does not hold, or is of nobody on the roster")
	}
}

func lines(c feed.Checkpoint) int { return bytes.Count(c.Signed, []byte("\n— ")) }

// roster folds the roster and sets the state.
func (v *verifier) roster(ctx context.Context) error {
	raw, err := v.src.Read(ctx, rosterFolder+"/"+fileCheckpoint, maxCheckpoint)
	if err != nil {
		v.report.fault(rosterFolder, -1, Unreadable, unread(fileCheckpoint, err))
		return nil
	}
	c, err := feed.ParseCheckpoint(raw)
	if err != nil || c.Head.Size == 0 {
		v.report.fault(rosterFolder, -1, Checkpoint, feed.ErrCheckpoint.Error())
		return nil
	}
	stuck := false
	s := v.scan(rosterFolder, c.Head.Size)
	s.take = func(seq int64, b []byte, _ said) error {
		if stuck {
			return nil
		}
		if seq == 0 {
			v.report.Genesis = sha256.Sum256(b)
			v.report.Pinned = v.report.Genesis == v.o.Genesis
			if v.o.Genesis != ([32]byte{}) && !v.report.Pinned {
				v.report.fault(rosterFolder, 0, Genesis, roster.ErrGenesis.Error())
				stuck = true
				return nil
			}
		}
		next, err := v.state.Apply(b)
		if err != nil {
			code := BadRoster
			if errors.Is(err, roster.ErrNewer) {
				code = NeedVersion
			}
			v.report.fault(rosterFolder, seq, code, err.Error())
			stuck = true
			return nil
		}
		v.state = next
		v.learn(b)
		return nil
	}
	head, whole, err := s.run(ctx)
	if err != nil || v.state == nil {
		return err
	}
	if whole && head != c.Head {
		v.report.fault(rosterFolder, -1, Root, feed.ErrRoot.Error())
	}
	p := v.state.Freshness()
	if c.Origin != v.state.Origin() {
		v.report.fault(rosterFolder, -1, Checkpoint, feed.ErrCheckpoint.Error())
		p.Origin = c.Origin
	}
	seen := p.Cosignatures(c)
	if len(seen) < p.Threshold {
		v.report.fault(rosterFolder, -1, Witness, feed.ErrWitness.Error())
	}
	v.signatures(rosterFolder, p, c)
	for _, w := range seen {
		if w.At.After(v.report.Seen) {
			v.report.Seen = w.At
		}
	}
	v.report.Name, v.report.Demo, v.report.Version, v.report.Expires = v.state.Name, v.state.Demo, v.state.Version, v.state.Expires
	if whole {
		v.checked[rosterFolder] = mark{head: head, policy: p, roster: true}
	}
	return nil
}

// learn keeps what later states of the roster no longer say.
func (v *verifier) learn(b []byte) {
	v.words.learn(v.state.Kinds)
	e, err := roster.DecodeEntry(b)
	if err != nil {
		return
	}
	for _, body := range e.Bodies {
		switch x := body.(type) {
		case roster.SetMember:
			m := x.Member
			v.roles[m.Siren], v.names[m.Siren] = m.Role, m.Name
			if m.Epoch > 1 {
				v.starts[listed{m.Siren, m.Epoch}] = start{m.StartSize, m.StartRoot}
			}
		case roster.OpenEpoch:
			v.starts[listed{x.Siren, x.Epoch}] = start{x.StartSize, x.StartRoot}
		}
	}
}

func (v *verifier) scan(folder string, size int64) *scan {
	return &scan{src: v.src, folder: folder, size: size, fault: func(seq int64, code Code, what string) { v.report.fault(folder, seq, code, what) }}
}

// feed checks one feed; before are those listed before it.
func (v *verifier) feed(ctx context.Context, f listed, before []listed) error {
	folder := f.folder()
	p, ended, last, ok := v.policy(f)
	if !ok {
		v.report.fault(folder, -1, Unknown, "the roster knows no such feed")
		return nil
	}
	c, err := v.point(ctx, v.src, folder, p.Origin)
	if err != nil {
		v.report.fault(folder, -1, Checkpoint, err.Error())
		return nil
	}
	v.trust(folder, p, c)
	if size := uint64(c.Head.Size); ended && size != last {
		v.report.fault(folder, int64(min(size, last)), Epoch, fmt.Sprintf("the feed has ended with %d entries, here are %d", last, size))
	}
	if f.Epoch > 1 && !slices.Contains(before, listed{f.Siren, f.Epoch - 1}) && v.starts[f].size > 0 {
		v.report.fault(folder, 0, Epoch, fmt.Sprintf("the feed of epoch %d, which this one continues, is missing", f.Epoch-1))
	}
	out := FeedReport{Siren: f.Siren, Name: v.names[f.Siren], Epoch: f.Epoch, Kinds: map[public.Kind]int64{}, Witnesses: len(p.Cosignatures(c))}
	for _, w := range p.Cosignatures(c) {
		if out.Witnessed.IsZero() || w.At.Before(out.Witnessed) {
			out.Witnessed = w.At
		}
	}
	s := v.scan(folder, c.Head.Size)
	s.check = speaker{f, v.roles[f.Siren] == roster.Coordinator, v.words}.check
	s.take = func(seq int64, _ []byte, e said) error {
		out.Entries++
		v.report.Entries++
		if v.o.Progress != nil && v.report.Entries%10_000 == 0 {
			v.o.Progress(v.report.Entries)
		}
		if e.code != "" {
			return nil
		}
		out.Kinds[e.kind]++
		if out.First == 0 {
			out.First = e.day
		}
		out.Last = e.day
		if e.release == nil {
			return nil
		}
		after, err := v.spent[f.Siren].Follow(*e.release)
		if err != nil {
			v.report.fault(folder, seq, Budget, err.Error())
			return nil
		}
		v.spent[f.Siren] = after
		return nil
	}
	head, whole, err := s.run(ctx)
	if err != nil {
		return err
	}
	if whole && head != c.Head {
		v.report.fault(folder, -1, Root, feed.ErrRoot.Error())
	}
	if next, follows := v.starts[listed{f.Siren, f.Epoch + 1}]; follows && whole && next.size == uint64(head.Size) && next.size > 0 && next.root != head.Root {
		v.report.fault(folder, -1, Epoch, "the next epoch continues another feed than this one")
	}
	out.Root = head.Root
	v.report.Feeds = append(v.report.Feeds, out)
	if whole {
		v.checked[folder] = mark{head: head, policy: p}
	}
	return nil
}

// policy of a feed that goes on, or of one that has ended after so many entries.
func (v *verifier) policy(f listed) (p feed.Policy, ended bool, last uint64, ok bool) {
	if p, ok := v.state.Policy(f.Siren, f.Epoch); ok {
		return p, false, 0, true
	}
	p, last, ok = v.state.Ended(f.Siren, f.Epoch)
	return p, true, last, ok
}

// trust checks whose word a checkpoint is.
func (v *verifier) trust(folder string, p feed.Policy, c feed.Checkpoint) {
	if p.Quorate(c) != nil {
		v.report.fault(folder, -1, Quorum, feed.ErrQuorum.Error())
	}
	if len(p.Cosignatures(c)) < max(p.Threshold, 1) {
		v.report.fault(folder, -1, Witness, feed.ErrWitness.Error())
	}
	v.signatures(folder, p, c)
}

// strangers reports files that are no part of what was checked.
func (v *verifier) strangers(ctx context.Context, listOK bool) error {
	there, err := v.src.List(ctx)
	if err != nil {
		return fmt.Errorf("listing %s: %w", v.src, err)
	}
	v.report.Listed = there != nil
	if there == nil || !listOK || v.state == nil {
		return nil
	}
	ours := map[string]bool{fileFeeds: true}
	for folder, m := range v.checked {
		for _, path := range files(folder, m.head.Size) {
			ours[path] = true
		}
	}
	for _, path := range there {
		if !ours[path] && !v.faulty(path) {
			v.report.fault(path, -1, Foreign, "this file is no part of the ledger")
		}
	}
	return nil
}

// faulty reports whether a file is in the folder of a feed that could not be checked
// to its end, which has been said.
func (v *verifier) faulty(path string) bool {
	return slices.ContainsFunc(v.report.Faults, func(f Fault) bool {
		return f.Feed != "" && len(path) > len(f.Feed) && path[:len(f.Feed)+1] == f.Feed+"/"
	})
}

// against holds a copy of somebody else's against what was checked.
func (v *verifier) against(ctx context.Context, other Source) error {
	raw, err := other.Read(ctx, fileFeeds, maxList)
	if err != nil {
		return fmt.Errorf("%s holds no ledger: %w", other, err)
	}
	theirs, ok := parseList(raw)
	if !ok {
		v.report.fault(other.String(), -1, BadCopy, "its list of feeds is not in its one form")
		return nil
	}
	done := Compared{Source: other.String()}
	folders := []string{rosterFolder}
	for _, f := range theirs {
		if _, here := v.checked[f.folder()]; here {
			folders = append(folders, f.folder())
			done.Feeds++
		} else if _, known := v.roles[f.Siren]; known && slices.ContainsFunc(v.report.Feeds, func(r FeedReport) bool { return r.Siren == f.Siren }) {
			v.report.fault(f.folder(), 0, Withheld, fmt.Sprintf("%s has this feed, the ledger has not", other))
		}
	}
	if done.Feeds == 0 {
		v.report.fault(other.String(), -1, BadCopy, "it has no feed of this ledger")
	}
	for _, folder := range folders {
		m, here := v.checked[folder]
		if !here {
			continue
		}
		n, err := v.same(ctx, other, folder, m)
		if err != nil {
			return err
		}
		if !m.roster {
			done.Entries += n
		}
	}
	v.report.Compared = append(v.report.Compared, done)
	return nil
}

// same compares a feed with a copy of it and returns how many entries are the same.
func (v *verifier) same(ctx context.Context, other Source, folder string, m mark) (int64, error) {
	c, err := v.point(ctx, other, folder, m.policy.Origin)
	if err == nil && !m.roster {
		err = m.policy.Settled(c)
	}
	if err == nil && m.roster && len(m.policy.Cosignatures(c)) < m.policy.Threshold {
		err = feed.ErrWitness
	}
	if err != nil {
		v.report.fault(folder, -1, BadCopy, fmt.Sprintf("the copy of %s proves nothing: %v", other, err))
		return 0, nil
	}
	both := min(c.Head.Size, m.head.Size)
	for from := int64(0); from < both; from += feed.TileWidth {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		ours, err1 := bundle(ctx, v.src, folder, from, m.head.Size)
		their, err2 := bundle(ctx, other, folder, from, c.Head.Size)
		if err1 != nil || err2 != nil {
			v.report.fault(folder, from, BadCopy, fmt.Sprintf("the copy of %s can not be compared from here on", other))
			return from, nil
		}
		for i := range min(both-from, feed.TileWidth) {
			if !bytes.Equal(ours[i], their[i]) {
				v.report.fault(folder, from+i, Differs, fmt.Sprintf("%s holds another entry: one of both is not what was said", other))
				return from + i, nil
			}
		}
	}
	switch {
	case c.Head.Size > m.head.Size:
		v.report.fault(folder, m.head.Size, Withheld, fmt.Sprintf("%s has %d entries, the ledger %d: take both anew, the ledger last", other, c.Head.Size, m.head.Size))
	case c.Head.Size == m.head.Size && c.Head != m.head:
		v.report.fault(folder, -1, Differs, fmt.Sprintf("%s has a signed checkpoint of another root", other))
	}
	return both, nil
}

// bundle reads one bundle of a feed of some size.
func bundle(ctx context.Context, src Source, folder string, from, size int64) ([][]byte, error) {
	n := min(size-from, feed.TileWidth)
	b, err := src.Read(ctx, folder+"/"+feed.TilePath(-1, from/feed.TileWidth, int(n)), maxBundle)
	if err != nil {
		return nil, err
	}
	entries, err := feed.ParseBundle(b)
	if err == nil && int64(len(entries)) != n {
		err = feed.ErrGap
	}
	return entries, err
}
