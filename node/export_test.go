package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/store"
)

// TestOnlyTries is how many limiters the throttle holds.
func (s *Entrance) TestOnlyTries() int {
	s.throttle.mu.Lock()
	defer s.throttle.mu.Unlock()
	return len(s.throttle.tries)
}

// Recur is what the ticker does for series.
func (n *Node) Recur(ctx context.Context) error { return n.Series.recurAll(ctx) }

// PassOffers does what the ticker does every ten minutes.
func (n *Node) PassOffers() error { return n.Offers.pass(context.Background()) }

// Hurry lets replicas look after each other a hundred times as often as they do
// in a territory: nobody waits for seconds in a test.
func Hurry(cfg *Config) { cfg.Pace.look = 20 * time.Millisecond }

// Crash ends a node as a power cut does for the others: nothing leaves it any
// more, so that leadership is lost and not handed over.
func (n *Node) Crash() {
	if n.core.peers != nil {
		n.core.peers.mesh.Close()
	}
	n.Close()
}

// Older lets a replica announce level 1, as an older program does.
func Older(cfg *Config) { cfg.level = 1 }

// Newer takes that back: the program was replaced.
func Newer(cfg *Config) { cfg.level = 0 }

// EraseDue does what the ticker does every ten minutes.
func (n *Node) EraseDue(ctx context.Context) error { return n.Erasures.due(ctx) }

// FirstEntry is where the log of this replica begins.
func (n *Node) FirstEntry() uint64 { return n.core.replica.Stats().First }

// LastEntry is where it ends.
func (n *Node) LastEntry() uint64 { return n.core.replica.Stats().Last }

// ListensAt is the port behind a replica's line.
func (n *Node) ListensAt() string { return n.core.cfg.Peering.Listener.Addr().String() }

// TokenAt is a token that leads elsewhere.
func TokenAt(s Secret, addresses ...string) Secret {
	return altered(s, func(t *token) { t.Addresses = addresses })
}

// TokenWithout is a token whose secret was guessed.
func TokenWithout(s Secret) Secret {
	return altered(s, func(t *token) { t.Secret = make([]byte, 32) })
}

func altered(s Secret, change func(*token)) Secret {
	t, err := parseToken(s)
	if err != nil {
		panic(err)
	}
	change(&t)
	return must(t.text())
}

// Lent is how many other replicas hold the lock of this one's box.
func (n *Node) Lent() int {
	l := n.core.peers.lending
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spoilt {
		return -1
	}
	return len(l.with)
}

// LastSeen makes another replica's absence begin d ago, as far as this one knows.
func (n *Node) LastSeen(id ReplicaID, d time.Duration) {
	l := n.core.peers.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[id] = systemClock().Add(-d)
}

// HeldLocks are the locks that this replica holds for others.
func (n *Node) HeldLocks() (out [][]byte) {
	l := n.core.peers.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.held {
		out = append(out, h.newest.Reveal())
		if !h.sure.Zero() && h.sure.ID() != h.newest.ID() {
			out = append(out, h.sure.Reveal())
		}
	}
	return out
}

// Ring is what the leader notes when somebody asks for a replica's key from an IP
// address; Unring is when all of them have been silent for long.
func (n *Node) Ring(id ReplicaID, from string) {
	n.core.peers.locks.ring(id, from, n.core.clock(), systemClock())
}

func (n *Node) Unring(id ReplicaID) {
	l := n.core.peers.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wishes, id)
}

// LookAfter is what the ticker does for the disk.
func (n *Node) LookAfter(ctx context.Context) error { return (&upkeep{core: n.core}).round(ctx) }

// SaveVault writes the vault as it is.
func (n *Node) SaveVault() error {
	return n.core.keeper.change(func(*crypto.Vault) error { return nil })
}

// SayPresence does what the ticker does once a month.
func (n *Node) SayPresence(ctx context.Context) error { return n.core.presence(ctx) }

// Say adds an entry to the feed, with no more ceremony than a command has.
func (n *Node) Say(ctx context.Context) error {
	_, err := n.core.proposeEntry(ctx, public.Presence{}, func(entry []byte) command.Command {
		return command.Say{Stamp: n.core.own(), Entry: entry}
	})
	return err
}

