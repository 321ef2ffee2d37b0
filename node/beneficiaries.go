package node

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Beneficiaries are the people whom neighbours help.
type Beneficiaries struct{ *core }

// Enrol adds somebody. Words need a last name and a way to reach her: a
// telephone, or an address.
func (s *Beneficiaries) Enrol(ctx context.Context, by Caller, f BeneficiaryFacts, w BeneficiaryWords) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	if f.State == 0 {
		f.State = people.Active
	}
	if err := s.checkBeneficiary(&f, &w); err != nil {
		return Receipt{}, err
	}
	if err := by.mayAt(WritePeople, f.Commune); err != nil {
		return Receipt{}, errCommune
	}
	id := newID[BeneficiaryID]()
	return s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		box, err := s.seal(keys[0], store.Beneficiaries.Name, id, 1, w)
		return command.Enrol{
			Stamp:  s.stamp(by, f.Commune),
			Who:    command.NewBeneficiary{ID: id, Leaf: leaves[0], Facts: f, Box: box},
			Counts: []command.Count{command.CountOf(s.cell(public.Enrolled, f.Commune, public.NoCategory, w), 1)},
		}, err
	})
}

// Change replaces her facts and words. version is the one that was read.
func (s *Beneficiaries) Change(ctx context.Context, by Caller, id BeneficiaryID, version uint32, f BeneficiaryFacts, w BeneficiaryWords) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	if err := s.checkBeneficiary(&f, &w); err != nil {
		return Receipt{}, err
	}
	if err := by.mayAt(WritePeople, f.Commune); err != nil {
		return Receipt{}, errCommune
	}
	r, err := s.beneficiaryRecord(by, id)
	if err != nil {
		return Receipt{}, err
	}
	key, err := s.ring.Open(r.Leaf)
	if err != nil {
		return Receipt{}, explain(err)
	}
	box, err := s.seal(key, store.Beneficiaries.Name, id, version+1, w)
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeBeneficiary{Stamp: s.stamp(by, f.Commune), ID: id, Version: version, Facts: f, Box: box})
}

// Get opens one person's file; the reception gets who she is and how to reach her.
func (s *Beneficiaries) Get(by Caller, id BeneficiaryID) (b Beneficiary, err error) {
	if err := by.may(FindPeople); err != nil {
		return b, err
	}
	r, err := s.beneficiaryRecord(by, id)
	if err != nil {
		return b, err
	}
	b, err = s.opening(by).beneficiary(r)
	s.health.note(err)
	return b, explain(err)
}

func (s *core) beneficiaryRecord(by Caller, id BeneficiaryID) (r people.Beneficiary, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		r, err = beneficiaryIn(tx, id)
		return err
	})
	return r, err
}

// beneficiaryIn reads her record if it is there for readers.
func beneficiaryIn(tx *store.Tx, id BeneficiaryID) (people.Beneficiary, error) {
	r, ok, err := store.Beneficiaries.Get(tx, id[:])
	if err != nil {
		return r, err
	}
	yes, err := visible(tx, r.Enrolled.Import, map[ImportID]bool{})
	if err == nil && (!ok || !yes) {
		err = &Error{Kind: NotFound, Code: "no-beneficiary", Reason: "no such beneficiary"}
	}
	return r, err
}

// errCommune says that a commune belongs to the territory and not to the caller.
var errCommune = invalid("commune", "commune-beyond", "this commune is another desk's: choose one of yours")

// Page is a part of a list.
type Page struct {
	Limit  int    // 1 to 100; 0 means 50
	Cursor []byte // where the last page ended; nil: the beginning
}

func (p Page) limit() int {
	if p.Limit <= 0 || p.Limit > 100 {
		return 50
	}
	return p.Limit
}

