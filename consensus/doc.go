// Package consensus replicates opaque commands inside one territory, with
// hashicorp/raft. It knows nothing of what a command says.
//
//	Propose ─▶ queue ─▶ packer ─▶ raft ─▶ log on disk, sealed, fsync ─▶ followers likewise
//	          (bounded)  one entry of              │ a majority has it: committed
//	                     many commands             ▼
//	Result ◀────────────────────────────── Machine.Apply, entry by entry, on every replica
//
// # What is promised
//
// When [Replica.Propose] returns a [Result], the command is on the disks of a
// majority and this replica's machine has applied it. Every machine applies the
// same commands in the same order. When it returns [ErrUnknown], the command may
// be applied later, or be already: the caller asks again with the same bytes, and
// the machine knows by the idempotency key inside. All other errors say that
// nothing happened. A domain that says no is a reply, never an error.
//
// # The machine's index
//
// The log is the durable copy; the machine need not sync. It stores the index of
// the last entry with the entry's effects, so a restart applies what is missing
// and skips what is there. raft's own entries (elections, barriers, members) take
// indexes too and never reach the machine: its index has gaps, and may stand
// below the commit index for ever. [Replica.Applied], [Replica.Wait] and
// [Replica.Barrier] speak of the machine's index.
//
// # Snapshots
//
// A snapshot is a small file of metadata: the state stays where it is, in the
// machine, which is synced before the snapshot is declared and the log is cut.
// A follower that was away for longer than the trailing entries gets a dump of the
// leader's machine. The dump is made when it is needed, so it may hold more than
// the snapshot's index says; the machine skips what it has. The follower keeps
// the stream in a file until its machine has loaded it, and ends an installation
// that a crash cut short when it is opened again.
//
// # On disk
//
//	Dir/lock        held while the replica is open
//	Dir/snapshot    metadata, sealed
//	Dir/install     a received dump that is not loaded yet
//	Dir/temp-*      being written; removed at the next start
//	Dir/log/        raft-wal: segments, and a bbolt file for term and vote
//
// The data of every entry is sealed under [Config.LogKey] together with its index,
// term, type and time. In clear are these four, lengths, the number of entries,
// term and vote. A write that a crash tore is dropped: nobody was told of it. All
// other damage is [ErrDamaged], and nothing is cut off. One thing cannot be seen
// from here: a disk that loses the log's last entries and what the machine made
// of them, both after saying they were safe.
//
// A machine restored from a backup starts a new log: its applied index is set to
// zero before it is handed to [Open] with an empty folder.
//
// # Who takes part
//
// The log says who the replicas are, and the leader changes it, one replica at a
// time ([Membership]). A replica is added without a vote, gets all that it lacks,
// and is promoted. No change is begun after which no majority of the voters would
// be in reach. A replica that lost its folder comes back under another ID, and one
// that stands where another stood waits until that one is removed. A replica that
// asks for votes asks first whether it would get them (pre-vote), so that one which
// was cut off or removed disturbs nobody. Package autopilot decides when to promote
// and to remove without a person.
//
// A leader that is closed hands over first. One that cannot end a transfer, and a
// follower whose log was replaced by a shorter snapshot, must be started again:
// [ErrTransfer], [ErrReplaced].
//
// # What the leader sees
//
// Every answer of a follower is noted. One that answers and yet gets nothing of
// what was committed is in [Stats].Lagging after ten seconds: its heartbeats are
// fine, so no election will come by itself. A machine that takes as long for one
// entry is in [Stats].Stuck.
//
// # When the disk fails
//
// One failed write ends all writing until the replica is opened again, and a disk
// that does not answer for five seconds is a fault too. [Config.OnFault] says so
// once; the process should end, so that another replica can lead. raft itself
// panics when it cannot store its term.
package consensus
