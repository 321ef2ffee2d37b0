package command

import "github.com/bippop/bippop/federation/public"

// AddPieces appends pieces of a PDF to the coordinator's feed. They are seen only
// once a bulletin names them.
type AddPieces struct {
	Stamp   `cbor:"0,keyasint"`
	Entries [][]byte `cbor:"1,keyasint"` // bulletin.Encode, final
}

// PublishBulletin appends a bulletin to the coordinator's feed. All pieces of its
// PDF are there already.
type PublishBulletin struct {
	Stamp `cbor:"0,keyasint"`
	Entry []byte `cbor:"1,keyasint"` // bulletin.Encode, final
}

// TakeBulletins takes in what the coordinator has said: settled entries of its feed,
// in order, those between From and To that are no bulletin left out.
type TakeBulletins struct {
	Stamp       `cbor:"0,keyasint"`
	Coordinator public.Siren `cbor:"1,keyasint"`
	Epoch       uint16       `cbor:"2,keyasint"`
	From        uint64       `cbor:"3,keyasint"` // how far the feed was read
	To          uint64       `cbor:"4,keyasint"` // how far it is read then
	Entries     [][]byte     `cbor:"5,keyasint"`
}

func (AddPieces) Kind() Kind       { return KindAddPieces }
func (PublishBulletin) Kind() Kind { return KindPublishBulletin }
func (TakeBulletins) Kind() Kind   { return KindTakeBulletins }
