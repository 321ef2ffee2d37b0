package node

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/sheet"
	"github.com/bippop/bippop/node/internal/store"
)

// Export writes everybody of one kind as a spreadsheet that a French Excel opens
// and that [Imports] reads back: volunteers, or beneficiaries. Three columns have
// no counterpart on the way in: how to enter goes to the address, half-days to the
// notes, and who may ask, contact modes and the word of trust stay in the file.
// Nothing is written before everything has been read.
func (s *Imports) Export(by Caller, w io.Writer, volunteers bool) error {
	header, rows, err := s.everybody(by, volunteers)
	if err != nil {
		return err
	}
	return sheet.Write(w, header, slices.Values(rows))
}

// ExportWorkbook is Export as .xlsx. Every cell is text, so that no 0 is lost.
func (s *Imports) ExportWorkbook(by Caller, w io.Writer, volunteers bool) error {
	header, rows, err := s.everybody(by, volunteers)
	if err != nil {
		return err
	}
	name := "Bénéficiaires"
	if volunteers {
		name = "Bénévoles"
	}
	return sheet.WriteXLSX(w, name, header, slices.Values(rows))
}

func (s *Imports) everybody(by Caller, volunteers bool) (header []string, rows [][]string, err error) {
	if err := by.may(ExportPeople); err != nil {
		return nil, nil, err
	}
	if err := s.fresh(by); err != nil {
		return nil, nil, err
	}
	if volunteers {
		rows, err = s.hisRows(by)
		return hisHeader, rows, err
	}
	rows, err = s.herRows(by)
	return herHeader, rows, err
}

// Model writes an empty file with the titles that an import understands, to be
// filled in: UTF-8 CSV, as a French Excel opens it.
func (s *Imports) Model(w io.Writer, volunteers bool) error {
	header := herHeader[:slices.Index(herHeader, "Qui peut demander")]
	if volunteers {
		header = hisHeader[:slices.Index(hisHeader, "Description de la voiture")]
	}
	return sheet.Write(w, header, slices.Values[[][]string](nil))
}

// WriteSpreadsheet writes a table as a French Excel opens it, with cells disarmed
// that it would run.
func WriteSpreadsheet(w io.Writer, header []string, rows [][]string) error {
	return sheet.Write(w, header, slices.Values(rows))
}

var herHeader = []string{
	"Civilité", "Nom", "Prénom", "Date de naissance", "Téléphone", "Téléphone 2", "Consigne d'appel", "Courriel", "Adresse",
	"Complément d'adresse", "Code postal", "Commune", "Besoins", "Langues", "Personne à prévenir", "Téléphone personne à prévenir",
	"Personne de confiance", "Téléphone personne de confiance", "Observations", "Qui peut demander", "Moyens préférés", "Mot convenu", "Langue des papiers",
}

func (s *Imports) herRows(by Caller) (rows [][]string, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		err := store.Beneficiaries.Each(tx, nil, func(r people.Beneficiary) bool {
			var yes bool
			if yes, inner = visible(tx, r.Enrolled.Import, seen); inner != nil || !yes {
				return inner == nil
			}
			var b Beneficiary
			if b, inner = s.opening(by).beneficiary(r); inner == nil {
				rows = append(rows, herRow(b))
			}
			return inner == nil
		})
		return either(err, inner)
	})
	return rows, err
}

func herRow(b Beneficiary) []string {
	w := b.Words
	first, others := numbersOf(w.Phones)
	ring := ""
	if len(w.Phones) > 0 {
		ring = w.Phones[0].Ring.Reveal()
	}
	var mayAsk []string
	for _, c := range w.MayAsk {
		mayAsk = append(mayAsk, joined(joined(c.Name.Reveal(), c.Link.Reveal()), people.FormatPhone(c.Phone.Reveal())))
	}
	return []string{
		w.Civility.Reveal(), w.Last.Reveal(), w.First.Reveal(), writtenBirth(w.Birth), first, others, ring, w.Email.Reveal(),
		w.Address.Reveal(), w.Entry.Reveal(), w.Postcode.Reveal(), communeOf(b.Commune), w.Needs.Reveal(), w.Languages.Reveal(),
		w.Emergency.Name.Reveal(), w.Emergency.Phone.Reveal(), w.Trusted.Name.Reveal(), w.Trusted.Phone.Reveal(), w.Note.Reveal(),
		strings.Join(mayAsk, " ; "), strings.Join(w.Modes, " "), w.TrustWord.Reveal(), paperNames[w.Paper],
	}
}

