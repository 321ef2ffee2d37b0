// Command bippop runs one territory of neighbours who help: it is the server, the
// desk's tools and the demo in one program.
//
//	bippop demo     everything on this machine, with invented people
//	bippop init     found a territory for real
//	bippop serve    run it
//	bippop import   bring in the town hall's spreadsheets
//	bippop export   take people out as a spreadsheet
//	bippop replicas the machines: list, add, remove, hand over
//	bippop keys     the root key: who holds it, replace it
//	bippop erase    make somebody's words unreadable for ever
//	bippop erasures what was erased, and what is certified
//	bippop backup   copies of the data and of the keys
//	bippop restore  bring a territory back from them
//	bippop federation who belongs to the federation, and who signs for it
//	bippop dpo      check what left the territory, without trusting it
//	bippop bench    measure a node on this machine
//
// Answers go to standard output, progress and errors to standard error. With
// --json an answer is one line. The exit code is 0, 1 for a fault, 2 for a
// command that was typed wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // days are counted in the territory's zone, also where the system has no zones
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, output{result: os.Stdout, progress: os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bippop:", err)
	}
	os.Exit(exitCode(err))
}

// usageError is a command that was typed wrongly.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}
