package machine

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// backups are the commands about where copies lie.
type backups struct{ *act }

func (a backups) register(c command.RegisterDestination) (Reply, error) {
	if exists(a.act, store.Destinations, c.Destination.ID[:]) {
		return Reply{ID: c.Destination.ID}, refuse.Exists
	}
	d := backup.New(c.Destination)
	a.save(nil, d)
	return Reply{ID: d.ID, Version: d.Version}, nil
}

func (a backups) drop(c command.DropDestination) (Reply, error) {
	before, err := find(a.act, store.Destinations, c.ID[:], refuse.NoDestination)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Drop(c.Deleted, a.stamp.By)
	if err != nil {
		return Reply{ID: before.ID, Version: before.Version}, err
	}
	a.save(&before, after)
	if c.Deleted {
		erasures{a.act}.nearer(func(e erasure.Erasure) erasure.Erasure { return e.Deleted(after.ID, a.stamp.By, a.stamp.At) })
	}
	return Reply{ID: after.ID, Version: after.Version}, nil
}

// record notes what lies there now. A key backup counts under the root in force
// only: one that was overtaken is made again.
func (a backups) record(c command.RecordBackup) (Reply, error) {
	before, err := find(a.act, store.Destinations, c.ID[:], refuse.NoDestination)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	keys := c.Made.Root != crypto.KeyID{}
	if keys {
		if err := (replicas{a.act}).inForce(c.Made.Root); err != nil {
			return reply, err
		}
	}
	after, err := before.Record(c.Made, a.stamp.At)
	if err != nil {
		return reply, err
	}
	a.save(&before, after)
	if keys && !c.Made.Handed {
		erasures{a.act}.nearer(func(e erasure.Erasure) erasure.Erasure {
			return e.Replaced(after.ID, c.Made.Root, c.Made.Begun, a.stamp.At)
		})
	}
	return Reply{ID: after.ID, Version: after.Version}, nil
}

func (a backups) save(before *backup.Destination, after backup.Destination) {
	save(a.act, store.Destinations, before, &after, after.ID[:], after.Version)
	a.happen(event.DestinationChanged{ID: after.ID})
}
