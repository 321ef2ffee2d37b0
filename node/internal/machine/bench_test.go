package machine_test

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// BenchmarkApply is what one request costs every replica, by how many commands
// share an entry. An operation is one command; cpu-µs/op counts what Badger does
// of it on goroutines of its own.
func BenchmarkApply(b *testing.B) {
	for _, together := range []int{1, 16, 64, 128} {
		b.Run(fmt.Sprint("together=", together), func(b *testing.B) {
			r := newReplica(b, b.TempDir())
			defer r.store.Close()
			r.apply(b, found())
			r.apply(b, command.Enrol{Stamp: stamp(0), Who: command.NewBeneficiary{ID: her(0), Facts: people.Facts{State: people.Active, Commune: "33352"}, Leaf: leaf(1), Box: make([]byte, 300)}})
			entries := openings(b, b.N, together)
			index, err := r.Applied()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime()
			for _, entry := range entries {
				index++
				if reply := r.Apply(index, entry)[0].(machine.Reply); reply.Refusal != 0 {
					b.Fatal(reply.Refusal)
				}
			}
			b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// openings are n requests with 512 sealed bytes each, packed as a leader packs.
func openings(b *testing.B, n, together int) (entries [][][]byte) {
	for i := range n {
		c := command.OpenRequest{
			Stamp: stamp(when.At(i)), ID: ident.Request{0x01, 0x9a, 6: 0x70, 8: 0x80}, Beneficiary: her(0), Type: kindOf(shopping),
			Wish: request.Wish{Kind: request.Flexible}, Plan: request.Plan{Seats: 1, Minutes: 60}, Box: make([]byte, 512), Counts: cell(public.Requested, 1),
		}
		binary.BigEndian.PutUint32(c.ID[12:], uint32(i+1))
		c.Stamp.Key = fmt.Sprintf("%026d", i)
		one, err := command.Encode(c)
		if err != nil {
			b.Fatal(err)
		}
		if i%together == 0 {
			entries = append(entries, nil)
		}
		last := len(entries) - 1
		entries[last] = append(entries[last], one)
	}
	return entries
}

// processorTime is what this process has used of the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
