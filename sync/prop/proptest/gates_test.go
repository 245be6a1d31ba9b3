package proptest_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// holding is what a gate's sequential specification knows: how many hold it in each mode. A semaphore has one mode.
type holding [3]int

// pass is an operation on a gate: by how much it enters or leaves, and in which mode.
type pass struct {
	leave bool
	try   bool // its output is whether it entered
	mode  gate.Mode
	n     int
}

// door is a gate, with what it admits.
type door struct {
	fits  func(h holding, p pass) bool
	enter func(ctx context.Context, p pass) error
	try   func(tx *stm.Tx, p pass) bool
	leave func(tx *stm.Tx, p pass)
	modes int
	most  int // of pass.n
}

func permits(ctx context.Context) door {
	const size = 3
	s := gate.NewSemaphore(size)
	return door{
		fits:  func(h holding, p pass) bool { return h[0]+p.n <= size },
		enter: func(ctx context.Context, p pass) error { return s.Acquire(ctx, p.n) },
		try:   func(tx *stm.Tx, p pass) bool { return s.TryAcquire(tx, p.n) },
		leave: func(tx *stm.Tx, p pass) { s.Release(tx, p.n) },
		modes: 1, most: size,
	}
}

func shared(h holding, p pass) bool {
	switch {
	case h[gate.Write] > 0:
		return false
	case p.mode == gate.Write:
		return h == holding{}
	}
	return p.mode == gate.Read || h[gate.Append] == 0
}

func rawLock(context.Context) door {
	l := gate.NewRAWLock()
	return door{
		fits:  shared,
		enter: func(ctx context.Context, p pass) error { return l.Acquire(ctx, p.mode) },
		try:   func(tx *stm.Tx, p pass) bool { return l.TryAcquire(tx, p.mode) },
		leave: func(tx *stm.Tx, p pass) { l.Release(tx, p.mode) },
		modes: 3, most: 1,
	}
}

// rwLock is a lock without appenders.
func rwLock(context.Context) door {
	l := gate.NewRWLock()
	return door{
		fits: shared,
		enter: func(ctx context.Context, p pass) error {
			if p.mode == gate.Write {
				return l.Lock(ctx)
			}
			return l.RLock(ctx)
		},
		try: func(tx *stm.Tx, p pass) bool {
			if p.mode == gate.Write {
				return l.TryLock(tx)
			}
			return l.TryRLock(tx)
		},
		leave: func(tx *stm.Tx, p pass) {
			if p.mode == gate.Write {
				l.Unlock(tx)
			} else {
				l.RUnlock(tx)
			}
		},
		modes: 2, most: 1,
	}
}

// passes lets tasks enter, by waiting or, if tries, by trying, and leave again. Tries alone are noted with their failures,
// for one that fails because somebody waits has no place in a sequence.
func passes(ctx context.Context, d door, tries bool) ([]porcupine.Operation, error) {
	const tasks, rounds = 4, 12
	var clock atomic.Int64
	histories := make([][]porcupine.Operation, tasks)
	err := registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		for t := range tasks {
			s.Go("visitor", func(ctx context.Context) error {
				note := func(p pass, f func() (bool, error)) (bool, error) {
					begin := clock.Add(1)
					entered, err := f()
					op := porcupine.Operation{ClientId: t, Input: p, Output: entered, Call: begin, Return: clock.Add(1)}
					histories[t] = append(histories[t], op)
					return entered, err
				}
				for range rounds {
					p := pass{try: tries, mode: gate.Mode(env.Choose(ctx, "mode", d.modes)), n: 1 + env.Choose(ctx, "n", d.most)}
					if d.modes == 2 && p.mode == gate.Append {
						p.mode = gate.Write
					}
					entered, err := note(p, func() (bool, error) {
						if tries {
							return stm.Query(ctx, func(tx *stm.Tx) bool { return d.try(tx, p) })
						}
						return true, d.enter(ctx, p)
					})
					if err != nil || !entered {
						continue
					}
					if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "hold", 3))); err != nil {
						return err
					}
					p.leave = true
					if _, err := note(p, func() (bool, error) {
						return true, stm.Do(ctx, func(tx *stm.Tx) error { d.leave(tx, p); return nil })
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	return all, err
}

// admitted asks porcupine whether a gate's history has an order.
func admitted(d door, ops []porcupine.Operation) bool {
	return porcupine.CheckOperations(porcupine.Model{
		Init: func() any { return holding{} },
		Step: func(state, in, out any) (bool, any) {
			h, p, entered := state.(holding), in.(pass), out.(bool)
			switch {
			case p.leave:
				h[p.mode] -= p.n
				return h[p.mode] >= 0, h
			case !entered:
				return !d.fits(h, p), h
			}
			fits := d.fits(h, p)
			h[p.mode] += p.n
			return fits, h
		},
	}, ops)
}

func doors() map[string]func(ctx context.Context) door {
	return map[string]func(ctx context.Context) door{"Semaphore": permits, "RWLock": rwLock, "RAWLock": rawLock}
}

// TestGateHistories has porcupine explain what gates admitted, to who waits and to who tries.
func TestGateHistories(t *testing.T) {
	for name, make := range doors() {
		for _, tries := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tries=%v", name, tries), func(t *testing.T) {
				for range long.N(10, 1000) {
					d := make(t.Context())
					ops, err := passes(t.Context(), d, tries)
					require.NoError(t, err)
					require.True(t, admitted(d, ops), "%v", ops)
				}
			})
		}
	}
}

// TestGateHistoriesPlanted has gates that admit one too many, refuse what fits, or look and enter in two transactions.
func TestGateHistoriesPlanted(t *testing.T) {
	torn := func(ctx context.Context) door {
		d := permits(ctx)
		held := stm.NewVar(holding{})
		d.enter = func(ctx context.Context, p pass) error {
			if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(d.fits(held.Get(tx), p)); return nil }); err != nil {
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error {
				held.Update(tx, func(h holding) holding { h[0] += p.n; return h })
				return nil
			})
		}
		d.leave = func(tx *stm.Tx, p pass) { held.Update(tx, func(h holding) holding { h[0] -= p.n; return h }) }
		return d
	}
	generous := func(ctx context.Context) door {
		d := rawLock(ctx)
		d.enter = func(context.Context, pass) error { return nil }
		d.leave = func(*stm.Tx, pass) {}
		return d
	}
	mean := func(ctx context.Context) door {
		d := permits(ctx)
		d.try = func(*stm.Tx, pass) bool { return false }
		return d
	}
	for name, c := range map[string]struct {
		make  func(ctx context.Context) door
		tries bool
	}{"torn": {torn, false}, "generous": {generous, false}, "mean": {mean, true}} {
		found := 0
		for seed := range uint64(20) { // in a simulation, where the seed decides who comes between
			_, err := simulate(seed, func(ctx context.Context) error {
				d := c.make(ctx)
				ops, err := passes(ctx, d, c.tries)
				if err == nil && !admitted(d, ops) {
					found++
				}
				return err
			})
			require.NoError(t, err)
		}
		require.NotZero(t, found, name)
	}
}