// List opens the files of a commune ("" for all), and gives the cursor of the
// next page, or nil at the end.
func (s *Beneficiaries) List(by Caller, commune string, page Page) (out []Beneficiary, next []byte, err error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, nil, err
	}
	list := view.AllByCommune()
	if commune != "" {
		list = view.InCommune(commune)
	}
	err = s.view(by, func(tx *store.Tx) error {
		var rows []people.Beneficiary
		seen := map[ImportID]bool{}
		var inner error
		err := view.Each(tx, list, page.Cursor, false, func(id BeneficiaryID, cursor []byte) bool {
			if len(rows) == page.limit() {
				return false
			}
			next = slices.Clone(cursor)
			r, ok, err := store.Beneficiaries.Get(tx, id[:])
			if inner = err; err != nil || !ok {
				return err == nil
			}
			var yes bool
			if yes, inner = visible(tx, r.Enrolled.Import, seen); inner == nil && yes {
				rows = append(rows, r)
			}
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		if len(rows) < page.limit() {
			next = nil
		}
		for _, r := range rows {
			b, err := s.opening(by).beneficiary(r)
			if err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, next, err
}

// Change of a record, for its history.
type Change struct {
	Version uint32
	At      Instant
	By      AccountID
	Command uint8 // kind of command; the interface has a sentence for each
}

// Liking is what she says of a volunteer.
type Liking uint8

const (
	NoMatter Liking = 0
	Prefers  Liking = 1 // asked first
	Declines Liking = 2 // never asked for her
)

// Likes notes what she says of a volunteer. Of a visit with him that lies ahead
// nothing changes here: whom she declines is taken off by the machine, and she is
// on the call-back list for it.
func (s *Beneficiaries) Likes(ctx context.Context, by Caller, id BeneficiaryID, version uint32, him VolunteerID, how Liking) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	if _, err := (&Volunteers{s.core}).record(by, him); err != nil {
		return Receipt{}, err
	}
	r, err := s.beneficiaryRecord(by, id)
	if err != nil {
		return Receipt{}, err
	}
	without := func(list []VolunteerID) []VolunteerID {
		return slices.DeleteFunc(slices.Clone(list), func(v VolunteerID) bool { return v == him })
	}
	facts := people.Facts{
		Commune: r.Commune, State: r.State, Basis: r.Enrolled.Basis, Notice: r.Enrolled.Notice, Preferred: without(r.Preferred), Refused: without(r.Refused),
	}
	switch how {
	case Prefers:
		facts.Preferred = append(facts.Preferred, him)
	case Declines:
		facts.Refused = append(facts.Refused, him)
	}
	if len(facts.Preferred) > mostLinked || len(facts.Refused) > mostLinked {
		return Receipt{}, invalid("volunteers", "too-many", "at most fifty volunteers are preferred or declined")
	}
	return s.propose(ctx, command.ChangeBeneficiary{Stamp: s.stamp(by, r.Commune), ID: id, Version: version, Facts: facts})
}

// Informed notes that she has been read the information which the law requires.
// Of somebody who has it already nothing is recorded.
func (s *Beneficiaries) Informed(ctx context.Context, by Caller, id BeneficiaryID) (Receipt, error) {
	if err := by.may(WritePeople); err != nil {
		return Receipt{}, err
	}
	r, err := s.beneficiaryRecord(by, id)
	if err != nil || r.Enrolled.Notice != people.NoNotice {
		return Receipt{ID: id, Version: r.Version}, err
	}
	facts := people.Facts{
		Commune: r.Commune, State: r.State, Basis: r.Enrolled.Basis, Notice: people.ReadOnPhone, Preferred: r.Preferred, Refused: r.Refused,
	}
	return s.propose(ctx, command.ChangeBeneficiary{Stamp: s.stamp(by, r.Commune), ID: id, Version: r.Version, Facts: facts})
}

// History lists the changes of her file, oldest first.
func (s *Beneficiaries) History(by Caller, id BeneficiaryID) ([]Change, error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, err
	}
	if _, err := s.beneficiaryRecord(by, id); err != nil {
		return nil, err
	}
	return s.history(store.Beneficiaries.Code, id[:])
}

func (c *core) history(collection byte, id []byte) (out []Change, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		return tx.EachHistory(collection, id, func(h store.History) {
			out = append(out, Change{h.Version, h.At, h.By, h.Command})
		})
	})
	return out, err
}

// Lengths of words, in runes. A form that needs more needs another form.
const (
	longestName = 80
	longestLine = 200
	longestNote = 2000
	mostPhones  = 6
	mostMayAsk  = 6
	mostLinked  = 50 // volunteers preferred or refused
)

// checkBeneficiary puts facts and words into their stored form, or says which field does
// not fit. It never quotes a value.
func (s *core) checkBeneficiary(f *BeneficiaryFacts, w *BeneficiaryWords) error {
	if err := s.inTerritory("commune", f.Commune); err != nil {
		return err
	}
	switch {
	case f.State != people.Active && f.State != people.Left:
		return invalid("state", "unknown-state", "state is active or left")
	case f.Basis < people.Consent || f.Basis > people.VitalInterest:
		return invalid("basis", "missing", "say on what legal basis she is enrolled: consent, public-interest or vital-interest")
	case f.Notice > people.SentByLetter:
		return invalid("notice", "unknown-notice", "notice is none, read-on-phone, given-by-hand or sent-by-letter")
	case len(f.Preferred) > mostLinked || len(f.Refused) > mostLinked:
		return invalid("preferred", "too-many", "at most 50 volunteers can be named here")
	case len(w.Phones) > mostPhones:
		return invalid("phones", "too-many", "at most six telephone numbers")
	case len(w.MayAsk) > mostMayAsk:
		return invalid("may_ask", "too-many", "at most six people may ask for her")
	}
	for _, v := range f.Refused {
		if slices.Contains(f.Preferred, v) {
			return invalid("refused", "contradiction", "a volunteer cannot be both preferred and refused")
		}
	}
	for i := range w.Phones {
		if err := checkPhone("phones", &w.Phones[i]); err != nil {
			return err
		}
	}
	w.Phones = slices.DeleteFunc(w.Phones, func(p Phone) bool { return p.Number.Empty() })
	contacts := []struct {
		field string
		c     *Contact
	}{{"trusted", &w.Trusted}, {"emergency", &w.Emergency}}
	for i := range w.MayAsk {
		contacts = append(contacts, struct {
			field string
			c     *Contact
		}{"may_ask", &w.MayAsk[i]})
	}
	for _, c := range contacts {
		if err := checkContact(c.field, c.c); err != nil {
			return err
		}
	}
	if !w.Paper.Known() {
		return errPaper()
	}
	for _, m := range w.Modes {
		if !slices.Contains([]string{"phone", "letter", "visit", "sms", "email", "app"}, m) {
			return invalid("modes", "unknown-mode", "contact modes are phone, letter, visit, sms, email, app")
		}
	}
	if err := tidyAll(
		line{"civility", &w.Civility, 12}, line{"last_name", &w.Last, longestName}, line{"first_name", &w.First, longestName},
		line{"email", &w.Email, longestLine}, line{"address", &w.Address, longestLine}, line{"entry", &w.Entry, longestLine},
		line{"postcode", &w.Postcode, 10}, line{"needs", &w.Needs, longestNote}, line{"languages", &w.Languages, longestLine},
		line{"trust_word", &w.TrustWord, 40}, line{"note", &w.Note, longestNote},
	); err != nil {
		return err
	}
	if err := s.checkBirth(&w.Birth); err != nil {
		return err
	}
	if err := checkEmail(w.Email); err != nil {
		return err
	}
	switch {
	case w.Last.Empty():
		return invalid("last_name", "missing", "the name is missing")
	case len(w.Phones) == 0 && w.Address.Empty():
		return invalid("phones", "missing", "a telephone number or an address is needed, or nobody can reach her")
	}
	return nil
}

