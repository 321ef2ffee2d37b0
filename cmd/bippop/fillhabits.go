package main

import (
	"context"
	"slices"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// habits gives the demo what does not follow from single requests: a visit that
// comes each week, a volunteer who proposes first, a tie that lives on without the
// service. Where nobody fits there is none: the demo is not about them.
func habits(ctx context.Context, f *filler) error {
	list, _, err := f.node.Find.Beneficiaries(f.by, node.Register{Limit: 60})
	if err != nil {
		return err
	}
	tomorrow := node.DayOf(f.node.Now()) + 1
	var weekly, offered, tied bool
	for _, her := range list {
		if weekly && offered && tied {
			return nil
		}
		usual, err := f.node.Requests.Usual(f.by, her.ID)
		if err != nil {
			return err
		}
		if len(usual) == 0 || usual[0].Volunteer.Status != node.Approved {
			continue
		}
		him := usual[0].Volunteer
		switch {
		case !weekly:
			_, err = f.node.Series.Open(ctx, f.by, node.NewSeries{
				Beneficiary: her.ID, Type: f.kinds[synth.Reading], Seats: 1, Agreed: true, Standing: []node.VolunteerID{him.ID},
				Rule: node.SeriesRule{Rhythm: node.Weekly, Weekday: 4, Half: node.Afternoon}, Exception: crypto.NewSecret("se connaissent bien"),
			})
			weekly = err == nil
		case !offered:
			kind := f.kinds[synth.Shopping]
			if does := him.Offer.Kinds; len(does) > 0 && !slices.Contains(does, kind) {
				kind = does[0]
			}
			_, err = f.node.Offers.Make(ctx, f.by, node.NewOffer{
				Volunteer: him.ID, Types: []node.TypeID{kind}, Day: tomorrow + 2, Half: node.Morning, Places: 2, Line: crypto.NewSecret("je peux passer le matin"),
			})
			offered = err == nil
		case !tied:
			_, err = f.node.Bonds.Make(ctx, f.by, her.ID, him.ID)
			tied = err == nil
		}
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}
