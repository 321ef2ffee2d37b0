package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// offers are the pages about what volunteers propose: the desk's, and their own.
type offers struct{ *Site }

// offerForm is what was typed, so that nothing is lost to an error.
type offerForm struct {
	Types  []string
	When   string // "2026-11-26" or "other"
	Day    string
	Half   string
	Hour   string
	Places string
	Where  string
	Line   string
}

// offerFields is what the form needs besides.
type offerFields struct {
	Form   offerForm
	Kinds  []node.ActionType
	Days   []dayChoice
	Places []int
}

func (s offers) fields(c *gin.Context, form offerForm, him node.Volunteer) (f offerFields, err error) {
	f = offerFields{Form: form, Days: offerDays(s.words(c)), Places: []int{1, 2, 3, 4, 6, 8}}
	all, err := s.offered()
	for _, t := range all {
		if him.Offer.Does(t.ID) && (!t.Car || him.Offer.Car) {
			f.Kinds = append(f.Kinds, t)
		}
	}
	return f, err
}

// offerDays are the days of the coming week, one press away.
func offerDays(w *tongue) (out []dayChoice) {
	today := w.today()
	for d := today; d < today+7; d++ {
		label := w.entry("weekday", int(d.Date().Weekday()))
		if d <= today+1 {
			label = w.dayText(d)
		}
		out = append(out, dayChoice{d.String(), upper(label)})
	}
	return out
}

func readOfferForm(c *gin.Context) offerForm {
	return offerForm{
		Types: c.PostFormArray("type"), When: c.PostForm("when"), Day: c.PostForm("day"), Half: c.PostForm("half"), Hour: c.PostForm("hour"),
		Places: c.PostForm("places"), Where: c.PostForm("where"), Line: c.PostForm("line"),
	}
}

// in reads the form for a volunteer. Its errors name the field.
func (f offerForm) in(him node.Volunteer) (o node.NewOffer, err error) {
	o = node.NewOffer{Volunteer: him.ID, Line: crypto.NewSecret(f.Line)}
	for _, text := range f.Types {
		id, err := node.ParseID[node.TypeID](text)
		if err != nil {
			return o, &node.Error{Kind: node.Invalid, Code: "missing", Field: "types"}
		}
		o.Types = append(o.Types, id)
	}
	day := f.When
	if day == "other" {
		day = f.Day
	}
	var ok bool
	if o.Day, ok = node.ParseDay(day); !ok {
		return o, &node.Error{Kind: node.Invalid, Code: "missing", Field: "day"}
	}
	switch f.Half {
	case "1":
		o.Half = node.Morning
	case "2":
		o.Half = node.Afternoon
	}
	if f.Hour != "" {
		minute, ok := parseHour(f.Hour)
		if !ok {
			return o, &node.Error{Kind: node.Invalid, Code: "hour-unreadable", Field: "hour"}
		}
		o.Minute = uint16(minute)
	}
	if places, err := strconv.ParseUint(f.Places, 10, 8); err == nil {
		o.Places = uint8(places)
	}
	if where := strings.TrimSpace(f.Where); where != "" {
		place, ok := node.NearestCommune(where, him.Offer.Commune)
		if !ok {
			return o, &node.Error{Kind: node.Invalid, Code: "commune-unknown", Field: "destination"}
		}
		o.Destination = string(place.Code)
	}
	return o, nil
}

// list shows what is open, with whom to call.
func (s offers) list(c *gin.Context) {
	var d struct{ Open, Full []node.Calling }
	var err error
	if d.Open, err = s.node.Offers.Open(caller(c)); err == nil {
		d.Full, err = s.node.Offers.Full(caller(c))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "offers", page{Title: s.words(c).t("offers.title"), Here: "requests", Narrow: true, Data: d})
}

// offerData is one offer and its calls.
type offerData struct {
	node.Calling
	Query string
	Asked bool // something was looked for
	Found []node.Beneficiary
	Key   string
}

func (s offers) page(c *gin.Context) { s.show(c, http.StatusOK, offerData{}, nil) }

