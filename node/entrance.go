package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/store"
)

// gate is what all who let people in and out have in common.
type gate struct{ *core }

// Entrance is how people come in. Nothing that somebody outside can cause costs the
// work of argon2id before the throttle has let it pass, and crypto bounds how many
// of these run at a time.
type Entrance struct {
	gate
	throttle *throttle
	codes    *codes
	nobody   string        // a hash to compare with when there is no such login: the same work, the same time
	compared atomic.Uint64 // passwords, in this run of the program
}

func newEntrance(c *core) *Entrance {
	return &Entrance{gate: gate{c}, throttle: newThrottle(), codes: newCodes(), nobody: crypto.HashPassword(crypto.NewSecret("nobody signs in with this"), c.cfg.PasswordCost)}
}

// Proof is what somebody shows to come in, or to show again that it is him.
type Proof struct {
	Login    string
	Password Secret
	Code     Secret // of the application, or from the paper
	Half     Secret // of [Entry], when only the code was missing
	From     string // the address that asks; it is not stored
	Device   uint16 // number of a closed list of browsers and systems; 0: not known
	Bearer   bool   // a program
	Old      Secret // the token that the browser holds, whosever it is: it ends
}

// Entry is a session that was opened, or, with Half, one of which the code is missing
// still.
type Entry struct {
	Token Token
	By    Caller
	Half  Secret
}

var (
	errWrong            = &Error{Kind: SignIn, Code: "wrong-sign-in", Reason: "login or password is wrong"}
	ErrCodeNeeded error = &Error{Kind: SignIn, Code: "second-factor", Reason: "this account asks for a code too: send it as code"}
	errWrongCode        = &Error{Kind: SignIn, Code: "wrong-code", Reason: "this code does not open, or has opened before; take the one that is shown now"}
	errHalf             = &Error{Kind: SignIn, Code: "half-expired", Reason: "this took more than ten minutes; begin again with login and password"}
)

// halfLife is how long somebody may look for his telephone, in milliseconds.
const halfLife = 10 * 60_000

func waitFirst(wait time.Duration) error {
	return &Error{Kind: TooMany, Code: "too-many-sign-ins", Reason: "too many tries; wait before the next one", After: int(wait.Seconds()) + 1}
}

// Enter opens a session. A wrong login and a wrong password answer alike, and so does
// everything while the throttle holds. An account with an application asks for a code
// in a second step.
func (s *Entrance) Enter(ctx context.Context, in Proof) (Entry, error) {
	if !in.Half.Empty() {
		return s.second(ctx, in)
	}
	login := strings.ToLower(strings.TrimSpace(in.Login))
	if checkLogin(login) != nil {
		login = "" // no account has it, and nothing of it is kept
	}
	if wait := s.throttle.take("login "+login, ofLogin, in.From, s.now()); wait > 0 {
		return Entry{}, waitFirst(wait)
	}
	acc, err := (&Accounts{gate: s.gate}).byLogin(login)
	if err != nil {
		return Entry{}, err
	}
	if err := s.compare(acc, in.Password); err != nil {
		return Entry{}, err
	}
	set, err := s.set(acc.ID)
	if err != nil {
		return Entry{}, err
	}
	if !set.TOTP.There() {
		return s.open(ctx, acc, in, account.ByPassword, "login "+login, command.Enter{})
	}
	if in.Code.Empty() {
		half, err := s.halfOpen(acc)
		return Entry{Half: half}, err
	}
	return s.withCode(ctx, acc, set, in, "login "+login)
}

// compare checks a password, with the same work for an account that is not there.
func (s *Entrance) compare(acc account.Account, password Secret) error {
	there := !acc.ID.Zero() && !acc.Closed
	hash := s.nobody
	if there {
		var err error
		if hash, err = s.openPassword(acc); err != nil {
			return explain(err)
		}
	}
	s.compared.Add(1)
	err := crypto.CheckPassword(hash, password)
	if errors.Is(err, crypto.ErrPassword) || err == nil && !there {
		s.throttle.miss(acc.ID)
		return errWrong
	}
	return explain(err)
}

