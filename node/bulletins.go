package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	federated "github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/notice"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
)

// Bulletins are the coordinator's messages to all territories: published on its own
// node, read on every other one. Nothing goes back: a territory has no words to
// answer with.
type Bulletins struct{ *core }

// Bounds of a bulletin.
const (
	LongestTitle    = bulletin.MaxTitle // characters
	LongestBulletin = bulletin.MaxText  // bytes
	LargestPDF      = bulletin.MaxPDF   // bytes
)

// Bulletin is one message.
type Bulletin struct {
	Number uint32 // from 1
	Day    public.Day
	Title  string
	Text   string // plain; lines end with a line feed
	Size   uint32 // of its PDF in bytes, or 0 without one
	Whole  bool   // every piece of the PDF is here
}

// BulletinDraft is what the coordinator is about to say.
type BulletinDraft struct {
	Title, Text string
	PDF         []byte // or nil
}

// List is all bulletins, the newest first.
func (s *Bulletins) List(by Caller) (out []Bulletin, err error) {
	if err := by.may(ReadBulletins); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		return store.Notices.Each(tx, nil, func(n notice.Notice) bool {
			out = append(out, Bulletin{Number: n.Number, Day: n.Day, Title: n.Title, Text: n.Text, Size: n.Size})
			return true
		})
	})
	slices.Reverse(out) // numbers sort
	return out, err
}

// Get is one bulletin.
func (s *Bulletins) Get(by Caller, number uint32) (Bulletin, error) {
	n, pieces, err := s.read(by, number)
	if err != nil {
		return Bulletin{}, err
	}
	return Bulletin{n.Number, n.Day, n.Title, n.Text, n.Size, n.Size > 0 && len(pieces) == bulletin.Pieces(n.Size)}, nil
}

// PDF is the file of a bulletin: the very bytes that the coordinator signed.
func (s *Bulletins) PDF(by Caller, number uint32) ([]byte, error) {
	n, pieces, err := s.read(by, number)
	if err != nil {
		return nil, err
	}
	pdf, err := bulletin.Join(n.Bulletin(), pieces)
	if err != nil {
		return nil, &Error{Kind: NotFound, Code: "no-pdf", Reason: "this bulletin has no PDF, or not all of it has arrived yet"}
	}
	return pdf, nil
}

func (s *Bulletins) read(by Caller, number uint32) (n notice.Notice, pieces [][]byte, err error) {
	if err := by.may(ReadBulletins); err != nil {
		return n, nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		if n, ok, err = store.Notices.Get(tx, notice.Key(number)); err != nil || !ok {
			return either(err, &Error{Kind: NotFound, Code: "no-bulletin", Reason: "no such bulletin"})
		}
		for i := range bulletin.Pieces(n.Size) {
			p, ok, err := store.NoticePieces.Get(tx, notice.PieceKey(n.PDF, uint16(i)))
			if err != nil || !ok {
				return err
			}
			pieces = append(pieces, p.Bytes)
		}
		return nil
	})
	return n, pieces, err
}

// Check puts a draft into the form in which it is published, or says which field
// does not fit. Nothing is written.
func (s *Bulletins) Check(by Caller, d *BulletinDraft) error {
	if err := by.may(PublishBulletins); err != nil {
		return err
	}
	if !s.Coordinating() {
		return refused(refuse.NotCoordinator, RequestID{})
	}
	d.Title, d.Text = tidyLines(d.Title), tidyLines(d.Text)
	switch {
	case d.Title == "":
		return invalid("title", "missing", "a bulletin has a title")
	case d.Text == "":
		return invalid("text", "missing", "a bulletin has a text")
	case bulletin.CheckTitle(d.Title) != nil:
		return invalid("title", "bulletin-title", bulletin.ErrTitle.Error())
	case bulletin.CheckText(d.Text) != nil:
		return invalid("text", "bulletin-text", bulletin.ErrText.Error())
	case d.PDF != nil && bulletin.CheckPDF(d.PDF) != nil:
		return invalid("pdf", "bulletin-pdf", bulletin.ErrPDF.Error())
	}
	return nil
}

