// Package node runs one territory's node. It is the only place where the parts
// are joined: the log, the machine, the store, the keys, the clock.
//
// # A write
//
//	service          may this caller? is the input well formed? (caller.go, one file per noun)
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
