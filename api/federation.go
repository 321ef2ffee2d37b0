package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// federationRoutes are the operations of this file.
type federationRoutes struct{ *server }

// hubLine is one hub as the replica that answers sees it.
type hubLine struct {
	Name      string    `json:"name"`
	Operator  string    `json:"operator,omitempty"`
	Witness   bool      `json:"witness"`
	Addresses []string  `json:"addresses,omitempty"`
	Reached   time.Time `json:"reached_at,omitzero" doc:"None: not since this replica speaks"`
	Trip      int64     `json:"trip_ms" doc:"Of the last call"`
	Size      int64     `json:"entries" doc:"Of this territory's feed there"`
	Refusal   string    `json:"refusal,omitempty" doc:"Why the last call failed"`
	Next      time.Time `json:"next_at,omitzero" doc:"Not called before"`
}

// machineLine is one replica beside the roster.
type machineLine struct {
	Name   string `json:"name"`
	Peer   string `json:"peer,omitempty"`
	Key    string `json:"key,omitempty"`
	Known  bool   `json:"answers"`
	Listed bool   `json:"listed" doc:"The roster has both keys"`
}

// membership is the territory's place in the federation.
type membership struct {
	Joined   time.Time     `json:"joined_at,omitzero"`
	Left     time.Time     `json:"left_at,omitzero"`
	Name     string        `json:"name,omitempty"`
	Genesis  string        `json:"genesis,omitempty"`
	Version  uint64        `json:"roster_version"`
	Expires  string        `json:"expires,omitempty"`
	Expired  bool          `json:"expired"`
	Demo     bool          `json:"demo"`
	Listed   bool          `json:"listed" doc:"The roster names this territory"`
	Epoch    uint16        `json:"epoch"`
	Size     uint64        `json:"entries" doc:"Of the present epoch"`
	Settled  int64         `json:"settled" doc:"Of these: received by as many witnesses as the roster asks for"`
	Frozen   time.Time     `json:"frozen_at,omitzero" doc:"Two signed versions contradict each other; nothing leaves"`
	Evidence []string      `json:"evidence,omitempty" doc:"Both, as they were signed"`
	Restored bool          `json:"restored" doc:"Back from a backup, waiting for the hubs"`
	Speaks   bool          `json:"speaks" doc:"The replica that answers speaks for the territory"`
	Fresh    time.Time     `json:"roster_fresh_at,omitzero"`
	Trouble  string        `json:"trouble,omitempty"`
	Hubs     []hubLine     `json:"hubs"`
	Machines []machineLine `json:"machines"`
	Strange  int           `json:"strange_machines" doc:"That the roster names and the territory does not have"`
	Next     string        `json:"next" enum:"join,found,roster,apply,keys,expired,hubs,own,clock,epoch,frozen,none"`
}

func hubsOut(in []node.HubLine) []hubLine {
	out := []hubLine{}
	for _, h := range in {
		out = append(out, hubLine{h.Name, h.Operator, h.Witness, h.Addresses, moment(h.Reached), h.Trip.Milliseconds(), h.Size, h.Refusal, moment(h.Next)})
	}
	return out
}

