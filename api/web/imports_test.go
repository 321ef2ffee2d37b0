package web_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/bippop/bippop/node"
)

// visitor is a browser without script: it follows links and sends forms.
type visitor struct {
	*testing.T
	url    string
	client *http.Client
	at     string // the address of the last page
	status int
	page   string
	header http.Header
}

func (t *town) visitor(login string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	t.must(err)
	v := &visitor{T: t.T, url: t.url, client: &http.Client{Jar: jar}}
	v.post("/sign-in", url.Values{"login": {login}, "password": {password}})
	return v
}

func (v *visitor) take(r *http.Response, err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.Fatal(err)
	}
	v.at, v.status, v.page, v.header = r.Request.URL.RequestURI(), r.StatusCode, string(body), r.Header
}

func (v *visitor) get(path string) { v.Helper(); v.take(v.client.Get(v.url + path)) }

func (v *visitor) post(path string, form url.Values) {
	v.Helper()
	v.take(v.client.PostForm(v.url+path, form))
}

// upload sends a file as the form does.
func (v *visitor) upload(name string, content []byte, fields ...string) {
	v.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	values := map[string]string{"kind": "beneficiaries", "basis": "2", "commune": "33352", "key": "k"}
	for i := 0; i < len(fields); i += 2 {
		values[fields[i]] = fields[i+1]
	}
	for field, value := range values {
		form.WriteField(field, value)
	}
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err != nil {
		v.Fatal(err)
	}
	form.Close()
	v.take(v.client.Post(v.url+"/settings/imports", form.FormDataContentType(), &body))
}

func (v *visitor) sees(texts ...string) {
	v.Helper()
	for _, text := range texts {
		if !strings.Contains(v.page, text) {
			v.Errorf("%s (%d) does not say %q:\n%s", v.at, v.status, text, mainOf(v.page))
		}
	}
}

func (v *visitor) seesNot(text string) {
	v.Helper()
	if strings.Contains(v.page, text) {
		v.Errorf("%s says %q", v.at, text)
	}
}

var tags = regexp.MustCompile(`<[^>]*>`)

