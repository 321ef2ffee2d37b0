package store

import (
	"log/slog"
	"strings"
)

// badgerLog hands Badger's warnings on as facts. Badger writes sizes, levels and
// file names of its own; values never pass here.
type badgerLog struct{ *slog.Logger }

func (l badgerLog) Errorf(f string, _ ...any) {
	l.Logger.Error("badger", slog.String("event", trim(f)))
}
func (l badgerLog) Warningf(f string, _ ...any) {
	l.Logger.Warn("badger", slog.String("event", trim(f)))
}
func (l badgerLog) Infof(f string, _ ...any) { l.Logger.Debug("badger", slog.String("event", trim(f))) }
func (l badgerLog) Debugf(string, ...any)    {}

// trim keeps the constant text; the arguments may be keys.
func trim(f string) string { return strings.TrimSpace(f) }

// isLocked recognises Badger's refusal to share a folder; it has no sentinel.
func isLocked(err error) bool {
	return strings.Contains(err.Error(), "Cannot acquire directory lock")
}
