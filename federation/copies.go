package federation

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// feedKey names a feed: of a member, in one epoch.
type feedKey struct {
	siren public.Siren
	epoch uint16
}

func (k feedKey) String() string { return fmt.Sprintf("%s-%d", k.siren, k.epoch) }

func compareFeeds(a, b feedKey) int {
	return cmp.Or(cmp.Compare(a.siren, b.siren), cmp.Compare(a.epoch, b.epoch))
}

// held is one feed that this machine has a copy of.
type held struct {
	key  feedKey
	copy *feed.Copy

	mu      sync.Mutex // held while entries are checked and appended
	tally   *tally     // of entries a day; nil until the first check
	arrived time.Time  // of the newest entries, in this run
	delay   time.Duration
}

// copies are the feeds of a folder. Safe for concurrent use.
type copies struct {
	dir string
	mu  sync.RWMutex
	all map[feedKey]*held
}

func openCopies(dir string) (*copies, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the copies of feeds: %w", err)
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the copies of feeds: %w", err)
	}
	c := &copies{dir: dir, all: map[feedKey]*held{}}
	for _, f := range found {
		siren, epoch, ok := strings.Cut(f.Name(), "-")
		n, err := public.ParseSiren(siren)
		e, err2 := strconv.ParseUint(epoch, 10, 16)
		if !ok || err != nil || err2 != nil || !f.IsDir() {
			continue // not ours
		}
		if _, err := c.open(feedKey{n, uint16(e)}); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// open finds or begins a copy.
func (c *copies) open(k feedKey) (*held, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.all[k]; ok {
		return f, nil
	}
	opened, err := feed.OpenCopy(filepath.Join(c.dir, k.String()), feed.EgressOrigin(k.siren, k.epoch))
	if err != nil {
		return nil, err
	}
	f := &held{key: k, copy: opened}
	c.all[k] = f
	return f, nil
}

func (c *copies) find(k feedKey) (*held, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	f, ok := c.all[k]
	return f, ok
}

// size of a copy; 0 when there is none.
func (c *copies) size(k feedKey) int64 {
	if f, ok := c.find(k); ok {
		return f.copy.Head().Size
	}
	return 0
}

// list is all of them, by SIREN and epoch.
func (c *copies) list() []*held {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*held, 0, len(c.all))
	for _, f := range c.all {
		out = append(out, f)
	}
	sort.Slice(out, func(i, j int) bool { return compareFeeds(out[i].key, out[j].key) < 0 })
	return out
}

func (c *copies) close() error {
	var all []error
	for _, f := range c.list() {
		f.mu.Lock()
		all = append(all, f.copy.Close())
		f.mu.Unlock()
	}
	return errors.Join(all...)
}
