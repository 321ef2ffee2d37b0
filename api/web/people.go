package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// people are the pages of beneficiaries.
type people struct{ *Site }

// communeChoice is one commune of the territory in a select.
type communeChoice struct {
	Code, Label string
}

// communes are those that the caller reaches, by name.
func (s *Site) communes(by node.Caller) (out []communeChoice) {
	t, err := s.node.Settings.Territory()
	if err != nil {
		return nil
	}
	codes := t.Communes
	if len(by.Communes) > 0 {
		codes = by.Communes
	}
	for _, code := range codes {
		out = append(out, communeChoice{code, node.CommuneName(code)})
	}
	sortChoices(out)
	return out
}

// listPage is how many people stand on a page of the register.
const listPage = 40

// mostToChoose is how many volunteers a form lets choose from: the nearest.
const mostToChoose = 200

// letters are the initials of the register.
const letters = "abcdefghijklmnopqrstuvwxyz"

// register reads which page of the register is asked for. What cannot be read is
// the first page of all.
func register(c *gin.Context) (r node.Register) {
	r.Limit = listPage
	if code := c.Query("commune"); len(code) == 5 {
		r.Commune = code
	}
	if l := c.Query("letter"); len(l) == 1 && strings.Contains(letters, l) {
		r.Initial = l[0]
	}
	if n, err := strconv.Atoi(c.Query("skip")); err == nil && n > 0 && n < 1_000_000 {
		r.Skip = n
	}
	return r
}

// list is the register of beneficiaries, by name.
func (s people) list(c *gin.Context) {
	r := register(c)
	list, more, err := s.node.Find.Beneficiaries(caller(c), r)
	if err != nil {
		s.fail(c, err)
		return
	}
	next := 0
	if more {
		next = r.Skip + len(list)
	}
	s.render(c, http.StatusOK, "people", page{Title: s.words(c).t("people.title"), Here: "people", Data: struct {
		People   []node.Beneficiary
		Communes []communeChoice
		Commune  string
		Letters  []string
		Letter   string
		Next     int
	}{list, s.communes(caller(c)), r.Commune, strings.Split(letters, ""), strings.Trim(string(rune(r.Initial)), "\x00"), next}})
}

// personForm is the form of a person: what was typed.
type personForm struct {
	ID       string
	Version  uint32
	Words    node.BeneficiaryWords
	Facts    node.BeneficiaryFacts
	Communes []communeChoice
	Similar  []node.Found
	Sure     bool
	Now      *node.Beneficiary // what somebody else saved meanwhile
	Problem  *problem
}

// modes of contact, in the order of the form.
var modes = []string{"phone", "letter", "visit", "sms", "email", "app"}

func (s people) blank(c *gin.Context) {
	s.showForm(c, http.StatusOK, personForm{Facts: node.BeneficiaryFacts{Basis: node.Consent}})
}

// blankFrom opens the form with what was looked for in vain: a name, or a
// number.
func (s people) blankFrom(c *gin.Context) {
	f := personForm{Facts: node.BeneficiaryFacts{Basis: node.Consent}}
	q := strings.TrimSpace(c.PostForm("q"))
	if e164, err := node.ParsePhone(q); err == nil {
		f.Words.Phones = []node.Phone{{Number: crypto.NewSecret(e164)}}
	} else if len(q) <= 80 {
		f.Words.Last = crypto.NewSecret(q)
	}
	s.showForm(c, http.StatusOK, f)
}

func (s people) showForm(c *gin.Context, code int, f personForm) {
	f.Communes = s.communes(caller(c))
	for len(f.Words.Phones) < 2 {
		f.Words.Phones = append(f.Words.Phones, node.Phone{})
	}
	if len(f.Words.MayAsk) == 0 {
		f.Words.MayAsk = []node.Contact{{}}
	}
	title := s.words(c).t("people.new")
	if f.ID != "" {
		title = s.words(c).t("people.change")
	}
	s.render(c, code, "person_form", page{Title: title, Here: "people", Narrow: true, Problem: f.Problem, Data: f})
}

