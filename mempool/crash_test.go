package mempool

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

// life is one run of a pool up to the stop of its disk, and what it had accepted then.
type life struct {
	accepted []op
	content  *store.Memory // what was durable
	stopped  bool
}

// live opens a pool on a disk that stops at an operation, lets clients work, and ends with the disk.
func live(ctx context.Context, w *world, content *store.Memory, name string, spoil spoiling) (l life, err error) {
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		sc, err := openScene(ctx, s, w, content, spoil)
		if err != nil {
			return err
		}
		l.content = sc.disk.Durable
		ends := stm.NewVar(0)
		work := func(what string, f func(ctx context.Context) error) {
			s.Go(what, func(ctx context.Context) error {
				err := f(ctx)
				if err == nil {
					err = stm.Do(ctx, func(tx *stm.Tx) error { ends.Update(tx, func(n int) int { return n + 1 }); return nil })
				}
				return err
			})
		}
		for i := range 2 {
			work(fmt.Sprint("client ", i), func(ctx context.Context) error { return sc.submit(ctx, fmt.Sprint(name, i), 0, 6) })
		}
		work("forger", func(ctx context.Context) error { return sc.forge(ctx, 12) })
		err = stm.Do(ctx, func(tx *stm.Tx) error {
			l.stopped = sc.disk.Stopped.Get(tx)
			tx.Check(l.stopped || ends.Get(tx) == 3)
			l.accepted = sc.accepted.Get(tx)
			return nil
		})
		if err != nil {
			return err
		}
		return errDone
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return l, err
}

// outlive checks what a restart finds.
func outlive(ctx context.Context, w *world, l life, accepted []op) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		sc, err := openScene(ctx, s, w, l.content, spoiling{})
		if err != nil {
			return err
		}
		if err := sc.found(ctx, accepted); err != nil {
			return err
		}
		return w.valid(ctx, query(ctx, sc.p.Snapshot))
	})
}

// crashAt crashes at one operation in each of two lives, and checks each time.
func crashAt(seed uint64, op1 int, effect bool, spoil spoiling) (stopped bool, err error) {
	r := sim.Run(seed, func(ctx context.Context) error {
		w, content, accepted := newWorld(4), store.NewMemory(), []op(nil)
		for again := range 2 {
			stop := spoiling{pool: spoil.pool, disk: func(d *storetest.Slow) {
				d.StopAt, d.Effect = op1, effect
				if spoil.disk != nil {
					spoil.disk(d)
				}
			}}
			l, err := live(ctx, w, content, fmt.Sprint("life", again, "."), stop)
			if err != nil {
				return err
			}
			if err := w.crash(ctx); err != nil {
				return err
			}
			accepted = append(accepted, l.accepted...)
			if err := outlive(ctx, w, l, accepted); err != nil {
				return fmt.Errorf("operation %d, effect %v, life %d: %w", op1, effect, again, err)
			}
			content, stopped = l.content, stopped || l.stopped
		}
		return nil
	})
	return stopped, r.Err
}

// crashMatrix crashes at every operation of runs with some seeds. It gives the first failure.
func crashMatrix(t *testing.T, seeds int, spoil spoiling) error {
	points := 0
	for seed := range uint64(seeds) {
		for at := 1; ; at++ {
			reached := false
			for _, effect := range []bool{false, true} {
				stopped, err := crashAt(seed, at, effect, spoil)
				if err != nil {
					return err
				}
				reached = reached || stopped
				points++
			}
			if !reached {
				break
			}
		}
	}
	t.Logf("%d seeds, %d crashes", seeds, points)
	return nil
}

func TestCrashAtEveryOperation(t *testing.T) {
	require.NoError(t, crashMatrix(t, long.N(4, 300), spoiling{}))
}

func TestPlantedCrashBugsAreCaught(t *testing.T) {
	for name, spoil := range map[string]spoiling{
		"accepted before it is durable": {pool: func(p *testPool, _ *syncer[*book, op]) {
			p.journal.accepted = func(*stm.Tx, *local[op]) bool { return true }
		}},
		"a store that acknowledges too early":     {disk: func(d *storetest.Slow) { d.Eager = true }},
		"out of the journal with the first block": {pool: func(p *testPool, _ *syncer[*book, op]) { p.cfg.K = 1 }},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorIs(t, crashMatrix(t, 6, spoil), errLost) })
	}
}
