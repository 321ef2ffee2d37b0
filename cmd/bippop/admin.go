package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/meter"
	"github.com/bippop/bippop/crypto"
	"golang.org/x/time/rate"
)

// A wrong share or passphrase costs one try. Somebody who types gets by with these;
// somebody who guesses does not.
const (
	triesAtOnce = 10
	triesEvery  = 10 * time.Second
)

// administration answers on the loopback listener: for whoever works on this very
// machine, and for nobody else. Safe for concurrent use.
type administration struct {
	lock  *lockable
	vault string // path
	log   *slog.Logger
	meter *meter.Meter
	ways  *ways
	// how is what opens the vault: a word of the flag --unseal, or "" when a file
	// does, which from reads again.
	how  string
	from func() (crypto.Unsealer, error)

	mu     sync.Mutex // guards what follows, while a share or passphrase is tried
	gather gathering
	tries  *rate.Limiter
}

// adminListener takes loopback addresses only.
func adminListener(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("--admin is an address on this machine, like 127.0.0.1:9090")
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, usagef("--admin answers without a password, so it must be an address that only this machine reaches, like 127.0.0.1:9090")
	}
	return listenOn(address, "--admin")
}

// handler is the whole surface.
func (a *administration) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	m.HandleFunc("GET /readyz", a.ready)
	m.Handle("GET /metrics", a.ways.scraped(a.meter.Handler()))
	m.HandleFunc("GET /unseal", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, a.status()) })
	m.HandleFunc("POST /unseal", a.unseal)
	m.HandleFunc("POST /seal", a.seal)
	m.HandleFunc("GET /debug/pprof/", pprof.Index)
	m.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	m.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	m.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	m.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return a.fence(m)
}

// fence keeps out pages of a browser on this machine, whatever name they found for
// its address.
func (a *administration) fence(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			refuse(w, http.StatusForbidden, "not-here", "this answers on 127.0.0.1 only")
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		next.ServeHTTP(w, r)
	})
}

func (a *administration) ready(w http.ResponseWriter, _ *http.Request) {
	if err := a.lock.ready(); err != nil {
		refuse(w, http.StatusServiceUnavailable, "not-ready", err.Error())
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// sealStatus is where the replica is and what it waits for.
type sealStatus struct {
	State  lockState `json:"state"`
	Since  time.Time `json:"since"`
	How    string    `json:"how"`              // shares, ask, or file: nothing has to be given
	Given  int       `json:"given,omitempty"`  // shares
	Needed int       `json:"needed,omitempty"` // shares; 0: the first one tells
	Set    string    `json:"set,omitempty"`    // of shares
	Fault  string    `json:"fault,omitempty"`  // why it did not come up
}

func (a *administration) status() sealStatus {
	state, since, fault := a.lock.at()
	s := sealStatus{State: state, Since: since.UTC(), How: a.how, Fault: fault}
	if a.how == "" {
		s.How = "file"
	}
	if a.how == unsealShares && state == stateSealed {
		n := readNotice(a.vault)
		a.mu.Lock()
		defer a.mu.Unlock()
		s.Given, s.Needed = a.gather.progress(n, time.Now())
		s.Set = n.Set
	}
	return s
}

// offered is what somebody gives: one of the two, or nothing where a file opens.
type offered struct {
	Share      string `json:"share"`
	Passphrase string `json:"passphrase"`
}

func (a *administration) unseal(w http.ResponseWriter, r *http.Request) {
	var in offered
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "malformed", "expected {\"share\": …}, {\"passphrase\": …} or {}")
		return
	}
	err := a.give(crypto.NewSecret(in.Share), crypto.NewSecret(in.Passphrase))
	wait, throttled := errors.AsType[throttled](err)
	switch {
	case err == nil:
		a.meter.Unsealing("accepted")
		answer(w, http.StatusOK, a.status())
	case throttled:
		a.meter.Unsealing("throttled")
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Duration(wait).Seconds()))))
		refuse(w, http.StatusTooManyRequests, "throttled", err.Error())
	case errors.Is(err, errNotSealed), errors.Is(err, errClosing):
		refuse(w, http.StatusConflict, "not-sealed", err.Error())
	default:
		a.meter.Unsealing("refused")
		a.log.Warn("a try to unseal was refused", slog.String("error", err.Error()))
		refuse(w, http.StatusUnprocessableEntity, unsealCode(err), err.Error())
	}
}

// throttled is how long to wait.
type throttled time.Duration

func (t throttled) Error() string {
	return "too many wrong tries; wait " + time.Duration(t).Round(time.Second).String()
}

func unsealCode(err error) string {
	for code, is := range map[string]error{
		"mistyped": crypto.ErrShareMistyped, "other-share": crypto.ErrOtherShares, "wrong": crypto.ErrWrongUnseal, "plugin": crypto.ErrPlugin,
	} {
		if errors.Is(err, is) {
			return code
		}
	}
	return "refused"
}

// give tries what was offered. A wrong offer costs a try.
func (a *administration) give(share, passphrase crypto.Secret) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if state, _, _ := a.lock.at(); state != stateSealed {
		return errNotSealed
	}
	if a.tries.Tokens() < 1 {
		return throttled(time.Duration((1 - a.tries.Tokens()) * float64(triesEvery)))
	}
	u, complete, err := a.opener(share, passphrase)
	if err == nil && complete {
		err = a.lock.unseal(u)
	}
	if err != nil {
		a.tries.Allow()
	}
	return err
}

// opener makes of what was offered what opens the vault; complete is false while
// further shares are needed.
func (a *administration) opener(share, passphrase crypto.Secret) (u crypto.Unsealer, complete bool, err error) {
	switch {
	case a.how == unsealShares && !share.Empty() && passphrase.Empty():
		time.AfterFunc(gatheringLife+time.Second, func() { a.status() }) // lets go of what nobody completes
		return a.gather.add(share, readNotice(a.vault), time.Now())
	case a.how == unsealAsk && !passphrase.Empty() && share.Empty():
		u, err = crypto.Passphrase(passphrase.Reveal(), passphraseCost)
		return u, true, err
	case a.how == "" && share.Empty() && passphrase.Empty():
		u, err = a.from()
		return u, true, err
	}
	return u, false, errors.New(map[string]string{
		unsealShares: "this replica opens with shares: give one", unsealAsk: "this replica opens with a passphrase: give it",
		"": "this replica opens with the file that bippop serve was given: run bippop unseal without shares",
	}[a.how])
}

func (a *administration) seal(w http.ResponseWriter, _ *http.Request) {
	a.log.Info("sealing, as asked on this machine")
	a.mu.Lock()
	a.gather.forget()
	a.mu.Unlock()
	if err := a.lock.seal(); err != nil {
		a.log.Error("sealed, after a fault", slog.String("error", err.Error()))
	}
	answer(w, http.StatusOK, a.status())
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error here is the caller's connection
}

func refuse(w http.ResponseWriter, status int, code, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"type": "urn:bippop:problem:" + code, "code": code, "title": title, "status": status})
}
