// Package crypto holds keys and seals bytes. It is a leaf: nothing of ours is
// imported here, and nothing else of ours touches age or a cipher.
//
// # What seals what
//
//	unseal key     passphrase | hybrid age identity | age plugin | shares, k of n
//	  └─ vault     a small age file outside the data folder; a copy of it lies beside,
//	       │       sealed under a lock that only the other replicas hold, in memory
//	       ├─ node keys   random per replica: log frames, stored values, Badger's skin
//	       ├─ identity    the replica's TLS key and the authority's word for it
//	       ├─ shared      equal on all replicas, never replaced by forgetting:
//	       │                domain key (sessions, passwords, dumps, signed envelopes),
//	       │                gossip key, the territory's certificate authority
//	       └─ root keys   the current one tops the key tree; candidates wait to
//	            └─ tree nodes   fan-out 16, kept as records, each wrapped by its parent
//	                 └─ leaf keys   one per person: her words are sealed under hers
//
// A person's words are sealed by the proposer before a command exists. The
// replicated machine moves boxes and opens none. To forget a person is to make
// every key that leads to her leaf unreachable, which is why the tree hangs on
// one root that is never in the log, in a snapshot or in a data backup.
//
// What leaves a machine on purpose leaves in an [Envelope]: a stream that only
// holders of hybrid recovery identities open, signed by the territory to its last
// byte. It is not to be acted upon before that byte was verified.
//
// # What is promised
//
// Every box is authenticated together with its place ([Place]): a box moved to
// another person, another collection or another version does not open, and the
// answer is [ErrDamaged]. Sizes, counts and times are not hidden. Go may leave
// copies of opened keys in memory until the collector overwrites them.
package crypto
