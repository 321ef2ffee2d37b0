package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
)

// Federation is the territory's place among others.
type Federation struct{ *core }

// FederationStep is what has to be done next for the territory to be heard. The
// words are the API's.
type FederationStep string

const (
	StepJoin    FederationStep = "join"    // it belongs to no federation
	StepFound   FederationStep = "found"   // this is a coordinator's node, and its federation is still to be founded
	StepRoster  FederationStep = "roster"  // no hub has given the roster yet
	StepApply   FederationStep = "apply"   // the roster does not name it: send the application
	StepKeys    FederationStep = "keys"    // the roster names other machines than there are: send the application
	StepExpired FederationStep = "expired" // the roster has expired: the coordinator renews it
	StepHubs    FederationStep = "hubs"    // too few hubs answer
	StepOwn     FederationStep = "own"     // too few of the territory's own machines sign
	StepClock   FederationStep = "clock"   // this machine's clock and the hubs' are apart, or were when something was said
	StepEpoch   FederationStep = "epoch"   // the roster opens an epoch that this record cannot follow to: the coordinator helps
	StepFrozen  FederationStep = "frozen"  // a fork: people decide
	StepNone    FederationStep = "none"    // all is well
)

// FederationStatus is what the operator reads.
type FederationStatus struct {
	Joined  Instant // 0: never
	Left    Instant // 0: it has not
	Name    string  // of the federation, as the roster or the invitation has it
	Genesis string  // hexadecimal
	Version uint64  // of the roster: entries held; 0: none yet
	Expires Date8601
	Expired bool
	Demo    bool
	Listed  bool // the roster names this territory

	FeedStanding

	Speaks   bool // this machine speaks for the territory
	Fresh    time.Time
	Trouble  string // why the last round failed; English, for the operator
	ClockOff bool
	Hubs     []HubLine
	Machines []MachineLine
	Strange  int // machines that the roster names and the territory does not have
	Next     FederationStep
}

// FeedStanding is where the territory's own feed stands.
type FeedStanding struct {
	Epoch    uint16
	Size     uint64  // entries of the epoch
	Settled  int64   // of these, as far as this machine knows
	Frozen   Instant // 0: it is not
	Evidence []string
	Restored bool // it came back from a backup and has not heard the hubs yet
}

// Date8601 is a day, "2026-11-23".
type Date8601 string

// HubLine is one hub as this machine sees it.
type HubLine struct {
	Name, Operator string
	Witness        bool
	Addresses      []string
	Tried, Reached time.Time // zero: never since this machine speaks
	Trip           time.Duration
	Size           int64  // of the territory's feed there
	Refusal        string // why the last call failed
	Next           time.Time
}

// MachineLine is one replica beside the roster.
type MachineLine struct {
	Name   string
	Peer   string
	Key    string
	Known  bool // it has said its keys lately
	Listed bool // the roster has both
}

// Status of the territory's membership, on the machine that answers. The machines'
// keys are asked of them.
func (s *Federation) Status(ctx context.Context, by Caller) (out FederationStatus, err error) {
	if err := by.may(ReadLedger); err != nil {
		return out, err
	}
	m, err := s.membership()
	if err != nil {
		return out, err
	}
	f, err := said{s.core}.newest()
	if err != nil {
		return out, err
	}
	out = FederationStatus{Joined: m.Joined, Left: m.Left, Version: m.Version, FeedStanding: FeedStanding{Epoch: f.Epoch, Size: f.Size, Frozen: f.Frozen, Restored: f.Restored != 0}}
	if f.Frozen != 0 {
		out.Evidence = []string{string(f.Evidence[0]), string(f.Evidence[1])}
	}
	if m.Joined != 0 {
		out.Genesis = hex.EncodeToString(m.Genesis[:])
		if i, err := roster.ParseInvitation(m.Invitation); err == nil {
			out.Name = i.Name
			for _, d := range i.Hubs {
				out.Hubs = append(out.Hubs, HubLine{Name: d.Name, Addresses: d.Addresses})
			}
		}
	}
	if settled, err := s.federating.own.points.read(f.Epoch); err == nil {
		out.Settled = settled.Head.Size
	}
	mute := false
	if host := s.federating.speaker(); host != nil {
		h := host.Status()
		mute = h.Mute
		out.Speaks, out.Fresh, out.Trouble, out.ClockOff, out.Hubs = true, h.Fresh, h.Trouble, h.ClockOff, nil
		for _, l := range h.Hubs {
			out.Hubs = append(out.Hubs, HubLine{Name: l.Name, Operator: l.Operator, Witness: l.Witness, Tried: l.Tried, Reached: l.Reached, Trip: l.Trip, Size: l.Size, Refusal: l.Refusal, Next: l.Next})
		}
	}
	state := s.federating.rosters.State()
	if state != nil {
		out.Name, out.Demo = state.Name, state.Demo
		out.Expires, out.Expired = expiryOf(state.Expires), state.Expired(public.DayOf(s.now()))
		out.Machines, out.Strange, out.Listed = s.machines(ctx, state)
	}
	out.Next = out.next(s.federating.cosigning.speakable(), mute)
	if out.Speaks {
		if err := s.hindrance(&out); err != nil {
			return out, err
		}
	}
	if out.Next == StepJoin && m.Joined == 0 && s.Coordinating() {
		out.Next = StepFound
	}
	return out, nil
}

