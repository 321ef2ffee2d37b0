package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// seriesRoutes are the operations of this file.
type seriesRoutes struct{ *server }

// rule is on which days, and when on them.
type rule struct {
	Rhythm  rhythmWord  `json:"rhythm"`
	Weekday weekdayWord `json:"weekday"`
	Nth     int         `json:"nth,omitempty" minimum:"0" maximum:"5" doc:"Of a monthly one, which such weekday of the month: 1 to 4, or 5 for the last"`
	Half    halfWord    `json:"half,omitempty" doc:"Needed without an hour"`
	Hour    string      `json:"hour,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"14:30" doc:"On the territory's clocks"`
}

func ruleOut(r node.SeriesRule) rule {
	return rule{rhythmWord(rhythms.of(r.Rhythm)), weekdayWord(weekdays.of(r.Weekday)), int(r.Nth), halfWord(halves.of(r.Half)), hourOut(int(r.Minute))}
}

// agreement is what was agreed with her, as it is sent and answered.
type agreement struct {
	Rule      rule   `json:"rule"`
	From      string `json:"from,omitempty" format:"date" doc:"None: from today on"`
	Until     string `json:"until,omitempty" format:"date" doc:"The last day that counts; none: open"`
	Holidays  bool   `json:"holidays,omitempty" doc:"Also on public holidays; else these are passed over"`
	Minutes   int    `json:"minutes,omitempty" minimum:"0" maximum:"720" doc:"None: the type's usual length"`
	Seats     int    `json:"seats,omitempty" minimum:"0" maximum:"6" doc:"None: as the rule of two says on the day"`
	Agreed    bool   `json:"agreed,omitempty" doc:"She was told in person, so that she expects them and is called only when something is otherwise"`
	Note      string `json:"note,omitempty"`
	Exception string `json:"exception,omitempty" doc:"Why one goes alone where the rule says two"`
}

type seriesForm struct {
	Agreement
	Volunteers []string `json:"volunteers,omitempty" format:"uuid" doc:"Who promised to come each time, at most six"`
}

// Agreement lets JSON see the fields of agreement where it is embedded, like
// SeriesForm those of seriesForm.
type (
	Agreement  = agreement
	SeriesForm = seriesForm
)

func (f seriesForm) in() (s node.NewSeries, err error) {
	s = node.NewSeries{
		Rule: node.SeriesRule{
			Rhythm: rhythms.value(string(f.Rule.Rhythm)), Weekday: weekdays.value(string(f.Rule.Weekday)), Nth: uint8(f.Rule.Nth),
			Half: halves.value(string(f.Rule.Half)),
		},
		Holidays: f.Holidays, Minutes: uint16(f.Minutes), Seats: uint8(f.Seats), Agreed: f.Agreed,
		Note: crypto.NewSecret(f.Note), Exception: crypto.NewSecret(f.Exception),
	}
	minute, err := hourIn("hour", f.Rule.Hour)
	if err != nil {
		return s, err
	}
	s.Rule.Minute = uint16(minute)
	if s.From, err = dayIn("from", f.From); err != nil {
		return s, err
	}
	if s.Until, err = dayIn("until", f.Until); err != nil {
		return s, err
	}
	s.Standing, err = idsIn[node.VolunteerID]("volunteers", f.Volunteers)
	return s, err
}

// recurrence is a series as the desk sees it.
type recurrence struct {
	ID          string          `json:"id" format:"uuid"`
	Version     uint32          `json:"version"`
	State       seriesStateWord `json:"state"`
	Beneficiary person          `json:"beneficiary"`
	Type        kindOf          `json:"type"`
	Agreement
	Volunteers []person     `json:"volunteers" doc:"Who promised to come each time"`
	Skipped    []string     `json:"skipped" format:"date" doc:"Days that do not count"`
	Next       []occurrence `json:"next" doc:"The coming days, eight of one that is read by itself; of one that is paused or has ended, none"`
	OpenedAt   time.Time    `json:"opened_at"`
}

// occurrence is one day on which the rule falls.
type occurrence struct {
	Day     string    `json:"day" format:"date"`
	Holiday string    `json:"holiday,omitempty" example:"easter-monday" doc:"Passed over for it"`
	Skipped bool      `json:"skipped,omitempty"`
	Request string    `json:"request,omitempty" format:"uuid" doc:"That was made for the day"`
	State   stateWord `json:"state,omitempty" doc:"Of the request"`
}

