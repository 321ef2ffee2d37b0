package main

import (
	"strings"
	"testing"
)

// TestPeersThenFile: a replica that the others cannot open takes its file.
func TestPeersThenFile(t *testing.T) {
	p := founded(t)
	log, _ := p.serve(t, "--identity", p.identity, "--unseal", "peers", "--peer-listen", freeAddress(t))
	until(t, "the node is ready", func() bool { return get(p.admin+"/readyz").status == 200 })
	if !strings.Contains(log.String(), "has left no key with the others") {
		t.Errorf("the log does not say why the others did not open it:\n%s", log.String())
	}
}

// TestPeersThenPerson: and without a file it stays sealed until somebody comes.
func TestPeersThenPerson(t *testing.T) {
	p := founded(t)
	p.serve(t, "--unseal", "peers,ask", "--peer-listen", freeAddress(t))
	if answer := get(p.admin + "/readyz"); answer.status != 503 {
		t.Errorf("a sealed replica is ready: %d", answer.status)
	}
	if answer := mustType(t, "seal", "--admin", p.admin); !strings.Contains(answer, "Sealed") {
		t.Errorf("seal answers %s", answer)
	}
}

func TestStarting(t *testing.T) {
	for text, want := range map[string]starting{
		"": {}, "shares": {word: "shares"}, "peers": {peers: true}, "peers,shares": {"shares", true}, "peers,ask": {"ask", true},
	} {
		if got, ok := parseStarting(text); !ok || got != want {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"peers,", "peersshares", "shares,peers", "file", "peers,peers"} {
		if _, ok := parseStarting(text); ok {
			t.Errorf("%q is taken", text)
		}
	}
}
