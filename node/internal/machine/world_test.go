package machine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
)

// Keys of all replicas: the machine opens no box, so that any will do.
var values, skin, dump = crypto.NewKey(), crypto.NewKey(), crypto.NewKey()

// peer is a machine on its own store.
type peer struct {
	*machine.Machine
	store  *store.Store
	dir    string
	events []event.Event // of the last entry
}

func newReplica(t fataler, dir string) *peer {
	t.Helper()
	r := &peer{dir: dir}
	r.open(t)
	return r
}

func (r *peer) open(t fataler) {
	t.Helper()
	st, err := store.Open(store.Config{Dir: r.dir, Values: values, Skin: skin, Dump: dump, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.store = st
	r.Machine = machine.New(st, func(_ uint64, es []event.Event) { r.events = es })
}

// fataler is a test or a rapid case.
type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
	Helper()
}

// walk reads every key and value.
func walk(t fataler, st *store.Store) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := st.Dump(&b); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for number := uint64(0); b.Len() > 0; number++ {
		box := make([]byte, binary.BigEndian.Uint32(b.Next(4)))
		io.ReadFull(&b, box)
		end := byte(0)
		if b.Len() == 0 {
			end = 1
		}
		frame, err := dump.Open(box, crypto.Place([]byte("dump v1"), binary.BigEndian.AppendUint64(nil, number), []byte{end}))
		if err != nil {
			t.Fatal(err)
		}
		part := func() string {
			n := binary.BigEndian.Uint32(frame)
			s := string(frame[4 : 4+n])
			frame = frame[4+n:]
			return s
		}
		for len(frame) > 0 {
			key := part()
			all[key] = part()
		}
	}
	return all
}

// The pools are small, so that commands meet.
func id[N any](kind, n int) ident.ID[N] {
	return ident.ID[N]{0x01, 0x9a, 6: 0x70, 8: 0x80, 14: byte(kind), 15: byte(n + 1)}
}

func her(n int) ident.Beneficiary     { return newID[ident.Beneficiary](1, n) }
func him(n int) ident.Volunteer       { return newID[ident.Volunteer](2, n) }
func req(n int) ident.Request         { return newID[ident.Request](3, n) }
func kindOf(n int) ident.ActionType   { return newID[ident.ActionType](4, n) }
func acc(n int) ident.Account         { return newID[ident.Account](5, n) }
func try(n int) ident.Attempt         { return newID[ident.Attempt](6, n) }
func weekly(n int) ident.Series       { return newID[ident.Series](11, n) }
func file(n int) ident.Import         { return newID[ident.Import](7, n) }
func trip(n int) ident.Offer          { return newID[ident.Offer](8, n) }
func tie(n int) ident.Bond            { return newID[ident.Bond](9, n) }
func box(n int) ident.Replica         { return newID[ident.Replica](12, n) }
func token(n int) ident.Invitation    { return newID[ident.Invitation](13, n) }
func erased(n int) ident.Erasure      { return newID[ident.Erasure](14, n) }
func shelf(n int) ident.Destination   { return newID[ident.Destination](15, n) }
func unlock(n int) ident.Release      { return newID[ident.Release](16, n) }
func session(n int) account.SessionID { return account.SessionID{31: byte(n + 1)} }

func newID[T ~[16]byte](kind, n int) T { return T(id[struct{}](kind, n)) }

func address(n int) replica.Address {
	return replica.Address{Peer: fmt.Sprintf("10.0.0.%d:7400", n+1), Level: 2, Fingerprint: [32]byte{byte(n + 1)}}
}

// The kinds of action of the tests.
const (
	visits   = 0 // two at the first visit, at home
	shopping = 1 // one is enough
	rides    = 2 // needs a car
	always2  = 3
)

