package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// thanksRoutes are the operations of this file.
type thanksRoutes struct{ *server }

// thanks are hers, relayed to those who came.
type thanks struct {
	At   time.Time `json:"at,omitzero"`
	Line string    `json:"line,omitempty" doc:"A line of hers"`
	Seen []string  `json:"seen,omitempty" format:"uuid" doc:"Volunteers who have read them"`
}

func thanksOut(v node.Visit) thanks {
	out := thanks{At: at(v.Request.Thanks.At), Line: v.Line.Reveal()}
	if seen := v.Request.Thanks.Seen; len(seen) > 0 {
		out.Seen = idsOut(seen)
	}
	return out
}

// thanksRead is what a volunteer reads.
type thanksRead struct {
	Request   string    `json:"request" format:"uuid"`
	Type      kindOf    `json:"type"`
	Start     time.Time `json:"start"`
	Civility  string    `json:"civility,omitempty"`
	FirstName string    `json:"first_name,omitempty"`
	LastName  string    `json:"last_name"`
	Line      string    `json:"line,omitempty" doc:"Hers"`
}

func thanksReadOut(t node.Thanks) thanksRead {
	return thanksRead{
		t.Request.String(), kindOut(t.Kind), at(t.Start), t.Her.Civility.Reveal(), t.Her.First.Reveal(), t.Her.Last.Reveal(), t.Line.Reveal(),
	}
}

type thankInput struct {
	Writing
	Named
	Body *struct {
		Line string `json:"line,omitempty" doc:"A line of hers, or none"`
	}
}

func (s thanksRoutes) thank(ctx context.Context, in *thankInput) (*written, error) {
	id, err := idOf[node.RequestID](in.Named)
	if err != nil {
		return nil, err
	}
	line := ""
	if in.Body != nil {
		line = in.Body.Line
	}
	return write(s.node.Requests.Thank(ctx, caller(ctx), id, crypto.NewSecret(line)))
}

func (s thanksRoutes) seen(ctx context.Context, in *answerInput) (*written, error) {
	id, who, err := in.names(caller(ctx))
	if err != nil {
		return nil, err
	}
	return write(s.node.Requests.SeeThanks(ctx, caller(ctx), id, who))
}

func (s thanksRoutes) toThank(ctx context.Context, _ *struct{ Reading }) (*listed[visit], error) {
	found, err := s.node.Requests.ToThank(caller(ctx), 0)
	if err != nil {
		return nil, err
	}
	return page(found, "", visitOut), nil
}
