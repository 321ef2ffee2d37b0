package node_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// TestFullDisk asks for more free space than any disk has: nothing is written,
// reading goes on, and with space again writing resumes by itself.
func TestFullDisk(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Laforêt")
	t.must(t.Close())
	t.Node = nil
	full := t.cfg
	full.MinFree = math.MaxUint64
	n, err := node.Open(t.Context(), full)
	t.must(err)
	_, err = n.Requests.Open(t.Context(), t.admin, node.NewRequest{Beneficiary: her, Type: t.kinds["Courses"], Wish: t.tomorrow()})
	wants(tt, err, "disk-full")
	if _, err := n.Beneficiaries.Get(t.admin, her); err != nil {
		t.Errorf("reading: %v", err)
	}
	if n.Writable() == nil || n.Serving() != nil {
		t.Error("a full disk ends writing, and not reading")
	}
	t.must(n.Close())
	t.Node, err = node.Open(t.Context(), t.cfg)
	t.must(err)
	t.ask(her, "Courses", t.tomorrow())
	if list, _, err := t.Requests.OfPerson(t.admin, her, node.Page{}); err != nil || len(list) != 1 {
		t.Errorf("%d requests, %v; the refused one must leave no trace", len(list), err)
	}
}

func TestWrongKeys(tt *testing.T) {
	t := newTown(tt)
	t.must(t.Close())
	t.Node = nil
	wrong := t.cfg
	var err error
	wrong.Unseal, err = crypto.Passphrase("une tout autre phrase", 10)
	t.must(err)
	if _, err := node.Open(t.Context(), wrong); !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("wrong passphrase: %v", err)
	}
	// The vault of another territory.
	other := t.cfg
	other.Vault = filepath.Join(t.TempDir(), "vault.age")
	vault, err := crypto.NewVault("200069599", "replica-1", time.Now())
	t.must(err)
	t.must(crypto.SaveVault(other.Vault, &vault, t.cfg.Unseal))
	if _, err := node.Open(t.Context(), other); err == nil || !strings.Contains(err.Error(), "vault") {
		t.Errorf("another vault: %v", err)
	}
	// A vault that was cut short.
	b, err := os.ReadFile(t.cfg.Vault)
	t.must(err)
	cut := t.cfg
	cut.Vault = filepath.Join(t.TempDir(), "vault.age")
	t.must(os.WriteFile(cut.Vault, b[:len(b)-9], 0o600))
	if _, err := node.Open(t.Context(), cut); err == nil {
		t.Error("a vault that was cut short opens")
	}
	t.Node, err = node.Open(t.Context(), t.cfg)
	t.must(err) // nothing of that did harm
}

func TestVaultInsideDataIsRefused(tt *testing.T) {
	t := newTown(tt)
	t.must(t.Close())
	t.Node = nil
	inside := t.cfg
	inside.Vault = filepath.Join(t.cfg.Dir, "vault.age")
	t.must(os.Rename(t.cfg.Vault, inside.Vault))
	if _, err := node.Open(t.Context(), inside); err == nil || !strings.Contains(err.Error(), "inside the data folder") {
		t.Errorf("got %v", err)
	}
}

func TestSecondFoundingIsRefused(tt *testing.T) {
	t := newTown(tt)
	if _, err := node.FoundTerritory(t.Context(), t.cfg, node.Founding{}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("got %v", err)
	}
}

func TestLoggerPrintsNoRecord(t *testing.T) {
	const canary = "Zyxwvutine"
	type record struct{ Name string }
	var out bytes.Buffer
	log := node.NewLogger(&out, slog.LevelDebug)
	log.With(slog.Any("her", record{canary})).WithGroup("g").Info("x",
		slog.Any("record", record{canary}), slog.Any("pointer", &record{canary}), slog.Any("list", []string{canary}),
		slog.Any("secret", crypto.NewSecret(canary)), slog.Any("error", errors.New(canary)),
		slog.Group("inner", slog.Any("record", record{canary})), slog.Int("count", 3), slog.String("state", "open"))
	if strings.Contains(out.String(), canary) {
		t.Errorf("a record is in the log: %s", out.String())
	}
	for _, want := range []string{`"count":3`, `"state":"open"`, "[not logged]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in the log: %s", want, out.String())
		}
	}
}

// TestInterruptedFounding fails in the middle of a founding: the next one finds
// the place as it was.
func TestInterruptedFounding(tt *testing.T) {
	t := newTown(tt)
	cfg := t.cfg
	dir := t.TempDir()
	cfg.Dir, cfg.Vault = filepath.Join(dir, "data"), filepath.Join(dir, "vault.age")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	founding := node.Founding{
		Territory: node.Territory{Siren: "200069599", Name: "CC", Calls: "Entraide", Communes: []string{"33352"}}, Login: "admin", Password: secret(password),
	}
	if _, err := node.FoundTerritory(ctx, cfg, founding); err == nil {
		t.Fatal("founded without time")
	}
	if node.Founded(cfg) {
		t.Error("a vault is left behind")
	}
	n, err := node.FoundTerritory(t.Context(), cfg, founding)
	t.must(err)
	t.must(n.Close())
}
