package main

import (
	"net"
	"net/url"

	"github.com/bippop/bippop/node"
	"github.com/spf13/pflag"
)

// peering is how a command was told to meet the other replicas.
type peering struct{ listen, address, url string }

func (p *peering) flags(f *pflag.FlagSet) {
	f.StringVar(&p.listen, "peer-listen", "", "address at which other replicas reach this one, like 10.0.0.1:7400; none: alone")
	f.StringVar(&p.address, "peer-address", "", "the same as the others dial it, when it differs: a name, or an address behind a translation")
	f.StringVar(&p.url, "url", "", "where people reach this replica's pages, for the list of replicas")
}

// check refuses what could never work, before a key is touched.
func (p *peering) check() error {
	for _, a := range []struct{ flag, address string }{{"--peer-listen", p.listen}, {"--peer-address", p.address}} {
		if a.address == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(a.address); err != nil || port == "" {
			return usagef("%s is an address like 10.0.0.1:7400", a.flag)
		}
	}
	if p.address != "" && p.listen == "" {
		return usagef("--peer-address goes with --peer-listen")
	}
	if p.url != "" {
		if u, err := url.Parse(p.url); err != nil || u.Host == "" {
			return usagef("--url is an address like https://entraide.example.fr")
		}
	}
	return nil
}

// open takes the address. A replica that was told none is alone.
func (p *peering) open() (node.Peering, error) {
	if p.listen == "" {
		return node.Peering{URL: p.url}, nil
	}
	l, err := listenOn(p.listen, "--peer-listen")
	if err != nil {
		return node.Peering{}, err
	}
	address := p.address
	if address == "" {
		address = l.Addr().String()
	}
	return node.Peering{Listener: l, Address: address, URL: p.url}, nil
}
