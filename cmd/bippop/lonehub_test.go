package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
)

// TestLoneHubReadsBulletins: a hub without a node takes the coordinator's bulletins,
// and nothing that only looks like one: neither stored nor cosigned.
func TestLoneHubReadsBulletins(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	must(err)
	hub := lonelyHub("/ip4/127.0.0.1/tcp/" + port)
	today := public.DayOf(time.Now())
	n, err := simulation.Found(today, 1, hub)
	must(err)
	kinds := roster.SetKinds{}
	for _, k := range public.Kinds() {
		kinds.Kinds = append(kinds.Kinds, public.SchemaOf(k))
	}
	for _, k := range bulletin.Kinds() {
		s, _ := bulletin.SchemaOf(k)
		kinds.Kinds = append(kinds.Kinds, s)
	}
	must(n.Change(kinds))
	dir := t.TempDir()
	invitation, list := filepath.Join(dir, "invitation.txt"), filepath.Join(dir, "roster.txt")
	must(os.WriteFile(invitation, []byte(n.State().Invite(simulation.Siren(1)).String()), 0o600))
	must(os.WriteFile(list, roster.FormatFile(n.Entries()), 0o600))
	quiet := slog.New(slog.DiscardHandler)
	alone, err := openLoneHub(t.Context(), federation.Config{Seed: hub.Seed, Dir: filepath.Join(dir, "hub"), Hub: &hub.Config, Logger: quiet}, invitation, list)
	must(err)
	defer alone.Close()

	push := func(own *simulation.Writer) error {
		leaf, err := federation.Open(federation.Config{Seed: own.Seed(0), Dir: t.TempDir(), Siren: own.Siren, Own: own, Rosters: n.Roster(), Decode: alone.decode, Logger: quiet})
		must(err)
		defer leaf.Close()
		return leaf.Sync(t.Context())
	}
	held := func() int64 {
		c, ok := alone.host.Epoch(n.Coordinator.Siren, 1)
		if !ok {
			return 0
		}
		return c.Head().Size
	}
	entry := func(seq uint64, m bulletin.Message) []byte {
		b, err := bulletin.Encode(bulletin.Entry{From: n.Coordinator.Siren, Epoch: 1, Seq: seq, Day: today, Body: m})
		must(err)
		return b
	}
	heat := bulletin.Bulletin{Number: 1, Title: "Canicule", Text: "Appelez chaque personne isolée."}
	must(n.Coordinator.Append(entry(0, heat)))
	must(push(n.Coordinator))
	if held() != 1 {
		t.Fatalf("the hub holds %d entries, want the bulletin", held())
	}
	heat.Number = 2
	second := entry(1, heat)
	for name, b := range map[string][]byte{
		"a title of two lines":       bytes.Replace(second, []byte("Canicule"), []byte("Cani\nule"), 1),
		"a kind of tomorrow":         bytes.Replace(second, []byte{0x18, byte(bulletin.KindBulletin)}, []byte{0x18, byte(bulletin.KindPiece) + 1}, 1),
		"a bulletin as a piece":      bytes.Replace(second, []byte{0x18, byte(bulletin.KindBulletin)}, []byte{0x18, byte(bulletin.KindPiece)}, 1),
		"a number written at length": bytes.Replace(second, append([]byte{0x85, 0x02}, "hCanicule"...), append([]byte{0x85, 0x18, 0x02}, "hCanicule"...), 1),
	} {
		if bytes.Equal(b, second) {
			t.Fatalf("%s: nothing was changed", name)
		}
		own, err := n.Coordinator.Restored(1)
		must(err)
		must(own.Append(b))
		if err := push(own); err == nil {
			t.Errorf("%s: the hub says yes", name)
		}
		if held() != 1 {
			t.Fatalf("%s: the hub holds %d entries", name, held())
		}
	}
	must(n.Coordinator.Append(second))
	must(push(n.Coordinator))
	if held() != 2 {
		t.Errorf("the hub holds %d entries after the true one", held())
	}
}
