package federation

import (
	"io"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
)

// LogKeys has every QUIC connection of hosts that are opened from now on write its
// secrets to w. The call that comes back ends it.
func LogKeys(w io.Writer) (end func()) {
	quicOptions = []libp2pquic.Option{libp2pquic.WithTLSIdentityOption(libp2ptls.WithKeyLogWriter(w))}
	return func() { quicOptions = nil }
}

// Overhear gives a writer for each stream that comes to a hub everything that the
// caller sent on it. The group that comes back waits for the streams that have come.
func (h *Host) Overhear(each func() io.Writer) *sync.WaitGroup {
	all := new(sync.WaitGroup)
	h.wires.swarm.SetStreamHandler(func(s network.Stream) {
		all.Add(1)
		defer all.Done()
		h.serve(overheard{s, each()})
	})
	return all
}

type overheard struct {
	network.Stream
	to io.Writer
}

func (o overheard) Read(b []byte) (int, error) {
	n, err := o.Stream.Read(b)
	o.to.Write(b[:n])
	return n, err
}

// Close reads first what the hub had no wish to read.
func (o overheard) Close() error {
	io.Copy(io.Discard, o)
	return o.Stream.Close()
}
