package api

import (
	"context"

	"github.com/bippop/bippop/node"
)

// bondRoutes are the operations of this file.
type bondRoutes struct{ *server }

// bond is a tie that lives on without the platform.
type bond struct {
	ID          string      `json:"id" format:"uuid"`
	Version     uint32      `json:"version"`
	State       bondWord    `json:"state"`
	Beneficiary person      `json:"beneficiary"`
	Volunteer   person      `json:"volunteer"`
	Status      statusWord  `json:"volunteer_status" doc:"His; a bond outlives his volunteering"`
	Since       string      `json:"since" format:"date"`
	NextCheck   string      `json:"next_check" format:"date" doc:"When the desk asks how it goes"`
	Checks      int         `json:"checks" doc:"That found it alive"`
	Why         bondEndWord `json:"why,omitempty" doc:"Of the end"`
}

func bondOut(b node.Bond) bond {
	return bond{
		ID: b.ID.String(), Version: b.Version, State: bondWord(bondStates.of(b.State)), Beneficiary: herShort(b.Her), Volunteer: hisShort(b.Him),
		Status: statusWord(statuses.of(b.Him.Status)), Since: b.Since.String(), NextCheck: b.NextCheck.String(), Checks: int(b.Checks),
		Why: bondEndWord(bondEnds.of(b.Why)),
	}
}

type bondsInput struct {
	Reading
	Paging
	Due bool `query:"due" doc:"Only those after which to ask today, at most a hundred"`
}

func (s bondRoutes) bonds(ctx context.Context, in *bondsInput) (*listed[bond], error) {
	if in.Due {
		found, err := s.node.Bonds.Due(caller(ctx))
		if err != nil {
			return nil, err
		}
		return page(found, "", bondOut), nil
	}
	name := listName("bonds")
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	found, next, err := s.node.Bonds.Alive(caller(ctx), p)
	if err != nil {
		return nil, err
	}
	return page(found, cursor(name, next), bondOut), nil
}

func (s bondRoutes) bond(ctx context.Context, in *readInput) (*one[bond], error) {
	id, err := idOf[node.BondID](in.Named)
	if err != nil {
		return nil, err
	}
	b, err := s.node.Bonds.Get(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return single(b.Version, bondOut(b)), nil
}

func (s bondRoutes) beneficiaryBonds(ctx context.Context, in *readInput) (*listed[bond], error) {
	b, err := s.her(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Bonds.OfPerson(caller(ctx), b.ID)
	if err != nil {
		return nil, err
	}
	return page(found, "", bondOut), nil
}

func (s bondRoutes) volunteerBonds(ctx context.Context, in *readInput) (*listed[bond], error) {
	v, err := s.him(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	found, err := s.node.Bonds.OfVolunteer(caller(ctx), v.ID)
	if err != nil {
		return nil, err
	}
	return page(found, "", bondOut), nil
}

type makeBondInput struct {
	Writing
	Body struct {
		Beneficiary string `json:"beneficiary" format:"uuid"`
		Volunteer   string `json:"volunteer" format:"uuid"`
	}
}

func (s bondRoutes) makeBond(ctx context.Context, in *makeBondInput) (*written, error) {
	her, err := idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary)
	if err != nil {
		return nil, err
	}
	him, err := idIn[node.VolunteerID]("volunteer", in.Body.Volunteer)
	if err != nil {
		return nil, err
	}
	return write(s.node.Bonds.Make(ctx, caller(ctx), her, him))
}

type checkBondInput struct {
	Acting
	Named
	Body struct {
		GoesOn bool        `json:"goes_on" doc:"They still see each other: asked again in six months"`
		Why    bondEndWord `json:"why,omitempty" doc:"When it does not go on"`
	}
}

func (s bondRoutes) checkBond(ctx context.Context, in *checkBondInput) (*written, error) {
	id, err := idOf[node.BondID](in.Named)
	if err != nil {
		return nil, err
	}
	by := caller(ctx)
	v, err := versionOr(in.IfMatch, func() (uint32, error) {
		b, err := s.node.Bonds.Get(by, id)
		return b.Version, err
	})
	if err != nil {
		return nil, err
	}
	if in.Body.GoesOn {
		return write(s.node.Bonds.GoesOn(ctx, by, id, v))
	}
	return write(s.node.Bonds.End(ctx, by, id, v, bondEnds.value(string(in.Body.Why))))
}
