package passkey

// Refusal is why nobody came in. The set is closed; pages say it in the words of
// "problem.CODE". None holds a word of a person or of an answer.
type Refusal struct{ code, advice string }

func (r *Refusal) Error() string { return r.advice }

// Code names it for pages and programs.
func (r *Refusal) Code() string { return r.code }

// Every way in which a ceremony ends without a result, but for [ErrCloned].
var (
	// The answer is not what a browser sends.
	ErrUnreadable = &Refusal{"passkey-unreadable", "the device's answer cannot be read: begin again, with an up-to-date browser"}
	// More than five minutes have passed.
	ErrLate = &Refusal{"passkey-late", "this took too long: begin again"}
	// The answer is to another challenge, or to none.
	ErrChallenge = &Refusal{"passkey-challenge", "this answer belongs to another sign-in: begin again"}
	// The challenge has let somebody in already.
	ErrUsed = &Refusal{"passkey-used", "this sign-in was used already: begin again"}
	// The answer was signed on a page of another site.
	ErrOrigin = &Refusal{"passkey-origin", "the passkey was asked for by another site: open this service by its own address, and begin again there"}
	// The device did not make sure who holds it.
	ErrUnverified = &Refusal{"passkey-unverified", "the device did not check who holds it: set up its PIN, finger or face, and begin again"}
	// The device tells its make, or signs in a way that is not taken.
	ErrKind = &Refusal{"passkey-kind", "this kind of key is not taken here: use the passkeys of the telephone or computer, or another security key"}
	// No account here has this passkey, or it is another account's.
	ErrUnknown = &Refusal{"passkey-unknown", "this passkey is not known here, or no longer: sign in another way, and set up a new one"}
	// The signature or what it covers is wrong.
	ErrRefused = &Refusal{"passkey-refused", "the passkey's answer is not right: begin again, or sign in another way"}
	// The counter of the key has run backwards: another device has the same key. The
	// result names the account, so that its owner is warned.
	ErrCloned = &Refusal{"passkey-cloned", "this passkey may have been copied: sign in another way, and remove it from the account"}
)

// Refusals are all of them.
var Refusals = []*Refusal{ErrUnreadable, ErrLate, ErrChallenge, ErrUsed, ErrOrigin, ErrUnverified, ErrKind, ErrUnknown, ErrRefused, ErrCloned}
