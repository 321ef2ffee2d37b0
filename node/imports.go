package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/search"
	"github.com/bippop/bippop/node/internal/sheet"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Imports bring in people from the town hall's spreadsheets.
type Imports struct{ *core }

// Spreadsheet is a workbook (.xlsx) or CSV file as it came, and what to do with it.
type Spreadsheet struct {
	Name       string   // of the file; shown again, sealed
	Volunteers bool     // else beneficiaries
	Content    []byte   // at most MaxSpreadsheet
	Sheet      string   // of a workbook; empty: the first that has titles
	Mapping    string   // "Ville=commune,Obs=notes": columns that were guessed wrongly
	Fields     []string // the same by place: what each column means; nil: as guessed
	Commune    string   // INSEE code for rows without one; empty: such rows do not go in
	Basis      people.Basis
	Duplicates bool         // bring in people who seem to be there already
	SkipFaulty bool         // leave out rows that cannot go in, and bring in the others
	Chosen     map[int]bool // lines of doubles: whether to bring them in
}

// MaxSpreadsheet is how large a file may be, in bytes.
const MaxSpreadsheet = sheet.MaxBytes

// Column is how one column of the file is understood.
type Column struct {
	Header string // as the file has it
	Field  string // ours; empty: not used
	Why    string // "title", "cells", "choice", …
}

// RowFault is what is wrong with a row, or was guessed. It names the column,
// never the value.
type RowFault struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	Fatal  bool   `json:"fatal"`
}

// Sample is a row as it would come in, to be looked at.
type Sample struct {
	Line                  int
	Civility, Last, First Secret
	Birth, Phone, Address Secret
	Commune               string
}

// Report says what an import would do, or has done.
type Report struct {
	ID         ImportID
	Charset    string
	Comma      string
	Sheet      string   // that was read; empty for text
	Sheets     []string // of the workbook
	Columns    []Column
	Rows       int // in the file
	Good       int // that can go in
	Faulty     int // that cannot
	Duplicates int // that seem to be there already, left out unless wished otherwise
	Brought    int // that went in
	Faults     []RowFault
	Doubles    []Double
	First      []Sample // of those that can go in
}

// mostFaults, mostDoubles and samples bound a report; the counts go on.
const (
	mostFaults  = 100_000
	mostDoubles = 1000
	samples     = 10
)

// ready is one row made into a person.
type ready struct {
	line  int
	facts BeneficiaryFacts
	her   BeneficiaryWords
	offer Readiness
	state people.Status
	him   VolunteerWords
}

// Preview reads the file and says row by row what an import would do. Nothing is
// written.
func (s *Imports) Preview(by Caller, in Spreadsheet) (Report, error) {
	_, _, report, err := s.read(by, in, nil)
	return report, err
}

// Run brings the people in: all good rows or, when something fails in the
// middle, none that anybody sees. A zero id begins a new import; the id of one
// that was interrupted goes on with the same file, and so does a call that is
// repeated under its Idempotency-Key.
func (s *Imports) Run(ctx context.Context, by Caller, id ImportID, in Spreadsheet) (Report, error) {
	if err := by.may(ImportPeople); err != nil {
		return Report{}, err
	}
	if id.Zero() {
		var err error
		if id, err = s.begunUnder(by); err != nil {
			return Report{}, err
		}
	}
	var record people.Import
	var kept []byte
	var err error
	if !id.Zero() {
		if record, kept, err = s.resume(id, in); err != nil {
			return Report{}, err
		}
	}
	rows, kept, report, err := s.read(by, in, kept)
	if err != nil {
		return report, err
	}
	if report.Faulty > 0 && !in.SkipFaulty {
		return report, &Error{Kind: Conflict, Code: "faulty-rows", Reason: "some rows cannot go in: correct them in the file, or leave them out on purpose"}
	}
	if len(rows) == 0 {
		return report, invalid("file", "nothing-to-import", "no row of this file can go in")
	}
	if record.ID.Zero() {
		if record, err = s.begin(ctx, by, in, kept); err != nil {
			return report, err
		}
	}
	report.ID = record.ID
	if err := s.bring(ctx, by, record, in, rows); err != nil {
		return report, err
	}
	report.Brought = len(rows)
	return report, s.countAll(ctx, by, record.ID)
}

