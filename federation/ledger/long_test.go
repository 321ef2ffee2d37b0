package ledger_test

import "flag"

// long asks for many more tries than a short run has time for.
var long = flag.Bool("long", false, "take longer and try more")