// halfway is what a browser holds, sealed, between password and code.
type halfway struct {
	Account AccountID `cbor:"1,keyasint"`
	Until   Instant   `cbor:"2,keyasint"`
	Against [32]byte  `cbor:"3,keyasint"` // digest of the sealed password: a changed one ends it
}

func (s *Entrance) halfOpen(acc account.Account) (Secret, error) {
	plain, err := boxEncoding.Marshal(halfway{acc.ID, s.clock() + halfLife, sha256.Sum256(acc.Password)})
	if err != nil {
		return Secret{}, err
	}
	return crypto.NewSecret(base64.RawURLEncoding.EncodeToString(s.halfKey().Seal(plain, halfPlace))), nil
}

var halfPlace = []byte("half-open sign-in v1")

func (s *Entrance) halfKey() crypto.Key { return s.staff.Derive("half-open sign-ins") }

// second finishes what began with a password.
func (s *Entrance) second(ctx context.Context, in Proof) (Entry, error) {
	var h halfway
	box, err := base64.RawURLEncoding.DecodeString(in.Half.Reveal())
	if err != nil || len(box) > 512 {
		return Entry{}, errHalf
	}
	plain, err := s.halfKey().Open(box, halfPlace)
	if err != nil || boxDecoding.Unmarshal(plain, &h) != nil || s.clock() >= h.Until {
		return Entry{}, errHalf
	}
	acc, err := s.account(h.Account)
	if err != nil || acc.Closed || sha256.Sum256(acc.Password) != h.Against {
		return Entry{}, errHalf
	}
	set, err := s.set(acc.ID)
	if err != nil {
		return Entry{}, err
	}
	return s.withCode(ctx, acc, set, in, "login "+acc.Login)
}

// withCode opens with a code of the application or from the paper, whose tries are
// counted apart.
func (s *Entrance) withCode(ctx context.Context, acc account.Account, set credential.Set, in Proof, tries string) (Entry, error) {
	if wait := s.throttle.take("code "+acc.ID.String(), ofCode, in.From, s.now()); wait > 0 {
		return Entry{}, waitFirst(wait)
	}
	means, c, err := s.code(acc, set, in.Code)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.open(ctx, acc, in, means, tries, c)
	if isCode(err, "code-used") {
		s.throttle.miss(acc.ID)
		return Entry{}, errWrongCode
	}
	if err == nil {
		s.throttle.forgive("code "+acc.ID.String(), AccountID{})
	}
	return e, err
}

// code is what of the credentials a code takes.
func (s *Entrance) code(acc account.Account, set credential.Set, code Secret) (account.Means, command.Enter, error) {
	shared, err := s.opening(itself).totp(acc, set)
	if err != nil {
		return 0, command.Enter{}, explain(err)
	}
	if !set.TOTP.There() {
		return 0, command.Enter{}, errWrongCode
	}
	if step, err := crypto.CheckTOTP(shared, code, s.now()); err == nil {
		return account.ByTOTP, command.Enter{Step: step}, nil
	}
	kept := make([]crypto.RecoveryHash, len(set.Recovery))
	for i, h := range set.Recovery {
		copy(kept[i][:], h)
	}
	if i := crypto.FindRecoveryCode(s.paperKey(), acc.ID[:], kept, code); i >= 0 {
		return account.ByRecovery, command.Enter{Paper: set.Recovery[i]}, nil
	}
	s.throttle.miss(acc.ID)
	return 0, command.Enter{}, errWrongCode
}

// open proposes the session. tries are those that being right forgives.
func (s *Entrance) open(ctx context.Context, acc account.Account, in Proof, means account.Means, tries string, c command.Enter) (Entry, error) {
	missed := s.throttle.forgive(tries, acc.ID)
	token, session := s.draw(acc.ID, acc.Roles, means)
	session.Bearer, session.Device, session.Missed = in.Bearer, in.Device, missed
	by := s.callerOf(acc, session)
	c.Stamp, c.Session = s.stamp(by, ""), session
	if !in.Old.Empty() {
		c.Ends = sessionID(in.Old)
	}
	var proposed command.Command = c
	if _, behind := s.members.behind(command.LevelOf(c.Kind())); behind && means == account.ByPassword {
		proposed = command.OpenSession{Stamp: c.Stamp, Session: account.Session{ID: session.ID, Account: acc.ID, Expires: session.Expires, Bearer: in.Bearer}}
	}
	if _, err := s.propose(ctx, proposed); err != nil {
		return Entry{}, err
	}
	by, err := s.bared(by, acc)
	return Entry{Token: token, By: by}, err
}

