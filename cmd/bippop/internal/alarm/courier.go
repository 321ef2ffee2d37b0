package alarm

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Channel is a way to the operator. Send returns once the letter is taken over.
type Channel interface {
	Name() string // for the log and the metrics: "mail"
	Send(context.Context, Letter) error
}

const (
	queueLength = 64               // letters that may wait per channel; then the oldest is let go
	sendTimeout = 30 * time.Second // of one try
	firstPause  = 10 * time.Second
	longPause   = 30 * time.Minute
)

// Courier brings letters. Each channel has its own queue: one that is down holds up
// no other. Safe for concurrent use.
type Courier struct {
	Channels []Channel
	Logger   *slog.Logger
	Sent     func(channel string, arrived bool) // of each try; may be nil

	first, long time.Duration // pauses; zero: the constants
	waiting     atomic.Int64
	queues      []chan Letter
	post        sync.Mutex // guards the queues' oldest places
}

// Start brings what [Courier.Post] is given until ctx ends; wait waits for that. It is
// called once, before Post.
func (c *Courier) Start(ctx context.Context) (wait func()) {
	if c.first == 0 {
		c.first, c.long = firstPause, longPause
	}
	var done sync.WaitGroup
	for _, channel := range c.Channels {
		queue := make(chan Letter, queueLength)
		c.queues = append(c.queues, queue)
		done.Go(func() { c.carry(ctx, channel, queue) })
	}
	return done.Wait
}

// Post never waits.
func (c *Courier) Post(letters ...Letter) {
	c.post.Lock()
	defer c.post.Unlock()
	for _, l := range letters {
		for _, queue := range c.queues {
			if len(queue) == cap(queue) {
				select {
				case <-queue:
					c.waiting.Add(-1)
				default:
				}
			}
			c.waiting.Add(1)
			queue <- l // has room: only Post fills it
		}
	}
}

// Waiting is how many letters have not arrived yet.
func (c *Courier) Waiting() int { return int(c.waiting.Load()) }

func (c *Courier) carry(ctx context.Context, channel Channel, queue <-chan Letter) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-queue:
			c.deliver(ctx, channel, l)
			c.waiting.Add(-1)
		}
	}
}

// deliver tries until the letter arrives.
func (c *Courier) deliver(ctx context.Context, channel Channel, l Letter) {
	for pause := c.first; ctx.Err() == nil; pause = min(2*pause, c.long) {
		try, done := context.WithTimeout(ctx, sendTimeout)
		err := channel.Send(try, l)
		done()
		if c.Sent != nil && ctx.Err() == nil {
			c.Sent(channel.Name(), err == nil)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		if pause == c.first {
			c.Logger.Warn("an alarm does not arrive; tried again until it does",
				slog.String("channel", channel.Name()), slog.String("kind", string(l.Kind)), slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