// begunUnder is the import that an earlier call with the caller's key has begun,
// or zero.
func (s *Imports) begunUnder(by Caller) (id ImportID, err error) {
	if by.Key == "" {
		return id, nil
	}
	err = s.view(by, func(tx *store.Tx) error {
		old, ok, err := tx.Replay(by.Account, by.Key)
		if ok && command.Kind(old.Kind) == command.KindBeginImport {
			id = old.ID
		}
		return err
	})
	return id, err
}

// resume reads an import that goes on, and which rows it takes.
func (s *Imports) resume(id ImportID, in Spreadsheet) (people.Import, []byte, error) {
	record, err := s.get(id)
	if err != nil {
		return record, nil, err
	}
	w, err := s.opening(itself).importWords(record)
	if err != nil {
		s.health.note(err)
		return record, nil, explain(err)
	}
	if !bytes.Equal(w.Digest, in.digest()) {
		return record, nil, &Error{Kind: Conflict, Code: "other-file", Reason: "this import was begun with another file or other choices; go on with those, or begin a new one"}
	}
	if record.State == people.Undone {
		return record, nil, &Error{Kind: Conflict, Code: "import-closed", Reason: "this import was undone; begin a new one"}
	}
	return record, w.Kept, nil
}

// digest tells one file with its choices from another.
func (in Spreadsheet) digest() []byte {
	choices := []byte{0, 0, 0, byte(in.Basis)}
	for i, yes := range []bool{in.Volunteers, in.Duplicates, in.SkipFaulty} {
		if yes {
			choices[i] = 1
		}
	}
	parts := [][]byte{in.Content, []byte(in.Mapping), []byte(in.Commune), choices}
	if in.Sheet != "" || in.Fields != nil || len(in.Chosen) > 0 {
		parts = append(parts, []byte(in.Sheet), []byte(strings.Join(in.Fields, ",")))
		for _, line := range slices.Sorted(maps.Keys(in.Chosen)) {
			parts = append(parts, fmt.Appendf(nil, "%d %t", line, in.Chosen[line]))
		}
	}
	sum := sha256.Sum256(crypto.Place(parts...))
	return sum[:]
}

func (s *Imports) begin(ctx context.Context, by Caller, in Spreadsheet, kept []byte) (people.Import, error) {
	id := newID[ImportID]()
	if len(in.Name) > 200 {
		in.Name = ""
	}
	r, err := s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		w := people.ImportWords{File: crypto.NewSecret(in.Name), Digest: in.digest(), Kept: kept}
		box, err := s.seal(keys[0], store.Imports.Name, id, 1, w)
		return command.BeginImport{Stamp: s.stamp(by, ""), ID: id, Leaf: leaves[0], Box: box}, err
	})
	if err != nil {
		return people.Import{}, err
	}
	return s.get(r.ID)
}

// unkeyed is a stamp for one of several commands of a call: the call's key would
// make the machine take the second for a repetition of the first.
func (s *Imports) unkeyed(by Caller) command.Stamp {
	by.Key = ""
	return s.stamp(by, "")
}

// batchBytes and batchRows bound one command of rows, well below command.MaxSize.
const (
	batchBytes = 44 << 10
	batchRows  = 64
	rowBytes   = 400 // of a row beside its box
)

func (s *Imports) bring(ctx context.Context, by Caller, record people.Import, in Spreadsheet, rows []ready) error {
	for from := int(record.Rows); from < len(rows); {
		batch := rows[from:min(from+batchRows, len(rows))]
		took := 0
		_, err := s.proposeSealed(ctx, len(batch), func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
			c := command.ImportRows{Stamp: s.unkeyed(by), ID: record.ID, From: uint32(from)}
			size := 0
			took = 0
			for i, r := range batch {
				var box []byte
				var err error
				if in.Volunteers {
					n := command.NewVolunteer{ID: newID[VolunteerID](), Leaf: leaves[i], Status: r.state, Offer: r.offer}
					n.Box, err = s.seal(keys[i], store.Volunteers.Name, n.ID, 1, r.him)
					c.Volunteers, box = append(c.Volunteers, n), n.Box
				} else {
					n := command.NewBeneficiary{ID: newID[BeneficiaryID](), Leaf: leaves[i], Facts: r.facts}
					n.Box, err = s.seal(keys[i], store.Beneficiaries.Name, n.ID, 1, r.her)
					c.Beneficiaries, box = append(c.Beneficiaries, n), n.Box
				}
				if err != nil {
					return nil, err
				}
				took++
				if size += len(box) + rowBytes; size > batchBytes {
					break
				}
			}
			return c, nil
		})
		if err != nil {
			return err
		}
		from += took
	}
	if record.State != people.Staged {
		return nil
	}
	_, err := s.propose(ctx, command.CloseImport{Stamp: s.unkeyed(by), ID: record.ID, Rows: uint32(len(rows))})
	return err
}

