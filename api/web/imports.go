package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// imports bring in the town hall's spreadsheets: choose a file, look at what it
// would do, correct that, bring the people in, take them back.
type imports struct{ *Site }

// What a page shows at most; the counts and the file of faults go on.
const (
	shownFaults  = 200
	shownDoubles = 200
)

// uploadForm is above the file.
type uploadForm struct {
	Volunteers bool
	Basis      int
	Commune    string
}

type importsData struct {
	Imports  []node.Imported
	Communes []communeChoice
	Form     uploadForm
	Waiting  draft
	Waits    bool
}

// ID of the waiting draft, and the name of its file, for templates.
func (d importsData) ID() string   { return d.Waiting.id }
func (d importsData) File() string { return d.Waiting.sheet.Name }

func (s imports) page(c *gin.Context) {
	s.list(c, http.StatusOK, uploadForm{}, nil)
}

func (s imports) list(c *gin.Context, code int, form uploadForm, p *problem) {
	w := s.words(c)
	d := importsData{Form: form, Communes: s.communes(caller(c))}
	var err error
	if d.Imports, err = s.node.Imports.List(caller(c)); err != nil {
		s.fail(c, err)
		return
	}
	d.Waiting, d.Waits = s.drafts.get(caller(c).Account, "")
	d.Waits = d.Waits && d.Waiting.stage != ended
	flash := ""
	if c.Query("ok") == "forgotten" {
		flash = w.t("imports.is_forgotten")
	}
	s.render(c, code, "imports", page{Title: w.t("imports.title"), Here: "settings", Flash: flash, Problem: p, Data: d})
}

// lost answers who comes back to an upload that is no longer here.
func (s imports) lost(c *gin.Context) {
	s.list(c, http.StatusGone, uploadForm{}, &problem{Text: s.words(c).t("imports.lost")})
}

// model is an empty file to be filled in.
func (s imports) model(c *gin.Context) {
	name, volunteers := "beneficiaires.csv", false
	switch c.Param("kind") {
	case "beneficiaries":
	case "volunteers":
		name, volunteers = "benevoles.csv", true
	default:
		s.notFound(c)
		return
	}
	var out bytes.Buffer
	if err := s.node.Imports.Model(&out, volunteers); err != nil {
		s.fail(c, err)
		return
	}
	attach(c, name, out.Bytes())
}

// attach sends a CSV file.
func attach(c *gin.Context, name string, content []byte) {
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "text/csv; charset=utf-8", content)
}

// upload takes a file and reads it, and writes nothing.
func (s imports) upload(c *gin.Context) {
	const around = 1 << 20 // the form around the file
	form := uploadForm{}
	if c.Request.ContentLength > node.MaxSpreadsheet+around {
		// A browser shows our answer only once it has sent everything: it goes nowhere.
		io.Copy(io.Discard, c.Request.Body)
		s.refuse(c, form, http.StatusRequestEntityTooLarge, "file-too-large")
		return
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, node.MaxSpreadsheet+around)
	err := c.Request.ParseMultipartForm(node.MaxSpreadsheet + 2*around) // all of it in memory, nothing in files
	form.Volunteers, form.Commune = c.PostForm("kind") == "volunteers", c.PostForm("commune")
	form.Basis, _ = strconv.Atoi(c.PostForm("basis"))
	file, header, ferr := c.Request.FormFile("file")
	switch {
	case errors.As(err, new(*http.MaxBytesError)), ferr == nil && header.Size > node.MaxSpreadsheet:
		s.refuse(c, form, http.StatusRequestEntityTooLarge, "file-too-large")
		return
	case err != nil || ferr != nil || header.Size == 0 && header.Filename == "":
		s.refuse(c, form, http.StatusUnprocessableEntity, "no-file")
		return
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		s.refuse(c, form, http.StatusUnprocessableEntity, "no-file")
		return
	}
	d := draft{id: newKey(), key: newKey(), of: caller(c).Account, sheet: node.Spreadsheet{
		Name: header.Filename, Volunteers: form.Volunteers, Content: content, Commune: form.Commune, Basis: basisOf(form.Basis), SkipFaulty: true,
	}}
	if d.report, err = s.node.Imports.Preview(caller(c), d.sheet); err != nil {
		s.list(c, status(err), form, s.sayFile(c, err))
		return
	}
	if !s.drafts.put(d) {
		s.refuse(c, form, http.StatusServiceUnavailable, "too-much-waits")
		return
	}
	c.Redirect(http.StatusSeeOther, "/settings/imports/"+d.id)
}

