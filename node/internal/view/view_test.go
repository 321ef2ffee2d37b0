package view_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{Dir: t.TempDir(), Values: crypto.NewKey(), Skin: crypto.NewKey(), Dump: crypto.NewKey(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func req(n int) ident.Request     { return ident.Request{14: byte(n >> 8), 15: byte(n)} }
func her(n int) ident.Beneficiary { return ident.Beneficiary{15: byte(n)} }

var kind = ident.ActionType{15: 9}

func him(n int) ident.Volunteer { return ident.Volunteer{15: byte(n + 1)} } // zero is nobody

func rows(s *store.Store) map[string]bool {
	all := map[string]bool{}
	s.View(func(tx *store.Tx) error {
		return tx.EachRow(nil, nil, false, func(row []byte) bool { all[string(row)] = true; return true })
	})
	return all
}

func requests() *rapid.Generator[request.Request] {
	return rapid.Custom(func(t *rapid.T) request.Request {
		n := func(name string, least, most int) int { return rapid.IntRange(least, most).Draw(t, name) }
		r := request.Request{
			ID: req(n("id", 0, 5)), Beneficiary: her(n("her", 0, 1)), State: request.State(n("state", 1, 9)),
			Commune: rapid.SampledFrom([]string{"33001", "33002"}).Draw(t, "commune"),
			Wish:    request.Wish{Kind: request.WishKind(n("wish", 1, 3)), Day: when.Day(n("day", 20_000, 20_001))},
			Plan:    request.Plan{Seats: 1, Start: when.At(n("start", 0, 2)) * 1000},
			Outcome: request.Outcome{At: when.At(n("ended", 0, 3))}, Type: kind,
		}
		for v := range n("askings", 0, 2) {
			r.Askings = append(r.Askings, request.Asking{Volunteer: him(v), Answer: request.Answer(n("answer", 0, 4))})
		}
		if n("believes", 0, 1) == 1 {
			r.Believes.Over = true
		}
		return r
	})
}

// TestIncremental: rows that are kept record by record are those that are made
// anew from all records, also after rows of nobody were left behind.
func TestIncremental(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "400")
	}
	s := open(t)
	rapid.Check(t, func(t *rapid.T) {
		records := map[ident.Request]request.Request{}
		update := func(f func(*store.Tx)) {
			if err := s.Update(func(tx *store.Tx) error { f(tx); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range rapid.SliceOfN(requests(), 0, 12).Draw(t, "writes") {
			update(func(tx *store.Tx) {
				var before *request.Request
				if old, ok := records[r.ID]; ok {
					before = &old
				}
				if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
					store.Requests.Delete(tx, r.ID[:])
					view.Update(tx, before, nil)
					delete(records, r.ID)
					return
				}
				store.Requests.Put(tx, r)
				view.Update(tx, before, &r)
				records[r.ID] = r
			})
		}
		kept := rows(s)
		update(func(tx *store.Tx) { tx.AddRow([]byte("row of nobody")) })
		if err := view.Rebuild(s); err != nil {
			t.Fatal(err)
		}
		if made := rows(s); !maps.Equal(kept, made) {
			t.Fatalf("kept %q\nmade %q", slices.Sorted(maps.Keys(kept)), slices.Sorted(maps.Keys(made)))
		}
		// Each list holds those who belong there and nobody else.
		for state := request.Draft; state <= request.Unfilled; state++ {
			same(t, s, fmt.Sprint("state ", state), view.InState(state), records, func(r request.Request) bool { return r.State == state })
		}
		for n := range 2 {
			same(t, s, "person", view.OfPerson(her(n)), records, func(r request.Request) bool { return r.Beneficiary == her(n) })
			same(t, s, "to call", view.ToCall(her(n)), records, func(r request.Request) bool { return r.Beneficiary == her(n) && r.NeedsCall() })
			same(t, s, "question", view.WaitingFor(him(n)), records, func(r request.Request) bool {
				a, there := r.Asking(him(n))
				return there && a.Answer == request.Waiting && r.State.Looking()
			})
			same(t, s, "seat", view.SeatsOf(him(n)), records, func(r request.Request) bool {
				a, there := r.Asking(him(n))
				return there && a.Answer == request.Yes && r.State != request.Cancelled && r.State != request.Unfilled
			})
		}
		for from := range when.At(3) {
			var done, want []ident.Request
			days := map[ident.Beneficiary]int{}
			err := s.View(func(tx *store.Tx) error {
				if err := view.DoneSince(tx, from, func(id ident.Request) bool { done = append(done, id); return true }); err != nil {
					return err
				}
				return view.Habits(tx, "33001", kind, from*1000, func(she ident.Beneficiary, at when.At) {
					if at < from*1000 {
						t.Fatalf("an action of %d since %d", at, from*1000)
					}
					days[she]++
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			for id, r := range records {
				if r.State != request.Done {
					continue
				}
				if r.Outcome.At >= from {
					want = append(want, id)
				}
				if r.Commune == "33001" && r.Plan.Start >= from*1000 {
					days[r.Beneficiary]--
				}
			}
			order := func(a, b ident.Request) int {
				return cmp.Or(cmp.Compare(records[b].Outcome.At, records[a].Outcome.At), slices.Compare(b[:], a[:]))
			}
			if slices.SortFunc(want, order); !slices.Equal(done, want) {
				t.Fatalf("done since %d: %v, want %v", from, done, want)
			}
			for she, n := range days {
				if n != 0 {
					t.Fatalf("the habits of %v are off by %d", she, n)
				}
			}
		}
		same(t, s, "looking", view.Looking("33001"), records, func(r request.Request) bool { return r.Commune == "33001" && r.State.Looking() })
		update(func(tx *store.Tx) {
			for id, r := range records {
				store.Requests.Delete(tx, id[:])
				view.Update(tx, &r, nil)
			}
		})
		if left := rows(s); len(left) > 0 {
			t.Fatalf("rows of deleted records: %q", slices.Sorted(maps.Keys(left)))
		}
	})
}

func same(t *rapid.T, s *store.Store, name string, l view.List, records map[ident.Request]request.Request, belongs func(request.Request) bool) {
	t.Helper()
	got := map[ident.Request]bool{}
	err := s.View(func(tx *store.Tx) error {
		return view.Each(tx, l, nil, false, func(id ident.Request, _ []byte) bool { got[id] = true; return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, r := range records {
		if got[id] != belongs(r) {
			t.Fatalf("%s: request %s listed %v, belongs there %v", name, id, got[id], belongs(r))
		}
		delete(got, id)
	}
	if len(got) > 0 {
		t.Fatalf("%s lists requests that do not exist", name)
	}
}

// TestPages: a list read in pages, forward and back, shows everybody once.
func TestPages(t *testing.T) {
	s := open(t)
	const n = 23
	if err := s.Update(func(tx *store.Tx) error {
		for i := range n {
			r := request.Request{ID: req(i), Beneficiary: her(1), State: request.Open, Wish: request.Wish{Kind: request.OnDay, Day: when.Day(20_000 + i%3)}}
			view.Update(tx, nil, &r)
			other := r
			other.ID, other.Beneficiary, other.State = req(500+i), her(2), request.Asked
			view.Update(tx, nil, &other)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]view.List{"person": view.OfPerson(her(1)), "state": view.InState(request.Open)} {
		var forward []ident.Request
		for _, reverse := range []bool{false, true} {
			for size := 1; size <= n+1; size += 5 {
				var got []ident.Request
				var cursor []byte
				for {
					page := 0
					err := s.View(func(tx *store.Tx) error {
						return view.Each(tx, l, cursor, reverse, func(id ident.Request, c []byte) bool {
							got = append(got, id)
							cursor = bytes.Clone(c)
							page++
							return page < size
						})
					})
					if err != nil {
						t.Fatal(err)
					}
					if page == 0 {
						break
					}
				}
				if forward == nil {
					forward = slices.Clone(got)
				}
				want := slices.Clone(forward)
				if reverse {
					slices.Reverse(want)
				}
				if len(got) != n || !slices.Equal(got, want) {
					t.Errorf("%s, pages of %d, reverse %v: %d in another order or number", name, size, reverse, len(got))
				}
			}
		}
	}
}

func TestWindows(t *testing.T) {
	s := open(t)
	if err := s.Update(func(tx *store.Tx) error {
		for i, start := range []when.At{1000, 2000, 2000, 3000, 1 << 40} {
			r := request.Request{ID: req(i), State: request.Told, Plan: request.Plan{Seats: 1, Start: start}, Askings: []request.Asking{{Volunteer: him(i % 2), Answer: request.Yes}}}
			view.Update(tx, nil, &r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to when.At
		planned  []int
		seats    []int // of volunteer 0
	}{
		{0, 1 << 62, []int{0, 1, 2, 3, 4}, []int{0, 2, 4}}, {1000, 1000, nil, nil}, {1000, 1001, []int{0}, []int{0}}, {1001, 2000, nil, nil},
		{2000, 3001, []int{1, 2, 3}, []int{2}}, {-5000, 1001, []int{0}, []int{0}},
	} {
		var planned, seats []int
		if err := s.View(func(tx *store.Tx) error {
			if c.from >= 0 {
				if err := view.Planned(tx, c.from, c.to, func(id ident.Request) bool { planned = append(planned, int(id[15])); return true }); err != nil {
					return err
				}
			} else {
				planned = c.planned
			}
			return view.Seats(tx, him(0), c.from, c.to, func(id ident.Request, _ when.At) bool { seats = append(seats, int(id[15])); return true })
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(planned, c.planned) || !slices.Equal(seats, c.seats) {
			t.Errorf("[%d,%d): planned %v, want %v; seats %v, want %v", c.from, c.to, planned, c.planned, seats, c.seats)
		}
	}
}

func TestLogins(t *testing.T) {
	s := open(t)
	if err := s.Update(func(tx *store.Tx) error {
		for i, login := range []string{"ann", "anne", "a"} {
			a := account.Account{ID: ident.Account{15: byte(i + 1)}, Login: login, Of: him(1)}
			view.Update(tx, nil, &a)
		}
		for i := range 3 {
			x := account.Session{ID: account.SessionID{31: byte(i)}, Account: ident.Account{15: 1}, Expires: when.At(1000 * (i + 1))}
			view.Update(tx, nil, &x)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.View(func(tx *store.Tx) error {
		for login, want := range map[string]byte{"ann": 1, "anne": 2, "a": 3, "an": 0, "annex": 0, "": 0} {
			id, ok, err := view.ByLogin(tx, login)
			if err != nil || ok != (want != 0) || id[15] != want {
				t.Errorf("%q: %v, %v, %v", login, id, ok, err)
			}
		}
		var over []byte
		if err := view.Expired(tx, 2000, func(id account.SessionID) bool { over = append(over, id[31]); return true }); err != nil || !slices.Equal(over, []byte{0}) {
			t.Errorf("expired before 2000: %v, %v", over, err)
		}
		mine := 0
		if err := view.Sessions(tx, ident.Account{15: 1}, func(account.SessionID) { mine++ }); err != nil || mine != 3 {
			t.Errorf("%d sessions, %v", mine, err)
		}
		return nil
	})
}

// TestImported: people of an import are found by it, each kind apart.
func TestImported(t *testing.T) {
	b := people.Beneficiary{ID: her(1), Commune: "33001", Enrolled: people.Enrolment{Import: ident.Import{15: 9}}}
	v := people.Volunteer{ID: him(2), Status: people.Approved, Import: ident.Import{15: 9}}
	s := open(t)
	if err := s.Update(func(tx *store.Tx) error { view.Update(tx, nil, &b); view.Update(tx, nil, &v); return nil }); err != nil {
		t.Fatal(err)
	}
	s.View(func(tx *store.Tx) error {
		n := 0
		view.Each(tx, view.OfImport(ident.Import{15: 9}, view.ImportedBeneficiary), nil, false, func(id ident.Beneficiary, _ []byte) bool { n++; return id == her(1) })
		view.Each(tx, view.OfImport(ident.Import{15: 9}, view.ImportedVolunteer), nil, false, func(id ident.Volunteer, _ []byte) bool { n += 10; return id == him(2) })
		if n != 11 {
			t.Errorf("got %d", n)
		}
		return nil
	})
}

// TestOffersAndBonds: an offer is live until it is withdrawn or past, and over by
// its day; a bond stands with both, and is due while it lives.
func TestOffersAndBonds(t *testing.T) {
	s := open(t)
	id := func(n int) ident.Offer { return ident.Offer{15: byte(n)} }
	var offers []offer.Offer
	for i, state := range []offer.State{offer.Open, offer.Full, offer.Withdrawn, offer.Past} {
		offers = append(offers, offer.Offer{ID: id(i), Volunteer: him(1), State: state, Trip: offer.Trip{Until: when.At(10 * (4 - i))}})
	}
	alive := bond.Bond{ID: ident.Bond{15: 1}, Beneficiary: her(1), Volunteer: him(2), State: bond.Alive, NextCheck: 50}
	ended := bond.Bond{ID: ident.Bond{15: 2}, Beneficiary: her(1), Volunteer: him(1), State: bond.Ended, NextCheck: 40}
	err := s.Update(func(tx *store.Tx) error {
		for _, o := range offers {
			store.Offers.Put(tx, o)
			view.Update(tx, nil, &o)
		}
		for _, b := range []bond.Bond{alive, ended} {
			store.Bonds.Put(tx, b)
			view.Update(tx, nil, &b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := rows(s)
	if err := view.Rebuild(s); err != nil {
		t.Fatal(err)
	}
	if made := rows(s); !maps.Equal(kept, made) {
		t.Fatalf("kept %q\nmade %q", slices.Sorted(maps.Keys(kept)), slices.Sorted(maps.Keys(made)))
	}
	err = s.View(func(tx *store.Tx) error {
		for at, want := range map[when.At]string{29: "[]", 30: "[1]", 40: "[1 0]"} {
			var over []byte
			if err := view.OffersUntil(tx, at, func(o ident.Offer) bool { over = append(over, o[15]); return true }); err != nil {
				return err
			}
			if got := fmt.Sprint(over); got != want {
				t.Errorf("over at %d: %v, want %v", at, got, want)
			}
		}
		for name, l := range map[string]struct {
			list view.List
			want string
		}{
			"live": {view.LiveOffers(), "[1 0]"}, "his": {view.OffersOf(him(1)), "[0 1 2 3]"}, "nobody's": {view.OffersOf(him(2)), "[]"},
			"due": {view.Bonds(), "[1]"}, "her bonds": {view.BondsOf(her(1)), "[1 2]"}, "his bonds": {view.BondsOf(him(2)), "[1]"},
		} {
			got := []byte{}
			if err := view.Each(tx, l.list, nil, false, func(id ident.Offer, _ []byte) bool { got = append(got, id[15]); return true }); err != nil {
				return err
			}
			if fmt.Sprint(got) != l.want {
				t.Errorf("%s: %v, want %s", name, got, l.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
