package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	valueBytes     = 512
	mostConnection = 8    // one gRPC connection carries many calls
	readKeys       = 1000 // that reads are spread over
	dialPatience   = 10 * time.Second
)

// leader prints which of the members leads.
func leader(ctx context.Context, endpoints []string) error {
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: dialPatience})
	if err != nil {
		return err
	}
	defer c.Close()
	for _, e := range endpoints {
		s, err := c.Status(ctx, e)
		if err != nil {
			return err
		}
		if s.Leader == s.Header.MemberId {
			fmt.Println(e)
			return nil
		}
	}
	return errors.New("no member leads")
}

// found is what a load has measured. Quantiles are in milliseconds.
type found struct {
	Answers int     `json:"answers"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
}

// load lets clients work against one member, each waiting for its answer before
// it asks again, and prints one line.
func load(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	endpoint := f.String("endpoint", "", "of the member")
	what := f.String("what", "write", "write, linearizable or serializable")
	clients := f.Int("clients", 1, "that work at once")
	seconds := f.Float64("seconds", 3, "how long")
	if err := f.Parse(args); err != nil {
		return err
	}
	connections := make([]*clientv3.Client, min(*clients, mostConnection))
	for i := range connections {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: dialPatience})
		if err != nil {
			return err
		}
		defer c.Close()
		connections[i] = c
	}
	value := rand.Text()
	for len(value) < valueBytes {
		value += rand.Text()
	}
	value = value[:valueBytes]
	do, err := operation(ctx, *what, connections[0], value)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	took, errs := make([][]time.Duration, *clients), make([]error, *clients)
	from := time.Now()
	until := from.Add(time.Duration(*seconds * float64(time.Second)))
	for i := range *clients {
		all.Go(func() {
			for n := i; errs[i] == nil; n++ {
				start := time.Now()
				if start.After(until) {
					return
				}
				errs[i] = do(ctx, connections[i%len(connections)], n)
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(summary(slices.Concat(took...), time.Since(from)))
}

// operation is what each client does over and over. Reads find what was put
// before.
func operation(ctx context.Context, what string, c *clientv3.Client, value string) (func(context.Context, *clientv3.Client, int) error, error) {
	var how []clientv3.OpOption
	switch what {
	case "write":
		return func(ctx context.Context, c *clientv3.Client, _ int) error {
			_, err := c.Put(ctx, rand.Text(), value)
			return err
		}, nil
	case "linearizable":
	case "serializable":
		how = append(how, clientv3.WithSerializable())
	default:
		return nil, fmt.Errorf("there is no load %q", what)
	}
	key := func(n int) string { return fmt.Sprintf("read-%04d", n%readKeys) }
	for n := range readKeys {
		if _, err := c.Put(ctx, key(n), value); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, c *clientv3.Client, n int) error {
		answer, err := c.Get(ctx, key(n), how...)
		if err == nil && len(answer.Kvs) != 1 {
			err = errors.New("a key that was put is not there")
		}
		return err
	}, nil
}

func summary(took []time.Duration, lasted time.Duration) found {
	slices.Sort(took)
	at := func(q float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return float64(took[min(int(q*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	return found{Answers: len(took), Seconds: lasted.Seconds(), P50: at(0.50), P99: at(0.99)}
}
