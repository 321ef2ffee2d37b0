package api

import (
	"context"

	"github.com/bippop/bippop/node"
)

// findRoutes are the operations of this file.
type findRoutes struct{ *server }

// found is somebody who was found, and how.
type found struct {
	Kind   kindFoundWord `json:"kind"`
	By     string        `json:"by" enum:"name,sound,phone,commune,spelling,unknown"`
	Person person        `json:"person"`
}

func foundOut(f node.Found) found {
	if f.Beneficiary != nil {
		return found{"beneficiary", f.By.String(), herShort(*f.Beneficiary)}
	}
	return found{"volunteer", f.By.String(), hisShort(*f.Volunteer)}
}

// findInput stands in a body: a name or a number in an address would end up in
// the logs of every proxy on the way.
type findInput struct {
	Reading
	Body struct {
		Q     string        `json:"q" doc:"A name as heard, a telephone number or its last four digits, a name and a commune"`
		Kind  kindFoundWord `json:"kind,omitempty" doc:"None: both"`
		Limit int           `json:"limit,omitempty" minimum:"0" maximum:"100" doc:"At most 50 are found; 0: 20"`
	}
}

func (s findRoutes) find(ctx context.Context, in *findInput) (*listed[found], error) {
	limit := in.Body.Limit
	if limit == 0 {
		limit = 20
	}
	people, err := s.node.Find.People(caller(ctx), in.Body.Q, kindsFound.value(string(in.Body.Kind)), limit)
	if err != nil {
		return nil, err
	}
	return page(people, "", foundOut), nil
}
