package api

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// importRoutes are the operations of this file.
type importRoutes struct{ *server }

// importForm is the form around a spreadsheet.
type importForm struct {
	File       huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"Workbook (.xlsx) or CSV, at most 8 MiB"`
	Kind       string        `form:"kind" required:"true" enum:"beneficiaries,volunteers"`
	Basis      basisWord     `form:"basis" required:"true" doc:"Legal basis on which these people are in the file"`
	Sheet      string        `form:"sheet" required:"false" doc:"Of a workbook; by default the first sheet that has titles"`
	Mapping    string        `form:"mapping" required:"false" example:"Ville=commune,Obs=notes" doc:"Columns that are guessed wrongly"`
	Commune    string        `form:"commune" required:"false" doc:"INSEE code for rows without one"`
	Duplicates bool          `form:"duplicates" required:"false" doc:"Bring in people who seem to be there already"`
	SkipFaulty bool          `form:"skip_faulty" required:"false" doc:"Leave out rows that cannot go in, and bring in the others"`
	DryRun     bool          `form:"dry_run" required:"false" doc:"Only say what would happen"`
	Resume     string        `form:"resume" required:"false" format:"uuid" doc:"An import that was interrupted: go on, with the same file and choices"`
}

// formFields are the names of the form, for what else somebody sends.
var formFields = map[string]bool{
	"kind": true, "basis": true, "sheet": true, "mapping": true, "commune": true, "duplicates": true, "skip_faulty": true, "dry_run": true, "resume": true,
}

// report says what an import would do, or has done. It names places, not values.
type report struct {
	ID         string     `json:"id,omitempty" format:"uuid" doc:"None after a dry run"`
	Charset    string     `json:"charset" doc:"XLSX for a workbook"`
	Separator  string     `json:"separator" doc:"Empty for a workbook"`
	Sheet      string     `json:"sheet,omitempty" doc:"Of a workbook, the sheet that was read"`
	Sheets     []string   `json:"sheets,omitempty" doc:"All sheets of the workbook that are seen"`
	Columns    []column   `json:"columns"`
	Rows       int        `json:"rows" doc:"In the file"`
	Good       int        `json:"good" doc:"That can go in"`
	Faulty     int        `json:"faulty" doc:"That cannot"`
	Duplicates int        `json:"duplicates" doc:"That seem to be there already"`
	Brought    int        `json:"brought" doc:"That went in"`
	Faults     []rowFault `json:"faults" doc:"At most 500"`
}

type column struct {
	Header string `json:"header" doc:"As the file has it"`
	Field  string `json:"field" doc:"Ours; empty: not used"`
	Why    string `json:"why"`
}

type rowFault struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	Fatal  bool   `json:"fatal"`
}

// mostRowFaults bounds an answer; the counts go on.
const mostRowFaults = 500

func reportOut(r node.Report) report {
	out := report{
		ID: r.ID.String(), Charset: r.Charset, Separator: r.Comma, Sheet: r.Sheet, Sheets: r.Sheets, Columns: []column{}, Rows: r.Rows, Good: r.Good,
		Faulty: r.Faulty, Duplicates: r.Duplicates, Brought: r.Brought, Faults: []rowFault{},
	}
	for _, c := range r.Columns {
		out.Columns = append(out.Columns, column{c.Header, c.Field, c.Why})
	}
	for _, f := range r.Faults[:min(len(r.Faults), mostRowFaults)] {
		out.Faults = append(out.Faults, rowFault(f))
	}
	return out
}

type importInput struct {
	RawBody huma.MultipartFormFiles[importForm]
}

type reported struct {
	Index uint64 `header:"X-Index"`
	Body  report
}

func (s importRoutes) runImport(ctx context.Context, in *importInput) (*reported, error) {
	for name := range in.RawBody.Form.Value {
		if !formFields[name] {
			return nil, malformed("form", "unexpected property")
		}
	}
	form := in.RawBody.Data()
	resume, err := idIn[node.ImportID]("resume", form.Resume)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(form.File)
	if err != nil {
		return nil, err
	}
	sheet := node.Spreadsheet{
		Name: form.File.Filename, Volunteers: form.Kind == "volunteers", Content: content, Sheet: form.Sheet, Mapping: form.Mapping, Commune: form.Commune,
		Basis: bases.value(string(form.Basis)), Duplicates: form.Duplicates, SkipFaulty: form.SkipFaulty,
	}
	var r node.Report
	if form.DryRun {
		r, err = s.node.Imports.Preview(caller(ctx), sheet)
	} else {
		r, err = s.node.Imports.Run(ctx, caller(ctx), resume, sheet)
	}
	if err != nil {
		return nil, err
	}
	return &reported{s.node.Index(), reportOut(r)}, nil
}

// imported is one import in the list.
type imported struct {
	ID       string          `json:"id" format:"uuid"`
	Version  uint32          `json:"version"`
	State    importStateWord `json:"state"`
	File     string          `json:"file,omitempty"`
	Rows     uint32          `json:"rows"`
	Used     uint32          `json:"used" doc:"How often its people were changed or helped since"`
	BegunAt  time.Time       `json:"begun_at"`
	ClosedAt time.Time       `json:"closed_at,omitzero"`
	By       string          `json:"by,omitempty" format:"uuid"`
}

func importedOut(i node.Imported) imported {
	return imported{
		i.ID.String(), i.Version, importStateWord(importStates.of(uint8(i.State))), i.File.Reveal(), i.Rows, i.Used,
		at(i.Begun), at(i.Closed), i.By.String(),
	}
}

func (s importRoutes) imports(ctx context.Context, _ *struct{ Reading }) (*listed[imported], error) {
	found, err := s.node.Imports.List(caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(found, "", importedOut), nil
}

func (s importRoutes) undoImport(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.ImportID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Imports.Undo(ctx, caller(ctx), id))
}

// file is a whole spreadsheet.
type file struct {
	Type        string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

const (
	csvType  = "text/csv"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// spreadsheet describes an answer that is a file.
func spreadsheet(op *huma.Operation) {
	op.Responses["200"].Content = map[string]*huma.MediaType{
		csvType: {Schema: &huma.Schema{Type: huma.TypeString}}, xlsxType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}
}

type exportInput struct {
	Reading
	Format string `query:"format" enum:"csv,xlsx" default:"csv" doc:"A workbook keeps every cell as text"`
}

func (s importRoutes) exportBeneficiaries(ctx context.Context, in *exportInput) (*file, error) {
	return s.export(ctx, "beneficiaries", false, in.Format)
}

func (s importRoutes) exportVolunteers(ctx context.Context, in *exportInput) (*file, error) {
	return s.export(ctx, "volunteers", true, in.Format)
}

// export makes the file in memory first: half a file would look like a whole one.
func (s importRoutes) export(ctx context.Context, name string, volunteers bool, format string) (*file, error) {
	write, kind := s.node.Imports.Export, csvType+"; charset=utf-8"
	if format == "xlsx" {
		write, kind = s.node.Imports.ExportWorkbook, xlsxType
	}
	var out bytes.Buffer
	if err := write(caller(ctx), &out, volunteers); err != nil {
		return nil, err
	}
	return &file{kind, `attachment; filename="` + name + `.` + format + `"`, out.Bytes()}, nil
}
