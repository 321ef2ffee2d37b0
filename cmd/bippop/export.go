package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func exportCommand(out output) *cobra.Command {
	var (
		r          reaching
		kind, path string
		asJSON     bool
	)
	c := &cobra.Command{
		Use:   "export",
		Short: "Take everybody of one kind out as a spreadsheet",
		Long:  "export writes a file that Excel opens and bippop import reads back: a workbook if its name ends in .xlsx, CSV otherwise. It holds personal data in clear:\nonly you can read it, and it is yours to delete.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case kind != "beneficiaries" && kind != "volunteers":
				return usagef("say who is to be written: --kind beneficiaries or --kind volunteers")
			case path == "":
				return usagef("say where to: --out FILE")
			}
			n, err := r.export(c.Context(), kind, path)
			if err != nil {
				return err
			}
			if asJSON {
				return out.json(map[string]any{"file": path, "bytes": n})
			}
			out.printf("%s holds personal data in clear: delete it when it has served.", path)
			return nil
		},
	}
	f := c.Flags()
	r.flags(f)
	f.StringVar(&kind, "kind", "", "who is to be written: beneficiaries or volunteers")
	f.StringVar(&path, "out", "", "file to write; it must not exist")
	f.BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

// export writes the node's file to path, which nobody else may read.
func (r *reaching) export(ctx context.Context, kind, path string) (n int64, err error) {
	c, err := r.signIn(ctx)
	if err != nil {
		return 0, err
	}
	defer c.signOut(ctx)
	format := "csv"
	if strings.EqualFold(filepath.Ext(path), ".xlsx") {
		format = "xlsx"
	}
	answer, err := c.send(ctx, "GET", "/exports/"+kind+"?format="+format, "", nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, fmt.Errorf("%s is there already: choose another name with --out", path)
	}
	if err != nil {
		return 0, fmt.Errorf("writing the export: %w", err)
	}
	if n, err = io.Copy(file, answer.Body); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path) // half a file would look like a whole one
		return 0, errors.New("the export was cut short, and nothing is left of it: try again")
	}
	return n, nil
}
