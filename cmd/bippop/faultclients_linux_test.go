package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	faultClients = 4
	// clientPace keeps the histories, not the disks, small.
	clientPace = 10 * time.Millisecond
	// clientPatience ends what nobody answers; its outcome is unknown then.
	clientPatience = 3 * time.Second
)

// crowd is the clients and what they know. Safe for concurrent use.
type crowd struct {
	t       *testing.T
	urls    []string
	http    *http.Client
	token   string
	history *history
	stop    chan struct{}
	running sync.WaitGroup

	her, kind  string
	volunteers []string // one for each client

	mu       sync.Mutex // guards what follows, for a look
	epoch    int
	drafts   []string // of the epoch: to change
	seats    []string // of the epoch: to take
	slots    map[string]slot
	made     int // seats so far
	kept     []keptNote
	asked    int
	acks     int
	unasked  int // writes that were refused for sure
	unknown  int
	staleHit int
}

// slot is when a seat's visit would be: two visits never meet.
type slot struct{ day, hour string }

// keptNote is an acknowledged request with what stood in it.
type keptNote struct{ id, note string }

// to is a client of replica i.
func (c *crowd) to(i int) *client { return &client{base: c.urls[i], token: c.token, http: c.http} }

// settle is the last step before the storm: somebody to help, and who helps.
func (c *crowd) settle(ctx context.Context) error {
	node := c.to(0)
	var made receiptLine
	if err := node.call(ctx, "POST", "/beneficiaries", map[string]any{"commune": "33352", "basis": "consent", "last_name": "Exemple", "address": "Le Bourg"}, &made); err != nil {
		return err
	}
	c.her = made.ID
	for i := range faultClients {
		if err := node.call(ctx, "POST", "/volunteers", map[string]any{"commune": "33352", "radius_km": 20, "car": true, "seats": 3, "last_name": fmt.Sprint("Voisin ", i), "phones": []any{map[string]string{"number": fmt.Sprintf("06 39 98 77 %02d", i)}}}, &made); err != nil {
			return err
		}
		for _, step := range []string{"met", "approved"} {
			if err := node.call(ctx, "POST", "/volunteers/"+made.ID+"/step", map[string]string{"to": step}, nil); err != nil {
				return err
			}
		}
		c.volunteers = append(c.volunteers, made.ID)
	}
	var kinds struct {
		Items []struct{ ID, Name string }
	}
	if err := node.call(ctx, "GET", "/action-types", nil, &kinds); err != nil {
		return err
	}
	for _, k := range kinds.Items {
		if k.Name == "Courses" {
			c.kind = k.ID
		}
	}
	return nil
}

// receiptLine is what a write answers.
type receiptLine struct {
	ID      string
	Version uint32
}

// requestLine is a request as far as histories go.
type requestLine struct {
	Version    uint32
	Note       string
	State      string
	Volunteers []struct {
		Volunteer struct{ ID string }
		Answer    string
	}
}

func (c *crowd) open(ctx context.Context, node *client, note string, draft bool) (string, error) {
	var made receiptLine
	body := map[string]any{"beneficiary": c.her, "type": c.kind, "when": map[string]string{"kind": "flexible"}, "note": note, "seats": 1, "draft": draft}
	err := node.call(ctx, "POST", "/requests", body, &made)
	return made.ID, err
}

// next begins an epoch, with requests of its own.
func (c *crowd) next(ctx context.Context) error {
	var drafts, seats []string
	for range 2 {
		d, err := c.open(ctx, c.to(0), "", true)
		if err != nil {
			return err
		}
		s, err := c.open(ctx, c.to(0), "", false)
		if err != nil {
			return err
		}
		drafts, seats = append(drafts, d), append(seats, s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.drafts, c.seats = drafts, seats
	for _, s := range seats {
		day := time.Now().AddDate(0, 0, 1+c.made/4%360)
		c.slots[s] = slot{day.Format(time.DateOnly), fmt.Sprintf("%02d:00", 8+3*(c.made%4))}
		c.made++
	}
	return nil
}

func (c *crowd) run() {
	for i := range faultClients {
		c.running.Go(func() { c.client(i) })
	}
}

func (c *crowd) end() {
	close(c.stop)
	c.running.Wait()
}

// client asks until the storm is over.
func (c *crowd) client(number int) {
	tick := time.NewTicker(clientPace)
	defer tick.Stop()
	versions := map[string]uint32{}
	tried := map[string]bool{}
	last := 0
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.mu.Lock()
		epoch, drafts, seats := c.epoch, c.drafts, c.seats
		c.mu.Unlock()
		if len(drafts) == 0 {
			continue
		}
		if epoch != last {
			last = epoch
			clear(versions)
			clear(tried)
		}
		node := c.to(mathrand.IntN(3))
		in := asked{Kind: "read", Request: drafts[mathrand.IntN(len(drafts))]}
		switch p := mathrand.IntN(100); {
		case p < 30:
		case p < 40:
			in.Request = seats[mathrand.IntN(len(seats))]
		case p < 75 && versions[in.Request] > 0:
			in.Kind, in.Version, in.Note = "change", versions[in.Request], fmt.Sprintf("%d.%d", number, n)
		case p < 85:
			in.Request = seats[mathrand.IntN(len(seats))]
			if tried[in.Request] {
				continue
			}
			tried[in.Request] = true
			in.Kind, in.Volunteer = "accept", c.volunteers[number]
		default:
			c.keep(number, n)
			continue
		}
		call := c.history.now()
		out, ok := c.ask(node, in)
		c.count(in, out, ok)
		if !ok {
			continue
		}
		c.history.add(number, epoch, call, in, out)
		if out.Version > 0 {
			versions[in.Request] = out.Version
		}
	}
}

func (c *crowd) count(in asked, out told, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	switch {
	case in.Kind == "read":
	case !ok:
		c.unasked++
	case out.Unknown:
		c.unknown++
	case out.Done:
		c.acks++
	default:
		c.staleHit++
	}
}

// ask reports false when nothing can have happened, or nothing was told.
func (c *crowd) ask(node *client, in asked) (told, bool) {
	ctx, cancel := context.WithTimeout(c.t.Context(), clientPatience)
	defer cancel()
	var r receiptLine
	switch in.Kind {
	case "read":
		var v requestLine
		if node.call(ctx, "GET", "/requests/"+in.Request+"?fresh=1", nil, &v) != nil {
			return told{}, false
		}
		return told{Version: v.Version, Note: v.Note, Seated: v.seated()}, true
	case "change":
		body := map[string]any{"when": map[string]string{"kind": "flexible"}, "seats": 1, "note": in.Note}
		return c.hear(c.change(ctx, node, in, body, &r), &r, "stale-version", "stale")
	default:
		s := c.slot(in.Request)
		err := node.call(ctx, "POST", "/requests/"+in.Request+"/accept", map[string]string{"volunteer": in.Volunteer, "day": s.day, "hour": s.hour}, &r)
		return c.hear(err, &r, "not-open", "seats-full", "other-time")
	}
}

func (v requestLine) seated() string {
	for _, s := range v.Volunteers {
		if s.Answer == "yes" {
			return s.Volunteer.ID
		}
	}
	return ""
}

func (c *crowd) slot(request string) slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots[request]
}