// countPart is how many people of an import one command counts.
const countPart = 400

// countAll puts the people of an import into the statistics, or, once it is
// undone, takes them out again, part by part: what was interrupted goes on.
func (s *Imports) countAll(ctx context.Context, by Caller, id ImportID) error {
	parts, err := s.parts(id)
	if err != nil {
		return err
	}
	for {
		record, err := s.get(id)
		if err != nil {
			return err
		}
		part, back := record.Counted, record.State == people.Undone
		if back {
			part--
		}
		if back && record.Counted == 0 || !back && int(record.Counted) >= len(parts) {
			return nil
		}
		_, err = s.propose(ctx, command.CountImport{Stamp: s.unkeyed(by), ID: id, Part: part, Back: back, Counts: parts[part].counts()})
		if err != nil {
			return err
		}
	}
}

// parts adds up an import's people as of the moment it became visible, in an
// order that does not change.
func (s *Imports) parts(id ImportID) (out []counter, err error) {
	zone := s.zone()
	err = s.view(itself, func(tx *store.Tx) error {
		record, _, err := store.Imports.Get(tx, id[:])
		if err != nil {
			return err
		}
		at := record.Closed.Time().In(zone)
		n := 0
		add := func(cell public.Cell) {
			if n%countPart == 0 {
				out = append(out, counter{})
			}
			n++
			out[len(out)-1].add(cell)
		}
		var inner error
		err = view.Each(tx, view.OfImport(id, view.ImportedBeneficiary), nil, false, func(b BeneficiaryID, _ []byte) bool {
			var r people.Beneficiary
			if r, _, inner = store.Beneficiaries.Get(tx, b[:]); inner != nil {
				return false
			}
			var her Beneficiary
			if her, inner = s.opening(itself).beneficiary(r); inner == nil {
				add(cellAt(at, public.Enrolled, r.Commune, public.NoCategory, her.Words))
			}
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		err = view.Each(tx, view.OfImport(id, view.ImportedVolunteer), nil, false, func(v VolunteerID, _ []byte) bool {
			var r people.Volunteer
			if r, _, inner = store.Volunteers.Get(tx, v[:]); inner == nil && r.Status == people.Approved {
				add(cellAt(at, public.Joined, r.Offer.Commune, public.NoCategory, BeneficiaryWords{}))
			}
			return inner == nil
		})
		return either(err, inner)
	})
	return out, err
}

// counter adds up cells.
type counter struct{ n map[public.Cell]uint64 }

func (c *counter) add(cell public.Cell) {
	if c.n == nil {
		c.n = map[public.Cell]uint64{}
	}
	c.n[cell]++
}

func (c *counter) counts() []command.Count {
	out := make([]command.Count, 0, len(c.n))
	for cell, n := range c.n {
		out = append(out, command.CountOf(cell, n))
	}
	sort.Slice(out, func(i, j int) bool { return bytes.Compare(out[i].Cell, out[j].Cell) < 0 })
	return out
}

// Undo hides everybody an import brought in, unless somebody has been worked
// with since.
func (s *Imports) Undo(ctx context.Context, by Caller, id ImportID) (Receipt, error) {
	if err := by.may(ImportPeople); err != nil {
		return Receipt{}, err
	}
	record, err := s.get(id)
	if err != nil {
		return Receipt{}, err
	}
	if record.State != people.Undone { // else an earlier undo goes on
		r, err := s.propose(ctx, command.CloseImport{Stamp: s.stamp(by, ""), ID: id, Undo: true})
		if err != nil {
			return r, err
		}
	}
	return Receipt{ID: id, Version: record.Version, Index: s.replica.Applied()}, s.countAll(ctx, by, id)
}

// Imported is one import in the list.
type Imported struct {
	people.Import
	File Secret
}

// List lists the imports, the newest first.
func (s *Imports) List(by Caller) (out []Imported, err error) {
	if err := by.may(ImportPeople); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var inner error
		err := store.Imports.Each(tx, nil, func(i people.Import) bool {
			var w people.ImportWords
			w, inner = s.opening(by).importWords(i)
			out = append(out, Imported{i, w.File})
			return inner == nil
		})
		return either(err, inner)
	})
	slices.Reverse(out)
	return out, err
}

