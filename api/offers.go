package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// offerRoutes are the operations of this file.
type offerRoutes struct{ *server }

// trip is what a volunteer proposes.
type trip struct {
	Types       []kindOf `json:"types"`
	Destination string   `json:"destination,omitempty" doc:"INSEE code, inside the territory or not"`
	Day         string   `json:"day" format:"date"`
	Half        halfWord `json:"half,omitempty" doc:"None: either"`
	Hour        string   `json:"hour,omitempty" example:"14:30" doc:"On the territory's clocks, if he has said one"`
	Places      int      `json:"places" doc:"People whom he can help"`
	Left        int      `json:"left" doc:"Places that are free"`
	Line        string   `json:"line,omitempty" doc:"His words"`
}

func tripOut(o node.Offer) trip {
	out := trip{
		Types: []kindOf{}, Destination: o.Trip.Destination, Day: o.Trip.Day.String(), Half: halfWord(halves.of(o.Trip.Half)),
		Hour: hourOut(int(o.Trip.Minute)), Places: int(o.Trip.Places), Left: o.Left(), Line: o.Line.Reveal(),
	}
	for _, t := range o.Kinds {
		out.Types = append(out.Types, kindOut(t))
	}
	return out
}

// offer is a proposal as the desk sees it.
type offer struct {
	ID        string    `json:"id" format:"uuid"`
	Version   uint32    `json:"version"`
	State     offerWord `json:"state"`
	Volunteer person    `json:"volunteer"`
	Trip      trip      `json:"trip"`
	Made      time.Time `json:"made"`
	Profits   []visit   `json:"profits" doc:"Who has a place"`
	ToCall    []callee  `json:"to_call" doc:"Whom to call, best first, about five"`
}

// callee is somebody whom it may suit: facts, no grade.
type callee struct {
	Beneficiary person    `json:"beneficiary"`
	Type        kindOf    `json:"type"`
	Request     string    `json:"request,omitempty" format:"uuid" doc:"Hers, open, which the offer answers"`
	When        *wish     `json:"when,omitempty" doc:"Of that request"`
	Metres      int       `json:"metres" doc:"From where he starts or goes, whichever is nearer"`
	Visits      int       `json:"visits" doc:"Of his to her so far"`
	Preferred   bool      `json:"preferred,omitempty" doc:"By her"`
	DaysSince   int       `json:"days_since,omitempty" doc:"Her last of that kind, on the day of the offer"`
	EveryDays   int       `json:"every_days,omitempty" doc:"Her usual rhythm of that kind"`
	Pair        bool      `json:"pair,omitempty" doc:"The rule of two holds: one alone needs an exception"`
	TriedAt     time.Time `json:"tried_at,omitzero" doc:"Called for nothing since the offer was made"`
}

func calleeOut(c node.Callee) callee {
	out := callee{
		Beneficiary: herShort(c.Her), Type: kindOut(c.Kind), Request: c.Request.String(), Metres: c.Metres, Visits: c.Visits,
		Preferred: c.Preferred, DaysSince: max(0, c.Since), EveryDays: c.Every, Pair: c.Two, TriedAt: at(c.Try),
	}
	if !c.Request.Zero() {
		w := wishOut(c.Wish)
		out.When = &w
	}
	return out
}

func offerOut(o node.Calling) offer {
	return offer{
		ID: o.ID.String(), Version: o.Version, State: offerWord(offerStates.of(o.State)), Volunteer: hisShort(o.Him), Trip: tripOut(o.Offer),
		Made: at(o.Made), Profits: page(o.Profits, "", visitOut).Body.Items, ToCall: page(o.Callees, "", calleeOut).Body.Items,
	}
}

type offersInput struct {
	Reading
	State string `query:"state" enum:"open,full" default:"open" doc:"Of today and later, the next day first"`
}

