package logsink

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// renderer knows the shape of one type of event.
type renderer struct {
	words  string // the type's name
	fields []field
}

// field is one exported field that is written.
type field struct {
	name      string
	index     []int
	isError   bool
	omitEmpty bool
}

func newRenderer[E any]() *renderer {
	t := reflect.TypeFor[E]()
	name, _, _ := strings.Cut(t.Name(), "[") // a generic type's arguments
	r := &renderer{words: words(name)}
	if t.Kind() == reflect.Struct {
		r.fields = fieldsOf(t, nil)
	} else {
		r.fields = []field{{name: "event"}}
	}
	return r
}

func fieldsOf(t reflect.Type, at []int) (fs []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(at[:len(at):len(at)], i)
		name, options, _ := strings.Cut(f.Tag.Get("log"), ",")
		switch {
		case name == "-":
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Struct && name == "":
			fs = append(fs, fieldsOf(f.Type, index)...)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = lowered(f.Name)
		}
		fs = append(fs, field{name, index, f.Type == reflect.TypeFor[error](), options == "omitempty"})
	}
	return fs
}

func (r *renderer) level(e any) slog.Level {
	if l, ok := e.(interface{ Level() slog.Level }); ok {
		return l.Level()
	}
	for _, f := range r.fields {
		if f.isError && !f.of(e).IsNil() {
			return slog.LevelError
		}
	}
	return slog.LevelInfo
}

func (r *renderer) message(e any) string {
	switch m := e.(type) {
	case interface{ Message() string }:
		return m.Message()
	case fmt.Stringer:
		return m.String()
	}
	return r.words
}

func (r *renderer) attrs(e any, to *slog.Record) {
	if v, ok := e.(slog.LogValuer); ok {
		v := slog.AnyValue(v).Resolve()
		if v.Kind() == slog.KindGroup {
			to.AddAttrs(v.Group()...)
		} else {
			to.AddAttrs(slog.Attr{Key: "event", Value: v})
		}
		return
	}
	for _, f := range r.fields {
		v := f.of(e)
		if f.omitEmpty && v.IsZero() {
			continue
		}
		to.AddAttrs(slog.Attr{Key: f.name, Value: value(v)})
	}
}

func (f field) of(e any) reflect.Value {
	v := reflect.ValueOf(e)
	if len(f.index) == 0 {
		return v
	}
	return v.FieldByIndex(f.index)
}

// value writes errors and Stringers as text, unless they are nil, and leaves the rest to slog.
func value(v reflect.Value) slog.Value {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return slog.AnyValue(nil)
		}
	}
	switch x := v.Interface().(type) {
	case slog.LogValuer:
		return slog.AnyValue(x)
	case error:
		return slog.StringValue(x.Error())
	default:
		s := slog.AnyValue(x)
		if text, ok := x.(fmt.Stringer); ok && s.Kind() != slog.KindDuration && s.Kind() != slog.KindTime {
			return slog.StringValue(text.String())
		}
		return s
	}
}

// words turns BlockAdded into "block added" and HTTPServer into "http server".
func words(name string) string {
	rs := []rune(name)
	var b strings.Builder
	for i, r := range rs {
		starts := i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]))
		if starts {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	if b.Len() == 0 {
		return "event"
	}
	return b.String()
}

// lowered lowers the first letter, or all of an initialism: Slot is slot, BlockNo is blockNo, ID is id.
func lowered(name string) string {
	if strings.ToUpper(name) == name {
		return strings.ToLower(name)
	}
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}
