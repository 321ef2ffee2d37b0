package public

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
)

// schemaVersion is what the digests of forms begin with.
const schemaVersion = "bippop/public/v1"

// Schema is what the roster names of a kind: a peer that knows another form of it
// must neither send nor pass on what it can not read.
type Schema struct {
	Kind    Kind     `cbor:"1,keyasint"`
	Version uint16   `cbor:"2,keyasint"`
	Digest  [32]byte `cbor:"3,keyasint"`
}

// SchemaOf describes a kind as this program knows it: SHA-256 over its number and
// the names, types and order of everything that it can hold; of a release, the catalogues
// that this program knows too.
func SchemaOf(k Kind) Schema {
	return Schema{Kind: k, Version: 1, Digest: sha256.Sum256([]byte(schemaText(k)))}
}

// schemaText writes a kind's form out, so that its digest changes when the form
// does.
func schemaText(k Kind) string {
	for _, f := range forms {
		if f.empty.Kind() != k {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %d ", schemaVersion, k)
		describe(&b, reflect.TypeOf(f.empty))
		if k == KindRelease {
			for v := uint16(1); Catalogue(v) != nil; v++ {
				fmt.Fprintf(&b, " %d%v", v, Catalogue(v))
			}
		}
		return b.String()
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
	case reflect.Array:
		fmt.Fprintf(b, "%s[%d]", t.Name(), t.Len())
		describe(b, t.Elem())
	default:
		fmt.Fprintf(b, "%s %s", t.Name(), t.Kind())
	}
}
