package mesh_test

import (
	"flag"
	"log/slog"
)

// long is known to every package, so that one flag serves them all.
var _ = flag.Bool("long", false, "take longer and try more")

var discard = slog.New(slog.DiscardHandler)
