package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// volunteers are the pages of volunteers, as the desk sees them.
type volunteers struct{ *Site }

func sortChoices(c []communeChoice) {
	sort.Slice(c, func(i, j int) bool { return c[i].Label < c[j].Label })
}

// statusTabs in the order of a volunteer's way.
var statusTabs = []struct {
	Slug   string
	Status node.Status
}{
	{"applicant", node.Applicant}, {"met", node.Met}, {"approved", node.Approved}, {"suspended", node.Suspended}, {"ended", node.Ended},
}

func (s volunteers) list(c *gin.Context) {
	w, by := s.words(c), caller(c)
	type tab struct {
		Slug, Label string
		Count       int
		Here        bool
	}
	var d struct {
		Tabs []tab
		List []node.Volunteer
		Next int
		Tab  string
	}
	counts, err := s.node.Find.VolunteerCounts(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	r := register(c)
	d.Tab = c.DefaultQuery("status", "approved")
	for _, t := range statusTabs {
		d.Tabs = append(d.Tabs, tab{t.Slug, w.t("volunteers.tab_" + t.Slug), counts[t.Status], t.Slug == d.Tab})
		if t.Slug != d.Tab {
			continue
		}
		list, more, err := s.node.Find.Volunteers(by, t.Status, r)
		if err != nil {
			s.fail(c, err)
			return
		}
		if d.List = list; more {
			d.Next = r.Skip + len(list)
		}
	}
	s.render(c, http.StatusOK, "volunteers", page{Title: w.t("volunteers.title"), Here: "volunteers", Data: d})
}

// volunteerForm is the form of a volunteer: what was typed.
type volunteerForm struct {
	ID       string
	Version  uint32
	Words    node.VolunteerWords
	Offer    node.Readiness
	Communes []communeChoice
	Kinds    []node.ActionType
	Now      *node.Volunteer // what somebody else saved meanwhile
	Today    node.Day
	Ahead    []node.Absence
	Problem  *problem
}

// keep takes over what the form does not show: absences, civility, further
// numbers with their labels, and kinds that are not offered any more. Without
// them, somebody who did one retired kind would come to do every kind.
func (f *volunteerForm) keep(old node.Volunteer, offered []node.ActionType) {
	f.Offer.Absences = old.Offer.Absences
	f.Words.Civility = old.Words.Civility
	if len(old.Words.Phones) > 0 && len(f.Words.Phones) > 0 {
		f.Words.Phones[0].Label, f.Words.Phones[0].Ring = old.Words.Phones[0].Label, old.Words.Phones[0].Ring
		f.Words.Phones = append(f.Words.Phones, old.Words.Phones[1:]...)
	}
	for _, id := range old.Offer.Kinds {
		if !slices.ContainsFunc(offered, func(t node.ActionType) bool { return t.ID == id }) {
			f.Offer.Kinds = append(f.Offer.Kinds, id)
		}
	}
}

// Does reports whether the kind is ticked.
func (f volunteerForm) Does(id node.TypeID) bool { return slices.Contains(f.Offer.Kinds, id) }

func (s volunteers) blank(c *gin.Context) {
	s.showForm(c, http.StatusOK, volunteerForm{Offer: node.Readiness{RadiusKm: 10, PerWeek: 1}})
}

func (s volunteers) showForm(c *gin.Context, code int, f volunteerForm) {
	var err error
	f.Communes = s.communes(caller(c))
	if f.Kinds, err = s.offered(); err != nil {
		s.fail(c, err)
		return
	}
	for len(f.Words.Phones) < 1 {
		f.Words.Phones = append(f.Words.Phones, node.Phone{})
	}
	f.Today = node.DayOf(s.node.Now())
	for _, a := range f.Offer.Absences {
		if a.To >= f.Today {
			f.Ahead = append(f.Ahead, a)
		}
	}
	title := s.words(c).t("volunteers.new")
	if f.ID != "" {
		title = s.words(c).t("volunteers.change")
	}
	s.render(c, code, "volunteer_form", page{Title: title, Here: "volunteers", Narrow: true, Problem: f.Problem, Data: f})
}

func readVolunteerForm(c *gin.Context) (f volunteerForm, err error) {
	secret := func(name string) node.Secret { return crypto.NewSecret(c.PostForm(name)) }
	f.Words = node.VolunteerWords{
		Civility: secret("civility"), Last: secret("last_name"), First: secret("first_name"), Birth: secret("birth"), Email: secret("email"),
		Address: secret("address"), CarText: secret("car_text"), Languages: secret("languages"), Note: secret("note"), Paper: node.Paper(c.PostForm("paper")),
	}
	for _, number := range c.PostFormArray("phone") {
		f.Words.Phones = append(f.Words.Phones, node.Phone{Number: crypto.NewSecret(number)})
	}
	n, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	f.Version = uint32(n)
	f.Offer = node.Readiness{Commune: c.PostForm("commune"), Car: c.PostForm("car") == "yes", Week: weekOf(c), Association: associationIn(c.PostForm("association"))}
	for _, text := range c.PostFormArray("kind") {
		id, err := node.ParseID[node.TypeID](text)
		if err != nil {
			return f, err
		}
		f.Offer.Kinds = append(f.Offer.Kinds, id)
	}
	for _, field := range []struct {
		name string
		into *uint8
	}{{"radius_km", &f.Offer.RadiusKm}, {"seats", &f.Offer.Seats}, {"per_week", &f.Offer.PerWeek}} {
		text := strings.TrimSpace(c.PostForm(field.name))
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 8)
		if err != nil {
			return f, &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: field.name}
		}
		*field.into = uint8(n)
	}
	return f, nil
}

