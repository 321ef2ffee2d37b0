package meter

import (
	"slices"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/prometheus/client_golang/prometheus"
)

// gauge is one number read from the vitals; tell is called for each series of it.
type gauge struct {
	name, help string
	labels     []string
	read       func(v node.Vitals, tell func(value float64, labels ...string))
}

type tell = func(value float64, labels ...string)

// list is every gauge. What is not known now has no series.
var list = []gauge{
	one("bippop_ready", "1: reads and writes are answered.", func(v node.Vitals) float64 { return flag(v.Serving && v.Writing) }),
	one("bippop_leader", "1: this replica leads.", func(v node.Vitals) float64 { return flag(v.Leading) }),
	{"bippop_leader_known", "1: this replica knows who leads.", nil, func(v node.Vitals, tell tell) { tell(flag(v.Leading || v.Log.Leader != "")) }},
	{"bippop_fault", "1: what is wrong with this replica, by code.", []string{"code"}, func(v node.Vitals, tell tell) {
		if v.Fault != "" {
			tell(1, code(v.Fault))
		}
	}},
	at("bippop_start_timestamp_seconds", "When this replica was opened.", func(v node.Vitals) time.Time { return v.Started }),

	one("bippop_disk_free_bytes", "Free on the disk of the data folder.", func(v node.Vitals) float64 { return float64(v.DiskFree) }),
	one("bippop_disk_size_bytes", "Size of the disk of the data folder.", func(v node.Vitals) float64 { return float64(v.DiskSize) }),
	one("bippop_data_size_bytes", "Files of the records.", func(v node.Vitals) float64 { return float64(v.DataBytes) }),
	one("bippop_log_size_bytes", "Files of the log.", func(v node.Vitals) float64 { return float64(v.LogBytes) }),

	one("bippop_raft_term", "Raft's term; it grows with each election.", func(v node.Vitals) float64 { return float64(v.Log.Term) }),
	one("bippop_raft_commit_index", "Highest entry known to be committed.", func(v node.Vitals) float64 { return float64(v.Log.Commit) }),
	one("bippop_raft_applied_index", "Highest entry of commands that is applied here.", func(v node.Vitals) float64 { return float64(v.Log.Applied) }),
	one("bippop_raft_first_index", "First entry in the log.", func(v node.Vitals) float64 { return float64(v.Log.First) }),
	one("bippop_raft_last_index", "Last entry in the log.", func(v node.Vitals) float64 { return float64(v.Log.Last) }),
	one("bippop_raft_snapshot_index", "Entry of the newest snapshot.", func(v node.Vitals) float64 { return float64(v.Log.Snapshot) }),
	one("bippop_raft_queue_commands", "Commands that wait to be written to the log.", func(v node.Vitals) float64 { return float64(v.Log.Waiting) }),
	at("bippop_raft_last_contact_timestamp_seconds", "When a follower last heard of its leader.", func(v node.Vitals) time.Time { return v.Log.Contact }),

	cluster("bippop_voters", "Replicas that vote.", func(c *node.Cluster) float64 { return float64(voters(c)) }),
	cluster("bippop_voters_up", "Replicas that vote and are up.", func(c *node.Cluster) float64 { return float64(c.Up) }),
	cluster("bippop_quorum_voters", "Voters that must be up.", func(c *node.Cluster) float64 { return float64(c.Quorum) }),
	cluster("bippop_command_level", "Highest level of commands that all replicas know.", func(c *node.Cluster) float64 { return float64(c.Level) }),
	cluster("bippop_command_level_newest", "Highest level of commands that this program knows.", func(c *node.Cluster) float64 { return float64(c.Newest) }),
	{"bippop_replicas", "Replicas by state.", []string{"state"}, func(v node.Vitals, tell tell) {
		if v.Cluster == nil {
			return
		}
		count := map[node.ReplicaState]int{}
		for _, r := range v.Cluster.Replicas {
			count[r.State]++
		}
		for _, s := range []node.ReplicaState{node.ReplicaJoining, node.ReplicaMember, node.ReplicaRemoved, node.ReplicaDestroyed} {
			tell(float64(count[s]), string(s))
		}
	}},

	each("bippop_replica_up", "1: the replica answers.", func(r node.Replica) float64 { return flag(r.Alive || r.Here) }),
	each("bippop_replica_voter", "1: the replica votes.", func(r node.Replica) float64 { return flag(r.Voter) }),
	each("bippop_replica_root_current", "1: the replica holds the current root key and no older one.", func(r node.Replica) float64 { return flag(r.Current) }),
	each("bippop_replica_lag_entries", "Entries behind what the leader has committed.", func(r node.Replica) float64 { return float64(r.Said.Lag) }),
	each("bippop_replica_applied_index", "Highest entry that the replica says it has applied.", func(r node.Replica) float64 { return float64(r.Said.Applied) }),
	each("bippop_replica_disk_free_bytes", "Free on the disk of the replica's data folder, as it says.", func(r node.Replica) float64 { return float64(r.Said.Free) }),
	each("bippop_replica_faulty", "1: the replica says that something is wrong with it.", func(r node.Replica) float64 { return flag(r.Said.Fault != "") }),
	eachAt("bippop_replica_last_contact_timestamp_seconds", "When the replica last spoke of itself.", func(r node.Replica) time.Time { return r.Heard }),
	eachAt("bippop_replica_certificate_expiry_timestamp_seconds", "When the replica's certificate expires.", func(r node.Replica) time.Time { return r.Said.Expires }),

	{"bippop_backup_last_success_timestamp_seconds", "When the newest backup was made, by kind; 0: never.", []string{"kind"}, func(v node.Vitals, tell tell) {
		if v.Backups != nil {
			tell(seconds(v.Backups.NewestData), "data")
			tell(seconds(v.Backups.NewestKeys), "keys")
		}
	}},
	{"bippop_backup_destinations", "Registered destinations of backups, by kind.", []string{"kind"}, func(v node.Vitals, tell tell) {
		count(v, tell, func(node.Destination) bool { return true })
	}},
	{"bippop_backup_destinations_faulty", "Destinations at which the last backup failed, by kind.", []string{"kind"}, func(v node.Vitals, tell tell) {
		count(v, tell, func(d node.Destination) bool { return d.Fault != "" })
	}},
	{"bippop_backup_key_destinations_stale", "Destinations of key backups that do not fit the current root.", nil, func(v node.Vitals, tell tell) {
		if v.Backups == nil {
			return
		}
		stale := 0
		for _, d := range v.Backups.Destinations {
			if d.Keys && !d.Current {
				stale++
			}
		}
		tell(float64(stale))
	}},

	{"bippop_federation_trouble", "1: what is wrong between the territory and its federation, by code; 0: it is not.", []string{"code"}, func(v node.Vitals, tell tell) {
		if v.Federation == nil {
			return
		}
		for _, known := range node.Troubles {
			stands := func(t node.FederationTrouble) bool { return t.Code == known }
			tell(flag(slices.ContainsFunc(v.Federation.Troubles, stands)), string(known))
		}
	}},

	{"bippop_erasures_wanted", "People who will be erased with the next batch.", nil, func(v node.Vitals, tell tell) {
		if v.Erasures != nil {
			tell(float64(v.Erasures.Wanted))
		}
	}},
	{"bippop_erasures_pending", "Erasures without a certificate yet.", nil, func(v node.Vitals, tell tell) {
		if v.Erasures != nil {
			tell(float64(v.Erasures.Pending))
		}
	}},
	{"bippop_erasure_oldest_timestamp_seconds", "Since when the oldest erasure waits; no series when none does.", nil, func(v node.Vitals, tell tell) {
		if v.Erasures != nil && !v.Erasures.Oldest.IsZero() {
			tell(unix(v.Erasures.Oldest))
		}
	}},
}

