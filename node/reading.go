package node

import (
	"errors"
	"slices"
	"sync"
)

// Subject is somebody whose words were opened: a beneficiary or a volunteer.
type Subject struct {
	Collection byte // store.Beneficiaries or store.Volunteers
	ID         [16]byte
}

// Reading is whom one answer shows. It is filled where boxes are opened, and belongs
// in the journal before the first byte of the answer leaves. Safe for concurrent use.
type Reading struct {
	mu    sync.Mutex // guards all
	seen  []Subject  // each once, in the order of opening
	known map[Subject]struct{}
	noted int // of those seen, how many stand in the journal
}

// errUnread says that words were to be opened for a caller of whom no answer is noted:
// a fault of the program.
var errUnread = errors.New("words were to be opened for somebody whose reading nobody notes")

func (r *Reading) saw(s Subject) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[s]; ok {
		return
	}
	if r.known == nil {
		r.known = map[Subject]struct{}{}
	}
	r.known[s] = struct{}{}
	r.seen = append(r.seen, s)
}

// Seen is everybody whose words were opened so far.
func (r *Reading) Seen() []Subject {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// unnoted hands those who do not stand in the journal yet to note, and remembers that
// they do once it has returned without an error. One note at a time.
func (r *Reading) unnoted(note func([]Subject) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.noted == len(r.seen) {
		return nil
	}
	if err := note(r.seen[r.noted:]); err != nil {
		return err
	}
	r.noted = len(r.seen)
	return nil
}
