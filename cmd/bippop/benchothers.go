package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// ownTime is what this process, its children and theirs have used of the
// processors, in jiffies; 0 where the system does not say.
func ownTime() uint64 {
	type process struct {
		parent int
		used   uint64
	}
	all := map[int]process{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name stands in parentheses and may hold anything.
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 15 {
			continue
		}
		p := process{}
		p.parent, _ = strconv.Atoi(string(fields[1]))
		for _, f := range fields[11:15] { // user, system, and both of children that have ended
			n, _ := strconv.ParseUint(string(f), 10, 64)
			p.used += n
		}
		all[pid] = p
	}
	var used uint64
	for pid, p := range all {
		for at := pid; at > 1; at = all[at].parent {
			if at == os.Getpid() {
				used += p.used
				break
			}
		}
	}
	return used
}

// othersSince is the share of the processors that other programs on this machine
// have taken since, steal left out: whoever runs more threads than the rival gets
// more of what is left, so ratios from a busy machine say little.
func (j jiffies) othersSince(before jiffies, own uint64) float64 {
	if j.total <= before.total {
		return 0
	}
	busy := (j.total - j.idle - j.steal) - (before.total - before.idle - before.steal)
	return max(0, float64(busy)-float64(own)) / float64(j.total-before.total)
}