// Publish says it to every territory, for ever: a bulletin is corrected by another
// one, never taken back.
func (s *Bulletins) Publish(ctx context.Context, by Caller, d BulletinDraft) (number uint32, err error) {
	if err := s.Check(by, &d); err != nil {
		return 0, err
	}
	b := bulletin.Bulletin{Title: d.Title, Text: d.Text}
	if d.PDF != nil {
		var pieces []bulletin.Piece
		if b.PDF, pieces, err = bulletin.Split(d.PDF); err != nil {
			return 0, invalid("pdf", "bulletin-pdf", err.Error())
		}
		b.Size = uint32(len(d.PDF))
		if err := s.add(ctx, by, pieces); err != nil {
			return 0, err
		}
	}
	r, err := s.say(ctx, func(e bulletin.Entry) (command.Command, error) {
		if b.Number, err = s.nextNumber(); err != nil {
			return nil, err
		}
		e.Body = b
		entry, err := bulletin.Encode(e)
		return command.PublishBulletin{Stamp: s.stamp(by, ""), Entry: entry}, err
	})
	return r.Version, err
}

// add appends the pieces that are not there yet, as many at once as one command
// holds.
func (s *Bulletins) add(ctx context.Context, by Caller, pieces []bulletin.Piece) error {
	by.Key = "" // the key is the bulletin's
	const together = 4
	for len(pieces) > 0 {
		var missing []bulletin.Piece
		err := s.view(by, func(tx *store.Tx) error {
			for len(pieces) > 0 && len(missing) < together {
				_, there, err := store.NoticePieces.Get(tx, notice.PieceKey(pieces[0].PDF, pieces[0].Index))
				if err != nil {
					return err
				}
				if !there {
					missing = append(missing, pieces[0])
				}
				pieces = pieces[1:]
			}
			return nil
		})
		if err != nil || len(missing) == 0 {
			return err
		}
		_, err = s.say(ctx, func(e bulletin.Entry) (command.Command, error) {
			c := command.AddPieces{Stamp: s.stamp(by, "")}
			for i, p := range missing {
				at := e
				at.Seq, at.Body = e.Seq+uint64(i), p
				entry, err := bulletin.Encode(at)
				if err != nil {
					return nil, err
				}
				c.Entries = append(c.Entries, entry)
			}
			return c, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// say proposes what make gives for the end of the feed, and again when the feed has
// grown meanwhile.
func (s *Bulletins) say(ctx context.Context, make func(bulletin.Entry) (command.Command, error)) (r Receipt, err error) {
	for range sayTries {
		at, err2 := s.nextEntry(nil)
		if err2 != nil {
			return r, explain(err2)
		}
		c, err2 := make(bulletin.Entry{From: at.From, Epoch: at.Epoch, Seq: at.Seq, Day: at.Day})
		if err2 != nil {
			return r, explain(err2)
		}
		r, err = s.do(ctx, c)
		var no refusal
		if !errors.As(err, &no) || no.reason != refuse.StaleFeed && no.reason != refuse.StaleBulletin {
			break
		}
	}
	return finish(r, err)
}

func (s *Bulletins) nextNumber() (number uint32, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Notices.Each(tx, nil, func(n notice.Notice) bool {
			number = n.Number // numbers sort
			return true
		})
	})
	return number + 1, err
}

// Read is how far the coordinator's feed was taken in here: the first entry of the
// epoch that was not.
func (s *Bulletins) reading() (r notice.Reading, err error) {
	err = s.view(itself, func(tx *store.Tx) (err error) {
		r, _, err = store.Readings.Get(tx, []byte{0})
		return err
	})
	return r, err
}

// errBulletinGap says that settled entries of the coordinator's feed were left out.
var errBulletinGap = errors.New("node: entries of the coordinator's feed before these were not taken in")

// takeTogether is how many bytes of entries go into one command.
const takeTogether = 56 << 10

// Settled takes in entries of the coordinator's feed that count, those from place
// from on. What is known already is skipped; what is no bulletin is passed over. On
// the leader alone, and never on the coordinator's own node. errBulletinGap when
// entries before from were not taken in.
func (s *Bulletins) settled(ctx context.Context, coordinator public.Siren, epoch uint16, from int64, entries [][]byte) error {
	had, err := s.reading()
	if err != nil || s.Coordinating() {
		return err
	}
	next := uint64(0)
	switch {
	case had.From == coordinator && epoch < had.Epoch:
		return nil
	case had.From == coordinator && epoch == had.Epoch:
		next = had.Next
	}
	if uint64(from) > next {
		return errBulletinGap
	}
	entries = entries[min(next-uint64(from), uint64(len(entries))):]
	for len(entries) > 0 {
		c := command.TakeBulletins{Stamp: s.own(), Coordinator: coordinator, Epoch: epoch, From: next, To: next}
		for size := 0; len(entries) > 0; entries = entries[1:] {
			_, err := bulletin.Decode(entries[0], coordinator)
			switch {
			case errors.Is(err, public.ErrKind): // said as any territory may
			case err != nil:
				return fmt.Errorf("node: entry %d of the coordinator's feed: %w", c.To, err)
			default:
				size += len(entries[0])
			}
			if size > takeTogether {
				break
			}
			if err == nil {
				c.Entries = append(c.Entries, entries[0])
			}
			c.To++
		}
		if _, err := s.propose(ctx, c); err != nil {
			return err
		}
		next = c.To
	}
	return nil
}

// Coordinating reports whether this is the national coordinator's node, where there
// are no people.
func (c *core) Coordinating() bool {
	t, err := c.territory()
	return err == nil && t.Role == territory.RoleCoordinator
}

// Coordinating reports whether this is the national coordinator's node, where there
// are no people.
func (n *Node) Coordinating() bool { return n.core.Coordinating() }

// tidyLines gives lines the end that a bulletin's have, and takes blanks away at the
// ends.
func tidyLines(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"))
}

// ear takes in what the coordinator is heard to say, in its own time: whoever tells
// it must not wait. Safe for concurrent use.
type ear struct {
	*Bulletins
	wake chan struct{}

	mu      sync.Mutex // guards what follows, for a look
	waiting []utterance
	since   time.Time // what waits first could not be recorded since then; zero: it could
}

// utterance is entries of the coordinator's feed.
type utterance struct {
	from    public.Siren
	epoch   uint16
	at      int64
	entries [][]byte
}

func newEar(s *Bulletins) *ear { return &ear{Bulletins: s, wake: make(chan struct{}, 1)} }

// begin drops what waits: everything is heard again from its first entry on.
func (s *ear) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting, s.since = nil, time.Time{}
}

func (s *ear) end() { s.begin() }

// failing is since when what the coordinator says can not be recorded; zero: it can.
func (s *ear) failing() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since
}

