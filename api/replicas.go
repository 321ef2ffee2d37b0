package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// replicaRoutes are the operations of this file.
type replicaRoutes struct{ *server }

// replica is one machine, as the one that answers knows it.
type replica struct {
	ID      string           `json:"id" format:"uuid" doc:"For ever: one that lost its folder comes back under another"`
	Version uint32           `json:"version"`
	Name    string           `json:"name" example:"replica-2"`
	Peer    string           `json:"peer,omitempty" example:"10.0.0.2:7400" doc:"Where the others reach it"`
	URL     string           `json:"url,omitempty" doc:"Of its interface"`
	State   replicaStateWord `json:"state"`
	Since   time.Time        `json:"since,omitzero" doc:"When it joined"`
	Level   uint16           `json:"level" doc:"Of the commands that its program knows"`
	Unseal  unsealWord       `json:"unseal,omitempty" doc:"What opens its vault at a start"`

	Here    bool `json:"here" doc:"It is the one that answers"`
	Leader  bool `json:"leader" doc:"As far as known here"`
	Voter   bool `json:"voter"`
	Current bool `json:"current_root" doc:"It holds the current root key, and no older one"`

	Alive   bool      `json:"alive"`
	HeardAt time.Time `json:"heard_at,omitzero" doc:"When it last said something of itself; none: not since the one that answers started"`
	Said    said      `json:"said"`
}

// said is what a replica last said of itself.
type said struct {
	Applied uint64    `json:"applied" doc:"Index"`
	Lag     uint64    `json:"lag" doc:"Writes behind what the leader has committed"`
	Free    uint64    `json:"free_bytes" doc:"On the disk of its data folder"`
	Program string    `json:"program,omitempty" doc:"Version"`
	Fault   string    `json:"fault,omitempty" example:"disk-full" doc:"disk-full, damaged, log-stopped, stuck, root-missing; none: all is well"`
	Expires time.Time `json:"certificate_until,omitzero"`
}

// cluster is all replicas at one moment.
type cluster struct {
	Items    []replica `json:"items" doc:"Present ones by name, then removed ones"`
	Quorum   int       `json:"quorum" doc:"Voters that must be up"`
	Up       int       `json:"up" doc:"Voters that are"`
	Leader   string    `json:"leader,omitempty" format:"uuid" doc:"None: none is known here"`
	Index    uint64    `json:"index" doc:"Committed, as far as known here"`
	Level    uint16    `json:"level" doc:"The highest that all know"`
	Newest   uint16    `json:"newest_level" doc:"What the program that answers knows"`
	Releases []release `json:"releases" doc:"Of unlock keys, newest first"`
}

// release is an unlock key that was given to a restarted replica, or waits to be.
type release struct {
	Replica string    `json:"replica" format:"uuid"`
	At      time.Time `json:"at,omitzero"`
	Waiting bool      `json:"waiting" doc:"For somebody to approve it"`
	By      string    `json:"by,omitempty" format:"uuid" doc:"The account that approved; none: automatically, within the conditions"`
	Why     string    `json:"why,omitempty" example:"absent-too-long" doc:"absent-too-long, other-address, second-connection; none when automatic"`
}

func replicaOut(r node.Replica) replica {
	return replica{
		ID: r.ID.String(), Version: r.Version, Name: r.Name, Peer: r.Peer, URL: r.URL, State: replicaStateWord(r.State), Since: at(r.Since),
		Level: r.Level, Unseal: unsealWord(unseals.of(r.Unsealing)), Here: r.Here, Leader: r.Leader, Voter: r.Voter, Current: r.Current, Alive: r.Alive, HeardAt: moment(r.Heard),
		Said: said{r.Said.Applied, r.Said.Lag, r.Said.Free, r.Said.Program, r.Said.Fault, moment(r.Said.Expires)},
	}
}

