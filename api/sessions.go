package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// sessionRoutes are the operations of this file.
type sessionRoutes struct{ *server }

type signInInput struct {
	Body struct {
		Login    string `json:"login" maxLength:"200"`
		Password string `json:"password" format:"password"`
		Code     string `json:"code,omitempty" maxLength:"40" doc:"Of the account's application, or from its paper, where it has one"`
	}
}

type session struct {
	Token     string     `json:"token" doc:"Send it as Authorization: Bearer"`
	ExpiresAt time.Time  `json:"expires_at"`
	Account   string     `json:"account" format:"uuid"`
	Roles     []roleWord `json:"roles"`
	Volunteer string     `json:"volunteer,omitempty" format:"uuid" doc:"To whom the account belongs"`
}

type opened struct {
	Index uint64 `header:"X-Index"`
	Body  session
}

func (s sessionRoutes) signIn(ctx context.Context, in *signInInput) (*opened, error) {
	e, err := s.node.Entrance.Enter(ctx, node.Proof{
		Login: in.Body.Login, Password: crypto.NewSecret(in.Body.Password), Code: crypto.NewSecret(in.Body.Code), From: callOf(ctx).from, Bearer: true,
	})
	if err == nil && !e.Half.Empty() {
		err = node.ErrCodeNeeded
	}
	if err != nil {
		return nil, err
	}
	token, by := e.Token, e.By
	return &opened{s.node.Index(), session{
		Token: token.Text.Reveal(), ExpiresAt: token.Expires.UTC(),
		Account: by.Account.String(), Roles: roleWords(by.Roles), Volunteer: by.Volunteer.String(),
	}}, nil
}

// indexed answers a write that has nothing to say.
type indexed struct {
	Index uint64 `header:"X-Index"`
}

func (s sessionRoutes) signOut(ctx context.Context, _ *struct{}) (*indexed, error) {
	if err := s.node.Accounts.SignOut(ctx, callOf(ctx).token); err != nil {
		return nil, err
	}
	return &indexed{s.node.Index()}, nil
}

type self struct {
	Account   string     `json:"account" format:"uuid"`
	Name      string     `json:"name,omitempty"`
	Roles     []roleWord `json:"roles" doc:"The one that is worn"`
	Hats      []roleWord `json:"hats" doc:"That may be worn; see switch-role"`
	Communes  []string   `json:"communes" doc:"That are reached, INSEE codes; none: the whole territory"`
	Volunteer string     `json:"volunteer,omitempty" format:"uuid"`
}

func (s sessionRoutes) me(ctx context.Context, _ *struct{ Reading }) (*answer[self], error) {
	by, err := s.node.Accounts.Named(caller(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[self]{selfOf(by)}, nil
}

func selfOf(by node.Caller) self {
	communes := by.Communes
	if communes == nil {
		communes = []string{}
	}
	return self{by.Account.String(), by.Name.Reveal(), roleWords(by.Roles), roleWords(by.Hats), communes, by.Volunteer.String()}
}
