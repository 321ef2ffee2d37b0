package node_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// codeOf is what an application shows: RFC 6238 once more, by another hand.
func codeOf(shared node.Secret, at time.Time) node.Secret {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(shared.Reveal())
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, uint64(at.Unix()/30))
	sum := mac.Sum(nil)
	at4 := sum[19] & 15
	return secret(fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at4:])&0x7fffffff)%1_000_000))
}

// application sets one up for the administrator.
func (t *town) application() (shared node.Secret, paper []node.Secret) {
	t.Helper()
	shared, _, err := t.Credentials.Begin(t.admin)
	t.must(err)
	ways, err := t.Credentials.Mine(t.admin)
	t.must(err)
	paper, err = t.Credentials.Confirm(t.Context(), t.admin, ways.Version, shared, codeOf(shared, t.clock()))
	t.must(err)
	return shared, paper
}

func (t *town) half() node.Secret {
	t.Helper()
	e, err := t.Entrance.Enter(t.Context(), node.Proof{Login: "admin", Password: secret(password), From: "192.0.2.1"})
	t.must(err)
	if e.Half.Empty() || !e.Token.Text.Empty() {
		t.Fatal("a password alone opens an account that has an application")
	}
	return e.Half
}

// TestSecondFactor: the password alone opens nothing, a code opens once, what is on
// paper opens once, and a half-open sign-in lasts ten minutes or until the password changes.
func TestSecondFactor(tt *testing.T) {
	t := newTown(tt)
	shared, paper := t.application()
	if len(paper) != 10 {
		t.Fatalf("%d codes on paper", len(paper))
	}
	t.wait(time.Minute)
	code := codeOf(shared, t.clock())
	enter := func(half, code node.Secret) (node.Entry, error) {
		return t.Entrance.Enter(t.Context(), node.Proof{Half: half, Code: code, From: "192.0.2.1"})
	}
	half := t.half()
	_, err := enter(half, secret("ABCDE-FGHJK"))
	wants(tt, err, "wrong-code")
	e, err := enter(half, code)
	t.must(err)
	if by, err := t.Accounts.Session(e.Token.Text); err != nil || by.Session.Missed != 1 {
		t.Errorf("%d tries failed, %v; want 1", by.Session.Missed, err)
	}
	_, err = enter(t.half(), code)
	wants(tt, err, "wrong-code") // seen over a shoulder

	_, err = enter(t.half(), paper[3])
	t.must(err)
	_, err = enter(t.half(), paper[3])
	wants(tt, err, "wrong-code")

	t.wait(time.Hour)
	half = t.half()
	t.wait(11 * time.Minute)
	_, err = enter(half, codeOf(shared, t.clock()))
	wants(tt, err, "half-expired")
	_, err = enter(secret("AAAA"), code)
	wants(tt, err, "half-expired")
	_, _, err = t.Accounts.SignIn(t.Context(), "admin", secret(password), "192.0.2.9", true)
	wants(tt, err, "second-factor")

	// An administrator who has a second lock keeps one, and changes nothing unseen.
	e, err = enter(t.half(), codeOf(shared, t.clock()))
	t.must(err)
	wants(tt, t.Credentials.Drop(t.Context(), e.By, 1), "last-second")
	t.wait(16 * time.Minute)
	wants(tt, t.Credentials.Drop(t.Context(), e.By, 1), "step-up")
	t.reopen()
	t.wait(time.Hour)
	if _, err := enter(t.half(), codeOf(shared, t.clock())); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestAgain: what leaves or destroys asks for a proof that is younger than a quarter of
// an hour. It changes the token, keeps the hat, and the old token opens nothing.
func TestAgain(tt *testing.T) {
	t := newTown(tt)
	e, err := t.Entrance.Enter(t.Context(), node.Proof{Login: "admin", Password: secret(password), From: "192.0.2.1"})
	t.must(err)
	by, err := t.Accounts.Session(e.Token.Text)
	t.must(err)
	her := t.enrol("Laforêt")
	t.wait(15 * time.Minute)
	for what, do := range map[string]func(node.Caller) error{
		"export": func(by node.Caller) error { return t.Imports.Export(by, t.log, false) },
		"erasure": func(by node.Caller) error {
			_, err := t.Erasures.Want(t.Context(), by, node.ErasableBeneficiary, her, false)
			return err
		},
		"roles": func(by node.Caller) error {
			_, err := t.Accounts.Hats(t.Context(), by, by.Account, 9, node.RoleAdmin, nil)
			return err
		},
		"keys": func(by node.Caller) error { return t.Backups.Keys(t.Context(), by, node.DestinationID{}, t.log) },
		"password": func(by node.Caller) error {
			_, err := t.Accounts.Change(t.Context(), by, by.Account, 9, node.RoleAdmin, false, secret(password))
			return err
		},
		"paper": func(by node.Caller) error { _, err := t.Credentials.Paper(t.Context(), by, 0); return err },
	} {
		if e := wants(tt, do(by), "step-up"); e.Kind != node.Forbidden {
			t.Errorf("%s: kind %d", what, e.Kind)
		}
	}
	_, err = t.Entrance.Again(t.Context(), by, node.Proof{Password: secret("not my password"), From: "192.0.2.1"})
	wants(tt, err, "wrong-sign-in")
	again, err := t.Entrance.Again(t.Context(), by, node.Proof{Password: secret(password), From: "192.0.2.1"})
	t.must(err)
	if _, err := t.Accounts.Session(e.Token.Text); err == nil {
		t.Error("the token from before still opens")
	}
	now, err := t.Accounts.Session(again.Token.Text)
	t.must(err)
	if now.Roles != by.Roles || now.Session.Opened != by.Session.Opened {
		t.Errorf("%+v goes on as %+v", by.Session, now.Session)
	}
	t.must(t.Imports.Export(now, t.log, false))
}

// TestSessionsSlide: who works is not signed out in the middle of a call; who does not
// is, after a working day; and nobody stays longer than a week, until the night.
func TestSessionsSlide(tt *testing.T) {
	t := newTown(tt)
	e, err := t.Entrance.Enter(t.Context(), node.Proof{Login: "admin", Password: secret(password), From: "192.0.2.1", Device: 4<<8 | 4})
	t.must(err)
	idle, err := t.Entrance.Enter(t.Context(), node.Proof{Login: "admin", Password: secret(password), From: "192.0.2.1"})
	t.must(err)
	before := t.LastEntry()
	for range 20 {
		if _, err := t.Recognise(t.Context(), e.Token.Text); err != nil {
			t.Fatal(err)
		}
	}
	if n := t.LastEntry() - before; n != 0 {
		t.Errorf("twenty pages wrote %d entries", n)
	}
	hours := 0
	for ; hours < 400; hours++ {
		t.wait(time.Hour)
		if _, err := t.Recognise(t.Context(), e.Token.Text); err != nil {
			break
		}
		if hours == 13 {
			if _, err := t.Accounts.Session(idle.Token.Text); err == nil {
				t.Error("nobody used it for a day, and it opens")
			}
			places, err := t.Sessions.List(e.By)
			t.must(err)
			if len(places) != 1 || !places[0].Here || places[0].Device != 4<<8|4 || places[0].Used <= places[0].Opened {
				t.Errorf("%+v", places)
			}
		}
	}
	if hours < 7*24 || hours > 8*24 || t.clock().In(t.Now().Location()).Hour() > 5 {
		t.Errorf("it ended after %d hours, at %s", hours, t.clock().In(t.Now().Location()))
	}
}

// TestSessionsEnd: one, or all others; another's by who watches over accounts; nobody
// else's.
func TestSessionsEnd(tt *testing.T) {
	t := newTown(tt)
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "anne", Password: secret(password), Roles: node.RoleAgent})
	t.must(err)
	enter := func(login string, old node.Secret) node.Entry {
		e, err := t.Entrance.Enter(t.Context(), node.Proof{Login: login, Password: secret(password), From: "192.0.2.1", Old: old})
		t.must(err)
		return e
	}
	open := func(e node.Entry) bool { _, err := t.Accounts.Session(e.Token.Text); return err == nil }
	a := enter("anne", node.Secret{})
	b := enter("anne", a.Token.Text)
	if open(a) || !open(b) {
		t.Error("the token that the browser held before it signed in still opens")
	}
	c, d := enter("anne", node.Secret{}), enter("anne", node.Secret{})
	places, err := t.Sessions.List(b.By)
	t.must(err)
	for _, p := range places {
		if !p.Here {
			t.must(t.Sessions.End(t.Context(), b.By, b.By.Account, p.Ref))
			break
		}
	}
	if !open(b) || open(c) == open(d) {
		t.Error("one was to end")
	}
	t.must(t.Sessions.EndAll(t.Context(), b.By, b.By.Account))
	if !open(b) || open(c) || open(d) {
		t.Error("all others were to end")
	}
	wants(tt, t.Sessions.EndAll(t.Context(), b.By, t.admin.Account), "forbidden")
	_, err = t.Sessions.Of(b.By, t.admin.Account)
	wants(tt, err, "forbidden")
	t.must(t.Sessions.EndAll(t.Context(), t.admin, b.By.Account))
	if open(b) {
		t.Error("an administrator was to end it")
	}
}

