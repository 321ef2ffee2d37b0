package oidc

import "fmt"

// Refusal is why nobody came in. The set is closed; pages say it in the words of
// "problem.CODE".
type Refusal struct{ code, advice string }

func (r *Refusal) Error() string { return r.advice }

// Code names it for pages and programs.
func (r *Refusal) Code() string { return r.code }

// because names what was wrong, which is one of the words of this package.
func (r *Refusal) because(what string) error { return fmt.Errorf("%w (%s)", r, what) }

// Every way in which the door stays shut.
var (
	// The provider does not answer, or what it answers cannot be read.
	ErrAway = &Refusal{"oidc-away", "the identity provider does not answer: try again in a few minutes, or sign in another way"}
	// The provider and this node do not agree: only the operator can mend it.
	ErrSetup = &Refusal{"oidc-setup", "this node and the identity provider are not set up for each other: sign in another way, and tell the operator"}
	// The person, or the provider for her, said no.
	ErrDeclined = &Refusal{"oidc-declined", "the identity provider did not let the sign-in through: begin again, or sign in another way"}
	// The browser brings back what was not given to it.
	ErrState = &Refusal{"oidc-state", "this sign-in was not begun here: begin again from the sign-in page"}
	// The browser comes back too late.
	ErrLate = &Refusal{"oidc-late", "this sign-in took too long: begin again from the sign-in page"}
	// The code was used before, is too old, or was never given.
	ErrCode = &Refusal{"oidc-code", "this sign-in is over, or was used before: begin again from the sign-in page"}
	// The ID token is not the provider's, not for us, or no longer good.
	ErrToken = &Refusal{"oidc-token", "what the identity provider answered is not to be trusted: begin again; if it stays, tell the operator"}
	// The ID token belongs to another sign-in.
	ErrNonce = &Refusal{"oidc-nonce", "the answer belongs to another sign-in: begin again from the sign-in page"}
	// What is said about the person is unsigned, or about somebody else, or unreadable.
	ErrUserinfo = &Refusal{"oidc-userinfo", "what the identity provider says about the account is not to be trusted: begin again; if it stays, tell the operator"}
	// No valid SIRET comes with the person.
	ErrSIRET = &Refusal{"oidc-siret", "the identity provider does not say for which organisation the account is: complete it there, or sign in another way"}
	// Two factors are asked for, and one was shown.
	ErrFactors = &Refusal{"oidc-factors", "two factors are needed here: add a second one to the account at the identity provider, or sign in another way"}
)

// Refusals are all of them.
var Refusals = []*Refusal{ErrAway, ErrSetup, ErrDeclined, ErrState, ErrLate, ErrCode, ErrToken, ErrNonce, ErrUserinfo, ErrSIRET, ErrFactors}
