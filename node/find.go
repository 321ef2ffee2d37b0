package node

import (
	"slices"
	"sync"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/search"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Find finds people by what is heard on the phone. Its index is built from
// opened boxes at start, lives in memory only, and is brought up to date with
// each write before the write is acknowledged.
type Find struct {
	*core

	mu     sync.RWMutex // guards what follows against load, which replaces it
	index  *search.Index
	roster *muster
	missed *missed // nil: writes are followed at once
	built  bool
}

func newFind(c *core) *Find {
	return &Find{core: c, index: search.New(), roster: newMuster(), missed: &missed{}}
}

// Match says how somebody was found.
type Match = search.Match

// Found is somebody who was found.
type Found struct {
	Beneficiary *Beneficiary // one of the two
	Volunteer   *Volunteer
	By          Match
}

// Kinds of people to look for.
const (
	AnyPerson       search.Kind = 0
	OnlyBeneficiary             = search.Beneficiary
	OnlyVolunteer               = search.Volunteer
)

// People finds at most limit people (≤ 50) by a name as heard, a telephone
// number in any spacing or its last four digits, or a name and a commune.
func (f *Find) People(by Caller, text string, kind search.Kind, limit int) ([]Found, error) {
	if err := by.may(FindPeople); err != nil && by.may(AnswerRights) != nil {
		return nil, err
	}
	if err := shortText("q", text, 120); err != nil {
		return nil, err
	}
	f.mu.RLock()
	hits := f.index.Find(search.Query{Text: text, Kind: kind, Limit: min(limit, 50), Communes: by.within()})
	f.mu.RUnlock()
	return f.open(by, hits)
}

// Duplicates finds who may be the same person already: same number, or a name
// that sounds alike.
func (f *Find) Duplicates(by Caller, last, first Secret, phones []Secret) ([]Found, error) {
	if err := by.may(FindPeople); err != nil {
		return nil, err
	}
	d := search.Doc{Kind: search.Beneficiary, Last: last.Reveal(), First: first.Reveal()}
	for _, p := range phones {
		if e164, err := people.ParsePhone(p.Reveal()); err == nil {
			d.Phones = append(d.Phones, e164)
		}
	}
	f.mu.RLock()
	hits := f.index.Duplicates(d, 5*mostAlike)
	f.mu.RUnlock()
	found, err := f.open(by, hits) // of other desks' people nothing is said
	return found[:min(len(found), 5)], err
}

func (f *Find) open(by Caller, hits []search.Hit) ([]Found, error) {
	out := make([]Found, 0, len(hits))
	err := f.view(by, func(tx *store.Tx) error {
		for _, h := range hits {
			found := Found{By: h.By}
			if h.Kind == search.Beneficiary {
				r, ok, err := store.Beneficiaries.Get(tx, h.ID[:])
				if err != nil || !ok {
					continue
				}
				b, err := f.opening(by).beneficiary(r)
				if err != nil {
					return err
				}
				found.Beneficiary = &b
			} else {
				r, ok, err := store.Volunteers.Get(tx, h.ID[:])
				if err != nil || !ok {
					continue
				}
				v, err := f.opening(by).volunteer(r)
				if err != nil {
					return err
				}
				found.Volunteer = &v
			}
			out = append(out, found)
		}
		return nil
	})
	return out, err
}

// again builds the index anew if it was ever built: after a snapshot, or once a
// root key that was lacking is here.
func (f *Find) again() error {
	f.mu.RLock()
	built := f.built
	f.mu.RUnlock()
	if !built {
		return nil
	}
	return f.load()
}

// load builds index and roster. Writes may go on meanwhile: whom they concern is
// noted, and looked at again.
func (f *Find) load() error {
	f.mu.Lock()
	f.missed = &missed{}
	f.mu.Unlock()
	index, roster, err := f.read()
	f.mu.Lock()
	late := f.missed
	if err != nil {
		f.mu.Unlock()
		return err // the next load begins where this one did
	}
	f.index, f.roster, f.missed, f.built = index, roster, nil, true
	f.mu.Unlock()
	for _, id := range late.beneficiaries {
		f.beneficiary(id)
	}
	for _, id := range late.volunteers {
		f.volunteer(id)
	}
	for _, id := range late.imports {
		f.imported(id)
	}
	for _, e := range late.forgotten {
		f.forgotten(e)
	}
	return nil
}

// missed are those whose records changed while there was no index to follow in:
// before it is first built, while it is built again, and while a root key lacks.
type missed struct {
	beneficiaries []BeneficiaryID
	volunteers    []VolunteerID
	imports       []ImportID
	forgotten     []event.Forgotten
}

// later notes somebody for later, if there is no index to follow in now.
func (f *Find) later(note func(*missed)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.missed == nil && f.keeper.serving() != nil {
		f.missed = &missed{} // until the root key is here, which builds all anew
	}
	if f.missed != nil {
		note(f.missed)
	}
	return f.missed != nil
}

// read builds an index and a roster of one state.
func (f *Find) read() (*search.Index, *muster, error) {
	index, roster := search.New(), newMuster()
	err := f.store.View(func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		err := store.Beneficiaries.Each(tx, nil, func(r people.Beneficiary) bool {
			var yes bool
			if yes, inner = visible(tx, r.Enrolled.Import, seen); inner == nil && yes && r.Standing.Restricted == 0 {
				inner = f.putBeneficiary(index, r)
			}
			return inner == nil
		})
		if err != nil || inner != nil {
			return either(err, inner)
		}
		err = store.Volunteers.Each(tx, nil, func(r people.Volunteer) bool {
			var yes bool
			if yes, inner = visible(tx, r.Import, seen); inner == nil && yes && r.Standing.Restricted == 0 {
				roster.put(r)
				inner = f.putVolunteer(index, roster, r)
			}
			return inner == nil
		})
		return either(err, inner)
	})
	return index, roster, err
}

