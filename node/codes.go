package node

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Sender brings a code of six digits to an e-mail address or telephone number. ref
// names the message on the page that waits for it, and says nothing of anybody.
type Sender interface {
	Send(ref string, to, code Secret) error
}

// Of a code.
const (
	codeLife  = 10 * 60_000 // milliseconds
	codeTries = 5
	mostCodes = 10_000 // that wait at a time, some 2 MB
)

// codes are those that were sent and not given back, in the memory of whoever leads.
// Safe for concurrent use.
type codes struct {
	key  crypto.Key // of the hashes, for this run of the program
	mu   sync.Mutex // guards what waits
	wait map[[32]byte]sent
}

// sent is one code. Its place is the hash of the ticket that the browser holds, so that
// nobody else can use up its tries.
type sent struct {
	to    [32]byte // hash of the address
	code  [32]byte
	until Instant
	tries int
}

func newCodes() *codes { return &codes{key: crypto.NewKey(), wait: map[[32]byte]sent{}} }

func (c *codes) hash(what, text string) [32]byte {
	mac := hmac.New(sha256.New, c.key.Reveal())
	mac.Write(crypto.Place([]byte(what), []byte(text)))
	return [32]byte(mac.Sum(nil))
}

// put keeps a code, and lets go of those that are over.
func (c *codes) put(ticket Secret, s sent, now Instant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wait) >= mostCodes {
		for at, old := range c.wait {
			if old.until <= now {
				delete(c.wait, at)
			}
		}
	}
	if len(c.wait) < mostCodes {
		c.wait[sha256.Sum256([]byte(ticket.Reveal()))] = s
	}
}

// try compares a code; over says that there is nothing left to compare it with.
func (c *codes) try(ticket, code Secret, now Instant) (to [32]byte, right, over bool) {
	at := sha256.Sum256([]byte(ticket.Reveal()))
	given := c.hash("code", code.Reveal())
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.wait[at]
	if !ok || s.until <= now || s.tries >= codeTries {
		delete(c.wait, at)
		return to, false, true
	}
	if !hmac.Equal(given[:], s.code[:]) {
		s.tries++
		c.wait[at] = s
		return to, false, false
	}
	return s.to, true, false
}

func (c *codes) drop(ticket Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.wait, sha256.Sum256([]byte(ticket.Reveal())))
}

// SendsCodes reports whether there is a way to send codes.
func (s *Entrance) SendsCodes() bool { return s.cfg.Codes != nil }

var (
	errNoCodes  = &Error{Kind: NotFound, Code: "no-codes", Reason: "this node sends no codes; sign in with login and password"}
	errCodeOver = &Error{Kind: SignIn, Code: "code-over", Reason: "this code is over; ask for another one"}
)

// AskCode sends a code to whoever volunteers under this e-mail address or telephone
// number. Known or not, the answer is the same, and so is its time: the code leaves
// afterwards. The ticket goes back with the code; ref is shown.
func (s *Entrance) AskCode(address Secret, from string) (ticket Secret, ref string, err error) {
	if !s.SendsCodes() {
		return ticket, "", errNoCodes
	}
	plain := plainAddress(address)
	to := s.codes.hash("to", plain)
	if wait := s.throttle.take("send "+string(to[:]), ofSender, from, s.now()); wait > 0 {
		return ticket, "", waitFirst(wait)
	}
	ticket = drawToken()
	code, ref := drawCode()
	s.codes.put(ticket, sent{to: to, code: s.codes.hash("code", code.Reveal()), until: s.clock() + codeLife}, s.clock())
	go s.send(plain, ref, code)
	return ticket, ref, nil
}

// send finds out who is meant once the answer has left.
func (s *Entrance) send(plain, ref string, code Secret) {
	who, err := s.under(s.codes.hash("to", plain))
	if err == nil && len(who) > 0 {
		err = s.cfg.Codes.Send(ref, crypto.NewSecret(plain), code)
	}
	if err != nil {
		s.cfg.Logger.Warn("a code was not sent", errAttr(err))
	}
}

