package sheet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/sheet"
)

func TestTitles(t *testing.T) {
	for _, c := range []struct {
		title string
		want  sheet.Column
	}{
		{"Civilité", sheet.Civility}, {"Titre", sheet.Civility},
		{"NOM", sheet.LastName}, {"NOM D'USAGE", sheet.LastName}, {"Nom de famille", sheet.LastName}, {"Nom du bénéficiaire", sheet.LastName},
		{"Nom de naissance", sheet.BirthName}, {"Nom de jeune fille", sheet.BirthName},
		{"Prénom", sheet.FirstName}, {"Prénom(s)", sheet.FirstName}, {"PRÉNOMS", sheet.FirstName}, {"Pre\u0301nom", sheet.FirstName},
		{"Nom et prénom", sheet.FullName}, {"Nom / Prénom", sheet.FullName}, {"NOM Prénom", sheet.FullName}, {"Prénom NOM de la personne", sheet.FullName}, {"Identité", sheet.FullName},
		{"Sexe", sheet.Sex}, {"H/F", sheet.Sex},
		{"Date de naissance", sheet.BirthDate}, {"Né(e) le", sheet.BirthDate}, {"Née le", sheet.BirthDate}, {"DDN", sheet.BirthDate}, {"Année naissance", sheet.BirthDate},
		{"Âge", sheet.Age},
		{"Tél. fixe", sheet.Phone}, {"Téléphone", sheet.Phone}, {"TEL", sheet.Phone}, {"N° de téléphone", sheet.Phone}, {"Tél. domicile", sheet.Phone}, {"Téléphone fixe ou portable", sheet.Phone},
		{"Tel portable", sheet.Mobile}, {"Port.", sheet.Mobile}, {"Mobile", sheet.Mobile}, {"GSM", sheet.Mobile}, {"Tél. portable de la personne", sheet.Mobile},
		{"Tél 2", sheet.Phone2}, {"Autre téléphone", sheet.Phone2},
		{"Courriel", sheet.Email}, {"Mail", sheet.Email}, {"Adresse e-mail", sheet.Email}, {"Adresse électronique", sheet.Email},
		{"Adresse", sheet.Address}, {"Adresse postale", sheet.Address}, {"N° et rue", sheet.Address},
		{"Complément d'adresse", sheet.Address2}, {"Étage", sheet.Address2}, {"Digicode", sheet.Address2},
		{"CP", sheet.Postcode}, {"Code Postal", sheet.Postcode},
		{"Ville", sheet.Commune}, {"Commune", sheet.Commune}, {"CP / Ville", sheet.Commune},
		{"Besoins", sheet.Needs}, {"Type d'aide", sheet.Needs},
		{"Langue(s) parlée(s)", sheet.Languages},
		{"Personne à prévenir", sheet.EmergencyName}, {"Nom de la personne à prévenir", sheet.EmergencyName}, {"Contact d'urgence", sheet.EmergencyName}, {"Proche aidant", sheet.EmergencyName},
		{"Tél personne à prévenir", sheet.EmergencyPhone}, {"Téléphone du proche", sheet.EmergencyPhone}, {"Portable fille", sheet.EmergencyPhone},
		{"Personne de confiance", sheet.TrustedName}, {"Tél. personne de confiance", sheet.TrustedPhone},
		{"Observations", sheet.Notes}, {"Remarques", sheet.Notes}, {"Obs.", sheet.Notes},
		{"Consignes d'appel", sheet.RingHabit},
		{"Véhicule", ""}, {"Disponibilités", ""}, // a volunteer's
		{"Tél médecin", ""}, {"Nom de l'association", ""}, {"Nom du médecin traitant", ""}, {"Lien de parenté", ""}, {"Adresse personne à prévenir", ""},
		{"Lieu de naissance", ""}, {"Code INSEE", ""}, {"Date d'inscription", ""}, {"Téléphone mairie", ""}, {"Bénéficiaire APA", ""}, {"N°", ""}, {"", ""},
	} {
		beside := "Sexe;Langue"
		if c.want == sheet.Sex || c.want == sheet.Languages {
			beside = "Adresse;Besoins"
		}
		got := sheet.Guess(read(t, beside+";"+c.title+"\nx;x;\n"), sheet.Beneficiaries)[2]
		if got.Column != c.want || (got.Why == sheet.IsUnknown) != (c.want == "") {
			t.Errorf("%q: got %q (%s), want %q", c.title, got.Column, got.Why, c.want)
		}
	}
}

