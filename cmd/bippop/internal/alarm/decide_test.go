package alarm_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/alarm"
	"github.com/bippop/bippop/node"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// moment is one look in a story, at a time after noon.
type moment struct {
	after time.Duration
	sight alarm.Sight
	want  []string // phase, kind and subject of each letter
}

func standing(leads bool, kinds ...alarm.Kind) alarm.Sight {
	s := alarm.Sight{Judged: alarm.Kinds, Leads: leads, Led: !leads}
	for _, k := range kinds {
		s.Conditions = append(s.Conditions, alarm.Condition{Kind: k})
	}
	return s
}

func lost(leads bool, names ...string) alarm.Sight {
	s := standing(leads)
	for _, name := range names {
		s.Conditions = append(s.Conditions, alarm.Condition{Kind: alarm.ReplicaLost, Subject: name, Patience: 2 * time.Minute})
	}
	return s
}

func blind() alarm.Sight { return alarm.SealedSight() }

func ledBy(name string) alarm.Sight {
	s := standing(true)
	s.Leader = name
	return s
}

func TestDecide(t *testing.T) {
	const m, h = time.Minute, time.Hour
	leaderless := lost(true, "replica-2")
	leaderless.Leads, leaderless.Led = false, false
	for name, story := range map[string][]moment{
		"nothing is wrong": {{0, standing(true), nil}, {48 * h, standing(true), nil}},
		"said once, reminded daily, ended once": {
			{0, standing(true, alarm.DiskLow), []string{"begins disk-low"}},
			{m, standing(true, alarm.DiskLow), nil},
			{23 * h, standing(true, alarm.DiskLow), nil},
			{24 * h, standing(true, alarm.DiskLow), []string{"stands disk-low"}},
			{25 * h, standing(true, alarm.DiskLow), nil},
			{48 * h, standing(true, alarm.DiskLow), []string{"stands disk-low"}},
			{48*h + m, standing(true), nil},
			{48*h + 10*m, standing(true), []string{"ended disk-low"}},
			{48*h + 11*m, standing(true), nil},
			{49 * h, standing(true, alarm.DiskLow), []string{"begins disk-low"}},
		},
		"what comes and goes is one alarm": {
			{0, standing(true, alarm.DiskLow), []string{"begins disk-low"}},
			{m, standing(true), nil}, {2 * m, standing(true, alarm.DiskLow), nil},
			{3 * m, standing(true), nil}, {6 * m, standing(true), nil}, {8 * m, standing(true), []string{"ended disk-low"}},
		},
		"patience": {
			{0, lost(true, "replica-2"), nil}, {m, lost(true, "replica-2"), nil},
			{2 * m, lost(true, "replica-2"), []string{"begins replica-lost replica-2"}},
		},
		"a restart is no loss": {
			{0, lost(true, "replica-2"), nil}, {m, lost(true), nil}, {2 * m, lost(true, "replica-2"), nil}, {3 * m, lost(true), nil}, {60 * m, lost(true), nil},
		},
		"two at once": {
			{0, lost(true, "replica-2", "replica-3"), nil},
			{2 * m, lost(true, "replica-2", "replica-3"), []string{"begins replica-lost replica-2", "begins replica-lost replica-3"}},
			{10 * m, lost(true, "replica-3"), []string{"ended replica-lost replica-2"}},
		},
		"a follower is silent about the territory, not about itself": {
			{0, standing(false, alarm.BackupOld, alarm.Certificate), []string{"begins certificate-expiring"}},
			{10 * m, standing(false), []string{"ended certificate-expiring"}},
		},
		"a new leader repeats nothing, and goes on": {
			{0, standing(false, alarm.BackupOld), nil},
			{h, standing(true, alarm.BackupOld), nil},
			{24 * h, standing(true, alarm.BackupOld), []string{"stands backup-old"}},
			{25 * h, standing(true), []string{"ended backup-old"}},
		},
		"what began while nobody led is said by whoever leads next": {
			{0, leaderless, nil}, {3 * m, leaderless, nil},
			{4 * m, lost(true, "replica-2"), []string{"begins replica-lost replica-2"}},
		},
		"what cannot be seen has not ended": {
			{0, standing(true, alarm.BackupOld), []string{"begins backup-old"}},
			{h, blind(), nil},
			{h + 2*m, blind(), []string{"begins sealed"}},
			{2 * h, standing(true, alarm.BackupOld), []string{"ended sealed"}},
		},
		"a leader that is elected again and again": {
			{0, ledBy("replica-1"), nil}, {m, ledBy("replica-2"), nil}, {2 * m, ledBy(""), nil}, {3 * m, ledBy("replica-1"), nil}, {4 * m, ledBy("replica-3"), nil},
			{5 * m, ledBy("replica-1"), []string{"begins leader-flapping"}},
			{6 * m, ledBy("replica-1"), nil},
			{30 * m, ledBy("replica-1"), []string{"ended leader-flapping"}},
		},
		"an ordinary change of leader": {
			{0, ledBy("replica-1"), nil}, {m, ledBy("replica-2"), nil}, {2 * m, ledBy("replica-1"), nil}, {3 * m, ledBy("replica-2"), nil}, {20 * m, ledBy("replica-1"), nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var memory alarm.Memory
			for _, now := range story {
				letters, after := alarm.Decide(now.sight, memory, noon.Add(now.after))
				var got []string
				for _, l := range letters {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", l.Phase, l.Kind, l.Subject)))
				}
				if !slices.Equal(got, now.want) {
					t.Errorf("after %v: %q, want %q", now.after, got, now.want)
				}
				memory = throughDisk(t, after)
			}
		})
	}
}