// plainAddress is the one way to write an e-mail address or number.
func plainAddress(address Secret) string {
	text := strings.ToLower(strings.TrimSpace(address.Reveal()))
	if e164, err := people.ParsePhone(text); err == nil && !strings.Contains(text, "@") {
		return e164
	}
	if len(text) > 200 {
		return ""
	}
	return text
}

// Namesake is one of those who share an address.
type Namesake struct {
	Account AccountID
	First   Secret
}

// GiveCode opens a session for who has the code. Where several share the address it
// first says who they are, and opens for the one that is named.
func (s *Entrance) GiveCode(ctx context.Context, ticket, code Secret, who AccountID, in Proof) (Entry, []Namesake, error) {
	if !s.SendsCodes() {
		return Entry{}, nil, errNoCodes
	}
	if wait := s.throttle.take("ticket "+ticket.Reveal()[:min(64, len(ticket.Reveal()))], tempo{2 * codeTries, ofCode.every}, in.From, s.now()); wait > 0 {
		return Entry{}, nil, waitFirst(wait)
	}
	plain := crypto.NewSecret(strings.Join(strings.Fields(code.Reveal()), ""))
	to, right, over := s.codes.try(ticket, plain, s.clock())
	if over {
		return Entry{}, nil, errCodeOver
	}
	var all []account.Account
	var err error
	if right {
		all, err = s.under(to)
	}
	if err != nil {
		return Entry{}, nil, err
	}
	if len(all) == 0 {
		s.throttle.miss(AccountID{})
		return Entry{}, nil, errWrongCode
	}
	if len(all) > 1 && who.Zero() {
		names, err := s.namesakes(all)
		return Entry{}, names, err
	}
	i := 0
	if !who.Zero() {
		if i = slices.IndexFunc(all, func(a account.Account) bool { return a.ID == who }); i < 0 {
			return Entry{}, nil, errWrongCode
		}
	}
	s.codes.drop(ticket)
	e, err := s.open(ctx, all[i], in, account.ByCode, "", command.Enter{})
	return e, nil, err
}

// under lists the open accounts of volunteers with this address, who may come in by a
// code: nobody who has more to lose, or asked for a second factor.
func (s *Entrance) under(to [32]byte) (out []account.Account, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		for _, v := range s.find.under(s.codes, to) {
			var ids []AccountID
			err := view.Each(tx, view.AccountsOf(v), nil, false, func(id AccountID, _ []byte) bool {
				ids = append(ids, id)
				return true
			})
			if err != nil {
				return err
			}
			for _, id := range ids {
				a, ok, err := store.Accounts.Get(tx, id[:])
				if err != nil {
					return err
				}
				set, _, err := store.Credentials.Get(tx, id[:])
				if err != nil {
					return err
				}
				if ok && !a.Closed && lifeOf(a.Roles, account.ByCode) == volunteerLife && !set.Second() {
					out = append(out, a)
				}
			}
		}
		return nil
	})
	return out, err
}

func (s *Entrance) namesakes(all []account.Account) (out []Namesake, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		for _, a := range all {
			r, ok, err := store.Volunteers.Get(tx, a.Of[:])
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			v, err := s.opening(itself).volunteer(r)
			if err != nil {
				return err
			}
			out = append(out, Namesake{a.ID, v.Words.First})
		}
		return nil
	})
	return out, explain(err)
}

// under lists the volunteers who have an address, by a walk over the numbers and
// addresses in memory.
func (f *Find) under(c *codes, to [32]byte) (out []VolunteerID) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	f.roster.mu.RLock()
	defer f.roster.mu.RUnlock()
	for id, all := range f.roster.at {
		if slices.ContainsFunc(all, func(a Secret) bool { return c.hash("to", a.Reveal()) == to }) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b VolunteerID) int { return slices.Compare(a[:], b[:]) })
	return out
}
