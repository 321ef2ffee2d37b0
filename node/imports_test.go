package node_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// registry is a spreadsheet of n people, with one in a hundred that cannot go in.
func registry(n int) []byte {
	var b strings.Builder
	b.WriteString("Civilité;NOM;Prénom;Né(e) le;Tél. fixe;Adresse;CP;Commune;Observations\r\n")
	for i := range n {
		commune := "La Réole"
		if i%100 == 99 {
			commune = "Nulle-Part"
		}
		fmt.Fprintf(&b, "Mme;%s;Exemple;%02d/03/19%d;05 36 49 %02d %02d;%d rue des Exemples;33190;%s;note\r\n",
			name(i), 1+i%28, 30+i%20, i/100%100, i%100, 1+i%90, commune)
	}
	return []byte(b.String())
}

// name gives each number a name of its own that sounds unlike the others.
func name(i int) string {
	parts := []string{"ba", "do", "fi", "gu", "lo", "ma", "ni", "po", "ru", "ta"}
	var b strings.Builder
	b.WriteString("Ex")
	for range 5 {
		b.WriteString(parts[i%10])
		i /= 10
	}
	return b.String()
}

func TestImport(tt *testing.T) {
	for _, rows := range []int{46, 10_000} {
		tt.Run(fmt.Sprint(rows), func(tt *testing.T) {
			t := newTown(tt)
			file := node.Spreadsheet{Name: "registre.csv", Content: registry(rows), Basis: node.Consent}
			report, err := t.Imports.Preview(t.admin, file)
			t.must(err)
			bad := rows / 100
			if report.Rows != rows || report.Faulty != bad || report.Good != rows-bad {
				t.Fatalf("dry run: %d rows, %d good, %d faulty", report.Rows, report.Good, report.Faulty)
			}
			if list, _, _ := t.Beneficiaries.List(t.admin, "", node.Page{}); len(list) != 0 {
				t.Fatal("a dry run has written")
			}
			if bad > 0 {
				_, err = t.Imports.Run(t.Context(), t.admin, node.ImportID{}, file)
				wants(tt, err, "faulty-rows")
				file.SkipFaulty = true
			}
			report, err = t.Imports.Run(t.Context(), t.admin, node.ImportID{}, file)
			t.must(err)
			if report.Brought != rows-bad {
				t.Fatalf("brought %d", report.Brought)
			}
			found := func() int {
				t.Helper()
				hits, err := t.Find.People(t.admin, name(7)+" la reole", node.OnlyBeneficiary, 10)
				t.must(err)
				return len(hits)
			}
			if found() != 1 {
				t.Errorf("found %d", found())
			}
			if n := enrolled(t); n != uint64(rows-bad) {
				t.Errorf("counted %d", n)
			}
			// The same file again: everybody is there already.
			again, err := t.Imports.Preview(t.admin, file)
			t.must(err)
			if again.Duplicates != rows-bad || again.Good != 0 {
				t.Errorf("again: %d duplicates, %d good", again.Duplicates, again.Good)
			}
			_, err = t.Imports.Undo(t.Context(), t.admin, report.ID)
			t.must(err)
			if found() != 0 || enrolled(t) != 0 {
				t.Errorf("after the undo: found %d, counted %d", found(), enrolled(t))
			}
			if list, _, _ := t.Beneficiaries.List(t.admin, "", node.Page{}); len(list) != 0 {
				t.Error("after the undo somebody is listed")
			}
			t.reopen()
			if found() != 0 {
				t.Error("after a restart somebody is found again")
			}
		})
	}
}

func enrolled(t *town) uint64 {
	t.Helper()
	sums, err := t.Figures.Read(t.admin, node.MonthOf(2026, 11), node.MonthOf(2026, 11))
	t.must(err)
	return sums.Total[node.CountEnrolled]
}

