package federation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Ledger is everything that a territory may have said, and the few numbers with
// which it asks for what others said.
type Ledger struct {
	Siren       public.Siren
	Epoch       uint16
	Entries     [][]byte
	Checkpoints [][]byte // signed; any of them may stand beside entries
	Roster      uint64   // version
	Reads       []public.Siren
	Started     bool // just now: it signs nothing before it has heard a hub, so its HELLO says no size
}

// ErrOffLedger says that something left which does not stand in the ledger.
var ErrOffLedger = errors.New("off the ledger")

// Account goes through every byte that a territory's host sent on its streams, in the
// order in which these were opened, and finds it in the ledger. All of the ledger
// must have left, each entry once. Control is how many bytes were no entry and no
// checkpoint.
func (l Ledger) Account(streams [][]byte) (control int, err error) {
	next := 0
	for i, b := range streams {
		name, rest, err := negotiated(b)
		if err != nil {
			return control, fmt.Errorf("stream %d: %w", i, err)
		}
		control += len(b)
		for frames := 0; len(rest) > 0; frames++ {
			frame, after, err := cut(rest)
			if err != nil {
				return control, fmt.Errorf("stream %d, %s: %w", i, name, err)
			}
			rest = after
			said, err := 0, error(nil)
			switch name {
			case protocolHello:
				err = l.hello(frame, frames)
			case protocolRoster:
				err = l.roster(frame, frames)
			case protocolPull:
				err = l.pull(frame, frames)
			case protocolPush:
				said, err = l.push(frame, &next)
			default:
				err = fmt.Errorf("nothing is to be said here: %w", ErrOffLedger)
			}
			if err != nil {
				return control, fmt.Errorf("stream %d, %s, frame %d: %w", i, name, frames, err)
			}
			control -= said
		}
	}
	if next != len(l.Entries) {
		return control, fmt.Errorf("%d of %d entries left: %w", next, len(l.Entries), ErrOffLedger)
	}
	return control, nil
}

// negotiated takes the constant words off a stream that name its protocol.
func negotiated(b []byte) (protocol.ID, []byte, error) {
	for name := range costs {
		head := "\x13/multistream/1.0.0\n" + string(rune(len(name)+1)) + string(name) + "\n"
		if rest, ok := bytes.CutPrefix(b, []byte(head)); ok {
			return name, rest, nil
		}
	}
	return "", nil, fmt.Errorf("it begins with no protocol of ours: %w", ErrOffLedger)
}

func cut(b []byte) (frame, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, fmt.Errorf("%d bytes that are no frame: %w", len(b), ErrOffLedger)
	}
	n := 4 + binary.BigEndian.Uint32(b)
	return b[4:n], b[n:], nil
}

// exactly reports whether a frame is the one encoding of a value.
func exactly(frame []byte, v any) error {
	if want := must(wireEncoding.Marshal(v)); !bytes.Equal(frame, want) {
		return fmt.Errorf("%x instead of %x: %w", frame, want, ErrOffLedger)
	}
	return nil
}

func (l Ledger) hello(frame []byte, n int) error {
	if n > 0 {
		return fmt.Errorf("a second HELLO: %w", ErrOffLedger)
	}
	want := helloAsk{Min: protocolVersion, Max: protocolVersion, Siren: l.Siren, Epoch: l.Epoch, Size: uint64(len(l.Entries)), Roster: l.Roster}
	if l.Started {
		want.Size = 0
	}
	return exactly(frame, want)
}

func (l Ledger) roster(frame []byte, n int) error {
	if n > 0 {
		return fmt.Errorf("a second question: %w", ErrOffLedger)
	}
	return exactly(frame, rosterAsk{From: l.Roster})
}

func (l Ledger) pull(frame []byte, n int) error {
	if n > 0 {
		return fmt.Errorf("a second question: %w", ErrOffLedger)
	}
	var want pullAsk
	for _, siren := range l.Reads {
		want.Have = append(want.Have, have{Siren: siren, Epoch: l.Epoch, Settled: true})
	}
	return exactly(frame, want)
}

func (l Ledger) push(frame []byte, next *int) (said int, err error) {
	ask, err := parse[pushAsk](frame)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", err, ErrOffLedger)
	}
	to := *next + len(ask.Entries)
	if ask.Epoch != l.Epoch || ask.From != uint64(*next) || to > len(l.Entries) {
		return 0, fmt.Errorf("entries from %d of epoch %d: %w", ask.From, ask.Epoch, ErrOffLedger)
	}
	for i, b := range ask.Entries {
		if !bytes.Equal(b, l.Entries[*next+i]) {
			return 0, fmt.Errorf("entry %d is %x instead of %x: %w", *next+i, b, l.Entries[*next+i], ErrOffLedger)
		}
		said += len(b)
	}
	if most := pieceBytes - 8*(len(ask.Entries)+1); to < len(l.Entries) && said+len(l.Entries[to]) <= most {
		return 0, fmt.Errorf("a piece of %d entries that had room for more: %w", len(ask.Entries), ErrOffLedger)
	}
	*next = to
	if len(ask.Checkpoint) > 0 && !slices.ContainsFunc(l.Checkpoints, func(c []byte) bool { return bytes.Equal(c, ask.Checkpoint) }) {
		return 0, fmt.Errorf("a checkpoint that nobody signed so: %w", ErrOffLedger)
	}
	return said + len(ask.Checkpoint), nil
}

