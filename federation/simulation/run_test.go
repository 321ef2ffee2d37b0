package simulation_test

import (
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bippop/bippop/federation/simulation"
)

var long = flag.Bool("long", false, "run the long forms")

// ram is a folder in memory where there is one: copies are synced to disk, which is
// not what is measured.
func ram(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "bippop")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func carryOut(t *testing.T, p simulation.Plan) (out simulation.Result) {
	t.Helper()
	p.Dir = ram(t)
	synctest.Test(t, func(t *testing.T) {
		var err error
		if out, err = simulation.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d territories: %.2f s virtual, %.2f MB, %d packets, %d messages", out.Territories, out.Virtual.Seconds(), float64(out.WireBytes)/1e6, out.Packets, out.Messages)
	return out
}

func count() int {
	if *long {
		return 1356
	}
	return 100
}

// Everybody releases at one instant, and the coordinator has it all within seconds.
func TestAllAtOnce(t *testing.T) {
	out := carryOut(t, simulation.Plan{Territories: count()})
	if out.Virtual > 5*time.Second {
		t.Errorf("complete after %s", out.Virtual)
	}
	if each := out.WireBytes / int64(out.Territories); each > 25_000_000/1356 {
		t.Errorf("%d bytes for each territory", each)
	}
}

// One of three hubs is gone for an hour from the first instant on: its territories
// go to another, and nothing waits for it.
func TestHubFails(t *testing.T) {
	out := carryOut(t, simulation.Plan{Territories: count(), HubDown: 50 * time.Millisecond, HubUp: time.Hour})
	if out.Virtual > 15*time.Minute {
		t.Errorf("complete after %s", out.Virtual)
	}
}

// A tenth of the territories is away for three days; what they have to say waits
// with them, and arrives when they are back.
func TestOffline(t *testing.T) {
	const away = 72 * time.Hour
	const poll = 6 * time.Hour // so that three days are not a million messages
	out := carryOut(t, simulation.Plan{Territories: 30, Offline: 3, Away: away, Poll: poll, Pull: poll, Within: away + 4*poll})
	if out.Virtual < away || out.Virtual > away+3*poll {
		t.Errorf("complete after %s", out.Virtual)
	}
}

// A twentieth of all packets is lost.
func TestLoss(t *testing.T) {
	out := carryOut(t, simulation.Plan{Territories: count(), Loss: 0.05})
	if out.Virtual > 5*time.Minute {
		t.Errorf("complete after %s", out.Virtual)
	}
}
