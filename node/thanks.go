package node

import (
	"context"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Thanks are hers, as a volunteer reads them: "Mme Laforêt thanks you for the
// shopping of Tuesday".
type Thanks struct {
	Request RequestID
	Her     BeneficiaryWords // civility and name only
	Kind    ActionType
	Start   Instant
	Line    Secret // hers, may be empty
}

// Thank relays her thanks to those who came, once, with a line of hers or none.
func (s *Requests) Thank(ctx context.Context, by Caller, id RequestID, word Secret) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := tidyAll(line{"line", &word, longestLine}); err != nil {
		return Receipt{}, err
	}
	c := command.Thank{Stamp: s.stamp(by, r.Commune), ID: id}
	if !word.Empty() {
		b, err := s.beneficiaryRecord(by, r.Beneficiary)
		if err != nil {
			return Receipt{}, err
		}
		if c.Box, err = s.sealForHer(b.Leaf, thanksBox, id, 1, request.ThanksWords{Line: word}); err != nil {
			return Receipt{}, err
		}
	}
	return s.propose(ctx, c)
}

// SeeThanks notes that a volunteer has read her thanks, or that the desk has told
// him.
func (s *Requests) SeeThanks(ctx context.Context, by Caller, id RequestID, v VolunteerID) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	if _, err := s.request(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.SeeThanks{Stamp: s.stamp(by, ""), ID: id, Volunteer: v})
}

const (
	thankWithin = 14 * 24 * 3600_000 // milliseconds
	mostToThank = 100
)

// ToThank lists what took place in the last two weeks and for which nobody has
// relayed thanks yet, the newest first, at most so many (≤ 100; 0: a hundred).
func (s *Requests) ToThank(by Caller, most int) (out []Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	if most <= 0 || most > mostToThank {
		most = mostToThank
	}
	zone, from := s.zone(), s.clock()-thankWithin
	err = s.view(by, func(tx *store.Tx) error {
		var done []RequestID
		err := view.DoneSince(tx, from, func(id RequestID) bool {
			done = append(done, id)
			return len(done) < 5*most
		})
		if err != nil {
			return err
		}
		var open []RequestID
		for _, id := range done {
			q, ok, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return err
			}
			if ok && q.Thanks.At == 0 && len(open) < most {
				open = append(open, id)
			}
		}
		out, err = s.reader(by, tx, zone).all(open)
		return err
	})
	return out, err
}

// thanks lists what v has not read yet, the newest visit first.
func (r *reader) thanks(v VolunteerID) (out []Thanks, err error) {
	seats, err := newest(r.tx, view.SeatsOf(v), 60)
	if err != nil {
		return nil, err
	}
	for _, id := range seats {
		q, _, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !q.ThanksFor(v) {
			continue
		}
		her, err := r.beneficiary(q.Beneficiary)
		if err != nil {
			return nil, err
		}
		words, err := r.opening(r.by).thanksWords(her.Beneficiary, q)
		if err != nil {
			return nil, err
		}
		kind, err := r.kind(q.Type)
		if err != nil {
			return nil, err
		}
		out = append(out, Thanks{
			Request: q.ID, Kind: kind, Start: q.Plan.Start, Line: words.Line,
			Her: BeneficiaryWords{Civility: her.Words.Civility, First: her.Words.First, Last: her.Words.Last},
		})
	}
	return out, nil
}
