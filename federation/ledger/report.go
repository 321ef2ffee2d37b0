package ledger

import (
	"time"

	"github.com/bippop/bippop/federation/public"
)

// Report is what a check has found.
type Report struct {
	OK      bool
	Entries int64 // of territories' feeds, checked
	Faults  []Fault
	More    int // faults that are not listed

	Genesis  [32]byte // of the roster
	Pinned   bool     // it is the one that was asked for
	Name     string   // of the federation
	Demo     bool
	Version  uint64     // entries of the roster
	Seen     time.Time  // newest word of a witness that this was the newest roster; zero: none
	Expires  public.Day // of the roster
	Listed   bool       // that no other file lies there was checked, too
	Feeds    []FeedReport
	Compared []Compared
}

// FeedReport is what a feed holds, whether it is in order or not.
type FeedReport struct {
	Siren     public.Siren
	Name      string // of the member
	Epoch     uint16
	Entries   int64
	Kinds     map[public.Kind]int64
	First     public.Day // of its entries
	Last      public.Day
	Root      [32]byte
	Witnesses int       // whose cosignatures hold
	Witnessed time.Time // the oldest instant in them
}

// Compared is a copy that was held against the ledger.
type Compared struct {
	Source  string
	Feeds   int   // that both have
	Entries int64 // that are the same in both
}

// Fault is one thing that is wrong.
type Fault struct {
	Feed string `json:"feed"` // "roster", "egress/SIREN/EPOCH", a file; empty: the whole
	Seq  int64  `json:"seq"`  // place of the entry, or of the first that is meant; -1: the feed as a whole
	Code Code   `json:"code"`
	What string `json:"what"` // in English, for an operator
}

// Code names a sort of fault; the texts are kept.
type Code string

const (
	Unreadable  Code = "unreadable"   // a file is missing or can not be read
	BadList     Code = "list"         // feeds.json is not in its form
	Foreign     Code = "foreign-file" // a file that does not belong to a ledger
	Genesis     Code = "genesis"      // another federation's roster
	BadRoster   Code = "roster"       // an entry of the roster is refused
	Unknown     Code = "unknown-feed" // the roster knows no such feed
	Checkpoint  Code = "checkpoint"   // not a checkpoint of this feed
	Quorum      Code = "quorum"       // too few replicas
	Witness     Code = "witness"      // too few witnesses
	Signature   Code = "signature"    // one that does not hold, or of nobody on the roster
	Root        Code = "root"         // the entries do not lead to the signed root
	Leaf        Code = "entry-hash"   // an entry and its hash differ
	Tile        Code = "tile"         // a tile holds another hash than the entries make
	Gap         Code = "gap"          // an entry is missing, or there is one too many
	Form        Code = "form"         // an entry is not of the closed schema in its one form
	Place       Code = "place"        // an entry says another sender, epoch or place
	KindUnnamed Code = "kind"         // a kind that the roster does not name
	NeedVersion Code = "need-version" // a kind that this program does not know in this form
	Budget      Code = "budget"       // releases exceed the privacy budget, or come twice
	Epoch       Code = "epoch"        // an epoch does not continue the former one
	Differs     Code = "differs"      // a copy holds other bytes
	Withheld    Code = "withheld"     // a copy has more than the ledger
	BadCopy     Code = "copy"         // a copy proves nothing
)

// maxFaults are listed; a folder of noise must not fill the memory.
const maxFaults = 1000

func (r *Report) fault(feed string, seq int64, code Code, what string) {
	if len(r.Faults) >= maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, Fault{feed, seq, code, what})
}
