package node

import (
	"context"
	"slices"
	"strings"

	"github.com/bippop/bippop/federation/market"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Across is help across the borders of territories. What leaves is capacity: a
// kind, weeks, a radius, slots, languages. Which volunteer, and for whom, stays
// here; on a match only the requesting office's public contact counts, which
// stands in the federation's roster.
type Across struct {
	*core
	hearsay *hearsay
	offices offices
}

// offices knows the public contacts of other territories' offices.
type offices interface {
	Office(public.Siren) (Office, bool)
}

// Office is another territory as its neighbours see it. Everything is public.
type Office struct {
	Siren     string
	Territory string
	Name      string // of the office: "CCAS de …"
	Phone     string // E.164
	Email     string // a functional mailbox
}

// listedOffices are those that the roster names.
type listedOffices struct{ *rosters }

func (l listedOffices) Office(siren public.Siren) (Office, bool) {
	s := l.State()
	if s == nil {
		return Office{}, false
	}
	m, ok := s.Member(siren)
	return Office{Siren: siren.String(), Territory: m.Name, Name: m.Contact.Name, Phone: m.Contact.Phone, Email: m.Contact.Email}, ok
}

// office of a territory; one that is not on the roster has its number only.
func (s *Across) office(siren public.Siren) Office {
	o, _ := s.offices.Office(siren)
	if o.Siren == "" {
		o.Siren = siren.String()
	}
	return o
}

// NewCrossOffer is what an agent offers to neighbouring territories.
type NewCrossOffer struct {
	Category   public.Category
	Monday     Day // of its first week
	Weeks      int // 1 to 13
	Slots      int // visits in all, 1 to 50
	Radius     public.Radius
	Languages  public.Languages
	Volunteers []VolunteerID // from whose availability it is made; each is asked first. None: the desk will find one
}

// fewest is how many approved volunteers of a territory must do a kind of action and
// speak all the languages that are named, each of them, before an offer may say so: an
// offer is public for ever, and where one person alone drives, or speaks both Turkish
// and Arabic, the offer would be about that person. Three is the rule of French
// statistics on bodies; the k of 11 for people's figures would leave no small territory
// an offer to make, and an offer says what could be done, not that somebody did it.
const fewest = 3

// firstDay of feeds' calendar, 1 January 2020, as days are counted here.
const firstDay Day = 18262

// feedDay and dayOfFeed turn a day of this territory into one of the feeds and back.
func feedDay(d Day) public.Day   { return public.Day(max(0, d-firstDay)) }
func dayOfFeed(d public.Day) Day { return Day(d) + firstDay }

// Prepare writes an offer down and asks the volunteers that it names. Nothing
// leaves before all of them have said yes and somebody presses publish.
func (s *Across) Prepare(ctx context.Context, by Caller, in NewCrossOffer) (Receipt, error) {
	if err := by.may(OfferAcross); err != nil {
		return Receipt{}, err
	}
	today := s.today()
	switch {
	case in.Category == public.NoCategory || in.Category > public.Other:
		return Receipt{}, invalid("category", "missing", "say what kind of help")
	case in.Monday.Date().Weekday() != 1:
		return Receipt{}, invalid("monday", "not-monday", "an offer begins on a Monday")
	case in.Monday < today-6 || in.Monday > today+farthestOffer:
		return Receipt{}, invalid("monday", "day-out-of-range", "the week is over, or more than two months ahead")
	case in.Weeks < 1 || in.Weeks > public.MaxWeeks:
		return Receipt{}, invalid("weeks", "out-of-range", "an offer lasts 1 to 13 weeks")
	case in.Slots < 1 || in.Slots > public.MaxSlots:
		return Receipt{}, invalid("slots", "out-of-range", "say how many visits in all: 1 to 50")
	case in.Radius < public.AtBorder || in.Radius > public.ByPhone:
		return Receipt{}, invalid("radius", "missing", "say how far")
	case len(in.Volunteers) > across.MostAsked:
		return Receipt{}, invalid("volunteers", "too-many", "at most twenty volunteers in one offer")
	}
	terms := public.Offer{
		Category: in.Category, From: feedDay(in.Monday), Weeks: uint8(in.Weeks), Slots: uint8(in.Slots), Radius: in.Radius, Languages: in.Languages,
	}
	if err := s.singlesOut(terms); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.PrepareCrossOffer{Stamp: s.stamp(by, ""), ID: newID[CrossOfferID](), Terms: terms, Volunteers: in.Volunteers})
}

