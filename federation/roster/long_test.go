package roster_test

import (
	"flag"
	"os"
	"testing"
)

// long asks for many more tries than a short run has time for.
var long = flag.Bool("long", false, "take longer and try more")

var update = flag.Bool("update", false, "write the golden file anew")

func TestMain(m *testing.M) {
	flag.Parse()
	if *long {
		flag.Set("rapid.checks", "5000")
	}
	os.Exit(m.Run())
}