func (s *Imports) get(id ImportID) (r people.Import, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		var ok bool
		r, ok, err = store.Imports.Get(tx, id[:])
		if err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-import", Reason: "no such import"}
		}
		return err
	})
	return r, err
}

// read makes the rows of a file into people, as far as they can be.
// kept says which rows of the file to take, one bit each; nil: those that are
// neither faulty nor there already.
func (s *Imports) read(by Caller, in Spreadsheet, kept []byte) (rows []ready, taken []byte, report Report, err error) {
	if err := by.may(ImportPeople); err != nil {
		return nil, nil, report, err
	}
	kind := sheet.Beneficiaries
	if in.Volunteers {
		kind = sheet.Volunteers
	}
	if in.Basis < people.Consent || in.Basis > people.VitalInterest {
		return nil, nil, report, invalid("basis", "missing", "say on what legal basis these people are in your files: consent, public-interest or vital-interest")
	}
	table, err := sheet.ReadSheet(bytes.NewReader(in.Content), in.Sheet)
	if err != nil {
		return nil, nil, report, unreadable(err)
	}
	mapping, err := in.mapping(sheet.Guess(table, kind))
	if err != nil {
		return nil, nil, report, err
	}
	report.describe(table, mapping)
	b, err := s.rowReader(in)
	if err != nil {
		return nil, nil, report, err
	}
	twins := newDoubles(s.core, by, in.Volunteers)
	taken = make([]byte, table.Len()/8+1)
	n := -1
	for row := range sheet.Rows(table, mapping, kind, s.date()) {
		n++
		r, faults := b.person(row)
		report.note(faults...)
		if slices.ContainsFunc(faults, func(f RowFault) bool { return f.Fatal }) {
			report.Faulty++
			continue
		}
		double, found, err := twins.find(r)
		if err != nil {
			return nil, nil, report, err
		}
		goes := !found || in.takes(double)
		if kept != nil {
			goes = n/8 < len(kept) && kept[n/8]&(1<<(n%8)) != 0
		}
		if double.In = goes; found {
			report.double(double)
		}
		if !goes {
			continue
		}
		report.Good++
		report.sample(r, in.Volunteers)
		taken[n/8] |= 1 << (n % 8)
		rows = append(rows, r)
	}
	if kept != nil && !bytes.Equal(kept, taken) {
		return nil, nil, report, &Error{Kind: Conflict, Code: "other-rows", Reason: "rows of this file that could go in before cannot now; undo this import and begin a new one"}
	}
	return rows, taken, report, nil
}

// unreadable is why a file as a whole cannot be read.
func unreadable(err error) error {
	code := cmp.Or(sheet.Code(err), "unreadable")
	return &Error{Kind: Invalid, Code: code, Field: "file", Reason: err.Error(), Line: sheet.Line(err)}
}

// mapping corrects what was guessed by what a person said.
func (in Spreadsheet) mapping(guessed sheet.Mapping) (sheet.Mapping, error) {
	over, err := sheet.ParseMapping(in.Mapping)
	if err == nil {
		guessed, err = guessed.With(over)
	}
	if err == nil && in.Fields != nil {
		columns := make([]sheet.Column, len(in.Fields))
		for i, f := range in.Fields {
			columns[i] = sheet.Column(f)
		}
		guessed, err = guessed.Choose(columns)
	}
	if err != nil {
		return nil, invalid("mapping", "unreadable", err.Error())
	}
	return guessed, nil
}

// takes says whether somebody who seems to be there already goes in all the same.
func (in Spreadsheet) takes(d Double) bool {
	if chosen, ok := in.Chosen[d.Line]; ok {
		return chosen
	}
	return in.Duplicates || d.By == samePhone
}

