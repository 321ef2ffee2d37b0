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

type findInput struct {
	Reading
	Q     string        `query:"q" required:"true" doc:"A name as heard, a telephone number or its last four digits, a name and a commune"`
	Kind  kindFoundWord `query:"kind" doc:"None: both"`
	Limit int           `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"At most 50 are found"`
}

func (s findRoutes) find(ctx context.Context, in *findInput) (*listed[found], error) {
	people, err := s.node.Find.People(caller(ctx), in.Q, kindsFound.value(string(in.Kind)), in.Limit)
	if err != nil {
		return nil, err
	}
	return page(people, "", foundOut), nil
}
