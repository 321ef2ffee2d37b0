package ident_test

import (
	"encoding/json"
	"errors"
	"flag"
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		var id ident.Request
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		b, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		var got ident.Request
		if err := json.Unmarshal(b, &got); err != nil || got != id {
			t.Fatalf("got %v, %v; want %v", got, err, id)
		}
		if id.Zero() != (id.String() == "") {
			t.Fatalf("%q", id.String())
		}
	})
}

func TestParse(t *testing.T) {
	const good = "019a0000-0000-7000-8000-000000000301"
	id, err := ident.Parse[int](good)
	if err != nil || id.String() != good || id.Zero() {
		t.Errorf("%v, %v", id, err)
	}
	if id, err := ident.Parse[int]("019A0000-0000-7000-8000-000000000301"); err == nil && id.String() != good {
		t.Errorf("capitals: %v", id)
	}
	for _, bad := range []string{
		"", "x", good[:35], good + "0", "{" + good + "}", "urn:uuid:" + good, "019a000000007000800000000000" + "0301",
		"019a0000-0000-7000-8000-00000000030g", "019a0000_0000-7000-8000-000000000301", " " + good[1:],
	} {
		if id, err := ident.Parse[int](bad); !errors.Is(err, ident.ErrID) || !id.Zero() {
			t.Errorf("%q: %v, %v", bad, id, err)
		}
	}
	var r ident.Request
	if err := r.UnmarshalText([]byte("personal words")); !errors.Is(err, ident.ErrID) || err.Error() != ident.ErrID.Error() {
		t.Errorf("the error says more than it may: %v", err)
	}
	if err := r.UnmarshalText(nil); err != nil || !r.Zero() {
		t.Errorf("an empty ID: %v, %v", r, err)
	}
}
