// Package mesh carries every byte between the replicas of one territory: mutual
// TLS 1.3 on one TCP port, one TLS connection a stream, many protocols told apart
// by ALPN. It knows who is at the other end, and nothing of what is said.
//
//	         dialer                                     listener
//	TCP ───▶ hello, one protocol ─────────────────────▶ handler known? else alert
//	         certificate read: chain, territory,
//	         incarnation, replica asked for
//	         certificate shown ───────────────────────▶ the same checks
//	         stream noted, Allow asked                  stream noted, Allow asked
//	         verdict read, one byte ◀────────────────── verdict: admitted, or why not
//	         stream                                     handler
//
// # Who may speak
//
// A replica shows a certificate that the territory's authority has signed itself,
// with one URI as its name, see [Name]. The certificate says which territory,
// which incarnation of it (a restored territory is another one) and which
// replica; [Config.Allow] says whether that replica, with that key, still
// belongs. There is no resumption: every stream is a full handshake, so that a
// removed replica has nothing to come back with. [Mesh.Drop] ends what is open.
//
// A machine that wants to join has no certificate yet. Protocols handled by
// [Mesh.HandleStranger] admit it under any key; it knows the territory by the
// fingerprint of the authority's key, which stands in its invitation
// ([DialStranger]). A stranger reaches no other handler, and few are served at a
// time.
//
// # What an attacker on the wire can do
//
// See addresses, lengths, times, and the protocol's name in the hello. Whoever
// connects learns the listener's certificate, which names SIREN, incarnation and
// replica. Open connections without saying anything: at most [maxPending] are
// kept, each for [handshakeLimit], and a new one pushes out the oldest, so that
// a replica, which needs milliseconds, gets through.
package mesh