func TestImportIsNotUndoneUnderWork(tt *testing.T) {
	t := newTown(tt)
	report, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, node.Spreadsheet{Content: registry(3), Basis: node.Consent})
	t.must(err)
	hits, err := t.Find.People(t.admin, name(1), node.AnyPerson, 1)
	t.must(err)
	t.ask(hits[0].Beneficiary.ID, "Courses", t.tomorrow())
	_, err = t.Imports.Undo(t.Context(), t.admin, report.ID)
	wants(tt, err, "import-used")
}

func TestBrokenSpreadsheets(tt *testing.T) {
	t := newTown(tt)
	for what, content := range map[string]string{
		"empty": "", "a workbook": "PK\x03\x04rest", "no titles": "1;2;3\n4;5;6\n", "open quote": "Nom;Prénom\n\"Laforêt;x\n",
	} {
		_, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, node.Spreadsheet{Content: []byte(content), Basis: node.Consent})
		if err == nil {
			t.Errorf("%s: went in", what)
		}
	}
	_, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, node.Spreadsheet{Content: registry(3)})
	wants(tt, err, "missing") // no legal basis
	if list, err := t.Imports.List(t.admin); err != nil || len(list) != 0 {
		t.Errorf("%d imports begun, %v", len(list), err)
	}
}

// TestInterruptedImport stops an import in the middle, enrols by hand somebody who
// stands further down in the file, and goes on: everybody of the file is in, once.
func TestInterruptedImport(tt *testing.T) {
	t := newTown(tt)
	const rows = 3000
	by := t.admin
	by.Key = "the import's own key"
	file := node.Spreadsheet{Content: registry(rows), Basis: node.Consent, SkipFaulty: true}
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer stop()
		for ctx.Err() == nil {
			if list, err := t.Imports.List(t.admin); err != nil || len(list) == 1 && list[0].Rows > 0 {
				return
			}
		}
	}()
	if _, err := t.Imports.Run(ctx, by, node.ImportID{}, file); err == nil {
		t.Fatal("the import was not interrupted")
	}
	if list, _, _ := t.Beneficiaries.List(t.admin, "", node.Page{}); len(list) != 0 {
		t.Fatal("half an import is visible")
	}
	t.enrol(name(rows - 2))
	t.reopen()
	other := file
	other.Duplicates = true
	_, err := t.Imports.Run(t.Context(), by, node.ImportID{}, other)
	wants(tt, err, "other-file")
	for range 2 { // and repeated once more, it changes nothing
		report, err := t.Imports.Run(t.Context(), by, node.ImportID{}, file)
		t.must(err)
		if report.Brought != rows-rows/100 {
			t.Errorf("brought %d", report.Brought)
		}
	}
	if n := enrolled(t); n != rows-rows/100+1 {
		t.Errorf("counted %d", n)
	}
	for i := range rows {
		want := 1
		switch {
		case i%100 == 99:
			want = 0
		case i == rows-2:
			want = 2
		}
		hits, err := t.Find.People(t.admin, name(i), node.OnlyBeneficiary, 5)
		t.must(err)
		found := 0
		for _, h := range hits {
			if h.Beneficiary.Words.Last.Reveal() == name(i) {
				found++
			}
		}
		if found != want {
			t.Fatalf("row %d is there %d times, want %d", i, found, want)
		}
	}
}

// TestUnfinishedImportIsUndone: what was interrupted need not be gone on with.
func TestUnfinishedImportIsUndone(tt *testing.T) {
	t := newTown(tt)
	file := node.Spreadsheet{Content: registry(3000), Basis: node.Consent, SkipFaulty: true}
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer stop()
		for ctx.Err() == nil {
			if list, err := t.Imports.List(t.admin); err != nil || len(list) == 1 && list[0].Rows > 0 {
				return
			}
		}
	}()
	if _, err := t.Imports.Run(ctx, t.admin, node.ImportID{}, file); err == nil {
		t.Fatal("the import was not interrupted")
	}
	list, err := t.Imports.List(t.admin)
	t.must(err)
	if len(list) != 1 || list[0].State != node.ImportStaged {
		t.Fatalf("%d imports, or one that is not staged", len(list))
	}
	_, err = t.Imports.Undo(t.Context(), t.admin, list[0].ID)
	t.must(err)
	report, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, file)
	t.must(err)
	if n := enrolled(t); report.Brought != 2970 || n != 2970 {
		t.Errorf("brought %d, counted %d", report.Brought, n)
	}
}

