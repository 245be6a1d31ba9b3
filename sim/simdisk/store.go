package simdisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Open opens the store on the disk. What a failure of the store before left open is decided here.
func (d *Disk) Open(ctx context.Context) (store.Store, error) {
	var num int
	if s := d.state.Load(ctx); s.failed != nil && !s.inUse {
		if err := d.Kill(ctx); err != nil {
			return nil, err
		}
	}
	err := d.update(ctx, func(s *state) error {
		if s.inUse {
			return ErrOpen
		}
		s.opened++
		s.inUse = true
		num = s.opened
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &handle{disk: d, num: num, world: worldOf(ctx)}, nil
}

// handle is one opening of a disk: a store.Store.
type handle struct {
	disk *Disk
	num  int
	world
}

// world is how a handle, whose methods get no context, does things in the world that it was opened in.
type world struct {
	do     func(body func(tx *stm.Tx) error) error
	fault  func(site string) error
	choose func(label string, n int) int
	after  func(d time.Duration, f func())
}

func worldOf(ctx context.Context) world {
	ctx = env.WithoutCancel(ctx)
	return world{
		do:     func(body func(tx *stm.Tx) error) error { return stm.Do(ctx, body) },
		fault:  func(site string) error { return env.Fault(ctx, site) },
		choose: func(label string, n int) int { return env.Choose(ctx, label, n) },
		after: func(d time.Duration, f func()) {
			timer, stop := env.WithTimeout(ctx, d)
			env.AfterFunc(timer, func() { stop(); f() })
		},
	}
}

// with runs f on the disk's state if h is its store and has not failed.
func (h *handle) with(f func(tx *stm.Tx, s *state) error) error {
	return h.do(func(tx *stm.Tx) error {
		s := h.disk.state.Get(tx)
		switch {
		case s.opened != h.num || !s.inUse:
			return store.ErrClosed
		case s.failed != nil:
			return s.failed
		}
		return f(tx, &s)
	})
}

// change is with for an f that changes the state.
func (h *handle) change(f func(tx *stm.Tx, s *state) error) error {
	return h.with(func(tx *stm.Tx, s *state) error {
		if err := f(tx, s); err != nil {
			return err
		}
		h.disk.state.Set(tx, *s)
		return nil
	})
}

// fail fails the store for good, with all open tickets.
func (h *handle) fail(cause error) error {
	cause = fmt.Errorf("%w: %w", store.ErrFailed, cause)
	_ = h.change(func(tx *stm.Tx, s *state) error { // not if it has failed or is dead
		s.completeAll(tx, cause)
		s.failed, s.busy, s.broken = cause, false, nil
		return nil
	})
	return cause
}

// Get implements store.Store.
func (h *handle) Get(key []byte) (value []byte, err error) {
	if err := h.reads(key); err != nil {
		return nil, err
	}
	err = h.with(func(_ *stm.Tx, s *state) error {
		sealed, ok := s.seen.Get(key)
		if !ok {
			return store.ErrNotFound
		}
		value, err = h.disk.open(key, sealed)
		return err
	})
	if errors.Is(err, ErrCorrupt) {
		err = h.fail(err)
	}
	return value, err
}

// reads asks for the faults of a read.
func (h *handle) reads(key []byte) error {
	if err := h.fault(ReadFault); err != nil {
		return fmt.Errorf("simdisk: read: %w", err)
	}
	if key == nil || h.fault(RotFault) == nil {
		return nil
	}
	bit := h.choose("simdisk.bit", 1<<16)
	return h.change(func(_ *stm.Tx, s *state) error { s.rot(key, bit); return nil })
}

// Scan implements store.Store.
func (h *handle) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	from, to = bytes.Clone(from), bytes.Clone(to)
	return func(yield func(store.Entry, error) bool) {
		var image store.Image
		err := h.reads(nil)
		if err == nil {
			err = h.with(func(_ *stm.Tx, s *state) error { image = s.seen; return nil })
		}
		if err != nil {
			yield(store.Entry{}, err)
			return
		}
		for e := range image.Scan(from, to) {
			value, err := h.disk.open(e.Key, e.Value)
			if err != nil {
				yield(store.Entry{}, h.fail(err))
				return
			}
			if !yield(store.Entry{Key: bytes.Clone(e.Key), Value: value}, nil) {
				return
			}
		}
	}
}