// Quorate is the feed's head with a majority's signatures, or why there is none.
func (n *Node) Quorate(ctx context.Context) (feed.Checkpoint, error) {
	return n.core.federating.own.Checkpoint(ctx)
}

// Begins registers what is told when this replica begins to lead, and when it ends to.
func (n *Node) Begins(f func(leads bool)) { n.core.federating.listen(beginner(f)) }

type beginner func(bool)

func (b beginner) begin()                                    { b(true) }
func (b beginner) end()                                      { b(false) }
func (beginner) heard(public.Siren, uint16, int64, [][]byte) {}

// TellListeners does what happens when this replica does not lead any more.
func (n *Node) TellListeners() { n.core.federating.each(listener.end) }

// SayRelease adds a quarter's figures to the feed, with no more ceremony than a command
// has.
func (n *Node) SayRelease(ctx context.Context) error {
	f, err := said{n.core}.newest()
	if err != nil {
		return err
	}
	receipt, err := f.Spent.Charge(public.CatalogueVersion, 20)
	if err != nil {
		return err
	}
	r, err := receipt.Release(make([]int32, public.Cells(public.CatalogueVersion)))
	if err != nil {
		return err
	}
	_, err = n.core.proposeEntry(ctx, r, func(entry []byte) command.Command {
		return command.TakeBack{Stamp: n.core.own(), Entries: [][]byte{entry}}
	})
	return err
}

// SignHead asks this replica, as a leader would, for its signature over any head.
func (n *Node) SignHead(ctx context.Context, origin string, h feed.Head) error {
	_, err := n.core.federating.cosigning.sign(ctx, signMessage{Origin: origin, Size: h.Size, Root: h.Root})
	return err
}

// FederationDir is where a replica keeps what it has signed.
func FederationDir(cfg Config) string { return federationDir(cfg) }

// Federate makes the territory a member of a federation, which has said nothing.
func (n *Node) Federate(ctx context.Context, by Caller) error {
	_, err := n.core.propose(ctx, command.JoinFederation{Stamp: n.core.stamp(by, ""), Genesis: [32]byte{1}})
	n.Across.hearsay.begin()
	return err
}

// Neighbours are the offices on the roster.
func (n *Node) Neighbours(o map[public.Siren]Office) { n.Across.offices = officesOf(o) }

type officesOf map[public.Siren]Office

func (o officesOf) Office(s public.Siren) (Office, bool) { c, ok := o[s]; return c, ok }

// Heard hands over what another territory has said, from a place in its feed on.
func (n *Node) HeardNeighbour(siren public.Siren, from int64, entries [][]byte) {
	n.Across.hearsay.heard(siren, 1, from, entries)
}

// Said is the territory's feed.
func (n *Node) Said() (out [][]byte, err error) {
	err = n.core.store.View(func(tx *store.Tx) error {
		return store.Leaves.Each(tx, nil, func(l egress.Leaf) bool { out = append(out, l.Bytes); return true })
	})
	return out, err
}

// CrossDue does what the ticker does every ten minutes.
func (n *Node) CrossDue(ctx context.Context) error { return crossingsDue{n.Across}.propose(ctx) }

// Counted is what stands in the counters of this month.
func (n *Node) Counted(i public.Indicator) (sum uint64) {
	now := n.Now()
	err := n.core.store.View(func(tx *store.Tx) error {
		return tx.EachCounter(public.MonthOf(now.Year(), int(now.Month())), func(c public.Cell, k uint64) {
			if c.Indicator == i {
				sum += k
			}
		})
	})
	if err != nil {
		panic(err)
	}
	return sum
}

// Forged is what is otherwise in a file of dossiers than its giver writes it. Zero
// fields stay as they are.
type Forged struct {
	Giver, Receiver public.Siren
	Roster          uint64
	Genesis         [32]byte
	Communes        []string
	Lives           string
	People          uint32 // that the head announces
	Copies          int    // of everybody
	Seed            [32]byte
}

