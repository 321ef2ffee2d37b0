package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// requestRoutes are the operations of this file.
type requestRoutes struct{ *server }

// wish is when she would like it.
type wish struct {
	Kind wishWord `json:"kind"`
	Day  string   `json:"day,omitempty" format:"date" doc:"The day; of a week, any day of it"`
	Half halfWord `json:"half,omitempty" doc:"None: either"`
	Hour string   `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"14:30" doc:"On the territory's clocks, of an appointment"`
}

func wishOut(w node.Wish) wish {
	return wish{wishWord(wishKinds.of(w.Kind)), w.Day.String(), halfWord(halves.of(w.Half)), hourOut(int(w.Minute))}
}

func (w wish) in() (out node.Wish, err error) {
	out.Kind, out.Half = wishKinds.value(string(w.Kind)), halves.value(string(w.Half))
	if out.Day, err = dayIn("when", w.Day); err != nil {
		return out, err
	}
	minute, err := hourIn("when", w.Hour)
	out.Minute = uint16(minute)
	return out, err
}

func hourOut(minute int) string {
	if minute == 0 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", minute/60, minute%60)
}

// hourIn reads "14:30", whose form the schema has checked; "" is none. To the
// node, minute 0 is none too, so midnight cannot be said.
func hourIn(field, text string) (minute int, err error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || t.Hour()+t.Minute() == 0 {
		return 0, &node.Error{Kind: node.Invalid, Code: "hour-out-of-range", Field: field, Reason: "an hour is written 14:30, and is not midnight"}
	}
	return t.Hour()*60 + t.Minute(), nil
}

// kindOf is an action type in an answer about something else.
type kindOf struct {
	ID       string       `json:"id" format:"uuid"`
	Name     string       `json:"name"`
	Category categoryWord `json:"category,omitempty"`
}

func kindOut(t node.ActionType) kindOf {
	return kindOf{t.ID.String(), t.Name, categoryWord(categories.of(t.Category))}
}

// visit is a request as the desk sees it.
type visit struct {
	ID          string    `json:"id" format:"uuid"`
	Version     uint32    `json:"version"`
	State       stateWord `json:"state"`
	Beneficiary person    `json:"beneficiary"`
	Type        kindOf    `json:"type"`
	Commune     string    `json:"commune" doc:"Hers when it was opened, INSEE code"`
	When        wish      `json:"when"`
	Minutes     int       `json:"minutes" doc:"Expected length"`
	Seats       int       `json:"seats" doc:"Volunteers needed"`
	Lone        bool      `json:"lone" doc:"One goes alone where the rule says two; exception says why"`
	Car         bool      `json:"car"`
	Start       time.Time `json:"start,omitzero" doc:"Fixed by the first who accepted"`
	Volunteers  []seat    `json:"volunteers" doc:"Everybody who was asked or came, in this order"`
	NeedsCall   bool      `json:"needs_call" doc:"She believes something that is not so"`
	Note        string    `json:"note,omitempty"`
	Exception   string    `json:"exception,omitempty"`
	OpenedAt    time.Time `json:"opened_at"`
	Outcome     outcome   `json:"outcome,omitzero"`
	Series      string    `json:"series,omitempty" format:"uuid" doc:"That it comes from"`
}

type seat struct {
	Volunteer  person     `json:"volunteer"`
	Answer     answerWord `json:"answer"`
	AskedAt    time.Time  `json:"asked_at"`
	AnsweredAt time.Time  `json:"answered_at,omitzero"`
}

// outcome is how it ended.
type outcome struct {
	At      time.Time  `json:"at,omitzero"`
	Why     reasonWord `json:"why,omitempty"`
	Minutes int        `json:"minutes,omitzero"`
	Metres  uint32     `json:"metres,omitzero"`
	Word    string     `json:"word,omitempty"`
	Thanks  *thanks    `json:"thanks,omitempty" doc:"Hers, relayed to those who came"`
}

