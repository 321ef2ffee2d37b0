package node

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// NewLogger writes JSON lines to w. Attributes are facts: numbers, times, short
// texts of ours. A value of any other type is not printed, whatever it is: a
// person's record that is logged by mistake shows as "[not logged]".
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(facts{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

type facts struct{ slog.Handler }

func (h facts) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(fact(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

func (h facts) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = fact(a)
	}
	return facts{h.Handler.WithAttrs(clean)}
}

func (h facts) WithGroup(name string) slog.Handler { return facts{h.Handler.WithGroup(name)} }

func fact(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindAny:
		return slog.String(a.Key, "[not logged]")
	case slog.KindGroup:
		var inner []any
		for _, g := range v.Group() {
			inner = append(inner, fact(g))
		}
		return slog.Group(a.Key, inner...)
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// errAttr logs an error's text. Errors of ours never hold a person's words.
func errAttr(err error) slog.Attr { return slog.String("error", err.Error()) }

// Took logs how long something took.
func Took(since time.Time, now time.Time) slog.Attr { return slog.Duration("took", now.Sub(since)) }
