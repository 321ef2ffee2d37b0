package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// output is where a command writes: what was asked for, and what happens
// meanwhile.
type output struct{ result, progress io.Writer }

// printf writes a line of the answer.
func (o output) printf(format string, args ...any) {
	fmt.Fprintf(o.result, format+"\n", args...)
}

// json writes v as the one line of the answer.
func (o output) json(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	_, err = o.result.Write(append(line, '\n'))
	return err
}

// note writes a line about what happens.
func (o output) note(format string, args ...any) {
	fmt.Fprintf(o.progress, format+"\n", args...)
}

// run does what args say. env reads the environment.
func run(ctx context.Context, args []string, env func(string) string, out output) error {
	reached := false
	root := &cobra.Command{
		Use:           "bippop",
		Short:         "Neighbours who help older people, organised by their town hall",
		Long:          "bippop runs one territory: town halls find neighbours for isolated older people, and no personal data leaves the territory's own machines.\n\nTry it with invented people:  bippop demo",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			reached = true
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(out.result)
	root.SetErr(out.progress)
	root.AddCommand(
		demoCommand(env, out),
		initCommand(env, out),
		joinCommand(env, out),
		serveCommand(env, out),
		importCommand(out),
		exportCommand(out),
		replicasCommand(out),
		keysCommand(out),
		eraseCommand(out),
		erasuresCommand(out),
		backupCommand(out),
		restoreCommand(env, out),
		federationCommand(out),
		dpoCommand(out),
		benchCommand(env, out),
		unsealCommand(out),
		sealCommand(out),
		versionCommand(out),
	)
	err := root.ExecuteContext(ctx)
	if err != nil && !reached {
		return usageError{fmt.Errorf("%w; see bippop --help", err)}
	}
	return err
}
