package node

import (
	"cmp"
	"slices"
	"sync"

	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/store"
)

// JournalDigest is a month of the journal in numbers, with what is worth a question. In a
// village everybody is a neighbour: that somebody reads a colleague's, a cousin's or a
// neighbour's dossier is not odd, and is not looked for.
type JournalDigest struct {
	Month    journal.Month
	Entries  int
	Dossiers int // openings of one person's dossier
	Asked    int // of these, explained by nothing but what was said
	Alone    int // answers while this replica heard no other
	Accounts []JournalAccount
	Odd      []JournalOdd
}

// JournalAccount is what one account has read.
type JournalAccount struct {
	Account  AccountID
	Entries  int
	Dossiers int
	Asked    int
}

// JournalOdd is something to ask about. Codes: "night" (dossiers between 22 h and 6 h),
// "many" (30 dossiers or more in one hour), "unexplained" (10 dossiers or more that
// nothing explains), "mass", "refused", "gap", "break-glass".
type JournalOdd struct {
	Code    string
	Account AccountID // zero: of a machine
	Replica ReplicaID // of a gap
	At      Instant   // of the first
	From    Instant   // of a gap
	Count   int
}

const (
	oddMany = "many"
	oddMass = "mass"

	oddHour        = 30 // dossiers in an hour
	oddUnexplained = 10 // in a month
	massDossiers   = 60 // more of them in
	massMillis     = 10 * 60 * 1000
	alertDays      = 30
)

// Digest is a month in numbers.
func (s *Journal) Digest(by Caller, month journal.Month) (d JournalDigest, err error) {
	if err := by.may(ReadJournal); err != nil {
		return d, err
	}
	zone := s.zone()
	type hour struct {
		by AccountID
		at Instant
	}
	accounts := map[AccountID]*JournalAccount{}
	nights, unexplained := map[AccountID]*JournalOdd{}, map[AccountID]*JournalOdd{}
	hours := map[hour]map[Subject]bool{}
	odd := func(of map[AccountID]*JournalOdd, code string, e JournalEntry) {
		o := of[e.By]
		if o == nil {
			o = &JournalOdd{Code: code, Account: e.By}
			of[e.By] = o
		}
		o.Count, o.At = o.Count+1, e.At // newest first: the last one seen is the first
	}
	d.Month = month
	var window massWindow
	err = s.backward(0, month, func(e JournalEntry) bool {
		d.Entries++
		if e.Alone {
			d.Alone++
		}
		switch e.Kind {
		case "gap", "break-glass", "refused":
			d.Odd = append(d.Odd, JournalOdd{Code: e.Kind, Account: e.By, Replica: e.Replica, At: e.At, From: e.From, Count: 1})
		}
		if e.Kind != "shown" {
			return true
		}
		a := accounts[e.By]
		if a == nil {
			a = &JournalAccount{Account: e.By}
			accounts[e.By] = a
		}
		a.Entries++
		if e.About == (Subject{}) {
			return true
		}
		a.Dossiers, d.Dossiers = a.Dossiers+1, d.Dossiers+1
		if slices.Contains(Sayable, e.Purpose) {
			a.Asked, d.Asked = a.Asked+1, d.Asked+1
			odd(unexplained, "unexplained", e)
		}
		if h := e.At.Time().In(zone).Hour(); h >= 22 || h < 6 {
			odd(nights, "night", e)
		}
		k := hour{e.By, e.At - e.At%3_600_000}
		if hours[k] == nil {
			hours[k] = map[Subject]bool{}
		}
		hours[k][e.About] = true
		if o, yes := window.add(e); yes {
			d.Odd = append(d.Odd, o)
		}
		return true
	})
	if err != nil {
		return d, explain(err)
	}
	for _, a := range accounts {
		d.Accounts = append(d.Accounts, *a)
	}
	for _, o := range nights {
		d.Odd = append(d.Odd, *o)
	}
	for _, o := range unexplained {
		if o.Count >= oddUnexplained {
			d.Odd = append(d.Odd, *o)
		}
	}
	for h, who := range hours {
		if len(who) >= oddHour {
			d.Odd = append(d.Odd, JournalOdd{Code: oddMany, Account: h.by, At: h.at, Count: len(who)})
		}
	}
	slices.SortFunc(d.Accounts, func(a, b JournalAccount) int {
		return cmp.Or(cmp.Compare(b.Dossiers, a.Dossiers), cmp.Compare(b.Entries, a.Entries), slices.Compare(a.Account[:], b.Account[:]))
	})
	slices.SortFunc(d.Odd, func(a, b JournalOdd) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.Code, b.Code), slices.Compare(a.Account[:], b.Account[:]))
	})
	return d, nil
}

