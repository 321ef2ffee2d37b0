package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"net/http"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// cmdLedger writes a ledger of one territory with as many entries as is said into a
// folder, and sets $GENESIS: ledger DIR N.
func cmdLedger(ts *testscript.TestScript, neg bool, args []string) {
	n := 0
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	l, genesis, err := smallLedger(n)
	ts.Check(err)
	ts.Check(l.Write(context.Background(), ts.MkAbs(args[0])))
	ts.Setenv("GENESIS", fmt.Sprintf("%x", genesis))
}

// smallLedger has one territory, one witness, and n signs of presence; the same n is
// the same ledger, a larger one continues a smaller one.
func smallLedger(n int) (l ledger.Ledger, genesis [32]byte, err error) {
	const siren = public.Siren(200044394)
	day := public.DayOf(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))
	seed := func(name string) [32]byte { return sha256.Sum256([]byte(name)) }
	key := func(name string) ed25519.PrivateKey { s := seed(name); return ed25519.NewKeyFromSeed(s[:]) }
	peer := func(name string) string { return roster.PeerOf(key(name + " peer").Public().(ed25519.PublicKey)) }
	replica, witness := feed.NewReplicaSigner("bippop/200044394/1", seed("replica")), feed.NewWitnessSigner("hub.example", seed("hub"))

	var state *roster.State
	draft, err := state.Draft(day,
		roster.Found{Name: "Entraide", Demo: true, Holders: []roster.Holder{{Name: "holder", Key: key("holder").Public().(ed25519.PublicKey)}}, Need: 1, Expires: day + 365},
		roster.SetHubs{Hubs: []roster.Hub{{Name: "hub.example", Operator: "Relais", Peer: peer("hub"), Key: witness.Key(), Addresses: []string{"/dns4/hub.example/tcp/443"}, Witness: true}}, Threshold: 1},
		roster.SetKinds{Kinds: []public.Schema{public.SchemaOf(public.KindPresence)}},
		roster.SetMember{Member: roster.Member{
			Siren: siren, Role: roster.Territory, Name: "CC du Réolais", Departement: "33", Contact: roster.Contact{Name: "CCAS", Email: "ccas@example.org"},
			Replicas: []roster.Replica{{Peer: peer("replica"), Key: replica.Key()}}, Quorum: 1, Epoch: 1,
		}})
	if err != nil {
		return l, genesis, err
	}
	if err := draft.Sign(key("holder")); err != nil {
		return l, genesis, err
	}
	first, err := draft.Entry()
	if err != nil {
		return l, genesis, err
	}
	if state, err = state.Apply(first); err != nil {
		return l, genesis, err
	}
	var entries [][]byte
	for i := range n {
		b, err := public.Encode(public.Entry{From: siren, Epoch: 1, Seq: uint64(i), Day: day, Body: public.Presence{}})
		if err != nil {
			return l, genesis, err
		}
		entries = append(entries, b)
	}
	log := func(origin string, all [][]byte, by ...feed.Signer) (ledger.Log, error) {
		var tree feed.Tree
		for _, e := range all {
			tree.Add(e)
		}
		c := feed.Checkpoint{Origin: origin, Head: tree.Head()}
		for _, s := range by {
			if c, err = s.Sign(c, day.Time()); err != nil {
				return ledger.Log{}, err
			}
		}
		return ledger.Log{Checkpoint: c, Entries: func(_ context.Context, from, to int64) ([][]byte, error) { return all[from:to], nil }}, nil
	}
	if l.Roster, err = log(state.Origin(), [][]byte{first}, witness); err != nil {
		return l, genesis, err
	}
	own, err := log(feed.EgressOrigin(siren, 1), entries, replica, witness)
	l.Feeds = []ledger.Feed{{Siren: siren, Epoch: 1, Log: own}}
	return l, state.Genesis, err
}

// TestDPOPage: what is printed over HTTP says what an address can not prove, all on
// one page.
func TestDPOPage(t *testing.T) {
	l, _, err := smallLedger(300)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := l.Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/transparency", http.FileServer(http.Dir(dir))))
	defer server.Close()
	var page, notes bytes.Buffer
	if err := run(t.Context(), []string{"dpo", "verify", server.URL + "/transparency/"}, func(string) string { return "" }, output{&page, &notes}); err != nil {
		t.Fatalf("%v\n%s", err, page.String())
	}
	for _, want := range []string{"EN ORDRE. 300 messages", "À COMPARER", "une adresse ne montre que ce qu'on lui demande", "signes de présence 300", "(démonstration)"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page.String(), "\n"); n > 50 {
		t.Errorf("%d lines are no page", n)
	}
	if notes.Len() > 0 {
		t.Errorf("on no terminal it tells of its progress: %s", notes.String())
	}
	t.Log("\n" + page.String())
	for code, text := range faultsInFrench {
		if text == "" {
			t.Errorf("%s has no words", code)
		}
	}
	for _, k := range public.Kinds() {
		if kindsInFrench[k] == "" {
			t.Errorf("kind %d has no words", k)
		}
	}
}
