package consensustest

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
)

// Map is a small [consensus.Machine] in memory. Its commands are [Put], answered
// with the value that stood there before, as a string, and [Swap], answered with
// true or false. All else is answered with a [Refusal].
//
// It forgets like a machine on disk: Crash falls back to the last Sync, which a
// loss of power would do.
type Map struct {
	mu      sync.Mutex // guards all, for one command or one copy
	state   state
	synced  state
	Applies int // calls of Apply that did something
}

type state struct {
	Index  uint64
	Values map[string]string
}

// Refusal is the reply of a domain that says no.
type Refusal string

// NewMap is empty.
func NewMap() *Map {
	return &Map{state: state{Values: map[string]string{}}, synced: state{Values: map[string]string{}}}
}

// Put is the command that sets key.
func Put(key, value string) []byte { return []byte(key + "\x00" + value) }

// Swap is the command that sets key to value if it stands at before; a key that was
// never set stands at "".
func Swap(key, before, value string) []byte {
	return []byte("\x00" + key + "\x00" + before + "\x00" + value)
}

// Apply is part of consensus.Machine.
func (m *Map) Apply(index uint64, commands [][]byte) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index <= m.state.Index {
		return nil
	}
	replies := make([]any, len(commands))
	for i, c := range commands {
		replies[i] = m.put(string(c))
	}
	m.state.Index = index
	m.Applies++
	return replies
}

func (m *Map) put(command string) any {
	if swap, ok := strings.CutPrefix(command, "\x00"); ok {
		if part := strings.Split(swap, "\x00"); len(part) == 3 {
			if m.state.Values[part[0]] != part[1] {
				return false
			}
			m.state.Values[part[0]] = part[2]
			return true
		}
		return Refusal("not a swap")
	}
	key, value, ok := strings.Cut(command, "\x00")
	if !ok {
		return Refusal("not a put")
	}
	before := m.state.Values[key]
	m.state.Values[key] = value
	return before
}

// Applied is part of consensus.Machine.
func (m *Map) Applied() (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Index, nil
}

// Sync is part of consensus.Machine.
func (m *Map) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced = m.state.clone()
	return nil
}

// Dump is part of consensus.Machine. It seals nothing.
func (m *Map) Dump(w io.Writer) error {
	m.mu.Lock()
	copied := m.state.clone()
	m.mu.Unlock()
	return gob.NewEncoder(w).Encode(copied)
}

// Load is part of consensus.Machine.
func (m *Map) Load(r io.Reader) error {
	var s state
	if err := gob.NewDecoder(bufio.NewReader(r)).Decode(&s); err != nil {
		return fmt.Errorf("loading a map: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.Values == nil {
		s.Values = map[string]string{}
	}
	m.state, m.synced = s, s.clone()
	return nil
}

// Get reads a key.
func (m *Map) Get(key string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Values[key]
}

// Values is a copy of all.
func (m *Map) Values() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.state.Values)
}

// Crash loses what was not synced.
func (m *Map) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = m.synced.clone()
}

func (s state) clone() state { return state{s.Index, maps.Clone(s.Values)} }
