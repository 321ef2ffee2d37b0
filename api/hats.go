package api

import (
	"context"

	"github.com/bippop/bippop/node"
)

// hatRoutes are the operations of this file: which roles somebody has, and which one is
// worn.
type hatRoutes struct{ *server }

// grant is how far one role of an account reaches.
type grant struct {
	Role        roleWord `json:"role"`
	Communes    []string `json:"communes" required:"false" doc:"INSEE codes; none: the whole territory"`
	Association string   `json:"association,omitempty" doc:"SIREN or RNA number, with the role association"`
	Until       string   `json:"until,omitempty" format:"date-time" readOnly:"true" doc:"Of who stands in for a colleague"`
}

func grantsOut(all []node.Grant) []grant {
	out := []grant{}
	for _, g := range all {
		one := grant{Role: roleWord(roles.of(g.Role)), Communes: g.Communes, Association: g.Association}
		if one.Communes == nil {
			one.Communes = []string{}
		}
		if g.Deputy() {
			one.Until = at(g.Until).Format("2006-01-02T15:04:05Z07:00")
		}
		out = append(out, one)
	}
	return out
}

func grantsIn(all []grant) (found node.Roles, out []node.Grant) {
	for _, g := range all {
		one := roles.value(string(g.Role))
		found |= one
		out = append(out, node.Grant{Role: one, Communes: g.Communes, Association: g.Association})
	}
	return found, out
}

type grantInput struct {
	Changing
	Named
	Body struct {
		Grants []grant `json:"grants" doc:"Each role once; those that stand in for colleagues stay"`
	}
}

// grant sets which roles an account has. Its sessions go on.
func (s hatRoutes) grant(ctx context.Context, in *grantInput) (*written, error) {
	id, err := idOf[node.AccountID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	found, grants := grantsIn(in.Body.Grants)
	return write(s.node.Accounts.Hats(ctx, caller(ctx), id, v, found, grants))
}

type deputyInput struct {
	Writing
	Named
	Body struct {
		Deputy string `json:"deputy" format:"uuid" doc:"The account that stands in"`
		Until  string `json:"until,omitempty" format:"date" doc:"Last day; none: whoever was away is back"`
	}
}

// deputy names who stands in for the account of the path.
func (s hatRoutes) deputy(ctx context.Context, in *deputyInput) (*written, error) {
	away, err := idOf[node.AccountID](in.Named)
	if err != nil {
		return nil, err
	}
	stays, err := idIn[node.AccountID]("deputy", in.Body.Deputy)
	if err != nil {
		return nil, err
	}
	var last node.Day
	if in.Body.Until != "" {
		last, _ = node.ParseDay(in.Body.Until) // its form is in the schema
	}
	return write(s.node.Accounts.StandIn(ctx, caller(ctx), away, stays, last))
}

type switchInput struct {
	Body struct {
		Role roleWord `json:"role"`
	}
}

// put puts on another role of the account, in this session.
func (s hatRoutes) put(ctx context.Context, in *switchInput) (*indexed, error) {
	if err := s.node.Accounts.Switch(ctx, caller(ctx), roles.value(string(in.Body.Role))); err != nil {
		return nil, err
	}
	return &indexed{s.node.Index()}, nil
}

// members are the volunteers for whom the caller's association answers.
func (s hatRoutes) members(ctx context.Context, _ *struct{ Reading }) (*listed[volunteer], error) {
	found, err := s.node.Volunteers.Members(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(found, "", volunteerOut), nil
}
