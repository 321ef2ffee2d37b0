package mesh

// Bounds that tests fill.
const (
	MaxPending   = maxPending
	MaxStrangers = maxStrangers
)
