package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/bippop/bippop/node"
)

// journalRoutes are the operations of this file.
type journalRoutes struct{ *server }

// journalEntry is one answer that has shown people, or what else the journal tells of.
type journalEntry struct {
	Index   uint64          `json:"index" doc:"Its place in the tree"`
	Hash    string          `json:"hash" doc:"Of the leaf, RFC 6962, hexadecimal"`
	Replica string          `json:"replica" format:"uuid"`
	Seq     uint64          `json:"seq" doc:"In that replica's own chain"`
	Gone    bool            `json:"gone" doc:"A year is over: nobody knows any more what it said"`
	Kind    string          `json:"kind,omitempty" doc:"shown, stated, switched, break-glass, gap, refused"`
	At      time.Time       `json:"at,omitzero"`
	From    time.Time       `json:"from,omitzero" doc:"Of a gap: entries since then may be lost"`
	By      string          `json:"by,omitempty" doc:"The account"`
	Roles   []roleWord      `json:"roles,omitempty" doc:"The role that was worn"`
	Purpose string          `json:"purpose,omitempty"`
	Screen  string          `json:"screen,omitempty" doc:"Method and pattern of the address"`
	Request string          `json:"request,omitempty" doc:"That explains it"`
	Shown   []journalPerson `json:"shown,omitempty" doc:"Everybody whose words were opened; IDs of people who were erased stay"`
	Alone   bool            `json:"alone,omitempty" doc:"The replica heard no other"`
}

type journalPerson struct {
	Kind string `json:"kind" doc:"beneficiary or volunteer"`
	ID   string `json:"id" format:"uuid"`
}

func journalOut(e node.JournalEntry) journalEntry {
	out := journalEntry{Index: e.Index, Hash: hex.EncodeToString(e.Hash[:]), Replica: e.Replica.String(), Seq: e.Seq, Gone: e.Gone, Kind: e.Kind}
	if e.Gone {
		return out
	}
	out.At, out.By, out.Purpose, out.Screen, out.Request, out.Alone = at(e.At), e.By.String(), string(e.Purpose), e.Screen, e.Request.String(), e.Alone
	if out.Roles = roleWords(e.Role); e.From != 0 {
		out.From = at(e.From)
	}
	for _, p := range e.Who {
		out.Shown = append(out.Shown, journalPerson{string(p.Kind()), node.BeneficiaryID(p.ID).String()})
	}
	return out
}

type journalList struct {
	Items []journalEntry `json:"items" doc:"Newest first"`
	Next  string         `json:"next" doc:"cursor of older ones, or empty"`
}

type journalInput struct {
	Reading
	Account     string `query:"account" format:"uuid" doc:"Only what this account has read"`
	Beneficiary string `query:"beneficiary" format:"uuid" doc:"Only what has shown her"`
	Volunteer   string `query:"volunteer" format:"uuid" doc:"Only what has shown him"`
	Month       string `query:"month" pattern:"^[0-9]{4}-[0-9]{2}$" maxLength:"7"`
	Limit       int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor      string `query:"cursor" maxLength:"20" pattern:"^[0-9]*$"`
}

func (in *journalInput) filter() (f node.JournalFilter, err error) {
	f.Limit = in.Limit
	f.Before, _ = strconv.ParseUint(in.Cursor, 10, 64)
	if in.Account != "" {
		if f.By, err = node.ParseID[node.AccountID](in.Account); err != nil {
			return f, err
		}
	}
	for kind, text := range map[string]string{node.SubjectBeneficiary: in.Beneficiary, node.SubjectVolunteer: in.Volunteer} {
		if text == "" {
			continue
		}
		id, err := node.ParseID[node.BeneficiaryID](text)
		if err != nil {
			return f, err
		}
		f.Who = node.SubjectOf(kind, id)
	}
	if in.Month != "" {
		var year, month int
		if n, _ := fmt.Sscanf(in.Month, "%4d-%2d", &year, &month); n != 2 || month < 1 || month > 12 {
			return f, malformed("query.month", "expected a month: 2026-11")
		}
		f.Month = node.JournalMonth(year, month)
	}
	return f, nil
}

func (s journalRoutes) list(ctx context.Context, in *journalInput) (*answer[journalList], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	all, more, err := s.node.Journal.List(caller(ctx), f)
	if err != nil {
		return nil, err
	}
	out := journalList{Items: []journalEntry{}}
	for _, e := range all {
		out.Items = append(out.Items, journalOut(e))
	}
	if more {
		out.Next = decimal(all[len(all)-1].Index)
	}
	return &answer[journalList]{out}, nil
}

// journalCheck is what a check of the whole journal has found.
type journalCheck struct {
	OK      bool           `json:"ok"`
	Entries uint64         `json:"entries"`
	Bodies  uint64         `json:"bodies" doc:"That are there"`
	Gone    uint64         `json:"gone" doc:"That went after their year"`
	Root    string         `json:"root" doc:"Of the tree now, hexadecimal"`
	Signed  uint64         `json:"signed_entries" doc:"Under the newest head that most replicas have signed"`
	Head    string         `json:"signed_root"`
	Signers int            `json:"signers"`
	Of      int            `json:"of"`
	Faults  []journalFault `json:"faults"`
}

type journalFault struct {
	Code  string `json:"code" doc:"missing, rewritten, reordered, body, no-body, truncated, head, signature"`
	Index uint64 `json:"index"`
}

func (s journalRoutes) check(ctx context.Context, _ *struct{ Reading }) (*answer[journalCheck], error) {
	c, err := s.node.Journal.Verify(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	out := journalCheck{
		OK: len(c.Faults) == 0, Entries: c.Entries, Bodies: c.Bodies, Gone: c.Gone, Root: c.Root,
		Signed: c.Head.Size, Head: c.Head.Root, Signers: c.Head.Signers, Of: c.Head.Of, Faults: []journalFault{},
	}
	for _, f := range c.Faults {
		out.Faults = append(out.Faults, journalFault{f.Code, f.Index})
	}
	return &answer[journalCheck]{out}, nil
}
