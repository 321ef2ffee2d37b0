package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// territoryRoutes are the operations of this file.
type territoryRoutes struct{ *server }

// territory is what the node is for.
type territory struct {
	Siren    string            `json:"siren" readOnly:"true"`
	Name     string            `json:"name" required:"false" doc:"The controller's"`
	Calls    string            `json:"calls" required:"false" doc:"How it calls its service"`
	Phone    string            `json:"phone" required:"false" doc:"The desk's number, public"`
	Hours    string            `json:"hours" required:"false"`
	Colour   string            `json:"colour" required:"false" doc:"Of buttons and heads, #rrggbb; white words must be readable on it. Empty: the usual green"`
	Opening  string            `json:"opening" required:"false" doc:"The first sentence of a call, read aloud"`
	Notice   string            `json:"notice" required:"false" doc:"The information read to whoever is enrolled"`
	Communes []string          `json:"communes" required:"false" doc:"INSEE codes"`
	Names    map[string]string `json:"commune_names" readOnly:"true" doc:"By INSEE code"`
	Zone     string            `json:"zone" readOnly:"true" doc:"Days and hours are counted there"`
	Founded  time.Time         `json:"founded_at" readOnly:"true"`
	Version  uint32            `json:"version" readOnly:"true"`
}

func (s territoryRoutes) territory(_ context.Context, _ *struct{ Reading }) (*one[territory], error) {
	t, err := s.node.Settings.Territory()
	if err != nil {
		return nil, err
	}
	return single(t.Version, territoryOut(t)), nil
}

func territoryOut(t node.Territory) territory {
	out := territory{
		Siren: t.Siren, Name: t.Name, Calls: t.Calls, Phone: t.Phone, Hours: t.Hours,
		Colour: t.Face.Colour, Opening: t.Face.Opening, Notice: t.Face.Notice, Communes: append([]string{}, t.Communes...),
		Names: map[string]string{}, Zone: t.Zone, Founded: at(t.Founded), Version: t.Version,
	}
	for _, code := range t.Communes {
		out.Names[code] = node.CommuneName(code)
	}
	return out
}

type changeTerritoryInput struct {
	Changing
	Body territory
}

func (s territoryRoutes) changeTerritory(ctx context.Context, in *changeTerritoryInput) (*written, error) {
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	now, err := s.node.Settings.Territory()
	if err != nil {
		return nil, err
	}
	b := in.Body
	face := node.Face{Colour: b.Colour, Opening: b.Opening, Notice: b.Notice, Logo: now.Face.Logo} // the logo comes and goes by the page
	return write(s.node.Settings.Change(ctx, caller(ctx), v, node.Territory{Name: b.Name, Calls: b.Calls, Phone: b.Phone, Hours: b.Hours, Communes: b.Communes, Face: face}))
}

// commune is one of France.
type commune struct {
	Code        string   `json:"code" doc:"INSEE"`
	Name        string   `json:"name"`
	Label       string   `json:"label" doc:"With the département where the name alone does not say which"`
	Departement string   `json:"departement"`
	EPCI        string   `json:"epci,omitempty" doc:"SIREN"`
	Population  int32    `json:"population"`
	Postcodes   []string `json:"postcodes"`
}

func communeOut(c node.Commune) commune {
	return commune{
		string(c.Code), c.Name, c.Label(), c.Departement, string(c.EPCI), c.Population, append([]string{}, c.Postcodes...),
	}
}

type communesInput struct {
	Reading
	Q     string `query:"q" required:"true" maxLength:"100" doc:"A name, a postcode or a code"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (s territoryRoutes) communes(_ context.Context, in *communesInput) (*listed[commune], error) {
	return page(node.SearchCommunes(in.Q, in.Limit), "", communeOut), nil
}
