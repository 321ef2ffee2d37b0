package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// demoAnswer is the line of demo --json; other programs rely on it.
type demoAnswer struct {
	Ready       bool            `json:"ready"`
	Territories []demoTerritory `json:"territories"`
	Coordinator demoCoordinator `json:"coordinator"`
}

type demoTerritory struct {
	Siren    string        `json:"siren"`
	Name     string        `json:"name"`
	URLs     []string      `json:"urls"`
	Accounts []demoAccount `json:"accounts"`
}

type demoCoordinator struct {
	URL      string        `json:"url"`
	Accounts []demoAccount `json:"accounts"`
}

// demoAccount is somebody as whom a visitor may sign in. The password is as
// public as the demo.
type demoAccount struct {
	Role     string `json:"role"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Label    string `json:"label,omitempty"`
}

// announce says where to look and how to sign in.
func (d *demo) announce(out output, asJSON bool) error {
	if asJSON {
		return out.json(d.answer())
	}
	for _, p := range d.parts {
		out.printf("%s — %s\n\n  %s\n", p.home.place.Calls, p.home.Name, strings.Join(p.urls, "\n  "))
		t := tabwriter.NewWriter(out.result, 0, 0, 3, ' ', 0)
		fmt.Fprintln(t, "  sign in as\tlogin\tpassword\t")
		for _, a := range p.home.Accounts {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", a.Role, a.Login, a.Password, a.Label)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		out.printf("")
	}
	out.printf("Everybody in it is invented. It is kept in %s;\nCtrl-C stops it, bippop demo starts it again, --reset begins anew.", d.parts[0].home.dir)
	return nil
}

func (d *demo) answer() demoAnswer {
	a := demoAnswer{Ready: true}
	for _, p := range d.parts {
		accounts := slices.Clone(p.home.Accounts)
		for i := range accounts {
			accounts[i].Label = "" // for people
		}
		if p.home.place == nation {
			a.Coordinator = demoCoordinator{p.urls[0], accounts}
			continue
		}
		a.Territories = append(a.Territories, demoTerritory{p.home.place.Siren, p.home.Name, p.urls, accounts})
	}
	return a
}
