package node

import (
	"errors"
	"log/slog"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/autopilot"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
)

// VotingRules are after which times a replica votes, or is removed.
type VotingRules = autopilot.Rules

// Config of a node. Dir, Vault, Unseal and Logger are required.
type Config struct {
	// Dir is the data folder: records and log. Example: /var/lib/bippop/data.
	// It is made when missing. One process at a time holds it.
	Dir string
	// Vault is the path of the age file with this replica's keys. It must lie
	// outside Dir and outside every data backup. Example: /etc/bippop/vault.age.
	Vault string
	// Unseal opens the vault.
	Unseal crypto.Unsealer
	// Unsealing is what the operator chose to open the vault at a start; the zero
	// value: not said. With [ByPeers], and others to meet, this replica leaves the key
	// of its vault with them, see [Unlock].
	Unsealing Unsealing
	// Logger gets IDs, counts and durations, never words of people.
	Logger *slog.Logger
	// MinFree is how many bytes must stay free on the disk of Dir. Below it the
	// node reads but does not write. Zero means 256 MiB.
	MinFree uint64
	// PasswordCost of new passwords. Zero means crypto.DefaultPasswordCost.
	PasswordCost crypto.PasswordCost
	// Peering is how the other replicas are met; the zero value is alone.
	Peering Peering
	// Federation is how this replica takes part in one.
	Federation Federating
	// Connections, when set, tells of the ways out that the program around the node
	// has, with their counts.
	Connections func() []Connection
	// OnFault, when set, is called once, when the log is of no more use: the process
	// should end and be started again.
	OnFault func(error)
	// Program is this program's version, for the list of replicas.
	Program string
	// Tuning of replication, for tests; the zero value is right for a territory.
	Tuning consensus.Tuning
	// Autopilot's times, for tests; the zero value is right for a territory.
	Autopilot VotingRules
	// Pace is how often what is due is looked for; the zero value is right for a
	// territory, tests are in a hurry.
	Pace Pace
	// Codes sends codes of six digits to volunteers; nil: none are.
	Codes Sender
	// Wrote, when set, is told of each write, on the writer's goroutine: it must not
	// wait.
	Wrote func(Write)
	// Simulated are territories that take part in nothing, for a demo: the coordinator's
	// figures show them, and say so.
	Simulated []SimulatedTerritory
	// Now is the clock. Nil means time.Now; the demo and tests move it.
	Now func() time.Time

	joining bool          // an empty log is filled by others, nothing is founded
	level   command.Level // that it announces; tests stand for older programs
}

// Pace is how often a node looks.
type Pace struct {
	Sweep time.Duration // the leader, for what expires and what is to be said; 0: ten minutes

	look time.Duration // of what replicas do about each other of themselves
}

// usualPace is how often the leader compares records and members, and every
// replica what it says of itself and which root key it holds.
const usualPace = time.Second

func (c *Config) withDefaults() error {
	switch {
	case c.Dir == "":
		return errors.New("config: the data folder is missing")
	case c.Vault == "":
		return errors.New("config: the path of the vault is missing")
	case c.Logger == nil:
		return errors.New("config: the logger is missing")
	}
	if c.MinFree == 0 {
		c.MinFree = 256 << 20
	}
	if c.PasswordCost == (crypto.PasswordCost{}) {
		c.PasswordCost = crypto.DefaultPasswordCost
	}
	if c.Now == nil {
		c.Now = systemClock
	}
	if c.level == 0 {
		c.level = command.Current
	}
	if c.Pace.Sweep == 0 {
		c.Pace.Sweep = usualSweep
	}
	if c.Pace.look == 0 {
		c.Pace.look = usualPace
	}
	return nil
}