func (s federationRoutes) status(ctx context.Context, _ *struct{ Reading }) (*answer[membership], error) {
	f, err := s.node.Federation.Status(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	out := membership{
		Joined: at(f.Joined), Left: at(f.Left), Name: f.Name, Genesis: f.Genesis, Version: f.Version, Expires: string(f.Expires), Expired: f.Expired, Demo: f.Demo,
		Listed: f.Listed, Epoch: f.Epoch, Size: f.Size, Settled: f.Settled, Frozen: at(f.Frozen), Evidence: f.Evidence, Restored: f.Restored,
		Speaks: f.Speaks, Fresh: moment(f.Fresh), Trouble: f.Trouble, Hubs: hubsOut(f.Hubs), Machines: []machineLine{}, Strange: f.Strange, Next: string(f.Next),
	}
	for _, m := range f.Machines {
		out.Machines = append(out.Machines, machineLine{m.Name, m.Peer, m.Key, m.Known, m.Listed})
	}
	return &answer[membership]{out}, nil
}

type memberOut struct {
	Siren      string   `json:"siren"`
	Name       string   `json:"name"`
	Role       string   `json:"role" enum:"territory,coordinator,observer"`
	Dept       string   `json:"departement"`
	Contact    string   `json:"contact,omitempty"`
	Communes   []string `json:"communes"`
	Neighbours []string `json:"neighbours"`
	Machines   int      `json:"machines"`
	Quorum     int      `json:"quorum"`
	Epoch      uint16   `json:"epoch"`
	Simulated  bool     `json:"simulated"`
}

type rosterOut struct {
	Name      string      `json:"name"`
	Genesis   string      `json:"genesis"`
	Version   uint64      `json:"version"`
	Expires   string      `json:"expires"`
	Demo      bool        `json:"demo"`
	Holders   []string    `json:"holders"`
	Need      int         `json:"need"`
	Threshold int         `json:"witnesses_needed"`
	Hubs      []hubLine   `json:"hubs"`
	Members   []memberOut `json:"members"`
}

func (s federationRoutes) roster(ctx context.Context, _ *struct{ Reading }) (*answer[rosterOut], error) {
	r, err := s.node.Federation.Roster(caller(ctx))
	if err != nil {
		return nil, err
	}
	out := rosterOut{Name: r.Name, Genesis: r.Genesis, Version: r.Version, Expires: string(r.Expires), Demo: r.Demo, Holders: r.Holders, Need: r.Need, Threshold: r.Threshold, Hubs: hubsOut(r.Hubs), Members: []memberOut{}}
	for _, m := range r.Members {
		out.Members = append(out.Members, memberOut{m.Siren, m.Name, m.Role, m.Departement, m.Contact, append([]string{}, m.Communes...), append([]string{}, m.Neighbours...), m.Machines, m.Quorum, m.Epoch, m.Simulated})
	}
	return &answer[rosterOut]{out}, nil
}

type joinInput struct {
	Writing
	Body struct {
		Invitation string `json:"invitation" maxLength:"60000" doc:"As it was given"`
	}
}

func (s federationRoutes) join(ctx context.Context, in *joinInput) (*indexed, error) {
	r, err := s.node.Federation.Join(ctx, caller(ctx), in.Body.Invitation)
	return &indexed{r.Index}, err
}

func (s federationRoutes) leave(ctx context.Context, _ *struct{ Writing }) (*indexed, error) {
	r, err := s.node.Federation.Leave(ctx, caller(ctx))
	return &indexed{r.Index}, err
}

func (s federationRoutes) sync(ctx context.Context, _ *struct{ Writing }) (*indexed, error) {
	return &indexed{s.node.Index()}, s.node.Federation.Sync(ctx, caller(ctx))
}

type applyInput struct {
	Writing
	Body struct {
		Email string `json:"email,omitempty" maxLength:"254" doc:"Functional mailbox of the office, for neighbours"`
	}
}

type textOut struct {
	Text  string   `json:"text"`
	Tells []string `json:"tells,omitempty" doc:"What it would change, in plain words"`
}

func (s federationRoutes) apply(ctx context.Context, in *applyInput) (*answer[textOut], error) {
	text, err := s.node.Federation.Application(ctx, caller(ctx), in.Body.Email)
	return &answer[textOut]{textOut{Text: text}}, err
}

type draftInput struct {
	Writing
	Body struct {
		Application string  `json:"application,omitempty" maxLength:"60000"`
		Take        bool    `json:"take,omitempty" doc:"With application: communes of it that others answer for now move to it"`
		Remove      string  `json:"remove,omitempty" doc:"SIREN of a member that goes"`
		Last        uint64  `json:"last,omitempty" doc:"With remove: how many of its entries count"`
		Epoch       string  `json:"epoch,omitempty" doc:"SIREN of a member whose feed begins anew after a fork"`
		Size        uint64  `json:"size,omitempty" doc:"With epoch: how many entries of the former one count"`
		Root        string  `json:"root,omitempty" doc:"With epoch: hexadecimal"`
		Hubs        []hubIn `json:"hubs,omitempty" maxItems:"16" doc:"All of them, from now on"`
		Threshold   int     `json:"threshold,omitempty" minimum:"0" maximum:"16" doc:"With hubs: witnesses that must sign"`
		Renew       int     `json:"renew,omitempty" maximum:"800" doc:"Days from now"`
	}
}

// hubIn is a hub as its operator has made it known.
type hubIn struct {
	Name      string   `json:"name" maxLength:"200"`
	Operator  string   `json:"operator" maxLength:"200"`
	Peer      string   `json:"peer" maxLength:"200"`
	Key       string   `json:"key" maxLength:"400"`
	Addresses []string `json:"addresses" maxItems:"16"`
	Witness   bool     `json:"witness"`
}

func hubsIn(in []hubIn) (out []node.HubKeys) {
	for _, h := range in {
		out = append(out, node.HubKeys(h))
	}
	return out
}

type ownHub struct {
	Writing
	Body struct {
		Name string `json:"name" maxLength:"200" doc:"As it is to stand in the roster"`
	}
}

func (s federationRoutes) hubKeys(ctx context.Context, in *ownHub) (*answer[hubIn], error) {
	h, err := s.node.Federation.HubKeys(caller(ctx), in.Body.Name)
	if h.Addresses == nil {
		h.Addresses = []string{}
	}
	return &answer[hubIn]{hubIn(h)}, err
}

type beginInput struct {
	Writing
	Body struct {
		Name      string   `json:"name" maxLength:"200"`
		Demo      bool     `json:"demo,omitempty"`
		Holders   []string `json:"holders" maxItems:"16" doc:"Public keys of those who sign"`
		Need      int      `json:"need" minimum:"1" maximum:"16" doc:"Of the holders"`
		Hubs      []hubIn  `json:"hubs" maxItems:"16"`
		Threshold int      `json:"threshold" minimum:"1" maximum:"16" doc:"Witnesses that must sign"`
		Days      int      `json:"days" minimum:"1" maximum:"800" doc:"Until the roster expires unless it is renewed"`
	}
}

func (s federationRoutes) begin(ctx context.Context, in *beginInput) (*answer[textOut], error) {
	b := in.Body
	text, err := s.node.Federation.Begin(ctx, caller(ctx), node.Beginning{Name: b.Name, Demo: b.Demo, Holders: b.Holders, Need: b.Need, Hubs: hubsIn(b.Hubs), Threshold: b.Threshold, Days: b.Days})
	return &answer[textOut]{textOut{Text: text}}, err
}

func (s federationRoutes) rosterFile(ctx context.Context, _ *struct{ Reading }) (*answer[textOut], error) {
	text, err := s.node.Federation.RosterFile(caller(ctx))
	return &answer[textOut]{textOut{Text: text}}, err
}

func (s federationRoutes) draft(ctx context.Context, in *draftInput) (*answer[textOut], error) {
	b := in.Body
	text, tells, err := s.node.Federation.Draft(caller(ctx), node.RosterChange{Application: b.Application, Take: b.Take, Remove: b.Remove, Last: b.Last, Epoch: b.Epoch, Size: b.Size, Root: b.Root, Hubs: hubsIn(b.Hubs), Threshold: b.Threshold, Renew: b.Renew})
	return &answer[textOut]{textOut{text, tells}}, err
}

type publishInput struct {
	Writing
	Body struct {
		Draft string `json:"draft" maxLength:"60000" doc:"Signed by enough holders"`
	}
}

func (s federationRoutes) publish(ctx context.Context, in *publishInput) (*indexed, error) {
	err := s.node.Federation.Publish(ctx, caller(ctx), in.Body.Draft)
	return &indexed{s.node.Index()}, err
}

type inviteMember struct {
	Writing
	Body struct {
		Siren string `json:"siren" maxLength:"9"`
	}
}

func (s federationRoutes) invite(ctx context.Context, in *inviteMember) (*answer[textOut], error) {
	text, err := s.node.Federation.Invite(caller(ctx), in.Body.Siren)
	return &answer[textOut]{textOut{Text: text}}, err
}