// singlesOut refuses terms that would point at somebody: languages count together, for
// a set that three speak language by language may be that of one.
func (s *Across) singlesOut(terms public.Offer) error {
	kind, spoken, named := 0, 0, terms.Languages&^public.French
	err := s.view(itself, func(tx *store.Tx) error {
		var kinds []TypeID
		err := store.ActionTypes.Each(tx, nil, func(t catalogue.ActionType) bool {
			if t.Category == terms.Category && !t.Retired {
				kinds = append(kinds, t.ID)
			}
			return true
		})
		if err != nil {
			return err
		}
		ids, err := ids(tx, view.InStatus(people.Approved), 100_000)
		if err != nil {
			return err
		}
		for _, id := range ids {
			v, _, err := store.Volunteers.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(kinds, v.Offer.Does) {
				continue
			}
			kind++
			if named == 0 {
				continue
			}
			him, err := s.opening(itself).volunteer(v)
			if err != nil {
				return err
			}
			if languagesIn(him.Words.Languages.Reveal())&named == named {
				spoken++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if kind < fewest {
		return &Error{Kind: Conflict, Code: "cross-offer-singles-out", Field: "category", Reason: "fewer than three approved volunteers do this kind of action: such an offer would point at one of them, and what is published stays"}
	}
	if named != 0 && spoken < fewest {
		return &Error{Kind: Conflict, Code: "cross-offer-language", Field: "languages", Reason: "fewer than three of these volunteers have said that they speak all these languages: naming them would point at one of them; leave one out and say it on the phone"}
	}
	return nil
}

// languagesIn are those of the list that somebody's note names.
func languagesIn(note string) (out public.Languages) {
	note = strings.ToLower(note)
	for bit, word := range languageWords {
		if strings.Contains(note, word) {
			out |= bit
		}
	}
	return out
}

// languageWords are how French speakers note the languages that an offer may name.
// French needs no note.
var languageWords = map[public.Languages]string{
	public.English: "anglais", public.Arabic: "arabe", public.Portuguese: "portugais", public.Spanish: "espagnol", public.Italian: "italien",
	public.Turkish: "turc", public.Occitan: "occitan", public.Breton: "breton", public.Basque: "basque", public.Corsican: "corse",
	public.Alsatian: "alsacien", public.Creole: "créole", public.FrenchSign: "signes",
}

// Consent notes what a volunteer says to an offer that names him: he himself on his
// page, or an agent after a call.
func (s *Across) Consent(ctx context.Context, by Caller, id CrossOfferID, v VolunteerID, yes bool) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, OfferAcross); err != nil {
		return Receipt{}, err
	}
	said := across.Objects
	if yes {
		said = across.Agrees
	}
	return s.propose(ctx, command.HearCrossOffer{Stamp: s.stamp(by, ""), ID: id, Volunteer: v, Consent: said})
}

// Told notes that the volunteer knows whom to call.
func (s *Across) Told(ctx context.Context, by Caller, id CrossOfferID, interest Ref, v VolunteerID) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, OfferAcross); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.HearCrossOffer{Stamp: s.stamp(by, ""), ID: id, Volunteer: v, Interest: interest})
}

// Publish lets the offer leave. That it points at nobody is looked at again: people
// may have left meanwhile.
func (s *Across) Publish(ctx context.Context, by Caller, id CrossOfferID, version uint32) (Receipt, error) {
	if err := by.may(OfferAcross); err != nil {
		return Receipt{}, err
	}
	o, err := s.crossOffer(id)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.singlesOut(o.Terms); err != nil {
		return Receipt{}, err
	}
	stamp := s.stamp(by, "")
	return s.proposeEntry(ctx, o.Terms, func(entry []byte) command.Command {
		return command.PublishCrossOffer{Stamp: stamp, ID: id, Version: version, Entry: entry}
	})
}