func mainOf(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	page, _, _ = strings.Cut(page, "</main>")
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

// form is what the import form of the page would send, as it stands.
func (v *visitor) form() url.Values {
	out := url.Values{"key": {fmt.Sprint(time.Now().UnixNano())}}
	for _, m := range regexp.MustCompile(`(?s)<select id="[^"]*" name="([^"]*)".*?</select>`).FindAllStringSubmatch(v.page, -1) {
		chosen := regexp.MustCompile(`<option(?: value="([^"]*)")? selected>([^<]*)`).FindStringSubmatch(m[0])
		switch {
		case chosen == nil:
			out.Set(m[1], "")
		case chosen[1] == "" && !strings.Contains(chosen[0], "value="):
			out.Set(m[1], chosen[2])
		default:
			out.Set(m[1], chosen[1])
		}
	}
	if m := regexp.MustCompile(`name="basis" value="(\d)"(?: required)? checked`).FindStringSubmatch(v.page); m != nil {
		out.Set("basis", m[1])
	}
	return out
}

// act presses a button of the import form, with other choices if there are any.
func (v *visitor) act(act string, changes ...string) {
	v.Helper()
	form := v.form()
	form.Set("act", act)
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	v.post(v.at, form)
}

// settle looks again until the import has ended, as the page itself does.
func (v *visitor) settle() {
	v.Helper()
	for v.header.Get("Refresh") != "" {
		v.get(v.at)
	}
}

// cell puts a value under a format.
func cell(t *testing.T, f *excelize.File, sheet, at string, value any, format string) {
	t.Helper()
	if err := f.SetCellValue(sheet, at, value); err != nil {
		t.Fatal(err)
	}
	if format != "" {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err == nil {
			err = f.SetCellStyle(sheet, at, at, style)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// register is a workbook as a town hall keeps it.
func register(t *testing.T) []byte {
	f := excelize.NewFile()
	cell(t, f, "Sheet1", "A1", "À lire avant de remplir", "")
	if _, err := f.NewSheet("Registre"); err != nil {
		t.Fatal(err)
	}
	put := func(at string, value any, format string) { cell(t, f, "Registre", at, value, format) }
	put("A1", "Commune de La Réole", "")
	put("A2", "Registre des personnes isolées, 2026", "")
	for i, title := range []string{"Civilité", "NOM", "Prénom", "Né(e) le", "Téléphone", "Adresse", "CP", "Commune", "Dit du facteur"} {
		put(fmt.Sprintf("%c4", 'A'+i), title, "")
	}
	for i, row := range [][]any{
		{"Mme", "Exemplard", "Yvette", 15412, 536491207, "3 rue des Exemples", 33190, "La Réole", "sonner deux fois"},
		{"M.", "Exemplot", "Noël", 14000, 6.39981234e8, "5 rue des Exemples", 33190, "La Réole", "chien gentil"},
		{"Mme", "Exempleau", "Odette", "12/0_/1942", "05 36 49 00 11", "7 rue des Exemples", 33190, "La Réole", ""},
		{"Mme", "Exempline", "Berthe", 13900, "", "9 rue des Exemples", 33190, "Nulle-Part", ""},
	} {
		for j, value := range row {
			format := map[int]string{3: "dd/mm/yyyy", 4: `0#" "##" "##" "##" "##`, 6: "00000"}[j]
			if _, text := value.(string); text {
				format = ""
			}
			put(fmt.Sprintf("%c%d", 'A'+j, 5+i), value, format)
		}
	}
	for _, m := range [][2]string{{"A1", "I1"}, {"A2", "E2"}, {"F5", "F6"}} {
		if err := f.MergeCell("Registre", m[0], m[1]); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := f.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSpreadsheet brings in a town hall's workbook, corrects one column, finds
// somebody of it at the desk, and takes all of it back.
func TestSpreadsheet(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	v := town.visitor("accueil")
	v.get("/settings")
	v.sees(`href="/settings/imports"`)
	v.get("/settings/imports")
	v.sees("Quel fichier ?", "RGPD, article 14", "Aucun pour l’instant.")
	v.get("/settings/imports/model/beneficiaries")
	v.sees("\ufeffCivilité;Nom;Prénom;Date de naissance")

	v.upload("registre 2026.xlsx", register(t), "commune", "")
	v.sees("3 personnes peuvent entrer", "feuille «\u00a0Registre\u00a0»", "Feuille lue, parmi 2", "<b>Exemplard</b> Yvette", "12/03/1942", "05 36 49 12 07",
		"Né(e) le</b> : cette date ne se lit pas", "Commune</b> : commune hors du territoire", "cases fusionnées")
	here := v.at
	v.get(here + "/faults")
	v.sees("\ufeffLigne;Colonne;À voir;Suite", "8;Commune;", "reste dehors", "7;Né(e) le;")
	v.seesNot("Dit du facteur")
	v.seesNot("12/0_/1942")
	v.seesNot("Exempl")
	v.get(here)

	// A changed column is looked at before it counts.
	v.act("import", "field-8", "notes")
	if v.status != http.StatusConflict {
		t.Errorf("got %d", v.status)
	}
	v.sees("Vous avez changé un choix")
	v.get(here)
	v.act("import")
	v.settle()
	v.sees("3 personnes sont entrées", "Elles restent à informer")
	v.post("/desk", url.Values{"q": {"exemplard"}})
	v.sees("Exemplard")
	hits, err := town.node.Find.People(town.admin, "exemplard", node.OnlyBeneficiary, 5)
	town.must(err)
	if len(hits) != 1 || hits[0].Beneficiary.Words.Note.Reveal() != "sonner deux fois" || hits[0].Beneficiary.Words.Birth.Reveal() != "1942-03-12" {
		t.Errorf("got %d hits, or other words", len(hits))
	}

	// Done twice is done once; the file is gone, its outcome is still told.
	v.post(here, url.Values{"act": {"import"}, "key": {"another"}})
	v.sees("3 personnes sont entrées")
	v.get("/settings/imports")
	v.sees("registre 2026.xlsx", "3 personnes", "visible")
	undo := regexp.MustCompile(`/settings/imports/[0-9a-f-]+/undo`).FindString(v.page)
	v.post(undo, url.Values{"key": {"undo"}})
	v.sees("L’import est annulé", "annulé</span>")
	if hits, _ = town.node.Find.People(town.admin, "exemplard", node.OnlyBeneficiary, 5); len(hits) != 0 {
		t.Error("somebody is found after the undo")
	}
}

// waitingImport uploads a workbook with all that a page can say of one, and gives its
// address. The list of imports shows it, and one that is done.
func (t *town) waitingImport() (path string) {
	v := t.visitor("admin")
	v.upload("registre 2026.xlsx", register(t.T), "commune", "")
	v.act("import")
	v.settle()
	v.upload("registre 2026.xlsx", register(t.T), "commune", "")
	return v.at
}

// TestDoublesAreProposed: who is there already stays out unless somebody says
// otherwise; who only shares a number comes in.
func TestDoublesAreProposed(t *testing.T) {
	town := newTown(t)
	town.beneficiary("Mme", "Yvette", "Exemplard", "05 36 49 12 07")
	v := town.visitor("admin")
	v.upload("liste.csv", []byte("Nom;Prénom;Né(e) le;Téléphone;Adresse\n"+
		"Exemplard;Yvette;12/03/1942;05 36 49 12 07;\n"+ // herself
		"Exemplar;Ivette;1942;;1 rue\n"+ // sounds like her, born in the same year
		"Exemplard;Yvette;01/01/1930;;1 rue\n"+ // a namesake, born on another day
		"Exemplet;Marcel;;05 36 49 12 07;\n"+ // her husband
		"Autrenom;Lucie;;;2 rue\n"+
		"AUTRENOM;Lucie;;;2 rue\n")) // twice in the file
	v.sees("3 personnes peuvent entrer", "Même nom.", "Nom qui sonne pareil.", "Même numéro", "Plus haut, ligne 6", "texte UTF-8, colonnes séparées par point-virgule")
	form := v.form()
	for line, want := range map[string]string{"2": "out", "3": "out", "5": "in", "7": "out", "4": ""} {
		if got := form.Get("double-" + line); got != want {
			t.Errorf("line %s: got %q, want %q", line, got, want)
		}
	}
	v.act("review", "double-3", "in", "double-5", "out")
	v.sees("3 personnes peuvent entrer")
	v.act("import", "double-2", "in")
	v.settle()
	v.sees("4 personnes sont entrées", "2 personnes déjà là sont restées dehors.")
}

// TestRefusedFiles: each gets a sentence that says what to do, and nothing is
// begun.
func TestRefusedFiles(t *testing.T) {
	town := newTown(t)
	v := town.visitor("admin")
	zipOf := func(pairs ...string) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for i := 0; i < len(pairs); i += 2 {
			w, err := z.Create(pairs[i])
			town.must(err)
			io.WriteString(w, pairs[i+1])
		}
		town.must(z.Close())
		return out.Bytes()
	}
	for _, c := range []struct {
		name   string
		in     []byte
		status int
		says   string
	}{
		{"empty.csv", nil, 422, "Ce fichier n’a aucune ligne sous ses titres."},
		{"picture.xlsx", []byte("\x89PNG\r\n\x1a\n\x00"), 422, "c’est un document ou une image"},
		{"letter.xlsx", zipOf("[Content_Types].xml", "<x/>", "word/document.xml", "<x/>"), 422, "c’est un document ou une image"},
		{"bomb.xlsx", zipOf("[Content_Types].xml", "<x/>", "xl/workbook.xml", strings.Repeat("\x00", 10<<20)), 422, "ce classeur est trop gros"},
		{"old.xls", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 422, "Enregistrer sous"},
		{"wide.csv", []byte("Nom;Prénom" + strings.Repeat(";x", 200) + "\n"), 422, "plus de 200 colonnes"},
		{"quote.csv", []byte("Nom;Prénom\n\"x;y\n"), 422, "Ligne 2"},
		{"titles.csv", []byte("1;2\n3;4\n"), 422, "la ligne des titres"},
		{"large.csv", bytes.Repeat([]byte("x"), node.MaxSpreadsheet+1), 413, "dépasse 8 Mo"},
		{"huge.csv", bytes.Repeat([]byte("x"), 12<<20), 413, "dépasse 8 Mo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.T = t
			v.upload(c.name, c.in)
			if v.status != c.status {
				t.Errorf("got %d, want %d", v.status, c.status)
			}
			v.sees(c.says)
		})
	}
	v.T = t
	v.upload("x.csv", []byte("Nom;Prénom\nx;y\n"), "basis", "9")
	v.sees("Dites à quel titre")
	if list, err := town.node.Imports.List(town.admin); err != nil || len(list) != 0 {
		t.Errorf("%d imports begun, %v", len(list), err)
	}
}

// TestFormulasAndCodings go in as text, or not at all.
func TestFormulasAndCodings(t *testing.T) {
	town := newTown(t)
	v := town.visitor("admin")
	v.upload("formule.csv", []byte("Nom,Prénom,Adresse\nExemplard,Yvette,\"=HYPERLINK(\"\"http://x\"\")\"\n"))
	v.sees("Personne ne peut entrer ainsi", "commence comme une formule", "virgule")
	v.seesNot("HYPERLINK")
	v.upload("vieux.csv", []byte("Nom;Pr\xe9nom;Adresse\nExemplard;No\xebl;1 rue\n"))
	v.sees("Windows-1252", "Noël")
	wide := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune("Nom\tPrénom\tAdresse\nExemplard\tNoël\t1 rue\n")) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	v.upload("unicode.txt", wide)
	v.sees("UTF-16", "tabulation", "Noël")
}

// TestUploadsWaitForTheirOwner: one for an account, half an hour, and nobody else's.
func TestUploadsWaitForTheirOwner(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	mine, other := town.visitor("accueil"), town.visitor("admin")
	file := func(name string) []byte { return []byte("Nom;Prénom;Adresse\n" + name + ";Yvette;1 rue\n") }
	mine.upload("un.csv", file("Exemplun"))
	first := mine.at
	other.get(first)
	if other.status != http.StatusGone {
		t.Errorf("got %d", other.status)
	}
	other.seesNot("Exemplun")
	mine.upload("deux.csv", file("Exempldeux"))
	second := mine.at
	mine.get(first) // the back button
	if mine.status != http.StatusGone {
		t.Errorf("got %d", mine.status)
	}
	mine.sees("Choisissez-le de nouveau", "«\u00a0deux.csv\u00a0» attend votre décision.")
	mine.post(first, url.Values{"act": {"import"}, "key": {"x"}})
	mine.sees("Choisissez-le de nouveau")
	mine.get(second)
	mine.act("forget")
	mine.sees("Le fichier est oublié.")
	mine.upload("trois.csv", file("Exempltrois"))
	town.wait(31 * time.Minute)
	mine.get(mine.at)
	mine.sees("Choisissez-le de nouveau")
	mine.get("/settings/imports/" + strings.Repeat("x", 40))
	mine.sees("Choisissez-le de nouveau")
	if list, err := town.node.Imports.List(town.admin); err != nil || len(list) != 0 {
		t.Errorf("%d imports begun, %v", len(list), err)
	}
	stranger := &visitor{T: t, url: town.url, client: &http.Client{}}
	stranger.get(second)
	if stranger.status != http.StatusUnauthorized {
		t.Errorf("got %d", stranger.status)
	}
}

// TestSentTwice: two presses at once bring the people in once.
func TestSentTwice(t *testing.T) {
	town := newTown(t)
	v := town.visitor("admin")
	var b strings.Builder
	b.WriteString("Nom;Prénom;Adresse\n")
	for i := range 400 {
		fmt.Fprintf(&b, "Exempl%s;Yvette;%d rue\n", strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprintf("%04d", i)), i)
	}
	v.upload("liste.csv", []byte(b.String()), "kind", "beneficiaries")
	form := v.form()
	form.Set("act", "import")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if r, err := v.client.PostForm(v.url+v.at, form); err == nil {
				r.Body.Close()
			}
		})
	}
	all.Wait()
	v.get(v.at)
	v.settle()
	v.sees("personnes sont entrées")
	list, err := town.node.Imports.List(town.admin)
	town.must(err)
	if len(list) != 1 || list[0].State != node.ImportCommitted {
		t.Errorf("%d imports", len(list))
	}
}