func types() []catalogue.ActionType {
	return []catalogue.ActionType{
		{ID: kindOf(visits), Name: "Visite", Category: public.Visit, Pairing: catalogue.FirstVisit, AtHome: true, Minutes: 60},
		{ID: kindOf(shopping), Name: "Courses", Category: public.Shopping, Pairing: catalogue.Alone, Minutes: 60},
		{ID: kindOf(rides), Name: "Voiture", Category: public.Ride, Pairing: catalogue.Alone, Car: true, Minutes: 90},
		{ID: kindOf(always2), Name: "Papiers", Category: public.Paperwork, Pairing: catalogue.AlwaysTwo, AtHome: true, Minutes: 60},
	}
}

// node is a wrapped key of the tree; the machine reads the names of keys only.
func node(level uint8, index uint32) crypto.TreeNode {
	n := crypto.TreeNode{Level: level, Index: index, ID: keyID(level, index), Parent: firstRoot, Box: []byte("wrapped")}
	if level > 0 {
		n.Parent = keyID(level-1, index/16)
	}
	return n
}

// firstRoot is the root of the founding.
var firstRoot = crypto.KeyID{0xdd}

func keyID(level uint8, index uint32) crypto.KeyID { return crypto.KeyID{level, byte(index), 0xaa} }

func leaf(slot int) crypto.Leaf {
	return crypto.Leaf{Slot: uint32(slot), ID: crypto.KeyID{0xff, byte(slot)}, Parent: keyID(crypto.LastLevel, uint32(slot)/16), Box: []byte("wrapped")}
}

// adminSlot is the leaf of the first account.
const adminSlot = 0

func found() command.Found {
	c := command.Found{
		Stamp:     stamp(0),
		Territory: territory.Territory{Siren: "200044394", Name: "CC du Réolais", Communes: []string{"33352"}, Zone: "Europe/Paris"},
		Types:     types(),
		Admin:     account.Account{ID: acc(0), Login: "admin", Password: []byte("sealed"), Roles: account.Admin, Leaf: leaf(adminSlot), Box: []byte("sealed")},
	}
	c.Replica = replica.Replica{ID: box(0), Name: "replica-1", At: address(0)}
	for level := range uint8(crypto.LastLevel) {
		c.Nodes = append(c.Nodes, node(level, 0))
	}
	c.Nodes = append(c.Nodes, node(crypto.LastLevel, 0), node(crypto.LastLevel, 1))
	return c
}

// noon is when the tests begin: 2026-11-24 12:00 UTC, a Tuesday.
const noon when.At = 1795521600_000

const (
	minute when.At = 60_000
	hour           = 60 * minute
)

func stamp(at when.At) command.Stamp {
	return command.Stamp{At: noon + at, By: acc(0), Role: account.Agent, Purpose: command.Desk}
}

// cell counts apart what is counted of each thing.
func cell(i public.Indicator, n int) []command.Count {
	commune, err := public.ParseCommune(fmt.Sprintf("330%02d", n))
	if err != nil {
		panic(err)
	}
	return []command.Count{command.CountOf(public.Cell{Indicator: i, Month: public.MonthOf(2026, 11), Commune: commune, Category: public.Visit}, 1)}
}

