package simulation

import (
	"math/rand/v2"
	"net"
)

// FreePort is a port of 127.0.0.1 on which nobody listens now. It lies below the range
// from which systems draw ports for connections, so that nobody gets it by chance
// before a hub listens there.
func FreePort() int {
	for {
		port := 10_000 + rand.IntN(10_000)
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
}