// basisOf reads the form's choice; anything else is none, and refused.
func basisOf(choice int) node.LegalBasis {
	if choice < 0 || choice > int(node.VitalInterest) {
		return 0
	}
	return node.LegalBasis(choice)
}

// refuse says why a file was not taken, by a code of ours.
func (s imports) refuse(c *gin.Context, form uploadForm, status int, code string) {
	s.list(c, status, form, &problem{Code: code, Field: "file", Text: s.words(c).t("imports.file." + code)})
}

// sayFile says an error about a file in words of this page, and others as usual.
func (s imports) sayFile(c *gin.Context, err error) *problem {
	w := s.words(c)
	p := s.sayTo(c, err)
	if e, ok := errors.AsType[*node.Error](err); ok && p != nil {
		if key := "imports.file." + e.Code; w.knows(key) {
			p.Text = w.t(key, "Line", e.Line)
		}
	}
	return p
}

// show is the page of one upload, at whatever stage it is.
func (s imports) show(c *gin.Context) {
	d, ok := s.drafts.get(caller(c).Account, c.Param("id"))
	switch {
	case !ok:
		s.lost(c)
	case d.stage == running:
		s.showRunning(c, d)
	case d.stage == ended:
		s.render(c, http.StatusOK, "import_done", page{Title: s.words(c).t("imports.done_title"), Here: "settings", Narrow: true, Data: d.report})
	default:
		var p *problem
		if d.stage == stuck {
			p = s.sayFile(c, d.err)
		}
		s.look(c, http.StatusOK, d, p)
	}
}

// showRunning says how far it has come, and asks the browser to look again.
func (s imports) showRunning(c *gin.Context, d draft) {
	w := s.words(c)
	c.Header("Refresh", "2")
	came := uint32(0)
	if list, err := s.node.Imports.List(caller(c)); err == nil {
		for _, i := range list {
			if i.State == node.ImportStaged && i.By == d.of {
				came = i.Rows
				break
			}
		}
	}
	s.render(c, http.StatusOK, "import_running", page{Title: w.t("imports.running_title"), Here: "settings", Narrow: true, Data: struct {
		ID   string
		Came uint32
		All  int
	}{d.id, came, d.report.Good}})
}

func (s imports) look(c *gin.Context, code int, d draft, p *problem) {
	w := s.words(c)
	s.render(c, code, "import", page{Title: w.t("imports.look_title"), Here: "settings", Problem: p, Data: aboutFiles{w}.draftPage(d, s.communes(caller(c)))})
}

// act reviews an upload with other choices, brings its people in, or forgets it.
func (s imports) act(c *gin.Context) {
	by := caller(c)
	d, ok := s.drafts.get(by.Account, c.Param("id"))
	if !ok {
		s.lost(c)
		return
	}
	here := "/settings/imports/" + d.id
	switch {
	case c.PostForm("act") == "forget":
		s.drafts.drop(by.Account, d.id)
		c.Redirect(http.StatusSeeOther, "/settings/imports?ok=forgotten")
		return
	case d.stage == running || d.stage == ended: // sent twice
		c.Redirect(http.StatusSeeOther, here)
		return
	}
	next := d
	next.sheet = corrected(d, c)
	anew := changed(d.sheet, next.sheet)
	if anew || c.PostForm("act") != "import" {
		var err error
		if next.report, err = s.node.Imports.Preview(by, next.sheet); err != nil {
			s.look(c, status(err), d, s.sayFile(c, err))
			return
		}
		next.stage, next.err, next.key = looked, nil, newKey()
		s.drafts.change(next, looked, stuck)
		if anew && c.PostForm("act") == "import" { // nobody has seen yet what this would do
			s.look(c, http.StatusConflict, next, &problem{Text: s.words(c).t("imports.look_again")})
			return
		}
		c.Redirect(http.StatusSeeOther, here)
		return
	}
	if !maps.Equal(d.sheet.Chosen, next.sheet.Chosen) {
		next.key = newKey()
	}
	next.stage, next.err = running, nil
	by.Key = next.key
	if s.drafts.change(next, looked, stuck) {
		// The browser may go away; the import does not.
		go s.bring(context.WithoutCancel(c.Request.Context()), by, next)
	}
	c.Redirect(http.StatusSeeOther, here)
}

