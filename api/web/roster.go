package web

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// roster is who belongs to the federation, on the coordinator's node: looked at,
// and changed by drafts that the holders sign elsewhere. Nothing is kept here between
// two pages: a draft is its text.
type roster struct{ *Site }

type rosterData struct {
	node.RosterView
	Known   bool // there is a roster
	Until   string
	Over    bool
	Members []rosterMember

	Invited, Invitation string // a SIREN, and its invitation just made
	Text                string // that was pasted and could not be read
	Taken               bool   // others answer for communes of it
	Key                 string
}

type rosterMember struct {
	node.MemberView
	Place     string
	Communes  []string // names
	Neighbour []string // names
}

// draftData is a draft in plain words.
type draftData struct {
	node.DraftView
	Lines       []string
	Application string // of which it would be made: it is being read, nothing is drafted
	Take        bool   // with the communes that others answer for
	Key         string
}

func (s roster) page(c *gin.Context) { s.show(c, http.StatusOK, rosterData{}, nil) }

func (s roster) show(c *gin.Context, code int, d rosterData, problem error) {
	w := s.words(c)
	var err error
	d.RosterView, err = s.node.Federation.Roster(caller(c))
	if e, ok := errors.AsType[*node.Error](err); ok && e.Code == "no-roster" {
		err = nil // the first draft makes one
	} else if err == nil {
		d.Known, d.Until = true, ofRoster{w}.dated(d.Expires)
		status, err := s.node.Federation.Status(c.Request.Context(), caller(c))
		if err != nil {
			s.fail(c, err)
			return
		}
		d.Over = status.Expired
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Key = newKey()
	names := map[string]string{}
	for _, m := range d.RosterView.Members {
		names[m.Siren] = m.Name
	}
	for _, m := range d.RosterView.Members {
		one := rosterMember{MemberView: m, Place: node.DepartementName(m.Departement), Communes: communeNames(m.Communes)}
		for _, n := range m.Neighbours {
			one.Neighbour = append(one.Neighbour, cmp.Or(names[n], n))
		}
		d.Members = append(d.Members, one)
	}
	s.render(c, code, "nation_roster", page{Title: w.t("roster.title"), Here: "nation-roster", Problem: w.say(problem), Data: d})
}

func communeNames(codes []string) (out []string) {
	for _, code := range codes {
		out = append(out, node.CommuneName(code))
	}
	return out
}

// ofRoster says what stands in a roster and in its drafts.
type ofRoster struct{ *tongue }

// dated says a day as people do, or as it is written where it is none.
func (w ofRoster) dated(d node.Date8601) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return w.fullDate(node.DayOf(t))
}

// draft makes one: of an application that was pasted, which is read in plain words
// first, of a removal, or of a renewal.
func (s roster) draft(c *gin.Context) {
	in := node.RosterChange{Application: strings.TrimSpace(c.PostForm("application")), Take: c.PostForm("take") != "", Remove: strings.TrimSpace(c.PostForm("remove"))}
	in.Last, _ = strconv.ParseUint(c.PostForm("last"), 10, 64)
	in.Renew, _ = strconv.Atoi(c.PostForm("renew"))
	text, _, err := s.node.Federation.Draft(caller(c), in)
	var view node.DraftView
	if err == nil {
		view, err = s.node.Federation.ReadDraft(caller(c), text)
	}
	if err != nil {
		e, _ := errors.AsType[*node.Error](err)
		s.show(c, status(err), rosterData{Text: in.Application, Taken: e != nil && e.Code == "communes-taken"}, err)
		return
	}
	d := draftData{DraftView: view, Take: in.Take}
	if in.Application != "" && c.PostForm("make") == "" {
		d.Application = in.Application
	}
	s.look(c, http.StatusOK, d, nil)
}

