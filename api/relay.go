package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
)

// What changes something is done by the leader, whichever replica it reached:
// the whole request goes there, over the replicas' own network. What only reads
// is answered here.
const (
	// seenCookie holds the index of the last write that a browser knows of, so
	// that its next page shows it, whichever replica answers.
	seenCookie = "bippop-seen"
	// relayFor bounds how long a leader is looked for.
	relayFor = 10 * time.Second
	// relayedBody is how much of a request is kept to send it again when the
	// leader was lost in the middle. A spreadsheet is not kept.
	relayedBody = 1 << 20
	// hearFor bounds how long a leader is waited for that knows what the neighbouring
	// territories say.
	hearFor = 3 * time.Second
	// relayPause lies between two tries.
	relayPause = 50 * time.Millisecond
)

// relaying passes writes on to whoever leads, and answers those that others pass on.
type relaying struct{ *server }

// relay is in front of everything that people and programs ask.
func (s relaying) relay(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.node.Alone(), s.node.Removed():
			next.ServeHTTP(w, r)
		case ofNeighbours(r) && !s.node.Leading():
			s.hear(w, r, next)
		case readsOnly(r):
			s.catchUp(r)
			next.ServeHTTP(w, r)
		case s.node.Leading():
			next.ServeHTTP(&seeing{ResponseWriter: w, node: s.node, cookie: true, secure: s.secure}, r)
		default:
			s.forward(w, r, next)
		}
	})
}

// Relayed is what the leader answers to other replicas: the same surface, and the
// index that tells them how far to read.
func (s relaying) relayed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.node.Leading() {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(&seeing{ResponseWriter: w, node: s.node}, r)
	})
}

// readsOnly reports whether this replica can answer alone. An upload that waits
// to be looked at lies in the leader's memory, and so does what the neighbouring
// territories say.
func readsOnly(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/settings/imports/") {
		return false
	}
	if strings.HasPrefix(r.URL.Path, transparency) {
		return false
	}
	for _, at := range []string{"/ledger", "/federation", "/across", "/nation"} {
		if strings.HasPrefix(strings.TrimPrefix(r.URL.Path, base), at) {
			return false // who speaks knows what the hubs have signed, and what others say
		}
	}
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == base+"/find"
}

// ofNeighbours reports whether somebody asks what the neighbouring territories could
// do for one request.
func ofNeighbours(r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, base)
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.HasPrefix(path, "/requests/") && strings.HasSuffix(path, "/across")
}

// hear asks the leader, once and not for long: a request is worked on without its
// answer. Where none comes this replica says what it knows itself.
func (s relaying) hear(w http.ResponseWriter, r *http.Request, alone http.Handler) {
	ctx, cancel := context.WithTimeout(r.Context(), hearFor)
	defer cancel()
	answer, err := s.node.Forward(r.Clone(ctx))
	if err == nil && answer.StatusCode != http.StatusMisdirectedRequest && answer.StatusCode < http.StatusInternalServerError {
		s.pass(w, r, answer)
		return
	}
	if err == nil {
		answer.Body.Close()
	}
	s.catchUp(r)
	alone.ServeHTTP(w, r)
}

// catchUp waits for the write that a browser has seen. One that does not come is
// no reason to show nothing.
func (s relaying) catchUp(r *http.Request) {
	cookie, err := r.Cookie(seenCookie)
	if err != nil {
		return
	}
	seen, err := strconv.ParseUint(cookie.Value, 10, 64)
	if err != nil || seen <= s.node.Index() {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	_ = s.node.Await(ctx, seen)
}

// forward sends a request to the leader, again when it was lost and may be sent
// twice. Without a leader this replica answers, and says that there is none.
func (s relaying) forward(w http.ResponseWriter, r *http.Request, alone http.Handler) {
	kept, whole, err := keep(r)
	if err != nil {
		alone.ServeHTTP(w, r) // which says what is wrong with the body
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), relayFor)
	defer cancel()
	lost := false // a try may have been done: who refuses afterwards cannot know
	for {
		answer, err := s.node.Forward(again(r, kept))
		lost = lost || err != nil && !errors.Is(err, node.ErrNoLeader)
		if err == nil {
			if answer.StatusCode != http.StatusMisdirectedRequest && !(lost && answer.StatusCode == http.StatusServiceUnavailable) {
				s.pass(w, r, answer)
				return
			}
			answer.Body.Close()
		}
		// Of a body that is not kept a part may be gone.
		if !whole || lost && !repeatable(r) || !pause(ctx, relayPause) {
			s.lostLeader(w, again(r, kept), alone, lost)
			return
		}
		if s.node.Leading() {
			w = &seeing{ResponseWriter: w, node: s.node, cookie: true, secure: s.secure}
			if lost && isAPI(r) {
				w = &doubting{ResponseWriter: w, unknown: s.explain(r.Context(), "", r.Method, node.ErrUnknownOutcome)}
			}
			alone.ServeHTTP(w, again(r, kept))
			return
		}
	}
}