func readPersonForm(c *gin.Context) (f personForm) {
	secret := func(name string) node.Secret { return crypto.NewSecret(c.PostForm(name)) }
	contact := func(prefix string) node.Contact {
		return node.Contact{Name: secret(prefix + "_name"), Phone: secret(prefix + "_phone"), Link: secret(prefix + "_link")}
	}
	f.Words = node.BeneficiaryWords{
		Civility: secret("civility"), Last: secret("last_name"), First: secret("first_name"), Birth: secret("birth"), Email: secret("email"),
		Modes: c.PostFormArray("modes"), Address: secret("address"), Entry: secret("entry"), Postcode: secret("postcode"), Needs: secret("needs"),
		Languages: secret("languages"), TrustWord: secret("trust_word"), Note: secret("note"), Paper: node.Paper(c.PostForm("paper")), Trusted: contact("trusted"), Emergency: contact("emergency"),
	}
	numbers, labels, rings := c.PostFormArray("phone"), c.PostFormArray("phone_label"), c.PostFormArray("phone_ring")
	for i := range numbers {
		p := node.Phone{Number: crypto.NewSecret(numbers[i])}
		if i < len(labels) {
			p.Label = crypto.NewSecret(labels[i])
		}
		if i < len(rings) {
			p.Ring = crypto.NewSecret(rings[i])
		}
		f.Words.Phones = append(f.Words.Phones, p)
	}
	if may := contact("may_ask"); !may.Name.Empty() || !may.Phone.Empty() {
		f.Words.MayAsk = []node.Contact{may}
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(c.PostForm(name), 10, 32)
		return n
	}
	f.Version = uint32(number("version"))
	f.Facts.Commune = c.PostForm("commune")
	f.Facts.State, f.Facts.Basis, f.Facts.Notice = node.Active, node.BeneficiaryFacts{}.Basis, node.NoNotice
	switch number("basis") {
	case 1:
		f.Facts.Basis = node.Consent
	case 2:
		f.Facts.Basis = node.PublicInterest
	case 3:
		f.Facts.Basis = node.VitalInterest
	}
	switch number("notice") {
	case 1:
		f.Facts.Notice = node.ReadOnPhone
	case 2:
		f.Facts.Notice = node.GivenByHand
	case 3:
		f.Facts.Notice = node.SentByLetter
	}
	if c.PostForm("left") == "yes" {
		f.Facts.State = node.Left
	}
	f.Sure = c.PostForm("sure") == "yes"
	return f
}

func (s people) enrol(c *gin.Context) {
	f := readPersonForm(c)
	by := caller(c)
	if !f.Sure {
		var numbers []node.Secret
		for _, p := range f.Words.Phones {
			numbers = append(numbers, p.Number)
		}
		similar, err := s.node.Find.Duplicates(by, f.Words.Last, f.Words.First, numbers)
		if err == nil && len(similar) > 0 {
			f.Similar = similar
			f.Problem = &problem{Text: s.words(c).t("problem.maybe-duplicate")}
			s.showForm(c, http.StatusConflict, f)
			return
		}
	}
	r, err := s.node.Beneficiaries.Enrol(c.Request.Context(), writer(c), f.Facts, f.Words)
	if err != nil {
		f.Problem = s.words(c).say(err)
		s.showForm(c, status(err), f)
		return
	}
	c.Redirect(http.StatusSeeOther, "/desk/"+node.BeneficiaryID(r.ID).String()+"?ok=enrolled")
}

// personData is one person's page.
type personData struct {
	node.Beneficiary
	Visits    []node.Visit
	Usual     []node.Familiar
	Again     []node.Recurrence
	Attempts  []node.Attempt
	Call      *node.Call
	History   []line
	Preferred []node.Volunteer
	Refused   []node.Volunteer
	By        node.Secret // who enrolled her
	Bonds     []node.Bond
	Erased    *node.Wanted // with the next batch
	Key       string
}

// Knows reports whether he is among those who have been with her.
func (d personData) Knows(v node.VolunteerID) bool {
	return slices.ContainsFunc(d.Usual, func(f node.Familiar) bool { return f.Volunteer.ID == v })
}

// Likes is what she says of him.
func (d personData) Likes(v node.VolunteerID) node.Liking {
	switch {
	case slices.Contains(d.Beneficiary.Preferred, v):
		return node.Prefers
	case d.Refuses(v):
		return node.Declines
	}
	return node.NoMatter
}

// likes notes what she says of a volunteer.
func (s people) likes(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	var him node.VolunteerID
	if err == nil {
		him, err = node.ParseID[node.VolunteerID](c.PostForm("volunteer"))
	}
	if err == nil {
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		how, _ := strconv.ParseUint(c.PostForm("how"), 10, 8)
		_, err = s.node.Beneficiaries.Likes(c.Request.Context(), writer(c), id, uint32(version), him, node.Liking(how))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+id.String()+"?ok=changed")
}

func (s people) page(c *gin.Context) {
	by := caller(c)
	d, err := s.read(s.words(c), by, c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "person", page{Title: s.words(c).t("desk.record"), Here: "people", Data: d})
}

func (s people) read(w *tongue, by node.Caller, id string) (d personData, err error) {
	who, err := node.ParseID[node.BeneficiaryID](id)
	if err != nil {
		return d, err
	}
	d.Key = newKey()
	if d.Beneficiary, err = s.node.Beneficiaries.Get(by, who); err != nil {
		return d, err
	}
	if d.Visits, _, err = s.node.Requests.OfPerson(by, who, node.Page{Limit: 30}); err != nil {
		return d, err
	}
	if d.Usual, err = s.node.Requests.Usual(by, who); err != nil {
		return d, err
	}
	if d.Attempts, err = s.node.Calls.Attempts(by, who, 10); err != nil {
		return d, err
	}
	if d.Call, err = s.node.Calls.Of(by, who); err != nil {
		return d, err
	}
	if d.Again, err = s.node.Series.OfPerson(by, who); err != nil {
		return d, err
	}
	if d.Bonds, err = s.node.Bonds.OfPerson(by, who); err != nil {
		return d, err
	}
	changes, err := s.node.Beneficiaries.History(by, who)
	if err != nil {
		return d, err
	}
	d.History = s.historyOf(w, by, changes)
	d.By, _ = s.node.Accounts.Name(by, d.Enrolled.By)
	d.Erased = erasures{s.Site}.wanted(by, who)
	for _, v := range d.Beneficiary.Preferred {
		if him, err := s.node.Volunteers.Get(by, v); err == nil {
			d.Preferred = append(d.Preferred, him)
		}
	}
	for _, v := range d.Beneficiary.Refused {
		if him, err := s.node.Volunteers.Get(by, v); err == nil {
			d.Refused = append(d.Refused, him)
		}
	}
	return d, nil
}