// TestEveryFaultHasWords in both languages.
func TestEveryFaultHasWords(t *testing.T) {
	for lang, words := range dictionaries(t) {
		for table, keys := range map[string][]string{
			"fault": node.FaultCodes(), "file": node.FileCodes(), "field": node.ImportFields(true), "why": {"title", "cells", "choice", "unknown", "twice"},
		} {
			for _, key := range keys {
				if words["imports."+table+"."+key][""] == "" {
					t.Errorf("%s: [imports.%s] has no %s", lang, table, key)
				}
			}
		}
	}
}

// TestImportOfTenThousand says how long a workbook of 10,000 people takes.
func TestImportOfTenThousand(t *testing.T) {
	if !*long {
		t.Log("a thousand; with -long ten thousand")
	}
	rows := 1000
	if *long {
		rows = 10_000
	}
	town := newTown(t)
	f := excelize.NewFile()
	for i, title := range []string{"NOM", "Prénom", "Né(e) le", "Téléphone", "Adresse", "CP", "Commune", "Observations"} {
		cell(t, f, "Sheet1", fmt.Sprintf("%c1", 'A'+i), title, "")
	}
	parts := []string{"ba", "do", "fi", "gu", "lo", "ma", "ni", "po", "ru", "ta"}
	for i := range rows {
		name := "Ex"
		for n, k := i, 0; k < 4; n, k = n/10, k+1 {
			name += parts[n%10]
		}
		for j, v := range []any{name, "Exemple", 12000 + i%5000, 536490000 + i, fmt.Sprintf("%d rue des Exemples", i), 33190, "La Réole", "sonner deux fois"} {
			town.must(f.SetCellValue("Sheet1", fmt.Sprintf("%c%d", 'A'+j, 2+i), v))
		}
	}
	var out bytes.Buffer
	_, err := f.WriteTo(&out)
	town.must(err)
	v := town.visitor("admin")
	start := time.Now()
	v.upload("registre.xlsx", out.Bytes())
	looked := time.Since(start)
	v.sees(fmt.Sprintf("%d personnes peuvent entrer", rows))
	v.act("import")
	v.settle()
	v.sees(fmt.Sprintf("%d personnes sont entrées", rows))
	t.Logf("%d rows, %d KiB: looked at in %v, brought in within %v", rows, out.Len()>>10, looked, time.Since(start)-looked)
}
