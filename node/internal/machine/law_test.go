package machine_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// travel is kept free between two visits of one volunteer.
const travel = 15 * minute

// TestLaws checks over any log what must hold of every territory: see laws and
// the comments below. The log holds commands of all kinds, most of them fitting
// the state, some not.
func TestLaws(t *testing.T) {
	flag.Set("rapid.checks", "60")
	flag.Set("rapid.nofailfile", "true")
	flag.Set("rapid.seed", "3") // by which every kind is met
	defer flag.Set("rapid.seed", "0")
	steps := 100
	if *long {
		flag.Set("rapid.checks", "300")
		flag.Set("rapid.seed", "0") // another one each time
		steps = 240
	}
	refusals := map[refuse.Reason]int{}
	kinds, done := map[command.Kind]int{}, map[command.Kind]int{}
	var counted, takenBack int                // parts of imports
	var made, expected, unheard, followed int // requests of series
	var certain int                           // erasures, seen after each entry
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "laws")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		a, b := newReplica(t, dir+"/a"), newReplica(t, dir+"/b")
		defer func() { a.store.Close(); b.store.Close() }()
		n := rapid.SampledFrom([]int{10, steps / 2, steps}).Draw(t, "steps")
		first := found()
		federated := rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "federated")
		if federated {
			n = steps
			first.Territory.Role = rapid.SampledFrom([]territory.Role{territory.RoleTerritory, territory.RoleTerritory, territory.RoleTerritory, territory.RoleCoordinator}).Draw(t, "role")
		}
		start := []command.Command{first}
		if rapid.IntRange(0, 3).Draw(t, "vectors") > 0 {
			start = append(start, command.BeginVectors{Stamp: stamp(0)})
		}
		if rapid.IntRange(0, 4).Draw(t, "bare") > 0 {
			start = append(start, town()...)
			if rapid.IntRange(0, 2).Draw(t, "visited") > 0 {
				start = append(start, visited())
			}
		}
		if rapid.IntRange(0, 2).Draw(t, "imported") > 0 {
			start = append(start, cameIn()...)
		}
		if rapid.IntRange(0, 2).Draw(t, "comes again") > 0 {
			start = append(start, comesAgain()...)
		}
		if rapid.IntRange(0, 2).Draw(t, "three replicas") > 0 {
			start = append(start, cluster()...)
		}
		if federated {
			start = append(start, memberOf()...)
		}
		crash := rapid.IntRange(0, n-1).Draw(t, "crash")
		var log [][][]byte
		var past []command.Command
		memory := map[string]machine.Reply{} // of idempotency keys
		prepared, held := &drafts{}, &vaults{}
		for i := range n {
			state := read(t, a.store)
			g := gen{t, state, prepared, a.store}
			var c command.Command
			switch {
			case i < len(start):
				c = start[i]
			case len(past) > 0 && rapid.IntRange(0, 15).Draw(t, "again") == 0:
				c = past[rapid.IntRange(0, len(past)-1).Draw(t, "past")]
			case federated && rapid.Bool().Draw(t, "beyond the border"):
				c = g.federation(g.stamp())
			default:
				c = g.command()
			}
			c = state.marked(c)
			past = append(past, c)
			entry, err := command.Encode(c)
			if err != nil {
				t.Fatal(err)
			}
			index := uint64(i + 1)
			log = append(log, [][]byte{entry})
			before := walk(t, a.store)
			var outside said
			if c.Kind() >= command.KindSay && first.Territory.Role == territory.RoleTerritory {
				outside = saidBy(t, a.store)
			}
			replies := a.Apply(index, log[i])
			events := a.events
			if len(replies) != 1 {
				t.Fatalf("%d replies to one command", len(replies))
			}
			reply := replies[0].(machine.Reply)
			refusals[reply.Refusal]++
			kinds[c.Kind()]++
			if reply.Refusal == 0 && reply.Index == index {
				done[c.Kind()]++
				held.note(index, c)
				switch c := c.(type) {
				case command.Accept:
					if wish := state.requests[c.ID].Wish; c.Wish != wish {
						t.Fatalf("an instant that answers %+v was taken for %+v", c.Wish, wish)
					}
				case command.Recur:
					q, ok := read(t, a.store).requests[c.Request]
					s := state.series[c.ID]
					if next, _ := s.Next(max(s.Through, c.Past), "33"); next != c.Day || s.Version != c.Version {
						t.Fatalf("day %d of %+v was made", c.Day, s)
					}
					if ok && q.Version != reply.Version || ok && q.Occurrence != c.Day {
						t.Fatalf("%+v was made for day %d", q, c.Day)
					}
					if ok {
						made++
					}
					if ok && q.State == request.Told {
						expected++
					}
					if ok && q.NeedsCall() {
						unheard++
					}
				case command.ChangeSeries:
					now := read(t, a.store)
					for _, f := range c.Follow {
						if q := now.requests[f.Request]; q.Version > f.Version && !q.State.Closed() {
							followed++
						}
					}
				case command.CountImport:
					counted++
					if c.Back {
						takenBack++
					}
				}
			}
			after := walk(t, a.store)
			if i >= len(start) {
				t.Logf("%d %T %+v -> %v %+v", index, c, c, reply.Refusal, reply)
			}

			if others := b.Apply(index, log[i]); len(others) != 1 || others[0] != replies[0] {
				t.Fatalf("replicas answer %v and %v", replies, others)
			}
			if reply.Refusal != 0 {
				if d := differ(before, after, ignored); d != "" {
					t.Fatalf("a refused command (%v) changed %s", reply.Refusal, d)
				}
				if len(events) > 0 {
					t.Fatalf("a refused command (%v) has happened: %v", reply.Refusal, events)
				}
			}
			if s := c.Stamped(); s.Key != "" {
				key := string(s.By[:]) + s.Key
				if first, ok := memory[key]; ok {
					same := first
					if first.ID != ([16]byte{}) && reply.Refusal == refuse.Erased {
						// The memory of what she was called went with her.
						same.ID, same.Version, same.Refusal = [16]byte{}, 0, refuse.Erased
						memory[key] = same
						if !state.isGone(first.ID) {
							t.Fatalf("key %q answered %+v first, and now that she is erased; she is not", s.Key, first)
						}
					}
					if reply.Refusal == refuse.KeyReused {
						same = reply
						if first.Refusal == refuse.KeyReused {
							t.Fatal("a key's first answer was that it is used")
						}
					}
					if reply != same {
						t.Fatalf("key %q answered %+v first, %+v now", s.Key, first, reply)
					}
					if d := differ(before, after, func(k string) bool { return k == "\x00applied" }); d != "" {
						t.Fatalf("a repeated command changed %s", d)
					}
				} else if reply.Refusal.Kind() != refuse.Retry {
					memory[key] = reply
				}
				// Sweeping forgets.
			}
			for key := range memory {
				if _, ok := after["\x04"+key]; !ok {
					delete(memory, key)
				}
			}
			laws(t, a.store, after, state.clock)
			if c.Kind() >= command.KindSay && first.Territory.Role == territory.RoleTerritory {
				lawsOfFeed(t, outside, saidBy(t, a.store), c, reply.Refusal)
			}
			now := read(t, a.store)
			lawsOfErased(t, now, after, state)
			lawsOfTree(t, now)
			held.laws(t, now)

			if i == crash { // b restarts and raft replays from some entry on
				if err := b.store.Close(); err != nil {
					t.Fatal(err)
				}
				b.open(t)
				was := walk(t, b.store)
				for j := rapid.IntRange(0, i).Draw(t, "replay from"); j <= i; j++ {
					if replies := b.Apply(uint64(j+1), log[j]); replies != nil {
						t.Fatalf("entry %d was applied before and answered %v", j+1, replies)
					}
				}
				if d := differ(was, walk(t, b.store), nil); d != "" {
					t.Fatalf("replay changed %s", d)
				}
			}
		}
		certain += held.certain
		if d := differ(walk(t, a.store), walk(t, b.store), nil); d != "" {
			t.Fatalf("replicas differ in %s", d)
		}
		if err := view.Rebuild(b.store); err != nil {
			t.Fatal(err)
		}
		if d := differ(walk(t, a.store), walk(t, b.store), nil); d != "" {
			t.Fatalf("views as kept and as rebuilt differ in %s", d)
		}
	})
	// A generator that never reaches a rule proves nothing about it.
	for r := refuse.Reason(1); r < refuse.NotFederated; r++ { // what follows has laws of its own
		if r.Code() != "" && refusals[r] == 0 && r != refuse.NotFounded && *long {
			t.Errorf("no log was refused with %s", r.Code())
		}
	}
	for k := command.KindFound; k <= command.KindRecur; k++ {
		if kinds[k] == 0 {
			t.Errorf("no log has a command of kind %d", k)
		}
	}
	if made == 0 || expected == 0 || *long && (followed == 0 || unheard == 0) { // a short run may miss the rare ones
		t.Errorf("of series %d requests were made, %d of them as she expects, %d followed new terms, of %d she must hear", made, expected, followed, unheard)
	}
	for k := command.KindMakeOffer; k <= command.KindCheckBond; k++ {
		if *long && (kinds[k] == 0 || done[k] == 0) { // a short run may miss one
			t.Errorf("%d commands of kind %d, of which %d were done", kinds[k], k, done[k])
		}
	}
	for k := command.KindAdmitReplica; k <= command.KindRecordBackup; k++ {
		if k > command.KindRecordRelease && k < command.KindWantErasure || k == command.KindHoldRoot+1 {
			continue
		}
		if *long && done[k] == 0 { // a short run may miss one
			t.Errorf("%d commands of kind %d, of which %d were done", kinds[k], k, done[k])
		}
	}
	outward := 0
	for k := command.KindSay; k <= command.KindEraseHandedOver; k++ {
		if k > command.KindLeaveFederation && k < command.KindFreeze || k > command.KindBeginVectors && k < command.KindPrepareCrossOffer {
			continue
		}
		if done[k] > 0 {
			outward++
		} else if *long { // a short run may miss some
			t.Errorf("%d commands of kind %d, of which none was done", kinds[k], k)
		}
	}
	if outward < 18 {
		t.Errorf("of the commands about the federation only %d kinds were done", outward)
	}
	if *long && (done[command.KindErase] == 0 || certain == 0) { // a short run may miss it
		t.Errorf("%d erasures were done, and seen to be certain %d times", done[command.KindErase], certain)
	}
	if counted == 0 || takenBack == 0 {
		t.Errorf("%d parts of imports were counted or taken back, %d of them taken back", counted, takenBack)
	}
	t.Log(kinds, done)
	t.Log(refusals, counted, takenBack, made, expected, unheard, followed)
}

