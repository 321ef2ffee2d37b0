package refuse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/bippop/bippop/node/internal/refuse"
)

// declared reads the reasons and their numbers from the source.
func declared(t *testing.T) map[string]int {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "refuse.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Reason" {
				n, err := strconv.Atoi(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				out[v.Names[0].Name] = n
			}
		}
	}
	return out
}

func TestEveryReasonSpeaks(t *testing.T) {
	names := declared(t)
	if len(names) < 30 {
		t.Fatalf("only %d reasons", len(names))
	}
	codes, numbers := map[string]string{}, map[int]string{}
	for name, n := range names {
		r := refuse.Reason(n)
		if r.Error() == "" || r.Code() == "" || r.Kind() < refuse.Invalid || r.Kind() > refuse.Retry {
			t.Errorf("%s says %q, code %q, kind %d", name, r.Error(), r.Code(), r.Kind())
		}
		if other, twice := codes[r.Code()]; twice {
			t.Errorf("%s and %s have one code", name, other)
		}
		if other, twice := numbers[n]; twice {
			t.Errorf("%s and %s have one number", name, other)
		}
		codes[r.Code()], numbers[n] = name, name
	}
	for n := range 1000 {
		if _, known := numbers[n]; !known && refuse.Reason(n).Code() != "" {
			t.Errorf("reason %d has a code and no name", n)
		}
	}
}

// TestNumbers: they are in replies and idempotency records.
func TestNumbers(t *testing.T) {
	want := map[string]int{
		"NoBeneficiary": 1, "NoVolunteer": 2, "NoRequest": 3, "NoActionType": 4, "NoAccount": 5, "NoSession": 6, "NoImport": 7,
		"Exists": 8, "StaleVersion": 9, "StaleTree": 10, "KeyReused": 11, "LoginTaken": 12, "NotFounded": 13,
		"RequestClosed": 20, "NotOpen": 21, "SeatsFull": 22, "AlreadySeated": 23, "NotSeated": 24, "NotAsked": 25, "DoubleBooked": 26,
		"OtherTime": 27, "PairNeeded": 28, "NotCovered": 29, "NothingToTell": 30, "NotYet": 31, "VolunteerRefused": 40, "NotApproved": 41,
		"KindNotCleared": 42, "CarNeeded": 43, "Absent": 44, "WrongStep": 45, "BeneficiaryEnded": 46, "TypeRetired": 47, "RequestsOpen": 48,
		"ImportClosed": 50, "ImportGap": 51, "ImportUsed": 52, "AccountClosed": 60, "LastAdmin": 61,
	}
	have := declared(t)
	for name, n := range want {
		if have[name] != n {
			t.Errorf("%s is %d, was %d", name, have[name], n)
		}
	}
}