// Version of an offer of ours as it stands.
func (s *Across) Version(by Caller, id CrossOfferID) (uint32, error) {
	if err := by.may(OfferAcross); err != nil {
		return 0, err
	}
	o, err := s.crossOffer(id)
	return o.Version, err
}

// End withdraws an offer, or drops one that has not left. Whoever counts on it is
// told so on both sides.
func (s *Across) End(ctx context.Context, by Caller, id CrossOfferID) (Receipt, error) {
	if err := by.may(OfferAcross); err != nil {
		return Receipt{}, err
	}
	o, err := s.crossOffer(id)
	if err != nil {
		return Receipt{}, err
	}
	return s.end(ctx, s.stamp(by, ""), o)
}

func (s *Across) end(ctx context.Context, stamp command.Stamp, o across.Offer) (Receipt, error) {
	if o.State != across.Published {
		return s.propose(ctx, command.EndCrossOffer{Stamp: stamp, ID: o.ID})
	}
	return s.proposeEntry(ctx, public.Withdraw{Offer: o.Name.Seq}, func(entry []byte) command.Command {
		return command.EndCrossOffer{Stamp: stamp, ID: o.ID, Entry: entry}
	})
}

// Accept meets a neighbour's interest: v will call the office that asks.
func (s *Across) Accept(ctx context.Context, by Caller, id CrossOfferID, interest Ref, v VolunteerID) (Receipt, error) {
	return s.answer(ctx, by, id, interest, v, public.Accept{Interest: interest})
}

// Decline does not meet a neighbour's interest.
func (s *Across) Decline(ctx context.Context, by Caller, id CrossOfferID, interest Ref, why public.Why) (Receipt, error) {
	return s.answer(ctx, by, id, interest, VolunteerID{}, public.Decline{Interest: interest, Why: why})
}

func (s *Across) answer(ctx context.Context, by Caller, id CrossOfferID, interest Ref, v VolunteerID, say public.Message) (Receipt, error) {
	if err := by.may(OfferAcross); err != nil {
		return Receipt{}, err
	}
	m, err := s.market()
	if err != nil {
		return Receipt{}, err
	}
	asked := m.Entry(interest)
	if x, ok := m.Match(interest); !ok || asked == nil || x.State == market.Renounced {
		return Receipt{}, &Error{Kind: Conflict, Code: "interest-over", Reason: "the neighbour does not ask for this any more"}
	}
	stamp := s.stamp(by, "")
	return s.proposeEntry(ctx, say, func(entry []byte) command.Command {
		return command.AnswerInterest{Stamp: stamp, ID: id, Interest: asked, Volunteer: v, Entry: entry}
	})
}

// CloseOurs notes, on the offering side, that a match is over.
func (s *Across) CloseOurs(ctx context.Context, by Caller, id CrossOfferID, interest Ref, outcome public.Outcome) (Receipt, error) {
	if err := by.may(OfferAcross); err != nil {
		return Receipt{}, err
	}
	stamp := s.stamp(by, "")
	return s.proposeEntry(ctx, public.Close{Interest: interest, Outcome: outcome}, func(entry []byte) command.Command {
		return command.CloseInterest{Stamp: stamp, Offer: id, Entry: entry}
	})
}

// Ask shows an interest in a neighbour's offer, for a request of ours: one visit, in
// the week that fits it. For whom stays here.
func (s *Across) Ask(ctx context.Context, by Caller, id RequestID, offer Ref) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	m, err := s.market()
	if err != nil {
		return Receipt{}, err
	}
	t, err := s.actionType(r.Type)
	if err != nil {
		return Receipt{}, err
	}
	o, ok := m.Offer(offer)
	week, fits := s.week(o.Offer, r.Wish)
	if !ok || !fits || o.Category != t.Category || o.Left() < 1 || o.Withdrawn {
		return Receipt{}, refused(refuse.CrossOfferOver, RequestID{})
	}
	entry, stamp := m.Entry(offer), s.stamp(by, r.Commune)
	interest := newID[InterestID]()
	return s.proposeEntry(ctx, public.Interest{Offer: offer, Slots: 1, Week: week}, func(out []byte) command.Command {
		return command.ShowInterest{Stamp: stamp, ID: interest, Request: id, Offer: entry, Entry: out}
	})
}

