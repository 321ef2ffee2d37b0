package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// beneficiaryRoutes are the operations of this file.
type beneficiaryRoutes struct{ *server }

// beneficiary is a file as it is read and written. What is marked as read-only is
// ignored when it comes back, so that what was read can be changed and put.
type beneficiary struct {
	ID      string `json:"id" format:"uuid" readOnly:"true"`
	Version uint32 `json:"version" readOnly:"true"`

	Commune     string          `json:"commune" required:"false" example:"33352" doc:"INSEE code"`
	CommuneName string          `json:"commune_name" readOnly:"true"`
	State       personStateWord `json:"state" required:"false" doc:"active when enrolled"`
	Basis       basisWord       `json:"basis" required:"false" doc:"Legal basis (GDPR, art. 6)"`
	Notice      noticeWord      `json:"notice" required:"false" doc:"How she got the information that the law requires"`
	NoticeAt    time.Time       `json:"notice_at,omitzero" readOnly:"true"`
	Preferred   []string        `json:"preferred" required:"false" format:"uuid" doc:"Volunteers"`
	Refused     []string        `json:"refused" required:"false" format:"uuid" doc:"Volunteers"`

	Civility  string     `json:"civility,omitempty" example:"Mme"`
	LastName  string     `json:"last_name" required:"false"`
	FirstName string     `json:"first_name,omitempty"`
	Birth     string     `json:"birth,omitempty" example:"1941-03-12" doc:"A date, or a year alone"`
	Age       int        `json:"age,omitzero" readOnly:"true"`
	Phones    []phone    `json:"phones" required:"false"`
	Modes     []modeWord `json:"modes" required:"false" doc:"How she is reached, best first"`
	Email     string     `json:"email,omitempty"`
	Address   string     `json:"address,omitempty"`
	Entry     string     `json:"entry,omitempty" example:"2e sonnette"`
	Postcode  string     `json:"postcode,omitempty"`
	Needs     string     `json:"needs,omitempty" doc:"What helps; never a diagnosis"`
	Languages string     `json:"languages,omitempty"`
	Trusted   contact    `json:"trusted,omitzero"`
	Emergency contact    `json:"emergency,omitzero"`
	MayAsk    []contact  `json:"may_ask" required:"false"`
	TrustWord string     `json:"trust_word,omitempty"`
	Note      string     `json:"note,omitempty"`
	Paper     paperWord  `json:"paper,omitempty" doc:"Language of what is printed for her; none: French"`

	EnrolledAt time.Time `json:"enrolled_at" readOnly:"true"`
	EnrolledBy string    `json:"enrolled_by,omitempty" format:"uuid" readOnly:"true"`
	Import     string    `json:"import,omitempty" format:"uuid" readOnly:"true"`
	Visits     uint32    `json:"visits" readOnly:"true" doc:"At her home, that have taken place"`
	CallAfter  time.Time `json:"call_after,omitzero" readOnly:"true"`
	Missed     int       `json:"missed_calls" readOnly:"true" doc:"Since she was last reached"`
}

func (s beneficiaryRoutes) beneficiaryOut(b node.Beneficiary) beneficiary {
	w := b.Words
	out := beneficiary{
		ID: b.ID.String(), Version: b.Version, Commune: b.Commune, CommuneName: node.CommuneName(b.Commune),
		State: personStateWord(personStates.of(b.State)), Basis: basisWord(bases.of(b.Enrolled.Basis)),
		Notice: noticeWord(notices.of(b.Enrolled.Notice)), NoticeAt: at(b.Enrolled.NoticeAt),
		Preferred: idsOut(b.Preferred), Refused: idsOut(b.Refused),
		Civility: w.Civility.Reveal(), LastName: w.Last.Reveal(), FirstName: w.First.Reveal(), Birth: w.Birth.Reveal(),
		Age: max(0, node.Age(w.Birth, s.node.Now())), Phones: phonesOut(w.Phones), Modes: modesOut(w.Modes), Email: w.Email.Reveal(),
		Address: w.Address.Reveal(), Entry: w.Entry.Reveal(), Postcode: w.Postcode.Reveal(), Needs: w.Needs.Reveal(),
		Languages: w.Languages.Reveal(), Trusted: contactOut(w.Trusted), Emergency: contactOut(w.Emergency),
		MayAsk: []contact{}, TrustWord: w.TrustWord.Reveal(), Note: w.Note.Reveal(), Paper: paperWord(w.Paper),
		EnrolledAt: at(b.Enrolled.At), EnrolledBy: b.Enrolled.By.String(), Import: b.Enrolled.Import.String(),
		Visits: b.Visits, CallAfter: at(b.CallAfter), Missed: int(b.Missed),
	}
	for _, c := range w.MayAsk {
		out.MayAsk = append(out.MayAsk, contactOut(c))
	}
	return out
}