func (s offers) show(c *gin.Context, code int, d offerData, problem error) {
	id, err := node.ParseID[node.OfferID](c.Param("id"))
	if err == nil {
		d.Calling, err = s.node.Offers.Get(caller(c), id)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Key = newKey()
	s.render(c, code, "offer", page{Title: s.words(c).t("offers.title"), Here: "requests", Problem: s.sayTo(c, problem), Data: d})
}

// find looks for somebody who is not on the list: she calls herself.
func (s offers) find(c *gin.Context) {
	d := offerData{Query: c.PostForm("q"), Asked: true}
	found, err := s.node.Find.People(caller(c), d.Query, node.OnlyBeneficiary, 8)
	if err != nil {
		s.show(c, status(err), d, err)
		return
	}
	for _, f := range found {
		if f.Beneficiary != nil {
			d.Found = append(d.Found, *f.Beneficiary)
		}
	}
	s.show(c, http.StatusOK, d, nil)
}

// answer notes what came of a call.
func (s offers) answer(c *gin.Context) {
	ok, err := s.answered(c)
	if err != nil {
		s.show(c, status(err), offerData{}, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/offers/"+c.Param("id")+"?ok="+ok)
}

func (s offers) answered(c *gin.Context) (ok string, err error) {
	id, err := node.ParseID[node.OfferID](c.Param("id"))
	if err != nil {
		return "", err
	}
	her, err := node.ParseID[node.BeneficiaryID](c.PostForm("beneficiary"))
	if err != nil {
		return "", err
	}
	by, ctx := writer(c), c.Request.Context()
	switch c.PostForm("result") {
	case "no":
		_, err = s.node.Offers.Decline(ctx, by, id, her)
		return "recorded", err
	case "no-answer":
		_, err = s.node.Calls.NotReached(ctx, by, her, node.CallNoAnswer, 0)
		return "recorded", err
	}
	in := node.Taking{Offer: id, Beneficiary: her, Note: crypto.NewSecret(c.PostForm("note")), Exception: crypto.NewSecret(c.PostForm("exception"))}
	if text := c.PostForm("type"); text != "" {
		if in.Type, err = node.ParseID[node.TypeID](text); err != nil {
			return "", err
		}
	}
	_, err = s.node.Offers.Take(ctx, by, in)
	return "offer-taken", err
}

func (s offers) withdraw(c *gin.Context) {
	id, err := node.ParseID[node.OfferID](c.Param("id"))
	if err == nil {
		_, err = s.node.Offers.Withdraw(c.Request.Context(), writer(c), id)
	}
	switch by := caller(c); {
	case err != nil:
		s.fail(c, err)
	case by.Staff():
		c.Redirect(http.StatusSeeOther, "/calls?ok=offer-withdrawn")
	default:
		recorded(c, "/me/offer?ok=offer-withdrawn")
	}
}

// blank is the form that an agent fills for a volunteer on the phone.
func (s offers) blank(c *gin.Context) {
	s.showForm(c, http.StatusOK, c.Query("of"), offerForm{Places: "2"}, nil)
}

func (s offers) showForm(c *gin.Context, code int, of string, form offerForm, problem error) {
	him, err := s.him(c, of)
	if err != nil {
		s.fail(c, err)
		return
	}
	f, err := s.fields(c, form, him)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "offer_new", page{Title: s.words(c).t("offers.title"), Here: "requests", Narrow: true, Problem: s.words(c).say(problem), Data: struct {
		offerFields
		Him node.Volunteer
	}{f, him}})
}

func (s offers) him(c *gin.Context, text string) (v node.Volunteer, err error) {
	id, err := node.ParseID[node.VolunteerID](text)
	if err != nil {
		return v, err
	}
	return s.node.Volunteers.Get(caller(c), id)
}

func (s offers) make(c *gin.Context) {
	form := readOfferForm(c)
	id, err := s.made(c, c.PostForm("of"), form)
	if err != nil {
		s.showForm(c, status(err), c.PostForm("of"), form, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/offers/"+id.String()+"?ok=offer")
}

func (s offers) made(c *gin.Context, of string, form offerForm) (id node.OfferID, err error) {
	him, err := s.him(c, of)
	if err != nil {
		return id, err
	}
	in, err := form.in(him)
	if err != nil {
		return id, err
	}
	r, err := s.node.Offers.Make(c.Request.Context(), writer(c), in)
	return node.OfferID(r.ID), err
}

// mine is the volunteer's own page: what I propose, and who profits.
func (s offers) mine(c *gin.Context) {
	s.showMine(c, http.StatusOK, offerForm{Places: "2"}, nil)
}

func (s offers) showMine(c *gin.Context, code int, form offerForm, problem error) {
	by := caller(c)
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	all, err := s.node.Offers.Mine(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	f, err := s.fields(c, form, me)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "my_offers", page{Title: s.words(c).t("offers.mine_title"), Here: "offer", Phone: true, Problem: s.words(c).say(problem), Data: struct {
		offerFields
		Me   node.Volunteer
		Mine []node.MyOffer
		Key  string
	}{f, me, all, newKey()}})
}

func (s offers) propose(c *gin.Context) {
	form := readOfferForm(c)
	if _, err := s.made(c, caller(c).Volunteer.String(), form); err != nil {
		s.showMine(c, status(err), form, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/me/offer?ok=offered")
}

// habit says how long ago she had it last, and how often she has it.
func habit(w *tongue, c node.Callee, on node.Day) string {
	what, past := lower(w.kindName(c.Kind)), w.ago(on-node.Day(c.Since))
	switch {
	case c.Every == 7:
		return w.t("offers.habit_weekly", "What", what, "Ago", past)
	case c.Every > 0:
		return w.t("offers.habit_every", "What", what, "Ago", past, "N", c.Every)
	}
	return w.t("offers.habit", "What", what, "Ago", past)
}