// weekOf reads the ticked half-days: values "0".."13", Monday morning first.
func weekOf(c *gin.Context) (w node.Week) {
	for _, text := range c.PostFormArray("half") {
		if n, err := strconv.ParseUint(text, 10, 8); err == nil && n < 14 {
			w |= 1 << n
		}
	}
	return w
}

func (s volunteers) register(c *gin.Context) {
	f, err := readVolunteerForm(c)
	var r node.Receipt
	if err == nil {
		r, err = s.node.Volunteers.Register(c.Request.Context(), writer(c), f.Offer, f.Words)
	}
	if err != nil {
		f.Problem = s.words(c).say(err)
		s.showForm(c, status(err), f)
		return
	}
	c.Redirect(http.StatusSeeOther, "/volunteers/"+node.VolunteerID(r.ID).String()+"?ok=registered")
}

// volunteerData is one volunteer's page.
type volunteerData struct {
	node.Volunteer
	Visits   []node.Visit
	Kinds    []node.ActionType
	Account  *node.Account
	Password string // just made: shown once
	History  []line
	Steps    []node.Status
	Week     []weekday
	Offers   []node.Calling
	Bonds    []node.Bond
	Erased   *node.Wanted // with the next batch
	Key      string
}

func (s volunteers) page(c *gin.Context) { s.show(c, http.StatusOK, "", nil) }

