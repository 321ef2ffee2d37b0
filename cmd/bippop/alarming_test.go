package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/alarm"
	"github.com/bippop/bippop/node"
)

// listener is a webhook on this machine.
func listener(t *testing.T) (address string, letters chan map[string]any) {
	t.Helper()
	letters = make(chan map[string]any, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		letters <- body
	}))
	t.Cleanup(s.Close)
	return s.URL, letters
}

func TestAlarmTest(t *testing.T) {
	p := founded(t)
	url, letters := listener(t)
	answer := mustType(t, "serve", "--dir", filepath.Join(p.dir, "data"), "--vault", p.vault, "--identity", p.identity, "--alarm-webhook", url, "--alarm-test")
	if got := <-letters; got["phase"] != "test" || !strings.Contains(answer, "webhook") {
		t.Errorf("the letter of trial is %v, and serve says %s", got, answer)
	}
	if _, err := typed("serve", "--dir", filepath.Join(p.dir, "data"), "--vault", p.vault, "--identity", p.identity, "--alarm-webhook", "http://127.0.0.1:1/", "--alarm-test"); err == nil {
		t.Error("a letter of trial that does not arrive is no fault")
	}
}

// TestWatchman: a replica that stays sealed says so once, also over a restart, and
// says when it has ended.
func TestWatchman(t *testing.T) {
	url, letters := listener(t)
	p := founded(t)
	lock := fakeLock(t, nil)
	log := node.NewLogger(io.Discard, nil)
	begin := func() (*watchman, func()) {
		hook, err := alarm.NewWebhook(url, alarm.From{Machine: "node-a"})
		if err != nil {
			t.Fatal(err)
		}
		w := &watchman{path: p.vault + ".alarms", lock: lock, courier: &alarm.Courier{Channels: []alarm.Channel{hook}, Logger: log}, log: log}
		w.load()
		return w, w.courier.Start(t.Context())
	}
	w, _ := begin()
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w.look(noon)
	w.look(noon.Add(3 * time.Minute))
	if got := <-letters; got["kind"] != "sealed" || got["phase"] != "begins" {
		t.Errorf("letter = %v, want that it is sealed", got)
	}
	until(t, "the letter has arrived", func() bool { return w.courier.Waiting() == 0 })
	w.look(noon.Add(4 * time.Minute)) // keeps its memory
	again, _ := begin()
	again.look(noon.Add(5 * time.Minute))
	again.look(noon.Add(25 * time.Hour))
	if got := <-letters; got["phase"] != "stands" {
		t.Errorf("after a restart: %v, want the reminder of the next day", got)
	}
}