// Leaks are ways in which a host could say more than its ledger, done to the streams of
// one that does not. Each gives them anew with the word hidden in them.
var Leaks = []struct {
	Name string
	Do   func(l Ledger, streams [][]byte, word string) [][]byte
}{
	{"bytes behind a frame", inFrames(func(_ protocol.ID, b []byte, word string) []byte { return append(b, word...) })},
	{"a frame behind the last", inFrames(func(_ protocol.ID, b []byte, word string) []byte {
		return append(append(b, 0, 0, 0, byte(len(word))), word...)
	})},
	{"a stream of its own", func(_ Ledger, s [][]byte, word string) [][]byte { return append(s, []byte(word)) }},
	{"the name of a protocol", func(_ Ledger, s [][]byte, word string) [][]byte {
		return append(s, []byte("\x13/multistream/1.0.0\n"+string(rune(len(word)+2))+"/"+word+"\n"))
	}},
	{"an empty stream for each bit", func(_ Ledger, s [][]byte, word string) [][]byte { return append(s, nil) }},
	{"the size of the feed in HELLO", leak(protocolHello, func(v *helloAsk, word string) { v.Size += uint64(word[0]) })},
	{"the version of the roster in HELLO", leak(protocolHello, func(v *helloAsk, word string) { v.Roster ^= uint64(word[0]) << 32 })},
	{"the epoch in HELLO", leak(protocolHello, func(v *helloAsk, word string) { v.Epoch ^= uint16(word[0]) })},
	{"another SIREN in HELLO", leak(protocolHello, func(v *helloAsk, word string) { v.Siren += public.Siren(word[0]) })},
	{"the versions of the protocol in HELLO", leak(protocolHello, func(v *helloAsk, word string) { v.Max = word[0] })},
	{"the low bit of an entry", leak(protocolPush, func(v *pushAsk, _ string) { v.Entries[0][len(v.Entries[0])-1] ^= 1 })},
	{"an entry more", leak(protocolPush, func(v *pushAsk, word string) { v.Entries = append(v.Entries, []byte(word)) })},
	{"an entry less", leak(protocolPush, func(v *pushAsk, _ string) { v.Entries = v.Entries[:len(v.Entries)-1] })},
	{"the order of entries", leak(protocolPush, func(v *pushAsk, _ string) { v.Entries[0], v.Entries[1] = v.Entries[1], v.Entries[0] })},
	{"where the entries begin", leak(protocolPush, func(v *pushAsk, word string) { v.From += uint64(word[0]) })},
	{"a line of the checkpoint", leak(protocolPush, func(v *pushAsk, word string) { v.Checkpoint = append(v.Checkpoint, "— "+word+" AAAA\n"...) })},
	{"a bit of a signature", leak(protocolPush, func(v *pushAsk, _ string) { v.Checkpoint[len(v.Checkpoint)-3] ^= 1 })},
	{"the same entries again", func(_ Ledger, s [][]byte, _ string) [][]byte {
		for _, b := range s {
			if name, _, _ := negotiated(b); name == protocolPush {
				return append(s, b)
			}
		}
		return s
	}},
	{"whose offers are asked for", leak(protocolPull, func(v *pullAsk, word string) { v.Have[0].Siren += public.Siren(word[0]) })},
	{"how much of them is known", leak(protocolPull, func(v *pullAsk, word string) { v.Have[0].Size = uint64(word[0]) })},
	{"whether all are asked for", leak(protocolPull, func(v *pullAsk, _ string) { v.All = true })},
	{"entries of the roster", func(l Ledger, s [][]byte, word string) [][]byte {
		return append(s, stream(protocolRoster, rosterAsk{From: l.Roster, Give: [][]byte{[]byte(word)}}))
	}},
	{"the place in the roster", func(l Ledger, s [][]byte, word string) [][]byte {
		return append(s, stream(protocolRoster, rosterAsk{From: l.Roster + uint64(word[0])}))
	}},
	{"proof of a fork that is none", func(l Ledger, s [][]byte, word string) [][]byte {
		return append(s, stream(protocolEvidence, evidenceAsk{Siren: l.Siren, A: []byte(word)}))
	}},
	{"another form of the same numbers", inFrames(func(name protocol.ID, b []byte, _ string) []byte {
		if name != protocolHello || b[5] != 1 {
			return b
		}
		longer := slices.Concat(b[:5], []byte{0x18, 1}, b[6:]) // 1 in two bytes
		longer[3]++
		return longer
	})},
}

func stream(name protocol.ID, v any) []byte {
	body := must(wireEncoding.Marshal(v))
	b := []byte("\x13/multistream/1.0.0\n" + string(rune(len(name)+1)) + string(name) + "\n")
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

// leak changes the first frame of a protocol.
func leak[T any](name protocol.ID, change func(v *T, word string)) func(Ledger, [][]byte, string) [][]byte {
	return func(_ Ledger, streams [][]byte, word string) [][]byte {
		for i, b := range streams {
			if have, rest, _ := negotiated(b); have == name {
				frame, after, err := cut(rest)
				if err != nil {
					continue
				}
				v := must(parse[T](frame))
				change(&v, word)
				streams[i] = append(stream(name, v), after...)
				break
			}
		}
		return streams
	}
}

// inFrames changes the frames of every stream.
func inFrames(change func(name protocol.ID, frames []byte, word string) []byte) func(Ledger, [][]byte, string) [][]byte {
	return func(_ Ledger, streams [][]byte, word string) [][]byte {
		for i, b := range streams {
			if name, rest, err := negotiated(b); err == nil && len(rest) > 0 {
				streams[i] = append(bytes.Clone(b[:len(b)-len(rest)]), change(name, bytes.Clone(rest), word)...)
			}
		}
		return streams
	}
}
