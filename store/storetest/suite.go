package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/synodkit/synod/store"
)

// Maker makes an empty store's place (a directory, say) and returns how to open a store there. Opened again after Close, it
// holds what it held.
type Maker func(tb testing.TB) (open func() store.Store)

// Check is one property of a store. Run fails tb if the store lacks it; it works in the world of its context.
type Check struct {
	Name string
	Run  func(ctx context.Context, tb testing.TB, mk Maker)
}

// Checks are all properties.
func Checks() []Check {
	return []Check{
		{"get finds what was put last", getPut},
		{"a done ticket is visible", visible},
		{"scan is in order and bounded", scanOrder},
		{"scan sees one snapshot", scanSnapshot},
		{"nothing aliases", aliasing},
		{"order within and between batches", order},
		{"reopen finds everything", reopen},
		{"batches are atomic for readers", atomicity},
		{"concurrent batches are all applied in their callers' order", concurrent},
		{"limits refuse the whole batch", limits},
		{"cancelled before means not applied", cancelled},
		{"closed is closed", closed},
		{"same as a map", model},
	}
}

func check(tb testing.TB, ok bool, format string, args ...any) {
	tb.Helper()
	if !ok {
		tb.Fatalf(format, args...)
	}
}

// batch reads "k=v" as Put and "-k" as Delete.
func batch(ops ...string) *store.Batch {
	b := new(store.Batch)
	for _, op := range ops {
		if op[0] == '-' {
			b.Delete([]byte(op[1:]))
			continue
		}
		k, v, _ := bytes.Cut([]byte(op), []byte("="))
		b.Put(k, v)
	}
	return b
}

func apply(ctx context.Context, tb testing.TB, s store.Store, d store.Durability, ops ...string) {
	tb.Helper()
	t, err := s.Apply(ctx, batch(ops...), d)
	check(tb, err == nil, "apply %v: %v", ops, err)
	err = t.Wait(ctx)
	check(tb, err == nil, "ticket of %v: %v", ops, err)
}

// want checks that the store holds exactly the entries, given as "k=v" in order, within [from, to).
func want(tb testing.TB, s store.Store, from, to string, entries ...string) {
	tb.Helper()
	var lo, hi []byte
	if from != "" {
		lo = []byte(from)
	}
	if to != "" {
		hi = []byte(to)
	}
	var got []string
	for e, err := range s.Scan(lo, hi) {
		check(tb, err == nil, "scan: %v", err)
		got = append(got, fmt.Sprintf("%s=%s", e.Key, e.Value))
	}
	check(tb, fmt.Sprint(got) == fmt.Sprint(entries), "scan [%q, %q): got %v, want %v", from, to, got, entries)
	for _, e := range entries {
		k, v, _ := bytes.Cut([]byte(e), []byte("="))
		x, err := s.Get(k)
		check(tb, err == nil && bytes.Equal(x, v), "get %q: got %q, %v, want %q", k, x, err, v)
	}
}

func absent(tb testing.TB, s store.Store, keys ...string) {
	tb.Helper()
	for _, k := range keys {
		x, err := s.Get([]byte(k))
		check(tb, errors.Is(err, store.ErrNotFound), "get %q: got %q, %v, want ErrNotFound", k, x, err)
	}
}

// opened runs body on a new store and closes it.
func opened(tb testing.TB, mk Maker, body func(s store.Store)) {
	tb.Helper()
	s := mk(tb)()
	body(s)
	check(tb, s.Close() == nil, "close failed")
}
