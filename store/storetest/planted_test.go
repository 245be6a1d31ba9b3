package storetest_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

func memory(testing.TB) func() store.Store {
	m := store.NewMemory()
	return func() store.Store { m = m.Reopen(); return m }
}

func TestMemory(t *testing.T) {
	for _, c := range storetest.Checks() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t.Context(), t, memory) })
	}
}

// verdict is a testing.TB that remembers a failure instead of reporting it.
type verdict struct {
	testing.TB
	said string
}

type failed struct{}

func (v *verdict) Helper() {}
func (v *verdict) Fatalf(format string, args ...any) {
	v.said = fmt.Sprintf(format, args...)
	panic(failed{})
}

// fails runs a check and returns what it said, "" if it passed.
func fails(t *testing.T, name string, mk storetest.Maker) (said string) {
	v := &verdict{TB: t}
	defer func() {
		if r := recover(); r != nil && r != (failed{}) {
			panic(r)
		}
		said = v.said
	}()
	i := slices.IndexFunc(storetest.Checks(), func(c storetest.Check) bool { return c.Name == name })
	storetest.Checks()[i].Run(t.Context(), v, mk)
	return
}

// late acknowledges a batch and applies it with the next.
type late struct {
	*store.Memory
	held *store.Batch
}

func (l *late) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	if l.held != nil {
		if _, err := l.Memory.Apply(ctx, l.held, d); err != nil {
			return nil, err
		}
	}
	l.held = b
	return store.DoneTicket(nil), b.Freeze()
}

// backwards scans in the wrong order.
type backwards struct{ *store.Memory }

func (s backwards) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		var all []store.Entry
		for e := range s.Memory.Scan(from, to) {
			all = append(all, e)
		}
		for _, e := range slices.Backward(all) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// torn applies a batch operation by operation, and gives a reader the time for a scan between them.
type torn struct {
	*store.Memory
	scans *atomic.Int64
}

func (s torn) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		s.Memory.Scan(from, to)(yield)
		s.scans.Add(1)
	}
}

func (s torn) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	for op := range b.Ops() {
		one := new(store.Batch)
		one.Put(op.Key, op.Value)
		if _, err := s.Memory.Apply(ctx, one, d); err != nil {
			return nil, err
		}
		before := s.scans.Load()
		for i := 0; i < 1000 && s.scans.Load() < before+2; i++ {
			runtime.Gosched()
		}
	}
	return store.DoneTicket(nil), nil
}

// live scans what is there now, key by key.
type live struct{ *store.Memory }

func (s live) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for found := true; found; {
			found = false
			for e, err := range s.Memory.Scan(from, to) {
				if !yield(e, err) || err != nil {
					return
				}
				from, found = append(e.Key, 0), true
				break
			}
		}
	}
}

// aliased shows its memory.
type aliased struct {
	*store.Memory
	seen map[string][]byte
}

func (s aliased) Get(key []byte) ([]byte, error) {
	if v, ok := s.seen[string(key)]; ok {
		return v, nil
	}
	v, err := s.Memory.Get(key)
	s.seen[string(key)] = v
	return v, err
}

// forgetful loses the batch before Close.
type forgetful struct {
	*store.Memory
	before *store.Memory
}

func (s *forgetful) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	s.before = s.Memory.Reopen()
	return s.Memory.Apply(ctx, b, d)
}

func TestPlantedFaultsFail(t *testing.T) {
	fresh := func(wrap func(*store.Memory) store.Store) storetest.Maker {
		return func(testing.TB) func() store.Store { return func() store.Store { return wrap(store.NewMemory()) } }
	}
	loses := func(testing.TB) func() store.Store {
		f := &forgetful{before: store.NewMemory()}
		return func() store.Store { f = &forgetful{Memory: f.before, before: f.before.Reopen()}; return f }
	}
	for check, mk := range map[string]storetest.Maker{
		"a done ticket is visible":       fresh(func(m *store.Memory) store.Store { return &late{Memory: m} }),
		"reopen finds everything":        loses,
		"scan is in order and bounded":   fresh(func(m *store.Memory) store.Store { return backwards{m} }),
		"batches are atomic for readers": fresh(func(m *store.Memory) store.Store { return torn{m, new(atomic.Int64)} }),
		"scan sees one snapshot":         fresh(func(m *store.Memory) store.Store { return live{m} }),
		"nothing aliases":                fresh(func(m *store.Memory) store.Store { return aliased{m, map[string][]byte{}} }),
	} {
		t.Run(check, func(t *testing.T) {
			said := fails(t, check, mk)
			require.NotEmpty(t, said, "the planted fault went unnoticed")
			t.Log(said)
			require.Empty(t, fails(t, check, memory))
		})
	}
}
