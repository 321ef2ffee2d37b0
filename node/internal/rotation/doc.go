// Package rotation decides when a root key may replace another, who may be told
// of it, and when an erasure may be certified. Its functions are pure: package
// node carries out what they say, and the simulator in the tests runs the same
// functions through crashes, partitions, rival leaders, lost and stolen machines.
//
// # Two laws
//
// Once an erasure is certified, no key that still lives anywhere opens the erased
// person from any bytes that ever existed: refused commands, commands in the log
// of a deposed leader, old snapshots, old backups. And at every moment each
// majority of the voters contains a replica that has the root in force, so that
// nobody who stays is lost while the territory can write at all.
//
// The first law wants roots gone, the second wants them kept. Each rule below
// says which of the two it serves; the tests leave out one rule at a time and
// watch the law fail.
//
// # One rotation
//
//	leader                                   every replica
//	settle   a barrier of its own term
//	draw     fresh root, own vault ──offer──▶ candidate, vault written, then the promise
//	propose  once a majority promised
//	   ── committed ─────────────────────────▶ follow   vault: this root, nothing else
//	                                           turn     keyring, what was found with it
//	                                           end      own attempts and key backups of the past
//	                                           report   "holds this root, and nothing older"
//	certify  everybody reported; then every destination has a key backup begun since
//
// # Rules that keep ([Attempt], [MayChange])
//
//   - A majority of the voters of the leader's newest configuration, itself
//     included, has the root in its vaults before the command is proposed. A
//     machine that crashes after its promise comes back with the root.
//   - A promise is kept until another root takes the place of the one in force:
//     neither a restart nor a replayed log drops a candidate. A refusal drops none
//     either; what is dead goes with the next root.
//   - Voters change one at a time, and only to a set of which a majority, asked
//     just now, holds the root in force. It may go on beside a rotation: the
//     majority before and the majority after have a replica in common.
//   - The machine refuses a command that does not name all that hangs on what it
//     replaces ([crypto.Rewrap.Fits]): who was enrolled meanwhile would be cut off.
//   - A replica that lacks the root in force asks its peers, by name. However many
//     rotations it missed, only the newest matters.
//
// # Rules that forget ([Kept], [MayGive], [MayAdopt], [Erasure])
//
//   - A root is named by at most one command. The refused command of a former
//     attempt wraps people under the same name; were the root used again, and
//     committed, that command would open whoever is erased by the second.
//   - An offer is taken only in place of the root that is current in the vault. An
//     offer delayed in the net would otherwise bring a dead candidate into a vault
//     that has already been reported clean, or into one that has just joined. So
//     all candidates in a vault compete for the same place, and one commit clears
//     them all.
//   - A replica asks for a root only after it has caught up by a barrier begun
//     since its start. Its store may have lost what was not synced and stand before
//     its vault; it would fetch back a root that it has reported gone, and lose the
//     one it promised to hold.
//   - An answer is taken only if its root is in force when it arrives. And a peer
//     gives its current root only, while its machine says the same, to a replica in
//     its records: not to one that was removed, and none to a machine that nobody
//     waits for.
//   - A replica reports only after its keyring has turned and its own attempt and
//     its own key backup of the past have ended: both hold a root in memory, one to
//     hand it on, the other to write it down. To end means that nothing is sent or
//     written later.
//   - An erasure waits for every replica recorded before it and not destroyed,
//     whether or not it is known to have held the former root: one that has joined
//     may have been given it and not come to report; one that was removed keeps its
//     vault until a person has seen the end of it.
//   - A key backup counts if its maker began after all replicas had reported, and
//     deleted whatever is older at the destination when it was written. One begun
//     before may be overtaken: a slower replica writes an older root beside it.
//
// # What no protocol can promise
//
// A vault copied before its replica followed, or a key backup kept elsewhere,
// opens what it opened: the certificate says so. A person who records a vault as
// destroyed is believed. Nor is the end of a key's bytes on flash, or in memory
// that Go has not reused, proved here.
package rotation
