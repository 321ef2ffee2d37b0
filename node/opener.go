package node

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
)

// opener holds what boxes are opened with. Safe for concurrent use.
type opener struct {
	ring   *crypto.Keyring
	keeper *keeper
	siren  string
}

// opening is the read path of people's words: every box passes here and nowhere else,
// and is opened for somebody, whose reading is told of it.
type opening struct {
	opener
	by Caller
}

// opening opens boxes for a caller.
func (c *core) opening(by Caller) opening { return opening{c.opener, by} }

// Beneficiary is a person's record with her words.
type Beneficiary struct {
	people.Beneficiary
	Words BeneficiaryWords
}

// Volunteer is a volunteer's record with his words.
type Volunteer struct {
	people.Volunteer
	Words VolunteerWords
}

// beneficiary opens her words. Nobody, who stands where somebody was erased, has
// none.
func (o opening) beneficiary(r people.Beneficiary) (Beneficiary, error) {
	b := Beneficiary{Beneficiary: r}
	if r.ID.Zero() {
		return b, nil
	}
	if err := o.note(store.Beneficiaries.Code, r.ID); err != nil {
		return b, err
	}
	err := o.open(r.Leaf, store.Beneficiaries.Name, r.ID, r.Boxed, r.Box, &b.Words)
	if o.by.Roles == account.Reception {
		b.Words = b.Words.AtReception()
	}
	return b, err
}

// volunteer is beneficiary for the other side.
func (o opening) volunteer(r people.Volunteer) (Volunteer, error) {
	v := Volunteer{Volunteer: r}
	if r.ID.Zero() {
		return v, nil
	}
	if err := o.note(store.Volunteers.Code, r.ID); err != nil {
		return v, err
	}
	return v, o.open(r.Leaf, store.Volunteers.Name, r.ID, r.Boxed, r.Box, &v.Words)
}

// requestWords opens what was noted with a request, under the key of her who
// asked.
func (o opening) requestWords(b people.Beneficiary, r request.Request) (w request.Words, err error) {
	if len(r.Box) > 0 {
		if err = o.note(store.Beneficiaries.Code, b.ID); err == nil {
			err = o.open(b.Leaf, store.Requests.Name, r.ID, r.Boxed, r.Box, &w)
		}
	}
	return w, err
}

// seriesWords opens what was noted with a series, under her key.
func (o opening) seriesWords(b people.Beneficiary, r series.Series) (w series.Words, err error) {
	if len(r.Box) > 0 {
		if err = o.note(store.Beneficiaries.Code, b.ID); err == nil {
			err = o.open(b.Leaf, store.Series.Name, r.ID, r.Boxed, r.Box, &w)
		}
	}
	return w, err
}

// outcomeWords opens what was said of how it went.
func (o opening) outcomeWords(b people.Beneficiary, r request.Request) (w request.OutcomeWords, err error) {
	if len(r.Outcome.Box) > 0 {
		if err = o.note(store.Beneficiaries.Code, b.ID); err == nil {
			err = o.open(b.Leaf, outcomeBox, r.ID, 1, r.Outcome.Box, &w)
		}
	}
	return w, err
}

// thanksWords opens the line that she added to her thanks.
func (o opening) thanksWords(b people.Beneficiary, r request.Request) (w request.ThanksWords, err error) {
	if len(r.Thanks.Box) > 0 {
		if err = o.note(store.Beneficiaries.Code, b.ID); err == nil {
			err = o.open(b.Leaf, thanksBox, r.ID, 1, r.Thanks.Box, &w)
		}
	}
	return w, err
}

// thanksBox is the collection name in the place of the words of thanks.
const thanksBox = "thanks"

// offerWords opens what a volunteer has written beside his offer.
func (o opening) offerWords(v people.Volunteer, r offer.Offer) (w offer.Words, err error) {
	if len(r.Box) > 0 {
		if err = o.note(store.Volunteers.Code, v.ID); err == nil {
			err = o.open(v.Leaf, store.Offers.Name, r.ID, 1, r.Box, &w)
		}
	}
	return w, err
}

// outcomeBox is the collection name in the place of an outcome's words.
const outcomeBox = "outcome"

func (o opening) account(a account.Account) (w account.Words, err error) {
	return w, o.open(a.Leaf, store.Accounts.Name, a.ID, 1, a.Box, &w)
}

// totpBox is the collection name in the place of an application's shared secret.
const totpBox = "totp"

// totpWords is what an application shares with an account.
type totpWords struct {
	Shared crypto.Secret `cbor:"1,keyasint"`
}

// totp opens what an account's application shows codes of.
func (o opening) totp(a account.Account, set credential.Set) (crypto.Secret, error) {
	var w totpWords
	if !set.TOTP.There() {
		return w.Shared, nil
	}
	err := o.open(a.Leaf, totpBox, a.ID, 1, set.TOTP.Box, &w)
	return w.Shared, err
}

func (o opening) importWords(i people.Import) (w people.ImportWords, err error) {
	return w, o.open(i.Leaf, store.Imports.Name, i.ID, 1, i.Box, &w)
}

// note tells the caller's reading whose words are opened, before they are. Whoever
// has none opens nothing.
func (o opening) note(collection byte, id [16]byte) error {
	switch {
	case o.by.inner:
		return nil
	case o.by.reading == nil:
		return errUnread
	}
	o.by.reading.saw(Subject{collection, id})
	return nil
}

func (o opening) open(leaf crypto.Leaf, collection string, id [16]byte, version uint32, box []byte, into any) error {
	key, err := o.leaf(leaf)
	if err != nil {
		return fmt.Errorf("opening a %s: %w", collection, err)
	}
	plain, err := key.Open(box, boxPlace(o.siren, collection, id, version))
	if err != nil {
		return fmt.Errorf("opening a %s: %w", collection, err)
	}
	if err := boxDecoding.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("opening a %s: its words are of an unknown form", collection)
	}
	return nil
}

// turnPatience is how often a reader looks again who has met the tree between the
// commit of another root and the moment at which this replica follows it, which
// comes microseconds later.
const turnPatience = 1000

// leaf opens a person's key.
func (o opener) leaf(l crypto.Leaf) (key crypto.Key, err error) {
	for range turnPatience {
		if key, err = o.ring.Open(l); !errors.Is(err, crypto.ErrStaleRoot) || o.keeper.serving() != nil {
			return key, err
		}
		runtime.Gosched()
	}
	return key, err
}

// visible decides whether a person is there for readers: people of an import
// that is not finished, or was undone, are not.
func visible(tx *store.Tx, from ImportID, seen map[ImportID]bool) (bool, error) {
	if from.Zero() {
		return true, nil
	}
	if yes, ok := seen[from]; ok {
		return yes, nil
	}
	i, ok, err := store.Imports.Get(tx, from[:])
	if err != nil {
		return false, err
	}
	seen[from] = ok && i.State == people.Committed
	return seen[from], nil
}
