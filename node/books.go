package node

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/stats"
	"github.com/bippop/bippop/node/internal/store"
)

// Books are the territory's register of processing (GDPR, art. 30) and its impact
// assessment (art. 35), made from what the program keeps, from the one table of who
// may do what, and from the settings in force: so that neither can drift.
type Books struct{ *core }

// Measures are what protects people whatever a territory chooses.
var Measures = rights.Measures

// RegisterEntry is one treatment.
type RegisterEntry struct {
	rights.Purpose
	Data       []RegisterData
	Recipients []string // roles, in plain words
	Durations  []rights.Plain
}

// RegisterData is one struct that is kept for a treatment.
type RegisterData struct {
	Struct string
	Sealed bool
	Fields []rights.Field
}

// actionsFor says what is done with people's data for each treatment: who may do it
// is in [allowed], and so are the recipients.
var actionsFor = map[Treatment][]Action{
	rights.Isolation:    {ReadPeople, WritePeople, HandleRequests, CallPeople, ImportPeople, ExportPeople, ErasePeople, AnswerForSelf, AnswerRights},
	rights.Volunteering: {ReadPeople, VetVolunteers, ChangeOwnReadiness, AnswerForSelf, ExportPeople, ErasePeople, AnswerRights},
	rights.Access:       {ManageAccounts, AnswerRights, ErasePeople},
	rights.Federation:   {OfferAcross, ReadLedger, ReadReleases},
}

// Entries are the lines of the register.
func (s *Books) Entries(by Caller) ([]RegisterEntry, error) {
	if err := by.may(KeepBooks); err != nil {
		return nil, err
	}
	return s.entries()
}

func (s *Books) entries() (out []RegisterEntry, err error) {
	choice, err := s.choice()
	if err != nil {
		return nil, err
	}
	for _, p := range rights.Purposes {
		e := RegisterEntry{Purpose: p}
		for _, h := range rights.Holdings {
			if slices.Contains(h.For, p.Treatment) {
				e.Data = append(e.Data, RegisterData{h.Struct, h.Sealed, h.Fields()})
			}
		}
		var roles account.Roles
		for _, a := range actionsFor[p.Treatment] {
			who, _ := a.Rule()
			roles |= who
		}
		for bit := account.Roles(1); bit != 0; bit <<= 1 {
			if name := rights.Value("account.Roles", strconv.Itoa(int(bit)), false); roles.Has(bit) && name != "" {
				e.Recipients = append(e.Recipients, name)
			}
		}
		for _, r := range p.Rules {
			months, name := choice.Of(r), rights.RuleNames[r]
			e.Durations = append(e.Durations, rights.Plain{
				French: fmt.Sprintf("%d mois : %s", months, name.French), English: fmt.Sprintf("%d months: %s", months, name.English),
			})
		}
		out = append(out, e)
	}
	return out, nil
}

// choice is for how long the territory keeps.
func (s *Books) choice() (c rights.Choice, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		c, _, err = store.Choices.Get(tx, []byte{0})
		return err
	})
	return c, err
}

// Assessment is the impact assessment by the chapters of the CNIL's method.
type Assessment struct {
	Made      Instant
	Territory Territory
	Entries   []RegisterEntry
	Risks     []AssessedRisk
	Settings  []Setting
	Replicas  int
	People    int // in the files: who is helped, and who helps
}

// AssessedRisk is one feared event with what is done against it.
type AssessedRisk struct {
	Name, Sources, Effects string
	Measures               []rights.Measure
	Weak                   []Setting // that speak for it here
}

// Setting is a choice of the territory that bears on privacy. Code is the key of its
// sentence; Weak: it should be looked at again.
type Setting struct {
	Code    string
	Weak    bool
	N       int    // months, machines, places
	Name    string // of a machine, or of a rule
	Against rights.Risks
}