func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (f *Find) putBeneficiary(index *search.Index, r people.Beneficiary) error {
	b, err := f.opening(itself).beneficiary(r)
	if err != nil {
		return err
	}
	d := search.Doc{Kind: search.Beneficiary, ID: r.ID, Last: b.Words.Last.Reveal(), First: b.Words.First.Reveal(), Commune: r.Commune, CommuneName: CommuneName(r.Commune)}
	for _, p := range b.Words.Phones {
		d.Phones = append(d.Phones, p.Number.Reveal())
	}
	index.Put(d)
	return nil
}

func (f *Find) putVolunteer(index *search.Index, roster *muster, r people.Volunteer) error {
	v, err := f.opening(itself).volunteer(r)
	if err != nil {
		return err
	}
	d := search.Doc{Kind: search.Volunteer, ID: r.ID, Last: v.Words.Last.Reveal(), First: v.Words.First.Reveal(), Commune: r.Offer.Commune, CommuneName: CommuneName(r.Offer.Commune)}
	for _, p := range v.Words.Phones {
		d.Phones = append(d.Phones, p.Number.Reveal())
	}
	roster.reach(v)
	index.Put(d)
	return nil
}

// beneficiary, volunteer and imported follow a write. A box that does not open
// is damage: the node serves nothing more.
func (f *Find) beneficiary(id BeneficiaryID) {
	if f.later(func(m *missed) { m.beneficiaries = append(m.beneficiaries, id) }) {
		return
	}
	f.health.note(f.store.View(func(tx *store.Tx) error { return f.followBeneficiary(tx, id, map[ImportID]bool{}) }))
}

func (f *Find) volunteer(id VolunteerID) {
	if f.later(func(m *missed) { m.volunteers = append(m.volunteers, id) }) {
		return
	}
	f.health.note(f.store.View(func(tx *store.Tx) error { return f.followVolunteer(tx, id, map[ImportID]bool{}) }))
}

