package machine

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/store"
)

// TakeBack folds entries of the own feed into the records of help across borders.
func TakeBack(st *store.Store, entries [][]byte) error {
	return st.Update(func(tx *store.Tx) error {
		for _, b := range entries {
			e, err := public.Decode(b)
			if err != nil {
				return err
			}
			regained{crossings{&act{tx: tx}}}.takeBack(e)
		}
		return tx.Err()
	})
}
