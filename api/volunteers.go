package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// volunteerRoutes are the operations of this file.
type volunteerRoutes struct{ *server }

// absence is a span of days, both included.
type absence struct {
	From string `json:"from" format:"date"`
	To   string `json:"to" format:"date"`
}

// volunteer is a file as it is read and written; see beneficiary for what is
// read-only.
type volunteer struct {
	ID      string     `json:"id" format:"uuid" readOnly:"true"`
	Version uint32     `json:"version" readOnly:"true"`
	Status  statusWord `json:"status" readOnly:"true" doc:"Changes by POST …/step"`
	Since   time.Time  `json:"since" readOnly:"true" doc:"Of the present status"`
	NextOn  string     `json:"next_on,omitempty" readOnly:"true" format:"date" doc:"The day agreed for his next step"`

	Commune     string        `json:"commune" required:"false" doc:"Where he starts from, INSEE code"`
	CommuneName string        `json:"commune_name" readOnly:"true"`
	RadiusKm    int           `json:"radius_km" required:"false" minimum:"0" maximum:"100" doc:"As the crow flies; 0: his commune only"`
	Kinds       []string      `json:"kinds" required:"false" format:"uuid" doc:"Action types; none: every kind"`
	Car         bool          `json:"car" required:"false"`
	Seats       int           `json:"seats" required:"false" minimum:"0" maximum:"9" doc:"For passengers"`
	PerWeek     int           `json:"per_week" required:"false" minimum:"0" maximum:"50" doc:"How often he may be asked; 0: no limit"`
	Week        []halfDayWord `json:"week" required:"false" doc:"Half-days; none: any"`
	Absences    []absence     `json:"absences" required:"false"`
	Association string        `json:"association,omitempty" doc:"SIREN or RNA number of the body that answers for him"`

	Civility  string    `json:"civility,omitempty"`
	LastName  string    `json:"last_name" required:"false"`
	FirstName string    `json:"first_name,omitempty"`
	Birth     string    `json:"birth,omitempty" doc:"A date, or a year alone"`
	Phones    []phone   `json:"phones" required:"false"`
	Email     string    `json:"email,omitempty"`
	Address   string    `json:"address,omitempty"`
	CarText   string    `json:"car_text,omitempty" example:"Clio bleue" doc:"What she is told"`
	Languages string    `json:"languages,omitempty"`
	Note      string    `json:"note,omitempty" doc:"The desk's own"`
	Paper     paperWord `json:"paper,omitempty" doc:"Language of what is printed for him; none: French"`

	JoinedAt time.Time `json:"joined_at" readOnly:"true"`
	Import   string    `json:"import,omitempty" format:"uuid" readOnly:"true"`
	Done     uint32    `json:"done" readOnly:"true" doc:"Actions that have taken place"`
}

func volunteerOut(v node.Volunteer) volunteer {
	o, w := v.Offer, v.Words
	return volunteer{
		ID: v.ID.String(), Version: v.Version, Status: statusWord(statuses.of(v.Status)), Since: at(v.Since), NextOn: v.Next.String(),
		Commune: o.Commune, CommuneName: node.CommuneName(o.Commune), RadiusKm: int(o.RadiusKm), Kinds: idsOut(o.Kinds), Car: o.Car,
		Seats: int(o.Seats), PerWeek: int(o.PerWeek), Week: weekWords(o.Week), Absences: absencesOut(o.Absences), Association: o.Association,
		Civility: w.Civility.Reveal(), LastName: w.Last.Reveal(), FirstName: w.First.Reveal(), Birth: w.Birth.Reveal(),
		Phones: phonesOut(w.Phones), Email: w.Email.Reveal(), Address: w.Address.Reveal(), CarText: w.CarText.Reveal(),
		Languages: w.Languages.Reveal(), Note: w.Note.Reveal(), Paper: paperWord(w.Paper),
		JoinedAt: at(v.Joined), Import: v.Import.String(), Done: v.Done,
	}
}

