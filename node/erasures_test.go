package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// gone requires that nobody finds a word of hers anywhere.
func (c *cluster) gone(her node.BeneficiaryID, last string) {
	c.Helper()
	c.together()
	for _, s := range c.up() {
		if _, err := s.node.Beneficiaries.Get(s.admin, her); err == nil {
			c.Errorf("%s still shows her", s.name)
		}
		hits, err := s.node.Find.People(s.admin, last, node.AnyPerson, 10)
		if err != nil || len(hits) > 0 {
			c.Errorf("%s finds %d people by her name, %v", s.name, len(hits), err)
		}
		var file bytes.Buffer
		if err := s.node.Imports.Export(s.admin, &file, false); err != nil || strings.Contains(file.String(), last) {
			c.Errorf("she is in an export of %s, or there is none: %v", s.name, err)
		}
		list, _, err := s.node.Find.Beneficiaries(s.admin, node.Register{Limit: 100})
		for _, b := range list {
			if b.ID == her || b.Words.Last.Reveal() == last {
				c.Errorf("%s lists her", s.name)
			}
		}
		c.must(err)
	}
}

// vault of a machine, as it lies on its disk.
func (s *seat) vault() crypto.Vault {
	s.Helper()
	v, err := crypto.LoadVault(s.cfg.Vault, s.key)
	s.must(err)
	return v
}

