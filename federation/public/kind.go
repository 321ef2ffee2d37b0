package public

import "errors"

// Kind numbers what an entry of a feed says. The numbers are in feeds that are
// kept for ever: never reuse one.
type Kind uint16

const (
	KindRelease  Kind = 1  // a quarter's figures
	KindRetract  Kind = 2  // an earlier entry was wrong: do not use it
	KindOffer    Kind = 10 // capacity for neighbours
	KindWithdraw Kind = 11 // an offer ends
	KindAccept   Kind = 12 // somebody's interest in an offer is met
	KindDecline  Kind = 13
	KindLapse    Kind = 14 // an accepted interest that nobody acknowledged is free again
	KindInterest Kind = 20 // in a neighbour's offer
	KindRenounce Kind = 21 // an interest ends
	KindAck      Kind = 22 // an accepted interest is taken up
	KindClose    Kind = 23 // it is over: done, or not
	KindHandover Kind = 30 // dossiers of communes were taken in: the giver may erase
	KindPresence Kind = 40 // nothing to say, and alive: feeds of all sizes look alike

	// 50 to 59 are the coordinator's own words, see federation/bulletin. No territory
	// may say them, so they are no messages of this package.
)

// form is how a kind is written and read.
type form struct {
	empty  Message
	decode func([]byte) (Message, error)
}

func formOf[M Message]() form {
	var m M
	return form{m, func(b []byte) (Message, error) {
		var m M
		if err := decoding.Unmarshal(b, &m); err != nil {
			return nil, ErrForm
		}
		return m, nil
	}}
}

// forms are all kinds that a territory may say, in the order of their numbers.
var forms = []form{
	{Release{}, decodeRelease}, formOf[Retract](),
	formOf[Offer](), formOf[Withdraw](), formOf[Accept](), formOf[Decline](), formOf[Lapse](),
	formOf[Interest](), formOf[Renounce](), formOf[Ack](), formOf[Close](),
	formOf[Handover](), formOf[Presence](),
}

// Kinds are all kinds that a territory may say, in the order of their numbers.
func Kinds() (out []Kind) {
	for _, f := range forms {
		out = append(out, f.empty.Kind())
	}
	return out
}

// Message is one of the types in this package; the set is closed.
type Message interface {
	Kind() Kind
	check() error
}

var (
	// ErrForm says that bytes are not an entry in its one right form.
	ErrForm = errors.New("not an entry of a feed in its right form")
	// ErrKind says that an entry is of a kind that this program does not know.
	ErrKind = errors.New("an entry of a kind that this program does not know: install the newer one")
	// ErrRange says that a number of a message is out of its bounds.
	ErrRange = errors.New("a number is out of its bounds")
)
