package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/synodkit/synod/stm"
)

// Memory is a Store in memory, for tests, examples and simulations. Every batch takes effect in Apply and its ticket is done at once.
// In a simulation Apply is a step, Get and Scan are not. Nothing outlives the process; [Memory.Reopen] stands for a restart.
type Memory struct {
	mu      sync.Mutex // serialises writers. Not a Var: Get and Scan have no context to read one by
	image   atomic.Pointer[Image]
	closed  atomic.Bool
	applied *stm.Var[uint64] // batches
}

// NewMemory is an empty store.
func NewMemory() *Memory { return newMemory(Image{}) }

func newMemory(i Image) *Memory {
	m := &Memory{applied: stm.NewVar(uint64(0)).Label("store applied")}
	m.image.Store(&i)
	return m
}

// Reopen is another store with the same content, as a process finds it after a restart; m may be closed or, as after a kill,
// open.
func (m *Memory) Reopen() *Memory { return newMemory(*m.image.Load()) }

// Get implements Store.
func (m *Memory) Get(key []byte) ([]byte, error) {
	if m.closed.Load() {
		return nil, ErrClosed
	}
	value, ok := m.image.Load().Get(key)
	if !ok {
		return nil, ErrNotFound
	}
	return bytes.Clone(value), nil
}

// Scan implements Store.
func (m *Memory) Scan(from, to []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if m.closed.Load() {
			yield(Entry{}, ErrClosed)
			return
		}
		for e := range m.image.Load().Scan(from, to) {
			if m.closed.Load() {
				yield(Entry{}, ErrClosed)
				return
			}
			if !yield(Entry{bytes.Clone(e.Key), bytes.Clone(e.Value)}, nil) {
				return
			}
		}
	}
}

// Apply implements Store. An ended ctx refuses the batch.
func (m *Memory) Apply(ctx context.Context, b *Batch, d Durability) (*Ticket, error) {
	if err := b.Freeze(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("store: apply: %w: %w", err, context.Cause(ctx))
	}
	if err := stm.Do(ctx, func(tx *stm.Tx) error { m.applied.Set(tx, m.applied.Get(tx)+1); return nil }); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed.Load() {
		return nil, ErrClosed
	}
	image := m.image.Load().With(b.Ops())
	m.image.Store(&image)
	return DoneTicket(nil), nil
}

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed.Store(true)
	return nil
}
