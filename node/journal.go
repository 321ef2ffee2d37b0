package node

import (
	"slices"
	"strings"
	"sync"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Journal is who has read whose words: each answer that shows people is noted on the
// serving replica's disk before its first byte leaves.
type Journal struct {
	*core
	notes  *noting
	heads  *journalHeads
	told   *toldPurposes
	alarms *alarms
}

func newJournal(c *core, notes *noting) *Journal {
	heads := newJournalHeads(c)
	if c.peers != nil {
		heads = c.peers.heads
	}
	return &Journal{c, notes, heads, &toldPurposes{of: map[toldKey]toldPurpose{}}, &alarms{}}
}

// JournalPurpose is the purpose of a reading, in the API's words.
type JournalPurpose string

// The purposes. Those from [ForPhone] to [ForOther] are said by who opens a dossier
// that nothing else explains.
const (
	ForRequest  JournalPurpose = "request"
	ForCall     JournalPurpose = "call"
	ForWork     JournalPurpose = "work"
	ForPhone    JournalPurpose = "phone"
	ForUpdate   JournalPurpose = "update"
	ForRelative JournalPurpose = "relative"
	ForCheck    JournalPurpose = "check"
	ForOther    JournalPurpose = "other"
	ForProgram  JournalPurpose = "program"
	ForList     JournalPurpose = "list"
	ForOwn      JournalPurpose = "own"
	ForExport   JournalPurpose = "export"
	ForAudit    JournalPurpose = "audit"
)

// JournalPurposes are all of them, by their number in the record less one.
var JournalPurposes = []JournalPurpose{ForRequest, ForCall, ForWork, ForPhone, ForUpdate, ForRelative, ForCheck, ForOther, ForProgram, ForList, ForOwn, ForExport, ForAudit}

// Sayable are those that somebody may say.
var Sayable = []JournalPurpose{ForPhone, ForUpdate, ForRelative, ForCheck, ForOther}

func whyOf(p journal.Purpose) JournalPurpose {
	if p == 0 || int(p) > len(JournalPurposes) {
		return ""
	}
	return JournalPurposes[p-1]
}

func (w JournalPurpose) purpose() journal.Purpose {
	return journal.Purpose(slices.Index(JournalPurposes, w) + 1)
}

// Screen is where an answer shows people.
type Screen struct {
	Route   string         // method and pattern: "GET /people/:id"
	Dossier Subject        // whose dossier it is, zero for lists
	Said    JournalPurpose // by who asks, or ""
	Request RequestID
	Program bool // a program asks
}

// Subjects of the journal, by the API's words.
const (
	SubjectBeneficiary = "beneficiary"
	SubjectVolunteer   = "volunteer"
)

// SubjectOf names somebody of a kind; the zero Subject for another kind.
func SubjectOf(kind string, id [16]byte) Subject {
	switch kind {
	case SubjectBeneficiary:
		return Subject{store.Beneficiaries.Code, id}
	case SubjectVolunteer:
		return Subject{store.Volunteers.Code, id}
	}
	return Subject{}
}

// Note returns once everybody whom the answer to by has shown so far stands in the
// journal, on this replica's disk. What was noted before is not noted again. An error
// says that nothing may be shown: [errNotes].
func (s *Journal) Note(by Caller, on Screen) error {
	if by.reading == nil {
		return nil
	}
	return by.reading.unnoted(func(seen []Subject) error {
		b := journal.Body{Kind: journal.Shown, By: by.Account, Role: by.Roles, Means: uint8(by.Session.Means), Screen: on.route(), Request: on.Request}
		why, request, err := s.why(by, on)
		if err != nil {
			return err
		}
		if b.Purpose = why.purpose(); !request.Zero() {
			b.Request = request
		}
		if on.Dossier != (Subject{}) {
			b.About = journal.Name([]journal.Person{journal.Person(on.Dossier)})
		}
		for part := range slices.Chunk(seen, journal.MostNamed) {
			who := make([]journal.Person, len(part))
			for i, p := range part {
				who[i] = journal.Person(p)
			}
			b.Who = journal.Name(who)
			if err := s.notes.note(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// Beyond notes that somebody who does not reach everybody asked for a dossier that is
// not his to know of. Whether there is such a person is not looked at here, so that
// the answer takes as long for nobody: see [Journal.Alerts].
func (s *Journal) Beyond(by Caller, on Screen) error {
	if !by.limited() || on.Dossier == (Subject{}) && on.Request.Zero() {
		return nil
	}
	b := journal.Body{Kind: journal.Refused, By: by.Account, Role: by.Roles, Means: uint8(by.Session.Means), Screen: on.route(), Request: on.Request}
	if on.Dossier != (Subject{}) {
		b.Who = journal.Name([]journal.Person{journal.Person(on.Dossier)})
	}
	return s.notes.note(b)
}

func (on Screen) route() string { return on.Route[:min(len(on.Route), journal.MostScreen)] }

// under reports whether a screen is below a path.
func (on Screen) under(path string) bool {
	_, at, _ := strings.Cut(on.Route, " ")
	at = strings.TrimPrefix(at, "/api/v1")
	return at == path || strings.HasPrefix(at, path+"/")
}

// Switched notes that an account wears another hat now.
func (s *Journal) Switched(by Caller) error {
	return s.notes.note(journal.Body{Kind: journal.Switched, By: by.Account, Role: by.Roles, Means: uint8(by.Session.Means)})
}

// BreakGlass notes that an administrator was made, or a password set, on the machine.
func (s *Journal) BreakGlass(account AccountID) error {
	return s.notes.note(journal.Body{Kind: journal.BreakGlass, By: account})
}

// why infers the purpose from the screen, from what is open about the dossier, and
// from what was said.
func (s *Journal) why(by Caller, on Screen) (JournalPurpose, RequestID, error) {
	switch {
	case !on.Request.Zero():
		return ForRequest, on.Request, nil
	case by.Roles == account.DPO:
		return ForAudit, RequestID{}, nil
	case on.under("/me"):
		return ForOwn, RequestID{}, nil
	case on.under("/exports"), on.under("/federation"), strings.HasSuffix(on.Route, "/calendar"), strings.HasSuffix(on.Route, "/week"), strings.HasSuffix(on.Route, "/monday"):
		return ForExport, RequestID{}, nil
	}
	if on.Dossier != (Subject{}) {
		if w, request, err := s.Explains(by, on.Dossier); w != "" || err != nil {
			return w, request, err
		}
	}
	switch {
	case slices.Contains(Sayable, on.Said):
		return on.Said, RequestID{}, nil
	case on.Program:
		return ForProgram, RequestID{}, nil
	case on.Dossier != (Subject{}):
		return ForOther, RequestID{}, nil
	}
	return ForList, RequestID{}, nil
}

// dayMillis is how long an account's own work on a dossier explains that it is opened.
const dayMillis = 24 * 3600 * 1000

// Explains says what explains that an account opens somebody's dossier now: an open
// request or series, a call that is due, its own work on it within a day, or what it
// has said within the hour; "" for nothing.
func (s *Journal) Explains(by Caller, who Subject) (w JournalPurpose, open RequestID, err error) {
	err = s.store.View(func(tx *store.Tx) error {
		switch who.Collection {
		case store.Beneficiaries.Code:
			w, open, err = s.aboutHer(tx, by, BeneficiaryID(who.ID))
		case store.Volunteers.Code:
			w, open, err = s.aboutHim(tx, VolunteerID(who.ID))
		}
		if err != nil || w != "" {
			return err
		}
		since := s.clock() - dayMillis
		return tx.EachHistory(who.Collection, who.ID[:], func(h store.History) {
			if h.By == by.Account && h.At >= since {
				w = ForWork
			}
		})
	})
	if err == nil && w == "" {
		w = s.told.why(by.Account, who, s.clock())
	}
	return w, open, explain(err)
}

// Knows refuses somebody of whom the caller may not know as it does nobody: whoever is
// asked why she opens a dossier would learn that there is one.
func (s *Journal) Knows(by Caller, who Subject) (err error) {
	if who.Collection == store.Beneficiaries.Code {
		_, err = s.beneficiaryRecord(by, who.ID)
	} else {
		_, err = (&Volunteers{s.core}).record(by, who.ID)
	}
	return err
}

// mostLooked is how many of her requests are looked at, the newest first.
const mostLooked = 50

func (s *Journal) aboutHer(tx *store.Tx, by Caller, she BeneficiaryID) (w JournalPurpose, open RequestID, err error) {
	var inner error
	looked, since, worked := 0, s.clock()-dayMillis, false
	err = view.Each(tx, view.OfPerson(she), nil, true, func(id RequestID, _ []byte) bool {
		var q request.Request
		q, _, inner = store.Requests.Get(tx, id[:])
		switch {
		case inner != nil:
		case q.NeedsCall():
			w, open = ForCall, id
		case !q.State.Closed():
			w, open = ForRequest, id
		case !worked:
			inner = tx.EachHistory(store.Requests.Code, id[:], func(h store.History) { worked = worked || h.By == by.Account && h.At >= since })
		}
		looked++
		return inner == nil && w == "" && looked < mostLooked
	})
	if err = either(err, inner); err != nil || w != "" {
		return w, open, err
	}
	err = view.Each(tx, view.BondsOf(she), nil, true, func(id BondID, _ []byte) bool {
		inner = tx.EachHistory(store.Bonds.Code, id[:], func(h store.History) { worked = worked || h.By == by.Account && h.At >= since })
		return inner == nil && !worked
	})
	if worked {
		w = ForWork // on a request or a bond of hers that is over
	}
	if err = either(err, inner); err != nil || w != "" {
		return w, open, err
	}
	err = view.Each(tx, view.SeriesOf(she), nil, false, func(id SeriesID, _ []byte) bool {
		var q series.Series
		if q, _, inner = store.Series.Get(tx, id[:]); inner == nil && q.State != series.Ended {
			w = ForRequest
		}
		return inner == nil && w == ""
	})
	return w, open, either(err, inner)
}

func (s *Journal) aboutHim(tx *store.Tx, he VolunteerID) (w JournalPurpose, open RequestID, err error) {
	v, _, err := store.Volunteers.Get(tx, he[:])
	if err != nil {
		return w, open, err
	}
	if v.Status == people.Applicant || v.Status == people.Met {
		return ForWork, open, nil // he is being got to know
	}
	err = view.Each(tx, view.WaitingFor(he), nil, false, func(id RequestID, _ []byte) bool {
		w, open = ForRequest, id
		return false
	})
	if err != nil || w != "" {
		return w, open, err
	}
	now := s.clock()
	err = view.Seats(tx, he, now-dayMillis, now+365*dayMillis, func(id RequestID, _ Instant) bool {
		w, open = ForRequest, id
		return false
	})
	return w, open, err
}

// Tell keeps for an hour why an account opens a dossier, so that nobody is asked twice.
func (s *Journal) Tell(by Caller, who Subject, w JournalPurpose) {
	if slices.Contains(Sayable, w) {
		s.told.tell(by.Account, who, w, s.clock())
	}
}

// toldPurposes is what accounts have said here lately. Safe for concurrent use.
type toldPurposes struct {
	mu sync.Mutex // guards of
	of map[toldKey]toldPurpose
}

type toldKey struct {
	by  AccountID
	who Subject
}

type toldPurpose struct {
	why JournalPurpose
	at  Instant
}

const (
	toldLife = 3600 * 1000
	mostTold = 4096
)

func (t *toldPurposes) tell(by AccountID, who Subject, w JournalPurpose, now Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.of) >= mostTold {
		clear(t.of) // they are asked once more
	}
	t.of[toldKey{by, who}] = toldPurpose{w, now}
}

func (t *toldPurposes) why(by AccountID, who Subject, now Instant) JournalPurpose {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.of[toldKey{by, who}]; ok && now-p.at < toldLife {
		return p.why
	}
	return ""
}

// JournalEntry is one entry as the data protection officer reads it.
type JournalEntry struct {
	Index   uint64 // its place in the tree
	Replica ReplicaID
	Seq     uint64 // of that replica
	Hash    [32]byte
	Gone    bool // its month is over for a year: nobody knows any more what it said
	Kind    string
	At      Instant
	By      AccountID
	Role    Roles
	Means   uint8
	Purpose JournalPurpose
	Screen  string
	Request RequestID
	About   Subject // whose dossier it was, zero for lists
	Who     []Subject
	Alone   bool    // this replica heard no other
	From    Instant // of a gap
}

// journalKinds are the words of [JournalEntry.Kind], by number less one.
var journalKinds = []string{"shown", "stated", "switched", "break-glass", "gap", "refused"}

// Names reports whether somebody was shown in it.
func (e JournalEntry) Names(who Subject) bool { return slices.Contains(e.Who, who) }

// JournalFilter is which entries are wanted; what is zero says nothing.
type JournalFilter struct {
	By     AccountID
	Who    Subject
	Month  journal.Month // [JournalMonth]
	Before uint64        // only those before this place in the tree
	Limit  int           // 1 to 1000; 0: 50
	Kind   string
}

// JournalMonth is the number of a month for a filter.
func JournalMonth(year int, month int) journal.Month { return journal.Month(12*year + month - 1) }

// MonthOfJournal is the month of an instant, as months of the journal are: in UTC.
func MonthOfJournal(at Instant) journal.Month { return journal.MonthOf(at) }

// List is the journal, newest first; more says that there are older ones. It opens
// nobody's words.
func (s *Journal) List(by Caller, f JournalFilter) (out []JournalEntry, more bool, err error) {
	if err := by.may(ReadJournal); err != nil {
		return nil, false, err
	}
	if f.Limit <= 0 || f.Limit > 1000 {
		f.Limit = 50
	}
	err = s.backward(f.Before, f.Month, func(e JournalEntry) bool {
		if !f.matches(e) {
			return true
		}
		if len(out) == f.Limit {
			more = true
			return false
		}
		out = append(out, e)
		return true
	})
	return out, more, explain(err)
}

func (f JournalFilter) matches(e JournalEntry) bool {
	switch {
	case !f.By.Zero() && e.By != f.By, f.Kind != "" && e.Kind != f.Kind:
		return false
	case f.Who != Subject{}:
		return e.Names(f.Who)
	}
	return true
}

// mostOf is how many entries about one person are answered.
const mostOf = 1000

// Of is who has read somebody's words, newest first: for herself, by the data
// protection officer.
func (s *Journal) Of(by Caller, who Subject) ([]JournalEntry, error) {
	out, _, err := s.List(by, JournalFilter{Who: who, Limit: mostOf})
	return out, err
}

// ByAccount is whom an account has read, newest first.
func (s *Journal) ByAccount(by Caller, account AccountID) ([]JournalEntry, error) {
	out, _, err := s.List(by, JournalFilter{By: account, Limit: mostOf})
	return out, err
}

// backward calls f with the entries before a place, newest first, of one month or of
// all.
func (s *Journal) backward(before uint64, month journal.Month, f func(JournalEntry) bool) error {
	keys := &monthKeys{core: s.core}
	return s.store.View(func(tx *store.Tx) error {
		book, _, err := store.JournalBooks.Get(tx, theBook)
		if err != nil {
			return err
		}
		if before == 0 || before > book.Size {
			before = book.Size
		}
		for n := before; n > 0; n-- {
			e, ok, err := store.JournalEntries.Get(tx, journal.IndexKey(n-1))
			if err != nil || !ok {
				return err
			}
			if month != 0 && e.Leaf.Month != month {
				if e.Leaf.Month+2 < month {
					return nil // what comes late comes within a month
				}
				continue
			}
			if !f(s.read(keys, e)) {
				return nil
			}
		}
		return nil
	})
}

// read opens an entry. One that cannot be opened is shown as gone: its hash stays.
func (s *Journal) read(keys *monthKeys, e journal.Entry) JournalEntry {
	out := JournalEntry{Index: e.Index, Replica: e.Leaf.Replica, Seq: e.Leaf.Seq, Hash: e.Leaf.Hash(), Gone: true}
	if e.Box == nil {
		return out
	}
	key, err := keys.key(e.Leaf.Month)
	if err != nil {
		return out
	}
	plain, err := key.Open(e.Box, entryPlace(s.siren, e.Leaf.Replica, e.Leaf.Seq))
	var b journal.Body
	if err != nil || boxDecoding.Unmarshal(plain, &b) != nil {
		return out
	}
	out.Gone = false
	if k := int(b.Kind); k > 0 && k <= len(journalKinds) {
		out.Kind = journalKinds[k-1]
	}
	out.At, out.By, out.Role, out.Means, out.Purpose, out.Screen, out.Request, out.Alone, out.From = b.At, b.By, b.Role, b.Means, whyOf(b.Purpose), b.Screen, b.Request, b.Alone, b.From
	b.About.Each(func(p journal.Person) bool {
		out.About = Subject(p)
		return false
	})
	b.Who.Each(func(p journal.Person) bool {
		out.Who = append(out.Who, Subject(p))
		return true
	})
	return out
}

// Named is how somebody is called on the data protection officer's screens. Erased
// says that nobody stands behind the ID any more. Opening a name is noted like any
// other reading.
type Named struct {
	Name   Secret
	Erased bool
}

// Person names somebody whom the journal tells of.
func (s *Journal) Person(by Caller, who Subject) (out Named, err error) {
	if err := by.may(ReadJournal); err != nil {
		return out, err
	}
	err = s.store.View(func(tx *store.Tx) error {
		switch who.Collection {
		case store.Beneficiaries.Code:
			r, ok, err := store.Beneficiaries.Get(tx, who.ID[:])
			if err != nil || !ok {
				out.Erased = !ok
				return err
			}
			b, err := s.opening(by).beneficiary(r)
			out.Name = crypto.NewSecret(strings.TrimSpace(b.Words.First.Reveal() + " " + b.Words.Last.Reveal()))
			return err
		case store.Volunteers.Code:
			r, ok, err := store.Volunteers.Get(tx, who.ID[:])
			if err != nil || !ok {
				out.Erased = !ok
				return err
			}
			v, err := s.opening(by).volunteer(r)
			out.Name = crypto.NewSecret(strings.TrimSpace(v.Words.First.Reveal() + " " + v.Words.Last.Reveal()))
			return err
		}
		out.Erased = true
		return nil
	})
	return out, explain(err)
}

// Account names an account: as it says itself, or by its login.
func (s *Journal) Account(by Caller, id AccountID) (out Named, err error) {
	if err := by.may(ReadJournal); err != nil || id.Zero() {
		return out, err
	}
	err = s.store.View(func(tx *store.Tx) error {
		a, ok, err := store.Accounts.Get(tx, id[:])
		if err != nil {
			return err
		}
		if !ok {
			g, _, err := store.Gone.Get(tx, erasure.Key(store.Accounts.Code, id))
			out = Named{Name: crypto.NewSecret(g.Login), Erased: true}
			return err
		}
		w, err := s.opening(by).account(a)
		if out.Name = w.Name; w.Name.Empty() {
			out.Name = crypto.NewSecret(a.Login)
		}
		return err
	})
	return out, explain(err)
}
