package federation

import (
	"context"
	"fmt"
	"time"

	"github.com/bippop/bippop/federation/public"
)

// status is what a hub says to a request.
type status uint8

const (
	statusOK      status = 0
	statusBehind  status = 1 // the hub knows more of your feed than you
	statusFork    status = 2 // your feed is frozen
	statusRevoked status = 3 // you are not on the roster
	statusExpired status = 4 // the hub's roster has expired
	statusLater   status = 5 // not now: after so many seconds
	statusQuota   status = 6
	statusBad     status = 7 // what you sent does not hold
	statusVersion status = 8 // no common version of the protocol
	statusRole    status = 9 // the roster does not give you this
	statusGap     status = 10
	statusKind    status = 11 // a kind that is not in use, or that the hub does not know
	statusClock   status = 12 // an entry of a day that has not come
	statuses             = 13
)

var statusWords = [statuses]string{
	"ok", "the hub knows more of this feed than this node does", "the feed is frozen at the hub: a new epoch in the roster opens it again",
	"this node is not on the hub's roster", "the hub's roster has expired", "the hub asks to come back later", "the day's quota is spent",
	"the hub refuses what was sent as false", "the hub speaks no version of the protocol that this program does: install the newer one",
	"the roster does not give this node what it asked for", "entries are missing at the hub", "the hub does not take this kind of message: is the roster the newest?",
	"the hub's clock says that this day has not come: check both clocks",
}

func (s status) String() string {
	if s < statuses {
		return statusWords[s]
	}
	return fmt.Sprintf("the hub answers %d, which this program does not know", uint8(s))
}

// refused is a status other than OK as an error.
type refused struct {
	status status
	after  time.Duration
}

func (r refused) Error() string { return r.status.String() }

// protocolVersion is the only one so far.
const protocolVersion = 1

// helloAsk is who calls. There is no term of an election in it: within an epoch the
// newest caller speaks, and what counts is what a quorum has signed.
type helloAsk struct {
	_        struct{} `cbor:",toarray"`
	Min, Max uint8    // versions
	Siren    public.Siren
	Epoch    uint16
	Size     uint64 // of the own feed; 0: not known, or nothing said yet
	Roster   uint64 // version
	Others   uint8  // of how many more hubs the word is wanted; 0, but before the first words
}

// helloAnswer is what the hub knows.
type helloAnswer struct {
	_          struct{} `cbor:",toarray"`
	Status     status
	After      uint32   // seconds, with statusLater
	Roster     uint64   // version
	Time       int64    // seconds since 1970
	Checkpoint []byte   // newest of the caller's feed in its epoch; a witness has signed it now, also of nothing
	Others     [][]byte // what other hubs say to the same, as many as were wanted or fewer
}

// hello answers the first stream of a connection.
func (b *hub) hello(ctx context.Context, l *link, who standing) error {
	ask, err := receive[helloAsk](l, l.terms.ask)
	if err != nil {
		return err
	}
	if ask.Min > protocolVersion || ask.Max < protocolVersion {
		return l.send(l.terms.answer, helloAnswer{Status: statusVersion})
	}
	now := b.h.now()
	answer := helloAnswer{Time: now.Unix()}
	s := b.h.roster()
	if s == nil {
		return errUnknown
	}
	answer.Roster = s.Version
	if who, err = who.as(ask.Siren); err == nil && !may(who.seat, actHello) {
		err = errRole
	}
	if err != nil && ask.Roster > s.Version { // by the newer roster it may be who it says
		answer.Status, answer.After = statusLater, uint32(b.h.cfg.SyncEvery/time.Second)+1
		return l.send(l.terms.answer, answer)
	}
	if err != nil {
		return err
	}
	if wait := b.admit(l.Conn(), who, ask.Roster, now); wait > 0 {
		answer.Status, answer.After = statusLater, uint32(wait/time.Second)+1
		return l.send(l.terms.answer, answer)
	}
	if who.siren != 0 {
		key := feedKey{who.siren, ask.Epoch}
		if ask.Others > 0 {
			answer.Others = b.others.words(ctx, key, int(ask.Others))
		}
		c, err := b.word(key, b.h.now())
		if err != nil {
			return err
		}
		answer.Checkpoint = c.Signed
		if uint64(c.Head.Size) > ask.Size {
			answer.Status = statusBehind
		}
		if b.frozen(key) {
			answer.Status = statusFork
		}
	}
	if b.h.expired(s) {
		answer.Status = statusExpired
	}
	return l.send(l.terms.answer, answer)
}
