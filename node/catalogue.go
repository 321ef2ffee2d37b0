package node

import (
	"context"
	"sort"
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
)

// Catalogue is what the territory offers.
type Catalogue struct{ *core }

// All lists the kinds of action in the desk's order, retired ones last. Anybody
// who is signed in may read it.
func (s *Catalogue) All() ([]ActionType, error) { return s.types() }

func (c *core) types() (out []ActionType, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		return store.ActionTypes.Each(tx, nil, func(t ActionType) bool {
			out = append(out, t)
			return true
		})
	})
	sort.SliceStable(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.Retired != b.Retired {
			return b.Retired
		}
		return a.Order < b.Order
	})
	return out, err
}

// Define changes a kind of action, or with a zero ID and version adds one.
func (s *Catalogue) Define(ctx context.Context, by Caller, version uint32, t ActionType) (Receipt, error) {
	if err := by.may(DefineTypes); err != nil {
		return Receipt{}, err
	}
	if err := shortText("name", t.Name, 40); err != nil {
		return Receipt{}, err
	}
	switch {
	case strings.Trim(t.Icon, "abcdefghijklmnopqrstuvwxyz-") != "" || len(t.Icon) > 30:
		return Receipt{}, invalid("icon", "unknown-icon", "an icon is named by up to 30 letters a-z and dashes")
	case t.Name == "":
		return Receipt{}, invalid("name", "missing", "the action needs a name")
	case t.Pairing < catalogue.Alone || t.Pairing > catalogue.AlwaysTwo:
		return Receipt{}, invalid("pairing", "unknown-pairing", "pairing is never, first or always")
	case t.Category == public.NoCategory || t.Category > public.Other:
		return Receipt{}, invalid("category", "unknown-category", "choose the national category under which this is counted")
	case t.Minutes < 5 || t.Minutes > 720:
		return Receipt{}, invalid("minutes", "out-of-range", "the usual length is between 5 minutes and 12 hours")
	}
	if version == 0 {
		t.ID = newID[TypeID]()
	}
	return s.propose(ctx, command.DefineType{Stamp: s.stamp(by, ""), Version: version, Type: t})
}
