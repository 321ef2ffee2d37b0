package main

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

// asked is what a client asked about one request.
type asked struct {
	Kind      string // read, change, accept
	Request   string
	Version   uint32 // a change's condition
	Note      string
	Volunteer string
}

// told is what it was told. A write whose outcome is unknown may take effect at any
// later time, or never.
type told struct {
	Done    bool   // or refused: the version is another one, the seat is taken
	Version uint32 // afterwards
	Note    string
	Seated  string // who has the seat
	Unknown bool
	Code    string // of a refusal, for whoever reads a history
}

// seated is one request with one seat, if there were one copy and no faults.
type seated struct {
	version      uint32
	note, seated string
}

var singleCopy = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, o := range history {
			by[o.Input.(asked).Request] = append(by[o.Input.(asked).Request], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range by {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return seated{version: 1} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(seated), input.(asked), output.(told)
		does, after := false, s
		after.version++
		switch in.Kind {
		case "read":
			return out.Version == s.version && out.Note == s.note && out.Seated == s.seated, s
		case "change":
			does, after.note = s.version == in.Version, in.Note
		case "accept":
			does, after.seated = s.seated == "", in.Volunteer
		default:
			panic("unknown kind " + in.Kind)
		}
		if !does {
			return out.Unknown || !out.Done, s
		}
		return out.Unknown || out.Done && out.Version == after.version, after
	},
}

// history is what all clients saw, in epochs: a request is asked about in one epoch
// only, so that each can be judged by itself.
type history struct {
	start time.Time
	mu    sync.Mutex // guards all below, for an append
	of    map[int][]porcupine.Operation
}

func newHistory() *history {
	return &history{start: time.Now(), of: map[int][]porcupine.Operation{}}
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) add(client, epoch int, call int64, in asked, out told) {
	end := h.now()
	if out.Unknown {
		end = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[epoch] = append(h.of[epoch], porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
}

// judge checks an epoch that has ended, and forgets it. One that breaks the law is
// kept in testdata.
func (h *history) judge(t *testing.T, epoch int, what string) (ok bool) {
	t.Helper()
	h.mu.Lock()
	operations := h.of[epoch]
	delete(h.of, epoch)
	h.mu.Unlock()
	result := porcupine.CheckOperationsTimeout(singleCopy, operations, time.Minute)
	if result == porcupine.Ok {
		return true
	}
	name := filepath.Join("testdata", "histories", time.Now().UTC().Format("20060102-150405")+fmt.Sprintf("-%d.json", epoch))
	t.Errorf("what the clients saw during %q is not what one copy could have said (%s): kept in %s", what, result, name)
	if err := saveHistory(name, operations); err != nil {
		t.Error(err)
	}
	return false
}

// line is one operation on file.
type historyLine struct {
	Client       int
	Call, Return int64
	Asked        asked
	Got          told
}

func saveHistory(name string, operations []porcupine.Operation) error {
	var b strings.Builder
	for _, o := range operations {
		text, err := json.Marshal(historyLine{o.ClientId, o.Call, o.Return, o.Input.(asked), o.Output.(told)})
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
	type step struct {
		call, ret int64
		in        asked
		out       told
	}
	forEver := int64(math.MaxInt64)
	change := func(version uint32, note string) asked { return asked{Kind: "change", Version: version, Note: note} }
	accept := func(who string) asked { return asked{Kind: "accept", Volunteer: who} }
	read := asked{Kind: "read"}
	for _, test := range []struct {
		name string
		in   []step
		want bool
	}{
		{"in order", []step{{0, 1, change(1, "a"), told{Done: true, Version: 2}}, {2, 3, read, told{Version: 2, Note: "a"}}}, true},
		{"a stale read", []step{{0, 1, change(1, "a"), told{Done: true, Version: 2}}, {2, 3, read, told{Version: 1}}}, false},
		{"a write lost", []step{{0, 1, accept("m"), told{Done: true, Version: 2}}, {2, 3, accept("n"), told{Done: true, Version: 2}}}, false},
		{"first acceptance wins", []step{{0, 1, accept("m"), told{Done: true, Version: 2}}, {2, 3, accept("n"), told{}}, {4, 5, read, told{Version: 2, Seated: "m"}}}, true},
		{"a refusal without reason", []step{{0, 1, accept("n"), told{}}, {4, 5, read, told{Version: 1}}}, false},
		{"two changes of one version", []step{{0, 1, change(1, "a"), told{Done: true, Version: 2}}, {2, 3, change(1, "b"), told{Done: true, Version: 2}}}, false},
		{"an unknown write is seen late", []step{{0, forEver, change(1, "a"), told{Unknown: true}}, {1, 2, read, told{Version: 1}}, {3, 4, read, told{Version: 2, Note: "a"}}}, true},
		{"an unknown write is seen and gone", []step{{0, forEver, change(1, "a"), told{Unknown: true}}, {1, 2, read, told{Version: 2, Note: "a"}}, {3, 4, read, told{Version: 1}}}, false},
	} {
		var operations []porcupine.Operation
		for i, o := range test.in {
			operations = append(operations, porcupine.Operation{ClientId: i, Input: o.in, Output: o.out, Call: o.call, Return: o.ret})
		}
		if got := porcupine.CheckOperations(singleCopy, operations); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