func recurrenceOut(r node.Recurrence) recurrence {
	t := r.Terms
	out := recurrence{
		ID: r.ID.String(), Version: r.Version, State: seriesStateWord(seriesStates.of(r.State)), Beneficiary: herShort(r.Her), Type: kindOut(r.Kind),
		Agreement: agreement{
			Rule: ruleOut(t.Rule), From: t.From.String(), Until: t.Until.String(), Holidays: t.Holidays, Minutes: int(t.Plan.Minutes),
			Seats: int(t.Plan.Seats), Agreed: t.Told, Note: r.Note.Reveal(), Exception: r.Exception.Reveal(),
		},
		Volunteers: []person{}, Skipped: []string{}, Next: []occurrence{}, OpenedAt: at(r.Opened),
	}
	for _, v := range r.Standing {
		out.Volunteers = append(out.Volunteers, hisShort(v))
	}
	for _, d := range r.Skips {
		out.Skipped = append(out.Skipped, d.String())
	}
	for _, o := range r.Next {
		one := occurrence{Day: o.Day.String(), Holiday: o.Holiday, Skipped: o.Skipped}
		if o.Visit != nil {
			one.Request, one.State = o.Visit.ID.String(), stateWord(states.of(o.Visit.State))
		}
		out.Next = append(out.Next, one)
	}
	return out
}

type seriesInput struct {
	Reading
	Paging
	Beneficiary string `query:"beneficiary" format:"uuid" doc:"Hers only, ended ones too; the newest first"`
	Ended       bool   `query:"ended" doc:"Those that have ended, instead of those that have not"`
}

func (s seriesRoutes) list(ctx context.Context, in *seriesInput) (*listed[recurrence], error) {
	her, err := idIn[node.BeneficiaryID]("beneficiary", in.Beneficiary)
	if err != nil {
		return nil, err
	}
	if !her.Zero() {
		found, err := s.node.Series.OfPerson(caller(ctx), her)
		if err != nil {
			return nil, err
		}
		return page(found, "", recurrenceOut), nil
	}
	name := listName("series", map[bool]string{true: "ended"}[in.Ended])
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Series.List(caller(ctx), in.Ended, p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), recurrenceOut), nil
}

type openSeriesInput struct {
	Writing
	Body struct {
		SeriesForm
		Beneficiary string `json:"beneficiary" format:"uuid"`
		Type        string `json:"type" format:"uuid" doc:"The action type"`
	}
}

func (s seriesRoutes) begin(ctx context.Context, in *openSeriesInput) (*written, error) {
	form, err := in.Body.in()
	if err != nil {
		return nil, err
	}
	if form.Beneficiary, err = idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary); err != nil {
		return nil, err
	}
	if form.Type, err = idIn[node.TypeID]("type", in.Body.Type); err != nil {
		return nil, err
	}
	return write(s.node.Series.Open(ctx, caller(ctx), form))
}

func (s seriesRoutes) read(ctx context.Context, in *readInput) (*one[recurrence], error) {
	id, err := idOf[node.SeriesID](in.Named)
	if err != nil {
		return nil, err
	}
	r, err := s.node.Series.Get(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return single(r.Version, recurrenceOut(r)), nil
}

type changeSeriesInput struct {
	Changing
	Named
	Body seriesForm
}

func (s seriesRoutes) change(ctx context.Context, in *changeSeriesInput) (*written, error) {
	id, err := idOf[node.SeriesID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	form, err := in.Body.in()
	if err != nil {
		return nil, err
	}
	return write(s.node.Series.Change(ctx, caller(ctx), id, v, form))
}

type skipInput struct {
	Writing
	Named
	Body struct {
		Day string   `json:"day" format:"date"`
		Why wisherOf `json:"why" doc:"Who wishes it"`
	}
}

func (s seriesRoutes) skip(ctx context.Context, in *skipInput) (*written, error) {
	id, err := idOf[node.SeriesID](in.Named)
	if err != nil {
		return nil, err
	}
	day, err := dayIn("day", in.Body.Day)
	if err != nil {
		return nil, err
	}
	return write(s.node.Series.Skip(ctx, caller(ctx), id, day, wishers.value(string(in.Body.Why))))
}

type stopInput struct {
	Acting
	Named
	Body struct {
		Why wisherOf `json:"why" doc:"Who wishes it; when it is not she, she is to be called"`
	}
}

func (s seriesRoutes) pause(ctx context.Context, in *stopInput) (*written, error) {
	id, v, err := s.seriesAt(ctx, in.Named, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return write(s.node.Series.Pause(ctx, caller(ctx), id, v, wishers.value(string(in.Body.Why))))
}

func (s seriesRoutes) end(ctx context.Context, in *stopInput) (*written, error) {
	id, v, err := s.seriesAt(ctx, in.Named, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return write(s.node.Series.End(ctx, caller(ctx), id, v, wishers.value(string(in.Body.Why))))
}

type resumeInput struct {
	Acting
	Named
}

func (s seriesRoutes) resume(ctx context.Context, in *resumeInput) (*written, error) {
	id, v, err := s.seriesAt(ctx, in.Named, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return write(s.node.Series.Resume(ctx, caller(ctx), id, v))
}

// seriesAt reads which series is meant, at the version that was read or the
// present one.
func (s seriesRoutes) seriesAt(ctx context.Context, named Named, tag string) (id node.SeriesID, v uint32, err error) {
	if id, err = idOf[node.SeriesID](named); err != nil {
		return id, 0, err
	}
	v, err = versionOr(tag, func() (uint32, error) {
		r, err := s.node.Series.Get(caller(ctx), id)
		return r.Version, err
	})
	return id, v, err
}
