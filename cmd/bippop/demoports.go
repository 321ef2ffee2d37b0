package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// A demo takes a row of ports on this machine: five doors for people, three on which
// the replicas of the first territory meet, and one for the hub. Whoever has the first
// has the row, so demos whose first ports are that far apart never meet.
const (
	demoRow     = 9
	demoPeersAt = 5
	demoHubAt   = 8
)

// loopback is an address of this machine that nobody else reaches.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// takeRow listens on the first port of a row that nobody uses, below the range from
// which systems draw ports for connections.
func takeRow() (net.Listener, error) {
	const first, rows, apart = 11_000, 1_000, 10
	for _, i := range rand.Perm(rows) {
		at := first + i*apart
		l, err := net.Listen("tcp", loopback(at))
		if err != nil {
			continue
		}
		if free(at+1, demoRow-1) == nil {
			return l, nil
		}
		l.Close()
	}
	return nil, errors.New("no nine ports in a row are free for the demo: choose the first of them with --port")
}

// free fails when somebody listens on one of n ports.
func free(from, n int) error {
	for port := from; port < from+n; port++ {
		l, err := listenOn(loopback(port), "--port")
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// choosePorts finds an address for each replica, and for the hub where there is one.
// They stay what they are: the replicas and the roster name them.
func (h *demoHome) choosePorts() error {
	if h.row == 0 { // nobody comes to it through a door
		l, err := takeRow()
		if err != nil {
			return err
		}
		h.row = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	h.Peers = nil
	for i := range h.Replicas {
		h.Peers = append(h.Peers, loopback(h.row+demoPeersAt+i))
	}
	h.Hub = h.row + demoHubAt
	taken := error(nil)
	if h.Replicas > 1 {
		taken = free(h.row+demoPeersAt, h.Replicas)
	}
	if h.place == nation {
		taken = errors.Join(taken, free(h.Hub, 1))
	}
	if taken != nil {
		return fmt.Errorf("the demo takes %d ports in a row: %w", demoRow, taken)
	}
	return nil
}