// bring runs an import to its end.
func (s imports) bring(ctx context.Context, by node.Caller, d draft) {
	defer func() {
		if recover() != nil { // its value may hold a person's words, a stack holds none
			s.log.Error("an import has panicked", slog.String("stack", string(debug.Stack())))
			d.stage, d.err = stuck, errors.New("web: an import has panicked")
			s.drafts.change(d, running)
		}
	}()
	report, err := s.node.Imports.Run(ctx, by, node.ImportID{}, d.sheet)
	if err != nil {
		d.stage, d.err = stuck, err
	} else {
		d.stage, d.report, d.sheet.Content = ended, report, nil
	}
	s.drafts.change(d, running)
}

// corrected takes the form's choices. Where the form has none, the earlier stay.
func corrected(d draft, c *gin.Context) node.Spreadsheet {
	in := d.sheet
	if basis, err := strconv.Atoi(c.PostForm("basis")); err == nil {
		in.Basis = basisOf(basis)
	}
	if commune, ok := c.GetPostForm("commune"); ok {
		in.Commune = commune
	}
	if name := c.PostForm("sheet"); name != "" && name != d.report.Sheet {
		in.Sheet, in.Fields, in.Chosen = name, nil, nil // its columns and lines are others
		return in
	}
	fields := make([]string, len(d.report.Columns))
	for i, column := range d.report.Columns {
		fields[i] = column.Field
		if field, ok := c.GetPostForm("field-" + strconv.Itoa(i)); ok {
			fields[i] = field
		}
		if fields[i] != column.Field {
			in.Fields = fields
		}
	}
	in.Chosen = map[int]bool{}
	for _, double := range d.report.Doubles {
		line := strconv.Itoa(double.Line)
		if choice := c.PostForm("double-" + line); choice != "" {
			in.Chosen[double.Line] = choice == "in"
		} else if chosen, ok := d.sheet.Chosen[double.Line]; ok {
			in.Chosen[double.Line] = chosen
		}
	}
	return in
}

// changed reports whether other rows would come in, or the same otherwise; a
// choice about a double is seen where it is made.
func changed(a, b node.Spreadsheet) bool {
	return a.Sheet != b.Sheet || a.Commune != b.Commune || a.Basis != b.Basis || !slices.Equal(a.Fields, b.Fields)
}

// faults is the whole list of what is wrong, as a file to work through. It holds
// lines and titles, and nothing of what stands in the cells.
func (s imports) faults(c *gin.Context) {
	d, ok := s.drafts.get(caller(c).Account, c.Param("id"))
	if !ok {
		s.lost(c)
		return
	}
	w := s.words(c)
	var rows [][]string
	for _, f := range (aboutFiles{w}).faultLines(d.report, len(d.report.Faults)) {
		stays := ""
		if f.Out {
			stays = w.t("imports.stays_out")
		}
		rows = append(rows, []string{strconv.Itoa(f.Line), f.Title, f.Text, stays})
	}
	var out bytes.Buffer
	if err := node.WriteSpreadsheet(&out, []string{w.t("imports.csv_line"), w.t("imports.csv_column"), w.t("imports.csv_fault"), w.t("imports.csv_stays")}, rows); err != nil {
		s.fail(c, err)
		return
	}
	attach(c, w.t("imports.csv_name"), out.Bytes())
}

