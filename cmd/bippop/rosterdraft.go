package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

// drafting is what all drafts are told.
type drafting struct {
	roster, out string
	result      output
}

func rosterDraftCommand(out output) *cobra.Command {
	d := &drafting{result: out}
	c := &cobra.Command{Use: "draft", Short: "Write a change of the roster down, for others to read and sign"}
	c.AddCommand(
		d.found(), d.add(), d.change(), d.remove(), d.moveCommunes(), d.hubs(),
		d.kinds(), d.holders(), d.renew(), d.epoch(),
	)
	for _, sub := range c.Commands() {
		sub.Flags().StringVar(&d.out, "out", "", "new file for the draft")
		if sub.Name() != "found" {
			sub.Flags().StringVar(&d.roster, "roster", "", "file with the newest roster")
		}
	}
	return c
}

// state is the roster that is to be changed.
func (d *drafting) state() (*roster.State, error) {
	s, _, err := readRoster(d.roster)
	return s, err
}

// write makes a draft of changes and says what it changes. s is nil to found.
func (d *drafting) write(s *roster.State, bodies ...roster.Body) error {
	if d.out == "" {
		return usagef("say where the draft goes: --out FILE")
	}
	if _, err := os.Lstat(d.out); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already; give the draft a new file", filepath.Base(d.out))
	}
	today := public.DayOf(time.Now())
	if s != nil {
		today = max(today, s.Day) // another machine's clock may be ahead
	}
	draft, err := s.Draft(today, bodies...)
	if err != nil {
		return err
	}
	if err := crypto.WriteFile(d.out, draft.Encode()); err != nil {
		return err
	}
	return tellDraft(d.result, s, draft)
}

// changing is a command that changes a roster.
func (d *drafting) changing(args cobra.PositionalArgs, use, short string, bodies func(s *roster.State, args []string) ([]roster.Body, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := d.state()
			if err != nil {
				return err
			}
			some, err := bodies(s, args)
			if err != nil {
				return err
			}
			return d.write(s, some...)
		},
	}
}

// parseHolders reads keys into the order in which they stand in a roster.
func parseHolders(texts []string) (all []roster.Holder, err error) {
	for i, text := range texts {
		h, err := roster.ParseHolder(text)
		if err != nil {
			return nil, usagef("key %d of a holder is mistyped or cut short: give --holder as bippop federation key new has printed it", i+1)
		}
		all = append(all, h)
	}
	sort.Slice(all, func(i, j int) bool { return bytes.Compare(all[i].Key, all[j].Key) < 0 })
	return all, nil
}

func parseDay(text string) (public.Day, error) {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, usagef("say until when it counts: --expires YYYY-MM-DD")
	}
	return public.DayOf(at), nil
}

func parseSiren(text, flag string) (public.Siren, error) {
	n, err := public.ParseSiren(text)
	if err != nil {
		return 0, usagef("%s is a SIREN of nine digits whose check digit holds", flag)
	}
	return n, nil
}

// holding is the flags that name holders.
type holding struct {
	keys []string
	need uint8
}

func (h *holding) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&h.keys, "holder", nil, "public key of one who signs, as key new has printed it; once for each")
	c.Flags().Uint8Var(&h.need, "need", 0, "how many of them must sign")
}

func (d *drafting) found() *cobra.Command {
	var (
		who           holding
		name, expires string
		demo          bool
	)
	c := &cobra.Command{
		Use: "found", Short: "Found a federation: its name and those who hold its roster, each of whom signs", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := parseHolders(who.keys)
			if err != nil {
				return err
			}
			day, err := parseDay(expires)
			if err != nil {
				return err
			}
			return d.write(nil, roster.Found{Name: name, Demo: demo, Holders: all, Need: who.need, Expires: day}, roster.SetKinds{Kinds: ownKinds()})
		},
	}
	who.flags(c)
	f := c.Flags()
	f.StringVar(&name, "name", "", "of the federation")
	f.StringVar(&expires, "expires", "", "last day on which the roster counts unless it is renewed, YYYY-MM-DD")
	f.BoolVar(&demo, "demo", false, "a demo: one witness is enough, members may be simulated")
	return c
}

// ownKinds are the kinds that this program knows.
func ownKinds() (all []public.Schema) {
	for _, k := range public.Kinds() {
		all = append(all, public.SchemaOf(k))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Kind < all[j].Kind })
	return all
}

