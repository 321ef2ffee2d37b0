package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// The demo's federation has one hub, which is its one witness, and one holder. Both
// are the coordinator's: in service that would prove nothing, so the roster says that
// it is a demo, and every page that shows it does.
const (
	demoHub        = "hub.demo"
	demoHolder     = "démonstration"
	demoHolderFile = "holder.key.age" // in the coordinator's folder; identity.txt opens it
	demoExpiry     = 800              // days
	demoSimulated  = 40
)

// demoPull is how often the demo's nodes look for what others have said: a visitor
// does not wait a quarter of an hour for an answer.
const demoPull = 2 * time.Second

// federating is how a part of the demo takes part.
func (h *demoHome) federating() node.Federating {
	f := node.Federating{Tune: func(c *federation.Config) { c.PullEvery, c.SyncEvery = demoPull, demoPull }}
	if h.place == nation {
		f.Hub = node.FederationHub{Name: demoHub, Listen: []string{hubAddress(h.Hub)}}
	}
	return f
}

// hubAddress is the hub's on this machine.
func hubAddress(port int) string { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port) }

// simulated are the territories that take part in nothing, so that the map is not
// empty; the pages say so.
func simulated(seed uint64) (out []node.SimulatedTerritory, truth []synth.Simulated) {
	var among []synth.Grouping
	for _, g := range node.Groupings() {
		siren, err := public.ParseSiren(g.Siren)
		if err != nil || g.Siren == reole.Siren || g.Siren == rural.Siren {
			continue
		}
		among = append(among, synth.Grouping{Siren: siren, Name: g.Name, Departement: g.Departement, Population: g.Population, Communes: len(g.Communes)})
	}
	last := lastReleased(time.Now())
	for _, one := range synth.Nation(seed, among, demoSimulated, last) {
		t := node.SimulatedTerritory{Siren: one.Siren}
		for _, q := range one.Quarters {
			t.Releases = append(t.Releases, q.Release)
		}
		out, truth = append(out, t), append(truth, one)
	}
	return out, truth
}

// lastReleased is the newest quarter whose figures have left by then.
func lastReleased(now time.Time) public.Quarter {
	then := now.AddDate(0, 0, -10)
	return public.QuarterOf(public.MonthOf(then.Year(), int(then.Month()))) - 1
}

// federate lets the parts meet: the coordinator founds a federation and lists the
// territories, and these release what is over. Once: it is kept with the rest.
func (d *demo) federate(ctx context.Context, out output) error {
	coordinator := d.parts[len(d.parts)-1]
	if coordinator.home.Federated {
		return nil
	}
	c := ceremony{demo: d, coordinator: coordinator}
	if err := c.found(ctx); err != nil {
		return fmt.Errorf("founding the demo's federation: %w", err)
	}
	for _, p := range d.parts[:len(d.parts)-1] {
		if err := c.admit(ctx, p); err != nil {
			return fmt.Errorf("letting %s join the demo's federation: %w", p.home.Name, err)
		}
	}
	for _, p := range d.parts[:len(d.parts)-1] {
		if err := c.release(ctx, p); err != nil {
			return fmt.Errorf("releasing the past of %s: %w", p.home.Name, err)
		}
	}
	if err := c.offer(ctx); err != nil {
		return fmt.Errorf("offering help across the border: %w", err)
	}
	n, by, err := coordinator.admin(ctx)
	if err == nil { // a visitor comes to figures that are there
		err = patiently(ctx, func() error { return n.Federation.Sync(ctx, by) })
	}
	if err != nil {
		return fmt.Errorf("reading what the demo's territories have said: %w", err)
	}
	coordinator.home.Federated = true
	return coordinator.home.save()
}

// ceremony founds the federation as people would.
type ceremony struct {
	*demo
	coordinator *demoPart
	seed        [32]byte // of the holder's key
}

// admin signs in as a part's administrator, at the replica that leads.
func (p *demoPart) admin(ctx context.Context) (*node.Node, node.Caller, error) {
	n := p.cluster.leader()
	a, err := p.home.account("admin")
	if err != nil {
		return nil, node.Caller{}, err
	}
	_, by, err := n.Accounts.SignIn(ctx, a.Login, crypto.NewSecret(a.Password), "demo", true)
	return n, by, err
}