// massWindow finds accounts that open many dossiers within minutes. Entries come in
// the order of time or against it.
type massWindow struct {
	of map[AccountID][]JournalEntry
}

// add reports an alert, once for each time that an account goes beyond the number.
func (w *massWindow) add(e JournalEntry) (o JournalOdd, yes bool) {
	if e.Purpose == ForExport {
		return o, false
	}
	if w.of == nil {
		w.of = map[AccountID][]JournalEntry{}
	}
	last := slices.DeleteFunc(w.of[e.By], func(x JournalEntry) bool {
		return x.About == e.About || max(x.At-e.At, e.At-x.At) > massMillis
	})
	last = append(last, JournalEntry{About: e.About, At: e.At})
	w.of[e.By] = last
	return JournalOdd{Code: oddMass, Account: e.By, At: e.At, Count: len(last)}, len(last) == massDossiers+1
}

// alarms are what an alert is for: mass opening, and attempts at people out of reach.
// They are read out of the record once, and from then on with what comes. Safe for
// concurrent use.
type alarms struct {
	mu     sync.Mutex // guards all
	read   uint64     // entries of the tree
	window massWindow
	found  []JournalOdd
}

// mostAlarmed is how many entries are looked at when the node has just started.
const mostAlarmed = 50_000

// Alerts are those of the last thirty days, newest first.
func (s *Journal) Alerts(by Caller) ([]JournalOdd, error) {
	if err := by.may(ReadJournal); err != nil {
		return nil, err
	}
	out, err := s.alerts()
	return out, explain(err)
}

func (s *Journal) alerts() ([]JournalOdd, error) {
	a := s.alarms
	a.mu.Lock()
	defer a.mu.Unlock()
	keys := &monthKeys{core: s.core}
	err := s.store.View(func(tx *store.Tx) error {
		book, _, err := store.JournalBooks.Get(tx, theBook)
		if err != nil {
			return err
		}
		if a.read == 0 {
			a.read = book.Size - min(book.Size, mostAlarmed)
		}
		for ; a.read < book.Size; a.read++ {
			e, ok, err := store.JournalEntries.Get(tx, journal.IndexKey(a.read))
			if err != nil || !ok {
				return err
			}
			entry := s.read(keys, e)
			switch {
			case entry.Kind == "refused":
				var known bool
				if known, err = s.exists(tx, entry); err != nil {
					return err
				}
				if known {
					a.found = append(a.found, JournalOdd{Code: entry.Kind, Account: entry.By, At: entry.At, Count: 1})
				}
			case entry.Kind == "gap" || entry.Kind == "break-glass":
				a.found = append(a.found, JournalOdd{Code: entry.Kind, Account: entry.By, Replica: entry.Replica, At: entry.At, From: entry.From, Count: 1})
			case entry.About != (Subject{}):
				if o, yes := a.window.add(entry); yes {
					a.found = append(a.found, o)
				}
			}
		}
		return nil
	})
	since := s.clock() - alertDays*dayMillis
	a.found = slices.DeleteFunc(a.found, func(o JournalOdd) bool { return o.At < since })
	out := slices.Clone(a.found)
	slices.Reverse(out)
	return out, err
}

// exists reports whether there is what somebody asked for in vain.
func (s *Journal) exists(tx *store.Tx, e JournalEntry) (ok bool, err error) {
	if !e.Request.Zero() {
		_, ok, err = store.Requests.Get(tx, e.Request[:])
	}
	if len(e.Who) == 0 {
		return ok, err
	}
	who := e.Who[0]
	switch who.Collection {
	case store.Beneficiaries.Code:
		_, ok, err = store.Beneficiaries.Get(tx, who.ID[:])
	case store.Volunteers.Code:
		_, ok, err = store.Volunteers.Get(tx, who.ID[:])
	}
	return ok, err
}

// JournalVitals counts what the access journal holds, and what somebody should look at:
// the data protection officer's page says more.
type JournalVitals struct {
	Entries uint64 // in the territory's record
	Waiting uint64 // noted here and not recorded yet
	Alerts  int    // of the last thirty days
	Signed  Instant
}

func (s *Journal) vitals() (v JournalVitals, err error) {
	book, err := s.heads.book()
	if err != nil {
		return v, err
	}
	odd, err := s.alerts()
	next := book.Of(s.self).Next
	return JournalVitals{Entries: book.Size, Waiting: max(s.notes.file.next(), next) - next, Alerts: len(odd), Signed: book.Head.At}, err
}
