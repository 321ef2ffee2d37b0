package federation

import (
	"time"

	"github.com/bippop/bippop/federation/roster"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The protocols. A number is a major version: a change that an older program can
// not read is another number.
const (
	protocolHello    protocol.ID = "/bippop-fed/hello/1"
	protocolRoster   protocol.ID = "/bippop-fed/roster/1"
	protocolPush     protocol.ID = "/bippop-fed/push/1"
	protocolPull     protocol.ID = "/bippop-fed/pull/1"
	protocolEvidence protocol.ID = "/bippop-fed/evidence/1"
	protocolWord     protocol.ID = "/bippop-fed/word/1"
)

// seat is what a peer is to a hub that it calls: its role, or that of a hub.
type seat uint8

const (
	seatTerritory   = seat(roster.Territory)
	seatCoordinator = seat(roster.Coordinator)
	seatObserver    = seat(roster.Observer)
	seatHub         = seat(200)
)

// act is one thing that somebody may do at a hub.
type act uint8

const (
	actHello      act = iota // say who calls
	actReadRoster            // fetch the roster's entries
	actGiveRoster            // hand over newer ones
	actPush                  // of its own feed
	actPullOwn               // its own feed back: after a restore
	actPullGiven             // feeds that the roster lets it read
	actPullAll               // every feed
	actEvidence              // two signed checkpoints that contradict each other
	actWord                  // what it holds of a feed, for a territory that has called the asking hub
)

// permits is who may do what at a hub, and why. What is not here is refused. Leaves
// have no listener and answer nothing, so there is no table for them.
var permits = map[act]map[seat]string{
	actHello: {
		seatTerritory: "nothing else is answered before it", seatCoordinator: "as everybody",
		seatObserver: "as everybody", seatHub: "as everybody",
	},
	actReadRoster: {
		seatTerritory: "it must know its neighbours and its hubs", seatCoordinator: "it may have lost it",
		seatObserver: "it must know whose signatures count", seatHub: "it admits by it",
	},
	actGiveRoster: {
		seatCoordinator: "it collects the holders' signatures", seatHub: "another hub may have been away",
	},
	actPush: {
		seatTerritory: "its own feed", seatCoordinator: "its bulletins",
	},
	actPullOwn: {
		seatTerritory: "it may have been restored from a backup", seatCoordinator: "as a territory",
	},
	actPullGiven: {
		seatTerritory: "its neighbours' offers and the coordinator's bulletins", seatObserver: "what the roster grants it",
	},
	actPullAll: {
		seatCoordinator: "it adds up the nation", seatHub: "it stores and passes on",
	},
	actEvidence: {
		seatTerritory: "whoever sees a fork says so", seatCoordinator: "as everybody",
		seatObserver: "as everybody", seatHub: "as everybody",
	},
	actWord: {
		seatHub: "a territory that begins need not call all of them",
	},
}

// may reports whether a seat may do something at a hub.
func may(s seat, a act) bool { return permits[a][s] != "" }

// terms bound what one protocol costs.
type terms struct {
	ask    int           // bytes of one frame of the asking side
	answer int           // bytes of one frame of the answering side
	within time.Duration // for the whole exchange
	stall  time.Duration // longest wait for the next frame; 0: within alone counts
}

const (
	// maxFrame is the size of the largest frame, in bytes.
	maxFrame = 1 << 20
	// maxExchange is how many bytes of entries one push or one feed of a pull may
	// carry: about a century of a territory's own words.
	maxExchange = 64 << 20
	// helloWithin is how long a caller may wait before it says who it is.
	helloWithin = 10 * time.Second
)

// costs are the terms of each protocol.
var costs = map[protocol.ID]terms{
	protocolHello:    {ask: 512, answer: 16 << 10, within: helloWithin},
	protocolRoster:   {ask: maxFrame, answer: maxFrame, within: 2 * time.Minute, stall: 30 * time.Second},
	protocolPush:     {ask: maxFrame, answer: 16 << 10, within: 5 * time.Minute, stall: 30 * time.Second},
	protocolPull:     {ask: 128 << 10, answer: maxFrame, within: 10 * time.Minute, stall: 30 * time.Second},
	protocolEvidence: {ask: 256 << 10, answer: 256, within: 30 * time.Second},
	protocolWord:     {ask: 1 << 10, answer: maxFrame, within: helloWithin},
}
