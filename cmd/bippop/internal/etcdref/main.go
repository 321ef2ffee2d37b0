// Command etcdref is the reference that `bippop bench replicate` measures beside
// bippop: a member of an etcd cluster, and a load on one. It is a module of its
// own, so that etcd enters no dependency of bippop; the bench builds it from here.
//
//	etcdref certificates DIR
//	etcdref member --dir D --name N --client URL --peer URL --cluster N=URL,… --certificates DIR
//	etcdref leader URL…
//	etcdref load --endpoint URL --what write|linearizable|serializable --clients N --seconds S
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "etcdref:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say certificates, member, leader or load")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "certificates":
		if len(rest) != 1 {
			return errors.New("name one folder")
		}
		return certificates(rest[0])
	case "member":
		return member(ctx, rest)
	case "leader":
		return leader(ctx, rest)
	case "load":
		return load(ctx, rest)
	default:
		return fmt.Errorf("there is no %q", verb)
	}
}
