package simulation

import (
	"math/rand/v2"
	"net"
)

// FreePort is a port of 127.0.0.1 on which nobody listens now, neither by TCP nor by
// UDP. It lies below the range from which systems draw ports for connections, so that
// nobody gets it by chance before a hub listens there.
func FreePort() int {
	for {
		port := 10_000 + rand.IntN(10_000)
		at := net.IPv4(127, 0, 0, 1)
		tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: at, Port: port})
		if err != nil {
			continue
		}
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: at, Port: port})
		tcp.Close()
		if err != nil {
			continue
		}
		udp.Close()
		return port
	}
}