// hindrance adds what stops the own feed, though machines and hubs do what they can.
func (s *Federation) hindrance(out *FederationStatus) error {
	if stuck := s.federating.standstill(); stuck != "" && out.Listed {
		out.Trouble, out.Next = stuck, StepEpoch
		return nil
	}
	day, ahead, err := said{s.core}.ahead()
	if ahead {
		out.Next = StepClock
		out.Trouble = fmt.Sprintf("this machine's clock was ahead: what was said last is dated %s; the hubs take it, and all that is said behind it, from %s on, and nothing need be done until then", expiryOf(day), expiryOf(day-1))
	}
	return err
}

// ahead reports whether what was said last is dated so far ahead that the hubs do not
// take it yet, and its day. They take it the day before.
func (c said) ahead() (day public.Day, ahead bool, err error) {
	f, err := c.newest()
	if err != nil || f.Size == 0 {
		return 0, false, err
	}
	last, err := c.leaves(f.Epoch, f.Size-1, 1)
	if err != nil || len(last) == 0 {
		return 0, false, err
	}
	siren, err := public.ParseSiren(c.siren)
	if err != nil {
		return 0, false, err
	}
	day = saidOn(last[0].Bytes, siren)
	return day, day > public.DayOf(c.now())+1, nil
}

func (s FederationStatus) next(speakable error, mute bool) FederationStep {
	switch {
	case s.Joined == 0 || s.Left != 0:
		return StepJoin
	case s.Frozen != 0:
		return StepFrozen
	case s.Version == 0:
		return StepRoster
	case s.Expired:
		return StepExpired
	case !s.Listed:
		return StepApply
	case s.Strange > 0 || slices.ContainsFunc(s.Machines, func(m MachineLine) bool { return m.Known && !m.Listed }):
		return StepKeys
	case s.Speaks && s.ClockOff:
		return StepClock
	case s.Restored || s.Speaks && speakable != nil: // nothing is said any more
		return StepHubs
	case s.Speaks && mute:
		return StepOwn
	case s.Speaks && s.Trouble != "": // nothing arrives, or not all
		return StepHubs
	}
	return StepNone
}

// machines sets the replicas' keys beside the roster's.
func (s *Federation) machines(ctx context.Context, state *roster.State) (out []MachineLine, strange int, listed bool) {
	siren, err := public.ParseSiren(s.siren)
	if err != nil {
		return nil, 0, false
	}
	m, listed := state.Member(siren)
	have := map[string]bool{}
	quiet := map[string]bool{} // names of the keys of replicas that do not answer now
	for _, k := range s.allKeys(ctx) {
		line := MachineLine{Name: k.name, Peer: k.Peer, Key: k.Key, Known: k.Peer != ""}
		line.Listed = slices.ContainsFunc(m.Replicas, func(r roster.Replica) bool { return r.Peer == k.Peer && r.Key == k.Key })
		have[k.Key] = true
		if !line.Known {
			quiet[replicaKeyName(s.siren, k.id)] = true
		}
		out = append(out, line)
	}
	for _, r := range m.Replicas {
		name, _, _ := strings.Cut(r.Key, "+")
		if !have[r.Key] && !quiet[name] {
			strange++
		}
	}
	return out, strange, listed
}

// namedKeys are a replica's keys under its name in the territory.
type namedKeys struct {
	keysMessage
	name string
	id   ReplicaID
}

// allKeys asks every replica for its keys. One that does not answer has empty ones.
func (s *Federation) allKeys(ctx context.Context) (out []namedKeys) {
	for _, r := range s.members.present() {
		k := namedKeys{name: r.Name, id: r.ID}
		if r.ID == s.self {
			k.keysMessage, _ = s.federating.cosigning.keys(ctx, nothing{})
		} else if s.peers != nil {
			said, err := askAt[keysMessage](ctx, s.peers, r.At.Peer, "/federation/keys", nothing{})
			if err != nil {
				s.cfg.Logger.Info("a replica does not say its keys", slog.String("replica", r.ID.String()), errAttr(err))
			}
			k.keysMessage = said
		}
		out = append(out, k)
	}
	return out
}

