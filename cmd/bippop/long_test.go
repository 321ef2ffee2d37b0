package main

import "flag"

// long runs the stated counts instead of the short forms.
var long = flag.Bool("long", false, "run the long forms of the fault tests")
