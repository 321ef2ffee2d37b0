package consensus

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// raftLog hands what raft and its log store have to say to slog. raft's Info is
// of use to who debugs raft, so it becomes Debug; whatever could hold the bytes
// of a command is left out.
type raftLog struct {
	to   *slog.Logger
	name string
	with []any
}

func newRaftLog(to *slog.Logger, name string) hclog.Logger {
	return raftLog{to: to.With(slog.String("part", name)), name: name}
}

func (l raftLog) Log(level hclog.Level, msg string, args ...any) {
	if level == hclog.Error && slices.ContainsFunc(peerTroubles, func(t string) bool { return strings.HasPrefix(msg, t) }) {
		level = hclog.Info
	}
	ctx := context.Background() // raft carries none
	if to := slogLevel(level); l.to.Enabled(ctx, to) {
		l.to.LogAttrs(ctx, to, msg, attrs(args)...)
	}
}

func (l raftLog) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l raftLog) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l raftLog) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l raftLog) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l raftLog) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

func (l raftLog) enabled(level hclog.Level) bool {
	return l.to.Enabled(context.Background(), slogLevel(level))
}
func (l raftLog) IsTrace() bool { return l.enabled(hclog.Trace) }
func (l raftLog) IsDebug() bool { return l.enabled(hclog.Debug) }
func (l raftLog) IsInfo() bool  { return l.enabled(hclog.Info) }
func (l raftLog) IsWarn() bool  { return l.enabled(hclog.Warn) }
func (l raftLog) IsError() bool { return l.enabled(hclog.Error) }

func (l raftLog) ImpliedArgs() []any { return l.with }
func (l raftLog) Name() string       { return l.name }

func (l raftLog) With(args ...any) hclog.Logger {
	facts := attrs(args)
	as := make([]any, len(facts))
	for i, a := range facts {
		as[i] = a
	}
	return raftLog{to: l.to.With(as...), name: l.name, with: append(l.with[:len(l.with):len(l.with)], args...)}
}

func (l raftLog) Named(name string) hclog.Logger {
	return raftLog{to: l.to, name: l.name + "." + name, with: l.with}
}

func (l raftLog) ResetNamed(name string) hclog.Logger {
	return raftLog{to: l.to, name: name, with: l.with}
}

func (l raftLog) SetLevel(hclog.Level) {} // slog's handler decides

func (l raftLog) GetLevel() hclog.Level {
	for _, level := range []hclog.Level{hclog.Debug, hclog.Warn} {
		if l.enabled(level) {
			return level
		}
	}
	return hclog.Error
}

func (l raftLog) StandardLogger(opts *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(l.StandardWriter(opts), "", 0)
}

// StandardWriter discards: free text cannot be told from a payload. raft 1.8.0
// and raft-wal 0.4.1 do not use it.
func (l raftLog) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return io.Discard }

// peerTroubles are what raft calls errors when another replica stops, starts, is
// out of reach, again with every try, or was elected. Whoever leads knows who is missing, and
// the node says so.
var peerTroubles = []string{
	"failed to decode incoming command", "failed to heartbeat to", "failed to appendEntries to", "failed to make requestVote RPC",
	"failed to make preVote RPC", "failed to make requestPreVote RPC", "failed to flush response", "failed to accept connection",
	"failed to pipeline appendEntries", "failed to start pipeline replication to", "peer has newer term, stopping replication",
}

func slogLevel(level hclog.Level) slog.Level {
	switch level {
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	default:
		return slog.LevelDebug
	}
}

func attrs(args []any) []slog.Attr {
	as := make([]slog.Attr, 0, len(args)/2)
	for ; len(args) >= 2; args = args[2:] {
		key, ok := args[0].(string)
		if !ok {
			continue
		}
		as = append(as, slog.Attr{Key: key, Value: fact(args[1])})
	}
	return as
}

// fact lets numbers, times, names of replicas and errors through, nothing else.
func fact(v any) slog.Value {
	switch v := v.(type) {
	case string, bool, int, int64, uint64, uint32, float64, time.Duration, time.Time:
		return slog.AnyValue(v)
	case error:
		return slog.StringValue(v.Error())
	case raft.ServerID:
		return slog.StringValue(string(v))
	case raft.ServerAddress:
		return slog.StringValue(string(v))
	case raft.Server:
		return slog.StringValue(string(v.ID))
	case []raft.Server:
		return slog.IntValue(len(v))
	case fmt.Stringer:
		return slog.StringValue(v.String())
	case hclog.Format:
		return format(v)
	default:
		return slog.StringValue(fmt.Sprintf("(%T)", v))
	}
}

// format renders a delayed Sprintf of raft when all it would print are facts.
func format(f hclog.Format) slog.Value {
	if len(f) == 0 {
		return slog.Value{}
	}
	layout, ok := f[0].(string)
	if !ok {
		return slog.StringValue("(unprintable)")
	}
	args := make([]any, 0, len(f)-1)
	for _, v := range f[1:] {
		switch v.(type) {
		case string, int, int64, uint64:
			args = append(args, v)
		case []raft.Server:
			layout = "%v"
			args = append(args, fact(v))
		default:
			return slog.StringValue(fmt.Sprintf("(%T)", v))
		}
	}
	return slog.StringValue(fmt.Sprintf(layout, args...))
}
