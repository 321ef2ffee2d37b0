package mesh_test

import (
	"io"
	"net"
	"testing"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/consensus/mesh/meshtest"
)

// What a stream costs to open, and an exchange on it, over loopback.
func BenchmarkDial(b *testing.B) {
	territory := meshtest.New("200044394")
	one, two := echoing(b, territory.Credentials("a"), nil), echoing(b, territory.Credentials("b"), nil)
	for b.Loop() {
		conn, err := two.Dial(b.Context(), one.Address(), "a", echo)
		if err != nil {
			b.Fatal(err)
		}
		conn.Close()
	}
}

func BenchmarkExchange(b *testing.B) {
	territory := meshtest.New("200044394")
	one, two := echoing(b, territory.Credentials("a"), nil), echoing(b, territory.Credentials("b"), nil)
	conn := dial(b, two, one)
	words := make([]byte, 1024)
	b.SetBytes(int64(len(words)))
	for b.Loop() {
		if err := exchange(conn, string(words)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBulk(b *testing.B) {
	territory := meshtest.New("200044394")
	one, two := meshtest.Open(b, territory.Credentials("a"), nil), meshtest.Open(b, territory.Credentials("b"), nil)
	one.Handle(echo, func(_ mesh.Peer, conn net.Conn) {
		defer conn.Close()
		io.Copy(io.Discard, conn)
	})
	conn := dial(b, two, one)
	words := make([]byte, 256<<10)
	b.SetBytes(int64(len(words)))
	for b.Loop() {
		if _, err := conn.Write(words); err != nil {
			b.Fatal(err)
		}
	}
}
