package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	programs := map[string]func(){"bippop": main, "ask": askMain, "bippop-tuned": tunedMain, "bippop-hub": hubMain}
	if programs[filepath.Base(os.Args[0])] == nil && len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "the test binary was started as if it were bippop; it would start itself again and again")
		os.Exit(2)
	}
	testscript.Main(m, programs)
}

// TestStories runs testdata/*.txtar: each tells what somebody does and sees.
// Beside bippop there is ask, a small program that speaks to the node at $URL.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TESTDATA", sheetTestdata(t))
			e.Setenv("TODAY", today(t))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"port":   cmdPort,
			"id":     cmdID,
			"alter":  cmdAlter,
			"canary": cmdCanary,
			"apply":  cmdApply,
			"hubs":   cmdHubs,
			"ledger": cmdLedger,
			"misled": cmdMisled,
		},
	})
}

// sheetTestdata is where the spreadsheets lie that the reader is tested with.
func sheetTestdata(t *testing.T) string {
	dir, err := filepath.Abs("../../node/internal/sheet/testdata")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// today is the day in the territory of the stories.
func today(t *testing.T) string {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return time.Now().In(zone).Format(time.DateOnly)
}

// cmdPort sets $PORT and $URL to the first of a row of ports that a demo may take. No
// other test has them before the script ends.
func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	port, end := portRow()
	ts.Defer(end)
	ts.Setenv("PORT", strconv.Itoa(port))
	ts.Setenv("URL", "http://"+loopback(port))
}

// portRow is the first port of a row on which nobody listens, below the range from
// which systems draw ports for connections. Whoever has it listens on the one after
// the row until the end, so that no other test takes it meanwhile, of this process or
// another.
func portRow() (first int, end func()) {
	for {
		first = 22_000 + 10*rand.IntN(900)
		guard, err := net.Listen("tcp", loopback(first+demoRow))
		if err != nil {
			continue
		}
		if free(first, demoRow) == nil {
			return first, func() { guard.Close() }
		}
		guard.Close()
	}
}

// freeAddress is on this machine, and nobody listens there, as portRow says.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, end := portRow()
	t.Cleanup(end)
	return loopback(port)
}

// cmdID sets a variable to the ID that ask has seen last.
func cmdID(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], ts.ReadFile("id"))
}

// cmdAlter flips one bit in the middle of the newest file that fits a pattern.
func cmdAlter(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file fits %s", args[0])
	}
	name := slices.Max(names)
	b, err := os.ReadFile(name)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(name, b, 0o600))
}