// describe says how the file was understood.
func (r *Report) describe(table sheet.Table, mapping sheet.Mapping) {
	r.Charset, r.Sheet, r.Sheets, r.Rows = table.Charset(), table.Sheet(), table.Sheets(), table.Len()
	if table.Comma() != 0 {
		r.Comma = string(table.Comma())
	}
	for _, a := range mapping {
		r.Columns = append(r.Columns, Column{a.Header, string(a.Column), a.Why})
	}
}

func (r *Report) note(faults ...RowFault) {
	for _, f := range faults {
		if len(r.Faults) < mostFaults {
			r.Faults = append(r.Faults, f)
		}
	}
}

// double notes somebody who seems to be there already.
func (r *Report) double(d Double) {
	code := AlreadyThere
	switch {
	case d.By == samePhone:
		code = SharedPhone
	case d.Row > 0:
		code = TwiceInFile
	}
	if !d.In {
		r.Duplicates++
	}
	if !d.In || d.By == samePhone {
		r.note(RowFault{Line: d.Line, Code: code})
	}
	if len(r.Doubles) < mostDoubles {
		r.Doubles = append(r.Doubles, d)
	}
}

func (r *Report) sample(row ready, volunteers bool) {
	if len(r.First) == samples {
		return
	}
	p := Sample{
		Line: row.line, Civility: row.her.Civility, Last: row.her.Last, First: row.her.First, Birth: row.her.Birth, Address: row.her.Address,
		Commune: row.facts.Commune,
	}
	numbers := row.her.Phones
	if volunteers {
		p = Sample{
			Line: row.line, Civility: row.him.Civility, Last: row.him.Last, First: row.him.First, Birth: row.him.Birth, Address: row.him.Address,
			Commune: row.offer.Commune,
		}
		numbers = row.him.Phones
	}
	if len(numbers) > 0 {
		p.Phone = numbers[0].Number
	}
	r.First = append(r.First, p)
}

// Codes of faults that the records give to a row; sheet has those of its cells.
const (
	AlreadyThere  = "already-there"
	TwiceInFile   = "twice-in-file"
	SharedPhone   = "same-phone"
	outsideHere   = "commune-outside"
	kindUnknown   = "kind-unknown"
	statusUnknown = "status-unknown"
	rowRefused    = "refused"
)

// FaultCodes lists what the code of a RowFault may be, for dictionaries: those of
// cells, of the records, and of the checks that everybody passes who is enrolled.
func FaultCodes() []string {
	return append(sheet.FaultCodes(), AlreadyThere, TwiceInFile, SharedPhone, outsideHere, kindUnknown, statusUnknown, rowRefused,
		"missing", "phone-unreadable", "date-unreadable", "email-malformed", "too-long", "too-many", "not-text", "out-of-range")
}

// FileCodes lists for what reasons a file as a whole is refused.
func FileCodes() []string { return sheet.ErrorCodes() }

// ImportFields lists what a column may mean, in the order in which a person would
// write them.
func ImportFields(volunteers bool) (out []string) {
	kind := sheet.Beneficiaries
	if volunteers {
		kind = sheet.Volunteers
	}
	for _, c := range sheet.Columns(kind) {
		out = append(out, string(c))
	}
	return out
}

// rowReader makes rows into people of this territory.
type rowReader struct {
	*Imports
	in       Spreadsheet
	kinds    []ActionType
	communes []Commune
}

func (s *Imports) rowReader(in Spreadsheet) (*rowReader, error) {
	kinds, err := s.types()
	if err != nil {
		return nil, err
	}
	t, err := s.territory()
	if err != nil {
		return nil, err
	}
	if in.Commune == "" && len(t.Communes) == 1 {
		in.Commune = t.Communes[0]
	}
	if in.Commune != "" {
		if err := s.inTerritory("commune", in.Commune); err != nil {
			return nil, err
		}
	}
	b := &rowReader{Imports: s, in: in, kinds: kinds}
	for _, code := range t.Communes {
		if c, ok := LookupCommune(code); ok {
			b.communes = append(b.communes, c)
		}
	}
	return b, nil
}

