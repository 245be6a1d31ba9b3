package gate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

var errUndone = errors.New("undone")

// TestSemaphoreModel compares a semaphore with a count, in transactions of which some are undone.
func TestSemaphoreModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(rt, "size")
		s, held := gate.NewSemaphore(size), 0
		for range rapid.IntRange(0, 30).Draw(rt, "steps") {
			undo, n := rapid.Bool().Draw(rt, "undo"), rapid.IntRange(1, 6).Draw(rt, "n")
			back := held > 0 && rapid.Bool().Draw(rt, "release")
			after := held
			err := stm.Do(context.Background(), func(tx *stm.Tx) error {
				require.Equal(rt, size-held, s.Free(tx))
				if back {
					after = held - min(n, held)
					s.Release(tx, min(n, held))
				} else {
					require.Equal(rt, held+n <= size, s.TryAcquire(tx, n))
					if held+n <= size {
						after = held + n
					}
				}
				if undo {
					return errUndone
				}
				return nil
			})
			if undo {
				require.ErrorIs(rt, err, errUndone)
			} else {
				held = after
			}
		}
	})
}

// TestLockModel compares a RAWLock with three counts.
func TestLockModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, held := gate.NewRAWLock(), [3]int{}
		for range rapid.IntRange(0, 30).Draw(rt, "steps") {
			m := gate.Mode(rapid.IntRange(0, 2).Draw(rt, "mode"))
			undo, back := rapid.Bool().Draw(rt, "undo"), held[m] > 0 && rapid.Bool().Draw(rt, "release")
			free := held[gate.Write] == 0 && (m == gate.Read || m == gate.Append && held[gate.Append] == 0 || held == [3]int{})
			err := stm.Do(context.Background(), func(tx *stm.Tx) error {
				if back {
					l.Release(tx, m)
				} else {
					require.Equal(rt, free, l.TryAcquire(tx, m), "%v, mode %v", held, m)
				}
				if undo {
					return errUndone
				}
				return nil
			})
			switch {
			case undo:
				require.ErrorIs(rt, err, errUndone)
			case back:
				held[m]--
			case free:
				held[m]++
			}
		}
	})
}

// TestDeadlockIsNamed has a task wait for what its own task holds: the report says for what.
func TestDeadlockIsNamed(t *testing.T) {
	for want, scenario := range map[string]func(ctx context.Context) error{
		"semaphore.free": func(ctx context.Context) error {
			s := gate.NewSemaphore(2)
			return s.With(ctx, 2, func(ctx context.Context) error { return s.Acquire(ctx, 1) })
		},
		"ledger.held": func(ctx context.Context) error {
			l := gate.NewRWLock().Label("ledger")
			return l.With(ctx, func(ctx context.Context) error { return l.RLock(ctx) })
		},
		"bytes.free": func(ctx context.Context) error {
			s := gate.NewSemaphore(1).Label("bytes")
			return s.With(ctx, 1, func(ctx context.Context) error { return s.Acquire(ctx, 1) })
		},
		"lock.held": func(ctx context.Context) error {
			l := gate.NewRWLock()
			return l.WithRead(ctx, func(ctx context.Context) error { return l.Lock(ctx) })
		},
		"barrier": func(ctx context.Context) error { _, err := gate.NewBarrier(2).Await(ctx); return err },
		"latch":   func(ctx context.Context) error { return stm.Do(ctx, gate.NewLatch(1).Wait) },
	} {
		r := sim.Run(1, scenario)
		var d *sim.DeadlockError
		require.ErrorAs(t, r.Err, &d)
		require.ErrorContains(t, r.Err, want)
	}
}
