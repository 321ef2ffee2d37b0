// Package node runs one territory's node. It is the only place where the parts
// are joined: the log, the machine, the store, the keys, the clock.
//
// # A write
//
//	api relay        a follower passes the whole request on to the leader (relay.go)
//	└▶ service       may this caller? is the input well formed? (caller.go, one file per noun)
//	  └▶ propose.go  stamp, draw IDs, seal words under her key: the only clock, the only chance
//	      └▶ command   kind byte and strict body, at most 64 KiB
//	          └▶ consensus  packed with others into one sealed frame, replicated, committed
//	              └▶ machine   every replica, in order: one transaction with records, views, index
//	                  └▶ after   search, roster and sums follow, before the reply
//	                      └▶ Receipt{ID, Version, Index}, or a refusal equal on all replicas
//
// # A read
//
// A service reads one consistent state of the store, at or after every write that
// this node has acknowledged. Boxes are opened in opener.go and nowhere else, so
// that there is one place to note who read what. [Node.Await] waits for an index
// that another replica gave out, [Node.Fresh] for everything acknowledged
// anywhere.
//
// # What is clear and what is sealed
//
// Rules need IDs, states, times, communes, kinds, seats: these are clear in
// records. A person's words (name, numbers, address, needs, notes) are
// [crypto.Secret] in memory and a box under her own key everywhere else. The
// machine opens no box. Finding goes by an index in memory that is built from
// opened boxes at start and never touches the disk.
//
// # Several replicas
//
//	peers.go      one port: the log's streams, forwarded requests, what nodes ask each other (doors.go), gossip as a hint
//	joining.go    a token makes a machine a replica; members.go keeps the records, which say who belongs
//	steer.go      the leader brings the log's members to the records, one step at a time
//	keeper.go     the vault: root keys come in and go here only
//	turning.go    every replica follows the root in force, or asks for it, before it serves
//	handover.go   a new root is on a majority's disks before the command that names it is proposed (node/internal/rotation has the proof)
//	unlock.go     a restarted replica is let in again by the others, or by an administrator
//	copies.go     backups, by the one replica whose folder it is; restore.go begins a territory's next life
//	upkeep.go     after an erasure and every week: the log is cut, tables are merged, every value is read
//
// # The federation
//
//	proposeEntry  a message becomes the next entry of the feed: its final bytes are in the command, noise is drawn once (propose.go)
//	quarters.go   a quarter's bounded counts are frozen and released, once
//	own.go        the feed's head, signed by a majority (cosigning.go); each signs only what it has applied and never less than before (signed.go)
//	comparing.go  what hubs hold of the feed is heard before anything is signed: a restored disk does not know what it has said
//	speaking.go   the leader opens the host of package federation; federating.go hands what is settled to Across, Nation and Bulletins
//	hearsay.go    what the neighbours say, heard by the leader alone: other replicas pass on what is asked about it (api/relay.go)
//	troubles.go   what is wrong between the territory and its federation: every replica asks the leader, vitals and alarms tell people
//	ledger.go     what left, with its proof, and every other way out
//
// # The house
//
//	cmd/bippop ─▶ api, api/web ─▶ node ─▶ consensus ─────────▶ crypto
//	                               └▶ node/internal/…
//
//	machine ─▶ command event view store and the nouns
//	view    ─▶ store and the nouns
//	store   ─▶ the nouns, crypto, federation/public
//	nouns   ─▶ ident when refuse crypto        people request series offer bond catalogue contact account territory
//
// house_test.go holds the table, the owner of each large dependency, the border
// that nothing of federation crosses, and the purity of what every replica must
// compute alike.
package node
