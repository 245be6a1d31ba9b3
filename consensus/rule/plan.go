package rule

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// plan says how values of one type become bytes: for the store, for the identity of a value in a state vector, and for
// the schema that a store is opened with. It is made once per Var.
type plan struct {
	size   uintptr
	packed bool   // neither pointers nor padding: the bytes in memory are the value's identity
	sig    string // the type's structure
	put    func(b []byte, p unsafe.Pointer) []byte
	take   func(b []byte, p unsafe.Pointer) ([]byte, bool) // false: not such a value
}

const (
	planDepthMax = 16
	lengthBytes  = 4
)

func planFor[T any]() *plan { return planOf(reflect.TypeFor[T](), 0) }

// planOf panics for a type that has no canonical bytes: that is a mistake in a table, found when it is made.
func planOf(t reflect.Type, depth int) *plan {
	if depth > planDepthMax {
		panic("rule: a type that contains itself, or is nested too deeply: " + t.String())
	}
	if custom(t) {
		return customPlan(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolPlan()
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint,
		reflect.Float32, reflect.Float64:
		return wordPlan(t)
	case reflect.String:
		return stringPlan()
	case reflect.Array:
		return arrayPlan(t, depth)
	case reflect.Struct:
		return structPlan(t, depth)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return bytesPlan()
		}
		return slicePlan(t, depth)
	case reflect.Pointer:
		return pointerPlan(t, depth)
	}
	panic("rule: no canonical bytes for " + t.String() + ": give it AppendBinary and UnmarshalBinary")
}

// A bool is one byte of 0 or 1; anything else would be a bool that Go does not know.
func boolPlan() *plan {
	return &plan{size: 1, packed: true, sig: "bool",
		put: func(b []byte, p unsafe.Pointer) []byte { return append(b, *(*byte)(p)) },
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			if len(b) < 1 || b[0] > 1 {
				return b, false
			}
			*(*byte)(p) = b[0]
			return b[1:], true
		}}
}

func wordPlan(t reflect.Type) *plan {
	n := t.Size()
	return &plan{size: n, packed: true, sig: t.Kind().String(),
		put: func(b []byte, p unsafe.Pointer) []byte {
			switch n {
			case 1:
				return append(b, *(*byte)(p))
			case 2:
				return binary.LittleEndian.AppendUint16(b, *(*uint16)(p))
			case 4:
				return binary.LittleEndian.AppendUint32(b, *(*uint32)(p))
			}
			return binary.LittleEndian.AppendUint64(b, *(*uint64)(p))
		},
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			if uintptr(len(b)) < n {
				return b, false
			}
			switch n {
			case 1:
				*(*byte)(p) = b[0]
			case 2:
				*(*uint16)(p) = binary.LittleEndian.Uint16(b)
			case 4:
				*(*uint32)(p) = binary.LittleEndian.Uint32(b)
			default:
				*(*uint64)(p) = binary.LittleEndian.Uint64(b)
			}
			return b[n:], true
		}}
}

func putLength(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

// takeLength is a length that the rest of b can hold, so that a hostile one allocates nothing.
func takeLength(b []byte) (int, []byte, bool) {
	if len(b) < lengthBytes {
		return 0, b, false
	}
	n := binary.LittleEndian.Uint32(b)
	b = b[lengthBytes:]
	return int(n), b, uint64(n) <= uint64(len(b))
}

func stringPlan() *plan {
	return &plan{size: unsafe.Sizeof(""), sig: "string",
		put: func(b []byte, p unsafe.Pointer) []byte {
			s := *(*string)(p)
			return append(putLength(b, len(s)), s...)
		},
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			n, b, ok := takeLength(b)
			if !ok {
				return b, false
			}
			*(*string)(p) = string(b[:n])
			return b[n:], true
		}}
}

func bytesPlan() *plan {
	return &plan{size: unsafe.Sizeof([]byte{}), sig: "bytes",
		put: func(b []byte, p unsafe.Pointer) []byte {
			s := *(*[]byte)(p)
			return append(putLength(b, len(s)), s...)
		},
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			n, b, ok := takeLength(b)
			if !ok {
				return b, false
			}
			*(*[]byte)(p) = append([]byte(nil), b[:n]...)
			return b[n:], true
		}}
}

func arrayPlan(t reflect.Type, depth int) *plan {
	e, n := planOf(t.Elem(), depth+1), t.Len()
	return &plan{size: t.Size(), packed: e.packed, sig: fmt.Sprintf("[%d]%s", n, e.sig),
		put: func(b []byte, p unsafe.Pointer) []byte {
			for i := range n {
				b = e.put(b, unsafe.Add(p, uintptr(i)*e.size))
			}
			return b
		},
		take: func(b []byte, p unsafe.Pointer) (rest []byte, ok bool) {
			for i := range n {
				if b, ok = e.take(b, unsafe.Add(p, uintptr(i)*e.size)); !ok {
					return b, false
				}
			}
			return b, true
		}}
}

