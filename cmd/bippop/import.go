package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// importing is what bippop import was told.
type importing struct {
	reaching
	file, kind, basis, sheet, mapping, commune, resume string
	dryRun, skipFaulty, duplicates, asJSON             bool
}

// importReport is what the node says to a spreadsheet: places, never values.
type importReport struct {
	ID      string   `json:"id,omitempty"`
	Charset string   `json:"charset"`
	Sheet   string   `json:"sheet,omitempty"`
	Sheets  []string `json:"sheets,omitempty"`
	Columns []struct {
		Header string `json:"header"`
		Field  string `json:"field"`
		Why    string `json:"why"`
	} `json:"columns"`
	Rows       int           `json:"rows"`
	Good       int           `json:"good"`
	Faulty     int           `json:"faulty"`
	Duplicates int           `json:"duplicates"`
	Brought    int           `json:"brought"`
	Faults     []importFault `json:"faults"`
}

type importFault struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	Fatal  bool   `json:"fatal"`
}

func importCommand(out output) *cobra.Command {
	var o importing
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring in the town hall's spreadsheet (.xlsx or CSV)",
		Long: "import reads a workbook (.xlsx) or CSV file as a town hall keeps it, says how it understands each column and what is wrong in which row,\n" +
			"and brings everybody in, or nobody. Try it first with --dry-run; bippop import undo ID takes an import back.",
		Example: "  bippop import registre.csv --kind beneficiaries --basis consent --login admin --password-file password.txt --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.file = args[0]
			return o.run(c.Context(), out)
		},
	}
	o.reaching.flags(c.PersistentFlags())
	c.PersistentFlags().BoolVar(&o.asJSON, "json", false, "print one line for programs")
	f := c.Flags()
	f.StringVar(&o.kind, "kind", "", "whom the file lists: beneficiaries or volunteers")
	f.StringVar(&o.basis, "basis", "", "on what legal basis they are in it: consent, public-interest or vital-interest")
	f.StringVar(&o.sheet, "sheet", "", "which sheet of a workbook; by default the first one that has titles")
	f.StringVar(&o.mapping, "mapping", "", "columns that are guessed wrongly, as in 'Ville=commune,Obs=notes'")
	f.StringVar(&o.commune, "commune", "", "INSEE code for rows that name no commune")
	f.StringVar(&o.resume, "resume", "", "go on with an import that was interrupted (its ID)")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would happen, and do nothing")
	f.BoolVar(&o.skipFaulty, "skip-faulty", false, "leave out rows that cannot go in, and bring in the others")
	f.BoolVar(&o.duplicates, "duplicates", false, "bring in people who seem to be there already")
	undo := &cobra.Command{
		Use:   "undo ID",
		Short: "Take an import back, as long as nobody of it has been helped or changed",
		Args:  cobra.ExactArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return o.undo(c.Context(), args[0], out) },
	}
	c.AddCommand(undo)
	return c
}

func (o *importing) check() error {
	switch {
	case !slices.Contains([]string{"beneficiaries", "volunteers"}, o.kind):
		return usagef("say whom the file lists: --kind beneficiaries or --kind volunteers")
	case !slices.Contains([]string{"consent", "public-interest", "vital-interest"}, o.basis):
		return usagef("say on what legal basis these people are in your files: --basis consent, public-interest or vital-interest")
	}
	return nil
}

func (o *importing) run(ctx context.Context, out output) error {
	if err := o.check(); err != nil {
		return err
	}
	content, err := os.ReadFile(o.file)
	if err != nil {
		return fmt.Errorf("reading the spreadsheet: %w", err)
	}
	c, err := o.signIn(ctx)
	if err != nil {
		return err
	}
	defer c.signOut(ctx)
	report, err := o.send(ctx, c, content, true)
	if err != nil {
		return err
	}
	blocked := report.Faulty > 0 && !o.skipFaulty
	if !o.dryRun && !blocked && report.Good > 0 {
		preview := report.Faults
		if report, err = o.send(ctx, c, content, false); err != nil {
			return errors.Join(err, o.interrupted(ctx, c))
		}
		report.Faults = preview
	}
	if err := o.tell(out, report); err != nil {
		return err
	}
	switch {
	case blocked:
		return fmt.Errorf("%d of %d rows cannot go in, so nothing went in: correct them in the file, or leave them out with --skip-faulty", report.Faulty, report.Rows)
	case report.Good == 0 && report.Duplicates > 0:
		return errors.New("everybody in this file seems to be there already, so nothing went in: add --duplicates if they are namesakes")
	case report.Good == 0:
		return errors.New("no row of this file can go in, so nothing went in")
	}
	return nil
}

