package machine

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// forgetting takes one record after the other out of everything that names it.
// The same code serves an erasure and a restore that finds people without a key.
type forgetting struct{ *act }

// closedHers reports whether nothing of hers is open any more.
func (a erasures) closedHers(b ident.Beneficiary) bool {
	if a.hasOpenRequest(b) || len((bonds{a.act}).alive(b)) > 0 {
		return false
	}
	for _, s := range listed(a.act, store.Series, view.SeriesOf(b)) {
		if s.State != series.Ended {
			return false
		}
	}
	return true
}

// closedHis reports whether nobody expects him any more, or waits for his answer.
func (a erasures) closedHis(v ident.Volunteer) bool {
	for _, r := range listed(a.act, store.Requests, view.Mentions(v)) {
		if asked, there := r.Asking(v); there && !r.State.Closed() && (asked.Answer == request.Yes || asked.Answer == request.Waiting && r.State.Looking()) {
			return false
		}
	}
	for _, o := range listed(a.act, store.Offers, view.OffersOf(v)) {
		if o.State.Live() {
			return false
		}
	}
	for _, b := range listed(a.act, store.Bonds, view.BondsOf(v)) {
		if b.State == bond.Alive {
			return false
		}
	}
	if (crossings{a.act}).expected(v) {
		return false
	}
	for _, s := range listed(a.act, store.Series, view.StandingIn(v)) {
		if s.State != series.Ended {
			return false
		}
	}
	return true
}

// listed reads the records of a list.
func listed[R store.Record](a *act, c store.Collection[R], l view.List) (out []R) {
	for _, id := range list[struct{}](a, l) {
		r, ok, err := c.Get(a.tx, id[:])
		a.must(err)
		if ok {
			out = append(out, r)
		}
	}
	return out
}

// close ends what is open of somebody who is to be forgotten, so that nobody
// stands at a door in vain: her volunteers lose the visit as when a request is
// dropped, and she whom he had promised is called as when he leaves.
func (a forgetting) close(p person, counts []command.Closing) {
	switch p.Collection {
	case store.Beneficiaries.Code:
		she := ident.Beneficiary(p.ID)
		for _, r := range listed(a.act, store.Requests, view.OfPerson(she)) {
			if r.State.Closed() && !r.NeedsCall() {
				continue
			}
			a.saveRequest(&r, r.Close(a.stamp.At))
			if i := slices.IndexFunc(counts, func(c command.Closing) bool { return c.Request == r.ID }); i >= 0 && !r.State.Closed() {
				a.count(whom{her: she}, counts[i].Counts, public.Cancelled)
			}
		}
		a.endSeriesOf(she)
		bonds{a.act}.gone(she)
	case store.Volunteers.Code:
		he := ident.Volunteer(p.ID)
		a.freeSeats(he, ident.Beneficiary{})
		offers{a.act}.leave(he)
		crossings{a.act}.leave(he)
		for _, before := range listed(a.act, store.Bonds, view.BondsOf(he)) {
			if after, err := before.End(before.Version, bond.Gone, a.stamp.At); err == nil {
				save(a.act, store.Bonds, &before, &after, after.ID[:], after.Version)
			}
		}
	}
}

// forget removes a record, everything sealed under its key and every mention of
// it, and leaves the word that it is gone. Counters stay: they name nobody.
func (a forgetting) forget(collection byte, id [16]byte, at when.At) {
	kept := erasure.Gone{Collection: collection, ID: id, At: at}
	switch collection {
	case store.Beneficiaries.Code:
		a.her(ident.Beneficiary(id), at)
	case store.Volunteers.Code:
		a.him(ident.Volunteer(id), at)
	case store.Accounts.Code:
		endSessions(a.act, ident.Account(id))
		acc, err := find(a.act, store.Accounts, id[:], refuse.NoAccount)
		a.must(err)
		kept.Login = acc.Login
		if set := (entering{a.act}).set(acc.ID); set.Version > 0 {
			remove(a.act, store.Credentials, set, acc.ID)
		}
		remove(a.act, store.Accounts, acc, ident.Account(id))
	case store.JournalMonths.Code:
		store.JournalMonths.Delete(a.tx, id[:])
	case store.Imports.Code:
		i, err := find(a.act, store.Imports, id[:], refuse.NoImport)
		a.must(err)
		remove(a.act, store.Imports, i, ident.Import(id))
		handovers{a.act}.forgetImport(ident.Import(id))
	}
	demands{a.act}.forget(collection, id)
	store.Tallies.Delete(a.tx, erasure.Key(collection, id))
	store.Gone.Put(a.tx, kept)
	view.Update(a.tx, nil, &kept)
	a.happen(event.Forgotten{Collection: collection, ID: id})
}

