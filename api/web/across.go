package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// across are the pages about help across the borders of territories: the desk's,
// and the volunteer's part in it.
type across struct{ *Site }

// acrossData is the desk's page.
type acrossData struct {
	node.Crossing
	Approved []node.Volunteer // who could call an office
	Key      string
}

func (s across) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s across) show(c *gin.Context, code int, problem error) {
	board, err := s.node.Across.Board(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	d := acrossData{Crossing: board, Key: newKey()}
	for _, o := range board.Ours {
		if len(o.Asks) > 0 || len(o.Waiting) == 0 {
			continue
		}
		if d.Approved, err = s.approved(c); err != nil {
			s.fail(c, err)
			return
		}
		break
	}
	s.render(c, code, "across", page{Title: s.words(c).t("across.title"), Here: "requests", Narrow: true, Problem: s.sayTo(c, problem), Data: d})
}

// besideData is what the neighbours could do for one request.
type besideData struct {
	node.Fitting
	ID  node.RequestID
	Key string
}

// beside is that piece of a request's page which only the replica knows that hears
// the neighbours: fetched by script once the page is there, and a page of its own
// without.
func (s across) beside(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err == nil {
		_, err = s.node.Requests.Get(caller(c), id)
	}
	d := besideData{ID: id, Key: newKey()}
	if err == nil {
		d.Fitting, err = s.node.Across.For(caller(c), id)
	}
	switch {
	case err != nil:
		s.fail(c, err)
	case c.GetHeader("HX-Request") != "":
		s.part(c, "request", "heardBeside", d)
	default:
		s.render(c, http.StatusOK, "request_across", page{Title: s.words(c).t("across.beside"), Here: "requests", Narrow: true, Data: d})
	}
}

// acrossForm is what was typed, so that nothing is lost to an error.
type acrossForm struct {
	Category, Monday, Weeks, Slots, Radius string
	Languages, Volunteers                  []string
}

// acrossFields is what the form needs besides.
type acrossFields struct {
	Form       acrossForm
	Categories []node.Category
	Mondays    []dayChoice
	Languages  []public.Languages
	Volunteers []node.Volunteer
	Key        string
}

// offeredLanguages are those that an offer may name, the most spoken first.
var offeredLanguages = []public.Languages{
	public.French, public.English, public.Arabic, public.Portuguese, public.Spanish, public.Italian, public.Turkish,
	public.Occitan, public.Breton, public.Basque, public.Corsican, public.Alsatian, public.Creole, public.FrenchSign,
}

// mostMondays is how many weeks ahead an offer may begin.
const mostMondays = 8

// mostOffered is how many volunteers the form lists.
const mostOffered = 100

func (s across) blank(c *gin.Context) {
	s.form(c, http.StatusOK, acrossForm{Weeks: "4", Radius: "2", Languages: []string{"1"}}, nil)
}

func (s across) form(c *gin.Context, code int, form acrossForm, problem error) {
	w := s.words(c)
	d := acrossFields{Form: form, Languages: offeredLanguages, Key: newKey()}
	kinds, err := s.offered()
	if err != nil {
		s.fail(c, err)
		return
	}
	seen := map[node.Category]bool{}
	for _, k := range kinds {
		if !seen[k.Category] {
			seen[k.Category] = true
			d.Categories = append(d.Categories, k.Category)
		}
	}
	monday := w.today()
	for monday.Date().Weekday() != 1 {
		monday--
	}
	for n := range node.Day(mostMondays) {
		d.Mondays = append(d.Mondays, dayChoice{(monday + 7*n).String(), w.fullDate(monday + 7*n)})
	}
	if d.Volunteers, err = s.approved(c); err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "across_new", page{Title: w.t("across.new"), Here: "requests", Narrow: true, Problem: s.sayTo(c, problem), Data: d})
}

// approved are the volunteers who may be named, at most a hundred.
func (s across) approved(c *gin.Context) (out []node.Volunteer, err error) {
	var cursor []byte
	for len(out) < mostOffered {
		var more []node.Volunteer
		more, cursor, err = s.node.Volunteers.List(caller(c), node.Approved, node.Page{Limit: 50, Cursor: cursor})
		out = append(out, more...)
		if err != nil || cursor == nil {
			break
		}
	}
	return out, err
}

