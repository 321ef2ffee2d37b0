package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/rogpeppe/go-internal/testscript"
)

// rosterSeed is a key's that follows from a name.
func rosterSeed(name string) [32]byte { return sha256.Sum256([]byte(name)) }

func rosterPeer(name string) string {
	seed := rosterSeed(name + " peer")
	return roster.PeerOf(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
}

// cmdApply writes the application of a territory with three machines to the roster in
// a file: apply OUT ROSTER SIREN NAME SET CODE… A set names the machines.
func cmdApply(ts *testscript.TestScript, neg bool, args []string) {
	s, _, err := readRoster(ts.MkAbs(args[1]))
	ts.Check(err)
	n, err := public.ParseSiren(args[2])
	ts.Check(err)
	m := roster.Member{
		Siren: n, Role: roster.Territory, Name: args[3], Departement: "33", Quorum: 2,
		Contact: roster.Contact{Name: "CCAS", Phone: "+33556000000", Email: "ccas@example.org"},
	}
	for _, code := range args[5:] {
		c, err := public.ParseCommune(code)
		ts.Check(err)
		m.Communes = append(m.Communes, c)
	}
	var names []string
	for i := range 3 {
		name := fmt.Sprintf("bippop/%s/%s%d", n, args[4], i)
		names = append(names, name)
		m.Replicas = append(m.Replicas, roster.Replica{Peer: rosterPeer(name), Key: feed.NewReplicaSigner(name, rosterSeed(name)).Key()})
	}
	a, err := roster.NewApplication(s.Genesis, s.Day, m)
	ts.Check(err)
	for _, name := range names {
		seed := rosterSeed(name)
		ts.Check(a.Sign(ed25519.NewKeyFromSeed(seed[:])))
	}
	text, err := a.Encode()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// cmdHubs writes a list of hubs that witness, each of another operator: hubs OUT
// NAME…
func cmdHubs(ts *testscript.TestScript, neg bool, args []string) {
	var all []hubFile
	for _, name := range args[1:] {
		all = append(all, hubFile{
			Name: name, Operator: "Operator of " + name, Peer: rosterPeer(name), Key: feed.NewWitnessSigner(name, rosterSeed(name)).Key(),
			Addresses: []string{"/dns4/" + name + "/udp/443/quic-v1"}, Witness: true,
		})
	}
	b, err := json.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// cmdMisled writes an invitation that leads to the same hubs and means another roster:
// misled OUT INVITATION.
func cmdMisled(ts *testscript.TestScript, neg bool, args []string) {
	i, err := roster.ParseInvitation(ts.ReadFile(args[1]))
	ts.Check(err)
	i.Genesis[0] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(i.String()), 0o600))
}
