package api

import (
	"context"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// acrossRoutes are the operations of this file: help across the borders of
// territories.
type acrossRoutes struct{ *server }

// The closed sets of help across borders. The node gives states as plain numbers of
// the store.
var (
	crossOfferStates = named("preparing published withdrawn past dropped", uint8(1), 2, 3, 4, 5)
	metStates        = named("accepted declined lapsed closed", uint8(1), 2, 3, 4)
	interestStates   = named("shown acknowledged closed renounced refused", uint8(1), 2, 3, 4, 5)
	matchStates      = named("open declined accepted acknowledged closed renounced lapsed gone cancelled", uint8(1), 2, 3, 4, 5, 6, 7, 8, 9)
	consents         = named("agrees objects", uint8(1), 2)
	radii            = named("next-door near far by-phone", public.AtBorder, public.Near, public.Far, public.ByPhone)
	declines         = named("taken not-then not-for over settled-by-phone", public.Taken, public.NotThen, public.NotFor, public.WhyGone, public.WhyCalled)
	outcomes         = named("happened not-come-about partly", public.Happened, public.NoMatch, public.PartlyHad)
	languages        = named("french english arabic portuguese spanish italian turkish occitan breton basque corsican alsatian creole french-sign",
		public.French, public.English, public.Arabic, public.Portuguese, public.Spanish, public.Italian, public.Turkish,
		public.Occitan, public.Breton, public.Basque, public.Corsican, public.Alsatian, public.Creole, public.FrenchSign)
)

// Types of words of help across borders.
type (
	crossOfferWord string
	metWord        string
	interestWord   string
	matchWord      string
	consentWord    string
	radiusWord     string
	declineWord    string
	outcomeWord    string
	languageWord   string
)

func (crossOfferWord) Schema(huma.Registry) *huma.Schema { return crossOfferStates.schema() }
func (metWord) Schema(huma.Registry) *huma.Schema        { return metStates.schema() }
func (interestWord) Schema(huma.Registry) *huma.Schema   { return interestStates.schema() }
func (matchWord) Schema(huma.Registry) *huma.Schema      { return matchStates.schema() }
func (consentWord) Schema(huma.Registry) *huma.Schema    { return consents.schema() }
func (radiusWord) Schema(huma.Registry) *huma.Schema     { return radii.schema() }
func (declineWord) Schema(huma.Registry) *huma.Schema    { return declines.schema() }
func (outcomeWord) Schema(huma.Registry) *huma.Schema    { return outcomes.schema() }
func (languageWord) Schema(huma.Registry) *huma.Schema   { return languages.schema() }

// office is another territory's public contact.
type office struct {
	Siren     string `json:"siren"`
	Territory string `json:"territory,omitempty"`
	Name      string `json:"name,omitempty"`
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
}

func officeOut(o node.Office) office { return office(o) }

// capacity is what an offer to neighbours says: nobody is in it.
type capacity struct {
	Category  categoryWord   `json:"category"`
	Monday    string         `json:"monday" format:"date" doc:"Of its first week"`
	Weeks     int            `json:"weeks" minimum:"1" maximum:"13"`
	Slots     int            `json:"slots" minimum:"1" maximum:"50" doc:"Visits in all"`
	Radius    radiusWord     `json:"radius"`
	Languages []languageWord `json:"languages"`
}

func capacityOut(o public.Offer, first node.Day) capacity {
	out := capacity{categoryWord(categories.of(o.Category)), first.String(), int(o.Weeks), int(o.Slots), radiusWord(radii.of(o.Radius)), []languageWord{}}
	for i, bit := range languages.values {
		if o.Languages&bit != 0 {
			out.Languages = append(out.Languages, languageWord(languages.words[i]))
		}
	}
	return out
}

// neighbourOffer is what a neighbour offers.
type neighbourOffer struct {
	Name     string   `json:"name" doc:"Of its entry: SIREN, epoch, number" example:"200069599.1.12"`
	By       office   `json:"by"`
	Capacity capacity `json:"capacity"`
	Left     int      `json:"left" doc:"Visits that are free"`
	Last     string   `json:"last" format:"date"`
}

func neighbourOfferOut(o node.NeighbourOffer) neighbourOffer {
	return neighbourOffer{node.RefText(o.Name), officeOut(o.By), capacityOut(o.Offer, o.From), o.Left, o.Last.String()}
}

// consenting is a volunteer whom an offer names.
type consenting struct {
	Volunteer person      `json:"volunteer"`
	Consent   consentWord `json:"consent,omitempty" doc:"None: he has not answered"`
}

// wanting is a neighbour who asks, or has asked.
type wanting struct {
	Interest  string    `json:"interest" doc:"Name of its entry"`
	By        office    `json:"by"`
	Week      string    `json:"week" format:"date" doc:"Its Monday"`
	State     metWord   `json:"state,omitempty" doc:"None: it waits for an answer"`
	Match     matchWord `json:"match,omitempty" doc:"As both feeds say"`
	Volunteer *person   `json:"volunteer,omitempty" doc:"Who calls the office that asks"`
	Told      bool      `json:"told,omitempty" doc:"He knows whom to call"`
}

// crossOffer is an offer of ours.
type crossOffer struct {
	ID         string         `json:"id" format:"uuid"`
	Version    uint32         `json:"version"`
	State      crossOfferWord `json:"state"`
	Capacity   capacity       `json:"capacity"`
	Left       int            `json:"left"`
	Last       string         `json:"last" format:"date"`
	Ready      bool           `json:"ready" doc:"Everybody has said yes: it may be published"`
	Volunteers []consenting   `json:"volunteers"`
	Waiting    []wanting      `json:"waiting" doc:"For an answer"`
	Answered   []wanting      `json:"answered"`
}

func crossOfferOut(o node.CrossOffer) crossOffer {
	out := crossOffer{
		ID: o.ID.String(), Version: o.Version, State: crossOfferWord(crossOfferStates.of(uint8(o.State))), Capacity: capacityOut(o.Terms, o.First), Left: o.Left(),
		Last: o.Last.String(), Ready: o.Ready, Volunteers: []consenting{}, Waiting: []wanting{}, Answered: []wanting{},
	}
	for _, a := range o.Asks {
		out.Volunteers = append(out.Volunteers, consenting{hisShort(a.Him), consentWord(consents.of(uint8(a.Consent)))})
	}
	for _, w := range o.Waiting {
		out.Waiting = append(out.Waiting, wanting{Interest: node.RefText(w.Name), By: officeOut(w.By), Week: w.Week.String()})
	}
	for _, m := range o.Meets {
		w := wanting{Interest: node.RefText(m.Interest), By: officeOut(m.By), Week: m.Week.String(), State: metWord(metStates.of(uint8(m.Met.State))), Match: matchWord(matchStates.of(uint8(m.State))), Told: m.Heard != 0}
		if !m.Volunteer.Zero() {
			him := hisShort(m.Him)
			w.Volunteer = &him
		}
		out.Answered = append(out.Answered, w)
	}
	return out
}

// crossInterest is an interest of ours in a neighbour's offer.
type crossInterest struct {
	ID      string       `json:"id" format:"uuid"`
	State   interestWord `json:"state"`
	Match   matchWord    `json:"match,omitempty" doc:"As both feeds say"`
	Why     declineWord  `json:"why,omitempty" doc:"It was declined"`
	Offer   string       `json:"offer" doc:"Name of its entry"`
	By      office       `json:"by"`
	Week    string       `json:"week,omitempty" doc:"Its Monday"`
	Request string       `json:"request,omitempty" format:"uuid" doc:"Ours, that it is for; this never leaves"`
}

func crossInterestOut(i node.CrossInterest) crossInterest {
	out := crossInterest{
		ID: i.ID.String(), State: interestWord(interestStates.of(uint8(i.State))), Match: matchWord(matchStates.of(uint8(i.Now))), Why: declineWord(declines.of(i.Why)),
		Offer: node.RefText(i.Offer), By: officeOut(i.By), Request: i.Request.String(),
	}
	if i.Week != 0 {
		out.Week = i.Week.String()
	}
	return out
}

// crossing is everything about help across borders.
type crossing struct {
	Member  bool             `json:"member" doc:"Of a federation"`
	Hears   bool             `json:"hears" doc:"The replica that answers knows what neighbours say: the one that leads"`
	Ours    []crossOffer     `json:"ours"`
	Asked   []crossInterest  `json:"asked" doc:"Our interests in neighbours' offers"`
	Offered []neighbourOffer `json:"offered" doc:"By neighbours, now"`
}

func (s acrossRoutes) board(ctx context.Context, _ *struct{ Reading }) (*answer[crossing], error) {
	b, err := s.node.Across.Board(caller(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[crossing]{crossing{
		b.Member, b.Hears, page(b.Ours, "", crossOfferOut).Body.Items, page(b.Asked, "", crossInterestOut).Body.Items, page(b.Offered, "", neighbourOfferOut).Body.Items,
	}}, nil
}

// fitting is what neighbours could do for one request.
type fitting struct {
	Hears  bool             `json:"hears"`
	Mine   *crossInterest   `json:"interest,omitempty" doc:"That was shown for it and is alive"`
	Offers []neighbourOffer `json:"offers"`
}

func (s acrossRoutes) fitting(ctx context.Context, in *readInput) (*answer[fitting], error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	f, err := s.node.Across.For(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	out := fitting{Hears: f.Hears, Offers: page(f.Offers, "", neighbourOfferOut).Body.Items}
	if f.Mine != nil {
		mine := crossInterestOut(*f.Mine)
		out.Mine = &mine
	}
	return &answer[fitting]{out}, nil
}

type prepareCrossInput struct {
	Writing
	Body struct {
		Category   categoryWord   `json:"category"`
		Monday     string         `json:"monday" format:"date" doc:"Of its first week"`
		Weeks      int            `json:"weeks" minimum:"1" maximum:"13"`
		Slots      int            `json:"slots" minimum:"1" maximum:"50" doc:"Visits in all"`
		Radius     radiusWord     `json:"radius"`
		Languages  []languageWord `json:"languages" required:"false"`
		Volunteers []string       `json:"volunteers" format:"uuid" doc:"From whose availability it is made; each is asked first. None: the desk will find one"`
	}
}

func (s acrossRoutes) prepare(ctx context.Context, in *prepareCrossInput) (*written, error) {
	b := in.Body
	o := node.NewCrossOffer{Category: categories.value(string(b.Category)), Weeks: b.Weeks, Slots: b.Slots, Radius: radii.value(string(b.Radius))}
	for _, word := range b.Languages {
		o.Languages |= languages.value(string(word))
	}
	var err error
	if o.Monday, err = dayIn("monday", b.Monday); err != nil {
		return nil, err
	}
	if o.Volunteers, err = idsIn[node.VolunteerID]("volunteers", b.Volunteers); err != nil {
		return nil, err
	}
	return write(s.node.Across.Prepare(ctx, caller(ctx), o))
}

type consentInput struct {
	Writing
	Named
	Body struct {
		Volunteer string `json:"volunteer,omitempty" format:"uuid" doc:"For whom the desk answers; a volunteer leaves it out"`
		Agrees    bool   `json:"agrees"`
	}
}

func (s acrossRoutes) consent(ctx context.Context, in *consentInput) (*written, error) {
	id, err := idOf[node.CrossOfferID](in.Named)
	if err != nil {
		return nil, err
	}
	who, err := answerForm{in.Body.Volunteer}.who(caller(ctx))
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Consent(ctx, caller(ctx), id, who, in.Body.Agrees))
}

type publishCrossInput struct {
	Acting
	Named
}

func (s acrossRoutes) publish(ctx context.Context, in *publishCrossInput) (*written, error) {
	id, err := idOf[node.CrossOfferID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := versionOr(in.IfMatch, func() (uint32, error) { return s.node.Across.Version(caller(ctx), id) })
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Publish(ctx, caller(ctx), id, v))
}

func (s acrossRoutes) end(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.CrossOfferID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.End(ctx, caller(ctx), id))
}

type meetInput struct {
	Writing
	Named
	Body struct {
		Interest  string      `json:"interest" doc:"Name of the neighbour's entry" example:"200069599.1.12"`
		Volunteer string      `json:"volunteer,omitempty" format:"uuid" doc:"Who will call, or has been told"`
		Why       declineWord `json:"why,omitempty" doc:"To decline"`
		Outcome   outcomeWord `json:"outcome,omitempty" doc:"To close"`
	}
}

// meet reads what is about one neighbour's interest in one of our offers.
func (in *meetInput) meet() (id node.CrossOfferID, interest node.Ref, who node.VolunteerID, err error) {
	if id, err = idOf[node.CrossOfferID](in.Named); err != nil {
		return id, interest, who, err
	}
	if interest, err = node.ParseRef(in.Body.Interest); err != nil {
		return id, interest, who, err
	}
	who, err = idIn[node.VolunteerID]("volunteer", in.Body.Volunteer)
	return id, interest, who, err
}

func (s acrossRoutes) accept(ctx context.Context, in *meetInput) (*written, error) {
	id, interest, who, err := in.meet()
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Accept(ctx, caller(ctx), id, interest, who))
}

func (s acrossRoutes) decline(ctx context.Context, in *meetInput) (*written, error) {
	id, interest, _, err := in.meet()
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Decline(ctx, caller(ctx), id, interest, declines.value(string(in.Body.Why))))
}