func readApplication(path string) (roster.Application, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return roster.Application{}, fmt.Errorf("reading an application: %w", err)
	}
	a, err := roster.ParseApplication(text)
	if err != nil {
		return roster.Application{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return a, nil
}

func (d *drafting) add() *cobra.Command {
	c := d.changing(cobra.MinimumNArgs(1), "add APPLICATION…", "Take in members who have applied", func(s *roster.State, args []string) (bodies []roster.Body, err error) {
		members := slices.Clone(s.Members)
		var some []roster.SetMember
		for _, name := range args {
			a, err := readApplication(name)
			if err != nil {
				return nil, err
			}
			if _, there := s.Member(a.Member.Siren); there {
				return nil, fmt.Errorf("%s is a member already: bippop federation roster draft change %s", a.Member.Siren, name)
			}
			b, err := s.Admit(a, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
			}
			some, members = append(some, b), append(members, b.Member)
		}
		near := node.Neighbours(members)
		for i, b := range some {
			// Those who follow in the same draft are no members yet: they name this one.
			b.Member.Neighbours = slices.DeleteFunc(slices.Clone(near[b.Member.Siren]), func(n public.Siren) bool {
				return slices.ContainsFunc(some[i:], func(later roster.SetMember) bool { return later.Member.Siren == n })
			})
			bodies = append(bodies, b)
		}
		return bodies, nil
	})
	c.Long = "add takes in those whose applications you name. Neighbours are worked out from where their communes lie; draft change says others.\nThat an application comes from the body that it names is for you to check: call the office back."
	return c
}

func (d *drafting) change() *cobra.Command {
	var (
		who  string
		near []string
		anew bool
	)
	c := d.changing(cobra.ArbitraryArgs, "change [APPLICATION…]", "Change what is known of members: by what they apply with anew, or their neighbours", func(s *roster.State, args []string) (bodies []roster.Body, err error) {
		for _, name := range args {
			a, err := readApplication(name)
			if err != nil {
				return nil, err
			}
			if _, there := s.Member(a.Member.Siren); !there {
				return nil, fmt.Errorf("%s is no member: bippop federation roster draft add %s", a.Member.Siren, name)
			}
			b, err := s.Admit(a, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
			}
			bodies = append(bodies, b)
		}
		if who == "" {
			if len(bodies) == 0 {
				return nil, usagef("name an application, or a member whose neighbours change: --siren SIREN --neighbour SIREN")
			}
			return bodies, nil
		}
		n, err := parseSiren(who, "--siren")
		if err != nil {
			return nil, err
		}
		m, there := s.Member(n)
		if !there || len(args) > 0 {
			return nil, usagef("--siren names a member, and stands without applications")
		}
		m.Neighbours = nil
		if anew {
			m.Neighbours = node.Neighbours(s.Members)[n]
		}
		for _, text := range near {
			o, err := parseSiren(text, "--neighbour")
			if err != nil {
				return nil, err
			}
			m.Neighbours = append(m.Neighbours, o)
		}
		slices.Sort(m.Neighbours)
		m.Neighbours = slices.Compact(m.Neighbours)
		return []roster.Body{roster.SetMember{Member: m}}, nil
	})
	f := c.Flags()
	f.StringVar(&who, "siren", "", "member whose neighbours change")
	f.StringSliceVar(&near, "neighbour", nil, "its neighbours from now on, all of them; may be repeated")
	f.BoolVar(&anew, "work-out", false, "work them out from where communes lie, beside those named")
	return c
}

func (d *drafting) remove() *cobra.Command {
	last := int64(-1)
	c := d.changing(cobra.ExactArgs(1), "remove SIREN", "End a membership: of its feed some entries count, its machines are refused", func(s *roster.State, args []string) ([]roster.Body, error) {
		n, err := parseSiren(args[0], "what is removed")
		if err != nil {
			return nil, err
		}
		if last < 0 {
			return nil, usagef("say how many entries of its feed count: --last N; bippop federation status shows how many have settled")
		}
		return []roster.Body{roster.RemoveMember{Siren: n, Last: uint64(last)}}, nil
	})
	c.Flags().Int64Var(&last, "last", -1, "how many entries of its feed count, the first ones")
	return c
}

func (d *drafting) moveCommunes() *cobra.Command {
	var from, to string
	c := d.changing(cobra.MinimumNArgs(1), "move-communes CODE…", "Move communes from one territory to another, in one step", func(s *roster.State, args []string) ([]roster.Body, error) {
		b := roster.MoveCommunes{}
		var err error
		if b.From, err = parseSiren(from, "--from"); err != nil {
			return nil, err
		}
		if b.To, err = parseSiren(to, "--to"); err != nil {
			return nil, err
		}
		for _, code := range args {
			one, err := public.ParseCommune(code)
			if err != nil {
				return nil, usagef("a commune is named by its code of Insee, five characters: not a postcode")
			}
			b.Communes = append(b.Communes, one)
		}
		sort.Slice(b.Communes, func(i, j int) bool { return bytes.Compare(b.Communes[i][:], b.Communes[j][:]) < 0 })
		b.Communes = slices.Compact(b.Communes)
		return []roster.Body{b}, nil
	})
	c.Flags().StringVar(&from, "from", "", "SIREN of the territory that gives")
	c.Flags().StringVar(&to, "to", "", "SIREN of the territory that takes")
	return c
}

// hubFile is a hub as a file says it.
type hubFile struct {
	Name      string   `json:"name"`
	Operator  string   `json:"operator"`
	Peer      string   `json:"peer"`
	Key       string   `json:"key"`
	Addresses []string `json:"addresses"`
	Witness   bool     `json:"witness"`
}

func readHubs(path string) (hubs []roster.Hub, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the hubs: %w", err)
	}
	defer f.Close()
	var all []hubFile
	d := json.NewDecoder(io.LimitReader(f, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, usagef(`%s is no list of hubs: [{"name":…,"operator":…,"peer":…,"key":…,"addresses":[…],"witness":true},…]`, filepath.Base(path))
	}
	for _, h := range all {
		hubs = append(hubs, roster.Hub{Name: h.Name, Operator: h.Operator, Peer: h.Peer, Key: h.Key, Addresses: h.Addresses, Witness: h.Witness})
	}
	return hubs, nil
}

func (d *drafting) hubs() *cobra.Command {
	var threshold uint8
	c := d.changing(cobra.ExactArgs(1), "hubs FILE", "Replace the hubs by those in a JSON file, and say how many witnesses must sign", func(s *roster.State, args []string) ([]roster.Body, error) {
		hubs, err := readHubs(args[0])
		if err != nil {
			return nil, err
		}
		return []roster.Body{roster.SetHubs{Hubs: hubs, Threshold: threshold}}, nil
	})
	c.Flags().Uint8Var(&threshold, "threshold", 2, "how many witnesses must sign: more than half, two at least")
	return c
}

func (d *drafting) kinds() *cobra.Command {
	return d.changing(cobra.NoArgs, "kinds", "Allow the kinds of entries that this program knows, and no others", func(*roster.State, []string) ([]roster.Body, error) {
		return []roster.Body{roster.SetKinds{Kinds: ownKinds()}}, nil
	})
}

func (d *drafting) holders() *cobra.Command {
	var who holding
	c := d.changing(cobra.NoArgs, "holders", "Replace those who sign: name all who hold the roster from now on", func(*roster.State, []string) ([]roster.Body, error) {
		all, err := parseHolders(who.keys)
		if err != nil {
			return nil, err
		}
		return []roster.Body{roster.SetHolders{Holders: all, Need: who.need}}, nil
	})
	c.Long = "holders names all who hold the roster from now on. Enough of the former and of the new ones sign, and everybody whose key is new:\na lost key is replaced without it, a mistyped one does not get in."
	who.flags(c)
	return c
}

func (d *drafting) renew() *cobra.Command {
	var expires string
	c := d.changing(cobra.NoArgs, "renew", "Let the roster count longer", func(*roster.State, []string) ([]roster.Body, error) {
		day, err := parseDay(expires)
		if err != nil {
			return nil, err
		}
		return []roster.Body{roster.Renew{Expires: day}}, nil
	})
	c.Flags().StringVar(&expires, "expires", "", "last day on which it counts, YYYY-MM-DD")
	return c
}

func (d *drafting) epoch() *cobra.Command {
	var root string
	size := int64(-1)
	c := d.changing(cobra.ExactArgs(1), "epoch SIREN", "Begin a member's feed anew, after a fork or a loss that people have settled", func(s *roster.State, args []string) ([]roster.Body, error) {
		n, err := parseSiren(args[0], "whose feed begins anew")
		if err != nil {
			return nil, err
		}
		m, there := s.Member(n)
		if !there {
			return nil, fmt.Errorf("%s is no member", n)
		}
		raw, err := hex.DecodeString(root)
		if err != nil || len(raw) != 32 || size < 0 || m.Epoch == math.MaxUint16 {
			return nil, usagef("say what of the former feed counts: --size N --root HEX, as the last good checkpoint has them")
		}
		return []roster.Body{roster.OpenEpoch{Siren: n, Epoch: m.Epoch + 1, StartSize: uint64(size), StartRoot: [32]byte(raw)}}, nil
	})
	c.Flags().Int64Var(&size, "size", -1, "how many entries of the former epoch count")
	c.Flags().StringVar(&root, "root", "", "the root they lead to, 64 hexadecimal digits")
	return c
}