func (c *ceremony) found(ctx context.Context) error {
	home := c.coordinator.home
	unseal, err := crypto.IdentityFile(filepath.Join(home.dir, "identity.txt"))
	if err != nil {
		return err
	}
	path := filepath.Join(home.dir, demoHolderFile)
	if _, err := crypto.NewSigningKeyFile(path, unseal); err != nil {
		return err
	}
	key, err := crypto.OpenSigningKeyFile(path, unseal)
	if err != nil {
		return err
	}
	copy(c.seed[:], key.Seed())
	n, by, err := c.coordinator.admin(ctx)
	if err != nil {
		return err
	}
	hub, err := n.Federation.HubKeys(by, demoHub)
	if err != nil {
		return err
	}
	hub.Operator, hub.Addresses = "la coordination, pour la démonstration", []string{hubAddress(home.Hub)}
	draft, err := n.Federation.Begin(ctx, by, node.Beginning{
		Name: "Entraide de France (démonstration)", Demo: true, Holders: []string{node.HolderKey(demoHolder, c.seed)}, Need: 1, Hubs: []node.HubKeys{hub}, Threshold: 1, Days: demoExpiry,
	})
	if err != nil {
		return err
	}
	return c.publish(ctx, n, by, draft)
}

// publish signs a draft as the one holder, and makes it so.
func (c *ceremony) publish(ctx context.Context, n *node.Node, by node.Caller, draft string) error {
	signed, missing, err := node.SignDraft(draft, c.seed)
	if err != nil {
		return err
	}
	if missing != "" {
		return errors.New("the roster wants more signatures: " + missing)
	}
	return n.Federation.Publish(ctx, by, signed)
}

// admit lists a territory that was invited.
func (c *ceremony) admit(ctx context.Context, p *demoPart) error {
	national, chief, err := c.coordinator.admin(ctx)
	if err != nil {
		return err
	}
	invitation, err := national.Federation.Invite(chief, p.home.place.Siren)
	if err != nil {
		return err
	}
	n, by, err := p.admin(ctx)
	if err != nil {
		return err
	}
	if _, err := n.Federation.Join(ctx, by, invitation); err != nil {
		return err
	}
	var application string
	if err := patiently(ctx, func() (err error) { // its machines answer each other
		application, err = n.Federation.Application(ctx, by, p.home.place.Email)
		return err
	}); err != nil {
		return err
	}
	draft, _, err := national.Federation.Draft(chief, node.RosterChange{Application: application})
	if err != nil {
		return err
	}
	return c.publish(ctx, national, chief, draft)
}

// release lets every quarter that is over leave.
func (c *ceremony) release(ctx context.Context, p *demoPart) error {
	n, by, err := p.admin(ctx)
	if err != nil {
		return err
	}
	if err := patiently(ctx, func() error { return n.Federation.Sync(ctx, by) }); err != nil {
		return err
	}
	for {
		switch _, err := n.Figures.Quarters.Freeze(ctx, by); {
		case isCode(err, "quarter-open"), isCode(err, "quarters-unbegun"):
			return patiently(ctx, func() error { return n.Federation.Sync(ctx, by) })
		case isCode(err, "not-compared"):
			if err := patiently(ctx, func() error { return n.Federation.Sync(ctx, by) }); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// offer has the neighbour offer visits that nobody of its own has asked for.
func (c *ceremony) offer(ctx context.Context) error {
	n, by, err := c.parts[1].admin(ctx)
	if err != nil {
		return err
	}
	today := node.DayOf(n.Now())
	monday := today + node.Day((8-int(today.Date().Weekday()))%7)
	for _, o := range []node.NewCrossOffer{
		{Category: public.Visit, Monday: monday, Weeks: 6, Slots: 6, Radius: public.Near},
		{Category: public.Shopping, Monday: monday, Weeks: 4, Slots: 4, Radius: public.Near},
	} {
		made, err := n.Across.Prepare(ctx, by, o)
		if err != nil {
			return err
		}
		if _, err := n.Across.Publish(ctx, by, made.ID, made.Version); err != nil {
			return err
		}
	}
	return n.Federation.Sync(ctx, by)
}

// demoPatience is how long the demo's parts wait for each other.
const demoPatience = 30 * time.Second

// patiently tries again what other machines have to be ready for.
func patiently(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[*node.Error](err)
	return ok && e.Code == code
}