// week is the week of an offer that answers a wish, the first one that is left.
func (s *Across) week(o public.Offer, w Wish) (week uint8, ok bool) {
	first, today := dayOfFeed(o.From), s.today()
	for week := range o.Weeks {
		monday := first + 7*Day(week)
		fits := w.Kind == request.Flexible || w.Kind == request.OnDay && w.Day >= monday && w.Day < monday+7 || w.Kind == request.InWeek && w.Day == monday
		if fits && monday+6 >= today {
			return week, true
		}
	}
	return 0, false
}

// Renounce takes an interest back.
func (s *Across) Renounce(ctx context.Context, by Caller, id InterestID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	i, err := s.interest(id)
	if err != nil {
		return Receipt{}, err
	}
	return s.renounce(ctx, s.stamp(by, ""), i)
}

func (s *Across) renounce(ctx context.Context, stamp command.Stamp, i across.Interest) (Receipt, error) {
	return s.proposeEntry(ctx, public.Renounce{Interest: i.Name.Seq}, func(entry []byte) command.Command {
		return command.EndInterest{Stamp: stamp, ID: i.ID, Entry: entry}
	})
}

// Ack takes up what a neighbour has accepted. She comes on the call-back list.
func (s *Across) Ack(ctx context.Context, by Caller, id InterestID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	i, err := s.interest(id)
	if err != nil {
		return Receipt{}, err
	}
	m, err := s.market()
	if err != nil {
		return Receipt{}, err
	}
	x, ok := m.Match(i.Name)
	if !ok || x.State != market.Accepted {
		return Receipt{}, refused(refuse.NotMet, RequestID{})
	}
	r, err := s.request(by, i.Request)
	if err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
	if err != nil {
		return Receipt{}, err
	}
	accept, stamp := m.Entry(x.Answer), s.stamp(by, r.Commune)
	counts := s.counts(b, t, 1, append(foundIn(r.Opened, stamp.At), public.Found)...)
	return s.proposeEntry(ctx, public.Ack{Interest: i.Name.Seq}, func(entry []byte) command.Command {
		return command.AckInterest{Stamp: stamp, ID: id, Accept: accept, Entry: entry, Counts: counts}
	})
}

// Close notes what came of a match that we have asked for. When it happened the
// request is done; when it did not, it looks for somebody again and she is called.
func (s *Across) Close(ctx context.Context, by Caller, id InterestID, outcome public.Outcome) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	i, err := s.interest(id)
	if err != nil {
		return Receipt{}, err
	}
	stamp := s.stamp(by, "")
	c := command.CloseInterest{Stamp: stamp, Interest: id}
	if r, err := s.request(by, i.Request); err == nil && outcome != public.NoMatch && r.State != request.Forgotten {
		b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
		if err != nil {
			return Receipt{}, err
		}
		c.Commune = r.Commune
		c.Outcome = request.Outcome{Minutes: r.Plan.Minutes}
		c.Counts = s.counts(b, t, 1, public.Done) // the hours are the other territory's
	}
	return s.proposeEntry(ctx, public.Close{Interest: i.Name, Outcome: outcome}, func(entry []byte) command.Command {
		c.Entry = entry
		return c
	})
}

func (s *Across) crossOffer(id CrossOfferID) (o across.Offer, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		var ok bool
		o, ok, err = store.CrossOffers.Get(tx, id[:])
		if err == nil && !ok {
			err = refused(refuse.NoCrossOffer, RequestID{})
		}
		return err
	})
	return o, err
}

func (s *Across) interest(id InterestID) (i across.Interest, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		var ok bool
		i, ok, err = store.Interests.Get(tx, id[:])
		if err == nil && !ok {
			err = refused(refuse.NoInterest, RequestID{})
		}
		return err
	})
	return i, err
}
