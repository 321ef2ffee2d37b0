package node_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
)

// estate is two territories of one federation, of which one gives a commune to the
// other.
type estate struct {
	*nation
	giver, taker *cluster
	version      uint64 // of the roster that moves the commune
	her          node.BeneficiaryID
}

const moved = "33289"

func commune(code string) public.Commune {
	c, err := public.ParseCommune(code)
	if err != nil {
		panic(err)
	}
	return c
}

// settle gives a territory its communes.
func (c *cluster) settle(communes ...string) {
	c.Helper()
	n := c.leader().node
	t, err := n.Settings.Territory()
	c.must(err)
	t.Communes = communes
	_, err = n.Settings.Change(c.Context(), c.admin, t.Version, t)
	c.must(err)
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{giver: newTerritory(t, "200044394", 1), taker: newTerritory(t, "200069599", 1)}
	e.taker.settle("33063")
	e.nation = newNation(t, 1, e.giver.seats[0].clock)
	e.joined(e.giver)
	e.joined(e.taker)
	m, _ := e.state.Member(rurale)
	m.Neighbours = []public.Siren{reole}
	e.write(roster.SetMember{Member: m})
	e.her = e.giver.enrolIn(moved, "Zyxwvutine")
	e.giver.enrolIn("33352", "Restante")
	e.move()
	e.taker.settle("33063", moved)
	return e
}

func (c *cluster) enrolIn(commune, last string) node.BeneficiaryID {
	c.Helper()
	r, err := c.leader().node.Beneficiaries.Enrol(c.Context(), c.admin, node.BeneficiaryFacts{Commune: commune, Basis: node.Consent, Notice: node.ReadOnPhone},
		node.BeneficiaryWords{Civility: secret("Mme"), Last: secret(last), First: secret("Paule"), Birth: secret("1942"), Phones: []node.Phone{{Number: secret("05 36 49 12 07"), Ring: secret("laisser sonner")}}, Needs: secret("marche lentement"),
			Trusted: node.Contact{Name: secret("Odile Confiante")}, Modes: []string{"phone"}, Note: secret("chien gentil")})
	c.must(err)
	return r.ID
}

// move writes the roster's entry, and waits until both know it.
func (e *estate) move() {
	e.Helper()
	e.write(roster.MoveCommunes{From: reole, To: rurale, Communes: []public.Commune{commune(moved)}})
	e.version = e.state.Version
	e.both()
}

func (e *estate) both() {
	e.Helper()
	for _, c := range []*cluster{e.giver, e.taker} {
		e.until("the roster is known", func() bool {
			n := c.leader().node
			n.Federation.Sync(e.Context(), c.admin)
			s, err := n.Federation.Status(e.Context(), c.admin)
			return err == nil && s.Version == e.state.Version && s.Listed
		})
	}
}

func (e *estate) until(what string, f func() bool) { e.Helper(); e.giver.until(what, f) }

func (e *estate) recipient() string {
	e.Helper()
	text, err := e.taker.leader().node.Handovers.Recipient(e.taker.admin)
	e.must(err)
	return text
}

func (e *estate) export() ([]byte, node.HandoverFile) {
	e.Helper()
	file, f, err := e.giver.leader().node.Handovers.Export(e.Context(), e.giver.admin, e.version, e.recipient())
	e.must(err)
	return file, f
}

func (e *estate) take(file []byte) (node.HandoverFile, error) {
	return e.taker.leader().node.Handovers.Import(e.Context(), e.taker.admin, file)
}

// heard waits until what the receiver has said has come to the giver.
func (e *estate) heard(d node.HandoverDigest) {
	e.Helper()
	e.until("the receipt has settled", func() bool {
		e.taker.leader().node.Federation.Sync(e.Context(), e.taker.admin)
		e.giver.leader().node.Federation.Sync(e.Context(), e.giver.admin)
		files, err := e.giver.leader().node.Handovers.Files(e.giver.admin)
		return err == nil && slices.ContainsFunc(files, func(f node.HandoverFile) bool { return f.Digest == d && f.State == node.HandoverReceived })
	})
}

func (c *cluster) named(last string) (out []node.Beneficiary) {
	c.Helper()
	all, _, err := c.leader().node.Beneficiaries.List(c.admin, "", node.Page{})
	c.must(err)
	for _, b := range all {
		if b.Words.Last.Reveal() == last {
			out = append(out, b)
		}
	}
	return out
}

