package node_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// until waits for what other goroutines do.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("in vain: " + what)
		}
	}
}

// safe opens backups.
type safe struct {
	recipient string
	opens     crypto.Unsealer
}

func newSafe(t testing.TB) safe {
	t.Helper()
	text, recipient, err := crypto.NewRecoveryIdentity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recovery.txt")
	if err := os.WriteFile(path, []byte(text.Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opens, err := crypto.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return safe{recipient, opens}
}

// folder registers a folder for backups and waits for the first one.
func (t *town) folder(s safe, keys bool) (node.DestinationID, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := t.Backups.Register(t.Context(), t.admin, node.Destination{
		Name: dir, Kind: node.FolderDestination, Keys: keys, Path: dir, Recipients: []string{s.recipient},
	})
	t.must(err)
	until(t, "the first backup", func() bool { return t.place(r.ID).Last != 0 })
	return r.ID, dir
}

func (t *town) place(id node.DestinationID) node.Destination {
	t.Helper()
	st, err := t.Backups.Status(t.admin)
	t.must(err)
	i := slices.IndexFunc(st.Destinations, func(d node.Destination) bool { return d.ID == id })
	if i < 0 {
		return node.Destination{}
	}
	return st.Destinations[i]
}

// files in a folder, by name.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func only(t testing.TB, dir string) string {
	t.Helper()
	var all []string
	until(t, "one file, and none that is being written", func() bool {
		all = files(t, dir)
		return len(all) == 1 && filepath.Ext(all[0]) != ".part"
	})
	return all[0]
}

// bare is a machine with nothing on it.
func (t *town) bare() node.Config {
	cfg := t.cfg
	dir := t.TempDir()
	cfg.Dir, cfg.Vault, cfg.Peering = filepath.Join(dir, "data"), filepath.Join(dir, "vault.age"), node.Peering{}
	return cfg
}

// restore brings the territory back on a bare machine and opens it.
func (t *town) restore(r node.Restoring) (*town, node.Restored) {
	t.Helper()
	cfg := t.bare()
	out, err := node.Restore(t.Context(), cfg, r)
	t.must(err)
	n, err := node.Open(t.Context(), cfg)
	t.must(err)
	back := &town{TB: t.TB, Node: n, cfg: cfg, kinds: t.kinds, log: t.log, home: t.home, now: t.clock()}
	t.Cleanup(func() { n.Close() })
	back.signIn()
	return back, out
}

func (t *town) readable(id node.BeneficiaryID) bool {
	b, err := t.Beneficiaries.Get(t.admin, id)
	return err == nil && b.Words.Last.Reveal() != ""
}

func (t *town) erase(her node.BeneficiaryID) node.ErasureID {
	t.Helper()
	_, err := t.Erasures.Want(t.Context(), t.admin, node.ErasableBeneficiary, her, true)
	t.must(err)
	_, done, _, err := t.Erasures.List(t.admin, node.Page{})
	t.must(err)
	return done[0].ID
}

func (t *town) certified(id node.ErasureID) bool {
	c, err := t.Erasures.Certificate(t.admin, id)
	return err == nil && c.Certified != 0
}

// TestRestore: an old data backup with today's key backup gives everybody back but
// those who were erased since, on a machine that is nobody's old replica.
func TestRestore(t *testing.T) {
	town, s := newTown(t), newSafe(t)
	odette, lucette := town.enrol("Partie"), town.enrol("Restée")
	_, data := town.folder(s, false)
	_, keys := town.folder(s, true)
	old, oldKeys := only(t, data), only(t, keys)
	kept := filepath.Join(t.TempDir(), "stolen")
	town.must(os.Link(oldKeys, kept))
	erased := town.erase(odette)
	until(t, "the certificate", func() bool { return town.certified(erased) })
	marthe := town.enrol("Nouvelle")
	now := only(t, keys)
	if now == oldKeys {
		t.Error("the key backup from before the erasure is still there")
	}

	back, got := town.restore(node.Restoring{Data: old, Keys: now, Recovery: s.opens})
	if got.Erased != 1 || got.Lost != 0 || got.Territory.Siren != "200044394" || got.Places != 1 {
		t.Errorf("restored %+v", got)
	}
	if back.readable(odette) || !back.readable(lucette) || back.readable(marthe) {
		t.Errorf("the erased one is there: %v, who stays: %v, who came later: %v", back.readable(odette), back.readable(lucette), back.readable(marthe))
	}
	cluster, err := back.Replicas.List(back.admin)
	town.must(err)
	if len(cluster.Replicas) != 2 || !cluster.Replicas[0].Here || cluster.Replicas[0].Name != "replica-2" || cluster.Replicas[1].State != node.ReplicaRemoved {
		t.Errorf("the machines are %+v", cluster.Replicas)
	}
	signer, err := back.Backups.Signer(back.admin)
	if err != nil || signer != got.Signer {
		t.Errorf("signed by %s, now %s: %v", got.Signer, signer, err)
	}
	// The vaults of the former life still hold its root: its erasures wait for them.
	pending := back.erase(back.enrol("Brève"))
	c, err := back.Erasures.Certificate(back.admin, pending)
	if err != nil || c.Certified != 0 || !slices.ContainsFunc(c.Holders, func(h node.Holder) bool { return h.Name == "replica-1" && h.Gone == 0 }) {
		t.Errorf("an erasure of the new life forgets the former machines: %+v, %v", c, err)
	}
	back.enrol("Suite")
	back.reopen()
	if !back.readable(lucette) {
		t.Error("after a restart she is gone")
	}
	// The key backup from before, which somebody kept, brings nobody back that the data have forgotten.
	t.Run("older keys", func(t *testing.T) {
		id, dir := town.folder(s, false)
		_ = id
		cfg := town.bare()
		_, err := node.Restore(t.Context(), cfg, node.Restoring{Data: only(t, dir), Keys: kept, Recovery: s.opens})
		if err == nil || !strings.Contains(err.Error(), "older than the data backup") {
			t.Errorf("older keys: %v", err)
		}
		if _, err := os.Stat(cfg.Vault); !errors.Is(err, os.ErrNotExist) || len(files(t, cfg.Dir)) > 0 {
			t.Errorf("something is left: %v, %q", err, files(t, cfg.Dir))
		}
		lossy, got := town.restore(node.Restoring{Data: only(t, dir), Keys: kept, Recovery: s.opens, AcceptLoss: true})
		if got.Lost != 1 || lossy.readable(odette) || lossy.readable(marthe) || !lossy.readable(lucette) {
			t.Errorf("with the loss accepted: %+v", got)
		}
	})
}

// TestRestoreRefuses: each wrong pair is refused with a sentence, and nothing is
// left behind.
func TestRestoreRefuses(t *testing.T) {
	town, s, thief := newTown(t), newSafe(t), newSafe(t)
	town.enrol("Restée")
	_, dataDir := town.folder(s, false)
	_, keysDir := town.folder(s, true)
	data, keys := only(t, dataDir), only(t, keysDir)
	other := newTown(t)
	_, otherDir := other.folder(s, true)
	altered := func(path string, change func([]byte) []byte) string {
		b, err := os.ReadFile(path)
		town.must(err)
		out := filepath.Join(t.TempDir(), "altered")
		town.must(os.WriteFile(out, change(b), 0o600))
		return out
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	cut := func(b []byte) []byte { return b[:len(b)-100] }
	for name, c := range map[string]struct {
		data, keys string
		opens      crypto.Unsealer
		want       string
	}{
		"data altered":              {altered(data, flip), keys, s.opens, "data backup: this backup is damaged"},
		"keys altered":              {data, altered(keys, flip), s.opens, "key backup: this backup is damaged"},
		"data cut":                  {altered(data, cut), keys, s.opens, "damaged or cut short"},
		"keys cut":                  {data, altered(keys, cut), s.opens, "damaged or cut short"},
		"twice the data":            {data, data, s.opens, "give the key backup for --keys"},
		"twice the keys":            {keys, keys, s.opens, "give the data backup for --data"},
		"keys of another territory": {data, only(t, otherDir), s.opens, "different territories"},
		"another's identity":        {data, keys, thief.opens, "does not open this backup"},
		"no keys":                   {data, filepath.Join(t.TempDir(), "none"), s.opens, "no such file"},
	} {
		cfg := town.bare()
		_, err := node.Restore(t.Context(), cfg, node.Restoring{Data: c.data, Keys: c.keys, Recovery: c.opens})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if node.Founded(cfg) || len(files(t, cfg.Dir)) > 0 {
			t.Errorf("%s: something is left: %q", name, files(t, cfg.Dir))
		}
	}
	if _, err := node.Restore(t.Context(), town.cfg, node.Restoring{Data: data, Keys: keys, Recovery: s.opens}); err == nil {
		t.Error("a machine in use was restored over")
	}
	if _, err := node.VerifyBackup(data, crypto.AnySigner, crypto.Unsealer{}, false, nil); err != nil {
		t.Error(err)
	}
	signer, err := crypto.ParseVerifyKey(must(other.Backups.Signer(other.admin)))
	town.must(err)
	if _, err := node.VerifyBackup(data, signer, crypto.Unsealer{}, false, nil); !errors.Is(err, crypto.ErrOtherSigner) {
		t.Errorf("another territory's: %v", err)
	}
	facts, err := node.VerifyBackup(keys, crypto.AnySigner, s.opens, true, nil)
	if err != nil || !facts.Keys || facts.Territory != "200044394" {
		t.Errorf("%+v, %v", facts, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestBackupHoldsNoKey: whoever opens a data backup finds no key of any kind in
// it, in no form; the key backup holds them, so that the search is known to work.
func TestBackupHoldsNoKey(t *testing.T) {
	town, s := newTown(t), newSafe(t)
	town.enrol("Restée")
	vault, err := crypto.LoadVault(town.cfg.Vault, town.cfg.Unseal)
	town.must(err)
	_, dataDir := town.folder(s, false)
	_, keysDir := town.folder(s, true)
	open := func(path string) []byte {
		f, err := os.Open(path)
		town.must(err)
		defer f.Close()
		e, err := crypto.Decrypt(f, s.opens, crypto.AnySigner)
		town.must(err)
		var b bytes.Buffer
		_, err = b.ReadFrom(e)
		town.must(err)
		return b.Bytes()
	}
	data, keys := open(only(t, dataDir)), open(only(t, keysDir))
	shared, err := vault.Shared.Reveal()
	town.must(err)
	if !bytes.Contains(keys, vault.Roots.Current.Reveal()) || !bytes.Contains(keys, shared) {
		t.Error("the key backup lacks keys")
	}
	for name, key := range map[string][]byte{
		"root": vault.Roots.Current.Reveal(), "domain": vault.Shared.Domain.Reveal(), "gossip": vault.Shared.Gossip.Reveal(),
		"log": vault.Node.Log.Reveal(), "values": vault.Node.Values.Reveal(), "skin": vault.Node.Skin.Reveal(),
	} {
		for form, b := range map[string][]byte{
			"raw": key, "hex": []byte(hex.EncodeToString(key)), "base64": []byte(base64.StdEncoding.EncodeToString(key)),
		} {
			if bytes.Contains(data, b) {
				t.Errorf("the data backup holds the key %s, %s", name, form)
			}
			if name == "log" && bytes.Contains(keys, b) {
				t.Errorf("the key backup holds this machine's own key %s", name)
			}
		}
	}
}

// TestManualPlace: a person carries the key backup, and only her word on the one
// of the root in force counts.
func TestManualPlace(t *testing.T) {
	town, s := newTown(t), newSafe(t)
	her := town.enrol("Partie")
	r, err := town.Backups.Register(t.Context(), town.admin, node.Destination{Name: "coffre", Kind: node.ManualDestination, Keys: true, Recipients: []string{s.recipient}})
	town.must(err)
	if _, err := town.Backups.Kept(t.Context(), town.admin, r.ID); err == nil {
		t.Error("a backup that nobody made was kept")
	}
	carry := func() {
		t.Helper()
		var b bytes.Buffer
		town.must(town.Backups.Keys(t.Context(), town.admin, r.ID, &b))
	}
	carry()
	if _, err := town.Backups.Kept(t.Context(), town.admin, r.ID); err != nil || !town.place(r.ID).Current {
		t.Error(err, town.place(r.ID))
	}
	erased := town.erase(her)
	if town.place(r.ID).Current || town.certified(erased) {
		t.Error("an old key backup counts")
	}
	if _, err := town.Backups.Kept(t.Context(), town.admin, r.ID); err == nil {
		t.Error("the former key backup was taken for the new one")
	}
	until(t, "the replica's word", func() bool {
		c, err := town.Erasures.Certificate(town.admin, erased)
		return err == nil && c.Holders[0].Gone != 0
	})
	carry()
	_, err = town.Backups.Kept(t.Context(), town.admin, r.ID)
	town.must(err)
	until(t, "the word on the new one to count", func() bool { return town.certified(erased) })
	if _, err := town.Backups.Drop(t.Context(), town.admin, r.ID, false); err == nil {
		t.Error("given up although it is not cleared")
	}
	_, err = town.Backups.Drop(t.Context(), town.admin, r.ID, true)
	town.must(err)
}

// TestFolderFaults: a folder that cannot be used is refused at once; one that fails
// later says so, and an erasure waits for it honestly.
func TestFolderFaults(t *testing.T) {
	town, s := newTown(t), newSafe(t)
	register := func(path string, keys bool) error {
		_, err := town.Backups.Register(t.Context(), town.admin, node.Destination{Name: "x", Kind: node.FolderDestination, Keys: keys, Path: path, Recipients: []string{s.recipient}})
		return err
	}
	code := func(err error) string {
		e, _ := errors.AsType[*node.Error](err)
		if e == nil {
			return ""
		}
		return e.Code
	}
	for path, want := range map[string]string{
		"relative": "path-relative", filepath.Join(t.TempDir(), "none"): "no-folder", town.cfg.Dir: "inside-data", filepath.Dir(town.cfg.Vault): "inside-data",
	} {
		if got := code(register(path, true)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	id, dir := town.folder(s, true)
	if got := code(register(dir, false)); got != "path-taken" {
		t.Errorf("the same folder twice: %q", got)
	}
	gone := dir + "-unmounted"
	town.must(os.Rename(dir, gone))
	erased := town.erase(town.enrol("Partie"))
	until(t, "the fault", func() bool { return town.place(id).Fault == "no-folder" })
	if town.certified(erased) {
		t.Error("certified although the old key backup is out of reach")
	}
	town.must(os.Rename(gone, dir))
	town.wait(10 * time.Minute)
	_, err := town.Backups.Now(t.Context(), town.admin, id)
	town.must(err)
	until(t, "the certificate", func() bool { return town.certified(erased) })
	if town.place(id).Fault != "" || !town.place(id).Current {
		t.Errorf("%+v", town.place(id))
	}
	only(t, dir)
	_, err = town.Backups.Drop(t.Context(), town.admin, id, false)
	town.must(err)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("after giving it up there is %q", left)
	}
}

// TestDataBackupsExpire: what stands in clear in them leaves after 35 days.
func TestDataBackupsExpire(t *testing.T) {
	town, s := newTown(t), newSafe(t)
	id, dir := town.folder(s, false)
	first := only(t, dir)
	for range 36 {
		town.wait(24 * time.Hour)
		_, err := town.Backups.Now(t.Context(), town.admin, id)
		town.must(err)
	}
	all := files(t, dir)
	if slices.Contains(all, first) || len(all) < 30 {
		t.Errorf("%d files, the first still there: %v", len(all), slices.Contains(all, first))
	}
}

// listen gives a replica its address.
func listen(t testing.TB) node.Peering {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return node.Peering{Listener: l, Address: l.Addr().String()}
}

// patient is a tuning for machines that run many tests at once.
var patient = consensus.Tuning{Heartbeat: time.Second, Election: time.Second, Lease: 500 * time.Millisecond}

// joined lets one more replica join.
func (t *town) joined() *town {
	t.Helper()
	cfg := t.bare()
	cfg.Peering = listen(t)
	token, _, err := t.Replicas.Invite(t.Context(), t.admin, time.Hour)
	t.must(err)
	_, err = node.Join(t.Context(), cfg, token)
	t.must(err)
	n, err := node.Open(t.Context(), cfg)
	t.must(err)
	t.Cleanup(func() { n.Close() })
	return &town{TB: t.TB, Node: n, cfg: cfg, admin: t.admin, kinds: t.kinds, log: t.log, home: t.home, now: t.clock()}
}

func inCluster(cfg *node.Config) {
	cfg.Tuning, cfg.Autopilot = patient, node.VotingRules{Stable: 100 * time.Millisecond}
}

// TestBackupsAcrossReplicas: the replica whose folder it is writes there, whoever
// leads; and a territory that was restored grows again, and gives those who join
// everything.
func TestBackupsAcrossReplicas(t *testing.T) {
	s := newSafe(t)
	first := newTown(t, inCluster, func(cfg *node.Config) { cfg.Peering = listen(t) })
	her, lucette := first.enrol("Partie"), first.enrol("Restée")
	second, third := first.joined(), first.joined()
	until(t, "three votes", func() bool { return first.Voters() == 3 })
	cluster, err := first.Replicas.List(first.admin)
	first.must(err)
	i := slices.IndexFunc(cluster.Replicas, func(r node.Replica) bool { return !r.Here })
	dataDir, keysDir := t.TempDir(), t.TempDir()
	add := func(dir string, keys bool) node.DestinationID {
		t.Helper()
		r, err := first.Backups.Register(t.Context(), first.admin, node.Destination{
			Name: dir, Kind: node.FolderDestination, Keys: keys, Replica: cluster.Replicas[i].ID, Path: dir, Recipients: []string{s.recipient},
		})
		first.must(err)
		return r.ID
	}
	data, keys := add(dataDir, false), add(keysDir, true)
	until(t, "both backups", func() bool { return first.place(data).Last != 0 && first.place(keys).Current })
	erased := first.erase(her)
	until(t, "the certificate", func() bool { return first.certified(erased) })
	first.wait(time.Minute)
	if _, err := first.Backups.Now(t.Context(), first.admin, data); err != nil {
		t.Error(err)
	}
	all := files(t, dataDir)
	kept := filepath.Join(t.TempDir(), "keys.bippop")
	until(t, "the key backup lies still", func() bool { // each time a vault is saved there is another one in its place
		there := files(t, keysDir)
		b, err := os.ReadFile(there[len(there)-1])
		return len(there) == 1 && err == nil && os.WriteFile(kept, b, 0o600) == nil
	})
	back, got := first.restore(node.Restoring{Data: all[0], Keys: kept, Recovery: s.opens})
	if got.Erased != 1 || got.Lost != 0 || back.readable(her) || !back.readable(lucette) {
		t.Errorf("%+v", got)
	}
	first.must(third.Close())
	first.must(second.Close())
	first.must(first.Close())
	first.Node = nil

	// It grows again, behind another address.
	back.must(back.Close())
	back.cfg.Peering = listen(t)
	inCluster(&back.cfg)
	back.Node = must(node.Open(t.Context(), back.cfg))
	t.Cleanup(func() { back.Close() })
	late := back.enrol("Suite")
	until(t, "its address", func() bool {
		cluster, err := back.Replicas.List(back.admin)
		return err == nil && cluster.Replicas[0].Peer == back.cfg.Peering.Address
	})
	fourth := back.joined()
	until(t, "the state", func() bool { return fourth.Index() >= back.Index() })
	if !fourth.readable(lucette) || !fourth.readable(late) || fourth.readable(her) {
		t.Errorf("who joined reads her: %v, the new one: %v, the erased one: %v", fourth.readable(lucette), fourth.readable(late), fourth.readable(her))
	}
}
