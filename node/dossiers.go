package node

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/fxamacker/cbor/v2"
)

// MaxDossiers is how large a file of dossiers may be, in bytes: some ten thousand
// people.
const MaxDossiers = 40 << 20

// mostDossier is the size of one record in the file, in bytes; as much as a row of an
// import may have.
const mostDossier = batchBytes

// A file of dossiers is a [crypto.Encrypt] envelope, signed with the key of a replica
// of the giver's that stands in the roster. In it, each with its length in four bytes
// before it, in deterministic CBOR: a dossierHead, as many dossiers as it says, and a
// dossierEnd.
//
// Volunteers are not in it, neither those who live there nor their names beside hers:
// each has promised his help to this territory, and gives it to another one himself.
// That she does not wish some of them crosses as a number: they may offer their help
// to the receiver too, so its desk asks her whom she means.
type (
	dossierHead struct {
		_        struct{} `cbor:",toarray"`
		Form     uint8
		Genesis  [32]byte
		Giver    public.Siren
		Receiver public.Siren
		Roster   uint64
		Communes []string
		People   uint32
		Day      public.Day
	}
	dossier struct {
		_        struct{} `cbor:",toarray"`
		Commune  string
		State    people.BeneficiaryState
		Basis    people.Basis
		Notice   people.Notice
		NoticeAt Instant
		Enrolled Instant
		Visits   uint32
		Declines uint16 // how many volunteers of the giver's she does not wish
		Words    people.BeneficiaryWords
		Open     []openRequest
		Comes    []openSeries
	}
	// openRequest is a request that nobody has closed. Who was to come stays behind.
	openRequest struct {
		_     struct{} `cbor:",toarray"`
		Kind  string   // as the giver's catalogue calls it
		Wish  request.Wish
		Start Instant // when it was fixed; 0: it was not
		Words request.Words
	}
	openSeries struct {
		_      struct{} `cbor:",toarray"`
		Kind   string
		Rule   series.Rule
		Until  Day
		Paused bool
		Words  series.Words
	}
	dossierEnd struct {
		_      struct{} `cbor:",toarray"`
		People uint32
		Digest [32]byte // SHA-256 of all before this record, lengths included
	}
)

const dossierForm = 1

var dossierDecoding = must(cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 8, MaxArrayElements: 2048, MaxMapPairs: 64,
}.DecMode())

// Reasons for which a file of dossiers is refused as a whole.
var (
	errDossierDamaged  = &Error{Kind: Invalid, Code: "handover-damaged", Field: "file", Reason: "this file is damaged or cut short, or it is no file of dossiers; ask the giver for another copy"}
	errDossierReceiver = &Error{Kind: Invalid, Code: "handover-receiver", Field: "file", Reason: "this file is not for this territory: it was written for another recipient"}
	errDossierGiver    = &Error{Kind: Invalid, Code: "handover-giver", Field: "file", Reason: "this file is not signed by the territory that the roster names as the giver"}
	errDossierMove     = &Error{Kind: Invalid, Code: "handover-move", Field: "file", Reason: "this file is about other communes than those that the roster has moved here, or about another version of the roster"}
	errDossierLarge    = &Error{Kind: Invalid, Code: "handover-large", Field: "file", Reason: "this file is larger than 40 MiB"}
)

// dossierWriter writes a file of dossiers.
type dossierWriter struct {
	w   io.WriteCloser
	sum hash.Hash
	n   uint32
}

func (d *dossierWriter) put(v any) error {
	b, err := boxEncoding.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing a dossier: not of the known form")
	}
	if len(b) > mostDossier {
		return &Error{Kind: Conflict, Code: "handover-long", Reason: "one person's file is longer than can be handed over at once; shorten her longest note"}
	}
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	d.sum.Write(framed)
	_, err = d.w.Write(framed)
	return err
}

// writeDossiers gives the encrypted file.
func writeDossiers(head dossierHead, all []dossier, to crypto.Recipients, by crypto.Signer) ([]byte, error) {
	var file bytes.Buffer
	w, err := crypto.Encrypt(&file, to, by)
	if err != nil {
		return nil, err
	}
	d := &dossierWriter{w: w, sum: sha256.New()}
	head.Form, head.People = dossierForm, uint32(len(all))
	if err := d.put(head); err != nil {
		return nil, err
	}
	for _, one := range all {
		if err := d.put(one); err != nil {
			return nil, err
		}
	}
	if err := d.put(dossierEnd{People: uint32(len(all)), Digest: [32]byte(d.sum.Sum(nil))}); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if file.Len() > MaxDossiers {
		return nil, errDossierLarge
	}
	return file.Bytes(), nil
}

// dossierReader reads a file of dossiers.
type dossierReader struct {
	r   io.Reader
	sum hash.Hash
}