type line struct {
	field   string
	text    *Secret
	longest int
}

// tidyAll trims each text and checks its length.
func tidyAll(lines ...line) error {
	for _, l := range lines {
		text := strings.TrimSpace(l.text.Reveal())
		if err := shortText(l.field, text, l.longest); err != nil {
			return err
		}
		*l.text = crypto.NewSecret(text)
	}
	return nil
}

func checkPhone(field string, p *Phone) error {
	if err := tidyAll(line{field, &p.Number, 40}, line{field, &p.Label, 40}, line{field, &p.Ring, longestLine}); err != nil {
		return err
	}
	if p.Number.Empty() {
		return nil
	}
	e164, err := people.ParsePhone(p.Number.Reveal())
	if err != nil {
		return invalid(field, "phone-unreadable", "this is not a telephone number: ten digits, or + and the country code")
	}
	p.Number = crypto.NewSecret(e164)
	return nil
}

func checkContact(field string, c *Contact) error {
	if err := tidyAll(line{field, &c.Name, longestName}, line{field, &c.Link, 40}); err != nil {
		return err
	}
	p := Phone{Number: c.Phone}
	if err := checkPhone(field, &p); err != nil {
		return err
	}
	c.Phone = p.Number
	return nil
}

func errPaper() error {
	return invalid("paper", "unknown-language", "papers are printed in fr or en")
}

func (s *core) checkBirth(birth *Secret) error {
	if birth.Empty() {
		return nil
	}
	d, err := people.ParseDate(birth.Reveal(), s.date())
	if err != nil {
		return invalid("birth", "date-unreadable", "this is not a date of birth: day/month/year, or the year alone")
	}
	*birth = crypto.NewSecret(d.String())
	return nil
}

func checkEmail(e Secret) error {
	if e.Empty() {
		return nil
	}
	name, host, ok := strings.Cut(e.Reveal(), "@")
	if !ok || name == "" || !strings.Contains(host, ".") || strings.ContainsAny(e.Reveal(), " \t\r\n<>,;") {
		return invalid("email", "email-malformed", "this is not an e-mail address; leave it empty if there is none")
	}
	return nil
}

// date is today as people write it.
func (s *core) date() Date { return dateOf(s.now().In(s.zone())) }

func dateOf(t time.Time) Date {
	return Date{Year: int16(t.Year()), Month: uint8(t.Month()), Day: uint8(t.Day())}
}

// Age is the age in whole years today, or -1 when the birth date is not known.
func Age(birth Secret, today time.Time) int {
	var d Date
	if birth.Empty() || d.UnmarshalText([]byte(birth.Reveal())) != nil || d.Year == 0 {
		return -1
	}
	return d.Age(dateOf(today))
}

// cell is where a fact about her is counted now.
func (s *core) cell(i public.Indicator, commune string, category public.Category, w BeneficiaryWords) public.Cell {
	return cellAt(s.now().In(s.zone()), i, commune, category, w)
}

func cellAt(now time.Time, i public.Indicator, commune string, category public.Category, w BeneficiaryWords) public.Cell {
	code, err := public.ParseCommune(commune)
	if err != nil {
		panic("node: a record holds no commune code")
	}
	sex := public.SexUnknown
	switch strings.ToLower(strings.TrimSuffix(w.Civility.Reveal(), ".")) {
	case "mme", "mlle", "madame":
		sex = public.Woman
	case "m", "mr", "monsieur":
		sex = public.Man
	}
	return public.Cell{
		Indicator: i, Month: public.MonthOf(now.Year(), int(now.Month())), Commune: code, Category: category,
		Sex: sex, Age: public.Band(Age(w.Birth, now)),
	}
}
