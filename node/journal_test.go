package node_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/store"
)

// dpo is somebody who reads the journal.
func dpo() node.Caller {
	return node.Caller{Account: node.AccountID{0xdd}, Roles: node.RoleDPO}.Showed()
}

func her(id node.BeneficiaryID) node.Subject { return node.SubjectOf(node.SubjectBeneficiary, id) }

// recorded waits until everything that was noted on n is in the record.
func recorded(tb testing.TB, n *node.Node) {
	tb.Helper()
	until(tb, "the notes are in the record", func() bool {
		n.BringNotes(tb.Context())
		return n.WaitingNotes() == 0
	})
}

// journalOf is the whole journal, newest first.
func journalOf(tb testing.TB, n *node.Node) []node.JournalEntry {
	tb.Helper()
	out, _, err := n.Journal.List(dpo(), node.JournalFilter{Limit: 1000})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// show notes what an answer shows.
func show(tb testing.TB, n *node.Node, by node.Caller, on node.Screen, who ...node.Subject) {
	tb.Helper()
	if err := n.Journal.Note(by.Showed(who...), on); err != nil {
		tb.Fatal(err)
	}
}

func dossier(id node.BeneficiaryID) node.Screen {
	return node.Screen{Route: "GET /people/:id", Dossier: her(id)}
}

// TestJournalTells: who, under which role, whom, on which screen, why and when; once,
// and only the data protection officer reads it.
func TestJournalTells(t *testing.T) {
	town := newTown(t)
	rose, luce := town.enrol("Lambert"), town.enrol("Faure")
	by := town.admin.Showed(her(rose), her(luce))
	list := node.Screen{Route: "GET /people"}
	town.must(town.Journal.Note(by, list))
	town.must(town.Journal.Note(by, list)) // nothing more was shown
	recorded(t, town.Node)
	all := journalOf(t, town.Node)
	if len(all) != 1 {
		t.Fatalf("%d entries: %+v", len(all), all)
	}
	e := all[0]
	if e.By != town.admin.Account || e.Role != town.admin.Roles || e.Purpose != node.ForList || e.Screen != "GET /people" ||
		!slices.Equal(e.Who, []node.Subject{her(rose), her(luce)}) || e.At.Time().UTC() != town.clock() || e.Alone || e.Kind != "shown" {
		t.Errorf("%+v", e)
	}
	if of, err := town.Journal.Of(dpo(), her(luce)); err != nil || len(of) != 1 {
		t.Errorf("%d answers have shown her, %v", len(of), err)
	}
	if of, err := town.Journal.ByAccount(dpo(), node.AccountID{1}); err != nil || len(of) != 0 {
		t.Errorf("%d answers to nobody, %v", len(of), err)
	}
	for name, by := range map[string]node.Caller{"an administrator": town.admin, "nobody": {}} {
		if _, err := town.Journal.Of(by, her(luce)); err == nil {
			t.Errorf("%s reads the journal", name)
		}
		if _, err := town.Journal.Verify(t.Context(), by); err == nil {
			t.Errorf("%s checks the journal", name)
		}
	}
	nobody := town.admin.Showed()
	town.must(town.Journal.Note(nobody, list))
	recorded(t, town.Node)
	if n := len(journalOf(t, town.Node)); n != 1 {
		t.Errorf("an answer that shows nobody makes %d entries", n-1)
	}
}

// TestJournalPurpose: what is open about somebody, or was done by the same account,
// explains that her dossier is opened; else it is what was said, and who is asked once
// is not asked again within the hour.
func TestJournalPurpose(t *testing.T) {
	town := newTown(t)
	rose := town.enrol("Lambert")
	why := func() (node.JournalPurpose, node.RequestID) {
		t.Helper()
		w, open, err := town.Journal.Explains(town.admin, her(rose))
		town.must(err)
		return w, open
	}
	if w, _ := why(); w != node.ForWork {
		t.Errorf("just enrolled by the same account: %q", w)
	}
	town.wait(25 * time.Hour)
	if w, _ := why(); w != "" {
		t.Errorf("a day later: %q", w)
	}
	town.Journal.Tell(town.admin, her(rose), node.ForRelative)
	if w, _ := why(); w != node.ForRelative {
		t.Errorf("just said: %q", w)
	}
	if w, _, _ := town.Journal.Explains(node.Caller{Account: node.AccountID{7}}, her(rose)); w != "" {
		t.Errorf("said by somebody else: %q", w)
	}
	town.wait(2 * time.Hour)
	if w, _ := why(); w != "" {
		t.Errorf("said two hours ago: %q", w)
	}
	said := dossier(rose)
	said.Said = node.ForPhone
	show(t, town.Node, town.admin, said, her(rose))
	said.Said = node.ForAudit // nobody says that
	show(t, town.Node, town.admin, said, her(rose))
	r, err := town.Requests.Open(t.Context(), town.admin, node.NewRequest{Beneficiary: rose, Type: town.kinds["Courses"], Wish: node.Wish{Kind: node.Flexible}})
	town.must(err)
	if w, open := why(); w != node.ForRequest || open != node.RequestID(r.ID) {
		t.Errorf("with an open request: %q %v", w, open)
	}
	show(t, town.Node, town.admin, dossier(rose), her(rose))
	recorded(t, town.Node)
	var got []node.JournalPurpose
	for _, e := range journalOf(t, town.Node) {
		got = append(got, e.Purpose)
	}
	if want := []node.JournalPurpose{node.ForRequest, node.ForOther, node.ForPhone}; !slices.Equal(got, want) {
		t.Errorf("noted as %v, want %v", got, want)
	}
}

// TestJournalStays: what was noted and not recorded when the machine stopped is
// recorded after the next start, in its place; what the disk has lost is told.
func TestJournalStays(t *testing.T) {
	town := newTown(t)
	rose := town.enrol("Lambert")
	show(t, town.Node, town.admin, dossier(rose), her(rose))
	recorded(t, town.Node)
	before := journalOf(t, town.Node)[0]
	for range 5 {
		show(t, town.Node, town.admin, dossier(rose), her(rose))
	}
	town.reopen()
	recorded(t, town.Node)
	if all := journalOf(t, town.Node); len(all) != 6 || all[0].Seq != 5 {
		t.Fatalf("%d entries: %+v", len(all), all)
	}

	town.must(town.Close())
	town.Node = nil
	town.must(os.RemoveAll(filepath.Join(town.cfg.Dir, "journal")))
	town.wait(time.Hour)
	n, err := node.Open(t.Context(), town.cfg)
	town.must(err)
	town.Node = n
	show(t, town.Node, town.admin, dossier(rose), her(rose))
	recorded(t, town.Node)
	all := journalOf(t, town.Node)
	if len(all) != 8 || all[1].Kind != "gap" || all[1].From < before.At || all[1].At.Time().UTC() != town.clock() || all[0].Kind != "shown" {
		t.Fatalf("%d entries: %+v", len(all), all[:2])
	}
	if alerts, err := town.Journal.Alerts(dpo()); err != nil || len(alerts) != 1 || alerts[0].Code != "gap" {
		t.Errorf("%+v, %v", alerts, err)
	}
	if c, err := town.Journal.Verify(t.Context(), dpo()); err != nil || len(c.Faults) != 0 || c.Entries != 8 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestJournalFaults: whatever is altered in the stored journal is named, even by
// somebody who holds this replica's keys; a month that is gone is no fault.
func TestJournalFaults(t *testing.T) {
	town := newTown(t)
	rose := town.enrol("Lambert")
	for range 9 {
		show(t, town.Node, town.admin, dossier(rose), her(rose))
	}
	recorded(t, town.Node)
	town.must(town.SignJournal(t.Context()))
	get := func(tx *store.Tx, n uint64) journal.Entry {
		e, _, err := store.JournalEntries.Get(tx, journal.IndexKey(n))
		town.must(err)
		return e
	}
	put := func(tx *store.Tx, e journal.Entry) { store.JournalEntries.Put(tx, e) }
	book := func(tx *store.Tx) journal.Book {
		b, _, err := store.JournalBooks.Get(tx, []byte{0})
		town.must(err)
		return b
	}
	check := func() (codes []string) {
		t.Helper()
		c, err := town.Journal.Verify(t.Context(), dpo())
		town.must(err)
		for _, f := range c.Faults {
			if !slices.Contains(codes, f.Code) {
				codes = append(codes, f.Code)
			}
		}
		slices.Sort(codes)
		return codes
	}
	if f := check(); len(f) != 0 {
		t.Fatalf("a journal that nobody has touched: %v", f)
	}
	for name, c := range map[string]struct {
		do   func(tx *store.Tx)
		want []string
	}{
		"body":       {func(tx *store.Tx) { e := get(tx, 3); e.Box = append([]byte{1}, e.Box...); put(tx, e) }, []string{"body"}},
		"taken away": {func(tx *store.Tx) { e := get(tx, 3); e.Box = nil; put(tx, e) }, []string{"no-body"}},
		"leaf":       {func(tx *store.Tx) { e := get(tx, 3); e.Leaf.Month++; put(tx, e) }, []string{"head", "reordered", "rewritten"}},
		"hash":       {func(tx *store.Tx) { e := get(tx, 3); e.Hashes[0][0]++; put(tx, e) }, []string{"rewritten"}},
		"one gone":   {func(tx *store.Tx) { store.JournalEntries.Delete(tx, journal.IndexKey(3)) }, []string{"missing", "reordered", "rewritten", "head"}},
		"swapped": {func(tx *store.Tx) {
			a, b := get(tx, 3), get(tx, 4)
			a.Leaf, b.Leaf, a.Box, b.Box = b.Leaf, a.Leaf, b.Box, a.Box
			put(tx, a)
			put(tx, b)
		}, []string{"head", "reordered", "rewritten"}},
		"the last gone": {func(tx *store.Tx) { store.JournalEntries.Delete(tx, journal.IndexKey(8)) }, []string{"truncated"}},
		"the end gone, and the book with it": {func(tx *store.Tx) {
			store.JournalEntries.Delete(tx, journal.IndexKey(8))
			b, e := book(tx), get(tx, 7)
			b.Size, b.Head = 8, journal.Head{}
			c := b.Chains[0]
			c.Next, c.Last = 8, e.Leaf.Hash()
			store.JournalBooks.Put(tx, b.With(c))
		}, []string{"truncated"}}, // this machine remembers what it has signed
		"another head": {func(tx *store.Tx) { b := book(tx); b.Head.Root[0]++; store.JournalBooks.Put(tx, b) }, []string{"head", "signature"}},
		"signatures":   {func(tx *store.Tx) { b := book(tx); b.Head.Of = 3; store.JournalBooks.Put(tx, b) }, []string{"signature"}},
	} {
		var all []journal.Entry
		var was journal.Book
		town.must(town.AlterJournal(func(tx *store.Tx) {
			for n := range uint64(9) {
				all = append(all, get(tx, n))
			}
			was = book(tx)
			c.do(tx)
		}))
		slices.Sort(c.want)
		if got := check(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		town.must(town.AlterJournal(func(tx *store.Tx) {
			for _, e := range all {
				put(tx, e)
			}
			store.JournalBooks.Put(tx, was)
		}))
	}
	if f := check(); len(f) != 0 {
		t.Fatalf("put back: %v", f)
	}
}

// TestJournalYear: after a year nobody can say any more what was read, and the chain
// holds. What is newer stays.
func TestJournalYear(t *testing.T) {
	town := newTown(t)
	rose := town.enrol("Lambert")
	show(t, town.Node, town.admin, dossier(rose), her(rose))
	recorded(t, town.Node)
	town.must(town.SignJournal(t.Context()))
	town.wait(300 * 24 * time.Hour)
	town.signIn()
	show(t, town.Node, town.admin, dossier(rose), her(rose))
	recorded(t, town.Node)
	_, err := town.Erasures.Want(t.Context(), town.admin, node.ErasableJournal, journal.MonthOf(journalOf(t, town.Node)[1].At).ID(), true)
	if e, ok := errors.AsType[*node.Error](err); !ok || e.Code != "journal-kept" {
		t.Errorf("before its year is over: %v", err)
	}
	town.wait(100 * 24 * time.Hour)
	town.must(town.JournalDue(t.Context()))
	town.wait(2 * time.Hour)
	town.must(town.EraseDue(t.Context()))
	town.must(town.JournalDue(t.Context()))
	all := journalOf(t, town.Node)
	if len(all) != 2 || !all[1].Gone || all[1].By != (node.AccountID{}) || len(all[1].Who) != 0 || all[0].Gone {
		t.Fatalf("%+v", all)
	}
	c, err := town.Journal.Verify(t.Context(), dpo())
	if err != nil || len(c.Faults) != 0 || c.Gone != 1 || c.Bodies != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	town.reopen()
	if c, err := town.Journal.Verify(t.Context(), dpo()); err != nil || len(c.Faults) != 0 || c.Gone != 1 {
		t.Errorf("after a start: %+v, %v", c, err)
	}
}

// TestJournalDigest: what is odd in a month is found, and an alert is for mass opening
// alone, of dossiers and not of files.
func TestJournalDigest(t *testing.T) {
	town := newTown(t)
	var all []node.BeneficiaryID
	for range 62 {
		all = append(all, node.BeneficiaryID{1, byte(len(all))})
	}
	for _, id := range all[:60] {
		show(t, town.Node, town.admin, dossier(id), her(id))
	}
	file := dossier(all[0])
	file.Route = "GET /people/:id/calendar"
	for _, id := range all {
		file.Dossier = her(id)
		show(t, town.Node, town.admin, file, her(id))
	}
	recorded(t, town.Node)
	if alerts, err := town.Journal.Alerts(dpo()); err != nil || len(alerts) != 0 {
		t.Errorf("60 dossiers and some prints: %+v, %v", alerts, err)
	}
	show(t, town.Node, town.admin, dossier(all[61]), her(all[61]))
	agent := node.Caller{Account: node.AccountID{0xaa}, Roles: node.RoleAgent, Communes: []string{"33187"}}
	rose := town.enrol("Lambert")
	town.must(town.Journal.Beyond(agent, dossier(rose)))
	town.must(town.Journal.Beyond(agent, dossier(all[0])))      // there is nobody like this
	town.must(town.Journal.Beyond(town.admin, dossier(all[0]))) // who reaches everybody
	town.wait(15 * time.Hour)                                   // 23 h in La Réole
	night := dossier(all[3])
	night.Said = node.ForCheck
	show(t, town.Node, town.admin, night, her(all[3]))
	recorded(t, town.Node)
	alerts, err := town.Journal.Alerts(dpo())
	if err != nil || len(alerts) != 2 || alerts[0].Code != "refused" || alerts[1].Code != "mass" || alerts[1].Account != town.admin.Account {
		t.Errorf("%+v, %v", alerts, err)
	}
	d, err := town.Journal.Digest(dpo(), node.JournalMonth(2026, 11))
	town.must(err)
	var odd []string
	for _, o := range d.Odd {
		odd = append(odd, o.Code)
	}
	if want := []string{"night", "mass", "refused", "refused", "many", "unexplained"}; !slices.Equal(sorted(odd), sorted(want)) || d.Dossiers != 60+62+2 || d.Asked != 62 || len(d.Accounts) != 1 {
		t.Errorf("%v: %+v", odd, d)
	}
	if d, err := town.Journal.Digest(dpo(), node.JournalMonth(2026, 10)); err != nil || d.Entries != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// TestJournalOfReplicas: each replica notes what it shows, in a chain of its own; the
// others have it within moments, sign one head of all, and no older one after it. Cut
// off from the others a replica goes on showing and says so.
func TestJournalOfReplicas(t *testing.T) {
	c := newCluster(t, 3, node.Hurry)
	rose := c.enrol("Lambert")
	for _, s := range c.seats {
		c.until("everybody has her", func() bool { _, err := s.node.Beneficiaries.Get(c.admin.Showed(), rose); return err == nil })
		show(t, s.node, c.admin, dossier(rose), her(rose))
	}
	for _, s := range c.seats {
		c.until("all three entries are everywhere", func() bool { return len(journalOf(t, s.node)) == 3 })
	}
	replicas := map[node.ReplicaID]bool{}
	for _, e := range journalOf(t, c.seats[0].node) {
		replicas[e.Replica] = true
	}
	if len(replicas) != 3 {
		t.Fatalf("%d replicas have noted", len(replicas))
	}
	leader := c.leader()
	c.must(leader.node.SignJournal(t.Context()))
	check, err := leader.node.Journal.Verify(t.Context(), dpo())
	if err != nil || len(check.Faults) != 0 || check.Head.Size != 3 || check.Head.Signers < 2 || check.Head.Of != 3 {
		t.Fatalf("%+v, %v", check, err)
	}
	if err := leader.node.SignJournalHead(t.Context(), 2, leader.node.JournalRoot(2)); err == nil {
		t.Error("a smaller head is signed after a larger one")
	}
	if err := leader.node.SignJournalHead(t.Context(), 3, [32]byte{1}); err == nil {
		t.Error("a head that is not the journal's is signed")
	}

	away := c.followers()[0]
	away.line.Cut()
	c.until("it hears no leader", func() bool { return away.node.Unheard() })
	show(t, away.node, c.admin, dossier(rose), her(rose))
	if away.node.WaitingNotes() == 0 {
		t.Error("nothing waits on a replica that is cut off")
	}
	away.line.Heal()
	for _, s := range c.seats {
		c.until("the entry comes later, and says so", func() bool {
			all := journalOf(t, s.node)
			return len(all) == 4 && all[0].Alone
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c.until("a head is signed again", func() bool { return c.leader().node.SignJournal(ctx) == nil })
}