func (v volunteer) offer() (o node.Readiness, err error) {
	o = node.Readiness{
		Commune: v.Commune, RadiusKm: uint8(v.RadiusKm), Car: v.Car, Seats: uint8(v.Seats), PerWeek: uint8(v.PerWeek), Week: weekOf(v.Week), Association: v.Association,
	}
	if o.Kinds, err = idsIn[node.TypeID]("kinds", v.Kinds); err != nil {
		return o, err
	}
	o.Absences, err = absencesIn(v.Absences)
	return o, err
}

func (v volunteer) words() node.VolunteerWords {
	return node.VolunteerWords{
		Civility: crypto.NewSecret(v.Civility), Last: crypto.NewSecret(v.LastName), First: crypto.NewSecret(v.FirstName),
		Birth: crypto.NewSecret(v.Birth), Phones: phonesIn(v.Phones), Email: crypto.NewSecret(v.Email), Address: crypto.NewSecret(v.Address),
		CarText: crypto.NewSecret(v.CarText), Languages: crypto.NewSecret(v.Languages), Note: crypto.NewSecret(v.Note), Paper: node.Paper(v.Paper),
	}
}

func absencesOut(in []node.Absence) []absence {
	out := make([]absence, 0, len(in))
	for _, a := range in {
		out = append(out, absence{a.From.String(), a.To.String()})
	}
	return out
}

func absencesIn(in []absence) (out []node.Absence, err error) {
	for _, a := range in {
		from, err := dayIn("absences", a.From)
		if err != nil {
			return nil, err
		}
		to, err := dayIn("absences", a.To)
		if err != nil {
			return nil, err
		}
		out = append(out, node.Absence{From: from, To: to})
	}
	return out, nil
}

// dayIn reads a day of a field; "" is none.
func dayIn(field, text string) (node.Day, error) {
	if text == "" {
		return 0, nil
	}
	day, ok := node.ParseDay(text)
	if !ok {
		return 0, &node.Error{Kind: node.Invalid, Code: "day-out-of-range", Field: field, Reason: "a day is written 2026-11-24 and lies between 1970 and 2999"}
	}
	return day, nil
}

type volunteersInput struct {
	Reading
	Paging
	Status statusWord `query:"status" doc:"None: one status after the other"`
}

func (s volunteerRoutes) volunteers(ctx context.Context, in *volunteersInput) (*listed[volunteer], error) {
	name := listName("volunteers", string(in.Status))
	if in.Status == "" {
		return s.allVolunteers(ctx, in, name)
	}
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Volunteers.List(caller(ctx), statuses.value(string(in.Status)), p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), volunteerOut), nil
}

// allVolunteers goes through the statuses. Its place begins with the one that it
// stands in.
func (s volunteerRoutes) allVolunteers(ctx context.Context, in *volunteersInput, name string) (*listed[volunteer], error) {
	place, err := in.at(name)
	if err != nil {
		return nil, err
	}
	first, within := 0, []byte(nil)
	if len(place) > 0 {
		first, within = int(place[0]), place[1:]
	}
	var found []node.Volunteer
	for i := first; i < len(statuses.values); i++ {
		p := node.Page{Limit: in.Limit - len(found)}
		if len(within) > 0 {
			p.Cursor = within
		}
		some, next, err := s.node.Volunteers.List(caller(ctx), statuses.values[i], p)
		if err != nil {
			return nil, err
		}
		found, within = append(found, some...), nil
		switch {
		case next != nil:
			return page(found, cursor(name, append([]byte{byte(i)}, next...)), volunteerOut), nil
		case len(found) == in.Limit && i+1 < len(statuses.values):
			return page(found, cursor(name, []byte{byte(i + 1)}), volunteerOut), nil
		}
	}
	return page(found, "", volunteerOut), nil
}

type registerInput struct {
	Writing
	Body volunteer
}

func (s volunteerRoutes) register(ctx context.Context, in *registerInput) (*written, error) {
	offer, err := in.Body.offer()
	if err != nil {
		return nil, err
	}
	return write(s.node.Volunteers.Register(ctx, caller(ctx), offer, in.Body.words()))
}

