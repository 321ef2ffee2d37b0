package node_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// TestThreeReplicas: whatever replica a program speaks to, it finds what was
// written through another.
func TestThreeReplicas(t *testing.T) {
	c := newCluster(t, 3)
	d := c.leader().desk()
	for i, s := range c.seats {
		name := []string{"Aubertin", "Bellanger", "Castaing"}[i]
		a := d.at(s).wants(201, "POST", "/api/v1/beneficiaries", person(name))
		path := "/api/v1/beneficiaries/" + a.text("id")
		for _, other := range c.seats {
			if got := d.at(other).wants(200, "GET", path, nil, "X-Index", a.header.Get("X-Index")); got.text("last_name") != name {
				t.Errorf("%s reads %s", other.name, got.body)
			}
		}
	}
}

// TestLevel: while one replica runs an older program, nothing is recorded that it
// would stop at, and whoever asks is told which machine to upgrade.
func TestLevel(t *testing.T) {
	c := newCluster(t, 3)
	her := c.enrol("Aubertin")
	old := c.followers()[0]
	restartAs := func(change func(*node.Config)) {
		t.Helper()
		old.stop()
		change(&old.cfg)
		old.start()
	}
	level := func() uint16 { return c.record(old.name).Level }
	restartAs(node.Older)
	c.until("the older level is recorded", func() bool { return level() == 1 })
	_, err := c.leader().node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, true)
	wants(t, err, "level")
	if err == nil || !strings.Contains(err.Error(), "upgrade "+old.name) {
		t.Errorf("nobody is told which machine to upgrade: %v", err)
	}
	c.allRead(c.enrol("Bellanger"), "Bellanger") // what all know goes on
	late := c.seat(node.Older)
	token, _, err := c.leader().node.Replicas.Invite(t.Context(), c.admin, 0)
	c.must(err)
	restartAs(node.Newer)
	c.until("the newer level is recorded", func() bool { return level() > 1 })
	c.erase(node.ErasableBeneficiary, her)
	c.certified()
	if err := late.join(token); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("a program that does not know all that is recorded joins: %v", err)
	}
}

// TestReads: what was acknowledged by whatever replica is read at once by any
// other, with the index, with the browser's cookie, and with ?fresh=1.
func TestReads(t *testing.T) {
	c := newCluster(t, 3)
	d := c.leader().desk()
	for i := range 15 {
		writer, reader := d.at(c.seats[i%3]), d.at(c.seats[(i+1)%3])
		made := writer.wants(201, "POST", "/api/v1/beneficiaries", person(fmt.Sprint("Personne", i)))
		path := "/api/v1/beneficiaries/" + made.text("id")
		reader.wants(200, "GET", path+"?fresh=1", nil)
		made = writer.wants(201, "POST", "/api/v1/beneficiaries", person(fmt.Sprint("Suivante", i)))
		seen := (&http.Response{Header: made.header}).Cookies()
		if len(seen) == 0 {
			t.Fatal("the browser is told of no index")
		}
		reader.wants(200, "GET", "/api/v1/beneficiaries/"+made.text("id"), nil, "Cookie", seen[0].Name+"="+seen[0].Value)
	}
}

// TestLeaderLost kills the leader while people work. Whoever has got no answer
// sends the same form again with the same key: everything is there, once.
func TestLeaderLost(t *testing.T) {
	c := newCluster(t, 3)
	c.leader().desk() // warms up
	lost := c.leader()
	var places []desk
	for _, s := range c.followers() {
		places = append(places, s.desk())
	}
	const each = 12
	halfway := make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	ids := make([][each]string, len(places))
	resent := make([]int, len(places))
	for w, d := range places {
		all.Go(func() {
			for i := range each {
				if i == each/3 {
					once.Do(func() { close(halfway) })
				}
				key := fmt.Sprintf("form-%d-%d", w, i)
				for tries := 0; ids[w][i] == "" && tries < 1000; tries++ {
					a := d.send("POST", "/api/v1/beneficiaries", person(fmt.Sprintf("Forme%dx%d", w, i)), "Idempotency-Key", key)
					switch a.status {
					case 201:
						ids[w][i] = a.text("id")
					case 503:
						resent[w]++
					default:
						t.Errorf("a form was answered %d %s", a.status, a.body)
						return
					}
				}
			}
		})
	}
	<-halfway
	lost.kill()
	all.Wait()
	lost.start()
	c.together()
	t.Logf("%v forms sent again", resent)
	for _, s := range c.up() {
		list, _, err := s.node.Find.Beneficiaries(s.admin, node.Register{Limit: 100})
		c.must(err)
		if len(list) != each*len(places) {
			t.Errorf("%s has %d people, %d forms were sent", s.name, len(list), each*len(places))
		}
	}
	for _, of := range ids {
		for _, id := range of {
			places[0].wants(200, "GET", "/api/v1/beneficiaries/"+id, nil)
		}
	}
}