func ignored(key string) bool {
	return key == "\x00applied" || key == "\x00clock" || key == "\x00swept" || key[0] == 0x04
}

// differ names a key in which two states differ.
func differ(a, b map[string]string, but func(string) bool) string {
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if v, ok := b[k]; (!ok || v != a[k]) && (but == nil || !but(k)) {
			return fmt.Sprintf("key %x: %x, %x", k, a[k], v)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok && (but == nil || !but(k)) {
			return fmt.Sprintf("key %x, which is new", k)
		}
	}
	return ""
}

// laws are what must hold of every state.
func laws(t *rapid.T, st *store.Store, state map[string]string, lastClock when.At) {
	t.Helper()
	r := read(t, st)
	if r.clock < lastClock {
		t.Fatalf("the clock ran back from %d to %d", lastClock, r.clock)
	}
	lawsOfViews(t, st, state)
	lawsOfRequests(t, st, r)
	lawsOfVolunteers(t, r)
	lawsOfHistory(t, st, r)
	lawsOfAccounts(t, r)
	lawsOfSlots(t, st, r)
	for n := range requests {
		for _, i := range []public.Indicator{public.Requested, public.Found, public.Told, public.Cancelled, public.Done} {
			if have := counter(t, st, i, n); have > 1 {
				t.Fatalf("request %d is counted %d times in %d", n, have, i)
			}
		}
	}
	lawsOfImports(t, st, r)
	lawsOfOffers(t, st, r)
	lawsOfBonds(t, st, r)
	lawsOfSeries(t, r)
	lawsOfVectors(t, st, r)
}

// lawsOfSeries: a series has one request for a day, if any, none on its
// exceptions, and none ahead when nothing is to come again.
func lawsOfSeries(t *rapid.T, r records) {
	type occurrence struct {
		of  ident.Series
		day when.Day
	}
	seen := map[occurrence]ident.Request{}
	for id, q := range r.requests {
		if q.Series.Zero() != (q.Occurrence == 0) {
			t.Fatalf("request %s is of series %s on day %d", id, q.Series, q.Occurrence)
		}
		if q.Series.Zero() || q.State == request.Cancelled || q.State == request.Unfilled {
			continue
		}
		s, ok := r.series[q.Series]
		if !ok || s.Beneficiary != q.Beneficiary || s.Type != q.Type {
			t.Fatalf("request %s is not of its series", id)
		}
		if other, there := seen[occurrence{s.ID, q.Occurrence}]; there {
			t.Fatalf("requests %s and %s are for one day of one series", id, other)
		}
		seen[occurrence{s.ID, q.Occurrence}] = id
		if !q.State.Closed() && s.State != series.Ended && s.Skipped(q.Occurrence) {
			t.Fatalf("request %s is on a day that does not count", id)
		}
	}
	for id, s := range r.series {
		if s.State != series.Ended && r.beneficiaries[s.Beneficiary].State != people.Active {
			t.Fatalf("series %s is of somebody who has left", id)
		}
		if !slices.IsSorted(s.Skips) || s.Through < s.Terms.From-1 {
			t.Fatalf("series %s: %+v", id, s)
		}
		for i, v := range s.Terms.Standing {
			if i > 0 && slices.Compare(s.Terms.Standing[i-1][:], v[:]) >= 0 {
				t.Fatalf("series %s: somebody promises twice", id)
			}
		}
	}
}

