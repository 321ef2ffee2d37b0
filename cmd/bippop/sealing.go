package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// What --unseal may say: a person opens the vault.
const (
	unsealShares = "shares"
	unsealAsk    = "ask"
)

const adminDefault = "127.0.0.1:9090"

// adminClient speaks to the loopback listener of the node on this machine.
type adminClient struct{ address string }

func (c adminClient) call(ctx context.Context, method, path string, in any) (s sealStatus, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return s, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return s, usagef("--admin is an address on this machine, like %s", adminDefault)
	}
	r.Header.Set("Content-Type", "application/json")
	got, err := (&http.Client{Timeout: 2 * time.Minute}).Do(r)
	if err != nil {
		return s, fmt.Errorf("no node answers at %s: is it running with --admin %s?", c.address, c.address)
	}
	defer got.Body.Close()
	d := json.NewDecoder(got.Body)
	if got.StatusCode >= 300 {
		p := &problem{Title: "the node answered " + got.Status}
		d.Decode(p) // else the status line says what there is to say
		p.Status = got.StatusCode
		return s, p
	}
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("what answers at %s is no bippop node of this version", c.address)
	}
	return s, nil
}

func unsealCommand(out output) *cobra.Command {
	var (
		c          adminClient
		shares     []string
		passphrase string
		asJSON     bool
	)
	cmd := &cobra.Command{
		Use:   "unseal",
		Short: "Unseal the replica on this machine",
		Long: "unseal gives the node on this machine what opens its vault: shares, one by one, or a passphrase. It asks at the terminal and\n" +
			"shows nothing of what is typed; with --share-file or --passphrase-file it asks nothing. Several people may each give their share in turn.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.call(cmd.Context(), "GET", "/unseal", nil)
			if err == nil && s.State == stateSealed {
				s, err = c.unseal(cmd.Context(), s, shares, passphrase, out)
			}
			if err != nil {
				return err
			}
			return tellSeal(out, s, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.address, "admin", adminDefault, "loopback address of the node, as given to bippop serve")
	f.StringSliceVar(&shares, "share-file", nil, "file with one share; may be repeated")
	f.StringVar(&passphrase, "passphrase-file", "", "file whose first line is the passphrase")
	f.BoolVar(&asJSON, "json", false, "print one line for programs")
	return cmd
}

func sealCommand(out output) *cobra.Command {
	var (
		c      adminClient
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "seal",
		Short: "Seal the replica on this machine: it serves nothing until it is unsealed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.call(cmd.Context(), "POST", "/seal", struct{}{})
			if err != nil {
				return err
			}
			return tellSeal(out, s, asJSON)
		},
	}
	cmd.Flags().StringVar(&c.address, "admin", adminDefault, "loopback address of the node, as given to bippop serve")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line for programs")
	return cmd
}

func tellSeal(out output, s sealStatus, asJSON bool) error {
	if asJSON {
		return out.json(s)
	}
	switch {
	case s.State == stateOpen:
		out.printf("Unsealed: this replica is at work.")
	case s.State == stateOpening:
		out.printf("The vault is open; the replica comes up as soon as it has caught up with the others.")
	case s.State == stateClosed:
		out.printf("The node is being stopped.")
	case s.How == unsealShares && s.Needed > 0:
		out.printf("Sealed: %d of %d shares are given, %d more to come.", s.Given, s.Needed, s.Needed-s.Given)
	default:
		out.printf("Sealed.")
	}
	return nil
}

// comeUp is how long unseal waits to say that the replica is at work.
const comeUp = 10 * time.Second

// unseal gives what was named, or asks for it.
func (c adminClient) unseal(ctx context.Context, s sealStatus, shares []string, passphrase string, out output) (sealStatus, error) {
	var err error
	switch {
	case s.How == unsealShares && len(shares) > 0:
		for _, name := range shares {
			text, err := os.ReadFile(name)
			if err != nil {
				return s, fmt.Errorf("reading a share: %w", err)
			}
			if s, err = c.call(ctx, "POST", "/unseal", offered{Share: string(text)}); err != nil {
				return s, fmt.Errorf("%s: %w", name, err)
			}
			if s.State != stateSealed {
				break
			}
		}
	case s.How == unsealShares:
		s, err = c.askShares(ctx, s, out)
	case s.How == unsealAsk:
		var words string
		if passphrase != "" {
			secret, err := secretFile(passphrase)
			if err != nil {
				return s, err
			}
			words = secret.Reveal()
		} else if words, err = hidden(out, "Passphrase: "); err != nil {
			return s, err
		}
		s, err = c.call(ctx, "POST", "/unseal", offered{Passphrase: words})
	default:
		s, err = c.call(ctx, "POST", "/unseal", offered{})
	}
	if err != nil {
		return s, err
	}
	return c.await(ctx, s)
}

// await gives the replica a moment to come up.
func (c adminClient) await(ctx context.Context, s sealStatus) (sealStatus, error) {
	ctx, done := context.WithTimeout(ctx, comeUp)
	defer done()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for s.State == stateOpening {
		select {
		case <-ctx.Done():
			return s, nil
		case <-tick.C:
		}
		now, err := c.call(ctx, "GET", "/unseal", nil)
		if ctx.Err() != nil {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		s = now
	}
	if s.State == stateSealed && s.Fault != "" {
		return s, errors.New(s.Fault)
	}
	return s, nil
}

// askShares asks until enough are given. Somebody who has given his may end with
// an empty line; what was given waits a quarter of an hour for the next person.
func (c adminClient) askShares(ctx context.Context, s sealStatus, out output) (sealStatus, error) {
	for s.State == stateSealed {
		if s.Needed > 0 {
			out.note("%d of %d shares are given.", s.Given, s.Needed)
		}
		out.note("Type the six lines of a share, or the code below its square in one line. Nothing is shown. An empty line ends.")
		text := ""
		for i := 1; i <= 6; i++ {
			line, err := hidden(out, fmt.Sprintf("line %d: ", i))
			if err != nil {
				return s, err
			}
			if line == "" {
				return s, nil
			}
			text += line + "\n"
			if i == 1 && len(line) > 40 {
				break // the code
			}
		}
		now, err := c.call(ctx, "POST", "/unseal", offered{Share: text})
		if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusUnprocessableEntity {
			out.note("%s", p.Title)
			continue
		}
		if err != nil {
			return s, err
		}
		s = now
	}
	return s, nil
}

// hidden reads a line from the terminal without showing it.
func hidden(out output, prompt string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", usagef("there is no terminal to ask at: give --share-file FILE or --passphrase-file FILE")
	}
	fmt.Fprint(out.progress, prompt)
	line, err := term.ReadPassword(in)
	fmt.Fprintln(out.progress)
	if err != nil {
		return "", fmt.Errorf("reading from the terminal: %w", err)
	}
	return string(bytes.TrimSpace(line)), nil
}
