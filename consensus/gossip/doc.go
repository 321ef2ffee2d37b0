// Package gossip is what the replicas of a territory know of each other from
// hearsay: who is there, where, at which level, how far. It runs
// hashicorp/memberlist over package mesh, so there is no port of its own and no
// byte outside TLS; memberlist's own encryption, under the territory's gossip
// key, is one more lock.
//
// It is a hint. Whoever holds a replica's certificate and the gossip key can say
// anything here, so nothing in it changes membership: raft's configuration and
// the replica records say who belongs, [Config.Allow] tells this package.
//
//	          answers         fails once, or is silent    memberlist gives up
//	(heard) ─────────▶ Alive ─────────────────▶ Suspect ──────────────────────▶ Gone
//	                     ▲ ◀─── heard again ──────┘                              │
//	                     │                                                       │
//	                     └──────────── joined again, tried every two seconds ────┤
//	                                                                             │
//	                   Left ◀── said so, then ended                        heard of no more:
//	                                                                       stays until it is
//	                                                                       not allowed
//
// # Addresses
//
// memberlist knows a member by IP and port and resists a change of them.
// Replicas may be known by host name, and come back elsewhere. So memberlist is
// given made-up addresses that follow from the replica's ID and never change
// (see place), and the real ones travel in [Meta]: the transport looks them up.
// Each stream is opened for one replica by name; the mesh refuses any other.
package gossip