func (s acrossRoutes) told(ctx context.Context, in *meetInput) (*written, error) {
	id, interest, _, err := in.meet()
	if err != nil {
		return nil, err
	}
	who, err := answerForm{in.Body.Volunteer}.who(caller(ctx))
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Told(ctx, caller(ctx), id, interest, who))
}

func (s acrossRoutes) closeOurs(ctx context.Context, in *meetInput) (*written, error) {
	id, interest, _, err := in.meet()
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.CloseOurs(ctx, caller(ctx), id, interest, outcomes.value(string(in.Body.Outcome))))
}

type askNeighbourInput struct {
	Writing
	Body struct {
		Request string `json:"request" format:"uuid" doc:"For whom it is stays here"`
		Offer   string `json:"offer" doc:"Name of the neighbour's entry" example:"200069599.1.12"`
	}
}

func (s acrossRoutes) ask(ctx context.Context, in *askNeighbourInput) (*written, error) {
	id, err := idIn[node.RequestID]("request", in.Body.Request)
	if err != nil {
		return nil, err
	}
	offer, err := node.ParseRef(in.Body.Offer)
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Ask(ctx, caller(ctx), id, offer))
}

func (s acrossRoutes) ack(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.InterestID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Ack(ctx, caller(ctx), id))
}

func (s acrossRoutes) renounce(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.InterestID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Renounce(ctx, caller(ctx), id))
}

