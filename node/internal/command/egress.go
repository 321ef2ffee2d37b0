package command

// Say appends entries to the territory's feed that change nothing else: a presence
// or a retraction.
type Say struct {
	Stamp `cbor:"0,keyasint"`
	Entry []byte `cbor:"1,keyasint"` // public.Encode, final
}

// JoinFederation makes the territory one of those who know a roster. The first
// time it begins the territory's own feed.
type JoinFederation struct {
	Stamp      `cbor:"0,keyasint"`
	Genesis    [32]byte `cbor:"1,keyasint"` // digest of the roster's first entry
	Invitation string   `cbor:"2,keyasint"` // as it was given: it says where the hubs are
}

// TakeRoster appends entries of the roster as they were signed. The proposer has
// checked every signature; the machine checks that none is left out.
type TakeRoster struct {
	Stamp   `cbor:"0,keyasint"`
	Genesis [32]byte `cbor:"1,keyasint"`
	From    uint64   `cbor:"2,keyasint"` // how many entries were known
	Entries [][]byte `cbor:"3,keyasint"`
}

// FreezeFeed stops all that would leave, because somebody holds a signed
// checkpoint of this feed that contradicts ours.
type FreezeFeed struct {
	Stamp    `cbor:"0,keyasint"`
	Epoch    uint16    `cbor:"1,keyasint"`
	Evidence [2][]byte `cbor:"2,keyasint"` // signed checkpoints
}

// OpenEpoch begins the feed anew, as the roster says: of the former epoch the
// first Size entries count.
type OpenEpoch struct {
	Stamp `cbor:"0,keyasint"`
	Epoch uint16   `cbor:"1,keyasint"`
	Size  uint64   `cbor:"2,keyasint"`
	Root  [32]byte `cbor:"3,keyasint"` // of the former epoch at Size
	// Again are the first entries of the new epoch: every release and every receipt of
	// dossiers of the former one that does not count any more, in their order and of the
	// same day. Noise is never drawn twice, and a receipt that its giver has not heard
	// would keep the dossiers with him for ever.
	Again [][]byte `cbor:"4,keyasint"`
}

// TakeBack appends entries of the territory's own that the hubs hold and this
// record, restored from an older backup, does not.
type TakeBack struct {
	Stamp   `cbor:"0,keyasint"`
	Entries [][]byte `cbor:"1,keyasint"`
	Whole   bool     `cbor:"2,keyasint,omitempty"` // as many witnesses as the roster asks for hold no more
}

// LeaveFederation ends what the territory says to others. Its feed stays, as what
// it has said.
type LeaveFederation struct {
	Stamp `cbor:"0,keyasint"`
}

func (Say) Kind() Kind             { return KindSay }
func (JoinFederation) Kind() Kind  { return KindJoinFederation }
func (TakeRoster) Kind() Kind      { return KindTakeRoster }
func (FreezeFeed) Kind() Kind      { return KindFreezeFeed }
func (OpenEpoch) Kind() Kind       { return KindOpenEpoch }
func (TakeBack) Kind() Kind        { return KindTakeBack }
func (LeaveFederation) Kind() Kind { return KindLeaveFederation }
