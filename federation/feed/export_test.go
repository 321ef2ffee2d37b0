package feed

// Disk lets tests take a machine's current away.
type Disk = disk

// OpenCopyOn opens a copy on a disk of the test's own.
func OpenCopyOn(dir, origin string, d Disk) (*Copy, error) { return openCopy(dir, origin, d) }
