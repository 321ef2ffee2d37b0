package request_test

import (
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
)

// TestThanks: for what took place, once, and read once by each who came.
func TestThanks(t *testing.T) {
	for s := request.Draft; s <= request.Unfilled; s++ {
		r := in(s)
		after, err := r.Thank([]byte("line"), noon)
		if s != request.Done {
			if err != refuse.NotDoneYet || after.Version != r.Version || r.ThanksFor(him(1)) {
				t.Errorf("state %d: %v", s, err)
			}
			continue
		}
		if err != nil || after.Version != r.Version+1 || after.State != request.Done {
			t.Fatalf("%+v, %v", after, err)
		}
		if _, err := after.Thank(nil, noon); err != refuse.Thanked {
			t.Errorf("twice: %v", err)
		}
		if after.ThanksFor(him(3)) || !after.ThanksFor(him(1)) || !after.ThanksFor(him(2)) {
			t.Error("thanks for whom?")
		}
		seen := must(after.SeeThanks(him(1)))
		if _, err := seen.SeeThanks(him(1)); err != refuse.NoThanks || !seen.ThanksFor(him(2)) || len(after.Thanks.Seen) != 0 {
			t.Errorf("read: %v, %+v", err, seen.Thanks)
		}
	}
}

// TestOneTrip: two visits that he makes by one offer are one trip; it ends with
// his seat, however he comes back to it.
func TestOneTrip(t *testing.T) {
	o, another := ident.Offer{15: 1}, ident.Offer{15: 2}
	a, b := must(in(request.Open).AcceptBy(o, him(1), noon, noon)), must(in(request.Open).AcceptBy(o, him(1), noon, noon))
	if !a.OneTrip(him(1), b) || a.OneTrip(him(2), b) {
		t.Error("two visits of one offer are no trip of his, or of somebody else's")
	}
	if c := must(in(request.Open).AcceptBy(another, him(1), noon, noon)); a.OneTrip(him(1), c) {
		t.Error("two offers are one trip")
	}
	plain := must(in(request.Open).Accept(him(1), noon, noon))
	if a.OneTrip(him(1), plain) || plain.OneTrip(him(1), plain) {
		t.Error("visits that nobody offered are one trip")
	}
	a = must(a.Withdraw(him(1), request.Withdrawn, noon))
	if a.OneTrip(him(1), b) {
		t.Error("he goes no more, and is on the way")
	}
	if a = must(a.Accept(him(1), noon, noon)); a.OneTrip(him(1), b) {
		t.Error("he came back without the offer, and is on its way")
	}
	if b = must(b.Change(b.Version, request.Wish{Kind: request.Flexible}, b.Plan, nil, noon)); !b.By(him(1)).Zero() {
		t.Error("she wishes another time, and he comes by his offer still")
	}
}