// read shows a draft that came back from a holder.
func (s roster) read(c *gin.Context) {
	view, err := s.node.Federation.ReadDraft(caller(c), c.PostForm("draft"))
	if err != nil {
		s.show(c, status(err), rosterData{}, err)
		return
	}
	s.look(c, http.StatusOK, draftData{DraftView: view}, nil)
}

func (s roster) look(c *gin.Context, code int, d draftData, problem error) {
	w := s.words(c)
	d.Key, d.Lines = newKey(), nil
	for _, change := range d.Changes {
		d.Lines = append(d.Lines, ofRoster{w}.changed(change)...)
	}
	s.render(c, code, "nation_draft", page{Title: w.t("roster.draft_title"), Here: "nation-roster", Narrow: true, Problem: w.say(problem), Data: d})
}

// publish makes a signed draft count, once it is confirmed.
func (s roster) publish(c *gin.Context) {
	text := c.PostForm("draft")
	view, err := s.node.Federation.ReadDraft(caller(c), text)
	if err != nil {
		s.show(c, status(err), rosterData{}, err)
		return
	}
	if c.PostForm("sure") == "" {
		err = &node.Error{Kind: node.Invalid, Code: "roster-sure", Field: "sure"}
	} else {
		err = s.node.Federation.Publish(c.Request.Context(), writer(c), text)
	}
	if err != nil {
		s.look(c, status(err), draftData{DraftView: view}, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/nation/roster?ok=roster-published")
}

// invite makes an invitation and shows it, to be copied.
func (s roster) invite(c *gin.Context) {
	siren := strings.Join(strings.Fields(c.PostForm("siren")), "")
	text, err := s.node.Federation.Invite(caller(c), siren)
	s.show(c, status(err), rosterData{Invited: siren, Invitation: text}, err)
}

// changed says one change of the roster in sentences.
func (w ofRoster) changed(c node.DraftChange) (out []string) {
	say := func(key string, pairs ...any) {
		out = append(out, w.t("roster."+key, append([]any{"Name", c.Name, "Siren", c.Siren, "To", c.To, "Epoch", c.Epoch, "Counts", c.Counts, "Until", w.dated(c.Until)}, pairs...)...))
	}
	places := func(codes []string) string { return strings.Join(communeNames(codes), ", ") }
	switch c.What {
	case "found":
		say("says_found")
		if c.Demo {
			say("says_demo")
		}
	case "holders":
		say("says_holders", "N", c.Need, "Of", len(c.Names), "Names", strings.Join(c.Names, ", "))
	case "hubs":
		say("says_hubs", "N", c.Need, "Of", len(c.Names), "Names", strings.Join(c.Names, ", "))
	case "join":
		say("says_join", "Role", w.t("roster.role_"+c.Role), "Place", node.DepartementName(c.Departement))
		if c.Simulated {
			say("says_simulated")
		}
		if len(c.More) > 0 {
			say("says_answers", "N", len(c.More), "Names", places(c.More))
		}
		say("says_machines", "N", c.Machines, "Quorum", c.Quorum)
		if c.Contact != "" {
			say("says_contact", "Contact", c.Contact)
		}
		if len(c.Neighbours) > 0 {
			say("says_neighbours", "Names", strings.Join(c.Neighbours, ", "))
		}
	case "change":
		say("says_change")
		if c.OtherMachines {
			say("says_other_machines")
			say("says_machines", "N", c.Machines, "Quorum", c.Quorum)
		}
		if len(c.More) > 0 {
			say("says_more", "Names", places(c.More))
		}
		if len(c.Gone) > 0 {
			say("says_gone", "Names", places(c.Gone))
		}
		if c.Contact != "" {
			say("says_contact", "Contact", c.Contact)
		}
	case "remove":
		say("says_remove", "N", len(c.Gone))
	case "move":
		say("says_move", "Names", places(c.Gone))
	case "kinds":
		say("says_kinds")
	case "renew":
		say("says_renew")
	case "epoch":
		say("says_epoch")
	}
	return out
}
