package simdisk

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Apply implements store.Store. An ended ctx refuses the batch.
func (h *handle) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	if err := b.Freeze(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("simdisk: apply: %w: %w", err, context.Cause(ctx))
	}
	x := &batch{ops: sealed(b), size: b.SizeBytes(), wants: d, ticket: store.NewTicket()}
	begins := false
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		s := h.disk.state.Get(tx)
		switch {
		case s.opened != h.num || !s.inUse || s.closing:
			return store.ErrClosed
		case s.failed != nil:
			return s.failed
		case s.queued > h.disk.cfg.QueueBytes:
			return stm.ErrRetry
		}
		begins = !s.busy
		s.busy = true
		s.queued += x.size
		s.waiting = append(s.waiting[:len(s.waiting):len(s.waiting)], x)
		h.disk.state.Set(tx, s)
		if d == store.Queued {
			x.ticket.Complete(tx, nil)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if begins {
		h.write()
	}
	return x.ticket, nil
}

// write starts to write all that waits, in one group.
func (h *handle) write() {
	stalls := h.fault(StallFault) != nil
	size, wait := 0, time.Duration(0)
	err := h.change(func(_ *stm.Tx, s *state) error {
		s.writing, s.waiting = s.waiting, nil
		size = 0
		for _, b := range s.writing {
			size += b.size
		}
		wait, s.stall = s.stall, 0
		return nil
	})
	if err != nil {
		return // failed or dead
	}
	if stalls {
		wait += h.disk.cfg.StallTime
	}
	if n := h.disk.cfg.BytesPerSecond; n > 0 {
		wait += time.Duration(size) * time.Second / time.Duration(n)
	}
	h.after(wait+h.disk.cfg.WriteTime+h.jitter(), h.wrote)
}

func (h *handle) jitter() time.Duration {
	if h.disk.cfg.Jitter <= 0 {
		return 0
	}
	return h.disk.cfg.Jitter * time.Duration(h.choose("simdisk.jitter", 16)) / 15
}

// wrote ends the writing of a group.
func (h *handle) wrote() {
	fault := h.fault(WriteFault)
	syncs, more := false, false
	err := h.change(func(tx *stm.Tx, s *state) error {
		switch {
		case fault != nil:
			return fault
		case s.broken != nil:
			return s.broken
		}
		for _, b := range s.writing {
			if !h.fits(s, b) {
				return syscall.ENOSPC
			}
			s.seen = s.seen.With(ops(b.ops))
			s.queued -= b.size
			if b.wants == store.Written || h.disk.cfg.bugs.ackWritten {
				b.ticket.Complete(tx, nil)
			}
		}
		s.written = append(s.written[:len(s.written):len(s.written)], s.writing...)
		s.writing = nil
		if syncs = due(s.written); !syncs {
			more = s.goesOn()
		}
		return nil
	})
	switch {
	case over(err):
	case err != nil:
		_ = h.fail(fmt.Errorf("simdisk: write: %w", err))
	case syncs:
		h.sync()
	case more:
		h.write()
	}
}

// goesOn ends a stage and says whether another write is to begin.
func (s *state) goesOn() bool {
	s.busy = len(s.waiting) > 0
	return s.busy
}

// over says that there is nothing left to do for a stage: the store is dead or has failed.
func over(err error) bool { return errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrFailed) }

// fits counts b in, if there is a limit, and reports whether it is kept.
func (h *handle) fits(s *state, b *batch) bool {
	capacity := h.disk.cfg.CapacityBytes
	if capacity > 0 {
		s.bytes += growth(s.seen, b.ops)
	}
	return capacity <= 0 || s.bytes <= capacity
}

// A disk syncs on its own when so much is written and not durable.
const (
	unsyncedBatches = 1000
	unsyncedBytes   = 8 << 20
)

// due says whether to sync now.
func due(written []*batch) bool {
	size := 0
	for _, b := range written {
		if b.wants == store.Durable {
			return true
		}
		size += b.size
	}
	return len(written) > unsyncedBatches || size > unsyncedBytes
}

// sync starts to make durable what is written.
func (h *handle) sync() {
	stalls := h.fault(StallFault) != nil
	n, wait := 0, time.Duration(0)
	err := h.change(func(_ *stm.Tx, s *state) error {
		n = len(s.written)
		wait, s.stall = s.stall, 0
		return nil
	})
	if err != nil {
		return
	}
	if stalls {
		wait += h.disk.cfg.StallTime
	}
	h.after(wait+h.disk.cfg.SyncTime+h.jitter(), func() { h.synced(n) })
}

// synced ends a sync of the first n written batches.
func (h *handle) synced(n int) {
	if err := h.fault(SyncFault); err != nil {
		_ = h.fail(fmt.Errorf("simdisk: sync: %w", err))
		return
	}
	more := false
	err := h.change(func(tx *stm.Tx, s *state) error {
		for _, b := range s.written[:n] {
			s.durable = s.durable.With(ops(b.ops))
			b.ticket.Complete(tx, nil)
		}
		s.written = s.written[n:]
		more = s.goesOn()
		return nil
	})
	if err == nil && more {
		h.write()
	}
}

// Close implements store.Store. Everything accepted becomes durable first.
func (h *handle) Close() error {
	syncs := false
	err := h.change(func(tx *stm.Tx, s *state) error {
		if s.closing { // by somebody else, who goes on with it
			return stm.ErrRetry
		}
		s.closing = true
		return nil
	})
	if err == nil {
		err = h.change(func(tx *stm.Tx, s *state) error {
			tx.Check(!s.busy)
			syncs = len(s.written) > 0
			s.busy = syncs
			return nil
		})
	}
	if err == nil && syncs {
		h.sync()
		err = h.with(func(tx *stm.Tx, s *state) error { tx.Check(!s.busy); return nil })
	}
	if errors.Is(err, store.ErrClosed) {
		return nil
	}
	_ = h.do(func(tx *stm.Tx) error {
		s := h.disk.state.Get(tx)
		if s.opened == h.num {
			s.inUse, s.closing = false, false
			h.disk.state.Set(tx, s)
		}
		return nil
	})
	return err
}
