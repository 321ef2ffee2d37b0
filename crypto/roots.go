package crypto

// Roots are the root keys that a replica holds: the current one, which tops the
// key tree, and candidates that have been handed over for a rotation that is not
// committed yet.
type Roots struct {
	Current    Key
	Candidates []Candidate
}

// Candidate is a root that may follow the root named From.
type Candidate struct {
	Key  Key
	From KeyID
}