func (b *rowReader) person(row sheet.Row) (r ready, faults []RowFault) {
	r.line = row.Line
	for _, f := range row.Faults {
		faults = append(faults, RowFault{f.Line, string(f.Column), f.Code, f.Fatal})
	}
	fault := func(column sheet.Column, code string, fatal bool) {
		faults = append(faults, RowFault{row.Line, string(column), code, fatal})
	}
	commune, ok := b.commune(row.Cells[sheet.Commune], row.Cells[sheet.Postcode])
	if !ok {
		fault(sheet.Commune, outsideHere, true)
		return r, faults
	}
	if b.in.Volunteers {
		b.volunteer(&r, row, commune, fault)
	} else {
		b.beneficiary(&r, row, commune, fault)
	}
	return r, faults
}

func (b *rowReader) beneficiary(r *ready, row sheet.Row, commune string, fault func(sheet.Column, string, bool)) {
	cell := func(c sheet.Column) Secret { return crypto.NewSecret(row.Cells[c]) }
	r.facts = BeneficiaryFacts{Commune: commune, State: people.Active, Basis: b.in.Basis}
	r.her = BeneficiaryWords{
		Civility: civility(row), Last: cell(sheet.LastName), First: cell(sheet.FirstName), Birth: crypto.NewSecret(row.Birth.String()),
		Address: crypto.NewSecret(joined(row.Cells[sheet.Address], row.Cells[sheet.Address2])), Postcode: cell(sheet.Postcode),
		Needs: cell(sheet.Needs), Languages: cell(sheet.Languages), Note: cell(sheet.Notes),
		Emergency: b.contact(row, sheet.EmergencyName, sheet.EmergencyPhone), Trusted: b.contact(row, sheet.TrustedName, sheet.TrustedPhone),
	}
	r.her.Paper, _ = sheet.ParsePaper(row.Cells[sheet.Paper])
	if checkEmail(cell(sheet.Email)) == nil {
		r.her.Email = cell(sheet.Email)
	}
	r.her.Phones = phones(row)
	r.her.Note = withUnread(row, r.her.Note)
	if len(r.her.Phones) > 0 {
		r.her.Phones[0].Ring = cell(sheet.RingHabit)
	}
	if err := b.checkBeneficiary(&r.facts, &r.her); err != nil {
		b.refuse(err, fault)
	}
}

func (b *rowReader) volunteer(r *ready, row sheet.Row, commune string, fault func(sheet.Column, string, bool)) {
	cell := func(c sheet.Column) Secret { return crypto.NewSecret(row.Cells[c]) }
	number := func(c sheet.Column, most int) uint8 {
		n, ok := sheet.ParseNumber(row.Cells[c])
		if row.Cells[c] != "" && (!ok || n > most) {
			fault(c, sheet.NumberUnreadable, false)
			return 0
		}
		return uint8(n)
	}
	car, _ := sheet.ParseYes(row.Cells[sheet.Car])
	r.offer = Readiness{
		Commune: commune, RadiusKm: number(sheet.RadiusKM, 100), Car: car, Seats: number(sheet.Seats, 9), PerWeek: number(sheet.MaxPerWeek, 50),
	}
	if row.Cells[sheet.RadiusKM] == "" {
		r.offer.RadiusKm = usualRadius
	}
	for _, word := range strings.FieldsFunc(row.Cells[sheet.Kinds], func(c rune) bool { return strings.ContainsRune(",;/+", c) }) {
		i := slices.IndexFunc(b.kinds, func(t ActionType) bool { return search.Fold(t.Name) == search.Fold(word) })
		if i < 0 {
			fault(sheet.Kinds, kindUnknown, false)
			continue
		}
		r.offer.Kinds = append(r.offer.Kinds, b.kinds[i].ID)
	}
	r.state = people.Applicant
	if text := row.Cells[sheet.Status]; text != "" {
		if r.state = statusOf(text); r.state == 0 {
			fault(sheet.Status, statusUnknown, false)
			r.state = people.Applicant
		}
	}
	r.him = VolunteerWords{
		Civility: civility(row), Last: cell(sheet.LastName), First: cell(sheet.FirstName), Birth: crypto.NewSecret(row.Birth.String()),
		Address: crypto.NewSecret(joined(row.Cells[sheet.Address], row.Cells[sheet.Address2])), Languages: cell(sheet.Languages),
		Note: crypto.NewSecret(joined(row.Cells[sheet.Availability], row.Cells[sheet.Notes])), Phones: phones(row),
	}
	r.him.Note = withUnread(row, r.him.Note)
	r.him.Paper, _ = sheet.ParsePaper(row.Cells[sheet.Paper])
	if checkEmail(cell(sheet.Email)) == nil {
		r.him.Email = cell(sheet.Email)
	}
	if err := (&Volunteers{b.core}).check(&r.offer, &r.him); err != nil {
		b.refuse(err, fault)
	}
}

