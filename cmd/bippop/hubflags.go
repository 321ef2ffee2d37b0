package main

import (
	"strings"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/node"
	"github.com/spf13/pflag"
)

// hubbing is how a command was told to run a hub.
type hubbing struct {
	name   string
	listen []string // multiaddrs
}

func (h *hubbing) flags(f *pflag.FlagSet) {
	f.StringVar(&h.name, "hub-name", "", "run a hub of the federation here, under the name that the roster gives it, like hub1.example.org")
	f.StringArrayVar(&h.listen, "hub-listen", nil, "multiaddr on which the hub listens, like /ip4/0.0.0.0/udp/7500/quic-v1 or /ip4/127.0.0.1/tcp/7501/ws; may be repeated")
}

// check refuses what could never work, before a key is touched.
func (h *hubbing) check() error {
	switch {
	case (h.name == "") != (len(h.listen) == 0):
		return usagef("a hub needs both: --hub-name NAME and --hub-listen MULTIADDR")
	case strings.ContainsAny(h.name, " \t+"):
		return usagef("--hub-name has neither blanks nor plus signs, like hub1.example.org")
	}
	for _, at := range h.listen {
		if err := federation.CheckListen(at); err != nil {
			return usagef("--hub-listen is a multiaddr like /ip4/0.0.0.0/udp/7500/quic-v1: %w", err)
		}
	}
	return nil
}

func (h *hubbing) hub() node.FederationHub {
	return node.FederationHub{Name: h.name, Listen: h.listen}
}