// TestRemoved: a replica that was removed is told so, serves nobody any more, and
// takes no further part; another machine joins at its address.
func TestRemoved(t *testing.T) {
	c := newCluster(t, 3)
	her := c.enrol("Aubertin")
	gone := c.followers()[0]
	d := gone.desk()
	_, err := c.leader().node.Replicas.Remove(t.Context(), c.admin, gone.self().ID)
	c.must(err)
	c.until("the removed replica serves nobody", func() bool {
		return d.send("GET", "/api/v1/beneficiaries/"+her.String(), nil).status == 503
	})
	if a := d.send("POST", "/api/v1/beneficiaries", person("Bellanger")); a.status != 503 {
		t.Errorf("a write through a removed replica: %d %s", a.status, a.body)
	}
	if a := d.send("GET", "/readyz", nil); a.status == 200 {
		t.Error("it calls itself ready")
	}
	if _, err := c.leader().node.Replicas.Remove(t.Context(), c.admin, c.leader().self().ID); err == nil {
		t.Error("the leader removes itself")
	}
	after := c.enrol("Castaing") // of two voters both agree
	gone.kill()
	if err := gone.tryStart(); err == nil || !strings.Contains(err.Error(), "removed from the territory") {
		t.Errorf("it starts again, or does not say why: %v", err)
	}
	fresh := c.seat()
	fresh.line, fresh.cfg.Peering.Address = gone.line, gone.line.Address()
	c.joined(fresh)
	c.allVote()
	if fresh.self().ID == c.record(gone.name).ID || c.record(gone.name).State != node.ReplicaRemoved {
		t.Error("the new machine has taken over the old one's name")
	}
	c.allRead(her, "Aubertin")
	c.allRead(after, "Castaing")
}

// TestMoved: a replica comes back under another address; the others follow it.
func TestMoved(t *testing.T) {
	c := newCluster(t, 3)
	moved := c.followers()[0]
	moved.stop()
	other := c.seat() // for its line
	c.seats = c.seats[:3]
	moved.line, moved.cfg.Peering.Address = other.line, other.line.Address()
	moved.start()
	c.until("the new address is recorded", func() bool { return c.record(moved.name).Peer == moved.line.Address() })
	her := c.enrol("Aubertin")
	c.allRead(her, "Aubertin")
	c.erase(node.ErasableBeneficiary, her)
	c.certified()
}

// TestTokens tries what must not let a machine in. Each time nothing is left
// behind, and the machine can join afterwards.
func TestTokens(t *testing.T) {
	c := newCluster(t, 1)
	other := newTerritory(t, "200069599", 1)
	invite := func(c *cluster) node.Secret {
		t.Helper()
		token, _, err := c.leader().node.Replicas.Invite(t.Context(), c.admin, time.Hour)
		c.must(err)
		return token
	}
	joins := c.seat()
	late := invite(c)
	used := invite(c)
	c.must(c.seat().join(used))
	c.wait(2 * time.Hour)
	cases := []struct {
		what, says string
		token      node.Secret
		clock      time.Duration
	}{
		{"no token", "join token", secret("hello"), 0},
		{"half a token", "join token", secret(used.Reveal()[:60]), 0},
		{"expired", "expired", late, 0},
		{"used twice", "used", used, 0},
		{"of another territory", "", node.TokenAt(invite(other), c.seats[0].line.Address()), 0},
		{"with another secret", "", node.TokenWithout(invite(c)), 0},
		{"clocks apart", "clocks", invite(c), 5 * time.Minute},
	}
	for _, k := range cases {
		joins.late = k.clock
		err := joins.join(k.token)
		if err == nil {
			t.Fatalf("%s: the machine is in", k.what)
		}
		t.Logf("%s: %v", k.what, err)
		if !strings.Contains(err.Error(), k.says) || strings.Contains(err.Error(), "EOF") {
			t.Errorf("%s: %q does not say why", k.what, err)
		}
		for _, path := range []string{joins.cfg.Dir, joins.cfg.Vault} {
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %s is left behind", k.what, path)
			}
		}
	}
	joins.late = 0
	c.must(joins.join(invite(c)))
	if err := joins.join(invite(c)); err == nil {
		t.Error("a machine joins over its own vault")
	}
}

