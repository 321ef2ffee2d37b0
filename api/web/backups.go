package web

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// backups is the administrator's page about copies of the territory.
type backups struct{ *Site }

// lateAfter is when a data backup is too old: a day, and two hours for a job that
// began late.
const lateAfter = 26 * time.Hour

// backupsData is the page.
type backupsData struct {
	State  string // of the whole: none, late, keys, fine
	Data   []place
	Keys   []place
	Newest node.Instant // of the data
	Signer string
	Form   placeForm
	Hosts  []host // whose folder it may be
	Key    string
}

// place is one destination as the page shows it.
type place struct {
	node.Destination
	Host  string // name of the machine of a folder
	Hours int
	Mood  string
	Care  string // backups.care_CODE: what to do; "" for nothing
}

// host is a machine to choose.
type host struct{ ID, Name string }

// placeForm is what was typed.
type placeForm struct {
	Name, Kind, What, Host, Path, Recipients, Hours string
}

func placeOf(d node.Destination, hosts map[node.ReplicaID]string, now time.Time) place {
	p := place{Destination: d, Host: hosts[d.Replica], Hours: int(d.Every / time.Hour), Mood: "ok"}
	if d.Every == 0 {
		p.Hours = 24
	}
	late := time.Duration(p.Hours)*time.Hour + 2*time.Hour
	switch {
	case d.Fault != "":
		p.Mood, p.Care = "urgent", "fault"
	case d.Last == 0:
		p.Mood, p.Care = "wait", "never"
	case d.Keys && !d.Current && d.Kind == node.ManualDestination:
		p.Mood, p.Care = "wait", "by_hand"
	case d.Keys && !d.Current:
		p.Mood, p.Care = "wait", "old_keys"
	case d.Kind == node.FolderDestination && now.Sub(d.Last.Time()) > late:
		p.Mood, p.Care = "urgent", "late"
	}
	return p
}

func backupsOf(st node.BackupStatus, hosts map[node.ReplicaID]string, now time.Time) (d backupsData) {
	d.Newest, d.State = st.NewestData, "fine"
	keys := false
	for _, x := range st.Destinations {
		p := placeOf(x, hosts, now)
		if x.Keys {
			d.Keys = append(d.Keys, p)
			keys = keys || x.Current
			continue
		}
		d.Data = append(d.Data, p)
	}
	switch {
	case st.NewestData == 0:
		d.State = "none"
	case now.Sub(st.NewestData.Time()) > lateAfter:
		d.State = "late"
	case !keys:
		d.State = "keys"
	}
	return d
}

func (s backups) page(c *gin.Context) { s.show(c, http.StatusOK, placeForm{}, nil) }

func (s backups) show(c *gin.Context, code int, f placeForm, problem error) {
	st, err := s.node.Backups.Status(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	signer, err := s.node.Backups.Signer(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	cluster, err := s.node.Replicas.List(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.draw(c, code, st, signer, cluster.Replicas, f, problem)
}

func (s backups) draw(c *gin.Context, code int, st node.BackupStatus, signer string, machines []node.Replica, f placeForm, problem error) {
	names := map[node.ReplicaID]string{}
	var hosts []host
	for _, r := range machines {
		names[r.ID] = r.Name
		if r.State == node.ReplicaMember || r.State == node.ReplicaJoining {
			hosts = append(hosts, host{r.ID.String(), r.Name})
		}
	}
	w := s.words(c)
	d := backupsOf(st, names, s.node.Now())
	d.Signer, d.Form, d.Hosts, d.Key = signer, f, hosts, newKey()
	s.render(c, code, "backups", page{Title: w.t("backups.title"), Here: "backstage", Problem: w.say(problem), Data: d})
}

// register adds a place; what was typed is kept when it is refused.
func (s backups) register(c *gin.Context) {
	f := placeForm{c.PostForm("name"), c.PostForm("kind"), c.PostForm("what"), c.PostForm("host"), c.PostForm("path"), c.PostForm("recipients"), c.PostForm("hours")}
	d := node.Destination{
		Name: strings.TrimSpace(f.Name), Kind: node.DestinationKind(f.Kind), Keys: f.What == "keys", Path: strings.TrimSpace(f.Path), Recipients: strings.Fields(f.Recipients),
	}
	if hours, err := strconv.Atoi(f.Hours); err == nil && hours > 0 && hours <= 7*24 {
		d.Every = time.Duration(hours) * time.Hour
	}
	if d.Kind == node.FolderDestination {
		d.Replica, _ = node.ParseID[node.ReplicaID](f.Host)
	} else {
		d.Path = ""
	}
	if _, err := s.node.Backups.Register(c.Request.Context(), writer(c), d); err != nil {
		s.show(c, status(err), f, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/backups?ok=place-added")
}

func (s backups) now(c *gin.Context) {
	s.order(c, "backup-made", func(id node.DestinationID) error {
		_, err := s.node.Backups.Now(c.Request.Context(), writer(c), id)
		return err
	})
}

func (s backups) kept(c *gin.Context) {
	s.order(c, "backup-kept", func(id node.DestinationID) error {
		if c.PostForm("sure") == "" {
			return &node.Error{Kind: node.Invalid, Code: "missing", Field: "sure"}
		}
		_, err := s.node.Backups.Kept(c.Request.Context(), writer(c), id)
		return err
	})
}

func (s backups) drop(c *gin.Context) {
	s.order(c, "place-dropped", func(id node.DestinationID) error {
		_, err := s.node.Backups.Drop(c.Request.Context(), writer(c), id, c.PostForm("cleared") != "")
		return err
	})
}

func (s backups) order(c *gin.Context, done string, do func(node.DestinationID) error) {
	id, err := node.ParseID[node.DestinationID](c.Param("id"))
	if err == nil {
		err = do(id)
	}
	if err != nil {
		s.show(c, status(err), placeForm{}, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/backups?ok="+done)
}

// keys hands over the key backup for a manual place.
func (s backups) keys(c *gin.Context) {
	id, err := node.ParseID[node.DestinationID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := &download{c: c, name: "territory-keys.age"}
	switch err := s.node.Backups.Keys(c.Request.Context(), caller(c), id, w); {
	case err == nil:
	case w.begun:
		s.log.Error("a key backup broke off", slog.String("error", err.Error()))
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	default:
		s.show(c, status(err), placeForm{}, err)
	}
}

// download is an answer that is a file; its head is written with its first byte,
// so that an error before it can still be said in words.
type download struct {
	c     *gin.Context
	name  string
	begun bool
}

func (d *download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.c.Header("Content-Type", "application/octet-stream")
		d.c.Header("Content-Disposition", `attachment; filename="`+d.name+`"`)
		d.c.Status(http.StatusOK)
	}
	return d.c.Writer.Write(b)
}

var _ io.Writer = (*download)(nil)
