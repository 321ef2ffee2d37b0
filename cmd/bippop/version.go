package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(out output) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Say which program this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := thisVersion()
			if asJSON {
				return out.json(v)
			}
			out.printf("bippop %s (%s)", v.Version, v.Go)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

// version is which program this is.
type version struct {
	Version string `json:"version"` // of the module, or the commit it was built from
	Go      string `json:"go"`
}

func thisVersion() version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version{Version: "unknown"}
	}
	v := version{Version: info.Main.Version, Go: info.GoVersion}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "development"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Version = s.Value
			}
		}
	}
	return v
}
