// Package machine applies commands to the store, the same on every replica.
//
// It is blind: it moves sealed boxes and opens none. It has no clock, no chance,
// no locale and no map order; what it needs to know stands in the command or in
// the records. A refusal writes nothing but the memory of its idempotency key.
package machine

import (
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Reply is what the machine says to one command: equal on all replicas.
type Reply struct {
	Refusal refuse.Reason // 0: done
	ID      [16]byte      // of the record it was about
	Version uint32        // of that record afterwards
	Clash   ident.Request // with DoubleBooked: where the volunteer is expected
	Index   uint64        // at which it was applied; of a repeated command, the first time
}

// Machine is the territory's state as a function of its log. Apply is called
// from one goroutine.
type Machine struct {
	store    *store.Store
	happened func(index uint64, events []event.Event)
}

// New drives st. happened is called after each committed entry, in order, before
// anybody gets a reply; it must not fail and may read the store.
func New(st *store.Store, happened func(index uint64, events []event.Event)) *Machine {
	return &Machine{st, happened}
}

// Applied is the index of the last entry that the store holds.
func (m *Machine) Applied() (uint64, error) {
	var index uint64
	err := m.store.View(func(tx *store.Tx) (err error) {
		index, err = tx.Meta("applied")
		return err
	})
	return index, err
}

// Apply runs the commands of a committed entry in one transaction together with
// its index. An entry that was applied before is skipped, with no replies. A
// command that cannot be read, or a store that cannot be written, is no refusal:
// Apply panics, and the node stops before it drifts from the others.
func (m *Machine) Apply(index uint64, commands [][]byte) []any {
	var replies []any
	var events []event.Event
	err := m.store.Update(func(tx *store.Tx) error {
		applied, err := tx.Meta("applied")
		if err != nil || index <= applied {
			return err
		}
		for _, entry := range commands {
			c, err := command.Decode(entry)
			if err != nil {
				panic(fmt.Sprintf("machine: entry %d: %v", index, err))
			}
			a := &act{tx: tx, stamp: c.Stamped(), kind: c.Kind(), index: index}
			replies = append(replies, a.run(c))
			events = append(events, a.events...)
		}
		tx.SetMeta("applied", index)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: the store fails: %v", index, err))
	}
	if len(replies) > 0 {
		m.happened(index, events)
	}
	return replies
}

// act is one command at work. Owned by one Apply.
type act struct {
	tx     *store.Tx
	stamp  command.Stamp
	kind   command.Kind
	index  uint64
	events []event.Event
}

// run answers a repeated command from memory and does a new one.
func (a *act) run(c command.Command) Reply {
	key, by := a.stamp.Key, a.stamp.By
	if key != "" {
		old, ok, err := a.tx.Replay(by, key)
		a.must(err)
		if ok {
			if old.Kind != uint8(a.kind) || old.Digest != a.stamp.Digest {
				return Reply{Refusal: refuse.KeyReused, Index: a.index}
			}
			if (erasures{a}).forgotten(old.ID) {
				return Reply{Refusal: refuse.Erased, Index: old.Index} // not a word of whom it was about
			}
			return Reply{Refusal: refuse.Reason(old.Refusal), ID: old.ID, Version: old.Version, Clash: old.Clash, Index: old.Index}
		}
	}
	a.advanceClock()
	reply, err := a.apply(c)
	reply.Index = a.index
	if err != nil {
		reason, ok := err.(refuse.Reason)
		if !ok {
			panic(fmt.Sprintf("machine: command of kind %d: %v", a.kind, err))
		}
		reply.Refusal = reason
	}
	if reply.Refusal == refuse.Erased {
		reply.ID = [16]byte{} // an answer that is remembered would keep the name
	}
	if key != "" && reply.Refusal.Kind() != refuse.Retry {
		a.tx.PutReplay(by, key, store.Replay{
			Kind: uint8(a.kind), Digest: a.stamp.Digest, ID: reply.ID, Version: reply.Version,
			Index: a.index, Refusal: uint16(reply.Refusal), At: a.stamp.At, Clash: reply.Clash,
		})
	}
	return reply
}

// advanceClock keeps time from running backwards when the leader changes: a
// stamp that is older than the last one counts as the last one.
func (a *act) advanceClock() {
	last, err := a.tx.Meta("clock")
	a.must(err)
	if a.stamp.At > when.At(last) {
		a.tx.SetMeta("clock", uint64(a.stamp.At))
		return
	}
	a.stamp.At = when.At(last)
}

func (a *act) apply(c command.Command) (Reply, error) {
	switch c := c.(type) {
	case command.Found:
		return a.found(c)
	case command.ChangeTerritory:
		return a.changeTerritory(c)
	case command.GrowTree:
		return a.growTree(c)
	case command.Enrol:
		return a.enrol(c)
	case command.ChangeBeneficiary:
		return a.changeBeneficiary(c)
	case command.Register:
		return a.register(c)
	case command.ChangeVolunteer:
		return a.changeVolunteer(c)
	case command.StepVolunteer:
		return a.stepVolunteer(c)
	case command.DefineType:
		return a.defineType(c)
	case command.OpenRequest:
		return a.openRequest(c)
	case command.ChangeRequest:
		return a.changeRequest(c)
	case command.PublishDraft:
		return a.publishDraft(c)
	case command.Ask:
		return a.ask(c)
	case command.Accept:
		return a.accept(c)
	case command.Refuse:
		return a.refuse(c)
	case command.Withdraw:
		return a.withdraw(c)
	case command.Reach:
		return a.reach(c)
	case command.Finish:
		return a.finish(c)
	case command.Drop:
		return a.drop(c)
	case command.RecordDone:
		return a.recordDone(c)
	case command.OpenAccount:
		return a.openAccount(c)
	case command.ChangeAccount:
		return a.changeAccount(c)
	case command.GrantRoles:
		return hats{a}.grant(c)
	case command.StandIn:
		return hats{a}.standIn(c)
	case command.SwitchRole:
		return hats{a}.put(c)
	case command.SetSecond:
		return entering{a}.second(c)
	case command.Enter:
		return entering{a}.enter(c)
	case command.UseSession:
		return entering{a}.use(c)
	case command.EndSessions:
		return entering{a}.end(c)
	case command.DropCredential:
		return entering{a}.drop(c)
	case command.AddPasskey:
		return entering{a}.addPasskey(c)
	case command.AddLink:
		return entering{a}.addLink(c)
	case command.NoteMisses:
		return entering{a}.misses(c)
	case command.BreakGlass:
		return entering{a}.glass(c)
	case command.OpenSession:
		return a.openSession(c)
	case command.CloseSession:
		return a.closeSession(c)
	case command.BeginImport:
		return a.beginImport(c)
	case command.ImportRows:
		return a.importRows(c)
	case command.CloseImport:
		return a.closeImport(c)
	case command.CountImport:
		return a.countImport(c)
	case command.Sweep:
		return a.sweep(c)
	case command.OpenSeries:
		return a.openSeries(c)
	case command.ChangeSeries:
		return a.changeSeries(c)
	case command.StepSeries:
		return a.stepSeries(c)
	case command.SkipOccurrence:
		return a.skipOccurrence(c)
	case command.Recur:
		return a.recur(c)
	case command.MakeOffer:
		return offers{a}.make(c)
	case command.EndOffer:
		return offers{a}.end(c)
	case command.TakeOffer:
		return offers{a}.take(c)
	case command.DeclineOffer:
		return offers{a}.decline(c)
	case command.Thank:
		return bonds{a}.thank(c)
	case command.SeeThanks:
		return bonds{a}.seeThanks(c)
	case command.MakeBond:
		return bonds{a}.make(c)
	case command.CheckBond:
		return bonds{a}.check(c)
	case command.AdmitReplica:
		return replicas{a}.admit(c)
	case command.ChangeReplica:
		return replicas{a}.change(c)
	case command.Invite:
		return replicas{a}.invite(c)
	case command.StepReplica:
		return replicas{a}.step(c)
	case command.RecordRelease:
		return replicas{a}.release(c)
	case command.WantErasure:
		return erasures{a}.want(c)
	case command.KeepPerson:
		return erasures{a}.keep(c)
	case command.Erase:
		return erasures{a}.erase(c)
	case command.HoldRoot:
		return replicas{a}.hold(c)
	case command.RegisterDestination:
		return backups{a}.register(c)
	case command.DropDestination:
		return backups{a}.drop(c)
	case command.RecordBackup:
		return backups{a}.record(c)
	case command.Say:
		return egresses{a}.say(c)
	case command.PrepareCrossOffer:
		return crossings{a}.prepare(c)
	case command.HearCrossOffer:
		return crossings{a}.hear(c)
	case command.PublishCrossOffer:
		return crossings{a}.publish(c)
	case command.EndCrossOffer:
		return crossings{a}.end(c)
	case command.AnswerInterest:
		return crossings{a}.answer(c)
	case command.LapseInterest:
		return crossings{a}.lapse(c)
	case command.ShowInterest:
		return crossings{a}.show(c)
	case command.EndInterest:
		return crossings{a}.endInterest(c)
	case command.AckInterest:
		return crossings{a}.ack(c)
	case command.CloseInterest:
		return crossings{a}.close(c)
	case command.JoinFederation:
		return egresses{a}.join(c)
	case command.TakeRoster:
		return egresses{a}.takeRoster(c)
	case command.FreezeFeed:
		return egresses{a}.freeze(c)
	case command.OpenEpoch:
		return egresses{a}.openEpoch(c)
	case command.TakeBack:
		return egresses{a}.takeBack(c)
	case command.LeaveFederation:
		return egresses{a}.leave(c)
	case command.AddPieces:
		return bulletins{a}.add(c)
	case command.PublishBulletin:
		return bulletins{a}.publish(c)
	case command.TakeBulletins:
		return bulletins{a}.take(c)
	case command.SayHandover:
		return handovers{a}.say(c)
	case command.GiveDossiers:
		return handovers{a}.give(c)
	case command.TakeDossiers:
		return handovers{a}.take(c)
	case command.HearReceipt:
		return handovers{a}.hear(c)
	case command.EraseHandedOver:
		return handovers{a}.erase(c)
	case command.OpenJournalMonth:
		return journals{a}.open(c)
	case command.AppendJournal:
		return journals{a}.append(c)
	case command.KeepJournalHead:
		return journals{a}.keep(c)
	case command.PruneJournal:
		return journals{a}.prune(c)
	case command.Freeze:
		return releases{a}.freeze(c)
	case command.BeginVectors:
		return releases{a}.begin(c)
	case command.OpenCase:
		return demands{a}.open(c)
	case command.StepCase:
		return demands{a}.step(c)
	case command.Restrict:
		return demands{a}.restrict(c)
	case command.Object:
		return demands{a}.object(c)
	case command.Inform:
		return demands{a}.inform(c)
	case command.LinkRecords:
		return demands{a}.link(c)
	case command.WriteText:
		return demands{a}.write(c)
	case command.ChooseRetention:
		return sortings{a}.choose(c)
	case command.Sort:
		return sortings{a}.sort(c)
	case command.ApproveSorting:
		return sortings{a}.approve(c)
	case command.WriteBreach:
		return breaches{a}.write(c)
	}
	panic(fmt.Sprintf("machine: no case for %T", c))
}

// must turns a local fault into a stop: it must never become an answer.
func (a *act) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: the store fails: %v", a.index, err))
	}
}