func visitOut(v node.Visit) visit {
	out := visit{
		ID: v.ID.String(), Version: v.Version, State: stateWord(states.of(v.State)), Beneficiary: herShort(v.Her), Type: kindOut(v.Kind),
		Commune: v.Commune, When: wishOut(v.Wish), Minutes: int(v.Plan.Minutes), Seats: int(v.Plan.Seats), Lone: v.Plan.Exception,
		Car: v.Plan.Car, Start: at(v.Plan.Start), Volunteers: []seat{}, NeedsCall: v.NeedsCall(),
		Note: v.Note.Reveal(), Exception: v.Exception.Reveal(), OpenedAt: at(v.Opened), Series: v.Series.String(),
		Outcome: outcome{
			At: at(v.Outcome.At), Why: reasonWord(reasons.of(v.Outcome.Why)), Minutes: int(v.Outcome.Minutes),
			Metres: v.Outcome.Metres, Word: v.Word.Reveal(),
		},
	}
	if v.Request.Thanks.At != 0 {
		t := thanksOut(v)
		out.Outcome.Thanks = &t
	}
	for _, a := range v.Seats {
		out.Volunteers = append(out.Volunteers, seat{hisShort(a.Volunteer), answerWord(answers.of(a.Answer)), at(a.At), at(a.Answered)})
	}
	return out
}

type requestsInput struct {
	Reading
	Paging
	State stateWord `query:"state" doc:"The most pressing first; of ended ones the latest"`
	From  string    `query:"from" format:"date" doc:"Instead of a state: visits that are covered, from this day on, in order of time"`
	To    string    `query:"to" format:"date" doc:"The last day, included; none: the same day"`
}

func (s requestRoutes) requests(ctx context.Context, in *requestsInput) (*listed[visit], error) {
	switch {
	case in.State != "" && in.From != "":
		return nil, &node.Error{Kind: node.Invalid, Code: "contradiction", Field: "from", Reason: "say a state, or days, not both"}
	case in.From != "":
		return s.planned(ctx, in)
	case in.State == "":
		return nil, &node.Error{Kind: node.Invalid, Code: "missing", Field: "state", Reason: "say a state, or days with from and to"}
	}
	name := listName("requests", string(in.State))
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Requests.InState(caller(ctx), states.value(string(in.State)), p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), visitOut), nil
}

// planned pages through days. A place is the instant and the ID of the last one.
func (s requestRoutes) planned(ctx context.Context, in *requestsInput) (*listed[visit], error) {
	if in.To == "" {
		in.To = in.From
	}
	first, err := dayIn("from", in.From)
	if err != nil {
		return nil, err
	}
	last, err := dayIn("to", in.To)
	if err != nil {
		return nil, err
	}
	if last < first || last-first > 400 {
		return nil, &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: "to", Reason: "the last day comes after the first, at most 400 days later"}
	}
	name := listName("planned", in.From, in.To)
	place, err := in.at(name)
	if err != nil {
		return nil, err
	}
	if len(place) == 24 {
		start := node.Instant(binary.BigEndian.Uint64(place)).Time().In(s.node.Now().Location())
		first = max(first, node.DayOf(start))
	}
	found, err := s.node.Requests.Planned(caller(ctx), first, last, 0)
	if err != nil {
		return nil, err
	}
	for len(found) > 0 && bytes.Compare(plannedPlace(found[0]), place) <= 0 {
		found = found[1:]
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = cursor(name, plannedPlace(found[in.Limit-1]))
	}
	return page(found, next, visitOut), nil
}

func plannedPlace(v node.Visit) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(v.Plan.Start)), v.ID[:]...)
}

// requestForm is what an agent writes down.
type requestForm struct {
	When      wish   `json:"when"`
	Minutes   int    `json:"minutes,omitempty" minimum:"0" maximum:"720" doc:"None: the type's usual length"`
	Seats     int    `json:"seats,omitempty" minimum:"0" maximum:"6" doc:"None: as the rule of two says"`
	Note      string `json:"note,omitempty"`
	Exception string `json:"exception,omitempty" doc:"Why one goes alone where the rule says two"`
}

