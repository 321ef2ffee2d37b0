package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// demoPlace is a territory of the demo, in every profile. Numbers are reserved for
// fiction.
type demoPlace struct {
	Siren, Folder, Calls, Phone, Email, Admin string
}

var (
	reole  = demoPlace{"200044394", "", "Entraide chez nous", "05 36 49 00 00", "entraide@reolais.example", "Claire, CCAS"}                             // CC du Réolais en Sud Gironde
	rural  = demoPlace{"200069599", "neighbour", "Coup de main entre voisins", "05 36 49 00 40", "coupdemain@deux-mers.example", "Marion, CIAS"}        // CC Rurales de l'Entre-Deux-Mers
	nation = demoPlace{"999999998", "coordinator", "Coordination nationale", "01 99 00 00 00", "coordination@solidarite.example", "Inès, coordination"} // invented, like its number
)

const demoHours = "du lundi au vendredi, 9 h – 17 h"

// writers is how many writes are under way at once: the log puts those that wait
// together into one entry.
const writers = 32

// filler puts an invented world into a node, through the services that people
// use, day by day: the node's clock is moved along, so that the past lies in the
// past.
type filler struct {
	node  *node.Node
	by    node.Caller // the first administrator
	clock *movedClock
	world *synth.World
	codes []string // of the world's communes
	kinds map[string]node.TypeID
	steps *progress
	log   *slog.Logger

	her []node.BeneficiaryID // by index in the world
	him []node.VolunteerID

	mu      sync.Mutex  // guards what follows, for one request
	asked   map[int]int // per volunteer, open requests that wait for the answer
	coming  map[int]int // per volunteer, open requests that were accepted
	waiting []node.RequestID
}

// movedClock is the node's clock: at a stated hour while the past is told, or the
// real one. Safe for concurrent use.
type movedClock struct {
	from  atomic.Int64 // Unix nanoseconds; 0: the real time
	calls atomic.Int64
}

// A day of the past is told twice: in the morning people come along and ask, in
// the evening it is written down how the visits of the day went. The clock goes on
// a little each time somebody looks at it.
const (
	morning = 8*time.Hour + 30*time.Minute
	evening = 20 * time.Hour
	tick    = 250 * time.Millisecond
	longest = 3 * time.Hour
)

func (c *movedClock) now() time.Time {
	from := c.from.Load()
	if from == 0 {
		return time.Now()
	}
	return time.Unix(0, from).Add(min(time.Duration(c.calls.Add(1))*tick, longest))
}

// move sets the clock to an hour of the day that begins at midnight.
func (c *movedClock) move(midnight time.Time, hour time.Duration) {
	c.calls.Store(0)
	c.from.Store(midnight.Add(hour).UnixNano())
}

func (c *movedClock) real() { c.from.Store(0) }

// fill founds the demo's territory and lets its past happen.
func (h *demoHome) fill(ctx context.Context, cfg node.Config, out output) (*node.Node, error) {
	if h.place == nation {
		return h.foundCoordinator(ctx, cfg)
	}
	name, members, ok := node.LookupEPCI(h.place.Siren)
	if !ok {
		return nil, errors.New("the demo's territory is not in this program's registry")
	}
	h.Name = name
	communes, err := demoCommunes(h.Profile, members)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, err
	}
	today := midnight(time.Now().In(zone))
	f := &filler{
		log: cfg.Logger, clock: &movedClock{}, world: synth.New(h.Profile, h.Seed, communes, today), kinds: map[string]node.TypeID{},
		asked: map[int]int{}, coming: map[int]int{},
	}
	for _, c := range communes {
		f.codes = append(f.codes, c.Code)
	}
	days := f.timeline()
	f.clock.move(today.AddDate(0, 0, days.first), 0)
	cfg.Now = f.clock.now
	passwords := newPasswords(h.Seed, h.place)
	admin := demoAccount{Role: "admin", Login: "admin", Password: passwords.next(), Label: "Administratrice du CCAS"}
	n, err := node.FoundTerritory(ctx, cfg, node.Founding{
		Territory: node.Territory{Siren: h.place.Siren, Name: name, Calls: h.place.Calls, Phone: h.place.Phone, Hours: demoHours, Communes: union(members, f.codes)},
		Login:     admin.Login, Password: crypto.NewSecret(admin.Password), Name: crypto.NewSecret(h.place.Admin),
	})
	if err != nil {
		return nil, err
	}
	f.node = n
	if _, f.by, err = n.Accounts.SignIn(ctx, admin.Login, crypto.NewSecret(admin.Password), "demo", true); err == nil {
		err = f.live(ctx, today, days, out)
	}
	if err == nil {
		err = habits(ctx, f)
	}
	if err == nil { // months have passed: whoever opens accounts shows afresh that it is her
		_, f.by, err = n.Accounts.SignIn(ctx, admin.Login, crypto.NewSecret(admin.Password), "demo", true)
	}
	if err == nil {
		h.Accounts, err = f.accounts(ctx, admin, passwords)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("filling the demo: %w", err), n.Close())
	}
	return n, nil
}