// draw makes a session that nobody has.
func (s gate) draw(of AccountID, roles Roles, means account.Means) (Token, account.Session) {
	now := s.clock()
	l := lifeOf(roles, means)
	token := Token{Text: drawToken(), Expires: now.Add(l.idle).Time(), Last: l.last(now, s.zone()).Time()}
	return token, account.Session{ID: sessionID(token.Text), Account: of, Expires: now.Add(l.idle), Means: means, Opened: now, Fresh: now}
}

// Again shows once more that it is the caller: by his password, or a code. The session
// goes on under a new token; the old one ends. Tries are counted by session, so that
// nobody outside can keep him from it.
func (s *Entrance) Again(ctx context.Context, by Caller, in Proof) (Entry, error) {
	if by.Account.Zero() || by.Session.ID == (account.SessionID{}) {
		return Entry{}, errSignIn
	}
	tries := "again " + string(by.Session.ID[:])
	if wait := s.throttle.take(tries, ofLogin, in.From, s.now()); wait > 0 {
		return Entry{}, waitFirst(wait)
	}
	acc, err := s.account(by.Account)
	if err != nil {
		return Entry{}, err
	}
	means := by.Session.Means
	var c command.Enter
	if !in.Code.Empty() {
		set, err := s.set(acc.ID)
		if err != nil {
			return Entry{}, err
		}
		if _, c, err = s.code(acc, set, in.Code); err != nil {
			return Entry{}, err
		}
	} else if err := s.compare(acc, in.Password); err != nil {
		return Entry{}, err
	}
	token, session := s.draw(acc.ID, acc.Roles, means)
	session.Device, session.Bearer = by.Session.Device, by.Session.Bearer
	c.Stamp, c.Session, c.Ends, c.Again = s.stamp(by, ""), session, by.Session.ID, true
	_, err = s.propose(ctx, c)
	if isCode(err, "code-used") {
		s.throttle.miss(acc.ID)
		return Entry{}, errWrongCode
	}
	if err != nil {
		return Entry{}, err
	}
	s.throttle.forgive(tries, AccountID{})
	session.As, session.Opened, session.Expires = by.Session.As, by.Session.Opened, by.Session.Expires
	token.Last = lifeOf(acc.Roles, means).last(session.Opened, s.zone()).Time()
	again := by
	again.Session = session
	return Entry{Token: token, By: again}, nil
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// set is what an account is entered by besides its password; the zero Set for one that
// has nothing.
func (s gate) set(of AccountID) (set credential.Set, err error) {
	err = s.view(itself, func(tx *store.Tx) (err error) {
		set, _, err = store.Credentials.Get(tx, of[:])
		return err
	})
	return set, err
}

// account is the record of an account.
func (s gate) account(id AccountID) (account.Account, error) { return (&Accounts{gate: s}).get(id) }

// paperKey keys the hashes of the codes on paper.
func (p *proposer) paperKey() crypto.Key { return p.staff.Derive("recovery codes") }

// Misses is how many sign-ins failed this month, for whoever watches over the accounts.
func (s *Entrance) Misses(by Caller) (n uint64, err error) {
	if by.may(ManageAccounts) != nil {
		if err := by.may(ReadJournal); err != nil {
			return 0, err
		}
	}
	err = s.view(itself, func(tx *store.Tx) (err error) {
		n, err = tx.Meta("misses " + s.month())
		return err
	})
	return n + s.throttle.unsaid(0), err
}

func (s *Entrance) month() string { return s.now().In(s.zone()).Format("2006-01") }

// count says to the log how many failed, so that a restart does not forget them.
func (s *Entrance) count(ctx context.Context) error {
	n := s.throttle.unsaid(0)
	if _, behind := s.members.behind(command.LevelOf(command.KindNoteMisses)); n == 0 || behind {
		return nil
	}
	_, err := s.propose(ctx, command.NoteMisses{Stamp: s.own(), Month: s.month(), N: n})
	if err == nil {
		s.throttle.unsaid(n)
	}
	return err
}
