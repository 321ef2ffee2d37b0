package api

import (
	"fmt"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// What beneficiaries and volunteers have in common.

type phone struct {
	Number string `json:"number" example:"05 36 49 12 07" doc:"As people write it; kept in E.164"`
	Label  string `json:"label,omitempty" example:"sa fille"`
	Ring   string `json:"ring,omitempty" example:"laisser sonner 12 fois"`
}

type contact struct {
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
	Link  string `json:"link,omitempty" example:"fille"`
}

// person is somebody in a list about something else.
type person struct {
	ID          string  `json:"id" format:"uuid"`
	Civility    string  `json:"civility,omitempty"`
	LastName    string  `json:"last_name"`
	FirstName   string  `json:"first_name,omitempty"`
	Commune     string  `json:"commune" doc:"INSEE code"`
	CommuneName string  `json:"commune_name"`
	Phones      []phone `json:"phones"`
}

func herShort(b node.Beneficiary) person {
	return person{
		ID: b.ID.String(), Civility: b.Words.Civility.Reveal(), LastName: b.Words.Last.Reveal(), FirstName: b.Words.First.Reveal(),
		Commune: b.Commune, CommuneName: node.CommuneName(b.Commune), Phones: phonesOut(b.Words.Phones),
	}
}

func hisShort(v node.Volunteer) person {
	return person{
		ID: v.ID.String(), Civility: v.Words.Civility.Reveal(), LastName: v.Words.Last.Reveal(), FirstName: v.Words.First.Reveal(),
		Commune: v.Offer.Commune, CommuneName: node.CommuneName(v.Offer.Commune), Phones: phonesOut(v.Words.Phones),
	}
}

func phonesOut(in []node.Phone) []phone {
	out := make([]phone, 0, len(in))
	for _, p := range in {
		out = append(out, phone{p.Number.Reveal(), p.Label.Reveal(), p.Ring.Reveal()})
	}
	return out
}

func phonesIn(in []phone) (out []node.Phone) {
	for _, p := range in {
		out = append(out, node.Phone{Number: crypto.NewSecret(p.Number), Label: crypto.NewSecret(p.Label), Ring: crypto.NewSecret(p.Ring)})
	}
	return out
}

func contactOut(c node.Contact) contact {
	return contact{c.Name.Reveal(), c.Phone.Reveal(), c.Link.Reveal()}
}

func contactIn(c contact) node.Contact {
	return node.Contact{Name: crypto.NewSecret(c.Name), Phone: crypto.NewSecret(c.Phone), Link: crypto.NewSecret(c.Link)}
}

// at is an instant in answers; the zero time, left out, when there is none.
func at(i node.Instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return i.Time()
}

// idsIn reads identifiers of one field.
func idsIn[T ~[16]byte](field string, in []string) ([]T, error) {
	var out []T
	for _, text := range in {
		id, err := idIn[T](field, text)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// idIn reads the identifier of a field of the body; "" is none.
func idIn[T ~[16]byte](field, text string) (T, error) {
	if text == "" {
		return T{}, nil
	}
	id, err := node.ParseID[T](text)
	if err != nil {
		return T{}, malformed("body."+field, "expected an identifier")
	}
	return id, nil
}

// Named is in every input about one record.
type Named struct {
	ID string `path:"id" format:"uuid"`
}

// idOf reads the identifier of the path.
func idOf[T ~[16]byte](in Named) (T, error) {
	id, err := node.ParseID[T](in.ID)
	if err != nil {
		return T{}, malformed("path.id", "expected an identifier")
	}
	return id, nil
}

func idsOut[T fmt.Stringer](ids []T) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, id.String())
	}
	return out
}

// change is one line of a history.
type change struct {
	Version uint32    `json:"version"`
	At      time.Time `json:"at"`
	What    string    `json:"what" example:"accepted" doc:"enrolled, changed, registered, stepped, opened, published, asked, accepted, refused, withdrawn, called, finished, dropped, recorded, imported"`
	By      string    `json:"by,omitempty" format:"uuid" doc:"The account; none when the node did it"`
	ByName  string    `json:"by_name,omitempty"`
}

// history maps changes and looks up who made them, each once.
func (s *server) history(by node.Caller, in []node.Change, err error) (*listed[change], error) {
	if err != nil {
		return nil, err
	}
	who := map[node.AccountID]string{}
	for _, c := range in {
		if _, ok := who[c.By]; ok {
			continue
		}
		name, err := s.node.Accounts.Name(by, c.By)
		if err != nil {
			return nil, err
		}
		who[c.By] = name.Reveal()
	}
	return page(in, "", func(c node.Change) change {
		return change{c.Version, at(c.At), changes.of(c.Command), c.By.String(), who[c.By]}
	}), nil
}