// throughDisk is m as a restarted process reads it.
func throughDisk(t *testing.T, m alarm.Memory) (back alarm.Memory) {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestDecideChangesNothing: who cannot send now decides again later.
func TestDecideChangesNothing(t *testing.T) {
	_, memory := alarm.Decide(standing(true, alarm.DiskLow, alarm.BackupOld), alarm.Memory{}, noon)
	before := throughDisk(t, memory)
	alarm.Decide(standing(true), memory, noon.Add(time.Hour))
	alarm.Decide(standing(true, alarm.DiskLow), memory, noon.Add(48*time.Hour))
	if after := throughDisk(t, memory); !reflect.DeepEqual(before, after) {
		t.Errorf("Decide has changed its memory from %v to %v", before, after)
	}
}

// well is a replica of three without a fault, at noon.
func well() node.Vitals {
	since := node.Instant(noon.Add(-1000 * time.Hour).UnixMilli())
	one := func(name string, here, leader bool) node.Replica {
		return node.Replica{Name: name, State: node.ReplicaMember, Here: here, Leader: leader, Voter: true, Current: true, Alive: true, Since: since,
			Heard: noon, Said: node.Said{Expires: noon.Add(60 * 24 * time.Hour)}}
	}
	v := node.Vitals{At: noon, Started: noon.Add(-time.Hour), Siren: "200044394", Serving: true, Writing: true, Leading: true, DiskFree: 50 << 30, DiskSize: 100 << 30}
	v.Log.Leader = "replica-1"
	v.Cluster = &node.Cluster{Replicas: []node.Replica{one("replica-1", true, true), one("replica-2", false, false), one("replica-3", false, false)}}
	v.Erasures = &node.ErasureVitals{Pending: 1, Oldest: noon.Add(-time.Hour)}
	v.Backups = &node.BackupStatus{NewestData: node.Instant(noon.Add(-25 * time.Hour).UnixMilli()),
		Destinations: []node.Destination{{Name: "Madame Zyxwvut", Path: "/home/zyxwvut", Keys: true, Current: true}}}
	return v
}

// troubled has a trouble with its federation since some time.
func troubled(v *node.Vitals, code node.Trouble, since time.Duration) {
	v.Federation = &node.FederationVitals{Troubles: []node.FederationTrouble{{Code: code, Since: node.Instant(noon.Add(-since).UnixMilli())}}}
}

// TestHubsAwhile: hubs that do not answer for a moment are no alarm; after an hour
// they are, once, and it ends when they answer. A leader that is lost meanwhile is no
// end: what it knew is not known.
func TestHubsAwhile(t *testing.T) {
	v := well()
	troubled(&v, node.TroubleHubs, 59*time.Minute)
	letters, memory := alarm.Decide(alarm.Look(v), alarm.Memory{}, noon)
	if len(letters) != 0 {
		t.Fatalf("%v before the hour is over", letters)
	}
	letters, memory = alarm.Decide(alarm.Look(v), memory, noon.Add(time.Minute))
	if len(letters) != 1 || letters[0].Kind != alarm.Kind(node.TroubleHubs) || letters[0].Phase != alarm.Begins {
		t.Fatalf("%v after an hour, want that it begins", letters)
	}
	v.Federation = nil
	if letters, memory = alarm.Decide(alarm.Look(v), memory, noon.Add(time.Hour)); len(letters) != 0 {
		t.Fatalf("%v while nothing is known", letters)
	}
	v.Federation = &node.FederationVitals{}
	if letters, _ = alarm.Decide(alarm.Look(v), memory, noon.Add(2*time.Hour)); len(letters) != 1 || letters[0].Phase != alarm.Ended {
		t.Fatalf("%v once they answer, want that it has ended", letters)
	}
}

func TestLook(t *testing.T) {
	ago := func(d time.Duration) node.Instant { return node.Instant(noon.Add(-d).UnixMilli()) }
	for name, c := range map[string]struct {
		change func(*node.Vitals)
		want   []string // kind, subject, value
	}{
		"all is well":          {func(*node.Vitals) {}, nil},
		"backup":               {func(v *node.Vitals) { v.Backups.NewestData = ago(30 * time.Hour) }, []string{"backup-old  30"}},
		"never a backup":       {func(v *node.Vitals) { v.Backups.NewestData = 0 }, []string{"backup-old  1000"}},
		"key backup":           {func(v *node.Vitals) { v.Backups.Destinations[0].Current = false }, []string{"key-backup-not-current  1"}},
		"no place for keys":    {func(v *node.Vitals) { v.Backups.Destinations = nil }, []string{"key-backup-not-current  0"}},
		"replica":              {func(v *node.Vitals) { v.Cluster.Replicas[1].Alive = false }, []string{"replica-lost replica-2 0"}},
		"removed replica":      {func(v *node.Vitals) { r := &v.Cluster.Replicas[1]; r.Alive, r.State = false, node.ReplicaRemoved }, nil},
		"certificate":          {func(v *node.Vitals) { v.Cluster.Replicas[0].Said.Expires = noon.Add(13*24*time.Hour + time.Hour) }, []string{"certificate-expiring replica-1 13"}},
		"somebody else's":      {func(v *node.Vitals) { v.Cluster.Replicas[1].Said.Expires = noon }, nil},
		"disk":                 {func(v *node.Vitals) { v.DiskFree = 300 << 20 }, []string{"disk-low  300"}},
		"erasure":              {func(v *node.Vitals) { v.Erasures.Oldest = noon.Add(-25 * time.Hour) }, []string{"erasure-pending  1"}},
		"damaged":              {func(v *node.Vitals) { v.Fault = "damaged" }, []string{"replica-faulty damaged 0"}},
		"fault it speaks of":   {func(v *node.Vitals) { v.Cluster.Replicas[0].Said.Fault = "stuck" }, []string{"replica-faulty stuck 0"}},
		"fault with words":     {func(v *node.Vitals) { v.Fault = "Zyxwvut +79990001122" }, []string{"replica-faulty fault 0"}},
		"no leader":            {func(v *node.Vitals) { v.Leading, v.Log.Leader = false, "" }, []string{"no-leader  0"}},
		"frozen feed":          {func(v *node.Vitals) { troubled(v, node.TroubleFrozen, time.Hour) }, []string{"feed-frozen  0"}},
		"outside a federation": {func(v *node.Vitals) { v.Federation = &node.FederationVitals{} }, nil},
		"nothing to be known":  {func(v *node.Vitals) { v.Cluster, v.Backups, v.Erasures = nil, nil, nil }, nil},
	} {
		v := well()
		c.change(&v)
		var got []string
		for _, s := range alarm.Look(v).Conditions {
			got = append(got, fmt.Sprintf("%s %s %d", s.Kind, s.Subject, s.Value))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestLookIsHonest: what is not known now is not judged.
func TestLookIsHonest(t *testing.T) {
	v := well()
	v.Backups.NewestData = 0
	letters, memory := alarm.Decide(alarm.Look(v), alarm.Memory{}, noon)
	if len(letters) != 1 || letters[0].Kind != alarm.BackupOld {
		t.Fatalf("letters = %v, want one about the backup", letters)
	}
	v.Backups = nil
	if letters, _ := alarm.Decide(alarm.Look(v), memory, noon.Add(time.Hour)); len(letters) > 0 {
		t.Errorf("letters = %v while nothing is known of backups, want none", letters)
	}
}
