package consensus_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// asked is what a client asked of one key.
type asked struct {
	Kind   string // read, write, swap
	Key    string
	Before string // a swap's condition
	Value  string
}

// got is what it was told. A write whose outcome is unknown may take effect at any
// later time, or never.
type got struct {
	Value   string // read, or what stood there before a write
	Swapped bool
	Unknown bool
}

// register is one key: what may be told if there were one copy and no faults.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, o := range history {
			key := o.Input.(asked).Key
			byKey[key] = append(byKey[key], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		value, in, out := state.(string), input.(asked), output.(got)
		switch in.Kind {
		case "read":
			return out.Value == value, value
		case "write":
			return out.Unknown || out.Value == value, in.Value
		case "swap":
			does := value == in.Before
			if does {
				value = in.Value
			}
			return out.Unknown || out.Swapped == does, value
		}
		panic("unknown kind " + in.Kind)
	},
}

// history is what all clients saw, in epochs: the keys of an epoch begin with its
// number, so that each can be judged by itself.
type history struct {
	start time.Time
	mu    sync.Mutex // guards all below, for an append
	of    map[int][]porcupine.Operation
}

func newHistory() *history {
	return &history{start: time.Now(), of: map[int][]porcupine.Operation{}}
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) add(client, epoch int, call int64, in asked, out got) {
	end := h.now()
	if out.Unknown {
		end = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[epoch] = append(h.of[epoch], porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
}

// judge checks an epoch that has ended, and forgets it. An epoch that breaks the
// law is kept in testdata.
func (h *history) judge(t *testing.T, epoch int, seed uint64) (ok bool) {
	t.Helper()
	h.mu.Lock()
	operations := h.of[epoch]
	delete(h.of, epoch)
	h.mu.Unlock()
	result := porcupine.CheckOperationsTimeout(register, operations, time.Minute)
	if result == porcupine.Ok {
		return true
	}
	name := filepath.Join("testdata", fmt.Sprintf("history-%d-%d.json", seed, epoch))
	t.Errorf("epoch %d is not linearizable (%s), seed %d: kept in %s", epoch, result, seed, name)
	if err := saveHistory(name, operations); err != nil {
		t.Error(err)
	}
	return false
}

// line is one operation on file.
type line struct {
	Client       int
	Call, Return int64
	Asked        asked
	Got          got
}

func saveHistory(name string, operations []porcupine.Operation) error {
	var b strings.Builder
	for _, o := range operations {
		text, err := json.Marshal(line{o.ClientId, o.Call, o.Return, o.Input.(asked), o.Output.(got)})
		if err != nil {
			return err
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}

// The judge knows a broken law when it sees one.
func TestJudge(t *testing.T) {
	w := func(v, before string) (asked, got) {
		return asked{Kind: "write", Key: "k", Value: v}, got{Value: before}
	}
	type told struct {
		call, ret int64
		in        asked
		out       got
	}
	at := func(call, ret int64, in asked, out got) told { return told{call, ret, in, out} }
	read := func(v string) (asked, got) { return asked{Kind: "read", Key: "k"}, got{Value: v} }
	one, before1 := w("1", "")
	two, before2 := w("2", "1")
	r1, saw1 := read("1")
	r2, saw2 := read("2")
	swap := asked{Kind: "swap", Key: "k", Before: "1", Value: "3"}
	tests := []struct {
		name string
		in   []told
		want bool
	}{
		{"in order", []told{at(0, 1, one, before1), at(2, 3, r1, saw1)}, true},
		{"a stale read", []told{at(0, 1, one, before1), at(2, 3, two, before2), at(4, 5, r1, saw1)}, false},
		{"a lost write", []told{at(0, 1, one, before1), at(2, 3, r2, saw2)}, false},
		{"a write of unknown outcome is seen late", []told{at(0, 1, one, before1), at(2, math.MaxInt64, two, got{Unknown: true}), at(4, 5, r1, saw1), at(6, 7, r2, saw2)}, true},
		{"two swaps from one value", []told{at(0, 1, one, before1), at(2, 3, swap, got{Swapped: true}), at(4, 5, swap, got{Swapped: true})}, false},
	}
	for _, test := range tests {
		var operations []porcupine.Operation
		for i, o := range test.in {
			operations = append(operations, porcupine.Operation{ClientId: i, Input: o.in, Output: o.out, Call: o.call, Return: o.ret})
		}
		if got := porcupine.CheckOperations(register, operations); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