func structPlan(t reflect.Type, depth int) *plan {
	type member struct {
		*plan
		off uintptr
	}
	var ms []member
	pl := &plan{size: t.Size(), packed: true}
	var sig strings.Builder
	end := uintptr(0)
	for i := range t.NumField() {
		f := t.Field(i)
		m := member{planOf(f.Type, depth+1), f.Offset}
		pl.packed = pl.packed && m.packed && f.Offset == end
		end = f.Offset + f.Type.Size()
		ms = append(ms, m)
		fmt.Fprintf(&sig, "%s %s;", f.Name, m.sig)
	}
	pl.packed = pl.packed && end == t.Size()
	pl.sig = "{" + sig.String() + "}"
	pl.put = func(b []byte, p unsafe.Pointer) []byte {
		for _, m := range ms {
			b = m.put(b, unsafe.Add(p, m.off))
		}
		return b
	}
	pl.take = func(b []byte, p unsafe.Pointer) (rest []byte, ok bool) {
		for _, m := range ms {
			if b, ok = m.take(b, unsafe.Add(p, m.off)); !ok {
				return b, false
			}
		}
		return b, true
	}
	return pl
}

// slicePlan keeps no difference between nil and empty.
func slicePlan(t reflect.Type, depth int) *plan {
	e := planOf(t.Elem(), depth+1)
	type header struct {
		data     unsafe.Pointer
		len, cap int
	}
	if e.size == 0 {
		panic("rule: a slice of nothing: " + t.String())
	}
	return &plan{size: t.Size(), sig: "[]" + e.sig,
		put: func(b []byte, p unsafe.Pointer) []byte {
			h := (*header)(p)
			b = putLength(b, h.len)
			for i := range h.len {
				b = e.put(b, unsafe.Add(h.data, uintptr(i)*e.size))
			}
			return b
		},
		take: func(b []byte, p unsafe.Pointer) (rest []byte, ok bool) {
			n, b, ok := takeLength(b)
			if !ok {
				return b, false
			}
			dst := reflect.NewAt(t, p).Elem()
			dst.SetZero()
			for i := range n { // grows with what is there, not with what is claimed
				dst.Set(reflect.Append(dst, reflect.Zero(t.Elem())))
				if b, ok = e.take(b, dst.Index(i).Addr().UnsafePointer()); !ok {
					return b, false
				}
			}
			return b, true
		}}
}

func pointerPlan(t reflect.Type, depth int) *plan {
	e := planOf(t.Elem(), depth+1)
	return &plan{size: t.Size(), sig: "*" + e.sig,
		put: func(b []byte, p unsafe.Pointer) []byte {
			to := *(*unsafe.Pointer)(p)
			if to == nil {
				return append(b, 0)
			}
			return e.put(append(b, 1), to)
		},
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			if len(b) < 1 || b[0] > 1 {
				return b, false
			}
			if b[0] == 0 {
				*(*unsafe.Pointer)(p) = nil
				return b[1:], true
			}
			to := reflect.New(t.Elem())
			*(*unsafe.Pointer)(p) = to.UnsafePointer()
			return e.take(b[1:], to.UnsafePointer())
		}}
}

func custom(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.BinaryAppender]()) &&
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]())
}

func customPlan(t reflect.Type) *plan {
	return &plan{size: t.Size(), sig: "custom " + t.String(),
		put: func(b []byte, p unsafe.Pointer) []byte {
			at := len(b)
			b = putLength(b, 0)
			out, err := reflect.NewAt(t, p).Interface().(encoding.BinaryAppender).AppendBinary(b)
			if err != nil {
				panic(fmt.Sprintf("rule: bytes of a %s: %v", t, err))
			}
			binary.LittleEndian.PutUint32(out[at:], uint32(len(out)-at-lengthBytes))
			return out
		},
		take: func(b []byte, p unsafe.Pointer) ([]byte, bool) {
			n, b, ok := takeLength(b)
			if !ok || reflect.NewAt(t, p).Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(b[:n:n]) != nil {
				return b, false
			}
			return b[n:], true
		}}
}

// interned gives each value of a type a number, so that a state is a vector of numbers whatever its Vars hold.
type interned[T any] struct {
	plan *plan
	ids  map[string]uint32
	vals []T
	buf  []byte
}

func newInterned[T any](p *plan) *interned[T] { return &interned[T]{plan: p, ids: map[string]uint32{}} }

func (t *interned[T]) id(x *T) uint32 {
	t.buf = t.plan.put(t.buf[:0], unsafe.Pointer(x))
	if id, ok := t.ids[string(t.buf)]; ok {
		return id
	}
	id := uint32(len(t.vals))
	t.ids[string(t.buf)] = id
	t.vals = append(t.vals, *x)
	return id
}