func counter(t fataler, st *store.Store, i public.Indicator, n int) (have uint64) {
	t.Helper()
	err := st.View(func(tx *store.Tx) error {
		c, err := public.ParseCell(cell(i, n)[0].Cell)
		if err == nil {
			have, err = tx.Counter(c)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return have
}

// spot is where a node of the key tree stands.
type spot struct {
	level uint8
	index uint32
}

// records are all records of a store.
type records struct {
	beneficiaries map[ident.Beneficiary]people.Beneficiary
	volunteers    map[ident.Volunteer]people.Volunteer
	requests      map[ident.Request]request.Request
	types         map[ident.ActionType]catalogue.ActionType
	accounts      map[ident.Account]account.Account
	sessions      map[account.SessionID]account.Session
	imports       map[ident.Import]people.Import
	series        map[ident.Series]series.Series
	offers        map[ident.Offer]offer.Offer
	bonds         map[ident.Bond]bond.Bond
	replicas      map[ident.Replica]replica.Replica
	destinations  map[ident.Destination]backup.Destination
	erasures      map[ident.Erasure]erasure.Erasure
	wanted        map[string]erasure.Wanted
	gone          map[string]erasure.Gone
	nodes         map[spot]crypto.TreeNode
	leaves        map[uint32]crypto.Leaf
	clock         when.At
	founded       bool
}

func read(t fataler, st *store.Store) records {
	t.Helper()
	r := records{clock: 0}
	err := st.View(func(tx *store.Tx) (err error) {
		r.beneficiaries = all(tx, store.Beneficiaries, func(b people.Beneficiary) ident.Beneficiary { return b.ID })
		r.volunteers = all(tx, store.Volunteers, func(v people.Volunteer) ident.Volunteer { return v.ID })
		r.requests = all(tx, store.Requests, func(q request.Request) ident.Request { return q.ID })
		r.types = all(tx, store.ActionTypes, func(q catalogue.ActionType) ident.ActionType { return q.ID })
		r.accounts = all(tx, store.Accounts, func(a account.Account) ident.Account { return a.ID })
		r.sessions = all(tx, store.Sessions, func(s account.Session) account.SessionID { return s.ID })
		r.series = all(tx, store.Series, func(s series.Series) ident.Series { return s.ID })
		r.imports = all(tx, store.Imports, func(i people.Import) ident.Import { return i.ID })
		r.offers = all(tx, store.Offers, func(o offer.Offer) ident.Offer { return o.ID })
		r.bonds = all(tx, store.Bonds, func(b bond.Bond) ident.Bond { return b.ID })
		r.replicas = all(tx, store.Replicas, func(x replica.Replica) ident.Replica { return x.ID })
		r.destinations = all(tx, store.Destinations, func(x backup.Destination) ident.Destination { return x.ID })
		r.erasures = all(tx, store.Erasures, func(x erasure.Erasure) ident.Erasure { return x.ID })
		r.wanted = all(tx, store.Wanted, func(x erasure.Wanted) string { return string(erasure.Key(x.Collection, x.ID)) })
		r.gone = all(tx, store.Gone, func(x erasure.Gone) string { return string(erasure.Key(x.Collection, x.ID)) })
		r.nodes, r.leaves = map[spot]crypto.TreeNode{}, map[uint32]crypto.Leaf{}
		for level := range uint8(crypto.LastLevel + 1) {
			for i := range uint32(5) {
				if n, err := tx.TreeNode(level, i); err == nil {
					r.nodes[spot{level, i}] = n
				}
			}
		}
		for slot := range uint32(80) {
			if l, err := tx.TreeLeaf(slot); err == nil {
				r.leaves[slot] = l
			}
		}
		clock, err := tx.Meta("clock")
		r.clock = when.At(clock)
		if err == nil {
			_, r.founded, err = store.Territories.Get(tx, []byte{0})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all[R store.Record, K comparable](tx *store.Tx, c store.Collection[R], key func(R) K) map[K]R {
	out := map[K]R{}
	c.Each(tx, nil, func(r R) bool { out[key(r)] = r; return true })
	return out
}

// apply proposes one command to one replica.
func (r *peer) apply(t fataler, c command.Command) machine.Reply {
	t.Helper()
	entry, err := command.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	index, err := r.Applied()
	if err != nil {
		t.Fatal(err)
	}
	replies := r.Apply(index+1, [][]byte{entry})
	if len(replies) != 1 {
		t.Fatalf("%d replies to one command", len(replies))
	}
	return replies[0].(machine.Reply)
}

// isGone reports whether an ID, of whatever kind, was erased.
func (r records) isGone(id [16]byte) bool {
	for _, g := range r.gone {
		if g.ID == id {
			return true
		}
	}
	return false
}
