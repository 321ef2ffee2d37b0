package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// enrol writes down the beneficiary of index i.
func (f *filler) enrol(ctx context.Context, i int) error {
	b := f.world.Beneficiaries[i]
	facts, words := f.wordsOf(b)
	r, err := f.node.Beneficiaries.Enrol(ctx, f.by, facts, words)
	if err != nil {
		return fmt.Errorf("enrolling somebody: %w", err)
	}
	f.her[i] = r.ID
	f.steps.step(1)
	return nil
}

func (f *filler) wordsOf(b synth.Beneficiary) (node.BeneficiaryFacts, node.BeneficiaryWords) {
	facts := node.BeneficiaryFacts{Commune: f.codes[b.CommuneIndex], State: node.Active, Basis: node.Consent, Notice: node.ReadOnPhone}
	words := node.BeneficiaryWords{
		Civility: crypto.NewSecret(b.Civility), Last: crypto.NewSecret(b.Last), First: crypto.NewSecret(b.First),
		Birth: crypto.NewSecret(fmt.Sprintf("%02d/%02d/%04d", b.Birth.Day, b.Birth.Month, b.Birth.Year)), Modes: b.ContactModes,
		Address: crypto.NewSecret(b.Address), Entry: crypto.NewSecret(b.Complement), Needs: crypto.NewSecret(b.NeedsText),
		Languages: languages(b.Languages), Trusted: contactOf(b.Trusted), Emergency: contactOf(b.Emergency),
		TrustWord: crypto.NewSecret(b.TrustWord), Note: crypto.NewSecret(b.Note),
	}
	if c, ok := node.LookupCommune(facts.Commune); ok && len(c.Postcodes) > 0 {
		words.Postcode = crypto.NewSecret(c.Postcodes[0])
	}
	for _, p := range b.Phones {
		words.Phones = append(words.Phones, node.Phone{Number: crypto.NewSecret(p.Number), Label: crypto.NewSecret(p.Label), Ring: crypto.NewSecret(p.Ring)})
	}
	if b.MayAsk != (synth.Contact{}) {
		words.MayAsk = []node.Contact{contactOf(b.MayAsk)}
	}
	return facts, words
}

func contactOf(c synth.Contact) node.Contact {
	return node.Contact{Name: crypto.NewSecret(c.Name), Phone: crypto.NewSecret(c.Phone), Link: crypto.NewSecret(c.Link)}
}

// languageNames says in French which languages the world's people speak.
var languageNames = map[string]string{
	"fr": "français", "pt": "portugais", "es": "espagnol", "it": "italien", "ar": "arabe", "en": "anglais", "oc": "occitan",
	"pl": "polonais", "de": "allemand", "vi": "vietnamien",
}

// languages says nothing of people who speak French alone.
func languages(codes []string) node.Secret {
	if slices.Equal(codes, []string{"fr"}) {
		return node.Secret{}
	}
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = code
		if name, ok := languageNames[code]; ok {
			names[i] = name
		}
	}
	return crypto.NewSecret(strings.Join(names, ", "))
}

// steps that lead a volunteer to where the world has him.
var stepsTo = map[string][]node.Status{
	synth.Applicant: nil,
	synth.Met:       {node.Met},
	synth.Approved:  {node.Met, node.Approved},
	synth.Suspended: {node.Met, node.Approved, node.Suspended},
	synth.Ended:     {node.Met, node.Approved, node.Ended},
}

// join registers the volunteer of index i and takes him to his status.
func (f *filler) join(ctx context.Context, i int) error {
	v := f.world.Volunteers[i]
	offer := node.Readiness{
		Commune: f.codes[v.CommuneIndex], RadiusKm: uint8(v.RadiusKm), Car: v.Car, Seats: uint8(v.Seats), PerWeek: uint8(v.MaxPerWeek),
		Week: node.Week(v.Availability),
	}
	for _, kind := range v.Kinds {
		if id := f.kinds[kind]; !slices.Contains(offer.Kinds, id) {
			offer.Kinds = append(offer.Kinds, id)
		}
	}
	r, err := f.node.Volunteers.Register(ctx, f.by, offer, node.VolunteerWords{
		Civility: crypto.NewSecret(v.Civility), Last: crypto.NewSecret(v.Last), First: crypto.NewSecret(v.First),
		Birth: crypto.NewSecret(strconv.Itoa(v.BirthYear)), Phones: []node.Phone{{Number: crypto.NewSecret(v.Phone)}},
		Email: crypto.NewSecret(v.Email), Address: crypto.NewSecret(v.Address), CarText: crypto.NewSecret(v.CarText),
		Languages: languages(v.Languages),
	})
	if err != nil {
		return fmt.Errorf("registering a volunteer: %w", err)
	}
	f.him[i] = r.ID
	for _, to := range stepsTo[v.Status] {
		if r, err = f.node.Volunteers.Step(ctx, f.by, r.ID, r.Version, to, 0); err != nil {
			return fmt.Errorf("moving a volunteer along: %w", err)
		}
	}
	f.steps.step(1)
	return nil
}

// relate writes down whom people like to see come, and whom not: the volunteers
// had to be there first.
func (f *filler) relate(ctx context.Context) error {
	var who []int
	for i, b := range f.world.Beneficiaries {
		if len(b.Preferred)+len(b.Refused) > 0 {
			who = append(who, i)
		}
	}
	return together(ctx, who, func(ctx context.Context, i int) error {
		her, err := f.node.Beneficiaries.Get(f.by, f.her[i])
		if err != nil {
			return err
		}
		facts := node.BeneficiaryFacts{Commune: her.Commune, State: her.State, Basis: her.Enrolled.Basis, Notice: her.Enrolled.Notice}
		facts.Preferred = f.ids(f.world.Beneficiaries[i].Preferred)
		facts.Refused = f.ids(f.world.Beneficiaries[i].Refused)
		_, err = f.node.Beneficiaries.Change(ctx, f.by, her.ID, her.Version, facts, her.Words)
		return err
	})
}

func (f *filler) ids(volunteers []int) []node.VolunteerID {
	out := make([]node.VolunteerID, len(volunteers))
	for i, v := range volunteers {
		out[i] = f.him[v]
	}
	return out
}