// TestDemanded: a role of which a second factor is asked does nothing without, and
// nobody is signed out by that.
func TestDemanded(tt *testing.T) {
	t := newTown(tt)
	t.enrol("Laforêt")
	token, _, err := t.Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	t.must(err)
	territory, err := t.Settings.Territory()
	t.must(err)
	_, err = t.Settings.Demand(t.Context(), t.admin, territory.Version, node.RoleAdmin)
	t.must(err)
	by, err := t.Accounts.Session(token.Text)
	t.must(err)
	_, err = t.Accounts.List(by)
	wants(tt, err, "second-needed")
	t.application()
	by, err = t.Accounts.Session(token.Text)
	t.must(err)
	_, err = t.Accounts.List(by)
	t.must(err)
}

// guesses is what a guesser tries, from one address or from very many.
const guesses = 10_000

// TestGuessing: ten thousand passwords and ten thousand codes, from one place and from
// everywhere: nobody comes in, nearly all are turned away before any work, whoever is in
// goes on working, and the owner hears of it.
func TestGuessing(tt *testing.T) {
	t := newTown(tt)
	shared, _ := t.application()
	half := t.half()
	inside := t.admin
	before := t.Entrance.Compared()
	var tries sync.WaitGroup
	tried := make(chan node.Proof)
	for range 8 {
		tries.Go(func() {
			for p := range tried {
				if e, err := t.Entrance.Enter(context.Background(), p); err == nil && !e.Token.Text.Empty() {
					t.Error("a guess came in")
				}
			}
		})
	}
	everywhere := netip.MustParseAddr("198.51.0.0")
	right := map[string]bool{}
	for step := range 5 {
		right[codeOf(shared, t.clock().Add(time.Duration(step-2)*30*time.Second)).Reveal()] = true
	}
	pages := 0
	for i := range guesses {
		from := "203.0.113.7"
		if i%2 == 1 {
			everywhere = everywhere.Next()
			from = everywhere.String()
		}
		tried <- node.Proof{Login: "admin", Password: secret(fmt.Sprintf("guess number %d", i)), From: from}
		if code := fmt.Sprintf("%06d", i*97%1_000_000); !right[code] {
			tried <- node.Proof{Half: half, Code: secret(code), From: from}
		}
		if i%1000 == 0 { // whoever is in goes on
			_, err := t.Accounts.List(inside)
			t.must(err)
			pages++
		}
	}
	close(tried)
	tries.Wait()
	if n := t.Entrance.Compared() - before; n == 0 || n > 10 {
		t.Errorf("%d passwords were compared: the throttle comes first, and leaves some", n)
	}
	if n, err := t.Entrance.Misses(inside); err != nil || n == 0 || n > 20 {
		t.Errorf("%d misses, %v", n, err)
	}
	t.must(t.CountMisses(t.Context()))
	t.wait(26 * time.Hour)
	e, err := t.Entrance.Enter(t.Context(), node.Proof{Half: t.half(), Code: codeOf(shared, t.clock()), From: "192.0.2.1"})
	t.must(err)
	if e.By.Session.Missed == 0 {
		t.Error("the owner hears of nothing")
	}
	if n, err := t.Entrance.Misses(e.By); err != nil || n == 0 {
		t.Errorf("the log knows of %d misses, %v", n, err)
	}
}