func modesOut(in []string) []modeWord {
	out := make([]modeWord, 0, len(in))
	for _, m := range in {
		out = append(out, modeWord(m))
	}
	return out
}

func (b beneficiary) facts() (f node.BeneficiaryFacts, err error) {
	f = node.BeneficiaryFacts{
		Commune: b.Commune, State: personStates.value(string(b.State)), Basis: bases.value(string(b.Basis)), Notice: notices.value(string(b.Notice)),
	}
	if f.Preferred, err = idsIn[node.VolunteerID]("preferred", b.Preferred); err != nil {
		return f, err
	}
	f.Refused, err = idsIn[node.VolunteerID]("refused", b.Refused)
	return f, err
}

func (b beneficiary) words() node.BeneficiaryWords {
	w := node.BeneficiaryWords{
		Civility: crypto.NewSecret(b.Civility), Last: crypto.NewSecret(b.LastName), First: crypto.NewSecret(b.FirstName),
		Birth: crypto.NewSecret(b.Birth), Phones: phonesIn(b.Phones), Email: crypto.NewSecret(b.Email),
		Address: crypto.NewSecret(b.Address), Entry: crypto.NewSecret(b.Entry), Postcode: crypto.NewSecret(b.Postcode),
		Needs: crypto.NewSecret(b.Needs), Languages: crypto.NewSecret(b.Languages),
		Trusted: contactIn(b.Trusted), Emergency: contactIn(b.Emergency),
		TrustWord: crypto.NewSecret(b.TrustWord), Note: crypto.NewSecret(b.Note), Paper: node.Paper(b.Paper),
	}
	for _, m := range b.Modes {
		w.Modes = append(w.Modes, string(m))
	}
	for _, c := range b.MayAsk {
		w.MayAsk = append(w.MayAsk, contactIn(c))
	}
	return w
}

type beneficiariesInput struct {
	Reading
	Paging
	Commune string `query:"commune" doc:"INSEE code; none: all"`
}

func (s beneficiaryRoutes) beneficiaries(ctx context.Context, in *beneficiariesInput) (*listed[beneficiary], error) {
	name := listName("beneficiaries", in.Commune)
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Beneficiaries.List(caller(ctx), in.Commune, p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), s.beneficiaryOut), nil
}

type enrolInput struct {
	Writing
	Body beneficiary
}

func (s beneficiaryRoutes) enrol(ctx context.Context, in *enrolInput) (*written, error) {
	facts, err := in.Body.facts()
	if err != nil {
		return nil, err
	}
	return write(s.node.Beneficiaries.Enrol(ctx, caller(ctx), facts, in.Body.words()))
}

type readInput struct {
	Reading
	Named
}

func (s beneficiaryRoutes) beneficiary(ctx context.Context, in *readInput) (*one[beneficiary], error) {
	b, err := s.her(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	return single(b.Version, s.beneficiaryOut(b)), nil
}

// her opens the file that the path names.
func (s *server) her(ctx context.Context, in Named) (b node.Beneficiary, err error) {
	id, err := idOf[node.BeneficiaryID](in)
	if err != nil {
		return b, err
	}
	return s.node.Beneficiaries.Get(caller(ctx), id)
}

type changeBeneficiaryInput struct {
	Changing
	Named
	Body beneficiary
}

func (s beneficiaryRoutes) changeBeneficiary(ctx context.Context, in *changeBeneficiaryInput) (*written, error) {
	id, err := idOf[node.BeneficiaryID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	facts, err := in.Body.facts()
	if err != nil {
		return nil, err
	}
	return write(s.node.Beneficiaries.Change(ctx, caller(ctx), id, v, facts, in.Body.words()))
}

func (s beneficiaryRoutes) beneficiaryHistory(ctx context.Context, in *readInput) (*listed[change], error) {
	id, err := idOf[node.BeneficiaryID](in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Beneficiaries.History(caller(ctx), id)
	return s.history(caller(ctx), found, err)
}

type pageInput struct {
	Reading
	Named
	Paging
}

func (s beneficiaryRoutes) beneficiaryRequests(ctx context.Context, in *pageInput) (*listed[visit], error) {
	b, err := s.her(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	name := listName("of beneficiary", b.ID.String())
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Requests.OfPerson(caller(ctx), b.ID, p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), visitOut), nil
}

type familiar struct {
	Volunteer person `json:"volunteer"`
	Visits    int    `json:"visits" doc:"Of his to her that took place"`
}

func (s beneficiaryRoutes) usualVolunteers(ctx context.Context, in *readInput) (*listed[familiar], error) {
	b, err := s.her(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Requests.Usual(caller(ctx), b.ID)
	if err != nil {
		return nil, err
	}
	return page(found, "", func(f node.Familiar) familiar { return familiar{hisShort(f.Volunteer), f.Visits} }), nil
}