// keep reads a body into memory if it is small. whole says that it did.
func keep(r *http.Request) (kept io.Reader, whole bool, err error) {
	if r.Body == nil {
		return bytes.NewReader(nil), true, nil
	}
	var start bytes.Buffer
	_, err = io.CopyN(&start, r.Body, relayedBody+1)
	if errors.Is(err, io.EOF) {
		return bytes.NewReader(start.Bytes()), true, nil
	}
	if err != nil {
		return nil, false, err
	}
	return io.MultiReader(&start, r.Body), false, nil
}

// again is r with its body from the beginning.
func again(r *http.Request, kept io.Reader) *http.Request {
	if b, ok := kept.(*bytes.Reader); ok {
		b.Seek(0, io.SeekStart)
	}
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(kept)
	return copied
}

// repeatable reports whether a request may be sent again although it may have
// been done: the machine knows it by its key. A PUT has none: once done, the
// version that it names is another, and the second would be told so.
func repeatable(r *http.Request) bool {
	return r.Header.Get("Idempotency-Key") != "" || !isAPI(r) || r.Method == http.MethodDelete
}

// pass gives the leader's answer on, once reads here see what it has done.
func (s relaying) pass(w http.ResponseWriter, r *http.Request, answer *http.Response) {
	defer answer.Body.Close()
	h := w.Header()
	for name := range h {
		h.Del(name) // the leader has set them all
	}
	for name, values := range answer.Header {
		h[name] = values
	}
	if index, err := strconv.ParseUint(h.Get(node.IndexHeader), 10, 64); err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		_ = s.node.Await(ctx, index) // too late is shown by the next read, which waits too
		cancel()
		s.remember(h, index)
	}
	h.Del(node.IndexHeader)
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body)
}

func (s relaying) remember(h http.Header, index uint64) {
	cookie := http.Cookie{Name: seenCookie, Value: decimal(index), Path: "/", MaxAge: 3600, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
	h.Add("Set-Cookie", cookie.String())
}

// lostLeader answers when no leader has. A page shows its form again: sent once
// more, it carries the same key. A program is told whether it may have been done.
func (s relaying) lostLeader(w http.ResponseWriter, r *http.Request, alone http.Handler, lost bool) {
	if !isAPI(r) {
		alone.ServeHTTP(w, r)
		return
	}
	err := node.ErrNoLeader
	if lost {
		err = node.ErrUnknownOutcome
	}
	s.explain(r.Context(), "", r.Method, err).write(w)
}

// doubting answers a request that may have been done before: "not now" does not
// mean that nothing was.
type doubting struct {
	http.ResponseWriter
	unknown *problem
	told    bool
}

func (w *doubting) WriteHeader(status int) {
	if status == http.StatusServiceUnavailable {
		w.told = true
		w.unknown.write(w.ResponseWriter)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *doubting) Write(b []byte) (int, error) {
	if w.told {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach flush and deadlines.
func (w *doubting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// seeing adds to an answer the index of the last write that its sender has
// applied, which is at or above the one it tells of.
type seeing struct {
	http.ResponseWriter
	node   *node.Node
	cookie bool // for a browser; else for another replica
	secure bool
	told   bool
}

func (w *seeing) tell() {
	if w.told {
		return
	}
	w.told = true
	if w.cookie {
		relaying{&server{secure: w.secure}}.remember(w.Header(), w.node.Index())
		return
	}
	w.Header().Set(node.IndexHeader, decimal(w.node.Index()))
}

func (w *seeing) WriteHeader(status int) {
	w.tell()
	w.ResponseWriter.WriteHeader(status)
}

func (w *seeing) Write(b []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach flush and deadlines.
func (w *seeing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// pause reports whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
