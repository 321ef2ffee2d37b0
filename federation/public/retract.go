package public

// Presence says that the territory is there and has nothing else to say.
type Presence struct {
	_ struct{} `cbor:",toarray"`
}

// Retract says that an earlier entry of the same feed and epoch was wrong: whoever
// reads the feed must not use it any more. What it has spent stays spent.
type Retract struct {
	_   struct{} `cbor:",toarray"`
	Seq uint64
}

func (Retract) Kind() Kind  { return KindRetract }
func (Presence) Kind() Kind { return KindPresence }

func (r Retract) check() error { return checkSeq(r.Seq) }
func (r Retract) own() uint64  { return r.Seq }
func (Presence) check() error  { return nil }
