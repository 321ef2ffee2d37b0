// Package oidc signs somebody in at another's door: an OpenID provider whom the
// operator trusts, by the profile of ProConnect.
//
//	browser            this node                      provider
//	   │  link            │                              │
//	   ├─────────────────▶│ Begin ── discovery, once ───▶│
//	   │◀── 303, and Flow sealed into a short-lived cookie
//	   ├────────────────────────── who are you? ────────▶│
//	   │◀───────────── 302 with code and state ──────────┤
//	   ├─────────────────▶│ Finish ─ code, verifier ────▶│
//	   │                  │◀──────── ID token, access ───┤
//	   │                  ├──────── access ─────────────▶│
//	   │                  │◀─── signed claims (JWT) ─────┤
//	   │◀─── signed in    │
//
// Nothing that the browser brings is believed: the state is compared with the flow's,
// the code is worth something only together with the verifier that never left us, and
// what is known of the person comes from the provider's own answers, whose signature,
// issuer, audience, nonce and age are checked.
//
// # What leaves
//
// The provider is told which node asks, and, when somebody signs out, whose session
// ends; nothing about anybody else. Each call has a deadline and a bound on the answer
// and goes to hosts that the provider's own discovery document names, over TLS; only a
// provider on this machine may speak in clear. Redirections are not followed.
// [Door.Calls] counts them for the page that shows what leaves.
//
// # Errors
//
// All are one of the [Refusal]s below, by [errors.Is]. None holds a word of a person
// or of an answer.
package oidc
