package node

import (
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// repeated answers a call that was recorded before, whose answer got lost on the
// way. Services ask it before they check what that very call has changed: it
// would look wrong now. The machine knows repetitions too; this only comes first.
func (p *proposer) repeated(by Caller, kind command.Kind) (r Receipt, ok bool, err error) {
	if by.Key == "" {
		return r, false, nil
	}
	var old store.Replay
	err = p.store.View(func(tx *store.Tx) (err error) {
		old, ok, err = tx.Replay(by.Account, by.Key)
		return err
	})
	p.health.note(err)
	if err != nil || !ok {
		return r, false, explain(err)
	}
	if old.Kind != uint8(kind) || old.Digest != p.stamp(by, "").Digest {
		return r, true, refused(refuse.KeyReused, RequestID{})
	}
	r = Receipt{ID: old.ID, Version: old.Version, Index: old.Index}
	if old.Refusal != 0 {
		return r, true, refused(refuse.Reason(old.Refusal), old.Clash)
	}
	return r, true, nil
}