// TestDoubles: two of one name are one person unless they were born on different
// days; a shared number alone leaves nobody out; a person decides.
func TestDoubles(tt *testing.T) {
	t := newTown(tt)
	t.enrol("Laforet") // Exemple Laforet, born in 1942, 05 36 49 12 07, La Réole
	rows := []struct{ row, by string }{
		{"Laforet;Exemple;12/03/1942;;La Réole", "name"},
		{"Exemple;Laforet;;;La Réole", "name"}, // exchanged
		{"Laforêt;Exemple;;;La Réole", "name"},
		{"Laforais;Exemple;1942;;La Réole", "sound"},
		{"Laforais;Exemple;03/03/1930;;La Réole", ""},
		{"Laforet;Exemple;12/03/1930;;La Réole", ""},
		{"Laforet;Exemple;12/03/1931;0536491207;La Réole", "name"}, // a slip in the date
		{"Autrement;Marcel;;0536491207;La Réole", "phone"},
	}
	for _, r := range rows {
		content := []byte("Nom;Prénom;Né(e) le;Téléphone;Commune;Adresse\n" + r.row + ";1 rue des Exemples\n")
		in := node.Spreadsheet{Content: content, Basis: node.Consent}
		report, err := t.Imports.Preview(t.admin, in)
		t.must(err)
		by := ""
		for _, d := range report.Doubles {
			by = d.By
		}
		good := 0
		if r.by == "" || r.by == "phone" {
			good = 1
		}
		if by != r.by || report.Good != good || report.Duplicates != 1-good {
			t.Errorf("%s: alike by %q, %d good, want %q, %d", r.row, by, report.Good, r.by, good)
		}
		in.Chosen = map[int]bool{2: good == 0}
		if report, err = t.Imports.Preview(t.admin, in); err != nil || r.by != "" && report.Good == good {
			t.Errorf("%s: the choice changes nothing, %v", r.row, err)
		}
	}
}

// TestImportOfADepartement has more cells of the statistics than one command holds.
func TestImportOfADepartement(tt *testing.T) {
	t := newTown(tt)
	_, communes, _ := node.CommunesOfDepartement("33")
	territory, err := t.Settings.Territory()
	t.must(err)
	territory.Communes = communes
	_, err = t.Settings.Change(t.Context(), t.admin, territory.Version, territory)
	t.must(err)
	var b strings.Builder
	b.WriteString("Civilité;NOM;Prénom;Né(e) le;Téléphone;Commune\r\n")
	const rows = 8000
	for i := range rows {
		c, _ := node.LookupCommune(communes[i%len(communes)])
		fmt.Fprintf(&b, "%s;%s;Exemple;19%02d;05 36 49 %02d %02d;%s\r\n", []string{"Mme", "M."}[i/7%2], name(i), 26+i/11%40, i/100%100, i%100, c.Name)
	}
	report, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, node.Spreadsheet{Content: []byte(b.String()), Basis: node.PublicInterest, Duplicates: true})
	t.must(err)
	if n := enrolled(t); n != rows || report.Brought != rows {
		t.Errorf("counted %d, brought %d", n, report.Brought)
	}
	t.wait(40 * 24 * time.Hour) // another month, another year, other ages
	_, err = t.Imports.Undo(t.Context(), t.signedIn(), report.ID)
	t.must(err)
	sums, err := t.Figures.Read(t.signedIn(), node.MonthOf(2026, 1), node.MonthOf(2027, 12))
	t.must(err)
	if n := sums.Total[node.CountEnrolled]; n != 0 {
		t.Errorf("after the undo %d are counted", n)
	}
	for age, row := range sums.ByAge {
		if n := row[node.CountEnrolled]; n != 0 {
			t.Errorf("age band %d: %d", age, n)
		}
	}
}

func (t *town) signedIn() node.Caller {
	t.Helper()
	t.signIn()
	return t.admin
}
