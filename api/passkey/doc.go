// Package passkey signs somebody in by a key that her telephone, computer or security
// key keeps and never gives away (W3C Web Authentication, level 3).
//
// Keys are discoverable: the device says which account it is for, so that nobody types
// a login and nobody learns which ones exist. The device has always verified its user,
// by finger, face or PIN, which makes a passkey two factors in one. It says nothing of
// its make: no attestation is asked for, and none is taken.
//
//	page                  this node                    device
//	 │  options?             │                            │
//	 ├──────────────────────▶│ Begin…: challenge          │
//	 │◀── options, and State sealed into a short-lived cookie
//	 ├── navigator.credentials.create or .get ───────────▶│
//	 │◀───────────────────────────────────────── signed ──┤
//	 ├── form with the answer▶│ Finish…: is it of this     │
//	 │                       │ challenge, this origin,     │
//	 │                       │ this key, and new?          │
//
// The page's part is assets/passkey.js of package web.
//
// A challenge lives five minutes and lets in once. Each process remembers which ones
// did; one that is brought to two replicas within that time may let the same person in
// at both, who shows what her device has just signed.
package passkey
