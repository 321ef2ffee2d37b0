package machine_test

import (
	"bytes"
	"testing"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/notice"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
)

// theCoordinator's number in these tests.
const theCoordinator public.Siren = 130025265

// tellNation is a node of that role, with a feed that has begun.
func tellNation(t *testing.T, role territory.Role) *story {
	t.Helper()
	s := &story{T: t, peer: newReplica(t, t.TempDir())}
	t.Cleanup(func() { s.store.Close() })
	c := found()
	c.Territory.Role, c.Territory.Siren = role, theCoordinator.String()
	s.do(0, c)
	s.begin(1)
	return s
}

// begin opens an epoch of the node's own feed.
func (s *story) begin(epoch uint16) {
	s.Helper()
	err := s.store.Update(func(tx *store.Tx) error {
		store.Feeds.Put(tx, egress.Feed{Epoch: epoch})
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

func proclaimed(t *testing.T, seq uint64, m bulletin.Message) []byte {
	t.Helper()
	b, err := bulletin.Encode(bulletin.Entry{From: theCoordinator, Epoch: 1, Seq: seq, Day: 2500, Body: m})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func aPDF(n int) []byte {
	return append(append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte{'x'}, n)...), "\n%%EOF\n"...)
}

// kept is what a node holds of bulletins.
func (s *story) kept() (all []notice.Notice, leaves [][]byte) {
	s.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		if err := store.Leaves.Each(tx, nil, func(l egress.Leaf) bool { leaves = append(leaves, l.Bytes); return true }); err != nil {
			return err
		}
		return store.Notices.Each(tx, nil, func(n notice.Notice) bool { all = append(all, n); return true })
	})
	if err != nil {
		s.Fatal(err)
	}
	return all, leaves
}

// TestPublish: a bulletin enters the feed in its number's order, its PDF before it,
// and twice is once.
func TestPublish(t *testing.T) {
	s := tellNation(t, territory.RoleCoordinator)
	digest, pieces, err := bulletin.Split(aPDF(20_000))
	if err != nil || len(pieces) != 2 {
		t.Fatal(len(pieces), err)
	}
	b := bulletin.Bulletin{Number: 1, Title: "Canicule", Text: "Appelez.", PDF: digest, Size: 20_016}
	s.do(refuse.PiecesMissing, command.PublishBulletin{Stamp: s.stamp(), Entry: proclaimed(t, 0, b)})
	s.do(0, command.AddPieces{Stamp: s.stamp(), Entries: [][]byte{proclaimed(t, 0, pieces[0]), proclaimed(t, 1, pieces[1])}})
	s.do(refuse.Exists, command.AddPieces{Stamp: s.stamp(), Entries: [][]byte{proclaimed(t, 2, pieces[0])}})
	s.do(refuse.StaleFeed, command.PublishBulletin{Stamp: s.stamp(), Entry: proclaimed(t, 1, b)})
	wrong := b
	wrong.Number = 2
	s.do(refuse.StaleBulletin, command.PublishBulletin{Stamp: s.stamp(), Entry: proclaimed(t, 2, wrong)})
	publish := command.PublishBulletin{Stamp: s.stamp(), Entry: proclaimed(t, 2, b)}
	publish.Key = "once"
	s.do(0, publish)
	s.do(0, publish) // sent again
	all, leaves := s.kept()
	if len(all) != 1 || all[0].Bulletin() != b || all[0].Day != 2500 || all[0].By != acc(0) {
		t.Errorf("%+v", all)
	}
	if len(leaves) != 3 || !bytes.Equal(leaves[2], publish.Entry) {
		t.Errorf("%d leaves", len(leaves))
	}
}

// TestOnlyTheCoordinatorSpeaks: nothing of a bulletin enters the feed of another
// node, and what is no bulletin stops the machine.
func TestOnlyTheCoordinatorSpeaks(t *testing.T) {
	b := bulletin.Bulletin{Number: 1, Title: "Canicule", Text: "Appelez."}
	digest, pieces, _ := bulletin.Split(aPDF(10))
	for _, role := range []territory.Role{territory.RoleTerritory, territory.RoleObserver} {
		s := tellNation(t, role)
		s.do(refuse.NotCoordinator, command.PublishBulletin{Stamp: s.stamp(), Entry: proclaimed(t, 0, b)})
		s.do(refuse.NotCoordinator, command.AddPieces{Stamp: s.stamp(), Entries: [][]byte{proclaimed(t, 0, pieces[0])}})
		if all, leaves := s.kept(); len(all)+len(leaves) > 0 {
			t.Errorf("role %d: %d bulletins, %d leaves", role, len(all), len(leaves))
		}
	}
	other, err := bulletin.Encode(bulletin.Entry{From: 200044394, Epoch: 1, Body: b})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]command.Command{
		"another's name":     command.PublishBulletin{Entry: other},
		"a piece alone":      command.PublishBulletin{Entry: proclaimed(t, 0, bulletin.Piece{PDF: digest, Bytes: []byte("a")})},
		"no entry":           command.PublishBulletin{Entry: []byte{0x87}},
		"a bulletin as part": command.AddPieces{Entries: [][]byte{proclaimed(t, 0, b)}},
	} {
		s := tellNation(t, territory.RoleCoordinator)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the machine goes on", name)
				}
			}()
			s.apply(t, c)
		}()
	}
}

// TestTake: a territory takes in what the coordinator has said, in order and once.
func TestTake(t *testing.T) {
	s := tell(t)
	digest, pieces, _ := bulletin.Split(aPDF(10))
	b := bulletin.Bulletin{Number: 1, Title: "Canicule", Text: "Appelez.", PDF: digest, Size: 26}
	take := func(from, to uint64, entries ...[]byte) command.TakeBulletins {
		return command.TakeBulletins{Stamp: s.stamp(), Coordinator: theCoordinator, Epoch: 1, From: from, To: to, Entries: entries}
	}
	s.do(refuse.StaleReading, take(3, 4)) // what is before was not read
	s.do(0, take(0, 4, proclaimed(t, 1, pieces[0]), proclaimed(t, 3, b)))
	s.do(refuse.StaleReading, take(0, 4, proclaimed(t, 3, b)))
	s.do(0, take(4, 9))
	all, leaves := s.kept()
	if len(all) != 1 || all[0].Bulletin() != b || all[0].From != theCoordinator || !all[0].By.Zero() {
		t.Errorf("%+v", all)
	}
	if len(leaves) != 0 {
		t.Error("something went back")
	}
}
