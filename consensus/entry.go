package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// MaxCommand is in bytes.
	MaxCommand = 64 << 10
	// maxEntry is in bytes, all included; raft suggests at most 512 KiB
	// (raft.SuggestedMaxDataSize).
	maxEntry = 256 << 10
	// maxEntryCommands bounds what one transaction of the machine holds.
	maxEntryCommands = 128

	// entryFormat is the first byte of an entry: uvarint length and bytes of
	// each command follow, to the end.
	entryFormat = 1
)

var errEntry = errors.New("entry is not well formed")

// frameSize is what a command of n bytes takes in an entry.
func frameSize(n int) int {
	size := n + 1
	for l := n; l >= 0x80; l >>= 7 {
		size++
	}
	return size
}

func encodeEntry(commands [][]byte) []byte {
	size := 1
	for _, c := range commands {
		size += frameSize(len(c))
	}
	b := make([]byte, 1, size)
	b[0] = entryFormat
	for _, c := range commands {
		b = binary.AppendUvarint(b, uint64(len(c)))
		b = append(b, c...)
	}
	return b
}

// decodeEntry accepts only what encodeEntry writes. The commands alias entry.
func decodeEntry(entry []byte) ([][]byte, error) {
	if len(entry) > maxEntry {
		return nil, fmt.Errorf("%w: %d bytes", errEntry, len(entry))
	}
	if len(entry) == 0 || entry[0] != entryFormat {
		return nil, fmt.Errorf("%w: unknown format", errEntry)
	}
	var commands [][]byte
	for rest := entry[1:]; len(rest) > 0; {
		n, width := binary.Uvarint(rest)
		if width <= 0 || n > MaxCommand || int(n) > len(rest)-width || frameSize(int(n)) != width+int(n) {
			return nil, fmt.Errorf("%w: bad length of command %d", errEntry, len(commands))
		}
		end := width + int(n)
		commands = append(commands, rest[width:end:end])
		rest = rest[end:]
	}
	if len(commands) == 0 || len(commands) > maxEntryCommands {
		return nil, fmt.Errorf("%w: %d commands", errEntry, len(commands))
	}
	return commands, nil
}
