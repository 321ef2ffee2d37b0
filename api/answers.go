package api

import (
	"context"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// answerRoutes are the operations of this file.
type answerRoutes struct{ *server }

// What becomes of a request: each step is a POST.

type actInput struct {
	Writing
	Named
}

func (s answerRoutes) publish(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Publish(ctx, caller(ctx), id))
}

type askInput struct {
	Writing
	Named
	Body struct {
		Volunteers []string `json:"volunteers" format:"uuid"`
	}
}

func (s answerRoutes) ask(ctx context.Context, in *askInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	who, err := idsIn[node.VolunteerID]("volunteers", in.Body.Volunteers)
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Ask(ctx, caller(ctx), id, who))
}

// answerForm says who answers. A volunteer answers for himself and need not say.
type answerForm struct {
	Volunteer string `json:"volunteer,omitempty" format:"uuid" doc:"Whom the desk answers for; a volunteer leaves it out"`
}

func (f answerForm) who(by node.Caller) (node.VolunteerID, error) {
	if f.Volunteer == "" && !by.Staff() {
		return by.Volunteer, nil
	}
	id, err := idIn[node.VolunteerID]("volunteer", f.Volunteer)
	if err == nil && id.Zero() {
		err = &node.Error{Kind: node.Invalid, Code: "missing", Field: "volunteer", Reason: "say which volunteer answers"}
	}
	return id, err
}

type acceptInput struct {
	Writing
	Named
	Body *acceptForm
}

type acceptForm struct {
	Volunteer string `json:"volunteer,omitempty" format:"uuid" doc:"Whom the desk answers for; a volunteer leaves it out"`
	Day       string `json:"day,omitempty" format:"date" doc:"Needed where the wish leaves it open"`
	Hour      string `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"10:30" doc:"None: as she wishes, or the usual hour"`
}

func (s answerRoutes) accept(ctx context.Context, in *acceptInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	form := acceptForm{}
	if in.Body != nil {
		form = *in.Body
	}
	who, err := answerForm{form.Volunteer}.who(caller(ctx))
	if err != nil {
		return nil, err
	}
	slot := node.Slot{}
	if slot.Day, err = dayIn("day", form.Day); err != nil {
		return nil, err
	}
	if slot.Minute, err = hourIn("hour", form.Hour); err != nil {
		return nil, err
	}
	return write(s.node.Requests.Accept(ctx, caller(ctx), id, who, slot))
}

type answerInput struct {
	Writing
	Named
	Body *answerForm
}

// names reads which request is answered, and by whom.
func (in *answerInput) names(by node.Caller) (id node.RequestID, who node.VolunteerID, err error) {
	if id, err = idOf[node.RequestID](in.Named); err != nil {
		return id, who, err
	}
	form := answerForm{}
	if in.Body != nil {
		form = *in.Body
	}
	who, err = form.who(by)
	return id, who, err
}

func (s answerRoutes) refuse(ctx context.Context, in *answerInput) (*written, error) {
	id, who, err := in.names(caller(ctx))
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Refuse(ctx, caller(ctx), id, who))
}

func (s answerRoutes) withdraw(ctx context.Context, in *answerInput) (*written, error) {
	id, who, err := in.names(caller(ctx))
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Withdraw(ctx, caller(ctx), id, who))
}

type toldInput struct {
	Acting
	Named
}

// told is of a volunteer who has told her himself. Without If-Match he means his
// visit as it stands.
func (s answerRoutes) told(ctx context.Context, in *toldInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	by := caller(ctx)
	v, err := versionOr(in.IfMatch, func() (uint32, error) { return s.presentVersion(by, id) })
	if err != nil {
		return nil, err
	}
	return write(s.node.Calls.ToldByVolunteer(ctx, by, id, v))
}

// presentVersion is that of a request as the caller may see it; 0 when he may
// not: the service says why.
func (s answerRoutes) presentVersion(by node.Caller, id node.RequestID) (uint32, error) {
	if by.Staff() {
		v, err := s.node.Requests.Get(by, id)
		return v.Version, err
	}
	mine, err := s.node.Requests.Mine(by)
	if err != nil {
		return 0, err
	}
	for _, p := range mine.Promised {
		if p.ID == id {
			return p.Version, nil
		}
	}
	return 0, nil
}

type finishInput struct {
	Writing
	Named
	Body struct {
		Done    bool       `json:"done"`
		Why     reasonWord `json:"why,omitempty" doc:"Of a visit that did not take place"`
		Minutes int        `json:"minutes,omitempty" minimum:"0" maximum:"1440" doc:"None: as planned"`
		Metres  int        `json:"metres,omitempty" minimum:"0" maximum:"2000000" doc:"Driven"`
		Word    string     `json:"word,omitempty" doc:"How it went"`
	}
}

func (s answerRoutes) finish(ctx context.Context, in *finishInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Finish(ctx, caller(ctx), id, in.Body.Done, node.Ending{
		Why: reasons.value(string(in.Body.Why)), Minutes: uint16(in.Body.Minutes), Metres: uint32(in.Body.Metres),
		Word: crypto.NewSecret(in.Body.Word),
	}))
}

type dropInput struct {
	Acting
	Named
	Body struct {
		Unfilled bool       `json:"unfilled,omitempty" doc:"Nobody was found; else it is cancelled"`
		Why      reasonWord `json:"why,omitempty" doc:"Who or what cancels"`
	}
}

func (s answerRoutes) drop(ctx context.Context, in *dropInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := versionOr(in.IfMatch, func() (uint32, error) { return s.presentVersion(caller(ctx), id) })
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.Drop(ctx, caller(ctx), id, v, in.Body.Unfilled, reasons.value(string(in.Body.Why))))
}

type pastInput struct {
	Writing
	Body struct {
		Beneficiary string   `json:"beneficiary" format:"uuid"`
		Type        string   `json:"type" format:"uuid" doc:"The action type"`
		Day         string   `json:"day" format:"date"`
		Hour        string   `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"10:30"`
		Volunteers  []string `json:"volunteers" format:"uuid" doc:"Who was there, 1 to 6"`
		Minutes     int      `json:"minutes,omitempty" minimum:"0" maximum:"1440"`
		Metres      int      `json:"metres,omitempty" minimum:"0" maximum:"2000000"`
		Note        string   `json:"note,omitempty"`
		Word        string   `json:"word,omitempty" doc:"How it went"`
	}
}

func (s answerRoutes) recordPast(ctx context.Context, in *pastInput) (*written, error) {
	past, err := in.past()
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.RecordDone(ctx, caller(ctx), past))
}

func (in *pastInput) past() (p node.PastAction, err error) {
	p = node.PastAction{Note: crypto.NewSecret(in.Body.Note), Ending: node.Ending{
		Minutes: uint16(in.Body.Minutes), Metres: uint32(in.Body.Metres), Word: crypto.NewSecret(in.Body.Word),
	}}
	if p.Beneficiary, err = idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary); err != nil {
		return p, err
	}
	if p.Type, err = idIn[node.TypeID]("type", in.Body.Type); err != nil {
		return p, err
	}
	if p.Volunteers, err = idsIn[node.VolunteerID]("volunteers", in.Body.Volunteers); err != nil {
		return p, err
	}
	if p.Day, err = dayIn("day", in.Body.Day); err != nil {
		return p, err
	}
	p.Minute, err = hourIn("hour", in.Body.Hour)
	return p, err
}