func (s *ear) heard(siren public.Siren, epoch uint16, from int64, entries [][]byte) {
	state := s.federating.rosters.State()
	if state == nil {
		return
	}
	if m, ok := state.Member(siren); !ok || m.Role != federated.Coordinator {
		return
	}
	s.mu.Lock()
	s.waiting = append(s.waiting, utterance{siren, epoch, from, entries})
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// keep takes in what waits until ctx ends. What could not be recorded is tried again
// at every look, and is said once.
func (s *ear) keep(ctx context.Context) {
	again := every(s.cfg.Pace.look)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-again.C:
		}
		for {
			u, ok := s.first()
			if !ok {
				break
			}
			if err := s.settled(ctx, u.from, u.epoch, u.at, u.entries); err != nil {
				if s.failed() && ctx.Err() == nil {
					s.cfg.Logger.Warn("taking in the coordinator's bulletins", errAttr(err))
				}
				break
			}
			s.done(u)
		}
	}
}

// first of what waits.
func (s *ear) first() (u utterance, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return u, false
	}
	return s.waiting[0], true
}

// failed notes that the first could not be recorded, and reports whether that is new.
func (s *ear) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 || !s.since.IsZero() {
		return false // forgotten meanwhile, or said
	}
	s.since = s.now()
	return true
}

// done forgets what was recorded.
func (s *ear) done(u utterance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = time.Time{}
	if len(s.waiting) > 0 && s.waiting[0].at == u.at && s.waiting[0].epoch == u.epoch {
		s.waiting = s.waiting[1:]
	}
}