// make writes an offer down; it stands on the page, and nothing has left.
func (s across) make(c *gin.Context) {
	form := acrossForm{
		Category: c.PostForm("category"), Monday: c.PostForm("monday"), Weeks: c.PostForm("weeks"), Slots: c.PostForm("slots"), Radius: c.PostForm("radius"),
		Languages: c.PostFormArray("language"), Volunteers: c.PostFormArray("volunteer"),
	}
	in, err := form.in()
	if err == nil {
		_, err = s.node.Across.Prepare(c.Request.Context(), writer(c), in)
	}
	if err != nil {
		s.form(c, status(err), form, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/across?ok=cross-prepared")
}

// in reads the form. Its errors name the field.
func (f acrossForm) in() (o node.NewCrossOffer, err error) {
	number := func(s string) int { n, _ := strconv.ParseUint(s, 10, 8); return int(n) }
	o = node.NewCrossOffer{Category: node.Category(number(f.Category)), Weeks: number(f.Weeks), Slots: number(f.Slots), Radius: public.Radius(number(f.Radius))}
	var ok bool
	if o.Monday, ok = node.ParseDay(f.Monday); !ok {
		return o, &node.Error{Kind: node.Invalid, Code: "missing", Field: "monday"}
	}
	for _, text := range f.Languages {
		bit, _ := strconv.ParseUint(text, 10, 16)
		o.Languages |= public.Languages(bit)
	}
	for _, text := range f.Volunteers {
		id, err := node.ParseID[node.VolunteerID](text)
		if err != nil {
			return o, err
		}
		o.Volunteers = append(o.Volunteers, id)
	}
	return o, nil
}

// do does what a button beside one of our offers says.
func (s across) do(c *gin.Context) {
	ok, err := s.act(c, c.Param("act"))
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/across?ok="+ok)
}

func (s across) act(c *gin.Context, act string) (ok string, err error) {
	ctx, by, a := c.Request.Context(), writer(c), s.node.Across
	id, err := node.ParseID[node.CrossOfferID](c.Param("id"))
	if err != nil {
		return "", err
	}
	var interest node.Ref
	if text := c.PostForm("interest"); text != "" {
		if interest, err = node.ParseRef(text); err != nil {
			return "", err
		}
	}
	var him node.VolunteerID
	if text := c.PostForm("volunteer"); text != "" {
		if him, err = node.ParseID[node.VolunteerID](text); err != nil {
			return "", err
		}
	}
	switch act {
	case "yes", "no", "stop":
		_, err = a.Consent(ctx, by, id, him, act == "yes")
		return "recorded", err
	case "publish":
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		_, err = a.Publish(ctx, by, id, uint32(version))
		return "cross-published", err
	case "end":
		_, err = a.End(ctx, by, id)
		return "recorded", err
	case "accept":
		if him.Zero() {
			return "", &node.Error{Kind: node.Invalid, Code: "missing", Field: "volunteers"}
		}
		_, err = a.Accept(ctx, by, id, interest, him)
		return "cross-accepted", err
	case "decline":
		_, err = a.Decline(ctx, by, id, interest, public.NotFor)
		return "recorded", err
	case "told":
		_, err = a.Told(ctx, by, id, interest, him)
		return "recorded", err
	case "happened":
		_, err = a.CloseOurs(ctx, by, id, interest, public.Happened)
		return "recorded", err
	case "not":
		_, err = a.CloseOurs(ctx, by, id, interest, public.NoMatch)
		return "recorded", err
	}
	return "", &node.Error{Kind: node.NotFound, Code: "no-page"}
}

// ask asks a neighbour for one of our requests.
func (s across) ask(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.PostForm("request"))
	if err != nil {
		s.fail(c, err)
		return
	}
	offer, err := node.ParseRef(c.PostForm("offer"))
	if err == nil {
		_, err = s.node.Across.Ask(c.Request.Context(), writer(c), id, offer)
	}
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/requests/"+id.String()+"?ok=cross-asked")
}

// step does what a button beside one of our interests says.
func (s across) step(c *gin.Context) {
	id, err := node.ParseID[node.InterestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	ctx, by, a, ok := c.Request.Context(), writer(c), s.node.Across, "recorded"
	switch c.Param("act") {
	case "ack":
		_, err = a.Ack(ctx, by, id)
		ok = "cross-acked"
	case "renounce":
		_, err = a.Renounce(ctx, by, id)
	case "happened":
		_, err = a.Close(ctx, by, id, public.Happened)
		ok = "done"
	case "not":
		_, err = a.Close(ctx, by, id, public.NoMatch)
		ok = "cross-not"
	default:
		err = &node.Error{Kind: node.NotFound, Code: "no-page"}
	}
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	to := "/across"
	if request, err := node.ParseID[node.RequestID](c.PostForm("request")); err == nil {
		to = "/requests/" + request.String()
	}
	c.Redirect(http.StatusSeeOther, to+"?ok="+ok)
}

// hear is what a volunteer presses on his own page.
func (s across) hear(c *gin.Context) {
	by := writer(c)
	id, err := node.ParseID[node.CrossOfferID](c.Param("id"))
	if err == nil {
		switch act := c.Param("act"); act {
		case "yes", "no":
			_, err = s.node.Across.Consent(c.Request.Context(), by, id, by.Volunteer, act == "yes")
		case "call":
			var interest node.Ref
			if interest, err = node.ParseRef(c.PostForm("interest")); err == nil {
				_, err = s.node.Across.Told(c.Request.Context(), by, id, interest, by.Volunteer)
			}
		default:
			err = &node.Error{Kind: node.NotFound, Code: "no-page"}
		}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	recorded(c, "/me?ok=recorded")
}

// spoken names the languages of an offer.
func spoken(w *tongue, l public.Languages) string {
	var names []string
	for _, one := range offeredLanguages {
		if l&one != 0 {
			names = append(names, w.entry("language", int(one)))
		}
	}
	return strings.Join(names, ", ")
}