func (s offerRoutes) offers(ctx context.Context, in *offersInput) (*listed[offer], error) {
	read := s.node.Offers.Open
	if in.State == "full" {
		read = s.node.Offers.Full
	}
	found, err := read(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(found, "", offerOut), nil
}

func (s offerRoutes) offer(ctx context.Context, in *readInput) (*one[offer], error) {
	id, err := idOf[node.OfferID](in.Named)
	if err != nil {
		return nil, err
	}
	o, err := s.node.Offers.Get(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return single(o.Version, offerOut(o)), nil
}

func (s offerRoutes) volunteerOffers(ctx context.Context, in *readInput) (*listed[offer], error) {
	v, err := s.him(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Offers.OfVolunteer(caller(ctx), v.ID, 50)
	if err != nil {
		return nil, err
	}
	return page(found, "", offerOut), nil
}

type makeOfferInput struct {
	Writing
	Body struct {
		Volunteer   string   `json:"volunteer,omitempty" format:"uuid" doc:"Whom the desk writes for; a volunteer leaves it out"`
		Types       []string `json:"types" format:"uuid" doc:"1 to 3 action types"`
		Destination string   `json:"destination,omitempty" doc:"INSEE code, inside the territory or not"`
		Day         string   `json:"day" format:"date"`
		Half        halfWord `json:"half,omitempty" doc:"None: either"`
		Hour        string   `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"14:30"`
		Places      int      `json:"places" minimum:"1" maximum:"8" doc:"People whom he can help"`
		Line        string   `json:"line,omitempty" doc:"His words: what fits into the boot"`
	}
}

func (s offerRoutes) makeOffer(ctx context.Context, in *makeOfferInput) (*written, error) {
	who, err := answerForm{in.Body.Volunteer}.who(caller(ctx))
	if err != nil {
		return nil, err
	}
	o := node.NewOffer{
		Volunteer: who, Destination: in.Body.Destination, Half: halves.value(string(in.Body.Half)),
		Places: uint8(in.Body.Places), Line: crypto.NewSecret(in.Body.Line),
	}
	if o.Types, err = idsIn[node.TypeID]("types", in.Body.Types); err != nil {
		return nil, err
	}
	if o.Day, err = dayIn("day", in.Body.Day); err != nil {
		return nil, err
	}
	minute, err := hourIn("hour", in.Body.Hour)
	if err != nil {
		return nil, err
	}
	o.Minute = uint16(minute)
	return write(s.node.Offers.Make(ctx, caller(ctx), o))
}

type takeOfferInput struct {
	Writing
	Named
	Body struct {
		Beneficiary string `json:"beneficiary" format:"uuid"`
		Type        string `json:"type,omitempty" format:"uuid" doc:"Needed when he offers several"`
		Hour        string `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"14:30" doc:"If one was agreed; none: his, or the usual one"`
		Note        string `json:"note,omitempty" doc:"Of the request that is made; her open one keeps its own"`
		Exception   string `json:"exception,omitempty" doc:"Why he goes alone where the rule says two"`
	}
}

// take answers with the request: hers that was open, or the one that was made.
func (s offerRoutes) take(ctx context.Context, in *takeOfferInput) (*written, error) {
	id, err := idOf[node.OfferID](in.Named)
	if err != nil {
		return nil, err
	}
	t := node.Taking{Offer: id, Note: crypto.NewSecret(in.Body.Note), Exception: crypto.NewSecret(in.Body.Exception)}
	if t.Beneficiary, err = idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary); err != nil {
		return nil, err
	}
	if t.Type, err = idIn[node.TypeID]("type", in.Body.Type); err != nil {
		return nil, err
	}
	if t.Minute, err = hourIn("hour", in.Body.Hour); err != nil {
		return nil, err
	}
	return write(s.node.Offers.Take(ctx, caller(ctx), t))
}

type declineOfferInput struct {
	Writing
	Named
	Body struct {
		Beneficiary string `json:"beneficiary" format:"uuid"`
	}
}

func (s offerRoutes) decline(ctx context.Context, in *declineOfferInput) (*written, error) {
	id, err := idOf[node.OfferID](in.Named)
	if err != nil {
		return nil, err
	}
	her, err := idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary)
	if err != nil {
		return nil, err
	}
	return write(s.node.Offers.Decline(ctx, caller(ctx), id, her))
}

func (s offerRoutes) withdrawOffer(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.OfferID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Offers.Withdraw(ctx, caller(ctx), id))
}

// myOffer is a volunteer's own proposal: who profits, where to go.
type myOffer struct {
	ID       string    `json:"id" format:"uuid"`
	Version  uint32    `json:"version"`
	State    offerWord `json:"state"`
	Trip     trip      `json:"trip"`
	Promised []promise `json:"promised"`
}

func (s offerRoutes) myOffers(ctx context.Context, _ *struct{ Reading }) (*listed[myOffer], error) {
	mine, err := s.node.Offers.Mine(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(mine, "", func(o node.MyOffer) myOffer {
		return myOffer{o.ID.String(), o.Version, offerWord(offerStates.of(o.State)), tripOut(o.Offer), page(o.Promised, "", promiseOut).Body.Items}
	}), nil
}
