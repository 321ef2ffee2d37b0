package node

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/store"
)

func hexOf(b [32]byte) string { return hex.EncodeToString(b[:]) }

// Texts are the notices by which people are told what is done with their data (GDPR,
// art. 13 and 14): one for each treatment, in versions, and who was given which.
type Texts struct{ *core }

// NoticeText is one version of a notice. Version 0 are the program's own words.
type NoticeText struct {
	Treatment Treatment
	Title     rights.Plain
	Version   uint16
	At        Instant
	Words     string // empty: the program's own, made from the register
	Entry     RegisterEntry
}

// longestText is the longest notice, in runes.
const longestText = 12_000

// Current are the notices in force, one for each treatment of people's files.
func (s *Texts) Current(by Caller) (out []NoticeText, err error) {
	if err := by.may(ReadNotices); err != nil {
		return nil, err
	}
	entries, err := (&Books{s.core}).entries()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Treatment != rights.Isolation && e.Treatment != rights.Volunteering {
			continue
		}
		t, err := s.newest(e.Treatment)
		if err != nil {
			return nil, err
		}
		out = append(out, NoticeText{e.Treatment, e.Title, t.Version, t.At, t.Words, e})
	}
	return out, nil
}

// newest is the version in force, or the zero Text.
func (s *Texts) newest(of Treatment) (t rights.Text, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Texts.Each(tx, nil, func(r rights.Text) bool {
			if r.Treatment == of {
				t = r // versions sort
			}
			return true
		})
	})
	return t, err
}

// Write adds a version of a notice. version is the one that was read.
func (s *Texts) Write(ctx context.Context, by Caller, of Treatment, version uint16, words string) (Receipt, error) {
	if err := by.may(WriteNotices); err != nil {
		return Receipt{}, err
	}
	words = strings.TrimSpace(strings.ReplaceAll(words, "\r\n", "\n"))
	switch {
	case of != rights.Isolation && of != rights.Volunteering:
		return Receipt{}, invalid("treatment", "unknown-treatment", "notices are for the files of those who are helped, and of those who help")
	case words == "":
		return Receipt{}, invalid("words", "missing", "write the notice")
	}
	if err := shortText("words", words, longestText); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.WriteText{Stamp: s.stamp(by, ""), Treatment: of, Version: version + 1, Words: words})
}

// Inform records that somebody was given the notice in force.
func (s *Texts) Inform(ctx context.Context, by Caller, who Subject, how Means) (Receipt, error) {
	if err := by.may(NoteDemands); err != nil {
		return Receipt{}, err
	}
	if who.Collection == 0 {
		return Receipt{}, invalid("kind", "unknown-kind", "a notice is given to a beneficiary or a volunteer")
	}
	if !how.Known() {
		return Receipt{}, invalid("how", "missing", "say how it was given: on the telephone, by hand, by letter or by e-mail")
	}
	t, err := s.newest(treatmentFor(who.Kind()))
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.Inform{Stamp: s.stamp(by, ""), Collection: who.Collection, ID: who.ID, Text: t.Version, How: how})
}

func treatmentFor(kind Erasable) Treatment {
	if kind == ErasableVolunteer {
		return rights.Volunteering
	}
	return rights.Isolation
}

// ToldOf is which notice somebody was given: as recorded with it, or, of who was
// told before notices had versions, as recorded at the enrolment.
func (p Person) ToldOf() rights.Told {
	if t := p.Standing.Told; t.At != 0 || p.Her == nil {
		return t
	}
	e := p.Her.Enrolled
	if e.Notice == people.NoNotice {
		return rights.Told{}
	}
	return rights.Told{At: e.NoticeAt, How: rights.Means(e.Notice)}
}

// mostUntold bounds a list of people who were not told.
const mostUntold = 200

// Untold are people of a kind who have not been given a notice, the longest in the
// files first, and how many there are.
func (s *Texts) Untold(by Caller, kind Erasable) (out []Subject, n int, err error) {
	if err := by.may(NoteDemands); err != nil {
		return nil, 0, err
	}
	put := func(id [16]byte) {
		if n++; n <= mostUntold {
			out = append(out, Subject{erasables[kind], id})
		}
	}
	err = s.view(by, func(tx *store.Tx) error {
		seen := map[ImportID]bool{}
		var inner error
		if kind == ErasableVolunteer {
			err := store.Volunteers.Each(tx, nil, func(v people.Volunteer) bool {
				var yes bool
				yes, inner = visible(tx, v.Import, seen)
				if inner == nil && yes && v.Standing.Told.At == 0 && v.Standing.Restricted == 0 && v.Status != people.Ended {
					put(v.ID)
				}
				return inner == nil
			})
			return either(err, inner)
		}
		err := store.Beneficiaries.Each(tx, nil, func(b people.Beneficiary) bool {
			var yes bool
			yes, inner = visible(tx, b.Enrolled.Import, seen)
			if inner == nil && yes && b.Standing.Told.At == 0 && b.Enrolled.Notice == people.NoNotice && b.Standing.Restricted == 0 && b.State == people.Active {
				put(b.ID)
			}
			return inner == nil
		})
		return either(err, inner)
	})
	slices.SortFunc(out, func(a, b Subject) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out, n, err
}
