package request

import "github.com/bippop/bippop/crypto"

// Words are what only people may read of a request. They are sealed under the
// key of the person who asked.
type Words struct {
	Note      crypto.Secret `cbor:"1,keyasint,omitempty"` // "kiné, rue du Marché"
	Exception crypto.Secret `cbor:"2,keyasint,omitempty"` // why one volunteer goes alone
}

// OutcomeWords say how it went.
type OutcomeWords struct {
	Word crypto.Secret `cbor:"1,keyasint,omitempty"`
}

// ThanksWords are the line that she added to her thanks.
type ThanksWords struct {
	Line crypto.Secret `cbor:"1,keyasint,omitempty"`
}