// him opens the file that the path names.
func (s *server) him(ctx context.Context, in Named) (v node.Volunteer, err error) {
	id, err := idOf[node.VolunteerID](in)
	if err != nil {
		return v, err
	}
	return s.node.Volunteers.Get(caller(ctx), id)
}

func (s volunteerRoutes) volunteer(ctx context.Context, in *readInput) (*one[volunteer], error) {
	v, err := s.him(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	return single(v.Version, volunteerOut(v)), nil
}

type changeVolunteerInput struct {
	Changing
	Named
	Body volunteer
}

func (s volunteerRoutes) changeVolunteer(ctx context.Context, in *changeVolunteerInput) (*written, error) {
	id, err := idOf[node.VolunteerID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	offer, err := in.Body.offer()
	if err != nil {
		return nil, err
	}
	return write(s.node.Volunteers.Change(ctx, caller(ctx), id, v, offer, in.Body.words()))
}

type stepInput struct {
	Acting
	Named
	Body struct {
		To     statusWord `json:"to"`
		NextOn string     `json:"next_on,omitempty" format:"date" doc:"The day agreed for the step after this one"`
	}
}

func (s volunteerRoutes) stepVolunteer(ctx context.Context, in *stepInput) (*written, error) {
	id, err := idOf[node.VolunteerID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := versionOr(in.IfMatch, func() (uint32, error) {
		him, err := s.node.Volunteers.Get(caller(ctx), id)
		return him.Version, err
	})
	if err != nil {
		return nil, err
	}
	next, err := dayIn("next_on", in.Body.NextOn)
	if err != nil {
		return nil, err
	}
	return write(s.node.Volunteers.Step(ctx, caller(ctx), id, v, statuses.value(string(in.Body.To)), next))
}

type nextInput struct {
	Acting
	Named
	Body struct {
		On string `json:"on,omitempty" format:"date" doc:"None: no day"`
	}
}

func (s volunteerRoutes) setNextStep(ctx context.Context, in *nextInput) (*written, error) {
	id, err := idOf[node.VolunteerID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := versionOr(in.IfMatch, func() (uint32, error) {
		him, err := s.node.Volunteers.Get(caller(ctx), id)
		return him.Version, err
	})
	if err != nil {
		return nil, err
	}
	on, err := dayIn("on", in.Body.On)
	if err != nil {
		return nil, err
	}
	return write(s.node.Volunteers.SetNext(ctx, caller(ctx), id, v, on))
}

type readinessInput struct {
	Changing
	Named
	Body struct {
		Week     []halfDayWord `json:"week" doc:"Half-days; none: any"`
		PerWeek  int           `json:"per_week" minimum:"0" maximum:"50" doc:"0: no limit"`
		RadiusKm int           `json:"radius_km" minimum:"0" maximum:"100"`
		Absences []absence     `json:"absences"`
	}
}

func (s volunteerRoutes) setReadiness(ctx context.Context, in *readinessInput) (*written, error) {
	id, err := idOf[node.VolunteerID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	absences, err := absencesIn(in.Body.Absences)
	if err != nil {
		return nil, err
	}
	return write(s.node.Volunteers.SetReadiness(ctx, caller(ctx), id, v,
		weekOf(in.Body.Week), uint8(in.Body.PerWeek), uint8(in.Body.RadiusKm), absences))
}

func (s volunteerRoutes) volunteerHistory(ctx context.Context, in *readInput) (*listed[change], error) {
	id, err := idOf[node.VolunteerID](in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Volunteers.History(caller(ctx), id)
	return s.history(caller(ctx), found, err)
}

func (s volunteerRoutes) volunteerRequests(ctx context.Context, in *pageInput) (*listed[visit], error) {
	v, err := s.him(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	name := listName("of volunteer", v.ID.String())
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Requests.OfVolunteer(caller(ctx), v.ID, p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), visitOut), nil
}
