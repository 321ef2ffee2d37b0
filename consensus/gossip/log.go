package gossip

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// lines hands memberlist's log to slog, for who debugs memberlist: what an
// operator must know is logged by Gossip itself. memberlist prints addresses (made
// up), names and a replica's word about itself.
type lines struct{ to *slog.Logger }

func newLines(to *slog.Logger) *log.Logger {
	return log.New(lines{to.With(slog.String("part", "memberlist"))}, "", 0)
}

func (l lines) Write(b []byte) (int, error) {
	text := strings.TrimSpace(string(b))
	if level, rest, ok := strings.Cut(text, "] memberlist: "); ok {
		text = strings.TrimPrefix(level, "[") + ": " + rest
	}
	l.to.LogAttrs(context.Background(), slog.LevelDebug, "memberlist", slog.String("line", text))
	return len(b), nil
}
