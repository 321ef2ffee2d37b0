package search

import (
	"fmt"
	"io"
	"log/slog"
)

// What holds a person's words prints as its name in brackets: under every verb of fmt, in slog, in
// JSON and in whatever else asks for text.

func (Index) Format(f fmt.State, _ rune)   { io.WriteString(f, "[search index]") }
func (Index) LogValue() slog.Value         { return slog.StringValue("[search index]") }
func (Index) MarshalText() ([]byte, error) { return []byte("[search index]"), nil }

func (Doc) Format(f fmt.State, _ rune)   { io.WriteString(f, "[doc]") }
func (Doc) LogValue() slog.Value         { return slog.StringValue("[doc]") }
func (Doc) MarshalText() ([]byte, error) { return []byte("[doc]"), nil }

func (Query) Format(f fmt.State, _ rune)   { io.WriteString(f, "[query]") }
func (Query) LogValue() slog.Value         { return slog.StringValue("[query]") }
func (Query) MarshalText() ([]byte, error) { return []byte("[query]"), nil }