// TestErasure is the life of erasures in a territory of three.
func TestErasure(t *testing.T) {
	c := newCluster(t, 3)
	kept, her := c.enrol("Restante"), c.enrol("Zyxwvutine")
	t.Run("all up", func(t *testing.T) {
		former := c.seats[0].vault().Roots.Current
		begun := time.Now()
		c.erase(node.ErasableBeneficiary, her)
		e := c.certified()
		t.Logf("certified after %v", time.Since(begun))
		if len(e.Who) != 1 || e.Who[0].ID != her || e.From != former.ID().String() || len(e.Holders) != 3 {
			t.Errorf("the certificate says %+v", e)
		}
		c.gone(her, "Zyxwvutine")
		c.allRead(kept, "Restante")
		for _, s := range c.seats {
			if v := s.vault(); v.Roots.Holds(former.ID()) || len(v.Roots.Candidates) > 0 {
				t.Errorf("the vault of %s holds %v", s.name, v.Roots.IDs())
			}
		}
		cert, err := c.leader().node.Erasures.Certificate(c.admin, e.ID)
		c.must(err)
		if !slices.Equal(cert.Limits, []string{"vault-copies", "backups-35-days"}) {
			t.Errorf("limits %v", cert.Limits)
		}
	})
	t.Run("one is away", func(t *testing.T) {
		her := c.enrol("Absentine")
		away := c.followers()[0]
		away.kill()
		c.erase(node.ErasableBeneficiary, her)
		c.until("only the one that is away is waited for", func() bool { return c.pending() == away.name })
		if e := c.leader().erasures()[0]; e.Certified != 0 {
			t.Error("certified while a machine holds the former key")
		}
		former := away.vault().Roots.Current
		away.start()
		c.certified()
		if away.vault().Roots.Holds(former.ID()) {
			t.Errorf("%s is certified and holds the former key", away.name)
		}
		c.gone(her, "Absentine")
		c.allRead(kept, "Restante")
	})
	t.Run("the wish is taken back", func(t *testing.T) {
		her := c.enrol("Hésitante")
		n := c.leader().node
		_, err := n.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, false)
		c.must(err)
		waiting, _, _, err := n.Erasures.List(c.admin, node.Page{})
		c.must(err)
		if len(waiting) != 1 || waiting[0].Who != her {
			t.Fatalf("waiting: %+v", waiting)
		}
		_, err = n.Erasures.Keep(t.Context(), c.admin, waiting[0].ID)
		c.must(err)
		_, err = n.Erasures.Run(t.Context(), c.admin)
		c.must(err)
		c.allRead(her, "Hésitante")
	})
	t.Run("by the hour", func(t *testing.T) {
		before := len(c.leader().erasures())
		pair := []node.BeneficiaryID{c.enrol("Première"), c.enrol("Deuxième")}
		n := c.leader().node
		for _, her := range pair {
			c.comeIn()
			_, err := n.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, false)
			c.must(err)
			c.wait(40 * time.Minute)
			if her == pair[0] {
				c.must(n.EraseDue(t.Context()))
				c.allRead(her, "Première")
			}
		}
		c.must(n.EraseDue(t.Context()))
		c.comeIn()
		c.certified()
		if done := c.leader().erasures(); len(done) != before+1 || len(done[0].Who) != 2 {
			t.Errorf("%d erasures more, %d people in the last", len(done)-before, len(done[0].Who))
		}
		c.gone(pair[0], "Première")
		c.gone(pair[1], "Deuxième")
	})
	t.Run("a volunteer and his account", func(t *testing.T) {
		n := c.leader().node
		r, err := n.Volunteers.Register(t.Context(), c.admin, node.Readiness{Commune: "33352", RadiusKm: 15},
			node.VolunteerWords{First: secret("Exemple"), Last: secret("Partant"), Phones: []node.Phone{{Number: secret("06 39 98 11 22")}}})
		c.must(err)
		_, err = n.Accounts.Open(t.Context(), c.admin, node.NewAccount{Login: "partant", Password: secret(password), Roles: node.RoleVolunteer, Of: r.ID, Name: secret("Partant")})
		c.must(err)
		c.erase(node.ErasableVolunteer, r.ID)
		if e := c.certified(); len(e.Who) != 2 {
			t.Errorf("%d records went, want him and his account", len(e.Who))
		}
		for _, s := range c.up() {
			hits, err := s.node.Find.People(c.admin, "Partant", node.AnyPerson, 10)
			if err != nil || len(hits) > 0 {
				t.Errorf("%s finds him: %v", s.name, err)
			}
		}
		if _, _, err := c.leader().node.Accounts.SignIn(t.Context(), "partant", secret(password), "test", false); err == nil {
			t.Error("he signs in")
		}
	})
	t.Run("an import that was undone", func(t *testing.T) {
		n := c.leader().node
		report, err := n.Imports.Run(t.Context(), c.admin, node.ImportID{}, node.Spreadsheet{Name: "registre.csv", Content: registry(300), Basis: node.Consent, SkipFaulty: true})
		c.must(err)
		_, err = n.Imports.Undo(t.Context(), c.admin, report.ID)
		c.must(err)
		before := len(c.leader().erasures())
		begun := time.Now()
		c.erase(node.ErasableImport, report.ID)
		c.certified()
		people := 0
		done := c.leader().erasures()
		for _, e := range done[:len(done)-before] {
			people += len(e.Who)
		}
		t.Logf("%d people with %d roots in %v", people, len(done)-before, time.Since(begun))
		if people != report.Brought+1 {
			t.Errorf("%d records went, want %d people and the list", people, report.Brought)
		}
		c.allRead(kept, "Restante")
	})
	t.Run("nobody", func(t *testing.T) {
		from := c.seats[0].vault().Roots.Current.ID()
		_, err := c.leader().node.Replicas.Rotate(t.Context(), c.admin)
		c.must(err)
		if e := c.certified(); len(e.Who) != 0 || e.From != from.String() {
			t.Errorf("%+v", e)
		}
		c.allRead(kept, "Restante")
	})
	t.Run("a machine was removed", func(t *testing.T) {
		her := c.enrol("Dernière")
		lost := c.followers()[0]
		id := lost.self().ID
		former := lost.vault().Roots.Current
		_, err := c.leader().node.Replicas.Remove(t.Context(), c.admin, id)
		c.must(err)
		lost.kill()
		c.erase(node.ErasableBeneficiary, her)
		c.until("the removed one is waited for", func() bool { return c.pending() == lost.name })
		if v := lost.vault(); !v.Roots.Holds(former.ID()) {
			t.Error("the vault of the removed machine was changed: the story is not the one that is meant")
		}
		_, err = c.leader().node.Replicas.Destroyed(t.Context(), c.admin, id, "disk shredded")
		c.must(err)
		e := c.certified()
		if i := slices.IndexFunc(e.Holders, func(h node.Holder) bool { return h.Replica == id }); i < 0 || e.Holders[i].How != "disk shredded" || e.Holders[i].By != c.admin.Account {
			t.Errorf("the certificate does not say who has destroyed the vault, and how: %+v", e.Holders)
		}
		if err := lost.tryStart(); err == nil {
			t.Error("a replica that was removed serves again")
		}
		c.joined(c.seat())
		c.allVote()
		c.gone(her, "Dernière")
		c.allRead(kept, "Restante")
	})
}

