package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// replicas is the administrator's page about the machines on which the service
// runs.
type replicas struct{ *Site }

// isAdmin reports whether the pages behind the desk are for the caller.
func isAdmin(by node.Caller) bool { return by.Roles.Has(node.RoleAdmin) }

// What a machine is looked at for. Each has a sentence that says what to do next:
// replicas.next_CODE.
const (
	careApprove     = "approve"     // it waits for somebody's yes
	careSilent      = "silent"      // it says nothing
	careCertificate = "certificate" // it has not been renewed
	careBehind      = "behind"
	careOldRoot     = "old-root"
	careDisk        = "disk"
	careOldProgram  = "old-program"
	careVault       = "vault" // removed, and nobody has recorded that its vault is gone
)

// faultsSaid are the codes of a machine's own complaint that have a sentence.
var faultsSaid = []string{"disk-full", "damaged", "log-stopped", "stuck", "root-missing", "sealed"}

const (
	// lagCare is in writes: a few seconds of a busy desk.
	lagCare = 1000
	// diskCare is in bytes: under it somebody should make room before anything stops.
	diskCare = 2 << 30
	// certificateCare is well after the day on which a certificate renews itself.
	certificateCare = 7 * 24 * time.Hour
)

// machine is one replica as the page shows it.
type machine struct {
	node.Replica
	Role   string   // leads, follows, receives, removed, destroyed
	Mood   string   // of its chip
	Care   []string // what somebody should do, gravest first
	Urgent bool
	May    bool // be handed the lead
}

// replicasData is the page.
type replicasData struct {
	State    string // of the whole: fine, alone, tight, care, stopped, no-leader
	Machines []machine
	Gone     []machine
	Releases []releaseLine
	Voters   int
	Quorum   int
	Spare    int  // that may fail
	Lead     bool // somebody leads
	Level    uint16
	Newest   uint16
	More     quorum // with one machine more
	Token    string // just made: shown once
	Command  string // to type on the new machine
	Key      string
	Troubles []node.FederationTrouble // between the territory and its federation
}

// quorum is how many vote, how many must answer, how many may be lost.
type quorum struct{ Voters, Needed, Spare int }

func quorumOf(voters int) quorum {
	needed := voters/2 + 1
	return quorum{voters, needed, voters - needed}
}

// releaseLine is an unlock key that was given out, or waits.
type releaseLine struct {
	node.Release
	Name string // of the machine
	Who  node.Secret
}

// machinesOf says in the page's terms what the node knows at now.
func machinesOf(c node.Cluster, now time.Time) (d replicasData) {
	d.Level, d.Newest, d.Quorum, d.Lead = c.Level, c.Newest, c.Quorum, !c.Leader.Zero()
	waits := map[node.ReplicaID]bool{}
	names := map[node.ReplicaID]string{}
	for _, r := range c.Releases {
		waits[r.Replica] = waits[r.Replica] || r.Waiting
	}
	care := false
	for _, r := range c.Replicas {
		names[r.ID] = r.Name
		m := machineOf(r, waits[r.ID], c.Newest, now)
		if r.State == node.ReplicaRemoved || r.State == node.ReplicaDestroyed {
			d.Gone = append(d.Gone, m)
			continue
		}
		if r.Voter {
			d.Voters++
		}
		care = care || m.Urgent
		d.Machines = append(d.Machines, m)
	}
	d.Spare = max(0, c.Up-c.Quorum)
	d.More = quorumOf(d.Voters + 1)
	for _, r := range c.Releases {
		d.Releases = append(d.Releases, releaseLine{Release: r, Name: names[r.Replica]})
	}
	switch {
	case c.Up < c.Quorum:
		d.State = "stopped"
	case !d.Lead:
		d.State = "no-leader"
	case d.Voters > 1 && d.Spare == 0:
		d.State = "tight"
	case care:
		d.State = "care"
	case d.Voters <= 1:
		d.State = "alone"
	default:
		d.State = "fine"
	}
	return d
}

