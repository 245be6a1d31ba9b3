package stm

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// printer makes values comparable that Go cannot compare: it writes what can be reached from a value as bytes, equal for
// equal values, whatever the addresses and the order of a map. Functions, channels and structs that hold something of
// sync or sync/atomic (a Var among them) are their owner's affair and count as nothing but themselves; so does
// everything beyond a limit.
type printer struct {
	out    []byte
	path   map[visit]int        // the pointers that lead to here, for cycles
	limit  int                  // bytes after which no pointer, slice or map is followed
	number func(c *core) uint64 // names a Var, if not nil
	opaque func(t reflect.Type) // is told of what cannot be compared, if not nil
}

type visit struct {
	p unsafe.Pointer
	t reflect.Type
}

// printLimit bounds the work of debug mode on large values.
const printLimit = 1 << 16

// printOf is a hash of what is printed of x.
func printOf(x any) uint64 {
	p := printer{limit: printLimit}
	p.value(reflect.ValueOf(x))
	h := fnv.New64a()
	_, _ = h.Write(p.out)
	return h.Sum64()
}

func (p *printer) word(x uint64) { p.out = binary.LittleEndian.AppendUint64(p.out, x) }

func (p *printer) text(s string) { p.word(uint64(len(s))); p.out = append(p.out, s...) }

func (p *printer) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		p.out = append(p.out, 0)
	case reflect.Bool:
		p.word(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.word(v.Uint())
	case reflect.Float32, reflect.Float64:
		p.word(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		p.word(math.Float64bits(real(v.Complex())))
		p.word(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		p.text(v.String())
	case reflect.Interface:
		if v.IsNil() {
			p.out = append(p.out, 0)
			return
		}
		p.text(v.Elem().Type().String())
		p.value(v.Elem())
	case reflect.Struct:
		p.fields(v)
	case reflect.Array:
		for i := range v.Len() {
			p.value(v.Index(i))
		}
	case reflect.Pointer, reflect.Slice, reflect.Map:
		p.behind(v)
	default: // a function, a channel, an unsafe.Pointer
		p.blank(v.Type())
	}
}

func (p *printer) blank(t reflect.Type) {
	if p.opaque != nil {
		p.opaque(t)
	}
	p.out = append(p.out, '?')
}

func (p *printer) fields(v reflect.Value) {
	switch {
	case isVar(v.Type()) && p.number != nil && v.CanAddr():
		p.word(p.number((*core)(v.Addr().UnsafePointer())))
	case isShared(v.Type()), p.number == nil && holdsVar(v.Type()):
		p.blank(v.Type())
	default:
		for i := range v.NumField() {
			p.value(v.Field(i))
		}
	}
}

// behind follows a pointer, a slice or a map.
func (p *printer) behind(v reflect.Value) {
	if v.IsNil() {
		p.out = append(p.out, 0)
		return
	}
	at := visit{v.UnsafePointer(), v.Type()}
	if depth, ok := p.path[at]; ok && v.Kind() != reflect.Slice {
		p.word(uint64(len(p.path) - depth))
		return
	}
	if len(p.out) > p.limit {
		p.out = append(p.out, '+')
		return
	}
	if p.path == nil {
		p.path = map[visit]int{}
	}
	if _, ok := p.path[at]; !ok {
		p.path[at] = len(p.path)
		defer delete(p.path, at)
	}
	switch v.Kind() {
	case reflect.Pointer:
		p.out = append(p.out, 1)
		p.value(v.Elem())
	case reflect.Slice:
		p.word(uint64(v.Len()))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			p.out = append(p.out, v.Bytes()...)
			return
		}
		for i := range v.Len() {
			p.value(v.Index(i))
		}
	case reflect.Map:
		p.entries(v)
	}
}

// entries writes the entries of a map in the order of their prints.
func (p *printer) entries(v reflect.Value) {
	p.word(uint64(v.Len()))
	var all [][]byte
	whole := p.out
	for it := v.MapRange(); it.Next(); {
		p.out = nil
		p.value(it.Key())
		p.value(it.Value())
		all = append(all, p.out)
	}
	slices.SortFunc(all, bytes.Compare)
	p.out = append(whole, bytes.Join(all, nil)...)
}

func isVar(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type == reflect.TypeFor[core]()
}

// holdsVar reports whether a struct has a pointer to a Var: it is a thing with a life of its own, not a value.
func holdsVar(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i).Type; f.Kind() == reflect.Pointer && isVar(f.Elem()) {
			return true
		}
	}
	return false
}

// isShared reports whether values of t change on purpose while others look at them.
func isShared(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return isShared(t.Elem())
	case reflect.Struct:
		switch t.PkgPath() {
		case "sync", "internal/sync", "sync/atomic", "runtime", "reflect":
			return true
		}
		for i := range t.NumField() {
			if isShared(t.Field(i).Type) {
				return true
			}
		}
		return t == reflect.TypeFor[time.Location]() // filled at first use
	}
	return false
}
