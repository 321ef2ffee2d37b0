package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// mineRoutes are the operations of this file.
type mineRoutes struct{ *server }

// proposal is what a volunteer may know before he has accepted: no name, no
// address, no number.
type proposal struct {
	ID          string    `json:"id" format:"uuid"`
	Version     uint32    `json:"version"`
	Type        kindOf    `json:"type"`
	When        wish      `json:"when"`
	Commune     string    `json:"commune" doc:"INSEE code"`
	CommuneName string    `json:"commune_name"`
	Minutes     int       `json:"minutes"`
	Seats       int       `json:"seats" doc:"Volunteers needed"`
	Taken       int       `json:"taken"`
	Start       time.Time `json:"start,omitzero" doc:"Fixed by who goes with him"`
	Needs       string    `json:"needs,omitempty" doc:"What helps; where he was asked or knows her"`
	Visits      int       `json:"visits" doc:"Of his to her so far"`
}

func proposalOut(p node.Proposal) proposal {
	return proposal{
		ID: p.ID.String(), Version: p.Version, Type: kindOut(p.Kind), When: wishOut(p.Wish), Commune: p.Commune,
		CommuneName: node.CommuneName(p.Commune), Minutes: int(p.Minutes), Seats: int(p.Seats), Taken: p.Taken,
		Start: utc(p.Start), Needs: p.Needs.Reveal(), Visits: p.Visits,
	}
}

// utc keeps the zero time zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// promise is a visit that a volunteer has accepted.
type promise struct {
	Request   proposal    `json:"request"`
	State     stateWord   `json:"state"`
	Start     time.Time   `json:"start,omitzero"`
	Civility  string      `json:"civility,omitempty"`
	FirstName string      `json:"first_name,omitempty"`
	LastName  string      `json:"last_name"`
	Phones    []phone     `json:"phones"`
	Address   string      `json:"address,omitempty"`
	Entry     string      `json:"entry,omitempty"`
	TrustWord string      `json:"trust_word,omitempty"`
	Note      string      `json:"note,omitempty"`
	SheKnows  bool        `json:"she_knows"`
	With      []companion `json:"with"`
	Over      bool        `json:"over" doc:"Its time is past: how was it?"`
}

type companion struct {
	FirstName string `json:"first_name,omitempty"`
	Phone     string `json:"phone,omitempty"`
}

func promiseOut(p node.Promise) promise {
	out := promise{
		Request: proposalOut(p.Proposal), State: stateWord(states.of(p.State)), Start: utc(p.Start),
		Civility: p.Civility.Reveal(), FirstName: p.First.Reveal(), LastName: p.Last.Reveal(), Phones: phonesOut(p.Phones),
		Address: p.Address.Reveal(), Entry: p.Entry.Reveal(), TrustWord: p.TrustWord.Reveal(), Note: p.Note.Reveal(),
		SheKnows: p.SheKnows, With: []companion{}, Over: p.Over,
	}
	for _, c := range p.With {
		out.With = append(out.With, companion{c.First.Reveal(), c.Phone.Reveal()})
	}
	return out
}

// mine is everything on a volunteer's page.
type mine struct {
	Asked    []proposal   `json:"asked" doc:"He was asked"`
	Promised []promise    `json:"promised" doc:"He has accepted"`
	Near     []proposal   `json:"near" doc:"He could take, near him"`
	Thanks   []thanksRead `json:"thanks" doc:"That he has not read yet"`
}

func (s mineRoutes) myRequests(ctx context.Context, _ *struct{ Reading }) (*answer[mine], error) {
	m, err := s.node.Requests.Mine(caller(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[mine]{mine{
		Asked: page(m.Asked, "", proposalOut).Body.Items, Promised: page(m.Promised, "", promiseOut).Body.Items,
		Near: page(m.Near, "", proposalOut).Body.Items, Thanks: page(m.Thanks, "", thanksReadOut).Body.Items,
	}}, nil
}
