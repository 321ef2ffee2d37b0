package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
)

// notice is what a sealed replica may say. It lies in clear beside the vault and
// holds what the territory prints on its posters.
type notice struct {
	Siren  string `json:"siren"`
	Calls  string `json:"calls"`            // of the service
	Phone  string `json:"phone,omitempty"`  // of the desk
	Set    string `json:"set,omitempty"`    // of shares that open the vault, as it stands on the papers
	Needed int    `json:"needed,omitempty"` // of these
}

func noticePath(vault string) string { return vault + ".notice" }

// readNotice is empty where there is none yet.
func readNotice(vault string) (n notice) {
	b, err := os.ReadFile(noticePath(vault))
	if err == nil && json.Unmarshal(b, &n) != nil {
		n = notice{}
	}
	return n
}

func (n notice) save(vault string) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := crypto.WriteFile(noticePath(vault), b); err != nil {
		return fmt.Errorf("writing what a sealed replica may say: %w", err)
	}
	return nil
}

// sealedAnswers is everything that a sealed replica says.
func sealedAnswers(vault string) http.Handler {
	return shutAnswers(vault, "sealed", "this replica is sealed: ask another one, or its operator to unseal it")
}

// startingAnswers is what one says that is unsealed and does not serve yet: after a
// power cut it may wait for the others for long.
func startingAnswers(vault string) http.Handler {
	return shutAnswers(vault, "starting", "this replica has started and waits until most of the replicas are there: ask another one, or try again in a few seconds")
}

// shutAnswers says to people a page with the desk's number, to programs a problem,
// and that the process lives.
func shutAnswers(vault, code, title string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.URL.Path == "/healthz" {
			h.Set("Content-Type", "application/json")
			fmt.Fprintf(w, "{\"status\":%q}\n", code)
			return
		}
		h.Set("Retry-After", "30")
		if strings.HasPrefix(r.URL.Path, "/api") || r.URL.Path == "/readyz" {
			h.Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			json.NewEncoder(w).Encode(map[string]any{
				"type": "urn:bippop:problem:" + code, "code": code, "status": http.StatusServiceUnavailable, "title": title,
			})
			return
		}
		sealedPage(w, readNotice(vault))
	})
}

// sealedPage answers 503.
func sealedPage(w http.ResponseWriter, n notice) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", web.SealedPolicy())
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusServiceUnavailable)
	web.SealedPage(w, n.Phone) // an error here is the caller's connection
}