// TestTwoTerritories: machines of two territories that swap addresses do not
// speak with each other, and both go on.
func TestTwoTerritories(t *testing.T) {
	a, b := newCluster(t, 3), newTerritory(t, "200069599", 3)
	one, two := a.followers()[0], b.followers()[0]
	inA, inB := a.enrol("Aubertin"), b.enrol("Bellanger")
	toOne, toTwo := one.node.ListensAt(), two.node.ListensAt()
	for _, s := range []*seat{one, two} {
		s.line.Cut()
	}
	one.line.To(toTwo)
	two.line.To(toOne)
	for _, s := range []*seat{one, two} {
		s.line.Heal()
	}
	after := a.enrol("Castaing")
	b.enrol("Delmas")
	a.until("a replica of the other territory was refused", func() bool {
		said := ""
		for _, s := range append(a.up(), b.up()...) {
			said += s.log.String()
		}
		return strings.Contains(said, "a replica of another territory")
	})
	one.line.Cut()
	two.line.Cut()
	one.line.To(toOne)
	two.line.To(toTwo)
	one.line.Heal()
	two.line.Heal()
	a.allRead(inA, "Aubertin")
	a.allRead(after, "Castaing")
	b.allRead(inB, "Bellanger")
	for _, s := range b.up() {
		if hits, err := s.node.Find.People(b.admin, "Castaing", node.AnyPerson, 5); err != nil || len(hits) > 0 {
			t.Errorf("somebody of the other territory is found: %v", err)
		}
	}
}

// TestLostData: a vault without its data does not come back under its old name.
func TestLostData(t *testing.T) {
	for _, replicas := range []int{1, 3} {
		c := newCluster(t, replicas)
		s := c.seats[0]
		s.stop()
		c.must(os.RemoveAll(s.cfg.Dir))
		if err := s.tryStart(); !errors.Is(err, node.ErrLostData) {
			t.Errorf("of %d: %v", replicas, err)
		}
	}
	c := newCluster(t, 2+1)
	s := c.seats[2] // it has joined
	s.stop()
	c.must(os.RemoveAll(s.cfg.Dir))
	if err := s.tryStart(); !errors.Is(err, node.ErrLostData) {
		t.Errorf("one that has joined: %v", err)
	}
}

// TestOldVault: a vault from before an erasure gets the root in force from the
// others and loses its own for good; a lone replica says that it is too old.
func TestOldVault(t *testing.T) {
	c := newCluster(t, 3)
	kept, her := c.enrol("Restante"), c.enrol("Zyxwvutine")
	s := c.followers()[0]
	old, err := os.ReadFile(s.cfg.Vault)
	c.must(err)
	former := s.vault().Roots.Current.ID()
	c.erase(node.ErasableBeneficiary, her)
	c.certified()
	s.kill()
	c.must(os.WriteFile(s.cfg.Vault, old, 0o600))
	s.start()
	c.allRead(kept, "Restante")
	c.gone(her, "Zyxwvutine")
	if s.vault().Roots.Holds(former) {
		t.Error("the former root is in its vault again")
	}
}

func TestOldVaultAlone(t *testing.T) {
	c := newCluster(t, 1)
	her := c.enrol("Zyxwvutine")
	s := c.seats[0]
	old, err := os.ReadFile(s.cfg.Vault)
	c.must(err)
	c.erase(node.ErasableBeneficiary, her)
	e := c.certified()
	cert, err := s.node.Erasures.Certificate(c.admin, e.ID)
	c.must(err)
	if !strings.Contains(strings.Join(cert.Limits, " "), "one-replica") {
		t.Errorf("the certificate of a lone replica promises too much: %v", cert.Limits)
	}
	s.stop()
	c.must(os.WriteFile(s.cfg.Vault, old, 0o600))
	if err := s.tryStartFor(10 * time.Second); err == nil || !strings.Contains(err.Error(), "the vault is older than the data") {
		t.Errorf("an old vault: %v", err)
	}
}

// TestCertificate: a certificate that ends soon is renewed, on disk and before
// the others, while nobody notices.
func TestCertificate(t *testing.T) {
	c := newCluster(t, 3)
	s := c.followers()[0]
	s.stop()
	v := s.vault()
	soon := time.Now().Add(time.Hour)
	der, err := v.Shared.Authority.Issue(v.Replica, v.TLS.Public(), time.Now().Add(-time.Hour), soon)
	c.must(err)
	v.TLS, err = v.TLS.WithCertificate(der)
	c.must(err)
	c.must(crypto.SaveVault(s.cfg.Vault, &v, c.key))
	s.start()
	c.until("the certificate is renewed", func() bool { return s.vault().TLS.Expires().After(soon.Add(24 * time.Hour)) })
	c.until("the leader knows", func() bool { return c.record(s.name).Said.Expires.After(soon.Add(24 * time.Hour)) })
	s.line.Cut() // open streams end; the next ones show the new certificate
	s.line.Heal()
	c.allRead(c.enrol("Aubertin"), "Aubertin")
}

// TestTransfer: leadership is handed on without a write being refused for long.
func TestTransfer(t *testing.T) {
	c := newCluster(t, 3)
	from, to := c.leader(), c.followers()[0]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c.must(from.node.Replicas.Transfer(ctx, c.admin, to.self().ID))
	c.until("the other leads", func() bool { return to.node.Leading() })
	c.allRead(c.enrol("Aubertin"), "Aubertin")
}
