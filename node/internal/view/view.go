// Package view says in which lists a record stands. A view row is a key without
// a value, and the rows of a record follow from the record alone: so the views
// are kept by writing the rows of the new record and dropping those of the old
// one, and made again by walking the records.
package view

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
)

// Version is raised when a view is added, changed or removed. A store with
// another version is rebuilt before the node serves.
const Version = 6

// Prefixes of the views. What follows is listed in order; a row ends with the ID
// of its record.
const (
	byCommune    = 'b' // commune, beneficiary
	byStatus     = 'v' // status, volunteer
	byState      = 'r' // state, latest day, request
	byPerson     = 'p' // beneficiary, request
	looking      = 'o' // commune, request that looks for volunteers
	waiting      = 'q' // volunteer, request that waits for his answer
	seated       = 's' // volunteer, start, request that he accepted
	planned      = 'd' // start, request that is covered
	toCall       = 'c' // beneficiary, request of which she must hear
	attempts     = 'a' // beneficiary, attempt
	logins       = 'l' // login, zero byte, account
	sessions     = 'n' // account, session
	expiries     = 'x' // expiry, session
	accountOf    = 'u' // volunteer, or beneficiary who has a card, account
	ofImport     = 'i' // import, kind, person
	accountsList = 'k' // account
	seriesOf     = 'w' // beneficiary, series
	occurrences  = 'W' // series, day, request
	doneAt       = 'T' // when it was said to be done, request
	habits       = 'H' // commune, kind, start, beneficiary, request that took place
	offersOf     = 'f' // volunteer, offer
	liveOffers   = 'F' // end of its day, offer that is not over
	bondsOf      = 'B' // beneficiary or volunteer, bond
	bondsDue     = 'N' // next check, bond that is alive
	named        = '(' // volunteer, beneficiary who prefers or refuses him
	mentions     = ')' // volunteer, request in which he stands at all
	standing     = '*' // volunteer, series whose terms name him
	declined     = '+' // beneficiary, offer that she said no to
	roots        = ',' // root key that was replaced or came, erasure
	pending      = '-' // erasure that is not certain yet
	crossNamed   = '.' // volunteer, offer to neighbours in which he stands
	crossFor     = '/' // request, interest in a neighbour's offer
	passkeys     = '<' // digest of a passkey's ID, account
	links        = '=' // digest of somebody at another's door, account
	crossLive    = ':' // 1: offer to neighbours, 2: interest in one, on which something may follow
	casesOf      = '?' // collection, person, case
	openCases    = '@' // last day, case that is not closed
	restricted   = '[' // collection, beneficiary or volunteer whom only the DPO sees
)

// What of help across borders is alive.
const (
	liveCrossOffer = 1
	liveInterest   = 2
)

// Kinds of person in an import's rows.
const (
	ImportedBeneficiary = 1
	ImportedVolunteer   = 2
)

// Rows are the rows in which r stands.
func Rows[R store.Record](r R) [][]byte { return rowsOf(r) }