func (f requestForm) in() (r node.NewRequest, err error) {
	r = node.NewRequest{
		Minutes: uint16(f.Minutes), Seats: uint8(f.Seats), Note: crypto.NewSecret(f.Note), Exception: crypto.NewSecret(f.Exception),
	}
	r.Wish, err = f.When.in()
	return r, err
}

type openRequestInput struct {
	Writing
	Body struct {
		RequestForm
		Beneficiary string   `json:"beneficiary" format:"uuid"`
		Type        string   `json:"type" format:"uuid" doc:"The action type"`
		Draft       bool     `json:"draft,omitempty" doc:"Nobody is looked for until it is published"`
		Ask         []string `json:"ask,omitempty" format:"uuid" doc:"Volunteers to ask at once"`
	}
}

// RequestForm lets JSON see the fields of requestForm where it is embedded.
type RequestForm = requestForm

func (s requestRoutes) openRequest(ctx context.Context, in *openRequestInput) (*written, error) {
	r, err := in.Body.in()
	if err != nil {
		return nil, err
	}
	if r.Beneficiary, err = idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary); err != nil {
		return nil, err
	}
	if r.Type, err = idIn[node.TypeID]("type", in.Body.Type); err != nil {
		return nil, err
	}
	if r.Ask, err = idsIn[node.VolunteerID]("ask", in.Body.Ask); err != nil {
		return nil, err
	}
	r.Draft = in.Body.Draft
	return write(s.node.Requests.Open(ctx, caller(ctx), r))
}

func (s requestRoutes) request(ctx context.Context, in *readInput) (*one[visit], error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := s.node.Requests.Get(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return single(v.Version, visitOut(v)), nil
}

type changeRequestInput struct {
	Changing
	Named
	Body requestForm
}

func (s requestRoutes) changeRequest(ctx context.Context, in *changeRequestInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	r, err := in.Body.in()
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Change(ctx, caller(ctx), id, v, r))
}

type candidate struct {
	Volunteer person    `json:"volunteer"`
	Fits      bool      `json:"fits" doc:"Nothing stands against asking him"`
	MayAsk    bool      `json:"may_ask" doc:"What stands against it may be asked past"`
	Obstacles []string  `json:"obstacles" example:"too-far" doc:"not-approved, refused-by-her, other-kinds, no-car, too-far, distance-unknown, away, not-free-then, week-is-full, busy"`
	Metres    *int      `json:"metres,omitempty" doc:"Between their communes; none when not known"`
	Visits    int       `json:"visits" doc:"Of his to her"`
	Preferred bool      `json:"preferred"`
	ThisWeek  int       `json:"this_week" doc:"Visits and open questions in the week of the wish"`
	Done      uint32    `json:"done"`
	LastAsked time.Time `json:"last_asked,omitzero"`
}

func candidateOut(c node.Candidate) candidate {
	out := candidate{
		Volunteer: hisShort(c.Volunteer), Fits: c.Fits(), MayAsk: c.May(), Obstacles: []string{}, Visits: c.Visits,
		Preferred: c.Preferred, ThisWeek: c.ThisWeek, Done: c.Done, LastAsked: at(c.LastAsked),
	}
	for _, o := range c.Obstacles {
		out.Obstacles = append(out.Obstacles, string(o))
	}
	if c.Metres >= 0 {
		out.Metres = &c.Metres
	}
	return out
}

type candidatesInput struct {
	Reading
	Named
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (s requestRoutes) candidates(ctx context.Context, in *candidatesInput) (*listed[candidate], error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Requests.Candidates(caller(ctx), id, in.Limit)
	if err != nil {
		return nil, err
	}
	return page(found, "", candidateOut), nil
}

func (s requestRoutes) requestHistory(ctx context.Context, in *readInput) (*listed[change], error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Requests.History(caller(ctx), id)
	return s.history(caller(ctx), found, err)
}