// change is a PUT with If-Match, which the program's own client does not send.
func (c *crowd) change(ctx context.Context, node *client, in asked, body, out any) error {
	matching := *node
	matching.http = &http.Client{Timeout: node.http.Timeout, Transport: addHeader{node.http.Transport, "If-Match", fmt.Sprintf("%q", fmt.Sprint(in.Version))}}
	return matching.call(ctx, "PUT", "/requests/"+in.Request, body, out)
}

type addHeader struct {
	http.RoundTripper
	name, value string
}

func (a addHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(a.name, a.value)
	return a.RoundTripper.RoundTrip(r)
}

// nothingDone are the codes of a 503 that promise that nothing was recorded.
var nothingDone = []string{"no-leader", "disk-full", "busy", "damaged", "root-missing", "sealed", "starting"}

// hear reads a write's answer. refusals are the codes that say something of the
// request's state; others say nothing of it.
func (c *crowd) hear(err error, r *receiptLine, refusals ...string) (told, bool) {
	p, answered := errors.AsType[*problem](err)
	switch {
	case err == nil:
		return told{Done: true, Version: r.Version}, true
	case !answered:
		return told{Unknown: true}, true // cut off in the middle
	case slices.Contains(refusals, p.Code):
		return told{Code: p.Code}, true
	case p.Status >= 500 && !slices.Contains(nothingDone, p.Code):
		return told{Unknown: true, Code: p.Code}, true
	case p.Status < 500 && p.Status != http.StatusTooManyRequests:
		c.t.Errorf("an answer that nobody could get without faults: %d %s %s", p.Status, p.Code, p.Title)
	}
	return told{}, false
}

// keep opens a request at one replica, and reads it at another with what the first
// has answered.
func (c *crowd) keep(number, n int) {
	ctx, cancel := context.WithTimeout(c.t.Context(), clientPatience)
	defer cancel()
	note := fmt.Sprintf("kept %d.%d %s", number, n, rand.Text()[:4])
	id, err := c.open(ctx, c.to(mathrand.IntN(3)), note, true)
	c.count(asked{Kind: "open"}, told{Done: err == nil, Unknown: err != nil}, true)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, keptNote{id, note})
}

// lost counts what was acknowledged and is not there, on replica i: of the last n,
// or all.
func (c *crowd) lost(ctx context.Context, i, n int) (lost int, err error) {
	c.mu.Lock()
	kept := slices.Clone(c.kept)
	c.mu.Unlock()
	kept = kept[max(0, len(kept)-n):]
	var mu sync.Mutex // guards lost
	err = together(ctx, kept, func(ctx context.Context, k keptNote) error {
		var v requestLine
		err := c.to(i).call(ctx, "GET", "/requests/"+k.id+"?fresh=1", nil, &v)
		for p, ok := errors.AsType[*problem](err); err != nil && (!ok || p.Status >= 500) && ctx.Err() == nil; p, ok = errors.AsType[*problem](err) {
			time.Sleep(50 * time.Millisecond)
			err = c.to(i).call(ctx, "GET", "/requests/"+k.id+"?fresh=1", nil, &v)
		}
		if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusNotFound || err == nil && v.Note != k.note {
			mu.Lock()
			lost++
			mu.Unlock()
			c.t.Errorf("an acknowledged write is lost on replica %d: %s, %v", i, k.id, err)
			return nil
		}
		return err
	})
	return lost, err
}

func (c *crowd) summary() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("operations=%d acknowledged_writes=%d unknown=%d refused_for_sure=%d conditions_failed=%d kept=%d", c.asked, c.acks, c.unknown, c.unasked, c.staleHit, len(c.kept))
}

func (c *crowd) operations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func short(text string) string { return strings.Join(strings.Fields(text), " ") }
