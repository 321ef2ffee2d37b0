package main

import (
	"github.com/spf13/cobra"
)

func keysCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{Use: "keys", Short: "The root key, and who holds it"}
	rotate := &cobra.Command{
		Use: "rotate", Short: "Replace the root key, after a vault may have been seen", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.sure(out, "Most machines must be up. Nobody is erased. Key backups have to be made again: those in folders are at once, manual ones wait for you."); err != nil {
				return err
			}
			return o.with(c.Context(), func(cl *client) error {
				return o.do(c.Context(), cl, out, "/keys/rotate", nil, "The root key is replaced.")
			})
		},
	}
	c.AddCommand(o.askYes(rotate), &cobra.Command{
		Use: "status", Short: "Show which machine holds the current root key, and no older one", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return show(c.Context(), &o, out, "/replicas", func(m machines) {
				for _, r := range m.Items {
					switch {
					case r.State == "destroyed":
						out.printf("%s: removed, its vault is recorded as destroyed", r.Name)
					case r.State == "removed":
						out.printf("%s: removed, its vault may still exist; when it is gone: bippop replicas destroyed %s", r.Name, r.Name)
					case r.Current:
						out.printf("%s: the current root key, and none older", r.Name)
					default:
						out.printf("%s: not confirmed yet, an older root key may still be there", r.Name)
					}
				}
			})
		},
	})
	for _, sub := range c.Commands() {
		o.flags(sub.Flags())
	}
	c.AddCommand(keysVaultCommand(out), keysSharesCommand(out)) // on this machine, without a node
	return c
}