// TestHandover plays the whole of it: the roster moves a commune, its people go by an
// encrypted file, the receiver confirms, and only then the giver erases.
func TestHandover(t *testing.T) {
	e := newEstate(t)
	giver, taker := e.giver.leader().node, e.taker.leader().node
	_, err := giver.Requests.Open(t.Context(), e.giver.admin, node.NewRequest{Beneficiary: e.her, Type: e.giver.kinds["Courses"], Wish: node.Wish{Kind: node.Flexible}, Note: secret("du pain de seigle")})
	e.must(err)
	moves, err := giver.Handovers.Moves(e.giver.admin)
	if err != nil || len(moves) != 1 || !moves[0].Gives || !moves[0].Current || moves[0].People != 1 || !slices.Equal(moves[0].Communes, []string{moved}) || moves[0].Roster != e.version {
		t.Fatalf("%+v, %v", moves, err)
	}
	file, given := e.export()
	for _, word := range []string{"Zyxwvutine", "Paule", "536491207", "marche lentement", "seigle", moved, "Restante"} {
		if bytes.Contains(file, []byte(word)) {
			t.Errorf("the file shows %q", word)
		}
	}
	if given.People != 1 || given.Receiver != "200069599" {
		t.Errorf("%+v", given)
	}

	// Nobody is erased before the receiver has confirmed, whatever he has taken in.
	_, _, err = giver.Handovers.Erase(t.Context(), e.giver.admin, given.Digest)
	refuses(t, "not-received", err)
	_, err = taker.Handovers.Confirm(t.Context(), e.taker.admin, given.Digest)
	refuses(t, "no-handover", err)
	enrolled := e.taker.figure()
	taken, err := e.take(file)
	e.must(err)
	if taken.State != node.HandoverCommitted || taken.People != 1 {
		t.Errorf("%+v", taken)
	}
	if e.taker.figure() != enrolled {
		t.Error("who is taken in counts as enrolled a second time")
	}
	_, err = e.take(file)
	refuses(t, "handover-taken", err)
	second, _ := e.export() // the same people in another file
	_, err = e.take(second)
	refuses(t, "handover-taken", err)

	// Undone by one, and taken in again.
	_, err = taker.Imports.Undo(t.Context(), e.taker.admin, taken.Import)
	e.must(err)
	if len(e.taker.named("Zyxwvutine")) != 0 {
		t.Error("she is seen after the import was undone")
	}
	_, err = taker.Handovers.Confirm(t.Context(), e.taker.admin, given.Digest)
	refuses(t, "handover-open", err)
	taken, err = e.take(file)
	e.must(err)

	all := e.taker.named("Zyxwvutine")
	if len(all) != 1 || len(e.taker.named("Restante")) != 0 {
		t.Fatalf("%d of her, or somebody who stays", len(all))
	}
	b := all[0]
	if b.ID == e.her || b.Commune != moved || b.Enrolled.Basis != node.Consent || b.Enrolled.Notice != 0 || b.Words.Phones[0].Number.Reveal() != "+33536491207" || b.Words.Trusted.Name.Reveal() != "Odile Confiante" {
		t.Errorf("%+v", b)
	}
	for _, line := range []string{"chien gentil", "Informée par l’ancien territoire le 23/11/2026.", "À reprendre : Courses, date libre — du pain de seigle"} {
		if !strings.Contains(b.Words.Note.Reveal(), line) {
			t.Errorf("her note lacks %q: %q", line, b.Words.Note.Reveal())
		}
	}
	if len(e.giver.named("Zyxwvutine")) != 1 {
		t.Error("the giver has lost her before the receipt")
	}

	// Changed at the giver after the file was written: she stays there for people to
	// decide. Somebody else of the commune who came since is no part of it.
	late := e.giver.enrolIn(moved, "Tardive")

	_, err = taker.Handovers.Confirm(t.Context(), e.taker.admin, taken.Digest)
	e.must(err)
	_, err = taker.Handovers.Confirm(t.Context(), e.taker.admin, taken.Digest)
	refuses(t, "handover-said", err)
	_, err = taker.Imports.Undo(t.Context(), e.taker.admin, taken.Import)
	refuses(t, "import-used", err)
	_, _, err = giver.Handovers.Erase(t.Context(), e.giver.admin, given.Digest) // said, and not settled
	refuses(t, "not-received", err)
	e.heard(given.Digest)
	_, _, err = giver.Handovers.Export(t.Context(), e.giver.admin, e.version, e.recipient())
	refuses(t, "handover-taken", err)
	erased, kept, err := giver.Handovers.Erase(t.Context(), e.giver.admin, given.Digest)
	if err != nil || erased != 1 || kept != 0 {
		t.Fatalf("%d erased, %d kept, %v", erased, kept, err)
	}
	_, err = giver.Erasures.Run(t.Context(), e.giver.admin)
	e.must(err)
	e.giver.gone(e.her, "Zyxwvutine")
	if _, err := giver.Beneficiaries.Get(e.giver.admin, late); err != nil {
		t.Error("who was not in the file is gone too:", err)
	}
	_, done, _, err := giver.Erasures.List(e.giver.admin, node.Page{})
	if err != nil || len(done) != 1 || done[0].Who[0].ID != e.her {
		t.Errorf("%+v, %v", done, err)
	}
	files, err := giver.Handovers.Files(e.giver.admin)
	if err != nil || !slices.ContainsFunc(files, func(f node.HandoverFile) bool { return f.Digest == given.Digest && f.State == node.HandoverErasing }) {
		t.Errorf("%+v, %v", files, err)
	}
	for _, s := range []*seat{e.giver.seats[0], e.taker.seats[0]} {
		noFileHolds(t, filepath.Dir(s.cfg.Dir), "seigle")
	}
}