// Join takes the territory into the federation of an invitation. It is heard once
// the roster names it: see [Federation.Application].
func (s *Federation) Join(ctx context.Context, by Caller, invitation string) (Receipt, error) {
	if err := by.may(JoinFederation); err != nil {
		return Receipt{}, err
	}
	i, err := roster.ParseInvitation(invitation)
	if err != nil {
		return Receipt{}, invalid("invitation", "invitation-unreadable", "this is no invitation: copy it whole, as it was sent")
	}
	if i.Siren.String() != s.siren {
		return Receipt{}, invalid("invitation", "invitation-other", "this invitation is for another territory: ask for one with this territory's SIREN")
	}
	return s.propose(ctx, command.JoinFederation{Stamp: s.stamp(by, ""), Genesis: i.Genesis, Invitation: i.String()})
}

// Leave ends what the territory says to others. Its ledger stays.
func (s *Federation) Leave(ctx context.Context, by Caller) (Receipt, error) {
	if err := by.may(JoinFederation); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.LeaveFederation{Stamp: s.stamp(by, "")})
}

// RosterView is the roster in words.
type RosterView struct {
	Name      string
	Genesis   string
	Version   uint64
	Expires   Date8601
	Demo      bool
	Holders   []string
	Need      int
	Members   []MemberView
	Hubs      []HubLine
	Threshold int // witnesses that must sign
	Kinds     []public.Kind
}

// MemberView is one member.
type MemberView struct {
	Siren, Name, Departement string
	Role                     string // territory, coordinator, observer
	Contact                  string
	Communes                 []string
	Neighbours               []string
	Machines, Quorum         int
	Keys                     []string // verifier keys of its machines
	Epoch                    uint16
	Simulated                bool
}

// Roster is who belongs, as this machine knows it.
func (s *Federation) Roster(by Caller) (out RosterView, err error) {
	if err := by.may(ReadLedger); err != nil {
		return out, err
	}
	state := s.federating.rosters.State()
	if state == nil {
		return out, errNoRoster
	}
	out = RosterView{Name: state.Name, Genesis: hex.EncodeToString(state.Genesis[:]), Version: state.Version, Expires: expiryOf(state.Expires), Demo: state.Demo, Need: int(state.Need), Threshold: int(state.Threshold)}
	for _, h := range state.Holders {
		out.Holders = append(out.Holders, h.Name)
	}
	for _, h := range state.Hubs {
		out.Hubs = append(out.Hubs, HubLine{Name: h.Name, Operator: h.Operator, Witness: h.Witness, Addresses: h.Addresses})
	}
	for _, k := range state.Kinds {
		out.Kinds = append(out.Kinds, k.Kind)
	}
	for _, m := range state.Members {
		v := MemberView{Siren: m.Siren.String(), Name: m.Name, Departement: m.Departement, Role: m.Role.String(), Machines: len(m.Replicas), Quorum: int(m.Quorum), Epoch: m.Epoch, Simulated: m.Simulated,
			Contact: contactOf(m.Contact)}
		for _, c := range m.Communes {
			v.Communes = append(v.Communes, c.String())
		}
		for _, r := range m.Replicas {
			v.Keys = append(v.Keys, r.Key)
		}
		for _, n := range m.Neighbours {
			v.Neighbours = append(v.Neighbours, n.String())
		}
		out.Members = append(out.Members, v)
	}
	return out, nil
}

// RosterFile is the roster as its holders have signed it, in the text that they keep
// and that a hub without a node begins with.
func (s *Federation) RosterFile(by Caller) (string, error) {
	if err := by.may(ReadLedger); err != nil {
		return "", err
	}
	entries, err := s.federating.rosters.Entries(0)
	if err == nil && len(entries) == 0 {
		err = errNoRoster
	}
	return string(roster.FormatFile(entries)), err
}

// errNoRoster says that no entry of a roster is known here.
var errNoRoster = &Error{Kind: Unavailable, Code: "no-roster", Reason: "no roster is known here yet; join a federation, or wait until a hub has answered"}

// Sync calls the hubs now: what there is to push goes out, what there is to read
// comes in.
func (s *Federation) Sync(ctx context.Context, by Caller) error {
	if err := by.may(JoinFederation); err != nil {
		return err
	}
	host := s.federating.speaker()
	if host == nil {
		return &Error{Kind: Unavailable, Code: "not-speaking", Reason: "this machine does not speak for the territory now; ask the one that leads"}
	}
	if err := host.Sync(ctx); err != nil {
		return &Error{Kind: Unavailable, Code: "hubs-unreached", Reason: err.Error()}
	}
	return nil
}
