package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"sort"
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/territory"
)

// Messages between replicas about an application.
type (
	applyMessage struct {
		Text []byte `cbor:"1,keyasint"` // [roster.Application.Text]
	}
	appliedMessage struct {
		Signature []byte `cbor:"1,keyasint"`
	}
)

// applicationLabel begins what a replica signs of an application: nothing else is
// signed here, so no signature over a feed can be had this way.
const applicationLabel = "bippop/application/v1\n"

// apply gives this replica's signature over an application of its territory.
func (c *cosigning) apply(_ context.Context, in applyMessage) (appliedMessage, error) {
	if !bytes.HasPrefix(in.Text, []byte(applicationLabel)) || !bytes.Contains(in.Text, []byte(c.signer.Key())) {
		return appliedMessage{}, &Error{Kind: Invalid, Code: "not-application", Reason: "this is no application that names this machine"}
	}
	seed := c.seedOf("federation cosign")
	return appliedMessage{ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), in.Text)}, nil
}

// Application is the text that makes the territory known to the federation's holders:
// what it says of itself, with the keys of all its machines, signed by each. All of
// them must be reachable. Email is a functional mailbox of the office, or empty when
// the territory has a phone.
func (s *Federation) Application(ctx context.Context, by Caller, email string) (string, error) {
	if err := by.may(JoinFederation); err != nil {
		return "", err
	}
	m, err := s.membership()
	if err != nil {
		return "", err
	}
	if !m.Belongs() {
		return "", &Error{Kind: Conflict, Code: "not-federated", Reason: "this territory belongs to no federation; join one with: bippop federation join"}
	}
	a, err := s.application(ctx, m.Genesis, email)
	if err != nil {
		return "", err
	}
	text, err := a.Encode()
	if err != nil {
		return "", errMachinesMissing
	}
	return string(text), nil
}

// errMachinesMissing says that not every replica has signed.
var errMachinesMissing = &Error{Kind: Unavailable, Code: "machines-missing", Reason: "each of the territory's machines signs the application, and one does not answer: start it, or remove it from the territory, and try again"}

func (s *Federation) application(ctx context.Context, genesis [32]byte, email string) (roster.Application, error) {
	member, keys, err := s.asMember(ctx, email)
	if err != nil {
		return roster.Application{}, err
	}
	a, err := roster.NewApplication(genesis, public.DayOf(s.now()), member)
	if err != nil {
		return a, invalid("", "application-refused", err.Error())
	}
	for _, k := range keys {
		var said appliedMessage
		if k.id == s.self {
			said, err = s.federating.cosigning.apply(ctx, applyMessage{a.Text()})
		} else if r, ok := s.members.known(k.id); ok && s.peers != nil {
			said, err = askAt[appliedMessage](ctx, s.peers, r.At.Peer, "/federation/apply", applyMessage{a.Text()})
		}
		if err != nil {
			return a, errMachinesMissing
		}
		if err := a.Add(said.Signature); err != nil {
			return a, errMachinesMissing
		}
	}
	return a, nil
}

// asMember is what the territory says of itself.
func (s *Federation) asMember(ctx context.Context, email string) (m roster.Member, keys []namedKeys, err error) {
	t, err := s.territory()
	if err != nil {
		return m, nil, err
	}
	if m.Siren, err = public.ParseSiren(t.Siren); err != nil {
		return m, nil, err
	}
	m.Role, m.Name, m.Departement = roster.Territory, t.Name, "75"
	if t.Role == territory.RoleCoordinator {
		m.Role = roster.Coordinator
	} else if t.Role == territory.RoleObserver {
		m.Role = roster.Observer
	}
	m.Contact = roster.Contact{Name: t.Calls, Email: strings.TrimSpace(email), Phone: t.Phone}
	if len(t.Communes) > 0 {
		if c, ok := LookupCommune(t.Communes[0]); ok {
			m.Departement = c.Departement
		}
	}
	if m.Role == roster.Territory {
		for _, code := range t.Communes {
			c, err := public.ParseCommune(code)
			if err != nil {
				return m, nil, err
			}
			m.Communes = append(m.Communes, c)
		}
		sort.Slice(m.Communes, func(i, j int) bool { return bytes.Compare(m.Communes[i][:], m.Communes[j][:]) < 0 })
	}
	keys = s.allKeys(ctx)
	for _, k := range keys {
		if k.Peer == "" {
			return m, nil, errMachinesMissing
		}
		m.Replicas = append(m.Replicas, roster.Replica{Peer: k.Peer, Key: k.Key})
	}
	m.Quorum = uint8(len(m.Replicas)/2 + 1)
	return m, keys, nil
}