// send hands the file over.
func (o *importing) send(ctx context.Context, c *client, content []byte, dryRun bool) (importReport, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := [][2]string{{"kind", o.kind}, {"basis", o.basis}, {"sheet", o.sheet}, {"mapping", o.mapping}, {"commune", o.commune}}
	if !dryRun {
		fields = append(fields, [2]string{"resume", o.resume})
	}
	for name, yes := range map[string]bool{"dry_run": dryRun, "skip_faulty": o.skipFaulty, "duplicates": o.duplicates} {
		if yes {
			fields = append(fields, [2]string{name, strconv.FormatBool(yes)})
		}
	}
	for _, f := range fields {
		if f[1] != "" {
			form.WriteField(f[0], f[1])
		}
	}
	part, err := form.CreateFormFile("file", filepath.Base(o.file))
	if err != nil {
		return importReport{}, err
	}
	part.Write(content) // into memory, as all above: no error is possible
	if err := form.Close(); err != nil {
		return importReport{}, err
	}
	answer, err := c.send(ctx, http.MethodPost, "/imports", form.FormDataContentType(), &body)
	if err != nil {
		return importReport{}, err
	}
	defer answer.Body.Close()
	var r importReport
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		return r, errors.New("the node's answer cannot be read; look at the list of imports on its pages before you try again")
	}
	return r, nil
}

// interrupted looks whether an import has begun and not come to its end.
func (o *importing) interrupted(ctx context.Context, c *client) error {
	var list struct {
		Items []struct {
			ID    string `json:"id"`
			State string `json:"state"`
			File  string `json:"file"`
		} `json:"items"`
	}
	if c.call(ctx, "GET", "/imports", nil, &list) != nil {
		return nil // the first error says enough
	}
	for _, i := range list.Items {
		if i.State == "staged" && i.File == filepath.Base(o.file) {
			return fmt.Errorf("the import was interrupted, and nobody sees any of it yet: repeat the command with --resume %s", i.ID)
		}
	}
	return nil
}

func (o *importing) undo(ctx context.Context, id string, out output) error {
	c, err := o.signIn(ctx)
	if err != nil {
		return err
	}
	defer c.signOut(ctx)
	if err := c.call(ctx, "POST", "/imports/"+id+"/undo", map[string]any{}, nil); err != nil {
		return err
	}
	if o.asJSON {
		return out.json(map[string]any{"undone": id})
	}
	out.printf("The import is undone: nobody of it is left in the lists.")
	return nil
}

func (o *importing) tell(out output, r importReport) error {
	if o.asJSON {
		return out.json(r)
	}
	if len(r.Sheets) > 1 {
		out.printf("The sheet that was read is %q, of: %s (choose another with --sheet).\n", r.Sheet, strings.Join(r.Sheets, ", "))
	}
	out.printf("Columns, as they are understood (change one with --mapping 'Title=field'):")
	for _, c := range r.Columns {
		field := c.Field
		if field == "" {
			field = "not used"
		}
		out.printf("  %-32s %-16s %s", c.Header, field, c.Why)
	}
	if len(r.Faults) > 0 {
		out.printf("\nRows to look at:")
	}
	for _, f := range r.Faults {
		mark := " "
		if f.Fatal {
			mark = "!"
		}
		out.printf("%s line %-5d %-16s %s", mark, f.Line, f.Column, advice(f.Code))
	}
	out.printf("\n%d rows: %d can go in, %d cannot (!), %d seem to be there already.", r.Rows, r.Good, r.Faulty, r.Duplicates)
	switch {
	case r.ID != "":
		out.printf("%d people went in. To take them back: bippop import undo %s", r.Brought, r.ID)
	case o.dryRun:
		out.printf("Nothing was written: this was a dry run.")
	}
	return nil
}