// feared are the CNIL's three, with what brings them about here.
var feared = []struct {
	risk                   rights.Risks
	name, sources, effects string
}{
	{rights.ReadByOthers, "Accès illégitime aux données", "un agent curieux, un compte volé, une machine ou une sauvegarde volée, un prestataire", "la solitude ou l’absence d’une personne connue d’un tiers ; démarchage, abus de faiblesse, gêne dans un village où tout le monde se connaît"},
	{rights.Changed, "Modification non désirée", "une erreur de saisie, un compte volé, un disque abîmé", "une visite au mauvais endroit ou au mauvais moment, une personne qui attend pour rien"},
	{rights.Vanished, "Disparition des données", "une panne, un incendie, un effacement par erreur", "une personne isolée que plus personne n’appelle"},
}

// Assessment puts it together as things are now.
func (s *Books) Assessment(by Caller) (out Assessment, err error) {
	if err := by.may(KeepBooks); err != nil {
		return out, err
	}
	out.Made = s.clock()
	if out.Territory, err = s.territory(); err != nil {
		return out, err
	}
	if out.Entries, err = s.entries(); err != nil {
		return out, err
	}
	if out.Settings, err = s.Settings(by); err != nil {
		return out, err
	}
	for _, f := range feared {
		r := AssessedRisk{Name: f.name, Sources: f.sources, Effects: f.effects}
		for _, m := range rights.Measures {
			if m.Against&f.risk != 0 {
				r.Measures = append(r.Measures, m)
			}
		}
		for _, w := range out.Settings {
			if w.Weak && w.Against&f.risk != 0 {
				r.Weak = append(r.Weak, w)
			}
		}
		out.Risks = append(out.Risks, r)
	}
	out.Replicas = max(1, len(rooting{s.core}.voters()))
	s.find.mu.RLock()
	defer s.find.mu.RUnlock()
	out.People = s.find.index.Len()
	return out, nil
}

// Settings are the choices in force that bear on privacy.
func (s *Books) Settings(by Caller) (out []Setting, err error) {
	if err := by.may(KeepBooks); err != nil {
		return nil, err
	}
	put := func(code string, weak bool, n int, name string, against rights.Risks) {
		out = append(out, Setting{code, weak, n, name, against})
	}
	cluster, err := (&Replicas{s.core}).List(watcher)
	if err != nil {
		return nil, err
	}
	for _, r := range cluster.Replicas {
		if r.State == ReplicaMember {
			put("unseal_"+strconv.Itoa(int(r.Unsealing)), r.Unsealing == replica.ByFile, 0, r.Name, rights.ReadByOthers)
		}
	}
	voters := len(rooting{s.core}.voters())
	put("machines", voters < 3, max(1, voters), "", rights.Vanished)
	data, keys := 0, 0
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Destinations.Each(tx, nil, func(d backup.Destination) bool {
			if d.State == backup.Registered {
				if d.Data {
					data++
				}
				if d.Keys {
					keys++
				}
			}
			return true
		})
	})
	if err != nil {
		return nil, err
	}
	none := map[bool]string{true: "_none"}
	put("backup_data"+none[data == 0], data == 0, data, "", rights.Vanished)
	put("backup_keys"+none[keys == 0], keys == 0, keys, "", rights.Vanished)
	choice, err := s.choice()
	if err != nil {
		return nil, err
	}
	for _, rule := range rights.Rules {
		months := choice.Of(rule)
		put("months", months > rights.Terms[rule].Default, int(months), rights.RuleNames[rule].French, rights.ReadByOthers)
	}
	membership, err := s.membership()
	if err != nil {
		return nil, err
	}
	if membership.Belongs() {
		if state := s.federating.rosters.State(); state != nil {
			put("witnesses", state.Threshold < 2, int(state.Threshold), state.Name, rights.ReadByOthers)
		}
	} else {
		put("alone", false, 0, "", 0)
	}
	put("cells", stats.Least < 11, stats.Least, "", rights.ReadByOthers)
	return out, nil
}
