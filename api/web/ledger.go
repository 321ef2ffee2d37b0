package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// ledger is "Ce qui est sorti": every thing that the territory has ever said to
// others, in sentences, with its proof, and the other ways out beside it.
type ledger struct{ *Site }

// saidLine is one entry as the page shows it.
type saidLine struct {
	node.LedgerEntry
	On   string // the day
	Text string
	To   string // a key: who receives it
}

type ledgerData struct {
	Lines   []saidLine
	Feeds   []node.LedgerFeed
	Epoch   uint16
	Older   uint64 // place before which the next page begins; 0: none
	Ways    []node.Connection
	Files   []node.HandoverFile // of dossiers, carried by people
	Command string              // with which anybody checks it
	Genesis string              // of the roster; empty before there is one
	Total   uint64
	Settled int64
}

func (s ledger) page(c *gin.Context) {
	w, by := s.words(c), caller(c)
	epoch, _ := strconv.ParseUint(c.Query("epoch"), 10, 16)
	before, _ := strconv.ParseUint(c.Query("before"), 10, 64)
	all, more, err := s.node.Ledger.Entries(by, node.LedgerPage{Epoch: uint16(epoch), Before: before, Limit: 50})
	d := ledgerData{Command: "bippop dpo verify " + s.address(c) + "/transparency/", Epoch: uint16(epoch)}
	if err == nil {
		d.Genesis, err = s.node.Ledger.Genesis(by)
	}
	if err == nil {
		d.Feeds, err = s.node.Ledger.Feeds(by)
	}
	if err == nil {
		d.Ways, err = s.node.Ledger.Connections(by)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if d.Files, err = s.node.Handovers.Files(by); err != nil {
		s.fail(c, err)
		return
	}
	if d.Genesis != "" {
		d.Command += " --genesis " + d.Genesis
	}
	for _, e := range all {
		d.Lines = append(d.Lines, s.line(w, e))
	}
	if more {
		d.Older = all[len(all)-1].Seq
	}
	for _, f := range d.Feeds {
		d.Total, d.Settled = d.Total+f.Size, d.Settled+f.Settled
	}
	here := "ledger"
	if isAdmin(by) {
		here = "backstage"
	}
	s.render(c, http.StatusOK, "ledger", page{Title: w.t("ledger.title"), Here: here, Data: d})
}

// address is where the browser has found this node: behind a proxy with TLS the
// operator has said so, or the proxy does.
func (s *Site) address(c *gin.Context) string {
	if s.secure || c.GetHeader("X-Forwarded-Proto") == "https" {
		return "https://" + c.Request.Host
	}
	return "http://" + c.Request.Host
}

type proofData struct {
	saidLine
	Within []within
	Noised bool // chance was added to its numbers
	Proof  node.LedgerProof
	Base64 string
	Signed []string // lines of the checkpoint
}

// entry is one thing that left, with the proof that it stands in what was signed.
func (s ledger) entry(c *gin.Context) {
	w, by := s.words(c), caller(c)
	epoch, err1 := strconv.ParseUint(c.Param("epoch"), 10, 16)
	seq, err2 := strconv.ParseUint(c.Param("seq"), 10, 64)
	if errors.Join(err1, err2) != nil {
		s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-entry"})
		return
	}
	e, err := s.node.Ledger.Entry(by, uint16(epoch), seq)
	if err != nil {
		s.fail(c, err)
		return
	}
	d := proofData{saidLine: s.line(w, e), Within: s.within(w, e.Body), Base64: base64.StdEncoding.EncodeToString(e.Bytes)}
	_, d.Noised = e.Body.(public.Release)
	if e.Settled {
		if d.Proof, err = s.node.Ledger.Proof(by, uint16(epoch), seq); err != nil {
			s.fail(c, err)
			return
		}
		d.Signed = strings.Split(strings.TrimSpace(d.Proof.Checkpoint), "\n")
	}
	s.render(c, http.StatusOK, "ledger_entry", page{Title: w.t("ledger.entry_title", "N", seq), Here: "ledger", Narrow: true, Data: d})
}

func (s ledger) line(w *tongue, e node.LedgerEntry) saidLine {
	out := saidLine{LedgerEntry: e, On: iso(w, string(e.Day)), To: "ledger.to_all"}
	place := func(r public.Ref) string { return s.nameOf(r.From) }
	switch b := e.Body.(type) {
	case public.Release:
		year, quarter := b.Quarter.Year()
		out.To = "ledger.to_nation"
		out.Text = w.t("ledger.says_release", "Quarter", quarter, "Year", year, "N", len(b.Cells))
	case public.Offer:
		out.To = "ledger.to_near"
		out.Text = w.t("ledger.says_offer", "What", lower(w.entry("category", b.Category)), "Times", w.t("across.slots", "N", b.Slots), "N", b.Weeks)
	case public.Withdraw:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_withdraw", "N", b.Offer)
	case public.Accept:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_accept", "Who", place(b.Interest))
	case public.Decline:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_decline", "Who", place(b.Interest))
	case public.Lapse:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_lapse", "Who", place(b.Interest))
	case public.Interest:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_interest", "Who", place(b.Offer), "Times", w.t("across.slots", "N", b.Slots))
	case public.Renounce:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_renounce", "N", b.Interest)
	case public.Ack:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_ack", "N", b.Interest)
	case public.Close:
		out.To, out.Text = "ledger.to_near", w.t("ledger.says_close", "Who", place(b.Interest))
	case public.Handover:
		out.Text = w.t("ledger.says_handover", "Who", s.nameOf(b.Giver), "N", len(b.Communes))
	case public.Presence:
		out.Text = w.t("ledger.says_presence")
	case public.Retract:
		out.Text = w.t("ledger.says_retract", "N", b.Seq)
	default:
		switch {
		case e.Bulletin != nil && e.Bulletin.Piece:
			out.Text = w.t("ledger.says_piece")
		case e.Bulletin != nil:
			out.Text = w.t("ledger.says_bulletin", "Title", e.Bulletin.Title)
		default:
			out.Text = w.t("ledger.says_unknown")
		}
	}
	return out
}

// within is one thing that stands in an entry.
type within struct{ What, Text string }

// within is all that a sentence leaves out: the very numbers of a release, in the order
// in which they left, and the terms of an offer.
func (s ledger) within(w *tongue, body public.Message) (out []within) {
	switch b := body.(type) {
	case public.Release:
		at := 0
		for _, g := range public.Catalogue(b.Catalogue) {
			var cells []string
			for _, c := range b.Cells[at : at+int(g.Cells)] {
				cells = append(cells, strings.Replace(strconv.Itoa(int(c.N())), "-", "−", 1))
			}
			at += int(g.Cells)
			out = append(out, within{w.t("ledger.group_" + strconv.Itoa(int(g.Number))), strings.Join(cells, " · ")})
		}
	case public.Offer:
		day := func(d public.Day) string { return iso(w, d.Time().Format(time.DateOnly)) }
		out = []within{
			{w.t("across.what"), w.entry("category", b.Category)}, {w.t("ledger.when"), w.t("across.span", "From", day(b.From), "To", day(b.From+7*public.Day(b.Weeks)-1))},
			{w.t("across.how_many"), w.t("across.slots", "N", b.Slots)}, {w.t("across.how_far"), w.t("across.radius_" + strconv.Itoa(int(b.Radius)))},
		}
		if b.Languages != 0 {
			out = append(out, within{w.t("across.languages"), spoken(w, b.Languages)})
		}
	case public.Handover:
		var names []string
		for _, c := range b.Communes {
			names = append(names, node.CommuneName(c.String()))
		}
		out = []within{{w.t("roster.communes"), strings.Join(names, ", ")}}
	}
	return out
}

// nameOf a territory, as the registry has it.
func (s ledger) nameOf(n public.Siren) string {
	if g, ok := node.GroupingOf(n.String()); ok {
		return g.Name
	}
	return n.String()
}