// TestErasuresUnderLoad erases people while others are enrolled without a break:
// nobody is lost, and everybody is readable everywhere.
func TestErasuresUnderLoad(t *testing.T) {
	c := newCluster(t, 3)
	rounds := 4
	if *long {
		rounds = 60
	}
	var mu sync.Mutex // guards stays
	stays := map[node.BeneficiaryID]string{}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	leader := c.leader()
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				last := fmt.Sprintf("Reste%dx%d", w, i)
				id, err := c.tryEnrol(leader, last)
				var e *node.Error
				if errors.As(err, &e) && e.Kind == node.Unavailable {
					continue
				}
				if err != nil {
					t.Errorf("enrolling: %v", err)
					return
				}
				mu.Lock()
				stays[id] = last
				mu.Unlock()
			}
		})
	}
	refused := 0
	for i := range rounds {
		last := fmt.Sprintf("Zyxwvutine%d", i)
		her, err := c.tryEnrol(leader, last)
		c.must(err)
		_, err = leader.node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, true)
		for e := (*node.Error)(nil); errors.As(err, &e) && e.Kind == node.Unavailable; refused++ {
			_, err = leader.node.Erasures.Run(t.Context(), c.admin)
		}
		c.must(err)
	}
	close(stop)
	writers.Wait()
	c.certified()
	t.Logf("%d erasures, %d asked again, %d people enrolled meanwhile", rounds, refused, len(stays))
	if len(stays) < rounds {
		t.Errorf("only %d people were enrolled meanwhile: there was no load", len(stays))
	}
	c.together()
	for _, s := range c.seats {
		for id, last := range stays {
			if err := s.readable(id, last); err != nil {
				t.Fatalf("%s cannot read %s: %v", s.name, last, err)
			}
		}
		s.restart()
		for id, last := range stays {
			if err := s.readable(id, last); err != nil {
				t.Fatalf("%s cannot read %s after a restart: %v", s.name, last, err)
			}
		}
	}
}

// TestRivalRoots loses the leader after it has handed a root over and before it
// has proposed it: the next leader's own root comes into force, and the other one
// is destroyed everywhere.
func TestRivalRoots(t *testing.T) {
	c := newCluster(t, 3)
	kept, her := c.enrol("Restante"), c.enrol("Zyxwvutine")
	old := c.leader()
	_, err := old.node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, false)
	c.must(err)
	c.together()
	sealed := old.vault().Sealed
	armed := func() error {
		v, err := crypto.LoadVault(old.cfg.Vault, c.key)
		if err == nil && v.Sealed > sealed {
			return errors.New("the disk is gone")
		}
		return nil
	}
	old.disk.Store(&armed)
	ran := make(chan error, 1)
	go func() {
		_, err := old.node.Erasures.Run(t.Context(), c.admin)
		ran <- err
	}()
	<-ran
	copies := c.copied("handed over")
	var rival crypto.Key
	for _, copied := range copies {
		candidates := copied.vault().Roots.Candidates
		if len(candidates) != 1 || !rival.Zero() && rival.ID() != candidates[0].Key.ID() {
			t.Fatalf("%s holds %d candidates", copied.name, len(candidates))
		}
		rival = candidates[0].Key
	}
	old.kill()
	_, err = c.leader().node.Erasures.Run(t.Context(), c.admin)
	c.must(err)
	old.disk.Store(nil)
	old.start()
	e := c.certified()
	if e.To == rival.ID().String() {
		t.Error("the root of the lost leader came into force with another command")
	}
	for _, s := range c.seats {
		if v := s.vault(); v.Roots.Current.ID().String() != e.To || len(v.Roots.Candidates) > 0 {
			t.Errorf("%s holds %v once certified", s.name, v.Roots.IDs())
		}
	}
	c.gone(her, "Zyxwvutine")
	c.allRead(kept, "Restante")
}

// TestSnapshotAfterErasure: a machine that was away so long that it gets a
// snapshot instead of the log knows neither her nor the former root afterwards.
func TestSnapshotAfterErasure(t *testing.T) {
	c := newCluster(t, 3, func(cfg *node.Config) {
		cfg.Tuning.SnapshotEntries, cfg.Tuning.TrailingEntries, cfg.Tuning.SnapshotCheck = 30, 5, 20*time.Millisecond
	})
	kept, her := c.enrol("Restante"), c.enrol("Zyxwvutine")
	c.together()
	away := c.followers()[0]
	last := away.node.LastEntry()
	away.kill()
	former := away.vault().Roots.Current
	c.erase(node.ErasableBeneficiary, her)
	var stays []node.BeneficiaryID
	c.until("the log has left behind what the one away lacks", func() bool {
		stays = append(stays, c.enrol(fmt.Sprintf("Nouvelle%d", len(stays))))
		return c.leader().node.FirstEntry() > last
	})
	away.start()
	c.certified()
	if v := away.vault(); v.Roots.Holds(former.ID()) {
		t.Error("the former root is still in its vault")
	}
	c.gone(her, "Zyxwvutine")
	c.allRead(kept, "Restante")
	for i, id := range stays {
		if err := away.readable(id, fmt.Sprintf("Nouvelle%d", i)); err != nil {
			t.Errorf("%s: %v", away.name, err)
		}
	}
}

// comeIn signs the administrator in anew: who erases and exports has shown lately that
// it is her.
func (c *cluster) comeIn() {
	c.Helper()
	var err error
	_, c.admin, err = c.leader().node.Accounts.SignIn(c.Context(), "admin", secret(password), "test", false)
	c.must(err)
}
