package node

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
)

// Vitals is how this replica is doing, and the others as far as is known here:
// numbers, instants, names of machines. Nothing in it comes from a person's words.
type Vitals struct {
	At      time.Time
	Started time.Time // when this replica was opened
	Siren   string
	Fault   string // code of what is wrong here, "" for nothing: as in [Said]
	Serving bool   // reads are answered
	Writing bool   // and writes are taken
	Leading bool

	Log       consensus.Stats
	LogBytes  uint64 // of the log's files
	DataBytes uint64 // of the records' files
	DiskFree  uint64 // bytes, on the disk of the data folder
	DiskSize  uint64 // bytes

	Cluster  *Cluster       // nil: not known now
	Erasures *ErasureVitals // nil: not known now
	Backups  *BackupStatus  // nil: not known now

	Federation *FederationVitals // nil: not known now
	Journal    *JournalVitals    // nil: not known now
}

// ErasureVitals counts what people wait for.
type ErasureVitals struct {
	Wanted  int       // people in the next batch
	Pending int       // erasures without certificate
	Oldest  time.Time // since when the oldest of all these waits; zero: none does
}

// watcher reads for the operator's instruments, which have no account. It never
// leaves this file, and writes nothing.
var watcher = Caller{Account: AccountID{0xff}, Roles: account.Admin}

// Vitals may be called at any time, a few times a minute: it looks at each file of
// the data folder.
func (n *Node) Vitals() Vitals {
	c := n.core
	v := Vitals{
		At: c.now(), Started: n.started, Siren: c.siren, Fault: n.Fault(),
		Serving: n.Serving() == nil, Writing: n.Writable() == nil, Leading: n.core.replica.Leading(), Log: n.core.replica.Stats(),
		LogBytes: sizeOf(logDir(c.cfg)), DataBytes: sizeOf(storeDir(c.cfg)),
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(c.cfg.Dir, &disk); err == nil {
		v.DiskFree, v.DiskSize = disk.Bavail*uint64(disk.Bsize), disk.Blocks*uint64(disk.Bsize)
	}
	if cluster, err := n.Replicas.List(watcher); err == nil {
		v.Cluster = &cluster
	}
	if status, err := n.Backups.Status(watcher); err == nil {
		v.Backups = &status
	}
	v.Erasures = n.erasureVitals()
	if federation, err := n.Federation.Troubles(context.Background(), watcher); err == nil {
		v.Federation = &federation
	}
	if j, err := n.Journal.vitals(); err == nil {
		v.Journal = &j
	}
	return v
}

// Fault is the code of what is wrong with this replica, or "".
func (n *Node) Fault() string {
	for _, err := range []error{n.Serving(), n.Writable()} {
		if e, ok := errors.AsType[*Error](err); ok {
			return e.Code
		}
		if err != nil {
			return "fault"
		}
	}
	if n.core.peers != nil {
		return n.core.peers.fault()
	}
	return ""
}

func (n *Node) erasureVitals() *ErasureVitals {
	var v ErasureVitals
	waits := func(since Instant) {
		if at := since.Time(); v.Oldest.IsZero() || at.Before(v.Oldest) {
			v.Oldest = at
		}
	}
	for page := (Page{Limit: 100}); ; {
		wanted, done, next, err := n.Erasures.List(watcher, page)
		if err != nil {
			return nil
		}
		if page.Cursor == nil {
			v.Wanted = len(wanted)
			for _, w := range wanted {
				waits(w.At)
			}
		}
		for _, e := range done {
			if e.Certified == 0 {
				v.Pending++
				waits(e.At)
			}
		}
		if len(next) == 0 {
			return &v
		}
		page.Cursor = next
	}
}

// sizeOf adds up the files below dir. What vanishes meanwhile counts nothing.
func sizeOf(dir string) (bytes uint64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			bytes += uint64(info.Size())
		}
		return nil
	})
	return bytes
}

// Write is one write as the operator's instruments see it.
type Write struct {
	Class   string        // of the command: a word of [WriteClasses]
	Outcome string        // a word of [WriteOutcomes]
	Took    time.Duration // from proposing to applied here
}

// WriteClasses are all words of [Write.Class].
var WriteClasses = []string{"people", "requests", "offers", "accounts", "imports", "settings", "replicas", "upkeep"}

// WriteOutcomes are all words of [Write.Outcome]. A refusal is an answer of the
// domain; a failure is unknown to the caller, who tries again.
var WriteOutcomes = []string{"done", "refused", "failed"}

// classOf says what a command is about, coarsely: one line of a chart each.
func classOf(c command.Command) string {
	switch k := c.Kind(); k {
	case command.KindEnrol, command.KindChangeBeneficiary, command.KindRegister, command.KindChangeVolunteer, command.KindStepVolunteer:
		return "people"
	case command.KindFound, command.KindDefineType, command.KindChangeTerritory:
		return "settings"
	case command.KindOpenAccount, command.KindChangeAccount, command.KindOpenSession, command.KindCloseSession:
		return "accounts"
	case command.KindBeginImport, command.KindImportRows, command.KindCloseImport, command.KindCountImport:
		return "imports"
	case command.KindGrowTree, command.KindSweep, command.KindRecur:
		return "upkeep"
	case command.KindMakeOffer, command.KindEndOffer, command.KindTakeOffer, command.KindDeclineOffer, command.KindMakeBond, command.KindCheckBond:
		return "offers"
	default:
		switch {
		case k >= 70:
			return "federation"
		case k >= 50:
			return "replicas" // and erasures and backups
		}
		return "requests"
	}
}

// wrote tells the operator's instruments of one write.
func (p *proposer) wrote(c command.Command, from time.Time, err error) {
	if p.tell == nil {
		return
	}
	w := Write{Class: classOf(c), Outcome: "done", Took: p.now().Sub(from)}
	if no, ok := errors.AsType[refusal](err); ok {
		if w.Outcome = "refused"; no.reason == refuse.StaleTree {
			w.Outcome = "failed" // sealed anew and tried again
		}
	} else if err != nil {
		w.Outcome = "failed"
	}
	p.tell(w)
}
