package api

import (
	"context"

	"github.com/bippop/bippop/node"
)

// catalogueRoutes are the operations of this file.
type catalogueRoutes struct{ *server }

// actionType is one kind of action that the territory offers.
type actionType struct {
	ID       string       `json:"id" format:"uuid" readOnly:"true"`
	Version  uint32       `json:"version" readOnly:"true"`
	Name     string       `json:"name" example:"Courses"`
	Icon     string       `json:"icon" required:"false" pattern:"^[a-z-]{0,30}$" doc:"A name of the interface's drawings"`
	Category categoryWord `json:"category" doc:"The national word under which it is counted"`
	Pairing  pairingWord  `json:"pairing" doc:"When two go together"`
	Car      bool         `json:"car" required:"false"`
	Mobility bool         `json:"mobility" required:"false"`
	AtHome   bool         `json:"at_home" required:"false"`
	Minutes  int          `json:"minutes" minimum:"0" maximum:"720" doc:"Usual length"`
	Order    int          `json:"order" required:"false" minimum:"0" maximum:"255" doc:"On the desk"`
	Retired  bool         `json:"retired" required:"false"`
}

func actionTypeOut(t node.ActionType) actionType {
	return actionType{
		ID: t.ID.String(), Version: t.Version, Name: t.Name, Icon: t.Icon, Category: categoryWord(categories.of(t.Category)),
		Pairing: pairingWord(pairings.of(t.Pairing)), Car: t.Car, Mobility: t.Mobility, AtHome: t.AtHome,
		Minutes: int(t.Minutes), Order: int(t.Order), Retired: t.Retired,
	}
}

func (t actionType) in() node.ActionType {
	return node.ActionType{
		Name: t.Name, Icon: t.Icon, Category: categories.value(string(t.Category)), Pairing: pairings.value(string(t.Pairing)),
		Car: t.Car, Mobility: t.Mobility, AtHome: t.AtHome, Minutes: uint16(t.Minutes), Order: uint8(t.Order), Retired: t.Retired,
	}
}

func (s catalogueRoutes) actionTypes(_ context.Context, _ *struct{ Reading }) (*listed[actionType], error) {
	found, err := s.node.Catalogue.All()
	if err != nil {
		return nil, err
	}
	return page(found, "", actionTypeOut), nil
}

type addTypeInput struct {
	Writing
	Body actionType
}

func (s catalogueRoutes) addActionType(ctx context.Context, in *addTypeInput) (*written, error) {
	return write(s.node.Catalogue.Define(ctx, caller(ctx), 0, in.Body.in()))
}

type changeTypeInput struct {
	Changing
	Named
	Body actionType
}

func (s catalogueRoutes) changeActionType(ctx context.Context, in *changeTypeInput) (*written, error) {
	id, err := idOf[node.TypeID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	t := in.Body.in()
	t.ID = id
	return write(s.node.Catalogue.Define(ctx, caller(ctx), v, t))
}
