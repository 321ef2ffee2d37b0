package node

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/handover"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Handovers carry dossiers from one territory to another when the roster has moved
// communes: an encrypted file that people carry, an import, a signed receipt in the
// receiver's feed, and only then erasure at the giver. Nothing of a dossier crosses
// the federation's network.
//
// Counters: what was done stays counted where it was done. Taking somebody in counts
// nobody as enrolled; what is done for her from then on counts at the receiver.
type Handovers struct{ *core }

// HandoverDigest names a file of dossiers: SHA-256 of its bytes.
type HandoverDigest [32]byte

func (d HandoverDigest) String() string { return hex.EncodeToString(d[:]) }

// ParseHandoverDigest reads 64 hexadecimal digits.
func ParseHandoverDigest(text string) (d HandoverDigest, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(d) {
		return d, invalid("digest", "digest-unreadable", "a file is named by the 64 digits that its export printed")
	}
	return HandoverDigest(b), nil
}

// HandoverMove is what one entry of the roster gives or takes, and what became of it.
type HandoverMove struct {
	Roster          uint64 // its version after the entry
	Day             Date8601
	Giver, Receiver string // SIREN
	Gives           bool   // this territory is the giver
	Current         bool   // the roster still gives the communes to the receiver
	Communes        []string
	People          int // at the giver: who lives there in its records now
	Files           []HandoverFile
}

// HandoverFile is one file of dossiers, at the giver or the receiver. It names nobody.
type HandoverFile struct {
	Digest          HandoverDigest
	Roster          uint64
	Giver, Receiver string // SIREN
	Given           bool   // written here, else taken in here
	People          int
	At              Instant // when it was written, or began to be taken in
	By              AccountID
	Import          ImportID
	State           HandoverState
	Receipt         Instant // when the receiver said so, or that was heard here
	Erasing         Instant // when its people were put in line to be erased
}

// HandoverState is where a file stands. The words are the API's.
type HandoverState string

const (
	HandoverGiven     HandoverState = "given"     // written here; the receiver has said nothing yet
	HandoverReceived  HandoverState = "received"  // its receipt has settled: the giver may erase
	HandoverErasing   HandoverState = "erasing"   // its people were put in line
	HandoverStaged    HandoverState = "staged"    // being taken in; nobody sees them
	HandoverCommitted HandoverState = "committed" // taken in; the receipt is to be given
	HandoverConfirmed HandoverState = "confirmed" // the receipt was given
	HandoverUndone    HandoverState = "undone"    // taken in, and undone
)

// Moves are the communes that the roster gives or takes, the newest first.
func (s *Handovers) Moves(by Caller) (out []HandoverMove, err error) {
	if err := by.may(JoinFederation); err != nil {
		return nil, err
	}
	all, err := moving{s.core}.moves()
	if err != nil {
		return nil, err
	}
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	for _, m := range slices.Backward(all) {
		h := HandoverMove{
			Roster: m.roster, Day: Date8601(m.day.Time().Format(time.DateOnly)), Giver: m.giver.String(), Receiver: m.receiver.String(),
			Gives: m.giver.String() == s.siren, Communes: m.communes,
		}
		_, err := moving{s.core}.move(m.roster, m.giver, m.receiver)
		h.Current = err == nil
		if h.Gives {
			who, err := s.living(m.communes)
			if err != nil {
				return nil, err
			}
			h.People = len(who)
		}
		for _, f := range files {
			if f.Roster == m.roster && f.Giver == h.Giver && f.Receiver == h.Receiver {
				h.Files = append(h.Files, f)
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// Files are those that were written or taken in here, the newest first, for whoever
// may read what has left.
func (s *Handovers) Files(by Caller) ([]HandoverFile, error) {
	if err := by.may(ReadLedger); err != nil {
		return nil, err
	}
	return s.files()
}

func (s *Handovers) files() (out []HandoverFile, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		var inner error
		err := store.Handovers.Each(tx, nil, func(h handover.Handover) bool {
			f := HandoverFile{
				Digest: h.Digest, Roster: h.Roster, Giver: h.Giver.String(), Receiver: h.Receiver.String(), Given: h.Given(), People: int(h.People), At: h.At, By: h.By,
				Import: h.Import, Receipt: h.Receipt, Erasing: h.Erasing,
			}
			f.State, inner = stateOf(tx, h)
			out = append(out, f)
			return inner == nil
		})
		return either(err, inner)
	})
	sort.Slice(out, func(i, j int) bool { return out[j].At < out[i].At })
	return out, err
}

func stateOf(tx *store.Tx, h handover.Handover) (HandoverState, error) {
	switch {
	case h.Given() && h.Erasing != 0:
		return HandoverErasing, nil
	case h.Given() && h.Receipt != 0:
		return HandoverReceived, nil
	case h.Given():
		return HandoverGiven, nil
	case h.Receipt != 0:
		return HandoverConfirmed, nil
	}
	i, ok, err := store.Imports.Get(tx, h.Import[:])
	switch {
	case !ok || i.State == people.Undone:
		return HandoverUndone, err
	case i.State == people.Staged:
		return HandoverStaged, err
	}
	return HandoverCommitted, err
}

func (s *Handovers) record(d HandoverDigest) (h handover.Handover, ok bool, err error) {
	err = s.view(itself, func(tx *store.Tx) (err error) {
		h, ok, err = store.Handovers.Get(tx, d[:])
		return err
	})
	return h, ok, err
}

// Recipient is what a giver encrypts to, signed by this machine: a text for mail.
func (s *Handovers) Recipient(by Caller) (string, error) {
	if err := by.may(JoinFederation); err != nil {
		return "", err
	}
	state := s.federating.rosters.State()
	if state == nil {
		return "", refused(refuse.NotFederated, RequestID{})
	}
	own, err := public.ParseSiren(s.siren)
	if err != nil {
		return "", err
	}
	a := addressee{Genesis: state.Genesis, Siren: own}
	if _, a.Recipient, err = (moving{s.core}).dossierKey(); err != nil {
		return "", err
	}
	seed := moving{s.core}.dossierSeed()
	key := ed25519.NewKeyFromSeed(seed[:])
	if !(moving{s.core}).signedBy(own, crypto.VerifyKey(key.Public().(ed25519.PublicKey))) {
		return "", errNotMember
	}
	a.Signature = ed25519.Sign(key, a.signed())
	return a.String(), nil
}

// living are those of these communes whom readers see.
func (s *Handovers) living(communes []string) (out []people.Beneficiary, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		out, err = livingIn(tx, communes)
		return err
	})
	return out, err
}

