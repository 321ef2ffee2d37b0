package node

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// DataAnswer is all that is held of one person for one purpose, in plain words: what
// she gets who asks for access, or takes her data along. It is made from the
// records by the same table as the register, so that nothing that is kept is left
// out of it.
type DataAnswer struct {
	Made      Instant
	Territory Territory
	Person    Person
	Register  RegisterEntry // what for, for how long, who reads
	Parts     []DataPart
	Readers   []DossierReader // who has opened her file, the newest first
}

// DataPart is one record of hers.
type DataPart struct {
	Struct string // "request.Request"
	At     Instant
	Facts  []DataFact
}

// DataFact is one thing that is known of her.
type DataFact struct {
	Field string // "people.BeneficiaryWords.Last", for programs
	Name  string // in plain words
	Value Secret
}

// DossierReader is one opening of somebody's file, as the journal tells it.
type DossierReader struct {
	At      Instant
	Role    string // of who has opened it, in plain words
	Purpose string
}

// Answer puts together all that is held of whom a case is about, in the language of
// her papers. It needs a case in which it is known who asks.
func (s *Cases) Answer(by Caller, id CaseID) (out DataAnswer, err error) {
	c, err := s.checked(by, id)
	if err != nil {
		return out, err
	}
	out = DataAnswer{Made: s.clock(), Person: c.Person}
	if out.Territory, err = s.territory(); err != nil {
		return out, err
	}
	register, err := (&Books{s.core}).entries()
	if err != nil {
		return out, err
	}
	treatment := rights.Isolation
	if c.Person.Him != nil {
		treatment = rights.Volunteering
	}
	i := slices.IndexFunc(register, func(e RegisterEntry) bool { return e.Treatment == treatment })
	out.Register = register[i]
	err = s.view(by, func(tx *store.Tx) error {
		g := &gatherer{reader: s.reader(by, tx, s.zone()), english: c.Person.Paper == InEnglish}
		if c.Person.Her != nil {
			out.Parts, err = g.hers(*c.Person.Her)
		} else {
			out.Parts, err = g.his(*c.Person.Him)
		}
		return err
	})
	s.health.note(err)
	return out, explain(err)
}

// gatherer reads records into plain words.
type gatherer struct {
	*reader
	english bool
	parts   []DataPart
	err     error
}

// records reads what a list names.
func records[R store.Record](g *gatherer, c store.Collection[R], l view.List, f func(R)) {
	if g.err != nil {
		return
	}
	g.err = view.Each(g.tx, l, nil, true, func(id RequestID, _ []byte) bool {
		r, ok, err := c.Get(g.tx, id[:])
		if ok {
			f(r)
		}
		g.err = err
		return err == nil
	})
}

func (g *gatherer) note(err error) {
	if g.err == nil {
		g.err = err
	}
}

// hers is everything of somebody who is helped.
func (g *gatherer) hers(b Beneficiary) ([]DataPart, error) {
	g.put(0, b.Words, b.Beneficiary)
	records(g, store.Requests, view.OfPerson(b.ID), func(r request.Request) {
		words, err := g.opening(g.by).requestWords(b.Beneficiary, r)
		g.note(err)
		outcome, err := g.opening(g.by).outcomeWords(b.Beneficiary, r)
		g.note(err)
		thanks, err := g.opening(g.by).thanksWords(b.Beneficiary, r)
		g.note(err)
		g.put(r.Opened, r, words, outcome, thanks)
	})
	records(g, store.Series, view.SeriesOf(b.ID), func(r series.Series) {
		words, err := g.opening(g.by).seriesWords(b.Beneficiary, r)
		g.note(err)
		g.put(r.Opened, r, words)
	})
	records(g, store.Attempts, view.CallsTo(b.ID), func(r contact.Attempt) { g.put(r.At, r) })
	records(g, store.Bonds, view.BondsOf(b.ID), func(r bond.Bond) { g.put(r.Changed, r) })
	g.demands(store.Beneficiaries.Code, b.ID, b.Leaf)
	return g.parts, g.err
}

// his is everything of a volunteer. Of the visits he made it says when and what,
// not to whom: that is hers.
func (g *gatherer) his(v Volunteer) ([]DataPart, error) {
	g.put(0, v.Words, v.Volunteer)
	records(g, store.Requests, view.Mentions(v.ID), func(r request.Request) {
		asked, there := r.Asking(v.ID)
		if !there {
			return
		}
		own := request.Request{Type: r.Type, Commune: r.Commune, State: r.State, Plan: r.Plan, Opened: r.Opened, Askings: []request.Asking{asked}}
		g.put(r.Opened, own)
	})
	records(g, store.Offers, view.OffersOf(v.ID), func(r offer.Offer) {
		words, err := g.opening(g.by).offerWords(v.Volunteer, r)
		g.note(err)
		g.put(r.Made, r, words)
	})
	records(g, store.Bonds, view.BondsOf(v.ID), func(r bond.Bond) {
		g.put(r.Changed, bond.Bond{Since: r.Since, State: r.State, Why: r.Why, Changed: r.Changed})
	})
	records(g, store.Accounts, view.AccountsOf(v.ID), func(a account.Account) {
		words, err := g.opening(g.by).account(a)
		g.note(err)
		a.Password = nil // a hash says nothing to her, and much to a thief
		g.put(a.Made, a, words)
	})
	g.demands(store.Volunteers.Code, v.ID, v.Leaf)
	return g.parts, g.err
}

// demands are the rights that were used, with what was noted.
func (g *gatherer) demands(collection byte, who [16]byte, leaf crypto.Leaf) {
	records(g, store.Cases, view.CasesOf(collection, who), func(c rights.Case) {
		var w rights.CaseWords
		if len(c.Box) > 0 {
			g.note(g.opening(g.by).open(leaf, store.Cases.Name, c.ID, c.Boxed, c.Box, &w))
		}
		g.put(c.Opened, c, w)
	})
}