// figure is how many are counted as enrolled.
func (c *cluster) figure() uint64 { return c.leader().node.Counted(public.Enrolled) }

// noFileHolds looks through everything that a node keeps on its disk.
func noFileHolds(t *testing.T, dir, word string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(word)) || bytes.Contains(b, []byte("bippop envelope")) && !strings.Contains(path, "backup") {
			t.Errorf("%s holds %q, or a file of dossiers", path, word)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func refuses(t *testing.T, code string, err error) {
	t.Helper()
	if got := refusalOf(err); got != code {
		t.Errorf("got %q (%v), want %q", got, err, code)
	}
}

// TestHandoverChanged: who was changed at the giver after the file was written is not
// erased with the others.
func TestHandoverChanged(t *testing.T) {
	e := newEstate(t)
	file, given := e.export()
	_, err := e.take(file)
	e.must(err)
	giver := e.giver.leader().node
	b, err := giver.Beneficiaries.Get(e.giver.admin, e.her)
	e.must(err)
	w := b.Words
	w.Note = secret("a déménagé chez sa fille")
	_, err = giver.Beneficiaries.Change(t.Context(), e.giver.admin, e.her, b.Version, node.BeneficiaryFacts{Commune: moved, State: b.State, Basis: node.Consent}, w)
	e.must(err)
	_, err = e.taker.leader().node.Handovers.Confirm(t.Context(), e.taker.admin, given.Digest)
	e.must(err)
	e.heard(given.Digest)
	erased, kept, err := giver.Handovers.Erase(t.Context(), e.giver.admin, given.Digest)
	if err != nil || erased != 0 || kept != 1 {
		t.Errorf("%d erased, %d kept, %v", erased, kept, err)
	}
}

// TestHandoverRefuses everything that is not the file which the giver wrote for this
// receiver about what the roster has moved.
func TestHandoverRefuses(t *testing.T) {
	e := newEstate(t)
	file, _ := e.export()
	giver, taker := e.giver.leader().node, e.taker.leader().node
	empty := func() {
		t.Helper()
		if files, err := taker.Handovers.Files(e.taker.admin); err != nil || len(files) > 0 || len(e.taker.named("Zyxwvutine")) > 0 {
			t.Errorf("something of a refused file is there: %+v, %v", files, err)
		}
	}
	for _, cut := range []int{0, 1, 40, len(file) / 2, len(file) - 1} {
		_, err := e.take(file[:cut])
		refuses(t, "handover-damaged", err)
	}
	for at := 0; at < len(file); at += max(1, len(file)/60) {
		bad := bytes.Clone(file)
		bad[at] ^= 4
		_, err := e.take(bad)
		refuses(t, "handover-damaged", err)
	}
	_, err := e.take(append(bytes.Clone(file), 0))
	refuses(t, "handover-damaged", err)
	_, err = e.take([]byte("Nom;Prénom\nZyxwvutine;Paule\n"))
	refuses(t, "handover-damaged", err)
	_, err = e.take(make([]byte, node.MaxDossiers+1))
	refuses(t, "handover-large", err)

	for name, c := range map[string]struct {
		change node.Forged
		code   string
	}{
		"another receiver":   {node.Forged{Receiver: reole}, "handover-receiver"},
		"another key":        {node.Forged{Seed: [32]byte{9}}, "handover-giver"},
		"another giver":      {node.Forged{Giver: rurale}, "handover-giver"},
		"another version":    {node.Forged{Roster: e.version - 1}, "handover-move"},
		"a later version":    {node.Forged{Roster: e.version + 1}, "handover-move"},
		"another federation": {node.Forged{Genesis: [32]byte{1}}, "handover-move"},
		"other communes":     {node.Forged{Communes: []string{"33352"}}, "handover-move"},
		"more communes":      {node.Forged{Communes: []string{moved, "33352"}}, "handover-move"},
		"people elsewhere":   {node.Forged{Lives: "33352"}, "handover-move"},
		"fewer people":       {node.Forged{People: 2}, "handover-damaged"},
	} {
		bad, err := giver.Forge(e.giver.admin, e.version, e.recipient(), c.change)
		e.must(err)
		_, err = e.take(bad)
		if got := refusalOf(err); got != c.code {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.code)
		}
	}
	if good, err := giver.Forge(e.giver.admin, e.version, e.recipient(), node.Forged{}); err != nil {
		t.Error(err)
	} else if _, err := taker.ReadsDossiers(good); err != nil {
		t.Errorf("what is not forged is refused too: %v", err)
	}
	// For a third one: whole and signed, and nobody here can open it.
	own, err := giver.Handovers.Recipient(e.giver.admin)
	e.must(err)
	bad, err := giver.Forge(e.giver.admin, e.version, own, node.Forged{})
	e.must(err)
	_, err = e.take(bad)
	refuses(t, "handover-receiver", err)
	empty()

	// The giver writes for nobody but the receiver that the roster names.
	_, _, err = giver.Handovers.Export(t.Context(), e.giver.admin, e.version, own)
	refuses(t, "no-move", err)
	_, _, err = giver.Handovers.Export(t.Context(), e.giver.admin, e.version-1, e.recipient())
	refuses(t, "no-move", err)
	_, _, err = giver.Handovers.Export(t.Context(), e.giver.admin, e.version, "age1pq1quelconque")
	refuses(t, "recipient-unreadable", err)
	_, _, err = giver.Handovers.Export(t.Context(), e.giver.admin, e.version, node.ForgedRecipient(e.recipient()))
	refuses(t, "recipient-unsigned", err)
	agent := e.giver.admin
	agent.Roles = node.RoleAgent
	_, _, err = giver.Handovers.Export(t.Context(), agent, e.version, e.recipient())
	refuses(t, "forbidden", err)
	_, err = giver.Handovers.Import(t.Context(), e.giver.admin, file)
	refuses(t, "handover-receiver", err)

	// The commune goes on to nobody else meanwhile.
	e.write(roster.MoveCommunes{From: rurale, To: reole, Communes: []public.Commune{commune(moved)}})
	e.both()
	_, err = e.take(file)
	refuses(t, "handover-move", err)
	empty()
}