func (f *Find) imported(id ImportID) {
	if f.later(func(m *missed) { m.imports = append(m.imports, id) }) {
		return
	}
	f.health.note(f.store.View(func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		err := view.Each(tx, view.OfImport(id, view.ImportedBeneficiary), nil, false, func(b BeneficiaryID, _ []byte) bool {
			inner = f.followBeneficiary(tx, b, seen)
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		err = view.Each(tx, view.OfImport(id, view.ImportedVolunteer), nil, false, func(v VolunteerID, _ []byte) bool {
			inner = f.followVolunteer(tx, v, seen)
			return inner == nil
		})
		return either(err, inner)
	}))
}

func (f *Find) followBeneficiary(tx *store.Tx, id BeneficiaryID, seen map[ImportID]bool) error {
	r, ok, err := store.Beneficiaries.Get(tx, id[:])
	if err != nil || !ok {
		return err
	}
	yes, err := visible(tx, r.Enrolled.Import, seen)
	if err != nil {
		return err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !yes || r.Standing.Restricted != 0 {
		f.index.Delete(id)
		return nil
	}
	return f.putBeneficiary(f.index, r)
}

// forgotten takes somebody out who was erased.
func (f *Find) forgotten(e event.Forgotten) {
	if f.later(func(m *missed) { m.forgotten = append(m.forgotten, e) }) {
		return
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	switch e.Collection {
	case store.Beneficiaries.Code:
		f.index.Delete(BeneficiaryID(e.ID))
	case store.Volunteers.Code:
		f.index.Delete(VolunteerID(e.ID))
		f.roster.drop(VolunteerID(e.ID))
	}
}

func (f *Find) followVolunteer(tx *store.Tx, id VolunteerID, seen map[ImportID]bool) error {
	r, ok, err := store.Volunteers.Get(tx, id[:])
	if err != nil || !ok {
		return err
	}
	yes, err := visible(tx, r.Import, seen)
	if err != nil {
		return err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !yes || r.Standing.Restricted != 0 {
		f.index.Delete(id)
		f.roster.drop(id)
		return nil
	}
	f.roster.put(r)
	return f.putVolunteer(f.index, f.roster, r)
}

// muster holds every volunteer's record without his words, for matching: a few
// hundred bytes each. Safe for concurrent use.
type muster struct {
	mu   sync.RWMutex // guards all, for a copy
	all  []people.Volunteer
	seat map[VolunteerID]int      // where in all
	at   map[VolunteerID][]Secret // numbers in E.164 and e-mail address in small letters, for codes
}

func newMuster() *muster { return &muster{seat: map[VolunteerID]int{}, at: map[VolunteerID][]Secret{}} }

func (r *muster) put(v people.Volunteer) {
	v.Box, v.Leaf.Box = nil, nil
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.seat[v.ID]; ok {
		r.all[i] = v
		return
	}
	r.seat[v.ID] = len(r.all)
	r.all = append(r.all, v)
}

// reach notes where a volunteer is reached.
func (r *muster) reach(v Volunteer) {
	var all []Secret
	if !v.Words.Email.Empty() {
		all = append(all, crypto.NewSecret(plainAddress(v.Words.Email)))
	}
	for _, p := range v.Words.Phones {
		all = append(all, crypto.NewSecret(plainAddress(p.Number)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[v.ID] = all
}

func (r *muster) drop(id VolunteerID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.seat[id]
	if !ok {
		return
	}
	last := len(r.all) - 1
	r.all[i] = r.all[last]
	r.seat[r.all[i].ID] = i
	r.all = r.all[:last]
	delete(r.seat, id)
	delete(r.at, id)
}

// approved copies the records of those who may be asked by the caller.
func (r *muster) approved(by Caller) []people.Volunteer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]people.Volunteer, 0, len(r.all))
	for _, v := range r.all {
		if v.Status == people.Approved && by.seesHim(v) {
			out = append(out, v)
		}
	}
	return out
}

// count is how many volunteers, whom the caller may know of, stand in each status.
func (r *muster) count(by Caller) map[Status]int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := map[Status]int{}
	for _, v := range r.all {
		if by.seesHim(v) {
			n[v.Status]++
		}
	}
	return n
}

// approvedVolunteers lists who may be asked by the caller.
func (f *Find) approvedVolunteers(by Caller) []people.Volunteer {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Clip(f.roster.approved(by))
}

// VolunteerCounts is how many volunteers stand in each status.
func (f *Find) VolunteerCounts(by Caller) (map[Status]int, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.roster.count(by), nil
}
