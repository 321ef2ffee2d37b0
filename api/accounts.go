package api

import (
	"context"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// accountRoutes are the operations of this file.
type accountRoutes struct{ *server }

// account is who may sign in.
type account struct {
	ID        string     `json:"id" format:"uuid"`
	Version   uint32     `json:"version" doc:"For If-Match"`
	Login     string     `json:"login"`
	Name      string     `json:"name,omitempty"`
	Roles     []roleWord `json:"roles"`
	Grants    []grant    `json:"grants" doc:"How far the roles reach; none: the whole territory"`
	Volunteer string     `json:"volunteer,omitempty" format:"uuid" doc:"To whom it belongs"`
	Closed    bool       `json:"closed"`
}

func accountOut(a node.Account) account {
	return account{a.ID.String(), a.Version, a.Login, a.Name.Reveal(), roleWords(a.Roles), grantsOut(a.Grants), a.Of.String(), a.Closed}
}

func (s accountRoutes) accounts(ctx context.Context, _ *struct{ Reading }) (*listed[account], error) {
	found, err := s.node.Accounts.List(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(found, "", accountOut), nil
}

type openAccountInput struct {
	Writing
	Body struct {
		Login     string     `json:"login" doc:"3 to 40 of a-z 0-9 . - _; says nothing of the person"`
		Password  string     `json:"password" format:"password" doc:"At least 10 characters"`
		Name      string     `json:"name,omitempty"`
		Roles     []roleWord `json:"roles"`
		Grants    []grant    `json:"grants" required:"false" doc:"How far the roles reach; none: the whole territory"`
		Volunteer string     `json:"volunteer,omitempty" format:"uuid" doc:"Of an account with the role volunteer"`
	}
}

func (s accountRoutes) openAccount(ctx context.Context, in *openAccountInput) (*written, error) {
	of, err := idIn[node.VolunteerID]("volunteer", in.Body.Volunteer)
	if err != nil {
		return nil, err
	}
	_, grants := grantsIn(in.Body.Grants)
	return write(s.node.Accounts.Open(ctx, caller(ctx), node.NewAccount{
		Login: in.Body.Login, Password: crypto.NewSecret(in.Body.Password), Name: crypto.NewSecret(in.Body.Name),
		Roles: rolesOf(in.Body.Roles), Grants: grants, Of: of,
	}))
}

type changeAccountInput struct {
	Changing
	Named
	Body struct {
		Roles    []roleWord `json:"roles"`
		Closed   bool       `json:"closed,omitempty"`
		Password string     `json:"password,omitempty" format:"password" doc:"None: it stays"`
	}
}

// changeAccount also ends the sessions of the account.
func (s accountRoutes) changeAccount(ctx context.Context, in *changeAccountInput) (*written, error) {
	id, err := idOf[node.AccountID](in.Named)
	if err != nil {
		return nil, err
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return write(s.node.Accounts.Change(ctx, caller(ctx), id, v, rolesOf(in.Body.Roles), in.Body.Closed, crypto.NewSecret(in.Body.Password)))
}
