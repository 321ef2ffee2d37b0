package national

import (
	"cmp"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/public"
)

// Reporter is what is known of a member's reporting.
type Reporter struct {
	Siren  public.Siren
	Last   public.Quarter // newest release that counts
	Any    bool           // there is one
	Heard  public.Day     // newest entry of whatever kind
	Known  bool           // there is one
	Faults int            // releases that do not count: out of order, or over the budget
}

// Coverage is who of the members has released a quarter, and who has not, each in
// the order of their numbers; the silent ones by how long they have been silent,
// longest first.
type Coverage struct{ Reported, Silent []Reporter }

// Coverage of a quarter.
func (b *Book) Coverage(members []public.Siren, q public.Quarter) (c Coverage) {
	members = slices.Clone(members)
	slices.Sort(members)
	for _, siren := range slices.Compact(members) {
		r := Reporter{Siren: siren}
		f := b.feeds[siren]
		if f == nil {
			c.Silent = append(c.Silent, r)
			continue
		}
		releases, faults := f.counting()
		r.Heard, r.Known, r.Faults = f.heard, true, faults
		for q := range releases {
			r.Last, r.Any = max(r.Last, q), true
		}
		if _, there := releases[q]; there {
			c.Reported = append(c.Reported, r)
		} else {
			c.Silent = append(c.Silent, r)
		}
	}
	sort.SliceStable(c.Silent, func(i, j int) bool {
		a, b := &c.Silent[i], &c.Silent[j]
		if a.Known != b.Known {
			return b.Known
		}
		return a.Heard < b.Heard
	})
	return c
}

// Like are up to n members whose size is nearest to one's own, nearest first: sizes
// are inhabitants, and 2,000 is as near to 1,000 as 500 is.
func Like(own public.Siren, sizes map[public.Siren]int, n int) []public.Siren {
	mine := sizes[own]
	if mine <= 0 {
		return nil
	}
	type near struct {
		siren     public.Siren
		more, mod int64 // the larger of both sizes, and the smaller
	}
	var all []near
	for siren, size := range sizes {
		if siren != own && size > 0 {
			all = append(all, near{siren, int64(max(size, mine)), int64(min(size, mine))})
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(a.more*b.mod, b.more*a.mod), cmp.Compare(a.siren, b.siren)) < 0
	})
	var out []public.Siren
	for _, a := range all[:min(n, len(all))] {
		out = append(out, a.siren)
	}
	return out
}
