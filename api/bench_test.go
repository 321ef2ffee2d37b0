package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// BenchmarkOpenRequest is what an agent's request costs a lone replica, all
// included: connection, session, sealing, log, records. cpu-µs/op is what both
// ends take of the processors.
func BenchmarkOpenRequest(b *testing.B) {
	n := found(b, io.Discard, time.Now)
	server := httptest.NewServer(api.New(api.Config{Node: n, Logger: node.NewLogger(io.Discard, slog.LevelWarn)}))
	b.Cleanup(server.Close)
	token, by, err := n.Accounts.SignIn(b.Context(), "admin", crypto.NewSecret(password), "bench", true)
	if err != nil {
		b.Fatal(err)
	}
	her, err := n.Beneficiaries.Enrol(b.Context(), by, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent},
		node.BeneficiaryWords{Civility: crypto.NewSecret("Mme"), Last: crypto.NewSecret("Exemple"), First: crypto.NewSecret("Berthe"), Birth: crypto.NewSecret("1942"), Phones: []node.Phone{{Number: crypto.NewSecret("05 36 49 12 07")}}})
	if err != nil {
		b.Fatal(err)
	}
	kinds, err := n.Catalogue.All()
	if err != nil {
		b.Fatal(err)
	}
	kind := kinds[0]
	for _, k := range kinds {
		if k.Name == "Courses" {
			kind = k
		}
	}
	body := fmt.Sprintf(`{"beneficiary":%q,"type":%q,"when":{"kind":"flexible"},"note":%q}`,
		node.BeneficiaryID(her.ID).String(), kind.ID.String(), strings.Repeat("la liste ", 57)[:512])
	var key atomic.Int64
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			head := fmt.Sprintf("POST /api/v1/requests HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nIdempotency-Key: ", token.Text.Reveal(), len(body))
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime()
			for range writers {
				all.Go(func() {
					conn, err := net.Dial("tcp", server.Listener.Addr().String())
					if err != nil {
						b.Error(err)
						return
					}
					defer conn.Close()
					answers := bufio.NewReader(conn)
					var out bytes.Buffer
					for left.Add(-1) >= 0 {
						out.Reset()
						fmt.Fprintf(&out, "%s%026d\r\n\r\n%s", head, key.Add(1), body)
						if _, err := conn.Write(out.Bytes()); err != nil {
							b.Error(err)
							return
						}
						answer, err := http.ReadResponse(answers, nil)
						if err != nil {
							b.Error(err)
							return
						}
						io.Copy(io.Discard, answer.Body)
						if answer.StatusCode != http.StatusCreated {
							b.Errorf("status %d", answer.StatusCode)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// processorTime is what this process has used of the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
