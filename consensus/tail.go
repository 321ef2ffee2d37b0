package consensus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The frames of a raft-wal 0.4.1 segment (segment/format.go there): a file
// header, then frames of 8 bytes header and padded payload.
const (
	walFileHeader  = 32
	walFrameHeader = 8
	walEntry       = 1
	walIndex       = 2
	walCommit      = 3 // its header carries the CRC of all since the last commit
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkTail looks at the newest segment before raft-wal does. raft-wal ends a
// segment at the first frame it cannot follow and takes the rest for a torn
// write. A torn write is the last one. So when a complete batch stands beyond the
// end that raft-wal would see, something before it was damaged after it had been
// acknowledged, and opening the log would cut acknowledged entries off. Damage of
// the very last batch looks like a torn write here; Open finds it by the
// machine's applied index.
func checkTail(dir string) error {
	name, err := newestSegment(dir)
	if err != nil || name == "" {
		return err
	}
	segment, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	resume, frames := walEnd(segment)
	if at := completeBatch(segment, resume, frames); at > 0 {
		return fmt.Errorf("%w: segment %s breaks off at byte %d, but goes on until byte %d", ErrDamaged, name, resume, at)
	}
	return nil
}

// newestSegment is the file with the highest number, or "" in a new folder.
func newestSegment(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	newest, highest := "", uint64(0)
	for _, e := range entries {
		var base, number uint64
		if filepath.Ext(e.Name()) != ".wal" {
			continue
		}
		if _, err := fmt.Sscanf(e.Name(), "%020d-%016x.wal", &base, &number); err != nil {
			return "", fmt.Errorf("%w: unknown segment file %s", ErrDamaged, e.Name())
		}
		if newest == "" || number > highest {
			newest, highest = e.Name(), number
		}
	}
	return newest, nil
}

// walEnd walks the frames as raft-wal does. It returns where raft-wal would go on
// writing, after the last commit that fits, and the frames that it saw beyond,
// the unreadable one that ended the walk included.
func walEnd(segment []byte) (resume int, frames []int) {
	commit, before := 0, 0 // where the bytes after the last two commits begin
	at := walFileHeader
walk:
	for at+walFrameHeader <= len(segment) {
		frames = append(frames, at)
		switch segment[at] {
		case walEntry, walIndex:
			at += walFrameHeader + (int(binary.LittleEndian.Uint32(segment[at+4:]))+walFrameHeader-1)/walFrameHeader*walFrameHeader
		case walCommit:
			at += walFrameHeader
			commit, before = at, commit
		default:
			break walk
		}
	}
	if commit > 0 && !fits(segment, before, commit-walFrameHeader) {
		commit = before
	}
	seen, _ := slices.BinarySearch(frames, commit)
	return commit, frames[seen:]
}

// fits reports whether the commit frame at commit covers the bytes from start.
func fits(segment []byte, start, commit int) bool {
	return crc32.Checksum(segment[start:commit], castagnoli) == binary.LittleEndian.Uint32(segment[commit+4:])
}

// completeBatch looks beyond resume for a commit frame that covers all since the
// commit frame before it, and returns where that is, or 0. One of frames may be
// that commit frame before, damaged, so that it is no longer seen as one.
func completeBatch(segment []byte, resume int, frames []int) int {
	starts := []int{resume}
	for _, f := range frames {
		starts = append(starts, f+walFrameHeader)
	}
	for at := max(resume, walFileHeader); at+walFrameHeader <= len(segment); at += walFrameHeader {
		if !bytes.Equal(segment[at:at+4], []byte{walCommit, 0, 0, 0}) {
			continue
		}
		for _, start := range starts {
			if start < at && fits(segment, start, at) {
				return at
			}
		}
		starts = []int{at + walFrameHeader}
	}
	return 0
}
