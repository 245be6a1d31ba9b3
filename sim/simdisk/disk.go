package simdisk

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Disk is what a crash leaves. It belongs to the world of the first context that it was used with.
type Disk struct {
	cfg   Config
	state *stm.Var[state]
}

// state is the whole disk at one moment; immutable.
type state struct {
	opened  int         // counts Opens: the store of an earlier one is dead
	inUse   bool        // by the store of the last Open
	durable store.Image // after power loss, at least this
	seen    store.Image // what Get and Scan see: durable and all that is written
	bytes   int         // of seen
	written []*batch    // since durable, in order
	writing []*batch    // the group on its way to the disk
	waiting []*batch    // accepted
	queued  int         // bytes of writing and waiting
	busy    bool        // something is on its way
	closing bool        // nothing more is accepted
	failed  error       // for good
	broken  error       // what the next write is to fail with
	stall   time.Duration
}

// batch is an accepted batch.
type batch struct {
	ops    []store.Op // values sealed
	size   int
	wants  store.Durability
	ticket *store.Ticket
}

// New makes an empty disk.
func New(cfg Config) *Disk {
	if cfg.StallTime <= 0 {
		cfg.StallTime = stallDefault
	}
	if cfg.QueueBytes <= 0 {
		cfg.QueueBytes = queueDefault
	}
	return &Disk{cfg, stm.NewVar(state{}).Label("disk")}
}

func (d *Disk) update(ctx context.Context, f func(s *state) error) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		s := d.state.Get(tx)
		if err := f(&s); err != nil {
			return err
		}
		d.state.Set(tx, s)
		return nil
	})
}

// Kill is the death of the process that uses the disk. What was written stays, of what is being written a prefix.
func (d *Disk) Kill(ctx context.Context) error {
	return d.crash(ctx, func(s *state) (least, most int) { return len(s.written), len(s.written) + len(s.writing) }, false)
}

// PowerLoss is the death of the machine. What was durable stays; of what was written or being written, a prefix.
func (d *Disk) PowerLoss(ctx context.Context) error {
	return d.crash(ctx, func(s *state) (least, most int) { return 0, len(s.written) + len(s.writing) }, true)
}

// crash keeps a number of batches between least and most, which is a choice named simdisk.kept.
func (d *Disk) crash(ctx context.Context, bounds func(s *state) (least, most int), power bool) error {
	s := d.state.Load(ctx)
	least, most := bounds(&s)
	kept := least + env.Choose(ctx, "simdisk.kept", most-least+1)
	return stm.Do(ctx, func(tx *stm.Tx) error {
		s := d.state.Get(tx)
		s.completeAll(tx, fmt.Errorf("%w: a crash", store.ErrFailed)) // for who has outlived it
		least, most := bounds(&s)                                     // time has passed since the choice
		s.keep(d.cfg.bugs.holes, min(max(kept, least), most), power)
		d.state.Set(tx, s)
		return nil
	})
}

// completeAll completes the tickets of all that is not durable.
func (s *state) completeAll(tx *stm.Tx, err error) {
	for _, group := range [][]*batch{s.written, s.writing, s.waiting} {
		for _, b := range group {
			b.ticket.Complete(tx, err)
		}
	}
}

// keep makes s what a crash leaves of it.
func (s *state) keep(holes bool, kept int, power bool) {
	all := append(s.written[:len(s.written):len(s.written)], s.writing...)
	if holes && kept > 0 && kept < len(all) {
		all = all[1:]
	}
	*s = state{opened: s.opened, durable: s.durable, seen: s.durable, written: all[:kept]}
	for _, b := range s.written {
		s.seen = s.seen.With(ops(b.ops))
	}
	s.bytes = sizeOf(s.seen)
	if power {
		s.durable, s.written = s.seen, nil
	}
}

// Images are all disks that a power loss at this moment could leave, those with less first. They can be opened; d goes on.
func (d *Disk) Images(ctx context.Context) []*Disk {
	now := d.state.Load(ctx)
	var all []*Disk
	for kept := range len(now.written) + len(now.writing) + 1 {
		s := now
		s.keep(d.cfg.bugs.holes, kept, true)
		cfg := d.cfg
		all = append(all, &Disk{cfg, stm.NewVar(s).Label("disk image")})
	}
	return all
}

// Break makes the next write fail with err.
func (d *Disk) Break(ctx context.Context, err error) error {
	return d.update(ctx, func(s *state) error { s.broken = err; return nil })
}

// Stall makes the next write or sync take so much longer.
func (d *Disk) Stall(ctx context.Context, more time.Duration) error {
	return d.update(ctx, func(s *state) error { s.stall = more; return nil })
}

// Rot flips a bit in the value of key, as it is on the disk and in every copy. It is an error if there is no such key.
func (d *Disk) Rot(ctx context.Context, key []byte) error {
	bit := env.Choose(ctx, "simdisk.bit", 1<<16)
	return d.update(ctx, func(s *state) error {
		if !s.rot(key, bit) {
			return fmt.Errorf("simdisk: rot: %w: %q", store.ErrNotFound, key)
		}
		return nil
	})
}

func (s *state) rot(key []byte, bit int) bool {
	sealed, ok := s.seen.Get(key)
	if !ok {
		return false
	}
	spoilt := []store.Op{{Key: key, Value: flipped(sealed, bit)}}
	s.seen = s.seen.With(ops(spoilt))
	if _, ok := s.durable.Get(key); ok {
		s.durable = s.durable.With(ops(spoilt))
	}
	s.written = spoiltIn(s.written, key, bit)
	return true
}

func ops(x []store.Op) iter.Seq[store.Op] {
	return func(yield func(store.Op) bool) {
		for _, op := range x {
			if !yield(op) {
				return
			}
		}
	}
}
