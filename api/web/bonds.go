package web

import (
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// bonds are the pages about what stays between people: ties, and thanks.
type bonds struct{ *Site }

// list shows those after whom to ask, then the others.
func (s bonds) list(c *gin.Context) {
	place, err := base64.RawURLEncoding.DecodeString(c.Query("after"))
	if err != nil {
		s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-page"})
		return
	}
	by := caller(c)
	var d struct {
		Due, Others []node.Bond
		Ends        []node.BondEnd
		Next, Key   string
	}
	d.Key, d.Ends = newKey(), []node.BondEnd{node.EndByHer, node.EndByHim, node.EndGone, node.EndOther}
	if d.Due, err = s.node.Bonds.Due(by); err != nil {
		s.fail(c, err)
		return
	}
	p := node.Page{Limit: 50}
	if len(place) > 0 {
		p.Cursor = place
	}
	all, next, err := s.node.Bonds.Alive(by, p)
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Next = base64.RawURLEncoding.EncodeToString(next)
	for _, b := range all {
		if b.NextCheck > node.DayOf(s.node.Now()) {
			d.Others = append(d.Others, b)
		}
	}
	s.render(c, http.StatusOK, "bonds", page{Title: s.words(c).t("bonds.page_title"), Here: "requests", Narrow: true, Data: d})
}

// make notes that two people see each other without us.
func (s bonds) make(c *gin.Context) {
	her, err := node.ParseID[node.BeneficiaryID](c.PostForm("beneficiary"))
	if err != nil {
		s.fail(c, err)
		return
	}
	him, err := node.ParseID[node.VolunteerID](c.PostForm("volunteer"))
	if err == nil {
		_, err = s.node.Bonds.Make(c.Request.Context(), writer(c), her, him)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/people/"+her.String()+"?ok=bond")
}

// check notes how it goes. When it is over the desk looks after her again: her
// page comes next.
func (s bonds) check(c *gin.Context) {
	id, err := node.ParseID[node.BondID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	by, ctx := writer(c), c.Request.Context()
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	why, _ := strconv.ParseUint(c.PostForm("why"), 10, 8)
	if why == 0 {
		_, err = s.node.Bonds.GoesOn(ctx, by, id, uint32(version))
	} else {
		_, err = s.node.Bonds.End(ctx, by, id, uint32(version), node.BondEnd(why))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	to := "/bonds?ok=bond-goes-on"
	if b, err := s.node.Bonds.Get(by, id); err == nil && b.State == node.BondEnded {
		to = "/people/" + b.Her.ID.String() + "?ok=bond-ended"
	}
	c.Redirect(http.StatusSeeOther, to)
}

// thank relays her thanks, from her visit's page or from the desk.
func (s bonds) thank(c *gin.Context) {
	s.thanks(c, "thanked", func(id node.RequestID) error {
		_, err := s.node.Requests.Thank(c.Request.Context(), writer(c), id, crypto.NewSecret(c.PostForm("line")))
		return err
	})
}

// told notes that the desk has passed them on to somebody without an account.
func (s bonds) told(c *gin.Context) {
	s.thanks(c, "recorded", func(id node.RequestID) error {
		him, err := node.ParseID[node.VolunteerID](c.PostForm("volunteer"))
		if err == nil {
			_, err = s.node.Requests.SeeThanks(c.Request.Context(), writer(c), id, him)
		}
		return err
	})
}

func (s bonds) thanks(c *gin.Context, ok string, do func(node.RequestID) error) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err == nil {
		err = do(id)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, back(c, "/requests/"+id.String())+"?ok="+ok)
}

// seen is of the volunteer who has read them.
func (s bonds) seen(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err == nil {
		by := writer(c)
		_, err = s.node.Requests.SeeThanks(c.Request.Context(), by, id, by.Volunteer)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/me")
}

// untold are those who came, have no account, and have not heard of her thanks.
func (s requests) untold(by node.Caller, v node.Visit) (out []node.Volunteer) {
	for _, seat := range v.Coming() {
		if !v.ThanksFor(seat.Volunteer.ID) {
			continue
		}
		if a, ok, err := s.node.Accounts.OfVolunteer(by, seat.Volunteer.ID); err == nil && (!ok || a.Closed) {
			out = append(out, seat.Volunteer)
		}
	}
	return out
}
