package gen

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p/table"
)

// CDDL is the grammar (RFC 8610) of the messages' bodies, by what package chain's CBOR makes of their Go types. A body that
// its message encodes otherwise, and a field that encodes itself, are any, with the type's name.
func CDDL(p *table.Protocol) string {
	g := &grammar{rules: map[reflect.Type]string{}}
	seen := map[byte]bool{}
	for i := range p.Messages {
		spec := &p.Messages[i]
		if seen[spec.Tag] {
			continue
		}
		seen[spec.Tag] = true
		g.message(spec)
	}
	return g.text.String() + g.more.String()
}

// grammar collects rules: those of messages, then those of the structs that they hold.
type grammar struct {
	text, more strings.Builder
	rules      map[reflect.Type]string
}

func (g *grammar) message(spec *table.MessageSpec) {
	m := spec.New()
	t := reflect.TypeOf(m).Elem()
	switch {
	case bare(spec):
		fmt.Fprintf(&g.text, "; tag %d: %s, no body\n", spec.Tag, spec.Name)
	case byHand(m):
		fmt.Fprintf(&g.text, "%s = any ; tag %d, encoded by hand\n", spec.Name, spec.Tag)
	default:
		fmt.Fprintf(&g.text, "%s = %s ; tag %d\n", spec.Name, g.structure(t), spec.Tag)
	}
}

// byHand says whether an empty message encodes itself otherwise than its type would be. What has no empty form is taken at its word.
func byHand(m table.Message) bool {
	body, err := m.AppendTo(nil)
	if err != nil {
		return false
	}
	plain, err := chain.Marshal(m)
	return err != nil || !bytes.Equal(body, plain)
}

// structure is a struct as an array or a map of its exported fields.
func (g *grammar) structure(t reflect.Type) string {
	fields, array := g.fields(t)
	open, end := "{", "}"
	if array {
		open, end = "[", "]"
	}
	if len(fields) == 0 {
		return open + end
	}
	return open + " " + strings.Join(fields, ", ") + " " + end
}

// fields lists a struct's fields, with those of embedded structs in their place, and says whether it is an array.
func (g *grammar) fields(t reflect.Type) (fields []string, array bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("cbor"), ",")
		switch {
		case strings.Contains(f.Tag.Get("cbor"), "toarray"):
			array = true
		case name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			inner, isArray := g.fields(f.Type)
			fields, array = append(fields, inner...), array || isArray
		case name == "-" || !f.IsExported():
		case name == "":
			fields = append(fields, f.Name+": "+g.typ(f.Type))
		default:
			fields = append(fields, name+": "+g.typ(f.Type))
		}
	}
	return fields, array
}

type selfEncoding interface{ MarshalCBOR() ([]byte, error) }

// typ is the grammar of a Go type.
func (g *grammar) typ(t reflect.Type) string {
	marshals := reflect.TypeFor[selfEncoding]()
	if t.Implements(marshals) || reflect.PointerTo(t).Implements(marshals) {
		return g.named(t, "any")
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("uint .size %d", t.Size())
	case reflect.Uint:
		return "uint .size 8"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.String:
		return "tstr"
	case reflect.Slice, reflect.Array:
		return g.list(t)
	case reflect.Pointer:
		return g.typ(t.Elem()) + " / null"
	case reflect.Struct:
		return g.named(t, "")
	}
	return "any"
}

func (g *grammar) list(t reflect.Type) string {
	bytes := t.Elem().Kind() == reflect.Uint8
	switch {
	case bytes && t.Kind() == reflect.Array:
		return fmt.Sprintf("bstr .size %d", t.Len())
	case bytes:
		return "bstr"
	case t.Kind() == reflect.Array:
		return fmt.Sprintf("[%d*%d %s]", t.Len(), t.Len(), g.typ(t.Elem()))
	}
	return fmt.Sprintf("[* %s]", g.typ(t.Elem()))
}

// named gives a struct a rule of its own, once, and is the rule's name.
func (g *grammar) named(t reflect.Type, rule string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := g.rules[t]; ok {
		return name
	}
	name := t.Name()
	if name == "" {
		return g.structure(t)
	}
	g.rules[t] = name
	if rule == "" {
		rule = g.structure(t)
	} else {
		rule += " ; encodes itself"
	}
	fmt.Fprintf(&g.more, "%s = %s\n", name, rule)
	return name
}