func (a *act) happen(e event.Event) { a.events = append(a.events, e) }

// find reads a record, or refuses with none, or says that it was erased.
func find[R store.Record](a *act, c store.Collection[R], id []byte, none refuse.Reason) (R, error) {
	r, ok, err := c.Get(a.tx, id)
	a.must(err)
	if !ok && gone(a, c.Code, id) {
		return r, refuse.Erased
	}
	if !ok {
		return r, none
	}
	return r, nil
}

// unused refuses an ID that names something, or somebody who was erased.
func unused[R store.Record, N any](a *act, c store.Collection[R], id ident.ID[N]) error {
	switch {
	case exists(a, c, id[:]):
		return refuse.Exists
	case gone(a, c.Code, id[:]):
		return refuse.Erased
	}
	return nil
}

// gone reports whether a record was erased.
func gone(a *act, collection byte, id []byte) bool {
	return len(id) == 16 && exists(a, store.Gone, erasure.Key(collection, [16]byte(id)))
}

// list reads the IDs of a view.
func list[N any](a *act, l view.List) (ids []ident.ID[N]) {
	a.must(view.Each(a.tx, l, nil, false, func(id ident.ID[N], _ []byte) bool {
		ids = append(ids, id)
		return true
	}))
	return ids
}

// exists reports whether there is a record.
func exists[R store.Record](a *act, c store.Collection[R], id []byte) bool {
	_, ok, err := c.Get(a.tx, id)
	a.must(err)
	return ok
}