// rowsOf a record. It is written out once, not once for each type of record.
func rowsOf(r any) [][]byte {
	switch r := r.(type) {
	case people.Beneficiary:
		rows := [][]byte{row(byCommune, []byte(r.Commune), r.ID[:])}
		if r.Standing.Restricted != 0 {
			rows = append(rows, row(restricted, []byte{store.Beneficiaries.Code}, r.ID[:]))
		}
		if !r.Enrolled.Import.Zero() {
			rows = append(rows, row(ofImport, r.Enrolled.Import[:], []byte{ImportedBeneficiary}, r.ID[:]))
		}
		for _, v := range slices.Concat(r.Preferred, r.Refused) {
			rows = add(rows, row(named, v[:], r.ID[:]))
		}
		return rows
	case people.Volunteer:
		rows := [][]byte{row(byStatus, []byte{byte(r.Status)}, r.ID[:])}
		if r.Standing.Restricted != 0 {
			rows = append(rows, row(restricted, []byte{store.Volunteers.Code}, r.ID[:]))
		}
		if !r.Import.Zero() {
			rows = append(rows, row(ofImport, r.Import[:], []byte{ImportedVolunteer}, r.ID[:]))
		}
		return rows
	case request.Request:
		return requestRows(r)
	case contact.Attempt:
		return [][]byte{row(attempts, r.Beneficiary[:], r.ID[:])}
	case account.Account:
		rows := [][]byte{row(logins, []byte(r.Login), []byte{0}, r.ID[:]), row(accountsList, r.ID[:])}
		if !r.Of.Zero() {
			rows = append(rows, row(accountOf, r.Of[:], r.ID[:]))
		}
		if !r.Her.Zero() {
			rows = append(rows, row(accountOf, r.Her[:], r.ID[:]))
		}
		return rows
	case account.Session:
		return [][]byte{row(sessions, r.Account[:], r.ID[:]), row(expiries, instant(r.Expires), r.ID[:])}
	case series.Series:
		rows := [][]byte{row(seriesOf, r.Beneficiary[:], r.ID[:])}
		for _, v := range r.Terms.Standing {
			rows = add(rows, row(standing, v[:], r.ID[:]))
		}
		return rows
	case offer.Offer:
		rows := [][]byte{row(offersOf, r.Volunteer[:], r.ID[:])}
		if r.State.Live() {
			rows = append(rows, row(liveOffers, instant(r.Trip.Until), r.ID[:]))
		}
		for _, b := range r.Declined {
			rows = add(rows, row(declined, b[:], r.ID[:]))
		}
		return rows
	case bond.Bond:
		rows := [][]byte{row(bondsOf, r.Beneficiary[:], r.ID[:]), row(bondsOf, r.Volunteer[:], r.ID[:])}
		if r.State == bond.Alive {
			rows = append(rows, row(bondsDue, day(r.NextCheck), r.ID[:]))
		}
		return rows
	case across.Offer:
		var rows [][]byte
		for _, v := range r.Names() {
			rows = append(rows, row(crossNamed, v[:], r.ID[:]))
		}
		if r.Waits() {
			rows = append(rows, row(crossLive, []byte{liveCrossOffer}, r.ID[:]))
		}
		return rows
	case across.Interest:
		var rows [][]byte
		if !r.Request.Zero() {
			rows = append(rows, row(crossFor, r.Request[:], r.ID[:]))
		}
		if r.State.Live() {
			rows = append(rows, row(crossLive, []byte{liveInterest}, r.ID[:]))
		}
		return rows
	case rights.Case:
		var rows [][]byte
		if r.Collection != 0 {
			rows = append(rows, row(casesOf, []byte{r.Collection}, r.Who[:], r.ID[:]))
		}
		if !r.State.Closed() {
			rows = append(rows, row(openCases, day(r.Due), r.ID[:]))
		}
		return rows
	case credential.Set:
		var rows [][]byte
		for _, p := range r.Passkeys {
			id := sha256.Sum256(p.ID)
			rows = add(rows, row(passkeys, id[:], r.Account[:]))
		}
		for _, l := range r.Links {
			rows = add(rows, row(links, l.Digest[:], r.Account[:]))
		}
		return rows
	case erasure.Gone:
		if r.Login == "" {
			return nil
		}
		return [][]byte{row(logins, []byte(r.Login), []byte{0}, r.ID[:])} // taken for ever
	case erasure.Erasure:
		rows := [][]byte{row(roots, r.From[:], r.ID[:]), row(roots, r.To[:], r.ID[:])}
		if r.Certified == 0 {
			rows = append(rows, row(pending, r.ID[:]))
		}
		return rows
	case catalogue.ActionType, people.Import, territory.Territory, replica.Replica, replica.Invitation, replica.Release, erasure.Wanted, backup.Destination,
		rights.Sorting, rights.Breach, credential.Glass:
		return nil // few: read whole
	}
	panic(fmt.Sprintf("view: no rows for %T", r))
}

func requestRows(r request.Request) [][]byte {
	var rows [][]byte
	if r.State != request.Forgotten {
		rows = requestRowsOfHers(r)
	}
	for _, a := range r.Askings {
		if a.Answer == request.Yes && r.State != request.Cancelled && r.State != request.Unfilled && !a.Volunteer.Zero() {
			rows = append(rows, row(seated, a.Volunteer[:], instant(r.Plan.Start), r.ID[:]))
		}
	}
	for _, v := range request.Mentioned(r) {
		rows = append(rows, row(mentions, v[:], r.ID[:]))
	}
	return rows
}

// requestRowsOfHers are the rows of a request as long as she is known.
func requestRowsOfHers(r request.Request) [][]byte {
	rows := [][]byte{
		row(byState, []byte{byte(r.State)}, day(r.Wish.Latest()), r.ID[:]),
		row(byPerson, r.Beneficiary[:], r.ID[:]),
	}
	if !r.Series.Zero() {
		rows = append(rows, row(occurrences, r.Series[:], day(r.Occurrence), r.ID[:]))
	}
	if r.State.Looking() {
		rows = append(rows, row(looking, []byte(r.Commune), r.ID[:]))
	}
	if r.State == request.Covered || r.State == request.Told {
		rows = append(rows, row(planned, instant(r.Plan.Start), r.ID[:]))
	}
	if r.State == request.Done {
		rows = append(rows,
			row(doneAt, instant(r.Outcome.At), r.ID[:]),
			row(habits, []byte(r.Commune), r.Type[:], instant(r.Plan.Start), r.Beneficiary[:], r.ID[:]))
	}
	if r.NeedsCall() {
		rows = append(rows, row(toCall, r.Beneficiary[:], r.ID[:]))
	}
	for _, a := range r.Askings {
		if a.Answer == request.Waiting && r.State.Looking() {
			rows = append(rows, row(waiting, a.Volunteer[:], r.ID[:]))
		}
	}
	return rows
}