// her forgets a beneficiary. What was done for her stays with those who came,
// without a name; of the rest nothing stays.
func (a forgetting) her(id ident.Beneficiary, at when.At) {
	for _, before := range listed(a.act, store.Requests, view.OfPerson(id)) {
		if before.State != request.Done {
			dropped := before
			dropped.State = request.Cancelled
			offers{a.act}.release(before, dropped)
			a.removeWithWord(before, at)
			continue
		}
		after := before.WithoutHer()
		a.must(store.DropHistory(a.tx, store.Requests.Code, before.ID[:])) // the desk's work on her dossier
		save(a.act, store.Requests, &before, &after, after.ID[:], after.Version)
	}
	for _, t := range listed(a.act, store.Attempts, view.CallsTo(id)) {
		remove(a.act, store.Attempts, t, t.ID)
	}
	for _, s := range listed(a.act, store.Series, view.SeriesOf(id)) {
		leave(a.act, store.Series, s, s.ID, at)
	}
	for _, b := range listed(a.act, store.Bonds, view.BondsOf(id)) {
		leave(a.act, store.Bonds, b, b.ID, at)
	}
	for _, before := range listed(a.act, store.Offers, view.DeclinedBy(id)) {
		after := before.Without(id)
		offers{a.act}.save(before, after)
	}
	handovers{a.act}.forgetHer(id)
	b, err := find(a.act, store.Beneficiaries, id[:], refuse.NoBeneficiary)
	a.must(err)
	demands{a.act}.part(store.Beneficiaries.Code, id, b.Standing.Same)
	remove(a.act, store.Beneficiaries, b, id)
}

// removeWithWord removes a request that was not done; its ID is not used again.
func (a forgetting) removeWithWord(r request.Request, at when.At) {
	crossings{a.act}.forgetRequest(r.ID)
	leave(a.act, store.Requests, r, r.ID, at)
	a.happen(event.Forgotten{Collection: store.Requests.Code, ID: r.ID})
}

// him forgets a volunteer. Other people's records go on without his name.
func (a forgetting) him(id ident.Volunteer, at when.At) {
	for _, before := range listed(a.act, store.Requests, view.Mentions(id)) {
		after := before.Without(id)
		save(a.act, store.Requests, &before, &after, after.ID[:], after.Version)
		a.happen(event.RequestChanged{ID: after.ID, Beneficiary: after.Beneficiary, State: after.State, By: a.stamp.By})
	}
	for _, before := range listed(a.act, store.Series, view.StandingIn(id)) {
		after := before.Without(id)
		save(a.act, store.Series, &before, &after, after.ID[:], after.Version)
	}
	for _, before := range listed(a.act, store.Beneficiaries, view.NamedBy(id)) {
		after := before.Without(id)
		save(a.act, store.Beneficiaries, &before, &after, after.ID[:], after.Version)
		a.happen(event.BeneficiaryChanged{ID: after.ID})
	}
	for _, o := range listed(a.act, store.Offers, view.OffersOf(id)) {
		leave(a.act, store.Offers, o, o.ID, at)
	}
	for _, b := range listed(a.act, store.Bonds, view.BondsOf(id)) {
		leave(a.act, store.Bonds, b, b.ID, at)
	}
	crossings{a.act}.forgetVolunteer(id)
	v, err := find(a.act, store.Volunteers, id[:], refuse.NoVolunteer)
	a.must(err)
	demands{a.act}.part(store.Volunteers.Code, id, v.Standing.Same)
	remove(a.act, store.Volunteers, v, id)
}

// remove takes a record out with its rows and its history.
func remove[R store.Record, N any](a *act, c store.Collection[R], r R, id ident.ID[N]) {
	c.Delete(a.tx, id[:])
	view.Update(a.tx, &r, nil)
	a.must(store.DropHistory(a.tx, c.Code, id[:]))
}

// leave removes a record and leaves the word that it is gone, so that its ID is
// not used again.
func leave[R store.Record, N any](a *act, c store.Collection[R], r R, id ident.ID[N], at when.At) {
	remove(a, c, r, id)
	store.Gone.Put(a.tx, erasure.Gone{Collection: c.Code, ID: id, At: at})
}
