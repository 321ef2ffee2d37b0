package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ordering is how a command about machines, keys, erasures or backups was told to
// reach the node, and whether its consequence was accepted.
type ordering struct {
	reaching
	asJSON, yes bool
}

func (o *ordering) flags(f *pflag.FlagSet) {
	o.reaching.flags(f)
	f.BoolVar(&o.asJSON, "json", false, "print one line for programs")
}

// askYes gives c the flag without which it only says what would happen.
func (o *ordering) askYes(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&o.yes, "yes", false, "do it, knowing what it does")
	return c
}

// sure says what follows, and stops unless --yes was given.
func (o *ordering) sure(out output, warnings ...string) error {
	for _, text := range warnings {
		out.note("%s", text)
	}
	if o.yes {
		return nil
	}
	return usagef("nothing was done yet: repeat the command with --yes")
}

// with signs in for f, and out after it.
func (o *ordering) with(ctx context.Context, f func(*client) error) error {
	c, err := o.signIn(ctx)
	if err != nil {
		return err
	}
	defer c.signOut(ctx)
	return f(c)
}

// do sends an order and prints done, or the node's answer as one line.
func (o *ordering) do(ctx context.Context, c *client, out output, path string, in any, done string) error {
	answer, err := c.send(ctx, "POST", path, kindOf(in), bodyOf(in))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if !o.asJSON {
		out.printf("%s", done)
		return nil
	}
	var body json.RawMessage
	if json.NewDecoder(answer.Body).Decode(&body) != nil { // an order without anything to say
		body = json.RawMessage(`{"done":true}`)
	}
	return out.json(body)
}

func kindOf(in any) string {
	if in == nil {
		return ""
	}
	return "application/json"
}

func bodyOf(in any) *strings.Reader {
	if in == nil {
		return strings.NewReader("")
	}
	text, err := json.Marshal(in)
	if err != nil {
		panic("bippop: " + err.Error()) // ours, of plain values
	}
	return strings.NewReader(string(text))
}

// show reads path into v and hands it to tell, or prints the answer as one line.
func show[T any](ctx context.Context, o *ordering, out output, path string, tell func(T)) error {
	return o.with(ctx, func(c *client) error {
		var raw json.RawMessage
		if err := c.call(ctx, "GET", path, nil, &raw); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(raw)
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return errors.New("the node's answer cannot be read: is it of this version?")
		}
		tell(v)
		return nil
	})
}

// isID reports whether text is written like an identifier.
func isID(text string) bool {
	parts := strings.Split(text, "-")
	if len(text) != 36 || len(parts) != 5 {
		return false
	}
	for _, p := range parts {
		if strings.Trim(p, "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}

// day writes a moment for people, "never" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}