// TestHandoverResumes: a node that stops in the middle of an import shows nobody, and
// goes on with the same file under the same import.
func TestHandoverResumes(t *testing.T) {
	e := newEstate(t)
	const many = 3000
	file, err := e.giver.leader().node.Forge(e.giver.admin, e.version, e.recipient(), node.Forged{Copies: many})
	e.must(err)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer stop()
		for ctx.Err() == nil {
			if list, err := e.taker.leader().node.Imports.List(e.taker.admin); err != nil || len(list) == 1 && list[0].Rows > 0 {
				return
			}
		}
	}()
	if _, err := e.taker.leader().node.Handovers.Import(ctx, e.taker.admin, file); err == nil {
		t.Fatal("the import was not interrupted")
	}
	files, err := e.taker.leader().node.Handovers.Files(e.taker.admin)
	if err != nil || len(files) != 1 || files[0].State != node.HandoverStaged || len(e.taker.named("Zyxwvutine")) != 0 {
		t.Fatalf("%+v, %v", files, err)
	}
	e.taker.seats[0].stop()
	e.taker.seats[0].start()
	e.until("the receiver leads", func() bool { return e.taker.leader() != nil })
	if len(e.taker.named("Zyxwvutine")) != 0 {
		t.Error("half an import is seen")
	}
	_, err = e.taker.leader().node.Handovers.Confirm(t.Context(), e.taker.admin, files[0].Digest)
	refuses(t, "handover-open", err)
	taken, err := e.take(file)
	e.must(err)
	if taken.Import != files[0].Import || taken.State != node.HandoverCommitted {
		t.Errorf("%+v", taken)
	}
	n := 0
	for page := (node.Page{Limit: 100}); ; {
		all, next, err := e.taker.leader().node.Beneficiaries.List(e.taker.admin, moved, page)
		e.must(err)
		n += len(all)
		if page.Cursor = next; next == nil {
			break
		}
	}
	if n != many {
		t.Errorf("%d people are there, want %d", n, many)
	}
}
