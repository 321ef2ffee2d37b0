package main

import (
	"strings"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/node"
	"github.com/spf13/pflag"
)

// entering is how serve was told that people may sign in at an identity provider.
type entering struct {
	cfg        oidc.Config
	secretFile string
	door       *oidc.Door // nil: at none
}

func (e *entering) flags(f *pflag.FlagSet) {
	f.StringVar(&e.cfg.Issuer, "oidc-issuer", "", "OpenID provider at which agents, officials and professionals may sign in, as it names itself: https://…")
	f.StringVar(&e.cfg.Client, "oidc-client", "", "this node's client name at the provider")
	f.StringVar(&e.secretFile, "oidc-secret-file", "", "file whose first line is the client's secret")
	f.StringVar(&e.cfg.Address, "oidc-address", "", "how people reach this node, as registered at the provider: https://HOST; it sends them back to HOST"+oidc.ReturnPath)
	f.BoolVar(&e.cfg.TwoFactors, "oidc-two-factors", false, "let nobody in of whom the provider does not say that two factors were shown")
	f.BoolVar(&e.cfg.Plain, "oidc-plain", false, "believe what the provider says of a person without a signature of its own; ProConnect signs")
	f.VisitAll(func(flag *pflag.Flag) { // the sign-in page does not show this door yet
		flag.Hidden = flag.Hidden || strings.HasPrefix(flag.Name, "oidc-")
	})
}

// open checks what was said, and calls nobody.
func (e *entering) open() (err error) {
	said := e.cfg.Issuer + e.cfg.Client + e.secretFile + e.cfg.Address
	if said == "" && !e.cfg.TwoFactors && !e.cfg.Plain {
		return nil
	}
	if e.cfg.Issuer == "" || e.cfg.Client == "" || e.secretFile == "" || e.cfg.Address == "" {
		return usagef("signing in at a provider needs --oidc-issuer URL --oidc-client NAME --oidc-secret-file FILE --oidc-address URL")
	}
	if e.cfg.Secret, err = secretFile(e.secretFile); err != nil {
		return err
	}
	if e.door, err = oidc.Open(e.cfg); err != nil {
		return usagef("--oidc-issuer, --oidc-client, --oidc-address: %w", err)
	}
	return nil
}

// connection is the row of the page that shows what leaves.
func (e *entering) connection() node.Connection {
	c := node.Connection{Name: node.ConnectOIDC, On: e.door != nil}
	if e.door != nil {
		c.Provider, c.Count = e.door.Host(), e.door.Calls()
	}
	return c
}