func (s imports) undo(c *gin.Context) {
	id, err := node.ParseID[node.ImportID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	if _, err := s.node.Imports.Undo(c.Request.Context(), writer(c), id); err != nil {
		s.list(c, status(err), uploadForm{}, s.sayFile(c, err))
		return
	}
	c.Redirect(http.StatusSeeOther, "/settings/imports?ok=undone")
}

// draftPage is what would happen, in words.
type draftPage struct {
	ID         string
	File       string
	Reading    string // how the file was read
	Report     node.Report
	Form       uploadForm
	Communes   []communeChoice
	Columns    []columnLine
	Fields     []fieldChoice
	Groups     []faultGroup
	Faults     []faultLine
	MoreFaults int
	Doubles    []doubleLine
	MoreTwins  int
}

type fieldChoice struct{ Value, Label string }

// columnLine is one column of the file and what it means.
type columnLine struct {
	N                 int
	Title, Field, Why string
}

// faultLine is one fault in words; Out says that the row stays out for it.
type faultLine struct {
	Line        int
	Title, Text string
	Out         bool
}

// faultGroup is how often one fault is there.
type faultGroup struct {
	N           int
	Title, Text string
	Out         bool
}

// doubleLine is somebody who may be there already.
type doubleLine struct {
	node.Double
	Link, Text string
}

// aboutFiles says what is in a spreadsheet.
type aboutFiles struct{ *tongue }

func (w aboutFiles) draftPage(d draft, communes []communeChoice) draftPage {
	r := d.report
	p := draftPage{
		ID: d.id, File: d.sheet.Name, Report: r, Communes: communes,
		Form:   uploadForm{Volunteers: d.sheet.Volunteers, Basis: int(d.sheet.Basis), Commune: d.sheet.Commune},
		Faults: w.faultLines(r, shownFaults), Groups: w.faultGroups(r),
	}
	p.Reading = w.t("imports.read_sheet", "Sheet", r.Sheet)
	if r.Sheet == "" {
		comma := map[string]string{";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}[r.Comma]
		p.Reading = w.t("imports.read_text", "Charset", r.Charset, "Comma", w.t("imports.comma."+comma))
	}
	for i, c := range r.Columns {
		title := c.Header
		if title == "" {
			title = w.t("imports.untitled", "Place", i+1)
		}
		p.Columns = append(p.Columns, columnLine{i, title, c.Field, w.t("imports.why." + c.Why)})
	}
	for _, f := range node.ImportFields(d.sheet.Volunteers) {
		p.Fields = append(p.Fields, fieldChoice{f, w.t("imports.field." + f)})
	}
	p.MoreFaults = len(r.Faults) - len(p.Faults)
	for _, t := range r.Doubles[:min(len(r.Doubles), shownDoubles)] {
		line := doubleLine{Double: t, Text: w.t("imports.alike." + t.By)}
		switch {
		case t.Row > 0:
		case !t.Beneficiary.Zero():
			line.Link = "/people/" + t.Beneficiary.String()
		case !t.Volunteer.Zero():
			line.Link = "/volunteers/" + t.Volunteer.String()
		}
		p.Doubles = append(p.Doubles, line)
	}
	p.MoreTwins = len(r.Doubles) - len(p.Doubles)
	return p
}

// faultLines says the first faults, those first that keep a row out.
func (w aboutFiles) faultLines(r node.Report, most int) (out []faultLine) {
	sorted := slices.Clone(r.Faults)
	sort.SliceStable(sorted, func(i, j int) bool { return rank(sorted[i]) < rank(sorted[j]) })
	for _, f := range sorted[:min(len(sorted), most)] {
		out = append(out, faultLine{f.Line, w.columnTitle(r, f.Column), w.t("imports.fault." + f.Code), staysOut(f)})
	}
	return out
}

func rank(f node.RowFault) int {
	if staysOut(f) {
		return 0
	}
	return 1
}

func staysOut(f node.RowFault) bool {
	return f.Fatal || f.Code == node.AlreadyThere || f.Code == node.TwiceInFile
}

// faultGroups counts the faults of each kind in each column, the most harmful and
// frequent first.
func (w aboutFiles) faultGroups(r node.Report) (out []faultGroup) {
	n := map[node.RowFault]int{}
	var kinds []node.RowFault
	for _, f := range r.Faults {
		f.Line = 0
		if n[f] == 0 {
			kinds = append(kinds, f)
		}
		n[f]++
	}
	sort.SliceStable(kinds, func(i, j int) bool {
		a, b := kinds[i], kinds[j]
		if rank(a) != rank(b) {
			return rank(a) < rank(b)
		}
		return n[b] < n[a]
	})
	for _, f := range kinds {
		out = append(out, faultGroup{n[f], w.columnTitle(r, f.Column), w.t("imports.fault." + f.Code), staysOut(f)})
	}
	return out
}

// columnTitle is the file's own title of a column, or ours where it has none.
func (w aboutFiles) columnTitle(r node.Report, field string) string {
	field, _, _ = strings.Cut(field, ".")
	switch field {
	case "": // the row as a whole
		return ""
	case "phones":
		field = "phone"
	case "birth":
		field = "birth_date"
	case "note":
		field = "notes"
	case "trusted", "emergency":
		field += "_name"
	}
	for _, c := range r.Columns {
		if c.Field == field && c.Header != "" {
			return c.Header
		}
	}
	if key := "imports.field." + field; w.knows(key) {
		return w.t(key)
	}
	return ""
}