// lawsOfImports: the people of an import are as many as it says, and of them
// those parts are in the statistics, once each, that it says are. So an import
// whose parts were all taken back leaves the counters as it found them.
func lawsOfImports(t *rapid.T, st *store.Store, r records) {
	all := uint64(0)
	for n := range imports {
		i := r.imports[file(n)]
		if i.Counted > parts {
			t.Fatalf("%d parts of import %d are counted, and there are %d", i.Counted, n, parts)
		}
		if i.Counted > 0 && i.State == people.Staged {
			t.Fatalf("import %d is counted and not to be seen", n)
		}
		for part := range uint32(parts) {
			want := uint64(0)
			if part < i.Counted {
				want = 1
				all += uint64(part + 1)
			}
			if have := counter(t, st, public.Enrolled, partCell(n, part)); have != want {
				t.Fatalf("import %d: part %d of %d is counted %d times", n, part, i.Counted, have)
			}
		}
	}
	if have := counter(t, st, public.Enrolled, everyPart); have != all {
		t.Fatalf("the parts of all imports count %d, want %d", have, all)
	}
	for id, i := range r.imports {
		rows := uint32(0)
		for _, b := range r.beneficiaries {
			if b.Enrolled.Import == id {
				rows++
			}
		}
		for _, v := range r.volunteers {
			if v.Import == id {
				rows++
			}
		}
		if rows > i.Rows || rows+uint32(len(r.gone)) < i.Rows {
			t.Fatalf("an import of %d rows has %d people", i.Rows, rows)
		}
	}
}

