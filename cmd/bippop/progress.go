package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// progress shows on a terminal how far a long piece of work has come. On
// anything else it shows nothing. Safe for concurrent use.
type progress struct {
	w     io.Writer
	doing string
	total int
	done  atomic.Int64

	mu    sync.Mutex // guards shown, for one line
	shown time.Time
}

// refreshEvery is how often the line is written again.
const refreshEvery = 200 * time.Millisecond

func newProgress(w io.Writer, doing string, total int) *progress {
	p := &progress{doing: doing, total: total}
	if onTerminal(w) {
		p.w = w
	}
	return p
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step notes that n more are done.
func (p *progress) step(n int) {
	done := p.done.Add(int64(n))
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.shown) > refreshEvery {
		p.shown = now
		fmt.Fprintf(p.w, "\r%s: %d of %d", p.doing, done, p.total)
	}
}

// end clears the line.
func (p *progress) end() {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K")
	}
}