// add appends a row that is not there.
func add(rows [][]byte, r []byte) [][]byte {
	if holds(rows, r) {
		return rows
	}
	return append(rows, r)
}

// Update replaces the rows of before by those of after. Either may be nil.
func Update[R store.Record](tx *store.Tx, before, after *R) {
	var old, now [][]byte
	if before != nil {
		old = Rows(*before)
	}
	if after != nil {
		now = Rows(*after)
	}
	replace(tx, old, now)
}

func replace(tx *store.Tx, old, now [][]byte) {
	for _, r := range old {
		if !holds(now, r) {
			tx.DropRow(r)
		}
	}
	for _, r := range now {
		if !holds(old, r) {
			tx.AddRow(r)
		}
	}
}

func holds(rows [][]byte, r []byte) bool {
	for _, have := range rows {
		if bytes.Equal(have, r) {
			return true
		}
	}
	return false
}

// Rebuild makes every view again. Nobody reads meanwhile.
func Rebuild(s *store.Store) error {
	if err := s.DropViews(); err != nil {
		return err
	}
	for _, step := range []func(*store.Store) error{
		rebuild(store.Beneficiaries, func(r people.Beneficiary) []byte { return r.ID[:] }),
		rebuild(store.Volunteers, func(r people.Volunteer) []byte { return r.ID[:] }),
		rebuild(store.Requests, func(r request.Request) []byte { return r.ID[:] }),
		rebuild(store.Accounts, func(r account.Account) []byte { return r.ID[:] }),
		rebuild(store.Sessions, func(r account.Session) []byte { return r.ID[:] }),
		rebuild(store.Attempts, func(r contact.Attempt) []byte { return r.ID[:] }),
		rebuild(store.Series, func(r series.Series) []byte { return r.ID[:] }),
		rebuild(store.Offers, func(r offer.Offer) []byte { return r.ID[:] }),
		rebuild(store.Bonds, func(r bond.Bond) []byte { return r.ID[:] }),
		rebuild(store.CrossOffers, func(r across.Offer) []byte { return r.ID[:] }),
		rebuild(store.Interests, func(r across.Interest) []byte { return r.ID[:] }),
		rebuild(store.Cases, func(r rights.Case) []byte { return r.ID[:] }),
		rebuild(store.Gone, func(r erasure.Gone) []byte { return erasure.Key(r.Collection, r.ID) }),
		rebuild(store.Credentials, func(r credential.Set) []byte { return r.Account[:] }),
		rebuild(store.Erasures, func(r erasure.Erasure) []byte { return r.ID[:] }),
	} {
		if err := step(s); err != nil {
			return err
		}
	}
	return s.Update(func(tx *store.Tx) error {
		tx.SetMeta("views", Version)
		return nil
	})
}

// Restored makes the views fit what a restore has put together: those of sessions
// go, those of erasures are made again, and all of them when this program keeps
// them otherwise than the one that wrote the backup. Nobody reads meanwhile.
func Restored(s *store.Store) error {
	var version uint64
	err := s.View(func(tx *store.Tx) (err error) {
		version, err = tx.Meta("views")
		return err
	})
	switch {
	case err != nil:
		return err
	case version != Version:
		return Rebuild(s)
	}
	if err := s.DropViews(sessions, expiries, roots, pending); err != nil {
		return err
	}
	return rebuild(store.Erasures, func(r erasure.Erasure) []byte { return r.ID[:] })(s)
}

// rebuildStep is how many records one transaction takes.
const rebuildStep = 1000

func rebuild[R store.Record](c store.Collection[R], id func(R) []byte) func(*store.Store) error {
	return func(s *store.Store) error {
		var after []byte
		for {
			n := 0
			err := s.Update(func(tx *store.Tx) error {
				var found []R
				err := c.Each(tx, after, func(r R) bool {
					found = append(found, r)
					return len(found) < rebuildStep
				})
				for _, r := range found {
					Update(tx, nil, &r)
				}
				if n = len(found); n > 0 {
					after = bytes.Clone(id(found[n-1]))
				}
				return err
			})
			if err != nil || n == 0 {
				return err
			}
		}
	}
}

func row(view byte, parts ...[]byte) []byte {
	r := []byte{view}
	for _, p := range parts {
		r = append(r, p...)
	}
	return r
}

func instant(at when.At) []byte { return binary.BigEndian.AppendUint64(nil, uint64(at)) }

// day sorts requests without a last day behind those with one.
func day(d when.Day) []byte {
	if d == 0 {
		return []byte{0xff, 0xff, 0xff, 0xff}
	}
	return binary.BigEndian.AppendUint32(nil, uint32(d))
}

// last is the ID at the end of a row.
func last[N any](row []byte) ident.ID[N] { return ident.ID[N](row[len(row)-16:]) }