func one(name, help string, read func(node.Vitals) float64) gauge {
	return gauge{name, help, nil, func(v node.Vitals, tell tell) { tell(read(v)) }}
}

func at(name, help string, read func(node.Vitals) time.Time) gauge {
	return gauge{name, help, nil, func(v node.Vitals, tell tell) {
		if t := read(v); !t.IsZero() {
			tell(unix(t))
		}
	}}
}

func cluster(name, help string, read func(*node.Cluster) float64) gauge {
	return gauge{name, help, nil, func(v node.Vitals, tell tell) {
		if v.Cluster != nil {
			tell(read(v.Cluster))
		}
	}}
}

// each has one series per replica that takes part. Its name is of our making.
func each(name, help string, read func(node.Replica) float64) gauge {
	return gauge{name, help, []string{"replica"}, func(v node.Vitals, tell tell) {
		if v.Cluster == nil {
			return
		}
		for _, r := range v.Cluster.Replicas {
			if r.State == node.ReplicaJoining || r.State == node.ReplicaMember {
				tell(read(r), r.Name)
			}
		}
	}}
}

func eachAt(name, help string, read func(node.Replica) time.Time) gauge {
	g := each(name, help, func(r node.Replica) float64 { return unix(read(r)) })
	all := g.read
	g.read = func(v node.Vitals, tell tell) {
		all(v, func(value float64, labels ...string) {
			if value > 0 { // else not known
				tell(value, labels...)
			}
		})
	}
	return g
}

func count(v node.Vitals, tell tell, which func(node.Destination) bool) {
	if v.Backups == nil {
		return
	}
	data, keys := 0, 0
	for _, d := range v.Backups.Destinations {
		switch {
		case !which(d):
		case d.Keys:
			keys++
		default:
			data++
		}
	}
	tell(float64(data), "data")
	tell(float64(keys), "keys")
}

func voters(c *node.Cluster) (n int) {
	for _, r := range c.Replicas {
		if r.Voter {
			n++
		}
	}
	return n
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func seconds(at node.Instant) float64 { return float64(at) / 1000 }

// code lets through what has the form of our own codes.
func code(s string) string {
	for _, c := range s {
		if c != '-' && (c < 'a' || c > 'z') {
			return "fault"
		}
	}
	return s[:min(len(s), 32)]
}

// gauges reads the vitals once per scrape.
type gauges struct{ source Source }

const sealedName, sealedHelp = "bippop_sealed", "1: this replica is sealed and serves nothing."

func (g gauges) Describe(chan<- *prometheus.Desc) {} // unchecked: series come and go

func (g gauges) Collect(out chan<- prometheus.Metric) {
	v, open := g.source()
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc(sealedName, sealedHelp, nil, nil), prometheus.GaugeValue, flag(!open))
	if !open {
		return
	}
	for _, g := range list {
		desc := prometheus.NewDesc(g.name, g.help, g.labels, nil)
		g.read(v, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
		})
	}
}
