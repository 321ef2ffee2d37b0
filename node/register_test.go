package node_test

import (
	"testing"

	"github.com/bippop/bippop/node"
)

// TestRegister: people stand by name, whatever accent or capital they wear.
func TestRegister(tt *testing.T) {
	t := newTown(tt)
	for _, name := range []string{"Zola", "Éluard", "de Vigny", "duval", "Elsa"} {
		t.enrol(name)
	}
	names := func(page node.Register) (out []string) {
		t.Helper()
		list, more, err := t.Find.Beneficiaries(t.admin, page)
		t.must(err)
		for _, b := range list {
			out = append(out, b.Words.Last.Reveal())
		}
		if more {
			out = append(out, "…")
		}
		return out
	}
	for _, c := range []struct {
		page node.Register
		want []string
	}{
		{node.Register{Limit: 3}, []string{"de Vigny", "duval", "Elsa", "…"}},
		{node.Register{Limit: 3, Skip: 3}, []string{"Éluard", "Zola"}},
		{node.Register{Limit: 9, Initial: 'e'}, []string{"Elsa", "Éluard"}},
		{node.Register{Limit: 9, Commune: "33187"}, nil},
	} {
		got := names(c.page)
		if len(got) != len(c.want) {
			t.Errorf("%+v: %v, want %v", c.page, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%+v: %v, want %v", c.page, got, c.want)
				break
			}
		}
	}
	t.approve("Paul")
	if near, err := t.Find.Near(t.admin, "33352", 5); err != nil || len(near) != 1 {
		t.Errorf("%d near, %v", len(near), err)
	}
	list, more, err := t.Find.Volunteers(t.admin, node.Approved, node.Register{Limit: 5})
	if err != nil || more || len(list) != 1 {
		t.Errorf("%d approved, %v, %v", len(list), more, err)
	}
	if list, _, _ := t.Find.Volunteers(t.admin, node.Ended, node.Register{Limit: 5}); len(list) != 0 {
		t.Error("who is approved stands among those who have ended")
	}
	if _, _, err := t.Find.Beneficiaries(node.Caller{}, node.Register{}); err == nil {
		t.Error("nobody reads the register")
	}
}
