package sheet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/sheet"
)

// rows reads a file with the columns as guessed.
func rows(t testing.TB, text string, kind sheet.Kind) []sheet.Row {
	t.Helper()
	table := read(t, text)
	return slices.Collect(sheet.Rows(table, sheet.Guess(table, kind), kind, today))
}

// spell writes faults as "column:code!" with ! for the fatal ones.
func spell(faults []sheet.Fault) string {
	var out []string
	for _, f := range faults {
		s := string(f.Column) + ":" + f.Code
		if f.Fatal {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestCells reads one row with one column of interest beside a sound name.
func TestCells(t *testing.T) {
	for _, c := range []struct {
		name   string
		column sheet.Column
		cell   string
		want   string // what is in the cell then
		faults string
	}{
		{"spaces evened", sheet.Address, "  3\u00a0rue   des\tTilleuls ", "3 rue des Tilleuls", ""},
		{"composed", sheet.Commune, "La Re\u0301ole", "La Réole", ""},
		{"invisible characters", sheet.Commune, "La\u200b Ré\u00adole\u0007", "La Réole", ""},
		{"two lines", sheet.Notes, "\"a\r\nb\"", "a b", ""},
		{"a dash is nothing", sheet.Email, "-", "", ""},
		{"a long dash is nothing", sheet.Phone, " — ", "", ""},
		{"phone", sheet.Phone, "05.36.49.12.07", "+33536491207", ""},
		{"two phones", sheet.Phone, "05 36 49 12 07 / 06 39 98 12 34", "+33536491207 +33639981234", ""},
		{"two phones on two lines", sheet.Phone, "\"05 36 49 12 07\n06 39 98 12 34\"", "+33536491207 +33639981234", ""},
		{"one phone of two", sheet.Phone, "05 36 49 12 07 ou fille", "05 36 49 12 07 ou fille", "phone:phone_unreadable"},
		{"no phone", sheet.Phone, "chez sa fille", "chez sa fille", "phone:phone_unreadable"},
		{"broken phone with a plus", sheet.Phone, "+33 5 36", "+33 5 36", "phone:phone_unreadable"},
		{"text in quotes for Excel", sheet.Phone, `"=""0536491207"""`, "+33536491207", ""},
		{"formula for a phone", sheet.Phone, "=A1+B2", "", "phone:formula!"},
		{"formula in an address", sheet.Address, "=HYPERLINK(x)", "", "address:formula!"},
		{"at sign", sheet.Email, "@exemple.fr", "", "email:formula!"},
		{"dash in remarks", sheet.Notes, "- voir avec sa fille", "voir avec sa fille", "notes:formula"},
		{"formula in remarks", sheet.Notes, "=+@cmd", "cmd", "notes:formula"},
		{"phone in remarks", sheet.Notes, "+33 5 36 49 12 07", "+33 5 36 49 12 07", ""},
		{"date", sheet.BirthDate, "31/02/1941", "31/02/1941", "birth_date:date_unreadable"},
		{"e-mail", sheet.Email, "yvette@exemple", "yvette@exemple", "email:email_unreadable"},
		{"two e-mails", sheet.Email, "a@exemple.fr / b@exemple.fr", "a@exemple.fr / b@exemple.fr", "email:email_unreadable"},
		{"postcode", sheet.Postcode, "33 190", "33190", ""},
		{"postcode without its zero", sheet.Postcode, "1300", "01300", "postcode:postcode_padded"},
		{"no postcode", sheet.Postcode, "F-33190", "F-33190", "postcode:postcode_unreadable"},
		{"postcode within the commune", sheet.Commune, "33190 La Réole", "La Réole", ""},
		{"sex", sheet.Sex, "Femme", "Femme", ""},
		{"no sex", sheet.Sex, "oui", "oui", "sex:sex_unreadable"},
		{"car", sheet.Car, "X", "X", ""},
		{"no car", sheet.Car, "à voir", "à voir", "car:choice_unreadable"},
		{"radius", sheet.RadiusKM, "15 km", "15 km", ""},
		{"no radius", sheet.RadiusKM, "le canton", "le canton", "radius_km:number_unreadable"},
		{"age", sheet.Age, "82 ans", "82 ans", "age:birth_from_age"},
		{"no age", sheet.Age, "vieille", "vieille", "age:number_unreadable"},
		{"lost accents", sheet.Commune, "La RÃ©ole", "La RÃ©ole", "commune:garbled"},
		{"Portuguese name", sheet.EmergencyName, "JOÃO", "JOÃO", ""},
		{"long remarks", sheet.Notes, strings.Repeat("é", 2000), strings.Repeat("é", 2000), ""},
		{"longer remarks", sheet.Notes, strings.Repeat("é", 2001), "", "notes:too_long!"},
		{"long name", sheet.EmergencyName, strings.Repeat("É", 80), strings.Repeat("É", 80), ""},
		{"longer name", sheet.EmergencyName, strings.Repeat("É", 81), "", "emergency_name:too_long!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := read(t, "Nom;Prénom;Zz\nELIMONT;Yvette;"+c.cell+"\n")
			mapping := sheet.Mapping{{Header: "Nom", Column: sheet.LastName}, {Header: "Prénom", Column: sheet.FirstName}, {Header: "Zz", Column: c.column}}
			got := slices.Collect(sheet.Rows(table, mapping, sheet.Volunteers, today))
			if len(got) != 1 || got[0].Cells[c.column] != c.want || spell(got[0].Faults) != c.faults {
				t.Fatalf("got %q, faults %q, want %q, faults %q", got[0].Cells[c.column], spell(got[0].Faults), c.want, c.faults)
			}
			if _, present := got[0].Cells[c.column]; present != (c.want != "") {
				t.Error("an empty cell is present")
			}
			for _, f := range got[0].Faults {
				if f.Line != 2 {
					t.Errorf("got line %d, want 2", f.Line)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, title, cell, want, faults string }{
		{"capitals", "Nom et prénom", "ELIMONT Yvette", "|ELIMONT|Yvette|", ""},
		{"capitals behind", "Nom et prénom", "Yvette ELIMONT", "|ELIMONT|Yvette|", ""},
		{"hyphens and apostrophes", "Nom et prénom", "D'ELIMONT-OSSEVARD Marie-Claire", "|D'ELIMONT-OSSEVARD|Marie-Claire|", ""},
		{"particles", "Nom et prénom", "de LA TOURLANDE Yvette", "|de LA TOURLANDE|Yvette|", ""},
		{"civility", "Nom et prénom", "Mme ÉLIMONT Yvette", "Mme|ÉLIMONT|Yvette|", ""},
		{"initial", "Nom et prénom", "ELIMONT Y.", "|ELIMONT|Y.|", ""},
		{"name of birth", "Nom et prénom", "Mme ELIMONT née OSSEVARD Yvette", "Mme|ELIMONT|Yvette|OSSEVARD", ""},
		{"name of birth in parentheses", "Nom et prénom", "ELIMONT Yvette (née OSSEVARD)", "|ELIMONT|Yvette|OSSEVARD", ""},
		{"name of marriage", "Nom et prénom", "OSSEVARD épouse ELIMONT Yvette", "|ELIMONT|Yvette|OSSEVARD", ""},
		{"only a name of birth", "Nom et prénom", "Yvette née OSSEVARD", "|OSSEVARD|Yvette|OSSEVARD", ""},
		{"comma", "Nom et prénom", "Elimont, Yvette", "|Elimont|Yvette|", ""},
		{"no capitals", "Nom et prénom", "Elimont Yvette", "|Elimont|Yvette|", "full_name:name_split"},
		{"no capitals, first name first", "Prénom et nom", "Yvette Elimont", "|Elimont|Yvette|", "full_name:name_split"},
		{"capitals only", "Nom et prénom", "DE LA TOURLANDE YVETTE", "|DE LA TOURLANDE|YVETTE|", "full_name:name_split"},
		{"one word", "Nom et prénom", "Mme ELIMONT", "Mme|ELIMONT||", "first_name:name_missing"},
		{"one word, not in capitals", "Nom et prénom", "Yvette", "|Yvette||", "first_name:name_missing"},
		{"couple", "Nom et prénom", "M. et Mme ELIMONT Noël", "M. et Mme|ELIMONT|Noël|", "full_name:two_people"},
		{"first names of a couple", "Nom et prénom", "ELIMONT Noël et Yvette", "|ELIMONT|Noël et Yvette|", "full_name:two_people"},
		{"nobody", "Nom et prénom", "-", "|||", "last_name:name_missing!"},
		{"sum", "Nom et prénom", "TOTAL", "|TOTAL||", "last_name:not_a_person!"},
		{"long", "Nom et prénom", strings.Repeat("E", 81) + " Yvette", "||Yvette|", "last_name:too_long! last_name:name_missing!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := rows(t, c.title+";Adresse\n"+c.cell+";3 rue X\n", sheet.Beneficiaries)[0]
			name := strings.Join([]string{got.Cells[sheet.Civility], got.Cells[sheet.LastName], got.Cells[sheet.FirstName], got.Cells[sheet.BirthName]}, "|")
			if name != c.want || spell(got.Faults) != c.faults {
				t.Errorf("got %q, faults %q, want %q, faults %q", name, spell(got.Faults), c.want, c.faults)
			}
		})
	}
}

func TestNameOfBirthStandsIn(t *testing.T) {
	got := rows(t, "Nom;Nom d'usage;Prénom\nOSSEVARD;ELIMONT;Yvette\nPRADELAINE;;Odette\n;;Simone\n", sheet.Beneficiaries)
	for i, want := range []string{"ELIMONT", "PRADELAINE", ""} {
		if got[i].Cells[sheet.LastName] != want || got[i].Fatal() != (want == "") {
			t.Errorf("line %d: got %q, fatal %v, want %q", got[i].Line, got[i].Cells[sheet.LastName], got[i].Fatal(), want)
		}
	}
}

func TestRowAsAWhole(t *testing.T) {
	got := rows(t, "Nom;Prénom;Fixe;Port.;Tél 2;Tél personne à prévenir;Date de naissance;Age;Observations;Remarques\n"+
		"ELIMONT;Yvette;536491207;06 39 98 12 34;0536491207;05 36 49 00 01;;82;a;b\n"+
		"OSSEVARD;Noël;;;;;12 mars 1941;85;;\n"+
		"PRADELAINE;Odette;;;;;;;;;de trop\n", sheet.Beneficiaries)
	if want := []string{"+33536491207", "+33639981234"}; !slices.Equal(got[0].Phones, want) {
		t.Errorf("got phones %q, want %q: her own, once each", got[0].Phones, want)
	}
	if got[0].Cells[sheet.EmergencyPhone] != "+33536490001" || got[0].Cells[sheet.Notes] != "a, b" {
		t.Errorf("got %q, %q", got[0].Cells[sheet.EmergencyPhone], got[0].Cells[sheet.Notes])
	}
	if want := (people.Date{Year: 1944}); got[0].Birth != want || spell(got[0].Faults) != "age:birth_from_age phone:phone_padded" {
		t.Errorf("got %v, faults %q, want %v from the age", got[0].Birth, spell(got[0].Faults), want)
	}
	if want := (people.Date{Year: 1941, Month: 3, Day: 12}); got[1].Birth != want || len(got[1].Faults) != 0 {
		t.Errorf("got %v, faults %q, want %v from the date", got[1].Birth, spell(got[1].Faults), want)
	}
	if spell(got[2].Faults) != ":cells_shifted!" {
		t.Errorf("got faults %q, want a shift", spell(got[2].Faults))
	}
}

func TestParsers(t *testing.T) {
	for in, want := range map[string]string{"F": "F", "femme": "F", "Féminin": "F", "2": "F", "H": "M", "M.": "M", "homme": "M", "1": "M", "x": "", "": ""} {
		if got, ok := sheet.ParseSex(in); got != want || ok != (want != "") {
			t.Errorf("sex %q: got %q, %v", in, got, ok)
		}
	}
	for in, want := range map[string]string{"Oui": "true true", "x": "true true", "1": "true true", "✓": "true true", "B": "true true", "NON": "false true", "0": "false true", "": "false false", "peut-être": "false false"} {
		yes, ok := sheet.ParseYes(in)
		if got := fmt.Sprint(yes, ok); got != want {
			t.Errorf("yes %q: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"15": "15 true", "15 km": "15 true", "2/semaine": "2 true", "": "0 false", "km 15": "0 false", "-3": "0 false", "1234567": "0 false"} {
		n, ok := sheet.ParseNumber(in)
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("number %q: got %s, want %s", in, got, want)
		}
	}
}

// TestTownHallFiles reads two files as they come: what is in them is in testdata, what must come out is here.
func TestTownHallFiles(t *testing.T) {
	for _, c := range []struct {
		file    string
		kind    sheet.Kind
		charset string
		ignored string
		phones  int
		births  int
		faults  map[string]int
	}{
		{"beneficiaires-windows-1252.csv", sheet.Beneficiaries, "Windows-1252", "Médecin traitant", 69, 46, map[string]int{"notes:formula": 9, "phone:phone_padded": 8}},
		{"benevoles-utf8.csv", sheet.Volunteers, "UTF-8", "Permis, Taille de tee-shirt", 46, 46, map[string]int{"phone:phone_padded": 8}},
	} {
		t.Run(c.file, func(t *testing.T) {
			table := open(t, c.file)
			mapping := sheet.Guess(table, c.kind)
			if got := strings.Join(mapping.Ignored(), ", "); got != c.ignored || table.Charset() != c.charset {
				t.Errorf("got ignored %q, %s, want %q, %s", got, table.Charset(), c.ignored, c.charset)
			}
			n, phones, births, last := 0, 0, 0, 0
			faults := map[string]int{}
			for row := range sheet.Rows(table, mapping, c.kind, today) {
				n++
				phones += len(row.Phones)
				if age := row.Birth.Age(today); age >= 76 && age <= 100 {
					births++
				}
				for _, f := range row.Faults {
					faults[spell([]sheet.Fault{f})]++
				}
				for _, must := range []sheet.Column{sheet.LastName, sheet.FirstName, sheet.Address, sheet.Postcode, sheet.Commune} {
					if row.Cells[must] == "" {
						t.Errorf("line %d: no %s", row.Line, must)
					}
				}
				if row.Line <= last || row.Fatal() {
					t.Errorf("line %d: behind %d, fatal %v", row.Line, last, row.Fatal())
				}
				last = row.Line
			}
			if n != 46 || phones != c.phones || births != c.births || fmt.Sprint(faults) != fmt.Sprint(c.faults) {
				t.Errorf("got %d rows, %d phones, %d births, %v, want 46, %d, %d, %v", n, phones, births, faults, c.phones, c.births, c.faults)
			}
		})
	}
}