func (s people) edit(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	b, err := s.node.Beneficiaries.Get(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	f := personForm{ID: id.String(), Version: b.Version, Words: b.Words}
	f.Facts = node.BeneficiaryFacts{Commune: b.Commune, State: b.State, Basis: b.Enrolled.Basis, Notice: b.Enrolled.Notice}
	s.showForm(c, http.StatusOK, f)
}

func (s people) change(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	f := readPersonForm(c)
	f.ID = id.String()
	old, err := s.node.Beneficiaries.Get(caller(c), id)
	if err == nil {
		// The form shows one person who may ask for her; others stay.
		if len(old.Words.MayAsk) > 1 {
			f.Words.MayAsk = append(f.Words.MayAsk, old.Words.MayAsk[1:]...)
		}
		f.Facts.Preferred, f.Facts.Refused = old.Beneficiary.Preferred, old.Beneficiary.Refused
		_, err = s.node.Beneficiaries.Change(c.Request.Context(), writer(c), id, f.Version, f.Facts, f.Words)
	}
	if err != nil {
		f.Problem = s.words(c).say(err)
		if f.Problem.Code == "stale-version" {
			f.Version, f.Now = old.Version, &old // what was typed stays; what stands now is shown above
		}
		s.showForm(c, status(err), f)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+id.String()+"?ok=changed")
}

// pastForm notes an action that has taken place already.
type pastForm struct {
	Person     node.Beneficiary
	Kinds      []node.ActionType
	Volunteers []node.Volunteer
	Form       requestForm
	Who        []string
	Km, Word   string
	Today      node.Day
}

func (s people) past(c *gin.Context) { s.showPast(c, http.StatusOK, nil) }

func (s people) showPast(c *gin.Context, code int, problem error) {
	by := caller(c)
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	f := pastForm{Form: readRequestForm(c), Who: c.PostFormArray("volunteer"), Km: c.PostForm("km"), Word: c.PostForm("word"), Today: node.DayOf(s.node.Now())}
	if f.Person, err = s.node.Beneficiaries.Get(by, id); err != nil {
		s.fail(c, err)
		return
	}
	if f.Kinds, err = s.offered(); err != nil {
		s.fail(c, err)
		return
	}
	usual, err := s.node.Requests.Usual(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	shown := map[node.VolunteerID]bool{}
	for _, u := range usual {
		f.Volunteers, shown[u.Volunteer.ID] = append(f.Volunteers, u.Volunteer), true
	}
	approved, err := s.node.Find.Near(by, f.Person.Commune, mostToChoose)
	if err != nil {
		s.fail(c, err)
		return
	}
	for _, v := range approved {
		if !shown[v.ID] {
			f.Volunteers = append(f.Volunteers, v)
		}
	}
	s.render(c, code, "past", page{Title: s.words(c).t("people.past_title"), Here: "people", Narrow: true, Problem: s.sayTo(c, problem), Data: f})
}

func (s people) recordPast(c *gin.Context) {
	err := s.recordAction(c)
	if err != nil {
		s.showPast(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+c.Param("id")+"?ok=done")
}

func (s people) recordAction(c *gin.Context) (err error) {
	var in node.PastAction
	if in.Beneficiary, err = node.ParseID[node.BeneficiaryID](c.Param("id")); err != nil {
		return err
	}
	if in.Type, err = node.ParseID[node.TypeID](c.PostForm("type")); err != nil {
		return &node.Error{Kind: node.Invalid, Code: "no-action-type", Field: "type"}
	}
	day, ok := node.ParseDay(c.PostForm("day"))
	if !ok {
		return &node.Error{Kind: node.Invalid, Code: "missing", Field: "day"}
	}
	in.Day = day
	if hour := c.PostForm("hour"); hour != "" {
		if in.Minute, ok = parseHour(hour); !ok {
			return &node.Error{Kind: node.Invalid, Code: "hour-unreadable", Field: "hour"}
		}
	}
	for _, text := range c.PostFormArray("volunteer") {
		v, err := node.ParseID[node.VolunteerID](text)
		if err != nil {
			return err
		}
		in.Volunteers = append(in.Volunteers, v)
	}
	in.Note = crypto.NewSecret(c.PostForm("note"))
	if in.Ending, err = endingOf(c); err != nil {
		return err
	}
	_, err = s.node.Requests.RecordDone(c.Request.Context(), writer(c), in)
	return err
}