// foundCoordinator founds the node that has no desk and knows nobody.
func (h *demoHome) foundCoordinator(ctx context.Context, cfg node.Config) (*node.Node, error) {
	h.Name = "Démonstration"
	passwords := newPasswords(h.Seed, h.place)
	h.Accounts = []demoAccount{
		{Role: "coordinator", Login: "coordination", Password: passwords.next(), Label: "Coordinatrice nationale"},
		{Role: "admin", Login: "admin", Password: passwords.next(), Label: "Administratrice de la coordination"},
		{Role: "dpo", Login: "dpo", Password: passwords.next(), Label: "Déléguée à la protection des données"},
	}
	admin := h.Accounts[1]
	n, err := node.FoundTerritory(ctx, cfg, node.Founding{
		Territory: node.Territory{Siren: h.place.Siren, Name: h.Name, Calls: h.place.Calls, Phone: h.place.Phone, Hours: demoHours, Role: node.CoordinatorNode},
		Login:     admin.Login, Password: crypto.NewSecret(admin.Password), Name: crypto.NewSecret(h.place.Admin),
	})
	if err != nil {
		return nil, err
	}
	_, by, err := n.Accounts.SignIn(ctx, admin.Login, crypto.NewSecret(admin.Password), "demo", true)
	for i, a := range []node.NewAccount{
		{Roles: node.RoleCoordinator, Name: crypto.NewSecret("Inès, coordination")}, {}, {Roles: node.RoleDPO, Name: crypto.NewSecret("Farida, DPO")},
	} {
		if err != nil || a.Roles == 0 {
			continue
		}
		a.Login, a.Password = h.Accounts[i].Login, crypto.NewSecret(h.Accounts[i].Password)
		_, err = n.Accounts.Open(ctx, by, a)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("founding the demo's coordinator: %w", err), n.Close())
	}
	return n, nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// demoCommunes are the communes in which the profile's people live.
func demoCommunes(p synth.Profile, members []string) ([]synth.Commune, error) {
	codes := members
	if p == synth.Departement {
		_, all, ok := node.CommunesOfDepartement("33")
		if !ok {
			return nil, errors.New("the département of the demo is not in this program's registry")
		}
		_, taken, _ := node.LookupEPCI(rural.Siren) // a commune belongs to one territory
		codes = slices.DeleteFunc(all, func(code string) bool { return slices.Contains(taken, code) })
	}
	var out []synth.Commune
	for _, code := range codes {
		c, ok := node.LookupCommune(code)
		if !ok {
			return nil, fmt.Errorf("commune %s is not in this program's registry", code)
		}
		out = append(out, synth.Commune{
			Code: string(c.Code), Name: c.Name, Population: int(c.Population), Postcodes: c.Postcodes,
			Lat: c.Point.Lat, Lon: c.Point.Lon, Located: c.Located,
		})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[j].Population < out[i].Population })
	return out[:min(len(out), mostCommunes[p])], nil
}

// mostCommunes is over how many communes a profile spreads, the most populous
// first.
var mostCommunes = map[synth.Profile]int{synth.Start: 41, synth.CommuneProfile: 8, synth.EPCI: 41, synth.Departement: 300}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// timeline is what happens on which day, counted from today.
type timeline struct {
	first     int
	enrolled  map[int][]int // beneficiaries, by index
	joined    map[int][]int // volunteers, by index
	requested map[int][]synth.Request
	open      int
}

