package feed

import "time"

// Policy says whose signatures make a checkpoint of one feed count. A quorum or a
// threshold below one is never met.
type Policy struct {
	Origin    string
	Replicas  []string // verifier keys (C2SP vkey) of the writer's replicas
	Quorum    int      // of them
	Witnesses []string // verifier keys of type cosignature/v1
	Threshold int      // of them
}

// Quorate checks that enough of the writer's replicas have signed. [ErrCheckpoint],
// [ErrQuorum].
func (p Policy) Quorate(c Checkpoint) error {
	text, sigs, err := p.open(c)
	if err != nil {
		return err
	}
	if n := len(count(text, sigs, p.Replicas, algNote)); p.Quorum < 1 || n < p.Quorum {
		return ErrQuorum
	}
	return nil
}

// Settled checks that a checkpoint is quorate and that enough witnesses have
// cosigned it. [ErrCheckpoint], [ErrQuorum], [ErrWitness].
func (p Policy) Settled(c Checkpoint) error {
	if err := p.Quorate(c); err != nil {
		return err
	}
	if n := len(p.Cosignatures(c)); p.Threshold < 1 || n < p.Threshold {
		return ErrWitness
	}
	return nil
}

// Cosignatures are the good ones of listed witnesses, the latest of each, in the
// policy's order.
func (p Policy) Cosignatures(c Checkpoint) (out []Cosignature) {
	text, sigs, err := p.open(c)
	if err != nil {
		return nil
	}
	for _, g := range count(text, sigs, p.Witnesses, algCosignature) {
		out = append(out, Cosignature{g.key, time.Unix(g.at, 0).UTC()})
	}
	return out
}

// Trim keeps the good signatures of listed keys, one for each, in the policy's order:
// what is stored and passed on is trimmed. [ErrCheckpoint] when none is left.
func (p Policy) Trim(c Checkpoint) (Checkpoint, error) {
	text, sigs, err := p.open(c)
	if err != nil {
		return Checkpoint{}, err
	}
	var keep []line
	for _, g := range append(count(text, sigs, p.Replicas, algNote), count(text, sigs, p.Witnesses, algCosignature)...) {
		keep = append(keep, g.line)
	}
	return ParseCheckpoint(write(text, keep))
}

// open reads a checkpoint anew from what was signed, so that no field of c that
// somebody filled by hand counts.
func (p Policy) open(c Checkpoint) (text string, sigs []line, err error) {
	text, sigs, err = open(c.Signed)
	if err != nil {
		return "", nil, err
	}
	read, err := parseBody(text)
	if err != nil || read.Origin != p.Origin || read.Origin != c.Origin || read.Head != c.Head {
		return "", nil, ErrCheckpoint
	}
	return text, sigs, nil
}

// good is a signature that counts.
type good struct {
	key  string
	at   int64
	line line
}

// count finds the good signatures of listed keys. A key counts once, however often
// and under however many names it is listed.
func count(text string, sigs []line, keys []string, alg byte) (out []good) {
	seen := map[[32]byte]bool{}
	for _, k := range keys {
		v, ok := parseVerifier(k, alg)
		if !ok || seen[v.public] {
			continue
		}
		if l, at, ok := v.verify(text, sigs); ok {
			seen[v.public] = true
			out = append(out, good{k, at, l})
		}
	}
	return out
}