func machineOf(r node.Replica, waits bool, newest uint16, now time.Time) machine {
	m := machine{Replica: r, Mood: "ok"}
	switch {
	case r.State == node.ReplicaRemoved:
		m.Role, m.Mood, m.Care = "removed", "wait", []string{careVault}
		return m
	case r.State == node.ReplicaDestroyed:
		m.Role, m.Mood = "destroyed", "calm"
		return m
	case r.Leader:
		m.Role = "leads"
	case r.Voter:
		m.Role = "follows"
	default:
		m.Role, m.Mood = "receives", "calm"
	}
	up := r.Alive || r.Here
	if waits {
		m.Care = append(m.Care, careApprove)
	}
	if r.Said.Fault != "" {
		fault := r.Said.Fault
		if !slices.Contains(faultsSaid, fault) {
			fault = "fault"
		}
		m.Care = append(m.Care, fault)
	}
	if !up && !waits {
		m.Care = append(m.Care, careSilent)
	}
	if up && !r.Said.Expires.IsZero() && r.Said.Expires.Sub(now) < certificateCare {
		m.Care = append(m.Care, careCertificate)
	}
	m.Urgent = len(m.Care) > 0
	for _, later := range []struct {
		code string
		yes  bool
	}{
		{careBehind, up && r.Said.Lag > lagCare}, {careOldRoot, up && !r.Current},
		{careDisk, up && r.Said.Fault != "disk-full" && r.Said.Free > 0 && r.Said.Free < diskCare}, {careOldProgram, r.Level < newest},
	} {
		if later.yes {
			m.Care = append(m.Care, later.code)
		}
	}
	switch {
	case m.Urgent:
		m.Mood = "urgent"
	case len(m.Care) > 0:
		m.Mood = "wait"
	}
	m.May = r.Voter && !r.Leader && up && !m.Urgent
	return m
}

// joinCommand is what is typed on the new machine.
func joinCommand(token string) string {
	return "bippop join --token-file - --peer-listen 10.0.0.2:7400 \\\n  --dir /var/lib/bippop/data --vault /etc/bippop/vault.age \\\n  --identity /etc/bippop/identity.txt\n" + token
}

func (s replicas) page(c *gin.Context) { s.show(c, http.StatusOK, "", nil) }