var hisHeader = []string{
	"Civilité", "Nom", "Prénom", "Date de naissance", "Téléphone", "Téléphone 2", "Courriel", "Adresse", "Code postal", "Commune",
	"Statut", "Véhicule", "Places", "Rayon (km)", "Types d'actions", "Disponibilités", "Max par semaine", "Langues", "Observations",
	"Description de la voiture", "Langue des papiers",
}

func (s *Imports) hisRows(by Caller) (rows [][]string, err error) {
	types, err := s.types()
	if err != nil {
		return nil, err
	}
	names := map[TypeID]string{}
	for _, t := range types {
		names[t.ID] = t.Name
	}
	err = s.view(by, func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		err := store.Volunteers.Each(tx, nil, func(r people.Volunteer) bool {
			var yes bool
			if yes, inner = visible(tx, r.Import, seen); inner != nil || !yes {
				return inner == nil
			}
			var v Volunteer
			if v, inner = s.opening(by).volunteer(r); inner == nil {
				rows = append(rows, hisRow(v, names))
			}
			return inner == nil
		})
		return either(err, inner)
	})
	return rows, err
}

func hisRow(v Volunteer, names map[TypeID]string) []string {
	w := v.Words
	first, others := numbersOf(w.Phones)
	car := "non"
	if v.Offer.Car {
		car = "oui"
	}
	var kinds []string
	for _, k := range v.Offer.Kinds {
		kinds = append(kinds, names[k])
	}
	postcode := ""
	if c, ok := LookupCommune(v.Offer.Commune); ok && len(c.Postcodes) > 0 {
		postcode = c.Postcodes[0]
	}
	return []string{
		w.Civility.Reveal(), w.Last.Reveal(), w.First.Reveal(), writtenBirth(w.Birth), first, others, w.Email.Reveal(),
		w.Address.Reveal(), postcode, communeOf(v.Offer.Commune), statusWords[v.Status], car, number(v.Offer.Seats),
		strconv.Itoa(int(v.Offer.RadiusKm)), strings.Join(kinds, ", "), writtenWeek(v.Offer.Week), number(v.Offer.PerWeek),
		w.Languages.Reveal(), w.Note.Reveal(), w.CarText.Reveal(), paperNames[w.Paper],
	}
}

// paperNames are read back by sheet.ParsePaper; French goes without saying.
var paperNames = map[Paper]string{people.InEnglish: "anglais"}

// statusWords are read back by statusOf.
var statusWords = map[Status]string{
	people.Applicant: "candidat", people.Met: "rencontré", people.Approved: "approuvé", people.Suspended: "suspendu", people.Ended: "terminé",
}

// numbersOf is the number to call first, and the others. Written as people dial
// them, so that no program takes one for a formula.
func numbersOf(phones []Phone) (first, others string) {
	var numbers []string
	for _, p := range phones {
		numbers = append(numbers, people.FormatPhone(p.Number.Reveal()))
	}
	if len(numbers) == 0 {
		return "", ""
	}
	return numbers[0], strings.Join(numbers[1:], " / ")
}

// writtenBirth is the day before the month, or the year alone.
func writtenBirth(birth Secret) string {
	d, err := time.Parse(time.DateOnly, birth.Reveal())
	if err != nil {
		return birth.Reveal()
	}
	return d.Format("02/01/2006")
}

// communeOf is the name as the registry has it, which an import looks for.
func communeOf(code string) string {
	if c, ok := LookupCommune(code); ok {
		return c.Name
	}
	return code
}

// number writes nothing for "not said".
func number(n uint8) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// writtenWeek names the half-days; nothing stands for any time.
func writtenWeek(w Week) string {
	var parts []string
	for i, day := range []string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"} {
		switch w >> (2 * i) & 3 {
		case 1:
			parts = append(parts, day+" matin")
		case 2:
			parts = append(parts, day+" après-midi")
		case 3:
			parts = append(parts, day)
		}
	}
	return strings.Join(parts, ", ")
}
