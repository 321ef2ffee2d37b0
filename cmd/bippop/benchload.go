package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
)

// pace is how fast clients were answered.
type pace struct {
	perSecond float64
	p50, p99  float64 // milliseconds
	processor float64 // microseconds of processor time per answer, clients included
}

// load is what clients do against a cluster, each waiting for its answer before it
// asks again.
type load struct {
	what    string // write, linearizable or stale
	clients int
	lasting time.Duration
}

// run lets the clients work. client makes what one of them does, and ends it.
func (l load) run(ctx context.Context, client func(ctx context.Context, i int) (once func() error, done func(), err error)) (pace, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ready, all sync.WaitGroup
	ready.Add(l.clients)
	start := make(chan struct{})
	took := make([]sample, l.clients)
	var until time.Time // written before start is closed
	for i := range l.clients {
		all.Go(func() {
			once, done, err := client(ctx, i)
			ready.Done()
			if err != nil {
				cancel(err)
				return
			}
			defer done()
			<-start
			for from := time.Now(); from.Before(until) && ctx.Err() == nil; {
				if err := once(); err != nil {
					cancel(err)
					return
				}
				now := time.Now()
				took[i] = append(took[i], now.Sub(from))
				from = now
			}
		})
	}
	ready.Wait()
	from := time.Now()
	until = from.Add(l.lasting)
	close(start)
	all.Wait()
	if ctx.Err() != nil {
		return pace{}, context.Cause(ctx)
	}
	s := slices.Concat(took...)
	return pace{perSecond: float64(len(s)) / time.Since(from).Seconds(), p50: ms(s.at(0.50)), p99: ms(s.at(0.99))}, nil
}

// wire is one connection to a node that is kept open: no more than HTTP asks for,
// so that the load takes little from what it measures. For one goroutine.
type wire struct {
	conn    net.Conn
	answers *bufio.Reader
	out     bytes.Buffer
	body    bytes.Buffer // of the last answer
	host    string
	token   string
}

// dialWire connects to the node at base as who holds token.
func dialWire(ctx context.Context, base, token string) (*wire, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, answers: bufio.NewReader(conn), host: u.Host, token: token}, nil
}

// errAnswer says that a node answered otherwise than a load expects.
var errAnswer = errors.New("the node's answer is no HTTP that this bench reads")

// call sends one request and reads the whole answer into w.body.
func (w *wire) call(method, path string, body []byte) (status int, err error) {
	w.out.Reset()
	fmt.Fprintf(&w.out, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n", method, path, w.host, w.token)
	if method == http.MethodPost {
		fmt.Fprintf(&w.out, "Content-Type: application/json\r\nContent-Length: %d\r\nIdempotency-Key: %s\r\n", len(body), rand.Text())
	}
	w.out.WriteString("\r\n")
	w.out.Write(body)
	if _, err := w.conn.Write(w.out.Bytes()); err != nil {
		return 0, err
	}
	return w.read()
}

func (w *wire) read() (status int, err error) {
	line, err := w.answers.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, errAnswer
	}
	var length int64
	chunked := false
	for {
		line, err := w.answers.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !found {
			break
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, errAnswer
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	w.body.Reset()
	if chunked {
		if _, err := w.body.ReadFrom(httputil.NewChunkedReader(w.answers)); err != nil {
			return 0, err
		}
		_, err = w.answers.ReadSlice('\n') // after the last chunk
		return status, err
	}
	_, err = io.CopyN(&w.body, w.answers, length)
	return status, err
}

func (w *wire) close() { w.conn.Close() }

// desk is a territory in processes of its own, and an agent who works there.
type desk struct {
	trio   *trio
	leader string  // address of the replica that leads
	client *client // the agent's, there
	people []string
	kind   string   // of action, for which one volunteer is enough
	known  []string // requests to read
}

// openDesk starts the territory in dir, signs in, and finds the leader.
func openDesk(ctx context.Context, dir string, out output) (_ *desk, err error) {
	t, err := openTrio(ctx, dir, synth.Start, out)
	if err != nil {
		return nil, err
	}
	d := &desk{trio: t}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	if err := d.findLeader(ctx); err != nil {
		return nil, err
	}
	who, err := t.home.account("agent")
	if err != nil {
		return nil, err
	}
	d.client = &client{base: d.leader, http: t.admin.http}
	if err := d.client.signIn(ctx, who.Login, who.Password); err != nil {
		return nil, err
	}
	return d, d.prepare(ctx)
}

// prepare reads for whom to ask, and records requests to read.
func (d *desk) prepare(ctx context.Context) error {
	type named struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		State string `json:"state"`
	}
	var people, kinds struct{ Items []named }
	if err := errors.Join(d.client.call(ctx, "GET", "/beneficiaries?limit=100", nil, &people), d.client.call(ctx, "GET", "/action-types", nil, &kinds)); err != nil {
		return err
	}
	for _, p := range people.Items {
		d.people = append(d.people, p.ID)
	}
	for _, k := range kinds.Items {
		if k.Name == "Courses" {
			d.kind = k.ID
		}
	}
	if len(d.people) == 0 || d.kind == "" {
		return errors.New("this demo has nobody to ask for, or no action for one volunteer")
	}
	for i := range 100 {
		var made named
		if err := d.client.call(ctx, "POST", "/requests", json.RawMessage(d.body(i)), &made); err != nil {
			return err
		}
		d.known = append(d.known, made.ID)
	}
	return nil
}

// noteBytes is how long the words of a request are.
const noteBytes = 512

// body is the nth request: flexible, with words.
func (d *desk) body(n int) []byte {
	words := fmt.Sprintf("%08d ", n) + strings.Repeat("la liste est sur la table et la clef chez la voisine ", 10)
	return fmt.Appendf(nil, `{"beneficiary":%q,"type":%q,"when":{"kind":"flexible"},"note":%q}`, d.people[n%len(d.people)], d.kind, words[:noteBytes])
}

// findLeader notes which replica leads: the others hand writes on to it.
func (d *desk) findLeader(ctx context.Context) error {
	i, err := d.trio.leader(ctx)
	if err == nil {
		d.leader = d.trio.replicas[i].url()
	}
	return err
}

// load implements rival.
func (d *desk) load(ctx context.Context, l load) (pace, error) {
	return l.run(ctx, func(ctx context.Context, i int) (func() error, func(), error) {
		w, err := dialWire(ctx, d.leader, d.client.token)
		if err != nil {
			return nil, nil, err
		}
		n := i * 1_000_003 // each client begins with somebody else
		return func() error {
			n++
			want, status := http.StatusOK, 0
			var err error
			switch known := d.known[n%len(d.known)]; l.what {
			case "write":
				want = http.StatusCreated
				status, err = w.call("POST", apiBase+"/requests", d.body(n))
			case "linearizable":
				status, err = w.call("GET", apiBase+"/requests/"+known+"?fresh=1", nil)
			default:
				status, err = w.call("GET", apiBase+"/requests/"+known, nil)
			}
			if err == nil && status != want {
				err = fmt.Errorf("the node answers %d to a %s", status, l.what)
			}
			return err
		}, w.close, nil
	})
}

func (d *desk) stop() error { return d.trio.stop() }
