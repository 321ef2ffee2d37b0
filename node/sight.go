package node

import (
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
)

// itself is the node: no answer to anybody is made of what it reads.
var itself = Caller{inner: true}

// limited reports whether there are people of the territory whom the caller does not
// reach.
func (c Caller) limited() bool {
	switch {
	case c.inner:
		return false
	case c.Roles.Has(account.Admin | account.DPO | account.Volunteer | account.Beneficiary):
		return false // the last two reach their own, see the services
	case c.Roles.Has(account.Agent | account.Reception):
		return len(c.Communes) > 0
	}
	return true
}

// reaches reports whether the caller may know of the people of a commune, by INSEE
// code.
func (c Caller) reaches(commune string) bool {
	if !c.limited() {
		return true
	}
	return c.Roles.Has(account.Agent|account.Reception) && slices.Contains(c.Communes, commune)
}

// within is what search needs of it: nil for everybody.
func (c Caller) within() func(commune string) bool {
	if !c.limited() {
		return nil
	}
	return c.reaches
}

// sight is what of the records the caller may know of; nil: all. It is the one place
// that hides a person: through it every read passes, see [core.view].
func (c Caller) sight() func(*store.Tx, any) (bool, error) {
	switch {
	case c.inner:
		return nil
	case c.Roles == account.Volunteer:
		return c.standsIn
	case !c.limited():
		return nil
	}
	return c.sees
}

// standsIn is a volunteer's sight: requests in which he stands, and offers of his. What
// he may take near him is looked for besides, see helping.go.
func (c Caller) standsIn(_ *store.Tx, record any) (bool, error) {
	switch r := record.(type) {
	case request.Request:
		_, asked := r.Asking(c.Volunteer)
		return asked, nil
	case offer.Offer:
		return r.Volunteer == c.Volunteer, nil
	case people.Volunteer:
		return r.ID == c.Volunteer, nil
	}
	return true, nil
}

// sees judges one record. What is about two people is in sight with her, who asks; an
// offer with him, who makes it.
func (c Caller) sees(tx *store.Tx, record any) (bool, error) {
	switch r := record.(type) {
	case people.Beneficiary:
		return c.reaches(r.Commune), nil
	case people.Volunteer:
		return c.seesHim(r), nil
	case request.Request:
		if r.Beneficiary.Zero() {
			return c.reaches(r.Commune), nil // she was erased
		}
		return c.seesHer(tx, r.Beneficiary)
	case series.Series:
		return c.seesHer(tx, r.Beneficiary)
	case contact.Attempt:
		return c.seesHer(tx, r.Beneficiary)
	case bond.Bond:
		return c.seesHer(tx, r.Beneficiary)
	case offer.Offer:
		v, ok, err := store.Volunteers.Get(tx, r.Volunteer[:])
		return ok && c.seesHim(v), err
	case across.Interest:
		q, ok, err := store.Requests.Get(tx, r.Request[:])
		if err != nil || !ok {
			return false, err
		}
		return c.sees(tx, q)
	}
	return true, nil
}

func (c Caller) seesHer(tx *store.Tx, id BeneficiaryID) (bool, error) {
	b, ok, err := store.Beneficiaries.Get(tx, id[:])
	return ok && c.reaches(b.Commune), err
}

func (c Caller) seesHim(v people.Volunteer) bool {
	if c.Roles == account.Association {
		return c.Association != "" && v.Offer.Association == c.Association
	}
	return c.reaches(v.Offer.Commune)
}

// inSight reports whether a record that stands in a list is one that the caller may
// know of. It reads nothing for who reaches everybody.
func inSight[R store.Record](by Caller, tx *store.Tx, c store.Collection[R], id []byte) (bool, error) {
	if !by.limited() {
		return true, nil
	}
	_, ok, err := c.Get(tx, id)
	return ok, err
}