func (f *filler) timeline() timeline {
	t := timeline{enrolled: map[int][]int{}, joined: map[int][]int{}, requested: map[int][]synth.Request{}}
	for i, b := range f.world.Beneficiaries {
		t.first = min(t.first, -b.EnrolledDaysAgo)
		t.enrolled[-b.EnrolledDaysAgo] = append(t.enrolled[-b.EnrolledDaysAgo], i)
	}
	for i, v := range f.world.Volunteers {
		t.first = min(t.first, -v.DaysInStatus)
		t.joined[-v.DaysInStatus] = append(t.joined[-v.DaysInStatus], i)
	}
	for _, q := range f.world.Open() {
		t.requested[-q.AskedDaysAgo] = append(t.requested[-q.AskedDaysAgo], q)
		t.open++
	}
	return t
}

// live lets the days pass.
func (f *filler) live(ctx context.Context, today time.Time, days timeline, out output) error {
	size := [...]int{len(f.world.Beneficiaries), len(f.world.Volunteers), days.open}
	f.her, f.him = make([]node.BeneficiaryID, size[0]), make([]node.VolunteerID, size[1])
	if err := f.readKinds(); err != nil {
		return err
	}
	total := size[0] + size[1] + size[2]
	for range f.world.Past() {
		total++
	}
	courses, begun := f.plan(total - size[0] - size[1] - size[2])
	f.steps = newProgress(out.progress, "inventing people and their past", total)
	defer f.steps.end()
	past, stop := iter.Pull(f.world.Past())
	defer stop()
	next, more := past()
	for day := days.first; day <= 0; day++ {
		date := today.AddDate(0, 0, day)
		f.clock.move(date, morning)
		if day == 0 {
			f.clock.real()
		}
		var happened []synth.Request
		for more && next.When.DaysFromToday <= day {
			happened = append(happened, next)
			next, more = past()
		}
		if err := errors.Join(
			together(ctx, days.joined[day], f.join),
			together(ctx, days.enrolled[day], f.enrol),
		); err != nil {
			return err
		}
		if err := together(ctx, days.requested[day], func(ctx context.Context, q synth.Request) error { return f.request(ctx, q, today) }); err != nil {
			return err
		}
		if err := together(ctx, courses.asked[day], func(ctx context.Context, c *course) error { return f.begin(ctx, c, today) }); err != nil {
			return err
		}
		find := func(ctx context.Context, c *course) error { return f.find(ctx, c, today) }
		if err := together(ctx, courses.mornings[day], find); err != nil {
			return err
		}
		if len(happened)+len(courses.evenings[day]) > 0 {
			f.clock.move(date, evening)
		}
		if err := together(ctx, courses.evenings[day], find); err != nil {
			return err
		}
		if err := together(ctx, happened, func(ctx context.Context, q synth.Request) error { return f.happen(ctx, q, begun[keyOf(q)], today) }); err != nil {
			return err
		}
	}
	return f.relate(ctx)
}

// together does f for each of the items, writers at a time, and returns the first
// error.
func together[T any](ctx context.Context, items []T, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	var at atomic.Int64
	for range min(writers, len(items)) {
		group.Go(func() {
			for i := at.Add(1) - 1; i < int64(len(items)) && ctx.Err() == nil; i = at.Add(1) - 1 {
				if err := f(ctx, items[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// kindNames says how the catalogue calls what the world calls so.
var kindNames = map[string]string{
	synth.Visit: "Visite", synth.Reading: "Lecture", synth.Walk: "Promenade", synth.Shopping: "Courses",
	synth.Computer: "Aide informatique", synth.Paperwork: "Papiers", synth.Ride: "Accompagnement en voiture",
	synth.Call: "Appel de convivialité", synth.Delivery: "Portage", synth.Outing: "Sortie", synth.Event: "Sortie",
	synth.Coffee: "Café au bistrot",
}

func (f *filler) readKinds() error {
	types, err := f.node.Catalogue.All()
	if err != nil {
		return err
	}
	for kind, name := range kindNames {
		i := slices.IndexFunc(types, func(t node.ActionType) bool { return t.Name == name })
		if i < 0 {
			return fmt.Errorf("the catalogue has no kind of action called %s", name)
		}
		f.kinds[kind] = types[i].ID
	}
	return nil
}