func TestVolunteerTitles(t *testing.T) {
	table := read(t, "Nom;Prénom;Statut;Permis;Véhicule;Places;Rayon d'action;Type d'aide;Dispo;Max par semaine\nELIMONT;Yvette;;;;;;;;\n")
	want := []sheet.Column{sheet.LastName, sheet.FirstName, sheet.Status, "", sheet.Car, sheet.Seats, sheet.RadiusKM, sheet.Kinds, sheet.Availability, sheet.MaxPerWeek}
	if got := columns(sheet.Guess(table, sheet.Volunteers)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	alone := read(t, "Nom;Permis\nELIMONT;oui\n")
	if got := columns(sheet.Guess(alone, sheet.Volunteers)); !slices.Equal(got, []sheet.Column{sheet.LastName, sheet.Car}) {
		t.Errorf("got %q, want the licence to stand for the car", got)
	}
}

func columns(m sheet.Mapping) []sheet.Column {
	var out []sheet.Column
	for _, a := range m {
		out = append(out, a.Column)
	}
	return out
}

// TestCellsSpeak tells what the cells add to the titles, or take from them.
func TestCellsSpeak(t *testing.T) {
	for _, c := range []struct{ name, titles, row, want string }{
		{"phones without a title", "Nom;Prénom;Joindre au", "ELIMONT;Yvette;05 36 49 12 07", "last_name,first_name,phone(cells)"},
		{"mobiles without a title", "Nom;Prénom;", "ELIMONT;Yvette;06 39 98 12 07", "last_name,first_name,mobile(cells)"},
		{"phone where a name is announced", "Nom;Prénom;Personne à prévenir", "ELIMONT;Yvette;06 39 98 12 07", "last_name,first_name,emergency_phone(cells)"},
		{"phones of a doctor", "Nom;Prénom;Médecin traitant", "ELIMONT;Yvette;05 36 49 12 07", "last_name,first_name,(unknown)"},
		{"phones of an office", "Nom;Prénom;Service instructeur", "ELIMONT;Yvette;05 36 49 12 07", "last_name,first_name,(unknown)"},
		{"addresses without a title", "Nom;Prénom;Internet", "ELIMONT;Yvette;yvette@exemple.fr", "last_name,first_name,email(cells)"},
		{"addresses of the family", "Nom;Prénom;Mail de la fille", "ELIMONT;Yvette;lucie@exemple.fr", "last_name,first_name,(unknown)"},
		{"meals on wheels", "Nom;Prénom;Port.", "ELIMONT;Yvette;oui", "last_name,first_name,(cells)"},
		{"born on", "Nom;Prénom;Né(e)", "ELIMONT;Yvette;12/03/1941", "last_name,first_name,birth_date"},
		{"born as, under the same title", "Nom;Prénom;Né(e)", "ELIMONT;Yvette;OSSEVARD", "last_name,first_name,birth_name(cells)"},
		{"born as", "Nom;Prénom;Née", "ELIMONT;Yvette;OSSEVARD", "last_name,first_name,birth_name"},
		{"both names in one cell", "Nom;Tél", "ELIMONT Yvette;05 36 49 12 07", "full_name(cells),phone"},
		{"name of today beside name of birth", "Nom;Nom d'usage;Prénom", "OSSEVARD;ELIMONT;Yvette", "birth_name,last_name,first_name"},
		{"three numbers", "Nom;Tél;Téléphone;Tel.", "ELIMONT;05 36 49 12 07;05 36 49 12 08;05 36 49 12 09", "last_name,phone,phone2,(twice)"},
		{"remarks in two columns", "Nom;Observations;Remarques", "ELIMONT;a;b", "last_name,notes,notes"},
		{"somebody else's under the same titles", "Nom;Prénom;Tél;Nom;Prénom;Tél", "ELIMONT;Yvette;05 36 49 12 07;OSSEVARD;Noël;06 39 98 12 34", "last_name,first_name,phone,(twice),(twice),(twice)"},
		{"somebody else's under a title above", "Bénéficiaire;;;Personne à prévenir;;;\nNom;Prénom;Tél;Nom;Tél;Mail;Observations", "ELIMONT;Yvette;05 36 49 12 07;Noël OSSEVARD;06 39 98 12 34;noel@exemple.fr;x", "last_name,first_name,phone,emergency_name,emergency_phone,(unknown),notes"},
		{"a doctor's under a title above", "Bénéficiaire;;Médecin;\nNom;Prénom;Nom;Tél", "ELIMONT;Yvette;Dr OSSEVARD;05 36 49 12 07", "last_name,first_name,(unknown),(unknown)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, a := range sheet.Guess(read(t, c.titles+"\n"+strings.Repeat(c.row+"\n", 6)), sheet.Beneficiaries) {
				s := string(a.Column)
				if a.Why != sheet.ByTitle {
					s += "(" + a.Why + ")"
				}
				got = append(got, s)
			}
			if got := strings.Join(got, ","); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseMapping(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"Ville=commune,Obs=notes", "Ville>commune Obs>notes"},
		{" Ville = Commune ", "Ville>commune"},
		{"Nom, prénom=full_name,Obs=", "Nom, prénom>full_name Obs>"},
		{"a=b=phone", "a=b>phone"},
		{"Car=car", "Car>car"},
	} {
		m, err := sheet.ParseMapping(c.in)
		var got []string
		for _, a := range m {
			got = append(got, a.Header+">"+string(a.Column))
			if a.Why != sheet.ByChoice {
				t.Errorf("%q: got why %q", c.in, a.Why)
			}
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"Ville", "Ville=commune,", "Ville=commune,Zyxwvut", "Ville=Zyxwvut", "=commune", "Ville=commune,Obs=note"} {
		_, err := sheet.ParseMapping(in)
		if !errors.Is(err, sheet.ErrMapping) || strings.Contains(err.Error(), "Zyx") {
			t.Errorf("%q: got %v, want ErrMapping that quotes nothing", in, err)
		}
	}
}

func TestMappingWith(t *testing.T) {
	guess := sheet.Guess(read(t, "Nom;Prénom;Secteur;Ville;Obs;Tél;Tél\nELIMONT;;;;;;\n"), sheet.Beneficiaries)
	with := func(s string) (sheet.Mapping, error) {
		over, err := sheet.ParseMapping(s)
		if err != nil {
			t.Fatal(err)
		}
		return guess.With(over)
	}
	for _, c := range []struct{ in, want string }{
		{"", "last_name first_name _ commune notes phone phone2"},
		{"secteur=commune", "last_name first_name commune _ notes phone phone2"},
		{"Secteur=notes,VILLE=", "last_name first_name notes _ notes phone phone2"},
		{"Tel=mobile,Tel=emergency_phone", "last_name first_name _ commune notes mobile emergency_phone"},
	} {
		m, err := with(c.in)
		got := strings.Join(strings.Fields(strings.ReplaceAll(fmt.Sprintf("%q", columns(m)), `""`, `"_"`)), " ")
		if got = strings.NewReplacer(`"`, "", "[", "", "]", "").Replace(got); err != nil || got != c.want {
			t.Errorf("%q: got %s, %v, want %s", c.in, got, err, c.want)
		}
	}
	if _, err := with("Ville=commune,Zyxwvut=notes"); !errors.Is(err, sheet.ErrMapping) || !strings.HasPrefix(err.Error(), "pair 2: ") || strings.Contains(err.Error(), "Zyx") {
		t.Errorf("got %v, want ErrMapping at pair 2", err)
	}
	if got := guess.Ignored(); !slices.Equal(got, []string{"Secteur"}) {
		t.Errorf("got %q ignored, want Secteur", got)
	}
}