// Forge writes such a file for whoever shows the recipient.
func (n *Node) Forge(by Caller, version uint64, recipient string, f Forged) ([]byte, error) {
	s := n.Handovers
	to, recipients, err := moving{s.core}.addressee(recipient)
	if err != nil {
		return nil, err
	}
	m, err := moving{s.core}.move(version, 200044394, 200069599)
	if err != nil {
		return nil, err
	}
	all, _, err := s.dossiers(itself, m.communes)
	if err != nil {
		return nil, err
	}
	all = slices.Repeat(all, max(1, f.Copies))
	head := dossierHead{Form: dossierForm, Genesis: to.Genesis, Giver: m.giver, Receiver: m.receiver, Roster: m.roster, Communes: m.communes, People: uint32(len(all)), Day: public.DayOf(n.Now())}
	seed := moving{s.core}.dossierSeed()
	if f.Giver != 0 {
		head.Giver = f.Giver
	}
	if f.Receiver != 0 {
		head.Receiver = f.Receiver
	}
	if f.Roster != 0 {
		head.Roster = f.Roster
	}
	if f.Genesis != [32]byte{} {
		head.Genesis = f.Genesis
	}
	if f.Communes != nil {
		head.Communes = f.Communes
	}
	if f.Lives != "" {
		all[0].Commune = f.Lives
	}
	if f.Seed != [32]byte{} {
		seed = f.Seed
	}
	if f.People == 0 {
		return writeDossiers(head, all, recipients, crypto.SeededSigner(seed))
	}
	var file bytes.Buffer
	w, err := crypto.Encrypt(&file, recipients, crypto.SeededSigner(seed))
	if err != nil {
		return nil, err
	}
	d := &dossierWriter{w: w, sum: sha256.New()}
	head.People = f.People
	for _, v := range []any{head, all[0], dossierEnd{People: f.People}} {
		if err := d.put(v); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return file.Bytes(), err
}

// ReadsDossiers checks a file as an import does, and takes nothing in.
func (n *Node) ReadsDossiers(file []byte) (people int, err error) {
	_, rows, err := n.Handovers.read(file)
	return len(rows), err
}

// ForgedRecipient is a recipient with another key in it, under the old signature.
func ForgedRecipient(text string) string {
	b, _ := pem.Decode([]byte(text))
	var a addressee
	if err := dossierDecoding.Unmarshal(b.Bytes, &a); err != nil {
		panic(err)
	}
	_, a.Recipient, _ = crypto.DerivedIdentity(crypto.NewKey())
	return a.String()
}

// RootAt is what an epoch of the feed led to when it had so many entries.
func (n *Node) RootAt(epoch uint16, size int) ([32]byte, error) {
	h, err := said{n.core}.head(epoch, int64(size))
	return h.Root, err
}

// FillDisk makes the disk seem full, and nothing is written; or not full any more.
func (n *Node) FillDisk(full bool) {
	h := n.core.health
	h.checked.Store(0)
	if full {
		h.checked.Store(math.MaxInt64) // it is not looked at again
	}
	h.full.Store(full)
}

// RecordRoster puts an entry into the record as a newer program would, which can
// read it.
func (n *Node) RecordRoster(ctx context.Context, entry []byte) error {
	m, err := n.core.membership()
	if err == nil {
		err = n.core.federating.rosters.record(ctx, m, [][]byte{entry})
	}
	return err
}

// Compared reports whether a replica that began at an instant may sign after it has
// heard one checkpoint.
func Compared(began time.Time, p feed.Policy, point feed.Checkpoint, now time.Time) bool {
	c := comparison{since: began}
	c.note(p, point, now)
	return c.compared(p, now, func(feed.Head) error { return nil }) == nil
}

// Showed tells the caller's reading of people, as opening their boxes does.
func (c Caller) Showed(who ...Subject) Caller {
	c.reading = &Reading{}
	for _, s := range who {
		c.reading.saw(s)
	}
	return c
}

// BringNotes does what each replica does twice a second.
func (n *Node) BringNotes(ctx context.Context) error {
	_, err := n.Journal.notes.bring(ctx)
	return err
}

// WaitingNotes is how many notes are not in the territory's record yet.
func (n *Node) WaitingNotes() uint64 {
	chain, err := n.Journal.notes.chain()
	if err != nil {
		panic(err)
	}
	return n.Journal.notes.file.next() - chain.Next
}

// SignJournal and JournalDue do what the leader's ticker does every ten minutes.
func (n *Node) SignJournal(ctx context.Context) error { return n.Journal.heads.due(ctx) }
func (n *Node) JournalDue(ctx context.Context) error  { return journaling{n.core}.due(ctx) }

// AlterJournal does to the stored journal what somebody could who holds this replica's
// keys.
func (n *Node) AlterJournal(f func(tx *store.Tx)) error {
	return n.core.store.Update(func(tx *store.Tx) error { f(tx); return tx.Err() })
}

// SignJournalHead asks this replica alone to sign a head.
func (n *Node) SignJournalHead(ctx context.Context, size int64, root [32]byte) error {
	_, err := n.Journal.heads.sign(ctx, headMessage{Size: size, Root: root})
	return err
}

// JournalRoot is the root of the first entries of the journal's tree here.
func (n *Node) JournalRoot(size int64) [32]byte {
	root, err := n.Journal.heads.root(size)
	if err != nil {
		panic(err)
	}
	return root
}

// NoteFile is a file of notes by itself.
type NoteFile struct{ *journalFile }

// OpenNoteFile opens one.
func OpenNoteFile(dir string, key crypto.Key, next uint64) (NoteFile, bool, error) {
	f, found, err := openJournalFile(dir, key, "a replica", next)
	return NoteFile{f}, found, err
}

func (f NoteFile) Note(b []byte) error                          { return f.note(b) }
func (f NoteFile) Next() uint64                                 { return f.next() }
func (f NoteFile) Read(from uint64, most int) ([][]byte, error) { return f.read(from, most) }
func (f NoteFile) Trim(before uint64) error                     { return f.trim(before) }
func (f NoteFile) Close() error                                 { return f.close() }

// Unheard reports whether this replica hears no leader.
func (n *Node) Unheard() bool { return n.Journal.notes.unheard() }

// BreakNotes lets the disk of the notes fail.
func (n *Node) BreakNotes() {
	f := n.Journal.notes.file
	f.disk.Lock()
	defer f.disk.Unlock()
	f.broken = syscall.EIO
}

// FillJournal puts entries into the record, as the machine would, thousands at once.
func (n *Node) FillJournal(count int) {
	j := journaling{n.core}
	if err := j.months(context.Background()); err != nil {
		panic(err)
	}
	keys := monthKeys{core: n.core}
	month := journal.MonthOf(n.core.clock())
	key, err := keys.key(month)
	if err != nil {
		panic(err)
	}
	who := journal.Name(make([]journal.Person, 3))
	for done := 0; done < count; {
		err := n.core.store.Update(func(tx *store.Tx) error {
			book, _, err := store.JournalBooks.Get(tx, theBook)
			chain := book.Of(n.core.self)
			for i := 0; i < 2000 && done < count && err == nil; i++ {
				plain := must(boxEncoding.Marshal(journal.Body{Kind: journal.Shown, At: n.core.clock(), Screen: "GET /people", Who: who}))
				var e journal.Entry
				book, chain, e, err = book.Append(chain, journal.Sealed{Month: month, Box: key.Seal(plain, entryPlace(n.core.siren, chain.Replica, chain.Next))}, journal.Hashes(func(index uint64) (journal.Entry, bool, error) {
					return store.JournalEntries.Get(tx, journal.IndexKey(index))
				}))
				store.JournalEntries.Put(tx, e)
				done++
			}
			store.JournalBooks.Put(tx, book.With(chain))
			return err
		})
		if err != nil {
			panic(err)
		}
	}
}

// Compared is how many passwords were compared with a hash.
func (s *Entrance) Compared() uint64 { return s.compared.Load() }

// CountMisses does what the ticker does every ten minutes.
func (n *Node) CountMisses(ctx context.Context) error { return n.Entrance.count(ctx) }