type closeInterestInput struct {
	Writing
	Named
	Body struct {
		Outcome outcomeWord `json:"outcome"`
	}
}

func (s acrossRoutes) close(ctx context.Context, in *closeInterestInput) (*written, error) {
	id, err := idOf[node.InterestID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Across.Close(ctx, caller(ctx), id, outcomes.value(string(in.Body.Outcome))))
}

// myCrossing is an offer to neighbours in which a volunteer stands.
type myCrossing struct {
	ID       string      `json:"id" format:"uuid"`
	Capacity capacity    `json:"capacity"`
	Last     string      `json:"last" format:"date"`
	Consent  consentWord `json:"consent,omitempty"`
	Asked    bool        `json:"asked" doc:"His answer is awaited"`
	Calls    []wanting   `json:"calls" doc:"Offices that he is asked to call"`
}

func (s acrossRoutes) mine(ctx context.Context, _ *struct{ Reading }) (*listed[myCrossing], error) {
	all, err := s.node.Across.Mine(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(all, "", func(m node.MyCrossing) myCrossing {
		out := myCrossing{m.ID.String(), capacityOut(m.Terms, m.First), m.Last.String(), consentWord(consents.of(uint8(m.Consent))), m.Question, []wanting{}}
		for _, c := range m.Calls {
			out.Calls = append(out.Calls, wanting{Interest: node.RefText(c.Interest), By: officeOut(c.Office), Week: c.Week.String(), Told: c.Heard})
		}
		return out
	}), nil
}