// show is the page. token was just made; problem is what was refused.
func (s replicas) show(c *gin.Context, code int, token string, problem error) {
	cluster, err := s.node.Replicas.List(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	federation, err := s.node.Federation.Troubles(c.Request.Context(), caller(c))
	if err != nil {
		federation.Troubles = nil // nobody leads who knows: the page says that already
	}
	s.draw(c, code, cluster, federation.Troubles, token, problem)
}

func (s replicas) draw(c *gin.Context, code int, cluster node.Cluster, troubles []node.FederationTrouble, token string, problem error) {
	w, by := s.words(c), caller(c)
	d := machinesOf(cluster, s.node.Now())
	d.Troubles = troubles
	for i := range d.Releases {
		d.Releases[i].Who, _ = s.node.Accounts.Name(by, d.Releases[i].By)
	}
	d.Key = newKey()
	if token != "" {
		d.Token, d.Command = token, joinCommand(token)
	}
	s.render(c, code, "replicas", page{Title: w.t("replicas.title"), Here: "backstage", Problem: w.say(problem), Data: d})
}

// invite makes a token and shows it, once.
func (s replicas) invite(c *gin.Context) {
	hours, _ := strconv.Atoi(c.PostForm("hours"))
	token, _, err := s.node.Replicas.Invite(c.Request.Context(), writer(c), time.Duration(min(max(hours, 1), 24))*time.Hour)
	if err != nil {
		s.show(c, status(err), "", err)
		return
	}
	s.show(c, http.StatusOK, token.Reveal(), nil)
}

// removal is the page that says what a removal does, before it is done.
type removal struct {
	Machine machine
	node.Consequence
	Key string
}

// machine finds the replica of the address.
func (s replicas) machine(c *gin.Context) (m machine, err error) {
	id, err := node.ParseID[node.ReplicaID](c.Param("id"))
	if err != nil {
		return m, err
	}
	cluster, err := s.node.Replicas.List(caller(c))
	if err != nil {
		return m, err
	}
	for _, r := range cluster.Replicas {
		if r.ID == id {
			return machineOf(r, false, cluster.Newest, s.node.Now()), nil
		}
	}
	return m, &node.Error{Kind: node.NotFound, Code: "no-replica"}
}

func (s replicas) askRemove(c *gin.Context) { s.removal(c, http.StatusOK, nil) }

func (s replicas) removal(c *gin.Context, code int, problem error) {
	m, err := s.machine(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	what, err := s.node.Replicas.Removing(caller(c), m.ID)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.drawRemoval(c, code, removal{m, what, newKey()}, problem)
}

func (s replicas) drawRemoval(c *gin.Context, code int, d removal, problem error) {
	w := s.words(c)
	p := w.say(problem)
	if p == nil && d.Refused != "" {
		p = w.say(&node.Error{Kind: node.Conflict, Code: d.Refused})
	}
	s.render(c, code, "replica_remove", page{Title: w.t("replicas.remove_title", "Name", d.Machine.Name), Here: "backstage", Narrow: true, Problem: p, Data: d})
}

func (s replicas) remove(c *gin.Context) {
	s.order(c, "machine-removed", func(id node.ReplicaID) error {
		_, err := s.node.Replicas.Remove(c.Request.Context(), writer(c), id)
		return err
	})
}

func (s replicas) destroyed(c *gin.Context) {
	s.order(c, "machine-destroyed", func(id node.ReplicaID) error {
		_, err := s.node.Replicas.Destroyed(c.Request.Context(), writer(c), id, strings.TrimSpace(c.PostForm("how")))
		return err
	})
}

func (s replicas) transfer(c *gin.Context) {
	s.order(c, "machine-leads", func(id node.ReplicaID) error {
		return s.node.Replicas.Transfer(c.Request.Context(), writer(c), id)
	})
}

func (s replicas) approve(c *gin.Context) {
	s.order(c, "machine-approved", func(id node.ReplicaID) error {
		_, err := s.node.Replicas.Approve(c.Request.Context(), writer(c), id)
		return err
	})
}

// order does something to the replica of the address and goes back to the page.
func (s replicas) order(c *gin.Context, done string, do func(node.ReplicaID) error) {
	id, err := node.ParseID[node.ReplicaID](c.Param("id"))
	if err == nil {
		err = do(id)
	}
	s.after(c, done, err)
}

// stepDown hands the lead to whichever machine is best placed.
func (s replicas) stepDown(c *gin.Context) {
	s.after(c, "machine-leads", s.node.Replicas.Transfer(c.Request.Context(), writer(c), node.ReplicaID{}))
}

// rotate replaces the root key.
func (s replicas) rotate(c *gin.Context) {
	_, err := s.node.Replicas.Rotate(c.Request.Context(), writer(c))
	s.after(c, "root-rotated", err)
}

func (s replicas) after(c *gin.Context, done string, err error) {
	if err != nil {
		s.show(c, status(err), "", err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/replicas?ok="+done)
}

// sinceText says how long ago a machine spoke: "il y a 3 s".
func (s *Site) sinceText(w *tongue, t time.Time) string {
	if t.IsZero() {
		return w.t("replicas.never_heard")
	}
	switch d := s.node.Now().Sub(t); {
	case d < time.Minute:
		return w.t("replicas.seconds_ago", "N", max(0, int(d/time.Second)))
	case d < time.Hour:
		return w.t("replicas.minutes_ago", "N", int(d/time.Minute))
	case d < 48*time.Hour:
		return w.t("replicas.hours_ago", "N", int(d/time.Hour))
	}
	return w.ago(node.DayOf(t.In(s.node.Now().Location())))
}

// sizeText says a number of bytes as disks are sold: "12 Go", "1,4 Mo".
func sizeText(w *tongue, bytes uint64) string {
	unit, n := 0, float64(bytes)
	for n >= 1000 && unit < 4 {
		n, unit = n/1000, unit+1
	}
	text := strconv.FormatFloat(n, 'f', 0, 64)
	if unit > 0 && n < 10 {
		text = strconv.FormatFloat(n, 'f', 1, 64)
	}
	if w.lang == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return w.t(fmt.Sprintf("replicas.bytes_%d", unit), "Size", text)
}