func livingIn(tx *store.Tx, communes []string) (out []people.Beneficiary, err error) {
	seen := map[ImportID]bool{}
	for _, code := range communes {
		var inner error
		err := view.Each(tx, view.InCommune(code), nil, false, func(id BeneficiaryID, _ []byte) bool {
			var r people.Beneficiary
			var there, yes bool
			if r, there, inner = store.Beneficiaries.Get(tx, id[:]); inner != nil || !there {
				return inner == nil
			}
			if yes, inner = visible(tx, r.Enrolled.Import, seen); inner == nil && yes {
				out = append(out, r)
			}
			return inner == nil
		})
		if err := either(err, inner); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Export writes the dossiers of everybody in the communes of a move, encrypted to the
// recipient that the receiver shows, and records that they have left before it gives
// the file. It may be repeated until the receiver has confirmed one.
func (s *Handovers) Export(ctx context.Context, by Caller, version uint64, recipient string) ([]byte, HandoverFile, error) {
	for _, a := range []Action{ExportPeople, JoinFederation} {
		if err := by.may(a); err != nil {
			return nil, HandoverFile{}, err
		}
	}
	if err := s.fresh(by); err != nil {
		return nil, HandoverFile{}, err
	}
	to, recipients, err := moving{s.core}.addressee(recipient)
	if err != nil {
		return nil, HandoverFile{}, err
	}
	own, err := public.ParseSiren(s.siren)
	if err != nil {
		return nil, HandoverFile{}, err
	}
	m, err := moving{s.core}.move(version, own, to.Siren)
	if err != nil {
		return nil, HandoverFile{}, &Error{Kind: Conflict, Code: "no-move", Reason: "the roster gives no communes of this territory to that recipient at that version"}
	}
	all, who, err := s.dossiers(by, m.communes)
	if err != nil {
		s.health.note(err)
		return nil, HandoverFile{}, explain(err)
	}
	head := dossierHead{Genesis: to.Genesis, Giver: own, Receiver: to.Siren, Roster: m.roster, Communes: m.communes, Day: public.DayOf(s.now())}
	file, err := writeDossiers(head, all, recipients, crypto.SeededSigner(moving{s.core}.dossierSeed()))
	if err != nil {
		return nil, HandoverFile{}, err
	}
	digest := sha256.Sum256(file)
	by.Key = "" // several commands; the file is drawn anew each time
	for part, list := range parted(who) {
		c := command.GiveDossiers{
			Stamp: s.stamp(by, ""), Digest: digest, Giver: own, Receiver: to.Siren, Roster: m.roster, Communes: m.communes, People: uint32(len(all)), Part: uint16(part), Who: list,
		}
		if _, err := s.propose(ctx, c); err != nil {
			return nil, HandoverFile{}, err
		}
	}
	f := HandoverFile{Digest: digest, Roster: m.roster, Giver: s.siren, Receiver: to.Siren.String(), Given: true, People: len(all), At: s.clock(), By: by.Account, State: HandoverGiven}
	return file, f, nil
}

// parted cuts the list of people as commands hold it: one part at least.
func parted(who []handover.Passed) [][]handover.Passed {
	out := slices.Collect(slices.Chunk(who, handover.MostPassed))
	if len(out) == 0 {
		out = [][]handover.Passed{nil}
	}
	return out
}

// dossiers opens everybody's files in these communes, all of one moment.
func (s *Handovers) dossiers(by Caller, communes []string) (all []dossier, who []handover.Passed, err error) {
	types, err := s.types()
	if err != nil {
		return nil, nil, err
	}
	names := map[TypeID]string{}
	for _, t := range types {
		names[t.ID] = t.Name
	}
	err = s.view(by, func(tx *store.Tx) error {
		records, err := livingIn(tx, communes)
		if err != nil {
			return err
		}
		for _, r := range records {
			b, err := s.opening(by).beneficiary(r)
			if err != nil {
				return err
			}
			d := dossier{
				Commune: r.Commune, State: r.State, Basis: r.Enrolled.Basis, Notice: r.Enrolled.Notice, NoticeAt: r.Enrolled.NoticeAt, Enrolled: r.Enrolled.At,
				Visits: r.Visits, Declines: uint16(len(r.Refused)), Words: b.Words,
			}
			if err := s.open(by, tx, r, names, &d); err != nil {
				return err
			}
			all, who = append(all, d), append(who, handover.Passed{ID: r.ID, Version: r.Version})
		}
		return nil
	})
	return all, who, err
}

// open adds what is not over: her requests, and what comes again.
func (s *Handovers) open(by Caller, tx *store.Tx, r people.Beneficiary, names map[TypeID]string, d *dossier) error {
	var inner error
	err := view.Each(tx, view.OfPerson(r.ID), nil, false, func(id RequestID, _ []byte) bool {
		q, ok, err := store.Requests.Get(tx, id[:])
		if inner = err; err != nil || !ok || q.State.Closed() || !q.Series.Zero() {
			return err == nil
		}
		var w request.Words
		if w, inner = s.opening(by).requestWords(r, q); inner == nil {
			d.Open = append(d.Open, openRequest{Kind: names[q.Type], Wish: q.Wish, Start: q.Plan.Start, Words: w})
		}
		return inner == nil
	})
	if err = either(err, inner); err != nil {
		return err
	}
	err = view.Each(tx, view.SeriesOf(r.ID), nil, false, func(id SeriesID, _ []byte) bool {
		q, ok, err := store.Series.Get(tx, id[:])
		if inner = err; err != nil || !ok || q.State == series.Ended {
			return err == nil
		}
		var w series.Words
		if w, inner = s.opening(by).seriesWords(r, q); inner == nil {
			d.Comes = append(d.Comes, openSeries{Kind: names[q.Type], Rule: q.Terms.Rule, Until: q.Terms.Until, Paused: q.State == series.Paused, Words: w})
		}
		return inner == nil
	})
	return either(err, inner)
}

// Import takes a file in: all of its people or, when something fails in the middle,
// none that anybody sees. The same file goes on where it was interrupted. It can be
// undone as every import, until the receipt is given.
func (s *Handovers) Import(ctx context.Context, by Caller, file []byte) (HandoverFile, error) {
	for _, a := range []Action{ImportPeople, JoinFederation} {
		if err := by.may(a); err != nil {
			return HandoverFile{}, err
		}
	}
	digest := HandoverDigest(sha256.Sum256(file))
	head, rows, err := s.read(file)
	if err != nil {
		return HandoverFile{}, err
	}
	by.Key = "" // several commands; the file itself says which import it is
	h, known, err := s.record(digest)
	if err != nil {
		return HandoverFile{}, err
	}
	imports := &Imports{s.core}
	var record people.Import
	if known && !h.Given() {
		if record, err = imports.get(h.Import); err != nil {
			return HandoverFile{}, err
		}
		if record.State == people.Committed {
			return HandoverFile{}, refused(refuse.HandoverTaken, RequestID{})
		}
	}
	if record.State != people.Staged { // the first time, or after it was undone
		if record, err = s.begin(ctx, by, head, digest); err != nil {
			return HandoverFile{}, err
		}
	}
	if err := imports.bring(ctx, by, record, Spreadsheet{}, rows); err != nil {
		return HandoverFile{}, err
	}
	return s.file(digest)
}

func (s *Handovers) file(digest HandoverDigest) (HandoverFile, error) {
	all, err := s.files()
	if err != nil {
		return HandoverFile{}, err
	}
	if i := slices.IndexFunc(all, func(f HandoverFile) bool { return f.Digest == digest }); i >= 0 {
		return all[i], nil
	}
	return HandoverFile{}, refused(refuse.NoHandover, RequestID{})
}

// read checks a file against the roster and makes its people into rows.
func (s *Handovers) read(file []byte) (head dossierHead, rows []ready, err error) {
	u, _, err := moving{s.core}.dossierKey()
	if err != nil {
		return head, nil, err
	}
	head, all, signer, err := readDossiers(file, u)
	if err != nil {
		return head, nil, err
	}
	state := s.federating.rosters.State()
	switch {
	case state == nil || head.Genesis != state.Genesis:
		return head, nil, errDossierMove
	case head.Receiver.String() != s.siren:
		return head, nil, errDossierReceiver
	case !moving{s.core}.signedBy(head.Giver, signer):
		return head, nil, errDossierGiver
	}
	m, err := moving{s.core}.move(head.Roster, head.Giver, head.Receiver)
	if err != nil {
		return head, nil, err
	}
	if !slices.Equal(m.communes, head.Communes) {
		return head, nil, errDossierMove
	}
	for i, d := range all {
		r := d.row(i+1, s.zone())
		if !slices.Contains(m.communes, d.Commune) {
			return head, nil, errDossierMove
		}
		if err := s.checkBeneficiary(&r.facts, &r.her); err != nil {
			return head, nil, err
		}
		rows = append(rows, r)
	}
	return head, rows, nil
}

func (s *Handovers) begin(ctx context.Context, by Caller, head dossierHead, digest HandoverDigest) (people.Import, error) {
	id := newID[ImportID]()
	r, err := s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		w := people.ImportWords{File: crypto.NewSecret("reprise " + head.Giver.String()), Digest: digest[:]}
		box, err := s.seal(keys[0], store.Imports.Name, id, 1, w)
		return command.TakeDossiers{
			Stamp: s.stamp(by, ""), Digest: digest, Giver: head.Giver, Receiver: head.Receiver, Roster: head.Roster, Communes: head.Communes, People: head.People,
			ID: id, Leaf: leaves[0], Box: box,
		}, err
	})
	if err != nil {
		return people.Import{}, err
	}
	return (&Imports{s.core}).get(r.ID)
}