// usualRadius is how far a volunteer goes when the file does not say, in km.
const usualRadius = 10

// refuse notes why the ordinary checks of a person say no.
func (b *rowReader) refuse(err error, fault func(sheet.Column, string, bool)) {
	if e, ok := errors.AsType[*Error](err); ok {
		fault(sheet.Column(e.Field), e.Code, true)
		return
	}
	fault("", rowRefused, true)
}

func civility(row sheet.Row) Secret {
	if c := row.Cells[sheet.Civility]; c != "" {
		return crypto.NewSecret(c)
	}
	switch sex, _ := sheet.ParseSex(row.Cells[sheet.Sex]); sex {
	case "F":
		return crypto.NewSecret("Mme")
	case "M":
		return crypto.NewSecret("M.")
	}
	return Secret{}
}

func phones(row sheet.Row) (out []Phone) {
	for _, p := range row.Phones[:min(len(row.Phones), mostPhones)] {
		out = append(out, Phone{Number: crypto.NewSecret(p)})
	}
	return out
}

// withUnread keeps in the note what stood in a telephone column and is no number:
// "06 … (sa fille)" is worth more than nothing.
func withUnread(row sheet.Row, note Secret) Secret {
	text := note.Reveal()
	for _, f := range row.Faults {
		if f.Code == sheet.PhoneUnreadable && (f.Column == sheet.Phone || f.Column == sheet.Mobile || f.Column == sheet.Phone2) {
			text = joined(text, row.Cells[f.Column])
		}
	}
	return crypto.NewSecret(text)
}

// contact keeps a name, and a number if it can be read.
func (b *rowReader) contact(row sheet.Row, name, phone sheet.Column) Contact {
	c := Contact{Name: crypto.NewSecret(row.Cells[name])}
	first, _, _ := strings.Cut(row.Cells[phone], " ")
	if e164, err := people.ParsePhone(first); err == nil {
		c.Phone = crypto.NewSecret(e164)
	}
	return c
}

func joined(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + ", " + b
}

// commune finds a commune of the territory by its name, or by a postcode that
// only one of them has.
func (b *rowReader) commune(name, postcode string) (code string, ok bool) {
	var byName, byPostcode []Commune
	for _, c := range b.communes {
		if name != "" && search.Fold(c.Name) == search.Fold(name) {
			byName = append(byName, c)
		}
		if slices.Contains(c.Postcodes, postcode) {
			byPostcode = append(byPostcode, c)
		}
	}
	sort.Slice(byName, func(i, j int) bool {
		return len(common(byName[j], postcode)) < len(common(byName[i], postcode))
	})
	switch {
	case len(byName) > 0:
		return string(byName[0].Code), true
	case name == "" && len(byPostcode) == 1:
		return string(byPostcode[0].Code), true
	case name == "" && b.in.Commune != "":
		return b.in.Commune, true
	}
	return "", false
}

func common(c Commune, postcode string) string {
	if slices.Contains(c.Postcodes, postcode) {
		return postcode
	}
	return ""
}

// statusOf reads how far a town hall's own file says it has come with somebody.
func statusOf(text string) Status {
	switch search.Fold(text) {
	case "candidat", "nouveau", "inscrit", "a rencontrer", "en attente":
		return people.Applicant
	case "rencontre", "rencontree", "entretien fait", "vu", "vue":
		return people.Met
	case "approuve", "approuvee", "valide", "validee", "actif", "active", "ok":
		return people.Approved
	case "suspendu", "suspendue", "en pause", "pause":
		return people.Suspended
	case "termine", "terminee", "fini", "finie", "inactif", "inactive", "parti", "partie":
		return people.Ended
	}
	return 0
}
