package stm

import (
	"reflect"
	"unsafe"
)

// A value travels through the engine as a word and a pointer, of which its kind uses one. The kind is chosen once, by
// type. All conversions by unsafe stand in this file.
type kind uint8

const (
	kindBox  kind = iota // pointer to an immutable copy; the zero Var has this kind and a nil pointer
	kindWord             // pointer-free and at most 8 bytes: in the word
	kindPtr              // pointer-shaped: in the pointer
)

func kindOf(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return kindPtr
	}
	if t.Size() <= 8 && isPlain(t) {
		return kindWord
	}
	return kindBox
}

// isPlain reports whether t has neither pointers nor padding (padding bytes would make equal values differ).
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		var sum uintptr
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
			sum += t.Field(i).Type.Size()
		}
		return sum == t.Size()
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.String, reflect.Interface, reflect.Slice, reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func,
		reflect.UnsafePointer, reflect.Complex128:
		return false
	}
	return true
}

func encode[T any](k kind, x T) (w uint64, p unsafe.Pointer) {
	switch k {
	case kindWord:
		*(*T)(unsafe.Pointer(&w)) = x
	case kindPtr:
		*(*T)(unsafe.Pointer(&p)) = x
	default:
		p = unsafe.Pointer(box(x))
	}
	return w, p
}

func box[T any](x T) *T { return &x }

func decode[T any](k kind, w uint64, p unsafe.Pointer) T {
	if k == kindWord {
		return *(*T)(unsafe.Pointer(&w))
	}
	return unbox[T](k, p)
}

func unbox[T any](k kind, p unsafe.Pointer) (x T) {
	if k == kindPtr {
		return *(*T)(unsafe.Pointer(&p))
	}
	if p != nil {
		x = *(*T)(p)
	}
	return x
}

// address is the place of c, for lock order and hashing; never for anything that can be observed.
func address(c *core) uintptr { return uintptr(unsafe.Pointer(c)) }

// placeOf is the position of e in the write set.
func (tx *Tx) placeOf(e *write) int {
	return int((uintptr(unsafe.Pointer(e)) - uintptr(unsafe.Pointer(&tx.ws[0]))) / unsafe.Sizeof(write{}))
}