// Confirm gives the receipt: it says in the territory's feed, for ever, that all
// dossiers of the file are here. The giver may erase them then, so the import cannot
// be undone any more.
func (s *Handovers) Confirm(ctx context.Context, by Caller, digest HandoverDigest) (Receipt, error) {
	if err := by.may(JoinFederation); err != nil {
		return Receipt{}, err
	}
	h, ok, err := s.record(digest)
	if err != nil || !ok || h.Given() {
		return Receipt{}, either(err, refused(refuse.NoHandover, RequestID{}))
	}
	said := public.Handover{Giver: h.Giver, Roster: h.Roster, Digest: h.Digest}
	for _, code := range h.Communes {
		c, err := public.ParseCommune(code)
		if err != nil {
			return Receipt{}, err
		}
		said.Communes = append(said.Communes, c)
	}
	return s.proposeEntry(ctx, said, func(entry []byte) command.Command {
		return command.SayHandover{Stamp: s.stamp(by, ""), Entry: entry}
	})
}

// Erase puts those of a file in line to be erased, in one act, once the receiver's
// receipt has settled; their open requests are withdrawn with them. Kept are those
// whose record was changed since the file was written: the receiver does not know of
// it. They stay for people to decide. What a certificate says follows as always.
func (s *Handovers) Erase(ctx context.Context, by Caller, digest HandoverDigest) (erased, kept int, err error) {
	for _, a := range []Action{ErasePeople, JoinFederation} {
		if err := by.may(a); err != nil {
			return 0, 0, err
		}
	}
	if err := s.fresh(by); err != nil {
		return 0, 0, err
	}
	h, ok, err := s.record(digest)
	if err != nil || !ok {
		return 0, 0, either(err, refused(refuse.NoHandover, RequestID{}))
	}
	by.Key = "" // several commands; each does nothing the second time
	for part := range max(h.Parts, 1) {
		r, err := s.propose(ctx, command.EraseHandedOver{Stamp: s.stamp(by, ""), Digest: digest, Part: part})
		if err != nil {
			return erased, 0, err
		}
		erased += int(r.Version)
	}
	kept, err = s.changed(h)
	return erased, kept, err
}

// changed counts those of a file who stay because their record is not what it was.
func (s *Handovers) changed(h handover.Handover) (n int, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		for part := range h.Parts {
			p, _, err := store.HandoverParts.Get(tx, handover.PartKey(h.Digest, part))
			if err != nil {
				return err
			}
			for _, w := range p.Who {
				b, there, err := store.Beneficiaries.Get(tx, w.ID[:])
				if err != nil {
					return err
				}
				if there && b.Version != w.Version {
					n++
				}
			}
		}
		return nil
	})
	return n, err
}