// moment is a time in answers, in UTC; the zero one stays zero.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func clusterOut(c node.Cluster) cluster {
	out := cluster{
		Items: []replica{}, Quorum: c.Quorum, Up: c.Up, Leader: c.Leader.String(), Index: c.Index, Level: c.Level, Newest: c.Newest, Releases: []release{},
	}
	for _, r := range c.Replicas {
		out.Items = append(out.Items, replicaOut(r))
	}
	for _, r := range c.Releases {
		out.Releases = append(out.Releases, release{r.Replica.String(), at(r.At), r.Waiting, r.By.String(), r.Why})
	}
	return out
}

func (s replicaRoutes) replicas(ctx context.Context, _ *struct{ Reading }) (*answer[cluster], error) {
	c, err := s.node.Replicas.List(caller(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[cluster]{clusterOut(c)}, nil
}

type inviteInput struct {
	Writing
	Body *struct {
		Minutes int `json:"minutes,omitempty" minimum:"1" maximum:"1440" doc:"How long the token holds; none: one hour"`
	}
}

type invitation struct {
	Token string `json:"token" format:"password" doc:"For bippop join; shown once, lets one replica in"`
}

type invited struct {
	Index uint64 `header:"X-Index"`
	Body  invitation
}

func (s replicaRoutes) invite(ctx context.Context, in *inviteInput) (*invited, error) {
	var life time.Duration
	if in.Body != nil {
		life = time.Duration(in.Body.Minutes) * time.Minute
	}
	token, r, err := s.node.Replicas.Invite(ctx, caller(ctx), life)
	if err != nil {
		return nil, err
	}
	return &invited{r.Index, invitation{token.Reveal()}}, nil
}

// removal says what a removal would do.
type removal struct {
	Voters  int    `json:"voters" doc:"Afterwards"`
	Quorum  int    `json:"quorum" doc:"Afterwards"`
	MayLose int    `json:"may_lose" doc:"How many may then fail with the territory still writing"`
	Refused string `json:"refused,omitempty" doc:"Code of why it is refused now; none: it may be done"`
	Pending bool   `json:"erasures_wait" doc:"Erasures will wait until its vault is recorded as destroyed"`
}

type removalInput struct {
	Reading
	Named
}

func (s replicaRoutes) removal(ctx context.Context, in *removalInput) (*answer[removal], error) {
	id, err := idOf[node.ReplicaID](in.Named)
	if err != nil {
		return nil, err
	}
	c, err := s.node.Replicas.Removing(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[removal]{removal(c)}, nil
}

func (s replicaRoutes) remove(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.ReplicaID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Replicas.Remove(ctx, caller(ctx), id))
}

type destroyedInput struct {
	Writing
	Named
	Body struct {
		How string `json:"how" maxLength:"300" example:"disk shredded on 3 May, minutes no. 12" doc:"What certificates print: of a machine, never of a person"`
	}
}

func (s replicaRoutes) destroyed(ctx context.Context, in *destroyedInput) (*written, error) {
	id, err := idOf[node.ReplicaID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Replicas.Destroyed(ctx, caller(ctx), id, in.Body.How))
}

// transfer hands leadership to the replica of the path.
func (s replicaRoutes) transfer(ctx context.Context, in *actInput) (*indexed, error) {
	id, err := idOf[node.ReplicaID](in.Named)
	if err != nil {
		return nil, err
	}
	if err := s.node.Replicas.Transfer(ctx, caller(ctx), id); err != nil {
		return nil, err
	}
	return &indexed{s.node.Index()}, nil
}

// stepDown hands leadership to whichever is best placed.
func (s replicaRoutes) stepDown(ctx context.Context, _ *struct{ Writing }) (*indexed, error) {
	if err := s.node.Replicas.Transfer(ctx, caller(ctx), node.ReplicaID{}); err != nil {
		return nil, err
	}
	return &indexed{s.node.Index()}, nil
}

func (s replicaRoutes) approve(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.ReplicaID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Replicas.Approve(ctx, caller(ctx), id))
}

func (s replicaRoutes) rotate(ctx context.Context, _ *struct{ Writing }) (*written, error) {
	return write(s.node.Replicas.Rotate(ctx, caller(ctx)))
}
