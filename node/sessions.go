package node

import (
	"context"
	"encoding/hex"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Sessions are where somebody is signed in.
type Sessions struct {
	gate
	failed atomic.Int64 // when a renewal could not be recorded last, in milliseconds
}

// life is how long a session goes on.
type life struct {
	idle  time.Duration // unused
	whole time.Duration // however much it is used; 0: as long as idle
	note  time.Duration // how exactly its last use is known
}

// Lives. A working day for staff, who enter anew once a week, at night; volunteers open
// the page for thirty seconds a week.
var (
	staffLife     = life{12 * time.Hour, 7 * 24 * time.Hour, time.Hour}
	volunteerLife = life{30 * 24 * time.Hour, 180 * 24 * time.Hour, 24 * time.Hour}
	glassLife     = life{30 * time.Minute, 0, time.Hour}
)

func lifeOf(roles Roles, means account.Means) life {
	switch {
	case means == account.ByBreakGlass:
		return glassLife
	case roles&^(account.Volunteer|account.Association) == 0:
		return volunteerLife
	}
	return staffLife
}

// last is when a session ends however much it is used: at four in the night that
// follows, so that it is in the middle of nobody's call.
func (l life) last(opened Instant, zone *time.Location) Instant {
	if l.whole == 0 {
		return opened.Add(l.idle)
	}
	return (DayOf(opened.Add(l.whole).Time().In(zone)) + 1).At(4*60, zone)
}

// Place is one session as its owner sees it.
type Place struct {
	Ref     string // names it in forms; opens nothing
	Here    bool   // it is the caller's own
	Device  uint16 // number of a closed list of browsers and systems; 0: not known
	Bearer  bool   // a program
	Means   account.Means
	Opened  Instant
	Used    Instant // to the hour or the day
	Expires Instant
}

// List is where the caller is signed in, the last one used first.
func (s *Sessions) List(by Caller) ([]Place, error) {
	if by.Account.Zero() {
		return nil, errSignIn
	}
	return s.list(by, by.Account)
}

// Of is List for another account, for administrators and the DPO.
func (s *Sessions) Of(by Caller, of AccountID) ([]Place, error) {
	if err := s.mayEnd(by, of); err != nil {
		return nil, err
	}
	return s.list(by, of)
}

// mayEnd lets whoever watches over accounts end the sessions of others.
func (s *Sessions) mayEnd(by Caller, of AccountID) error {
	if by.Account == of && !of.Zero() {
		return nil
	}
	if err := by.may(ManageAccounts); err != nil {
		return by.may(ReadJournal)
	}
	return nil
}

func (s *Sessions) list(by Caller, of AccountID) (out []Place, err error) {
	now := s.clock()
	err = s.view(itself, func(tx *store.Tx) error {
		var ids []account.SessionID
		if err := view.Sessions(tx, of, func(id account.SessionID) { ids = append(ids, id) }); err != nil {
			return err
		}
		for _, id := range ids {
			r, ok, err := store.Sessions.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !ok || r.Expires <= now {
				continue
			}
			out = append(out, Place{
				Ref: refOf(id), Here: id == by.Session.ID, Device: r.Device, Bearer: r.Bearer, Means: r.Means,
				Opened: r.Opened, Used: r.UsedAt(), Expires: r.Expires,
			})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Place) int { return int(min(1, max(-1, b.Used-a.Used))) })
	return out, err
}

func refOf(id account.SessionID) string { return hex.EncodeToString(id[:8]) }

// End ends one session of an account: one's own, or another's for who watches over
// accounts.
func (s *Sessions) End(ctx context.Context, by Caller, of AccountID, ref string) error {
	if err := s.mayEnd(by, of); err != nil {
		return err
	}
	var found account.SessionID
	err := s.view(itself, func(tx *store.Tx) error {
		return view.Sessions(tx, of, func(id account.SessionID) {
			if refOf(id) == ref {
				found = id
			}
		})
	})
	if err != nil {
		return err
	}
	_, err = s.propose(ctx, command.CloseSession{Stamp: s.stamp(by, ""), ID: found})
	if isCode(err, "no-session") {
		return nil // it is over
	}
	return err
}

// EndAll ends all sessions of an account but the caller's own.
func (s *Sessions) EndAll(ctx context.Context, by Caller, of AccountID) error {
	if err := s.mayEnd(by, of); err != nil {
		return err
	}
	_, err := s.propose(ctx, command.EndSessions{Stamp: s.stamp(by, ""), Account: of, But: by.Session.ID})
	return err
}

// usedMessage says to the leader that a session was used.
type usedMessage struct {
	Session account.SessionID `cbor:"1,keyasint"`
}

// Of a renewal.
const (
	renewFor   = time.Second         // so long a page waits for it
	renewAgain = 60_000 * Instant(1) // so long after one that failed none is tried, in milliseconds
)

// use lets the session of a caller go on, at most once an hour or a day: what is used
// does not end in the middle of a call. What cannot be recorded is tried again later.
func (s *Sessions) use(ctx context.Context, by Caller) {
	now := s.clock()
	l := lifeOf(by.Hats, by.Session.Means)
	if l.whole == 0 || by.Session.Bearer || now < by.Session.UsedAt().Add(l.note) || now < Instant(s.failed.Load())+renewAgain {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewFor)
	defer cancel()
	var err error
	if s.peers == nil {
		_, err = s.renew(ctx, usedMessage{by.Session.ID})
	} else {
		_, err = askLeader(ctx, s.peers, "/used", s.renew, usedMessage{by.Session.ID})
	}
	if err != nil {
		s.failed.Store(int64(now))
	}
}

// renew records it, at the leader.
func (s gate) renew(ctx context.Context, in usedMessage) (nothing, error) {
	var r account.Session
	var acc account.Account
	err := s.view(itself, func(tx *store.Tx) (err error) {
		if r, _, err = store.Sessions.Get(tx, in.Session[:]); err == nil {
			acc, _, err = store.Accounts.Get(tx, r.Account[:])
		}
		return err
	})
	if err != nil || r.ID != in.Session || acc.ID.Zero() {
		return nothing{}, err
	}
	if _, behind := s.members.behind(command.LevelOf(command.KindUseSession)); behind {
		return nothing{}, nil
	}
	now := s.clock()
	l := lifeOf(acc.Roles, r.Means)
	if now < r.UsedAt().Add(l.note) {
		return nothing{}, nil // another page was first
	}
	used := Instant(now.Time().Truncate(l.note).UnixMilli())
	_, err = s.propose(ctx, command.UseSession{Stamp: s.own(), ID: r.ID, Used: max(used, r.UsedAt()+1), Expires: min(now.Add(l.idle), l.last(r.Opened, s.zone()))})
	return nothing{}, err
}