// put adds what stands in some structs as one part, under the first one's name.
func (g *gatherer) put(at Instant, structs ...any) {
	p := DataPart{Struct: reflect.TypeOf(structs[0]).String(), At: at}
	for _, s := range structs {
		g.walk(&p, "", reflect.ValueOf(s))
	}
	if len(p.Facts) > 0 {
		g.parts = append(g.parts, p)
	}
}

// walk reads a struct by the table. What has no value, and what is about the
// machine alone, is left out.
func (g *gatherer) walk(p *DataPart, before string, v reflect.Value) {
	for _, f := range fieldsOf(v.Type().String()) {
		field := v.FieldByName(f.Name)
		if f.Kind == rights.Technical || !field.IsValid() || field.IsZero() {
			continue
		}
		name := f.French
		if g.english {
			name = f.Plain
		}
		if before != "" {
			name = before + " · " + name
		}
		g.fact(p, v.Type().String()+"."+f.Name, f.Name, name, field)
	}
}

// fact writes one value, or those of a struct or list.
func (g *gatherer) fact(p *DataPart, field, short, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if texts, ok := v.Interface().([]string); ok {
			p.Facts = append(p.Facts, DataFact{field, name, crypto.NewSecret(strings.Join(texts, ", "))})
			return
		}
		for i := range v.Len() {
			n := name
			if v.Len() > 1 {
				n += " " + strconv.Itoa(i+1)
			}
			g.fact(p, field, short, n, v.Index(i))
		}
		return
	case reflect.Struct:
		if _, words := v.Interface().(Secret); !words {
			g.walk(p, name, v)
			return
		}
	}
	if text := g.text(short, v); !text.Empty() {
		p.Facts = append(p.Facts, DataFact{field, name, text})
	}
}

// text says a value in plain words.
func (g *gatherer) text(field string, v reflect.Value) Secret {
	say := crypto.NewSecret
	switch x := v.Interface().(type) {
	case Secret:
		if (field == "Number" || field == "Phone") && strings.HasPrefix(x.Reveal(), "+") {
			return say(FormatPhone(x.Reveal()))
		}
		return x
	case Instant:
		return say(x.Time().In(g.zone).Format("02/01/2006 15:04"))
	case Day:
		return say(x.Date().Format("02/01/2006"))
	case Week:
		return say(writtenWeek(x))
	case TypeID:
		t, err := g.kind(x)
		g.note(err)
		return say(t.Name)
	case VolunteerID:
		him, err := g.volunteer(x)
		g.note(err)
		return him.Words.First
	case AccountID:
		return say(map[bool]string{false: "un agent du service", true: "an agent of the service"}[g.english])
	case bool:
		return say(map[bool]string{false: "oui", true: "yes"}[g.english])
	case string:
		if field == "Commune" {
			return say(CommuneName(x))
		}
		if rights.ClosedSet(v.Type().String()) {
			return say(rights.Value(v.Type().String(), x, g.english))
		}
		return say(x)
	}
	return say(inPlain(v, g.english))
}

// InPlain says a value of a closed set, or a number, in French or in English.
func InPlain(value any, english bool) string { return inPlain(reflect.ValueOf(value), english) }

func inPlain(v reflect.Value, english bool) string {
	name := v.Type().String()
	switch {
	case v.Kind() == reflect.String:
		return rights.Value(name, v.String(), english)
	case name == "rights.Use" || name == "rights.Harm" || name == "account.Roles":
		return rights.Bits(name, v.Uint(), english)
	case v.CanUint() && rights.ClosedSet(name):
		return rights.Value(name, strconv.FormatUint(v.Uint(), 10), english)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.Itoa(v.Len()) // an array: how many
}

// fieldsOf is what the table says of a struct.
func fieldsOf(name string) []rights.Field { return holdings()[name] }

// holdings is the table by struct.
var holdings = sync.OnceValue(func() map[string][]rights.Field {
	all := map[string][]rights.Field{}
	for _, h := range rights.Holdings {
		all[h.Struct] = h.Fields()
	}
	return all
})

// PortableData is an answer for programs, in the form in which she takes it along.
type PortableData struct {
	Made      string         `json:"made"`
	Territory string         `json:"territory"`
	Siren     string         `json:"siren"`
	Purpose   string         `json:"purpose"`
	Basis     string         `json:"legal_basis"`
	Source    string         `json:"source"`
	Readers   []string       `json:"recipients"`
	Kept      []string       `json:"kept"`
	Records   []PortablePart `json:"records"`
}

// PortablePart is one record.
type PortablePart struct {
	Record string         `json:"record"`
	Facts  []PortableFact `json:"facts"`
}

// PortableFact is one thing that is known of her.
type PortableFact struct {
	Field string `json:"field"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Portable reveals the answer: for her alone.
func (a DataAnswer) Portable() PortableData {
	english := a.Person.Paper == InEnglish
	out := PortableData{
		Made: a.Made.Time().Format(time.RFC3339), Territory: a.Territory.Name, Siren: a.Territory.Siren, Purpose: a.Register.Title.In(english),
		Basis: a.Register.Basis.In(english), Source: a.Register.Sources.In(english), Readers: a.Register.Recipients,
	}
	for _, d := range a.Register.Durations {
		out.Kept = append(out.Kept, d.In(english))
	}
	for _, p := range a.Parts {
		part := PortablePart{Record: p.Struct}
		for _, f := range p.Facts {
			part.Facts = append(part.Facts, PortableFact{f.Field, f.Name, f.Value.Reveal()})
		}
		out.Records = append(out.Records, part)
	}
	return out
}