func (s volunteers) show(c *gin.Context, code int, password string, problem error) {
	by := caller(c)
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	d := volunteerData{Key: newKey(), Password: password, Erased: erasures{s.Site}.wanted(by, id)}
	if d.Volunteer, err = s.node.Volunteers.Get(by, id); err != nil {
		s.fail(c, err)
		return
	}
	if d.Visits, _, err = s.node.Requests.OfVolunteer(by, id, node.Page{Limit: 20}); err != nil {
		s.fail(c, err)
		return
	}
	if d.Kinds, err = s.offered(); err != nil {
		s.fail(c, err)
		return
	}
	d.Kinds = slices.DeleteFunc(d.Kinds, func(t node.ActionType) bool { return !d.Offer.Does(t.ID) || t.Car && !d.Offer.Car })
	if a, ok, err := s.node.Accounts.OfVolunteer(by, id); err == nil && ok {
		d.Account = &a
	}
	if d.Offers, err = s.node.Offers.OfVolunteer(by, id, 5); err != nil {
		s.fail(c, err)
		return
	}
	if d.Bonds, err = s.node.Bonds.OfVolunteer(by, id); err != nil {
		s.fail(c, err)
		return
	}
	changes, err := s.node.Volunteers.History(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	d.History, d.Steps, d.Week = s.historyOf(w, by, changes), d.Status.Next(), w.weekTable(d.Offer.Week)
	s.render(c, code, "volunteer", page{Title: w.t("volunteers.one_of_them"), Here: "volunteers", Problem: w.say(problem), Data: d})
}

func (s volunteers) edit(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	v, err := s.node.Volunteers.Get(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.showForm(c, http.StatusOK, volunteerForm{ID: id.String(), Version: v.Version, Words: v.Words, Offer: v.Offer})
}

func (s volunteers) change(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	f, err := readVolunteerForm(c)
	f.ID = id.String()
	var old node.Volunteer
	offered, err2 := s.offered()
	if err == nil {
		err = err2
	}
	if err == nil {
		if old, err = s.node.Volunteers.Get(caller(c), id); err == nil {
			f.keep(old, offered)
			if f.Offer.Absences, err = (helping{s.Site}).absences(c, old.Offer.Absences); err != nil {
				f.Offer.Absences = old.Offer.Absences
			}
		}
		if err == nil {
			_, err = s.node.Volunteers.Change(c.Request.Context(), writer(c), id, f.Version, f.Offer, f.Words)
		}
	}
	if err != nil {
		f.Problem = s.words(c).say(err)
		if f.Problem.Code == "stale-version" {
			f.Version, f.Now = old.Version, &old
		}
		s.showForm(c, status(err), f)
		return
	}
	c.Redirect(http.StatusSeeOther, "/volunteers/"+id.String()+"?ok=changed")
}

func (s volunteers) step(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	to, _ := strconv.ParseUint(c.PostForm("to"), 10, 8)
	if _, err := s.node.Volunteers.Step(c.Request.Context(), writer(c), id, uint32(version), node.Status(to), 0); err != nil {
		s.show(c, status(err), "", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/volunteers/"+id.String()+"?ok=changed")
}

// next notes on which day his next step is: he reads it on his page.
func (s volunteers) next(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	day, ok := node.ParseDay(c.PostForm("day"))
	if !ok && c.PostForm("day") != "" {
		err = &node.Error{Kind: node.Invalid, Code: "day-out-of-range", Field: "day"}
	} else {
		_, err = s.node.Volunteers.SetNext(c.Request.Context(), writer(c), id, uint32(version), day)
	}
	if err != nil {
		s.show(c, status(err), "", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/volunteers/"+id.String()+"?ok=changed")
}

// account opens a sign-in for a volunteer, or gives a new password. The
// password is shown once, to be read out or handed over.
func (s volunteers) account(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	password := crypto.NewSecret(newPassword())
	by := caller(c) // under no key: a repetition would show a password that is not the one
	old, ok, err := s.node.Accounts.OfVolunteer(by, id)
	switch {
	case err != nil:
	case ok:
		_, err = s.node.Accounts.Change(c.Request.Context(), by, old.ID, old.Version, old.Roles, false, password)
	default:
		_, err = s.node.Accounts.Open(c.Request.Context(), by, node.NewAccount{Login: newLogin(), Password: password, Roles: node.RoleVolunteer, Of: id})
	}
	if err != nil {
		s.show(c, status(err), "", err)
		return
	}
	s.show(c, http.StatusOK, password.Reveal(), nil)
}

// syllables of passwords and logins that can be read out on the phone.
var syllables = strings.Fields("ba bi bo da di do fa fi fo ga go la li lo ma mi mo na ni no pa pi po ra ri ro sa so ta ti to va vi vo za zo ju lu mu nu")

// newPassword draws about 63 bits: "marobi-tilado-dozumu-balino".
func newPassword() string { return drawWords(4, 3) }

// newLogin draws a login that says nothing of the person: "voisin-tilaro".
func newLogin() string { return "voisin-" + drawWords(1, 4) }

func drawWords(words, length int) string {
	b := make([]byte, words*length)
	rand.Read(b)
	var out strings.Builder
	for i, x := range b {
		if i > 0 && i%length == 0 {
			out.WriteByte('-')
		}
		out.WriteString(syllables[int(x)%len(syllables)])
	}
	return out.String()
}
