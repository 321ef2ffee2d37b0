package consensus

// BeforeStore makes f run before entries are written; its error is the disk's.
func (c *Config) BeforeStore(f func() error) { c.Tuning.BeforeStore = f }

var (
	EncodeEntry = encodeEntry
	DecodeEntry = decodeEntry
)

const (
	MaxEntry         = maxEntry
	MaxEntryCommands = maxEntryCommands
)