// save writes a record, its views and its history. before is nil for a new one.
func save[R store.Record](a *act, c store.Collection[R], before, after *R, id []byte, version uint32) {
	c.Put(a.tx, *after)
	view.Update(a.tx, before, after)
	a.tx.AddHistory(c.Code, id, store.History{Version: version, At: a.stamp.At, By: a.stamp.By, Command: uint8(a.kind)})
}

// count adds to the cells, or to those of some indicators, and notes what of it
// counts for the quarter's release. A malformed cell is the proposer's fault: stop.
func (a *act) count(about whom, counts []command.Count, only ...public.Indicator) {
	var cells []public.Cell
	for _, c := range counts {
		cell := a.cell(c)
		if len(only) > 0 && !slices.Contains(only, cell.Indicator) {
			continue
		}
		a.must(a.tx.Count(cell, c.N))
		a.happen(event.Counted{Cell: cell, N: int64(c.N)})
		if c.N > 0 {
			cells = append(cells, cell)
		}
	}
	releases{a}.note(about, cells)
}

func (a *act) cell(c command.Count) public.Cell {
	cell, err := public.ParseCell(c.Cell)
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: %v", a.index, err))
	}
	return cell
}

// growTree adds nodes whose parents are current; one that is there already, or
// hangs on a key that was replaced, makes the proposer look again.
func (a *act) growTree(c command.GrowTree) (Reply, error) {
	if err := a.checkNodes(c.Nodes); err != nil {
		return Reply{}, err
	}
	for _, n := range c.Nodes {
		a.tx.PutTreeNode(n)
	}
	return Reply{}, nil
}
