package view

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// List names one view and what of it is wanted: all rows below a prefix.
type List struct{ prefix []byte }

// Lists of requests.
func InState(s request.State) List            { return List{row(byState, []byte{byte(s)})} }
func OfPerson(b ident.Beneficiary) List       { return List{row(byPerson, b[:])} }
func Looking(commune string) List             { return List{row(looking, []byte(commune))} }
func WaitingFor(v ident.Volunteer) List       { return List{row(waiting, v[:])} }
func SeatsOf(v ident.Volunteer) List          { return List{row(seated, v[:])} }
func ToCall(b ident.Beneficiary) List         { return List{row(toCall, b[:])} }
func ToCallAll() List                         { return List{row(toCall)} }
func CallsTo(b ident.Beneficiary) List        { return List{row(attempts, b[:])} }
func InCommune(commune string) List           { return List{row(byCommune, []byte(commune))} }
func AllByCommune() List                      { return List{row(byCommune)} }
func InStatus(s people.Status) List           { return List{row(byStatus, []byte{byte(s)})} }
func SessionsOf(a ident.Account) List         { return List{row(sessions, a[:])} }
func AccountsOf[N any](who ident.ID[N]) List  { return List{row(accountOf, who[:])} }
func Accounts() List                          { return List{row(accountsList)} }
func OffersOf(v ident.Volunteer) List         { return List{row(offersOf, v[:])} }
func LiveOffers() List                        { return List{row(liveOffers)} }
func BondsOf[N any](who ident.ID[N]) List     { return List{row(bondsOf, who[:])} }
func Bonds() List                             { return List{row(bondsDue)} }
func OfImport(i ident.Import, kind byte) List { return List{row(ofImport, i[:], []byte{kind})} }
func SeriesOf(b ident.Beneficiary) List       { return List{row(seriesOf, b[:])} }
func NamedBy(v ident.Volunteer) List          { return List{row(named, v[:])} }
func Mentions(v ident.Volunteer) List         { return List{row(mentions, v[:])} }
func StandingIn(v ident.Volunteer) List       { return List{row(standing, v[:])} }
func DeclinedBy(b ident.Beneficiary) List     { return List{row(declined, b[:])} }
func OpenCases() List                         { return List{row(openCases)} }
func Restricted(collection byte) List         { return List{row(restricted, []byte{collection})} }
func AnyRestricted() List                     { return List{row(restricted)} }
func PendingErasures() List                   { return List{row(pending)} }
func CrossOffersOf(v ident.Volunteer) List    { return List{row(crossNamed, v[:])} }
func InterestsFor(r ident.Request) List       { return List{row(crossFor, r[:])} }
func LiveCrossOffers() List                   { return List{row(crossLive, []byte{liveCrossOffer})} }
func LiveInterests() List                     { return List{row(crossLive, []byte{liveInterest})} }

// Some reports whether there is any row.
func Some(tx *store.Tx, l List) (some bool, err error) {
	err = tx.EachRow(l.prefix, nil, false, func([]byte) bool {
		some = true
		return false
	})
	return some, err
}

// CasesOf are those about one person.
func CasesOf(collection byte, id [16]byte) List { return List{row(casesOf, []byte{collection}, id[:])} }

// Each calls f with the ID at the end of each row, from the row after the cursor
// on (nil: from the start; newest first with reverse), until f says stop. The
// cursor handed to f continues behind that row.
func Each[N any](tx *store.Tx, l List, cursor []byte, reverse bool, f func(id ident.ID[N], cursor []byte) (more bool)) error {
	var from []byte
	switch {
	case cursor != nil && reverse:
		from = row(l.prefix[0], l.prefix[1:], cursor)
	case cursor != nil:
		from = append(row(l.prefix[0], l.prefix[1:], cursor), 0)
	}
	return tx.EachRow(l.prefix, from, reverse, func(row []byte) bool {
		rest := row[len(l.prefix):]
		if reverse && cursor != nil && string(rest) == string(cursor) {
			return true
		}
		return f(last[N](row), rest)
	})
}

// Planned calls f with the covered requests that start within [from, to), in
// order of time.
func Planned(tx *store.Tx, from, to when.At, f func(ident.Request) (more bool)) error {
	prefix := row(planned)
	return tx.EachRow(prefix, row(planned, instant(from)), false, func(r []byte) bool {
		if when.At(binary.BigEndian.Uint64(r[1:9])) >= to {
			return false
		}
		return f(ident.Request(r[len(r)-16:]))
	})
}