// get reads one record into v, in its one form.
func (d *dossierReader) get(v any) error {
	var size [4]byte
	if _, err := io.ReadFull(d.r, size[:]); err != nil {
		return errDossierDamaged
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n > mostDossier {
		return errDossierDamaged
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return errDossierDamaged
	}
	if err := dossierDecoding.Unmarshal(b, v); err != nil {
		return errDossierDamaged
	}
	if again, err := boxEncoding.Marshal(v); err != nil || !bytes.Equal(again, b) {
		return errDossierDamaged
	}
	d.sum.Write(size[:])
	d.sum.Write(b)
	return nil
}

// readDossiers opens a file and reads it to its end: only then is anything of it
// known to be true. The signer is whoever made it.
func readDossiers(file []byte, u crypto.Unsealer) (head dossierHead, all []dossier, signer crypto.VerifyKey, err error) {
	if len(file) > MaxDossiers {
		return head, nil, signer, errDossierLarge
	}
	if signer, err = crypto.VerifyEnvelope(bytes.NewReader(file), crypto.AnySigner); err != nil {
		return head, nil, signer, errDossierDamaged
	}
	plain, err := crypto.Decrypt(bytes.NewReader(file), u, signer)
	if err != nil {
		return head, nil, signer, errDossierReceiver // it is whole: nobody here holds its key
	}
	d := &dossierReader{plain, sha256.New()}
	if err := d.get(&head); err != nil {
		return head, nil, signer, err
	}
	if head.Form != dossierForm {
		return head, nil, signer, errDossierDamaged
	}
	for range head.People {
		var one dossier
		if err := d.get(&one); err != nil {
			return head, nil, signer, err
		}
		all = append(all, one)
	}
	sum := [32]byte(d.sum.Sum(nil))
	var end dossierEnd
	if err := d.get(&end); err != nil || end.Digest != sum || end.People != head.People {
		return head, nil, signer, errDossierDamaged
	}
	if n, err := plain.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return head, nil, signer, errDossierDamaged
	}
	return head, all, signer, nil
}

// row makes a dossier into somebody of this territory. What the giver's desk had
// open for her becomes lines of her note: this desk calls her, says that it looks
// after her from now on, and agrees each anew, because nobody here has promised to
// come. The information that the law requires is this controller's to give; when the
// giver gave its own stands in the note.
func (d dossier) row(line int, zone *time.Location) ready {
	w := d.Words
	var lines []string
	if note := w.Note.Reveal(); note != "" {
		lines = append(lines, note)
	}
	if d.NoticeAt != 0 {
		lines = append(lines, "Informée par l’ancien territoire le "+d.NoticeAt.Time().In(zone).Format("02/01/2006")+".")
	}
	if d.Declines > 0 {
		lines = append(lines, fmt.Sprintf("Ne souhaite pas la visite de certains bénévoles de l’ancien territoire (%d) : lui demander lesquels avant de proposer quelqu’un.", d.Declines))
	}
	lines = append(lines, "Accompagnée par l’ancien territoire depuis le "+d.Enrolled.Time().In(zone).Format("02/01/2006")+" (visites faites : "+strconv.Itoa(int(d.Visits))+").")
	for _, q := range d.Open {
		lines = append(lines, "À reprendre : "+q.text())
	}
	for _, c := range d.Comes {
		lines = append(lines, "Revient régulièrement : "+c.text())
	}
	w.Note = crypto.NewSecret(whole(lines, longestNote))
	return ready{line: line, her: w, facts: BeneficiaryFacts{Commune: d.Commune, State: d.State, Basis: d.Basis}}
}

// whole joins as many lines as fit, and says how many are left out.
func whole(lines []string, most int) string {
	text := strings.Join(lines, "\n")
	for n := len(lines) - 1; len([]rune(text)) > most && n > 0; n-- {
		text = strings.Join(lines[:n], "\n") + fmt.Sprintf("\n(et %d autres lignes, chez l’ancien territoire)", len(lines)-n)
	}
	return text
}

func withNote(text string, note Secret) string {
	if note.Empty() {
		return text
	}
	return text + " — " + strings.Join(strings.Fields(note.Reveal()), " ")
}

func (q openRequest) text() string {
	text := q.Kind
	switch day := q.Wish.Day.Date().Format("02/01/2006"); q.Wish.Kind {
	case request.OnDay:
		text += ", le " + day + halfWords[q.Wish.Half]
	case request.InWeek:
		text += ", semaine du " + day
	default:
		text += ", date libre"
	}
	return withNote(text, q.Words.Note)
}

func (c openSeries) text() string {
	text := c.Kind + ", " + rhythmWords[c.Rule.Rhythm] + " (" + weekdayWords[min(int(c.Rule.Weekday), len(weekdayWords)-1)] + halfWords[c.Rule.Half] + ")"
	if c.Paused {
		text += ", en pause"
	}
	return withNote(text, c.Words.Note)
}

var (
	halfWords    = map[Half]string{Morning: ", matin", Afternoon: ", après-midi"}
	rhythmWords  = map[series.Rhythm]string{series.Weekly: "chaque semaine", series.Fortnightly: "tous les quinze jours", series.Monthly: "chaque mois"}
	weekdayWords = []string{"", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}
)

// communeCodes are the codes in their text form, sorted.
func communeCodes(all []public.Commune) (out []string) {
	for _, c := range all {
		out = append(out, c.String())
	}
	slices.Sort(out)
	return out
}
