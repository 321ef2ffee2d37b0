package event_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"

	"github.com/bippop/bippop/node/internal/event"
)

var events = []event.Event{
	event.BeneficiaryChanged{}, event.VolunteerChanged{}, event.RequestChanged{}, event.PersonReached{}, event.ImportClosed{},
	event.SettingsChanged{}, event.Counted{}, event.OfferChanged{}, event.FeedChanged{}, event.RosterChanged{},
	event.BulletinCame{}, event.CrossingChanged{},
}

// TestNoWords: an event goes to screens and indexes; it can hold no text and no
// box.
func TestNoWords(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "event" {
			n++
		}
	}
	if n != len(events) {
		t.Errorf("%d events are declared, %d are looked at", n, len(events))
	}
	for _, e := range events {
		plain(t, reflect.TypeOf(e), reflect.TypeOf(e).Name())
	}
}

func plain(t *testing.T, typ reflect.Type, path string) {
	switch typ.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Int64:
	case reflect.Array:
		if typ.Len() > 16 {
			t.Errorf("%s is longer than an ID", path)
		}
	case reflect.Struct:
		for f := range typ.Fields() {
			plain(t, f.Type, path+"."+f.Name)
		}
	default:
		t.Errorf("%s is a %s: it could hold a person's words", path, typ.Kind())
	}
}
