package alarm

import (
	"context"
	"net"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Redirect makes m reach address, whatever its server is called.
func Redirect(m *Mail, address string) {
	m.opts = append(m.opts, gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}))
}

// Hasty makes c's pauses short.
func Hasty(c *Courier) { c.first, c.long = time.Millisecond, 4*time.Millisecond }

const QueueLength = queueLength