// lawsOfViews: the rows that are kept are those that follow from the records.
func lawsOfViews(t *rapid.T, st *store.Store, state map[string]string) {
	want := map[string]bool{}
	err := st.View(func(tx *store.Tx) error {
		rows(tx, want, store.Beneficiaries)
		rows(tx, want, store.Volunteers)
		rows(tx, want, store.Requests)
		rows(tx, want, store.Accounts)
		rows(tx, want, store.Sessions)
		rows(tx, want, store.Attempts)
		rows(tx, want, store.Series)
		rows(tx, want, store.Offers)
		rows(tx, want, store.Bonds)
		rows(tx, want, store.CrossOffers)
		rows(tx, want, store.Interests)
		rows(tx, want, store.Gone)
		rows(tx, want, store.Erasures)
		return tx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range state {
		if key[0] == 0x03 {
			if !want[key[1:]] {
				t.Fatalf("view row %x follows from no record", key)
			}
			delete(want, key[1:])
		}
	}
	for row := range want {
		t.Fatalf("view row %x is missing", row)
	}
}

func rows[R store.Record](tx *store.Tx, into map[string]bool, c store.Collection[R]) {
	c.Each(tx, nil, func(r R) bool {
		for _, row := range view.Rows(r) {
			into[string(row)] = true
		}
		return true
	})
}

func lawsOfRequests(t *rapid.T, st *store.Store, r records) {
	toCall := map[ident.Request]ident.Beneficiary{}
	err := st.View(func(tx *store.Tx) error {
		return view.EachToCall(tx, func(b ident.Beneficiary, q ident.Request) bool { toCall[q] = b; return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, q := range r.requests {
		coming, n := map[ident.Volunteer]bool{}, 0
		asked := map[ident.Volunteer]bool{}
		for _, a := range q.Askings {
			if asked[a.Volunteer] && !a.Volunteer.Zero() {
				t.Fatalf("a volunteer stands twice in request %s", id)
			}
			asked[a.Volunteer] = true
			if a.Answer == request.Yes {
				coming[a.Volunteer] = true
				n++
			}
		}
		alive := !q.State.Closed() && q.State != request.Draft
		if n > int(q.Plan.Seats) || alive && (n == int(q.Plan.Seats)) != (q.State == request.Covered || q.State == request.Told) {
			t.Fatalf("request %s in state %d: %d come, %d seats", id, q.State, n, q.Plan.Seats)
		}
		if q.Plan.Seats == 0 {
			t.Fatalf("request %s needs nobody", id)
		}
		// What she would have to know, said once more and otherwise.
		same := n == len(q.Believes.Coming) && q.Believes.Start == q.Plan.Start && !q.Believes.Over && !q.Believes.Across
		for _, v := range q.Believes.Coming {
			same = same && coming[v]
		}
		nothing := len(q.Believes.Coming) == 0 && q.Believes.Start == 0 && !q.Believes.Over && q.Believes.Across == q.Across
		var right bool
		switch q.State {
		case request.Covered, request.Told:
			right = same
		case request.Cancelled, request.Unfilled:
			right = q.Believes.Over
		case request.Forgotten:
			right = true
			if !q.Beneficiary.Zero() || len(q.Box)+len(q.Outcome.Box)+len(q.Thanks.Box) > 0 || q.Commune != "" {
				t.Fatalf("request %s of somebody who was erased: %+v", id, q)
			}
		case request.Done, request.NotDone:
			right = true // it is over, and she was there
			grace := when.At(0)
			if q.State == request.Done {
				grace = 12 * hour
				if n != int(q.Plan.Seats) && !q.Across {
					t.Fatalf("request %s was done by %d, for %d seats", id, n, q.Plan.Seats)
				}
			}
			if q.Plan.Start > q.Outcome.At+grace && !q.Across {
				t.Fatalf("request %s at %d ended in state %d at %d, before its hour", id, q.Plan.Start, q.State, q.Outcome.At)
			}
		default:
			right = nothing
		}
		if q.State == request.Told && !right || q.State == request.Covered && right {
			t.Fatalf("request %s is in state %d and she believes %+v", id, q.State, q.Believes)
		}
		if b, listed := toCall[id]; listed == right || listed && b != q.Beneficiary {
			t.Fatalf("request %s in state %d: she believes %+v, on the list: %v", id, q.State, q.Believes, listed)
		}
		delete(toCall, id)
		if (!q.State.Closed() || !right) && r.beneficiaries[q.Beneficiary].State != people.Active {
			t.Fatalf("request %s in state %d is of somebody who has left, and who knows: %v", id, q.State, right)
		}
		if alive {
			she := r.beneficiaries[q.Beneficiary]
			for _, a := range q.Askings {
				expected := a.Answer == request.Yes && q.Plan.Start > r.clock-12*hour || a.Answer == request.Waiting && q.State.Looking()
				if expected && slices.Contains(she.Refused, a.Volunteer) {
					t.Fatalf("request %s: she does not wish a volunteer, who has answer %d", id, a.Answer)
				}
			}
		}
		// Nobody asks for, or is asked from, people who are not to be seen.
		if i, imported := r.imports[r.beneficiaries[q.Beneficiary].Enrolled.Import]; imported && i.State != people.Committed {
			t.Fatalf("request %s is of a person whose import is not to be seen", id)
		}
		for _, a := range q.Askings {
			if i, imported := r.imports[r.volunteers[a.Volunteer].Import]; imported && i.State != people.Committed {
				t.Fatalf("request %s asks a volunteer whose import is not to be seen", id)
			}
		}
	}
	for id := range toCall {
		t.Fatalf("request %s is on the list and does not exist", id)
	}
}

func lawsOfVolunteers(t *rapid.T, r records) {
	type visit struct {
		id         ident.Request
		start, end when.At
		by         ident.Offer
	}
	seats := map[ident.Volunteer][]visit{}
	for id, q := range r.requests {
		for _, a := range q.Askings {
			v := r.volunteers[a.Volunteer]
			switch {
			case a.Volunteer.Zero(): // was erased
			case a.Answer == request.Yes && q.State != request.NotDone && q.State != request.Cancelled && q.State != request.Unfilled:
				seats[a.Volunteer] = append(seats[a.Volunteer], visit{id, q.Plan.Start, q.Plan.Start + when.At(q.Plan.Minutes)*minute, a.Offer})
				if !q.State.Closed() && v.Status != people.Approved && q.Plan.Start > v.Since-12*hour {
					t.Fatalf("a volunteer in status %d is expected at request %s", v.Status, id)
				}
			case a.Answer == request.Waiting && q.State.Looking() && v.Status != people.Approved:
				t.Fatalf("a volunteer in status %d has a question to answer at request %s", v.Status, id)
			}
		}
	}
	for _, visits := range seats {
		for i, a := range visits {
			for _, b := range visits[:i] {
				oneTrip := a.by == b.by && !a.by.Zero()
				if a.start < b.end+travel && b.start < a.end+travel && !oneTrip {
					t.Fatalf("one volunteer goes to %s and %s at a time", a.id, b.id)
				}
			}
		}
	}
}

func lawsOfHistory(t *rapid.T, st *store.Store, r records) {
	err := st.View(func(tx *store.Tx) error {
		one := func(code byte, id []byte, version uint32) {
			var last store.History
			err := tx.EachHistory(code, id, func(h store.History) {
				if h.Version <= last.Version || h.At < last.At || h.At > r.clock {
					t.Fatalf("collection %d: %+v follows %+v", code, h, last)
				}
				last = h
			})
			if err != nil || last.Version != version {
				t.Fatalf("collection %d: the record has version %d, its history %d (%v)", code, version, last.Version, err)
			}
		}
		for id, b := range r.beneficiaries {
			one(1, id[:], b.Version)
		}
		for id, v := range r.volunteers {
			one(2, id[:], v.Version)
		}
		for id, q := range r.requests {
			one(3, id[:], q.Version)
		}
		for id, a := range r.accounts {
			one(5, id[:], a.Version)
		}
		for id, i := range r.imports {
			one(8, id[:], i.Version)
		}
		for id, s := range r.series {
			one(10, id[:], s.Version)
		}
		for id, o := range r.offers {
			one(11, id[:], o.Version)
		}
		for id, b := range r.bonds {
			one(12, id[:], b.Version)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lawsOfAccounts(t *rapid.T, r records) {
	admins := 0
	logins := map[string]bool{}
	for _, a := range r.accounts {
		if logins[a.Login] {
			t.Fatalf("login %q is there twice", a.Login)
		}
		logins[a.Login] = true
		if a.Roles.Has(account.Admin) && !a.Closed {
			admins++
		}
	}
	if r.founded && admins == 0 {
		t.Fatal("nobody can administer this territory")
	}
	for _, s := range r.sessions {
		if a, ok := r.accounts[s.Account]; !ok || a.Closed {
			t.Fatal("a closed account has a session")
		}
	}
}

func lawsOfSlots(t *rapid.T, st *store.Store, r records) {
	var leaves []crypto.Leaf
	for _, b := range r.beneficiaries {
		leaves = append(leaves, b.Leaf)
	}
	for _, v := range r.volunteers {
		leaves = append(leaves, v.Leaf)
	}
	for _, a := range r.accounts {
		leaves = append(leaves, a.Leaf)
	}
	for _, i := range r.imports {
		leaves = append(leaves, i.Leaf)
	}
	err := st.View(func(tx *store.Tx) error {
		mark, err := tx.Meta("slots")
		used := map[uint32]bool{}
		for _, l := range leaves {
			in, err2 := tx.TreeLeaf(l.Slot)
			n, err3 := tx.TreeNode(crypto.LastLevel, l.ParentIndex())
			if used[l.Slot] || uint64(l.Slot) >= mark || err2 != nil || err3 != nil || in.ID != l.ID || n.ID != in.Parent {
				t.Fatalf("leaf %d: used twice or not marked as used, or hangs on nothing", l.Slot)
			}
			if len(l.Box) > 0 || l.Parent != (crypto.KeyID{}) {
				t.Fatalf("leaf %d: the record holds the key", l.Slot)
			}
			used[l.Slot] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lawsOfOffers: the places that are taken are those of the visits that he makes by
// that offer, one a person, and no more than there are; what is live is full when
// they are as many; and thanks are for what took place, read by who came.
func lawsOfOffers(t *rapid.T, st *store.Store, r records) {
	want := map[ident.Offer]map[ident.Request]bool{}
	for id, q := range r.requests {
		for _, a := range q.Askings {
			if a.Offer.Zero() || a.Answer != request.Yes || q.State == request.Cancelled || q.State == request.Unfilled {
				continue
			}
			o, there := r.offers[a.Offer]
			if !there || o.Volunteer != a.Volunteer || !o.Trip.Has(q.Type) {
				t.Fatalf("request %s is by offer %s: %+v", id, a.Offer, o)
			}
			if want[a.Offer] == nil {
				want[a.Offer] = map[ident.Request]bool{}
			}
			want[a.Offer][id] = true
		}
		if th := q.Thanks; th.At != 0 && q.State != request.Done || th.At == 0 && len(th.Seen)+len(th.Box) > 0 {
			t.Fatalf("request %s in state %d has thanks %+v", id, q.State, th)
		}
		for i, v := range q.Thanks.Seen {
			if !slices.Contains(q.Coming(), v) || slices.Contains(q.Thanks.Seen[:i], v) {
				t.Fatalf("request %s: its thanks are read by %v", id, q.Thanks.Seen)
			}
		}
	}
	for id, o := range r.offers {
		if len(o.Taken) != len(want[id]) || len(o.Taken) > int(o.Trip.Places) {
			t.Fatalf("offer %s has %v, of %d places; it is taken by %v", id, o.Taken, o.Trip.Places, want[id])
		}
		seen := map[ident.Beneficiary]bool{}
		for _, q := range o.Taken {
			she := r.requests[q].Beneficiary
			if !want[id][q] || seen[she] && !she.Zero() || slices.Contains(o.Declined, she) {
				t.Fatalf("offer %s: request %s of %s: %+v", id, q, she, o)
			}
			seen[she] = true
		}
		if o.State.Live() && (o.State == offer.Full) != (len(o.Taken) == int(o.Trip.Places)) {
			t.Fatalf("offer %s in state %d: %d of %d places", id, o.State, len(o.Taken), o.Trip.Places)
		}
		if v := r.volunteers[o.Volunteer]; o.State.Live() && v.Status != people.Approved {
			t.Fatalf("offer %s is live, its volunteer in status %d", id, v.Status)
		}
	}
	for n := range offersOf {
		have, there := counter(t, st, public.Offered, 40+n), uint64(0)
		if _, ok := r.offers[trip(n)]; ok || r.isGone(trip(n)) {
			there = 1
		}
		if have != there {
			t.Fatalf("offer %d is counted %d times", n, have)
		}
	}
}

// lawsOfBonds: two people have one bond at a time, she is accompanied while it
// lives, and each is counted once.
func lawsOfBonds(t *rapid.T, st *store.Store, r records) {
	type pair struct {
		her ident.Beneficiary
		him ident.Volunteer
	}
	alive := map[pair]bool{}
	for id, b := range r.bonds {
		if (b.State == bond.Ended) != (b.Why != bond.NotEnded) {
			t.Fatalf("bond %s: %+v", id, b)
		}
		if b.State != bond.Alive {
			continue
		}
		if alive[pair{b.Beneficiary, b.Volunteer}] || r.beneficiaries[b.Beneficiary].State != people.Active {
			t.Fatalf("bond %s lives beside another one, or she has left", id)
		}
		alive[pair{b.Beneficiary, b.Volunteer}] = true
	}
	for n := range bondsOf {
		have, there := counter(t, st, public.Bonds, 40+n), uint64(0)
		if _, ok := r.bonds[tie(n)]; ok || r.isGone(tie(n)) {
			there = 1
		}
		if have != there {
			t.Fatalf("bond %d is counted %d times", n, have)
		}
	}
}

// town is a territory at work: people on both sides, all vouched for.
func town() (cs []command.Command) {
	for n := range 3 {
		cs = append(cs,
			command.Enrol{Stamp: stamp(0), Who: command.NewBeneficiary{ID: her(n), Leaf: leaf(1 + n), Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent}, Box: []byte("sealed")}},
			command.Register{Stamp: stamp(0), Who: command.NewVolunteer{ID: him(n), Leaf: leaf(4 + n), Status: people.Approved, Offer: people.Readiness{Commune: "33001", Car: true}, Box: []byte("sealed")}},
		)
	}
	return cs
}

// visited is a visit that took place, and for which she may thank.
func visited() command.Command {
	n := requests - 1
	return command.RecordDone{
		Stamp: stamp(0), ID: req(n), Beneficiary: her(0), Type: kindOf(shopping), Wish: request.Wish{Kind: request.OnDay, Day: 20_000},
		Plan: request.Plan{Seats: 2, Minutes: 60, Start: noon - 48*hour}, Volunteers: []ident.Volunteer{him(0), him(1)}, Outcome: request.Outcome{Minutes: 60},
		Counts: slices.Concat(cell(public.Requested, n), cell(public.Found, n), cell(public.Told, n), cell(public.Done, n)),
	}
}

// cameIn is an import whose first part is in the statistics.
func cameIn() []command.Command {
	row := command.NewBeneficiary{ID: her(6), Leaf: leaf(17), Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent}, Box: []byte("sealed")}
	return []command.Command{
		command.BeginImport{Stamp: stamp(0), ID: file(0), Leaf: leaf(16), Box: []byte("sealed")},
		command.ImportRows{Stamp: stamp(0), ID: file(0), Beneficiaries: []command.NewBeneficiary{row}},
		command.CloseImport{Stamp: stamp(0), ID: file(0), Rows: 1},
		command.CountImport{Stamp: stamp(0), ID: file(0), Counts: partCounts(0, 0)},
	}
}

// comesAgain is a series of which she knows, and what it has made.
func comesAgain() []command.Command {
	cs := []command.Command{command.OpenSeries{Stamp: stamp(0), ID: weekly(0), Beneficiary: her(0), Type: kindOf(shopping), Terms: series.Terms{
		Rule: series.Rule{Rhythm: series.Weekly, Weekday: 3}, From: 20_781, Plan: request.Plan{Minutes: 60}, Standing: []ident.Volunteer{him(0)}, Told: true,
	}}}
	for n := range 2 {
		cs = append(cs, command.Recur{
			Stamp: stamp(0), ID: weekly(0), Version: 1, Day: 20_782 + 7*when.Day(n), Past: 20_781, Request: req(n), Start: noon + when.At(24+7*24*n)*hour,
			Counts: slices.Concat(cell(public.Requested, n), cell(public.Found, n), cell(public.Told, n)),
		})
	}
	return cs
}

// requests is how many requests a log knows; the other pools are smaller.
const requests = 12

// Offers and bonds that a log knows.
const (
	offersOf = 5
	bondsOf  = 4
)

const (
	imports = 3
	parts   = 4 // of an import that may be counted
)

// partCell is where a part of an import counts alone, everyPart where all do.
func partCell(i int, part uint32) int { return 60 + parts*i + int(part) }

const everyPart = 90

func partCounts(i int, part uint32) []command.Count {
	alone, all := cell(public.Enrolled, partCell(i, part)), cell(public.Enrolled, everyPart)
	all[0].N = uint64(part + 1)
	return slices.Concat(alone, all)
}

// gen draws commands that mostly fit the state.
type gen struct {
	t  *rapid.T
	s  records
	d  *drafts
	st *store.Store // that s was read from
}

func (g gen) n(name string, from, to int) int { return rapid.IntRange(from, to).Draw(g.t, name) }
func (g gen) rare(name string) bool           { return g.n(name, 0, 9) == 9 } // rapid prefers small numbers

// her and him are people who are there, mostly: the first three are of town.
func (g gen) her() ident.Beneficiary { return her(g.n("her", 0, 9) % 7) }
func (g gen) him() ident.Volunteer   { return him(g.n("him", 0, 9) % 7) }

// req is a request that lives, if there is one.
func (g gen) req() int {
	var alive []int
	for n := range requests {
		if q, ok := g.s.requests[req(n)]; ok && !q.State.Closed() {
			alive = append(alive, n)
		}
	}
	if len(alive) == 0 || g.rare("any request") {
		return g.n("request", 0, requests-1)
	}
	return alive[g.n("alive", 0, len(alive)-1)]
}

// unused is a request that does not exist, if there is one.
func (g gen) unused() int {
	for n := range requests {
		if _, ok := g.s.requests[req(n)]; !ok && !g.rare("used") {
			return n
		}
	}
	return g.n("request", 0, requests-1)
}

func (g gen) box() []byte {
	return []byte(rapid.SampledFrom([]string{"", "box 1", "box 2"}).Draw(g.t, "box"))
}

func (g gen) hims() (v []ident.Volunteer) {
	for range g.n("how many", 0, 3) {
		v = append(v, g.him())
	}
	return v
}

func (g gen) stamp() command.Stamp {
	s := command.Stamp{At: g.s.clock + when.At(g.n("at", -5, 5))*hour, By: acc(g.n("by", 0, 1)), Purpose: command.Desk}
	if g.rare("odd clock") {
		s.At = when.At(g.n("clock", -2, 2)) * hour
	}
	if g.n("keyed", 0, 3) == 0 {
		s.Key = rapid.SampledFrom([]string{"k1", "k2", "k3", "k4"}).Draw(g.t, "key")
		s.Digest[0] = byte(g.n("digest", 0, 1))
	}
	return s
}

func (g gen) version(current uint32) uint32 {
	if g.rare("stale") {
		return uint32(g.n("version", 0, 9))
	}
	return current
}

func (g gen) leaf() crypto.Leaf {
	slot := g.n("slot", 0, 40)
	for g.n("free slot", 0, 3) > 0 && slot < 40 && g.taken(uint32(slot)) {
		slot++
	}
	l := leaf(slot)
	if n, there := g.s.nodes[spot{crypto.LastLevel, uint32(slot) / 16}]; there {
		l.Parent = n.ID
	}
	if g.rare("old key") {
		l.Parent[7] = 1
	}
	return l
}

func (g gen) taken(slot uint32) bool {
	for _, b := range g.s.beneficiaries {
		if b.Leaf.Slot == slot {
			return true
		}
	}
	for _, b := range g.s.volunteers {
		if b.Leaf.Slot == slot {
			return true
		}
	}
	return slot == adminSlot
}

func (g gen) facts() people.Facts {
	f := people.Facts{Commune: rapid.SampledFrom([]string{"33001", "33002"}).Draw(g.t, "commune"), State: people.Active, Basis: people.Consent, Notice: people.Notice(g.n("notice", 0, 2)), Refused: nil, Preferred: nil}
	if g.rare("ended") {
		f.State = people.Left
	}
	if g.rare("refuses") {
		f.Refused = g.hims()
	}
	return f
}

func (g gen) offer() people.Readiness {
	r := people.Readiness{Commune: "33001", RadiusKm: 5, Car: g.n("car", 0, 1) == 0}
	if g.rare("kinds") {
		r.Kinds = []ident.ActionType{kindOf(g.n("kind", 0, 3))}
	}
	if g.rare("absent") {
		r.Absences = []people.Absence{{From: 20_000, To: 20_100}}
	}
	return r
}

func (g gen) newHer() command.NewBeneficiary {
	id := g.her()
	for n := range 8 {
		if _, there := g.s.beneficiaries[her(n)]; !there && !g.rare("twice") {
			id = her(n)
			break
		}
	}
	return command.NewBeneficiary{ID: id, Leaf: g.leaf(), Facts: g.facts(), Box: []byte("sealed")}
}

func (g gen) newHim() command.NewVolunteer {
	id := g.him()
	for n := range 8 {
		if _, there := g.s.volunteers[him(n)]; !there && !g.rare("twice") {
			id = him(n)
			break
		}
	}
	n := command.NewVolunteer{ID: id, Leaf: g.leaf(), Status: people.Approved, Offer: g.offer(), Box: []byte("sealed")}
	if g.rare("not vetted") {
		n.Status = people.Applicant
	}
	return n
}

func (g gen) plan() request.Plan {
	return request.Plan{
		Seats: uint8(g.n("seats", 0, 3)), Minutes: rapid.SampledFrom([]uint16{5, 60, 200, 720}).Draw(g.t, "minutes"),
		Exception: g.n("exception", 0, 1) == 0,
	}
}

func (g gen) wish() request.Wish {
	return request.Wish{Kind: request.OnDay, Day: when.Day(g.n("day", 20_000, 20_001))}
}

// start is on a grid that is narrower than the visits; some lie well ahead.
func (g gen) start() when.At {
	if g.n("ahead", 0, 2) == 2 {
		return g.s.clock - g.s.clock%hour + 30*hour
	}
	return noon + when.At(g.n("start", 0, 96))*15*minute
}

func (g gen) outcome() request.Outcome {
	return request.Outcome{Why: request.Why(g.n("why", 0, 6)), Minutes: 60}
}

// seated is somebody who comes to the request, if anybody does.
func (g gen) seated(q request.Request) ident.Volunteer {
	if c := q.Coming(); len(c) > 0 && !g.rare("another") {
		return rapid.SampledFrom(c).Draw(g.t, "seated")
	}
	return g.him()
}

func (g gen) command() command.Command {
	s := g.stamp()
	switch rapid.SampledFrom([]string{
		"people", "people", "account", "account", "settings", "import", "import", "import", "sweep",
		"open", "open", "open", "request", "request", "request", "request", "request", "request", "request", "request", "reach", "reach", "reach",
		"series", "series", "series", "series",
		"offer", "offer", "offer", "offer", "offer", "offer", "tie", "tie",
		"replica", "replica", "replica", "forget", "forget", "forget", "forget",
	}).Draw(g.t, "what") {
	case "people":
		return g.people(s)
	case "account":
		return g.account(s)
	case "settings":
		return g.settings(s)
	case "import":
		return g.imported(s)
	case "sweep":
		return command.Sweep{Stamp: s, Sessions: g.start(), Replays: g.s.clock - when.At(g.n("older", -2, 9))*hour}
	case "open":
		return g.open(s)
	case "reach":
		return g.reach(s)
	case "series":
		return g.series(s)
	case "offer":
		return g.offers(s)
	case "tie":
		return g.ties(s)
	case "replica":
		return g.replicas(s)
	case "forget":
		return g.forget(s)
	}
	if len(g.s.requests) == 0 && !g.rare("no request") {
		return g.open(s)
	}
	return g.request(s)
}

func (g gen) open(s command.Stamp) command.Command {
	n := g.unused()
	return command.OpenRequest{
		Stamp: s, ID: req(n), Beneficiary: g.her(), Type: kindOf(g.n("kind", 0, 4)), Wish: g.wish(), Plan: g.plan(),
		Draft: g.rare("draft"), Ask: g.hims(), Box: g.box(), Counts: cell(public.Requested, n),
	}
}

func (g gen) people(s command.Stamp) command.Command {
	b, v := g.her(), g.him()
	switch g.n("people", 0, 6) {
	case 0, 1:
		return command.Enrol{Stamp: s, Who: g.newHer(), Counts: cell(public.Enrolled, 50)}
	case 2, 3:
		return command.Register{Stamp: s, Who: g.newHim(), Counts: cell(public.Joined, 50)}
	case 4:
		return command.ChangeBeneficiary{Stamp: s, ID: b, Version: g.version(g.s.beneficiaries[b].Version), Facts: g.facts(), Box: g.box()}
	case 5:
		return command.ChangeVolunteer{Stamp: s, ID: v, Version: g.version(g.s.volunteers[v].Version), Offer: g.offer(), Box: g.box(), Next: when.Day(g.n("next", 0, 3))}
	}
	to := people.Status(g.n("status", 1, 5))
	if next := g.s.volunteers[v].Status.Next(); len(next) > 0 && !g.rare("odd step") {
		to = next[0]
	}
	return command.StepVolunteer{Stamp: s, ID: v, Version: g.version(g.s.volunteers[v].Version), To: to, Counts: cell(public.Joined, 51), Next: when.Day(g.n("next", 0, 3))}
}

func (g gen) account(s command.Stamp) command.Command {
	a := acc(g.n("account", 0, 2))
	roles := account.Roles(g.n("roles", 0, 3))
	switch g.n("account command", 0, 6) {
	case 4:
		var grants []account.Grant
		for _, one := range roles.Each() {
			grants = append(grants, account.Grant{Role: one})
		}
		return command.GrantRoles{Stamp: s, ID: a, Version: g.version(g.s.accounts[a].Version), Roles: roles, Grants: grants}
	case 5:
		return command.StandIn{Stamp: s, ID: a, Away: acc(g.n("away", 0, 2)), Role: account.Agent, Until: g.start()}
	case 6:
		return command.SwitchRole{Stamp: s, Session: session(g.n("session", 0, 2)), As: account.Roles(1 << g.n("hat", 0, 2))}
	case 0:
		n := account.Account{ID: a, Login: rapid.SampledFrom([]string{"admin", "anne", "ann"}).Draw(g.t, "login"), Roles: roles, Leaf: g.leaf()}
		if g.rare("of a volunteer") {
			n.Of = g.him()
		}
		return command.OpenAccount{Stamp: s, Account: n}
	case 1:
		return command.ChangeAccount{Stamp: s, ID: a, Version: g.version(g.s.accounts[a].Version), Roles: roles, Closed: g.n("closed", 0, 2) == 0, Password: g.box()}
	case 2:
		return command.OpenSession{Stamp: s, Session: account.Session{ID: session(g.n("session", 0, 2)), Account: a, Expires: g.start()}}
	}
	return command.CloseSession{Stamp: s, ID: session(g.n("session", 0, 2))}
}

func (g gen) settings(s command.Stamp) command.Command {
	switch g.n("settings", 0, 3) {
	case 0:
		c := found()
		c.Stamp = s
		return c
	case 1:
		var nodes []crypto.TreeNode
		for range g.n("nodes", 1, 2) {
			n := node(crypto.LastLevel, uint32(g.n("node", 1, 3)))
			n.Parent = g.s.nodes[spot{crypto.LastLevel - 1, 0}].ID
			if g.rare("old parent") {
				n.Parent[7] = 1
			}
			nodes = append(nodes, n)
		}
		return command.GrowTree{Stamp: s, Nodes: nodes}
	case 2:
		k := rapid.SampledFrom(types()).Draw(g.t, "type")
		k.Retired = g.rare("retired")
		if g.rare("new type") {
			k.ID = kindOf(5)
		}
		version := g.version(g.s.types[k.ID].Version)
		return command.DefineType{Stamp: s, Version: version, Type: k}
	}
	version := uint32(g.n("territory version", 0, 3))
	return command.ChangeTerritory{Stamp: s, Version: version, Territory: territory.Territory{Name: "CC"}}
}

func (g gen) imported(s command.Stamp) command.Command {
	n := g.n("import", 0, imports-1)
	i := file(n)
	rows := g.s.imports[i].Rows
	if g.rare("gap") {
		rows = uint32(g.n("rows", 0, 3))
	}
	what := "begin"
	if now, ok := g.s.imports[i]; ok {
		what = map[people.ImportState][]string{
			people.Staged:    {"rows", "close", "close"},
			people.Committed: {"count", "close", "close"},
			people.Undone:    {"count", "count", "count"},
		}[now.State][g.n("next", 0, 2)]
	}
	if g.rare("out of order") {
		what = rapid.SampledFrom([]string{"begin", "rows", "close", "count"}).Draw(g.t, "import command")
	}
	switch what {
	case "begin":
		return command.BeginImport{Stamp: s, ID: i, Leaf: g.leaf(), Box: []byte("sealed")}
	case "rows":
		c := command.ImportRows{Stamp: s, ID: i, From: rows}
		for range g.n("beneficiaries", 0, 2) {
			c.Beneficiaries = append(c.Beneficiaries, g.newHer())
		}
		for range g.n("volunteers", 0, 2) {
			c.Volunteers = append(c.Volunteers, g.newHim())
		}
		return c
	case "count":
		now := g.s.imports[i]
		c := command.CountImport{Stamp: s, ID: i, Part: min(now.Counted, parts-1), Back: now.State == people.Undone}
		if c.Back && now.Counted > 0 {
			c.Part = now.Counted - 1
		}
		if g.rare("the other way") {
			c.Back = !c.Back
		}
		if g.rare("another part") {
			c.Part = uint32(g.n("part", 0, parts-1))
		}
		c.Counts = partCounts(n, c.Part)
		return c
	}
	undo := g.s.imports[i].State == people.Committed
	if g.rare("undone too soon") {
		undo = !undo
	}
	return command.CloseImport{Stamp: s, ID: i, Undo: undo, Rows: rows}
}

func (g gen) request(s command.Stamp) command.Command {
	n := g.req()
	id := req(n)
	q := g.s.requests[id]
	switch g.n("request command", 0, 12) {
	case 0:
		wish := q.Wish
		if g.rare("another day") {
			wish = g.wish()
		}
		return command.ChangeRequest{Stamp: s, ID: id, Version: g.version(q.Version), Wish: wish, Plan: g.plan(), Box: g.box()}
	case 1:
		return command.PublishDraft{Stamp: s, ID: id}
	case 2:
		return command.Ask{Stamp: s, ID: id, Volunteers: g.hims()}
	case 3:
		return command.Refuse{Stamp: s, ID: id, Volunteer: g.him()}
	case 4:
		return command.Withdraw{Stamp: s, ID: id, Volunteer: g.seated(q)}
	case 5:
		return command.Finish{Stamp: s, ID: id, NotDone: g.n("not done", 0, 1) == 0, Outcome: g.outcome(), Counts: cell(public.Done, n)}
	case 6:
		return command.Drop{Stamp: s, ID: id, Version: g.version(q.Version), Unfilled: g.n("unfilled", 0, 1) == 0, Outcome: g.outcome(), Counts: cell(public.Cancelled, n)}
	case 7:
		p := g.plan()
		p.Start = g.start()
		n = g.unused()
		return command.RecordDone{
			Stamp: s, ID: req(n), Beneficiary: g.her(), Type: kindOf(g.n("kind", 0, 3)), Wish: g.wish(), Plan: p, Volunteers: g.hims(),
			Outcome: g.outcome(), Counts: slices.Concat(cell(public.Requested, n), cell(public.Found, n), cell(public.Told, n), cell(public.Done, n)),
		}
	}
	start := g.start()
	if q.Plan.Start != 0 && !g.rare("another hour") {
		start = q.Plan.Start
	}
	c := command.Accept{Stamp: s, ID: id, Volunteer: g.him(), Start: start, Wish: q.Wish, Counts: cell(public.Found, n)}
	if g.rare("another wish") {
		c.Wish = g.wish()
	}
	if g.n("day known", 0, 1) == 0 {
		c.Day = when.Day(g.n("day", 20_000, 20_200))
	}
	return c
}

func (g gen) reach(s command.Stamp) command.Command {
	b := g.her()
	c := command.Reach{Stamp: s, ID: try(g.n("attempt", 0, 20)), Beneficiary: b, Result: contact.Result(g.n("result", 1, 3)), Means: contact.ByPhone, After: when.At(g.n("after", 0, 1))}
	var about []ident.Request
	for n := range requests {
		if q, ok := g.s.requests[req(n)]; ok && q.Beneficiary == b && q.NeedsCall() {
			about = append(about, q.ID)
		}
	}
	if len(about) > 0 && g.rare("twice the same") {
		about = append(about, about[0])
	}
	if g.rare("another request") {
		about = append(about, req(g.req()))
	}
	for _, id := range about {
		q := g.s.requests[id]
		n := int(id[15]) - 1
		w := command.About{Request: id, Version: g.version(q.Version), Word: command.Word(g.n("word", 1, 4))}
		if w.Word == command.NotHim {
			w.Volunteer = g.seated(q)
		}
		w.Counts = slices.Concat(cell(public.Told, n), cell(public.Cancelled, n))
		c.About = append(c.About, w)
	}
	return c
}

// elsewhere is where series count what is not of one request.
const elsewhere = 95

func (g gen) terms() series.Terms {
	return series.Terms{
		Rule: series.Rule{Rhythm: series.Rhythm(g.n("rhythm", 1, 2)), Weekday: uint8(g.n("weekday", 1, 7)), Half: when.Morning},
		From: when.Day(g.n("from", 20_770, 20_785)), Until: when.Day(g.n("until", 0, 1) * 20_840), Holidays: g.n("holidays", 0, 1) == 0,
		Plan: request.Plan{Seats: uint8(g.n("seats", 0, 2)), Minutes: 60, Exception: g.rare("exception")}, Standing: g.hims(), Told: g.n("told", 0, 2) > 0,
	}
}

// later is an hour of the coming days.
func (g gen) later() when.At {
	return g.s.clock - g.s.clock%hour + 24*hour*when.At(1+g.n("days", 0, 9)) + hour*when.At(g.n("hour", 0, 2))
}

// series are one of her in a log, mostly running.
func (g gen) series(s command.Stamp) command.Command {
	id := weekly(g.n("series", 0, 2) % 2)
	old, there := g.s.series[id]
	past := when.Day(g.n("past", 20_779, 20_783))
	what := g.n("series command", 0, 12)
	switch {
	case !there && !g.rare("no series"), what == 0:
		return command.OpenSeries{Stamp: s, ID: id, Beneficiary: g.her(), Type: kindOf(g.n("kind", 0, 3)), Terms: g.terms(), Box: g.box()}
	case what <= 2:
		c := command.ChangeSeries{Stamp: s, ID: id, Version: g.version(old.Version), Terms: g.terms(), Box: g.box(), Past: past, Counts: cell(public.Cancelled, elsewhere)}
		if g.n("a little", 0, 2) > 0 {
			c.Terms = old.Terms
			c.Terms.Standing = g.hims()
		}
		for n := range requests {
			if q, ok := g.s.requests[req(n)]; ok && q.Series == id && !q.State.Closed() {
				c.Follow = append(c.Follow, command.Follow{Request: q.ID, Version: g.version(q.Version), Start: g.later(), Box: c.Box})
			}
		}
		return c
	case what == 3:
		to := series.State(g.n("to", 1, 3))
		if to == series.Ended && g.n("the end", 0, 2) > 0 {
			to = series.Paused
		}
		return command.StepSeries{Stamp: s, ID: id, Version: g.version(old.Version), To: to, Past: past, Why: request.Why(g.n("why", 1, 2)), Counts: cell(public.Cancelled, elsewhere)}
	case what == 4:
		day := when.Day(g.n("skip", 20_780, 20_810))
		if d, ok := old.Next(past, "33"); ok && !g.rare("any day") {
			day = d
		}
		return command.SkipOccurrence{Stamp: s, ID: id, Day: day, Why: request.Why(g.n("why", 1, 2)), Counts: cell(public.Cancelled, elsewhere)}
	}
	n := g.unused()
	c := command.Recur{
		Stamp: s, ID: id, Version: g.version(old.Version), Past: past, Request: req(n), Start: g.later(), Box: g.box(),
		Counts: slices.Concat(cell(public.Requested, n), cell(public.Found, n), cell(public.Told, n)),
	}
	c.Day, _ = old.Next(max(old.Through, past), "33")
	if g.rare("another occurrence") {
		c.Day += when.Day(g.n("late", -7, 7))
	}
	return c
}

// trip is an offer that is live, if there is one.
func (g gen) trip() offer.Offer {
	var live []offer.Offer
	for n := range offersOf {
		if o, ok := g.s.offers[trip(n)]; ok && o.State.Live() {
			live = append(live, o)
		}
	}
	if len(live) == 0 || g.rare("any offer") {
		n := g.n("offer", 0, offersOf)
		o := g.s.offers[trip(n)]
		o.ID = trip(n)
		return o
	}
	return live[g.n("live", 0, len(live)-1)]
}

func (g gen) offers(s command.Stamp) command.Command {
	o := g.trip()
	if (g.s.offers[o.ID].Version == 0 || g.rare("more")) && !g.rare("none") {
		for n := range offersOf {
			if _, there := g.s.offers[trip(n)]; !there {
				o.ID = trip(n)
			}
		}
		n := int(o.ID[15]) - 1
		t := offer.Trip{
			Types: []ident.ActionType{kindOf(shopping), kindOf(g.n("kind", 0, 4))}[:g.n("types", 1, 2)], Day: when.Day(g.n("day", 20_000, 20_001)),
			Places: uint8(g.n("places", 1, 3)), Until: g.s.clock - g.s.clock%hour + when.At(g.n("until", -1, 40))*hour,
		}
		return command.MakeOffer{Stamp: s, ID: o.ID, Volunteer: g.him(), Trip: t, Box: g.box(), Counts: cell(public.Offered, 40+n)}
	}
	switch g.n("offer command", 0, 7) {
	case 0:
		return command.EndOffer{Stamp: s, ID: o.ID}
	case 1:
		return command.EndOffer{Stamp: s, ID: o.ID, Past: true}
	case 2:
		return command.DeclineOffer{Stamp: s, ID: o.ID, Beneficiary: g.her(), Attempt: try(g.n("attempt", 0, 40))}
	}
	n := g.unused()
	c := command.TakeOffer{
		Stamp: s, ID: o.ID, Request: req(n), Beneficiary: g.her(), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60},
		Start: o.Trip.Until - when.At(g.n("before", 1, 24))*hour, Minute: uint16(g.n("minute", 540, 660)), Box: g.box(), Attempt: try(g.n("attempt", 0, 40)),
	}
	if len(o.Trip.Types) > 0 && !g.rare("another kind") {
		c.Type = rapid.SampledFrom(o.Trip.Types).Draw(g.t, "type")
	}
	if g.rare("another plan") {
		c.Plan = g.plan()
	}
	if g.rare("another instant") {
		c.Start = g.start()
	}
	if n2 := g.req(); g.n("open one", 0, 2) == 0 {
		n = n2
		q := g.s.requests[req(n)]
		c.Request, c.Version, c.Beneficiary = req(n), max(1, g.version(q.Version)), q.Beneficiary
		if o.Trip.Has(q.Type) {
			c.Type = q.Type
		}
	}
	c.Counts = slices.Concat(cell(public.Requested, n), cell(public.Found, n), cell(public.Told, n))
	return c
}

func (g gen) ties(s command.Stamp) command.Command {
	n := g.n("tie", 0, bondsOf-1)
	switch g.n("tie command", 0, 5) {
	case 0, 1:
		return command.MakeBond{Stamp: s, ID: tie(n), Beneficiary: g.her(), Volunteer: g.him(), Since: 20_000, NextCheck: 20_090, Counts: cell(public.Bonds, 40+n)}
	case 2, 3:
		c := command.CheckBond{Stamp: s, ID: tie(n), Version: g.version(g.s.bonds[tie(n)].Version), NextCheck: 20_180}
		if g.n("ended", 0, 1) == 0 {
			c.Ended = bond.Why(g.n("why", 1, 4))
		}
		return c
	}
	id := req(g.n("thanked", 0, requests-1))
	for n := range requests {
		if q := g.s.requests[req(n)]; q.State == request.Done && !g.rare("whatever") {
			id = q.ID
			if q.Thanks.At == 0 {
				break
			}
		}
	}
	if q := g.s.requests[id]; q.Thanks.At != 0 && !g.rare("thank again") {
		return command.SeeThanks{Stamp: s, ID: id, Volunteer: g.seated(q)}
	}
	return command.Thank{Stamp: s, ID: id, Box: g.box()}
}
