package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// callRoutes are the operations of this file.
type callRoutes struct{ *server }

// toCall is one person on the call-back list, with everything she must hear.
type toCall struct {
	Beneficiary person    `json:"beneficiary"`
	News        []news    `json:"news"`
	Due         time.Time `json:"due,omitzero" doc:"The earliest hour that the news is about"`
	After       time.Time `json:"after,omitzero" doc:"Not before"`
	Missed      int       `json:"missed_calls" doc:"Since she was last reached"`
}

// news is what she must hear about one request.
type news struct {
	First   bool  `json:"first" doc:"Nobody has told her anything yet; else it has changed"`
	Request visit `json:"request"`
}

func newsOut(in []node.News) []news {
	out := make([]news, 0, len(in))
	for _, n := range in {
		out = append(out, news{n.First, visitOut(n.Visit)})
	}
	return out
}

func (s callRoutes) calls(ctx context.Context, _ *struct{ Reading }) (*listed[toCall], error) {
	found, err := s.node.Calls.List(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(found, "", func(c node.Call) toCall {
		return toCall{herShort(c.Her), newsOut(c.News), at(c.Due), at(c.After), c.Missed}
	}), nil
}

// attempt is one try to reach her.
type attempt struct {
	ID       string    `json:"id" format:"uuid"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty" format:"uuid" doc:"The account"`
	Result   callWord  `json:"result"`
	Means    meansWord `json:"means"`
	Requests []string  `json:"requests" format:"uuid" doc:"That it was about"`
}

func attemptOut(a node.Attempt) attempt {
	return attempt{
		a.ID.String(), at(a.At), a.By.String(), callWord(callResults.of(a.Result)), meansWord(means.of(uint8(a.Means))), idsOut(a.About),
	}
}

type herCalls struct {
	Items []attempt `json:"items" doc:"The newest first"`
	Next  string    `json:"next"`
	News  []news    `json:"news" doc:"What she must hear"`
}

type herCallsInput struct {
	Reading
	Named
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

func (s callRoutes) beneficiaryCalls(ctx context.Context, in *herCallsInput) (*answer[herCalls], error) {
	b, err := s.her(ctx, in.Named)
	if err != nil {
		return nil, err
	}
	attempts, err := s.node.Calls.Attempts(caller(ctx), b.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	pending, err := s.node.Calls.Of(caller(ctx), b.ID)
	if err != nil {
		return nil, err
	}
	out := herCalls{Items: page(attempts, "", attemptOut).Body.Items, News: []news{}}
	if pending != nil {
		out.News = newsOut(pending.News)
	}
	return &answer[herCalls]{out}, nil
}

type callInput struct {
	Writing
	Body struct {
		Beneficiary string    `json:"beneficiary" format:"uuid"`
		Result      callWord  `json:"result"`
		After       time.Time `json:"after,omitempty" doc:"When she was not reached: not before"`
		Heard       []heard   `json:"heard,omitempty" maxItems:"50" doc:"When she was told: what, and what she said to it"`
	}
}

type heard struct {
	Request string `json:"request" format:"uuid"`
	Version uint32 `json:"version" doc:"That was read out"`
	NotHim  string `json:"not_him,omitempty" format:"uuid" doc:"The volunteer whom she does not wish"`
	NoMore  bool   `json:"no_more,omitempty" doc:"She needs it no more"`
}

func (s callRoutes) recordCall(ctx context.Context, in *callInput) (*written, error) {
	her, err := idIn[node.BeneficiaryID]("beneficiary", in.Body.Beneficiary)
	if err != nil {
		return nil, err
	}
	result := callResults.value(string(in.Body.Result))
	if result != node.CallTold {
		var after node.Instant
		if !in.Body.After.IsZero() {
			after = node.Instant(in.Body.After.UnixMilli())
		}
		return write(s.node.Calls.NotReached(ctx, caller(ctx), her, result, after))
	}
	said, err := heardIn(in.Body.Heard)
	if err != nil {
		return nil, err
	}
	return write(s.node.Calls.Told(ctx, caller(ctx), her, said))
}

func heardIn(in []heard) (out []node.Heard, err error) {
	for _, h := range in {
		said := node.Heard{Version: h.Version, NoMore: h.NoMore}
		if said.Request, err = idIn[node.RequestID]("heard", h.Request); err != nil {
			return nil, err
		}
		if said.NotHim, err = idIn[node.VolunteerID]("heard", h.NotHim); err != nil {
			return nil, err
		}
		out = append(out, said)
	}
	return out, nil
}
