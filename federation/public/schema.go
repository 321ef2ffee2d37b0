package public

import (
	"fmt"
	"reflect"
	"strings"
)

// messageTypes has an empty message of each kind.
var messageTypes = []Message{
	Release{}, Retract{}, Offer{}, Withdraw{}, Accept{}, Decline{}, Lapse{}, Interest{}, Renounce{}, Ack{}, Close{}, Handover{}, Presence{},
}

// schemaText writes a kind's form out, so that its digest changes when the form
// does.
func schemaText(k Kind) string {
	for _, m := range messageTypes {
		if m.Kind() == k {
			var b strings.Builder
			fmt.Fprintf(&b, "%s %d ", schemaVersion, k)
			describe(&b, reflect.TypeOf(m))
			return b.String()
		}
	}
	return fmt.Sprintf("%s %d unknown", schemaVersion, k)
}

func describe(b *strings.Builder, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		b.WriteString(t.Name() + "{")
		for f := range t.Fields() {
			if f.Name == "_" {
				continue
			}
			b.WriteString(f.Name + ":")
			describe(b, f.Type)
			b.WriteString(";")
		}
		b.WriteString("}")
	case reflect.Slice:
		b.WriteString("[]")
		describe(b, t.Elem())
	default:
		fmt.Fprintf(b, "%s %s", t.Name(), t.Kind())
		if t.Kind() == reflect.Array {
			fmt.Fprintf(b, "[%d]", t.Len())
		}
	}
}
