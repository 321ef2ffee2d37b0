package machine_test

import (
	"crypto/sha256"
	"slices"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/handover"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/notice"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// federal is what a record holds about the world outside: read only for the commands
// that need it.
type federal struct {
	said
	lent    []across.Offer
	asks    []across.Interest
	passed  []handover.Handover
	reading notice.Reading
	told    uint32 // number of the newest bulletin
	pieces  int
	first   uint64 // see release.MetaFirst
}

func readFederal(t fataler, st *store.Store) (f federal) {
	t.Helper()
	f.said = saidBy(t, st)
	err := st.View(func(tx *store.Tx) (err error) {
		store.CrossOffers.Each(tx, nil, func(o across.Offer) bool { f.lent = append(f.lent, o); return true })
		store.Interests.Each(tx, nil, func(i across.Interest) bool { f.asks = append(f.asks, i); return true })
		store.Handovers.Each(tx, nil, func(h handover.Handover) bool { f.passed = append(f.passed, h); return true })
		store.Notices.Each(tx, nil, func(n notice.Notice) bool { f.told = n.Number; return true })
		store.NoticePieces.Each(tx, nil, func(notice.Piece) bool { f.pieces++; return true })
		f.reading, _, _ = store.Readings.Get(tx, []byte{0})
		f.first, err = tx.Meta(release.MetaFirst)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// memberOf begins a feed, an offer that may leave, and one of a neighbour's that is
// asked for, so that short logs come far.
func memberOf() []command.Command {
	s := stamp(0)
	s.Role = account.Admin
	return []command.Command{
		command.JoinFederation{Stamp: s, Genesis: genesis, Invitation: "come"},
		command.TakeRoster{Stamp: s, Genesis: genesis, Entries: rosterEntries[:1]},
		command.PrepareCrossOffer{Stamp: s, ID: capacity(0), Terms: terms(mondayOf(noon))},
		command.PublishCrossOffer{Stamp: s, ID: capacity(0), Version: 1, Entry: must(public.Encode(public.Entry{From: ourSiren, Epoch: 1, Day: public.DayOf(noon.Time()), Body: terms(mondayOf(noon))}))},
		command.GiveDossiers{Stamp: s, Digest: digest(0), Giver: ourSiren, Receiver: rurale, Roster: 1, Communes: moved, People: 1, Who: []handover.Passed{{ID: her(0), Version: 1}}},
	}
}

// moved are communes that change hands.
var moved = []string{"33002"}

func digest(n int) [32]byte { return sha256.Sum256([]byte{byte(n)}) }

func terms(monday public.Day) public.Offer {
	return public.Offer{Category: public.Shopping, From: monday, Weeks: 4, Slots: 3, Radius: public.Near, Languages: public.French}
}

func mondayOf(at when.At) public.Day {
	d := public.DayOf(at.Time())
	for !d.Monday() {
		d--
	}
	return d
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// outside draws what crosses the territory's border, or may not.
type outside struct {
	gen
	federal
}

// today is the day of the present clock.
func (g outside) today() public.Day { return public.DayOf(max(g.s.clock, noon).Time()) }

// says is the next entry of the own feed. What refers to an entry that is not before
// it cannot be written down: then it is a presence, in a command of its own.
func (g outside) says(m public.Message, c func(entry []byte) command.Command, s command.Stamp) command.Command {
	e := public.Entry{From: ourSiren, Epoch: max(1, g.feed().Epoch), Seq: g.feed().Size, Day: g.today(), Body: m}
	switch {
	case g.rare("late") && e.Seq > 0:
		e.Seq--
	case g.rare("another epoch"):
		e.Epoch++
	}
	b, err := public.Encode(e)
	if err != nil {
		e.Body = public.Presence{}
		return command.Say{Stamp: s, Entry: must(public.Encode(e))}
	}
	return c(b)
}

// theirs is an entry of a neighbour's feed.
func (g outside) theirs(seq int, m public.Message) []byte {
	return must(public.Encode(public.Entry{From: rurale, Epoch: 1, Seq: uint64(seq), Day: g.today(), Body: m}))
}

func named(seq int) public.Ref { return public.Ref{From: rurale, Epoch: 1, Seq: uint64(seq)} }

// federation draws a command of a kind from 70 on.
func (g gen) federation(s command.Stamp) command.Command {
	o := outside{g, readFederal(g.t, g.st)}
	if s.Role = account.Admin; g.rare("an agent") {
		s.Role = account.Agent
	}
	switch {
	case !o.membership.Belongs() && g.n("outside", 0, 2) > 0:
		return o.belonging(s, "join")
	case o.feed().Frozen != 0 && g.n("frozen", 0, 2) > 0:
		return o.belonging(s, "epoch")
	}
	switch what := rapid.SampledFrom([]string{
		"join", "roster", "say", "freeze feed", "epoch", "take back", "leave", "freeze", "vectors",
		"ours", "ours", "ours", "ours", "theirs", "theirs", "theirs", "theirs", "bulletins", "bulletins", "dossiers", "dossiers", "dossiers", "dossiers",
	}).Draw(g.t, "beyond"); what {
	case "ours":
		return o.lend(s)
	case "theirs":
		return o.borrow(s)
	case "bulletins":
		return o.bulletins(s)
	case "dossiers":
		return o.dossiers(s)
	case "freeze", "vectors":
		return o.counting(s, what)
	default:
		return o.belonging(s, what)
	}
}

func (g outside) belonging(s command.Stamp, what string) command.Command {
	from := genesis
	if g.rare("another federation") {
		from[0]++
	}
	f := g.feed()
	switch what {
	case "join":
		return command.JoinFederation{Stamp: s, Genesis: from, Invitation: "come"}
	case "leave":
		if g.n("stays", 0, 2) > 0 {
			return command.Say{Stamp: s, Entry: entry(max(1, f.Epoch), f.Size, public.Presence{})}
		}
		return command.LeaveFederation{Stamp: s}
	case "roster":
		at := min(int(g.membership.Version)+g.n("ahead", 0, 9)/9, len(rosterEntries))
		return command.TakeRoster{Stamp: s, Genesis: from, From: uint64(at), Entries: rosterEntries[at:min(at+1+g.n("more", 0, 1), len(rosterEntries))]}
	case "freeze feed":
		return command.FreezeFeed{Stamp: s, Epoch: f.Epoch, Evidence: [2][]byte{[]byte("ours"), []byte("theirs")}}
	case "epoch":
		return g.epoch(s)
	case "take back":
		c := command.TakeBack{Stamp: s, Whole: g.rare("whole")}
		for i := range g.n("entries", 1, 3) {
			m := rapid.SampledFrom([]public.Message{
				public.Presence{}, terms(mondayOf(g.s.clock)), public.Interest{Offer: named(40 + i), Slots: 1}, public.Accept{Interest: named(60 + i)},
				public.Withdraw{Offer: f.Size / 2}, public.Ack{Interest: f.Size / 2}, public.Renounce{Interest: f.Size / 2}, public.Retract{Seq: f.Size / 2},
				public.Handover{Giver: rurale, Communes: communes(), Roster: 1, Digest: digest(10)},
			}).Draw(g.t, "message")
			b, err := public.Encode(public.Entry{From: ourSiren, Epoch: max(1, f.Epoch), Seq: f.Size + uint64(i), Day: g.today(), Body: m})
			if err != nil { // about what is not before it
				b = entry(max(1, f.Epoch), f.Size+uint64(i), public.Presence{})
			}
			c.Entries = append(c.Entries, b)
		}
		return c
	}
	if f.Size > 0 && g.n("retract", 0, 3) == 0 {
		return g.says(public.Retract{Seq: uint64(g.n("seq", 0, int(f.Size)-1))}, func(b []byte) command.Command { return command.Say{Stamp: s, Entry: b} }, s)
	}
	return g.says(public.Presence{}, func(b []byte) command.Command { return command.Say{Stamp: s, Entry: b} }, s)
}

// epoch opens the next one, mostly with what the former has lost.
func (g outside) epoch(s command.Stamp) command.Command {
	f := g.feed()
	size := min(f.Size, uint64(g.n("counting", 0, int(f.Size)+1)))
	c := command.OpenEpoch{Stamp: s, Epoch: f.Epoch + 1, Size: size}
	if f.Epoch == 0 {
		return c
	}
	c.Root = g.root(g.t, f.Epoch, size)
	for _, e := range g.of(f.Epoch)[size:] {
		if d, err := public.Decode(e); err == nil && d.Body.Kind() == public.KindRelease && !g.rare("left out") {
			c.Again = append(c.Again, entry(c.Epoch, uint64(len(c.Again)), d.Body))
		}
	}
	return c
}

// counting releases the next quarter, sometimes once the year is over.
func (g outside) counting(s command.Stamp, what string) command.Command {
	spent := g.feed().Spent
	next := release.Next(spent, public.Quarter(max(1, g.first)-1))
	r, _, ok := quarterly(spent, next, 3)
	if what == "vectors" && g.rare("begin") || !ok {
		return command.BeginVectors{Stamp: s}
	}
	if g.n("new year", 0, 3) == 3 {
		s.At = max(s.At, when.Of((next.End() + 10).Time()))
	}
	return g.says(r, func(b []byte) command.Command { return command.Freeze{Stamp: s, Entry: b} }, s)
}

// oneOf is one of those that fit, if any do, or any.
func oneOf[T any](g gen, name string, all []T, fits func(T) bool) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	fit := slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !fits(x) })
	if len(fit) == 0 || g.rare("any "+name) {
		fit = all
	}
	return rapid.SampledFrom(fit).Draw(g.t, name), true
}

// lend is about what we offer to neighbours.
func (g outside) lend(s command.Stamp) command.Command {
	state := across.OfferState(1 + g.n("state", 0, 4)%2)
	o, ok := oneOf(g.gen, "offer", g.lent, func(o across.Offer) bool { return o.State == state })
	if !ok || g.n("prepare", 0, 5) == 0 {
		c := command.PrepareCrossOffer{Stamp: s, ID: capacity(len(g.lent)), Terms: terms(mondayOf(g.s.clock) + 7*public.Day(g.n("week", 0, 1))), Volunteers: g.hims()}
		if g.rare("prepared twice") {
			c.ID = capacity(0)
		}
		return c
	}
	met, there := oneOf(g.gen, "met", o.Met, func(m across.Met) bool { return m.State == across.MetAccepted })
	if i := slices.IndexFunc(o.Asked, func(a across.Asked) bool { return a.Consent == across.NoAnswer }); i >= 0 && g.n("is asked", 0, 3) > 0 {
		return command.HearCrossOffer{Stamp: s, ID: o.ID, Volunteer: o.Asked[i].Volunteer, Consent: across.Consent(1 + g.n("objects", 0, 4)/4)}
	}
	if o.State == across.Preparing && g.n("leaves", 0, 3) > 0 {
		version := g.version(o.Version)
		return g.says(o.Terms, func(b []byte) command.Command {
			return command.PublishCrossOffer{Stamp: s, ID: o.ID, Version: version, Entry: b}
		}, s)
	}
	switch what := g.n("offer across", 0, 11); {
	case there && what <= 1:
		return command.HearCrossOffer{Stamp: s, ID: o.ID, Volunteer: met.Volunteer, Interest: met.Interest}
	case there && what <= 3:
		spoken := g.theirs(900, public.Renounce{Interest: met.Interest.Seq})
		if g.n("silent", 0, 2) == 0 {
			spoken = nil
		}
		return g.says(public.Lapse{Interest: met.Interest}, func(b []byte) command.Command {
			return command.LapseInterest{Stamp: s, ID: o.ID, Spoken: spoken, Entry: b}
		}, s)
	case there && what == 4:
		return g.says(public.Close{Interest: met.Interest, Outcome: public.Happened}, func(b []byte) command.Command {
			return command.CloseInterest{Stamp: s, Offer: o.ID, Entry: b}
		}, s)
	case what >= 10 || what == 5 && g.n("withdrawn", 0, 1) == 0:
		return command.EndCrossOffer{Stamp: s, ID: o.ID}
	case what == 5:
		return g.says(public.Withdraw{Offer: o.Name.Seq}, func(b []byte) command.Command { return command.EndCrossOffer{Stamp: s, ID: o.ID, Entry: b} }, s)
	}
	at := 200 + g.n("asks", 0, 9)
	asked := g.theirs(at, public.Interest{Offer: ref(o.Name), Slots: uint8(g.n("slots", 1, 3)), Week: uint8(g.n("week", 0, 4))})
	c := command.AnswerInterest{Stamp: s, ID: o.ID, Interest: asked, Volunteer: g.him()}
	for _, a := range o.Asked {
		if a.Consent == across.Agrees {
			c.Volunteer = a.Volunteer
		}
	}
	var m public.Message = public.Accept{Interest: named(at)}
	if g.n("no", 0, 3) == 0 {
		m, c.Volunteer = public.Decline{Interest: named(at), Why: public.Taken}, ident.Volunteer{}
	}
	return g.says(m, func(b []byte) command.Command { c.Entry = b; return c }, s)
}

// ref is a name that can be written down, also of what has none.
func ref(r public.Ref) public.Ref {
	if r == (public.Ref{}) {
		return public.Ref{From: ourSiren, Epoch: 1}
	}
	return r
}

// borrow is about what neighbours offer.
func (g outside) borrow(s command.Stamp) command.Command {
	state := across.InterestState(g.n("state", 1, 2))
	i, ok := oneOf(g.gen, "interest", g.asks, func(i across.Interest) bool { return i.State == state })
	if !ok || g.n("show", 0, 2) == 0 {
		at := 50 + g.n("offered", 0, 3)
		c := command.ShowInterest{Stamp: s, ID: wish(len(g.asks)), Request: req(g.req()), Offer: g.theirs(at, terms(mondayOf(max(g.s.clock, noon))))}
		if g.rare("shown twice") {
			c.ID = wish(0)
		}
		return g.says(public.Interest{Offer: named(at), Slots: 1, Week: uint8(g.n("week", 0, 4))}, func(b []byte) command.Command { c.Entry = b; return c }, s)
	}
	n := 0
	if !i.Request.Zero() {
		n = int(i.Request[15]) - 1
	}
	name := ref(i.Name)
	if i.State == across.Acked && g.n("came", 0, 2) > 0 {
		c := command.CloseInterest{Stamp: s, Interest: i.ID, Outcome: g.outcome(), Counts: cell(public.Done, n)}
		return g.says(public.Close{Interest: name, Outcome: public.Outcome(g.n("outcome", 1, 2))}, func(b []byte) command.Command { c.Entry = b; return c }, s)
	}
	switch g.n("interest command", 0, 5) {
	case 0:
		return g.says(public.Renounce{Interest: name.Seq}, func(b []byte) command.Command { return command.EndInterest{Stamp: s, ID: i.ID, Entry: b} }, s)
	case 1:
		no := rapid.SampledFrom([]public.Message{
			public.Decline{Interest: name, Why: public.Taken}, public.Lapse{Interest: name}, public.Withdraw{Offer: ref(i.Offer).Seq}, public.Close{Interest: name, Outcome: public.NoMatch}, public.Presence{},
		}).Draw(g.t, "no")
		return command.EndInterest{Stamp: s, ID: i.ID, Other: g.theirs(400, no)}
	}
	c := command.AckInterest{Stamp: s, ID: i.ID, Accept: g.theirs(300, public.Accept{Interest: name}), Counts: cell(public.Found, n)}
	return g.says(public.Ack{Interest: name.Seq}, func(b []byte) command.Command { c.Entry = b; return c }, s)
}

// bulletins are published here, or read of the coordinator's.
func (g outside) bulletins(s command.Stamp) command.Command {
	f := g.feed()
	write := func(from public.Siren, epoch uint16, seq uint64, m bulletin.Message) []byte {
		return must(bulletin.Encode(bulletin.Entry{From: from, Epoch: epoch, Seq: seq, Day: g.today(), Body: m}))
	}
	epoch := max(1, f.Epoch)
	digest, pieces, err := bulletin.Split(aPDF(20_000 + g.pieces/2))
	must(nil, err)
	switch g.n("bulletin", 0, 4) {
	case 0:
		c := command.AddPieces{Stamp: s}
		for i, p := range pieces {
			c.Entries = append(c.Entries, write(ourSiren, epoch, f.Size+uint64(i), p))
		}
		return c
	case 1, 2:
		b := bulletin.Bulletin{Number: g.told + 1, Title: "Canicule", Text: "Appelez."}
		if g.rare("with a PDF") {
			b.PDF, b.Size = digest, uint32(20_016+g.pieces/2)
		}
		if g.rare("another number") {
			b.Number++
		}
		return command.PublishBulletin{Stamp: s, Entry: write(ourSiren, epoch, f.Size, b)}
	}
	r := g.reading
	c := command.TakeBulletins{Stamp: s, Coordinator: theCoordinator, Epoch: max(1, r.Epoch), From: r.Next, To: r.Next + uint64(g.n("read", 0, 3))}
	if g.rare("read anew") {
		c.Epoch, c.From, c.To = c.Epoch+1, 0, 2
	}
	for seq := c.From; seq < c.To; seq++ {
		if g.n("other words", 0, 2) > 0 {
			c.Entries = append(c.Entries, write(theCoordinator, c.Epoch, seq, bulletin.Bulletin{Number: uint32(seq) + 1, Title: "Bonjour", Text: "À tous."}))
		}
	}
	if g.rare("a gap") {
		c.From, c.To, c.Entries = c.From+5, c.To+5, nil
	}
	return c
}

func communes() (out []public.Commune) {
	for _, code := range moved {
		c, err := public.ParseCommune(code)
		if err != nil {
			panic(err)
		}
		out = append(out, c)
	}
	return out
}

// dossiers change hands.
func (g outside) dossiers(s command.Stamp) command.Command {
	given := rapid.Bool().Draw(g.t, "given")
	h, ok := oneOf(g.gen, "handover", g.passed, func(h handover.Handover) bool { return h.Given() == given })
	what := g.n("dossiers", 0, 4)
	switch {
	case given && (!ok || what == 0):
		c := command.GiveDossiers{Stamp: s, Digest: digest(g.n("file", 0, 2)), Giver: ourSiren, Receiver: rurale, Roster: uint64(g.n("move", 1, 3)), Communes: moved, People: 3}
		for _, known := range g.passed {
			if known.Digest == c.Digest && !g.rare("part twice") {
				c.Part = known.Parts
			}
		}
		for range g.n("people", 0, 3) {
			id := g.her()
			c.Who = append(c.Who, handover.Passed{ID: id, Version: g.version(g.s.beneficiaries[id].Version)})
		}
		return c
	case given && (h.Receipt == 0 || what == 1):
		return command.HearReceipt{Stamp: s, Digest: h.Digest, Receiver: h.Receiver, Roster: h.Roster}
	case given:
		return command.EraseHandedOver{Stamp: s, Digest: h.Digest, Part: uint16(g.n("part", 0, max(1, int(h.Parts))-1))}
	case !ok || what == 0:
		n := imports + g.n("import", 0, 2) // no other command begins these
		return command.TakeDossiers{
			Stamp: s, Digest: digest(10 + n), Giver: rurale, Receiver: ourSiren, Roster: uint64(g.n("move", 1, 3)), Communes: moved, People: 1, ID: file(n), Leaf: g.leaf(), Box: []byte("sealed"),
		}
	case g.s.imports[h.Import].State == people.Staged && what > 1:
		return command.CloseImport{Stamp: s, ID: h.Import, Rows: g.s.imports[h.Import].Rows}
	}
	return g.says(public.Handover{Giver: rurale, Communes: communes(), Roster: h.Roster, Digest: h.Digest}, func(b []byte) command.Command {
		return command.SayHandover{Stamp: s, Entry: b}
	}, s)
}