// Seats calls f with the requests that v accepted and that start within
// [from, to), in order of time.
func Seats(tx *store.Tx, v ident.Volunteer, from, to when.At, f func(id ident.Request, start when.At) (more bool)) error {
	return tx.EachRow(row(seated, v[:]), row(seated, v[:], instant(max(0, from))), false, func(r []byte) bool {
		start := when.At(binary.BigEndian.Uint64(r[17:25]))
		return start < to && f(ident.Request(r[len(r)-16:]), start)
	})
}

// Occurrences calls f with the requests that a series made for the day from and
// later ones, in order of those days.
func Occurrences(tx *store.Tx, s ident.Series, from when.Day, f func(id ident.Request, d when.Day) (more bool)) error {
	return tx.EachRow(row(occurrences, s[:]), row(occurrences, s[:], day(from)), false, func(r []byte) bool {
		return f(ident.Request(r[len(r)-16:]), when.Day(binary.BigEndian.Uint32(r[17:21])))
	})
}

// DoneSince calls f with what was said to be done at from or later, the newest
// first.
func DoneSince(tx *store.Tx, from when.At, f func(ident.Request) (more bool)) error {
	return tx.EachRow(row(doneAt), nil, true, func(r []byte) bool {
		return when.At(binary.BigEndian.Uint64(r[1:9])) >= from && f(ident.Request(r[len(r)-16:]))
	})
}

// Habits calls f with the actions of a kind that took place in a commune and
// began at from or later: for whom, and when, in order of time.
func Habits(tx *store.Tx, commune string, kind ident.ActionType, from when.At, f func(she ident.Beneficiary, start when.At)) error {
	prefix := row(habits, []byte(commune), kind[:])
	return tx.EachRow(prefix, row(habits, []byte(commune), kind[:], instant(max(0, from))), false, func(r []byte) bool {
		at := len(prefix)
		f(ident.Beneficiary(r[at+8:at+24]), when.At(binary.BigEndian.Uint64(r[at:at+8])))
		return true
	})
}

// OffersUntil calls f with the live offers whose day is over at that instant,
// the oldest first.
func OffersUntil(tx *store.Tx, at when.At, f func(ident.Offer) (more bool)) error {
	return tx.EachRow(row(liveOffers), nil, false, func(r []byte) bool {
		return when.At(binary.BigEndian.Uint64(r[1:9])) <= at && f(ident.Offer(r[len(r)-16:]))
	})
}

// ByLogin finds an account.
func ByLogin(tx *store.Tx, login string) (id ident.Account, ok bool, err error) {
	err = tx.EachRow(row(logins, []byte(login), []byte{0}), nil, false, func(r []byte) bool {
		id, ok = ident.Account(r[len(r)-16:]), true
		return false
	})
	return id, ok, err
}

// ByPasskey finds the account of a passkey by the ID that the browser says.
func ByPasskey(tx *store.Tx, id []byte) (ident.Account, bool, error) {
	sum := sha256.Sum256(id)
	return holder(tx, row(passkeys, sum[:]))
}

// ByLink finds the account of somebody at another's door.
func ByLink(tx *store.Tx, d credential.Digest) (ident.Account, bool, error) {
	return holder(tx, row(links, d[:]))
}

// holder is the account at the end of the one row below a prefix.
func holder(tx *store.Tx, prefix []byte) (id ident.Account, ok bool, err error) {
	err = tx.EachRow(prefix, nil, false, func(r []byte) bool {
		id, ok = ident.Account(r[len(r)-16:]), true
		return false
	})
	return id, ok, err
}

// Sessions calls f with the sessions of an account.
func Sessions(tx *store.Tx, a ident.Account, f func(account.SessionID)) error {
	return tx.EachRow(SessionsOf(a).prefix, nil, false, func(r []byte) bool {
		f(account.SessionID(r[len(r)-32:]))
		return true
	})
}

// Expired calls f with sessions that end before the instant.
func Expired(tx *store.Tx, before when.At, f func(account.SessionID) (more bool)) error {
	return tx.EachRow(row(expiries), nil, false, func(r []byte) bool {
		return when.At(binary.BigEndian.Uint64(r[1:9])) < before && f(account.SessionID(r[len(r)-32:]))
	})
}

// EachToCall calls f with every request of which somebody must hear, sorted by
// person.
func EachToCall(tx *store.Tx, f func(ident.Beneficiary, ident.Request) (more bool)) error {
	return tx.EachRow(row(toCall), nil, false, func(r []byte) bool {
		return f(ident.Beneficiary(r[1:17]), ident.Request(r[17:33]))
	})
}

// KnownRoot reports whether an erasure has replaced a root, or brought it.
func KnownRoot(tx *store.Tx, root crypto.KeyID) (known bool, err error) {
	err = tx.EachRow(row(roots, root[:]), nil, false, func([]byte) bool {
		known = true
		return false
	})
	return known, err
}
