package registry

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

var errEnough = errors.New("enough")

// Two tasks take turns. Whoever looks between two turns, and again later, sees both wait each time; that one of them
// has gone on meanwhile is seen by the marks alone.
func TestTwoPassesSeeWhatHappenedBetween(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		return Run(ctx, func(ctx context.Context, outer *Scope) error {
			turn := stm.NewVar(-1)
			inner := Fork(outer, "inner", func(ctx context.Context) (*Scope, error) { return pingPong(ctx, turn) })
			play := func(n int) error {
				return errors.Join(stm.Do(ctx, func(tx *stm.Tx) error { turn.Set(tx, n); return nil }), env.Sleep(ctx, 1))
			}
			if err := play(0); err != nil {
				return err
			}
			s := outer.kids.youngest.scope
			require.NotNil(t, s)
			first := surveyOf(s)
			require.True(t, first.found[s].blocked)
			require.True(t, first.agreed(surveyOf(s))[s], "nothing happened")
			if err := play(0); err != nil {
				return err
			}
			second := surveyOf(s)
			require.True(t, second.found[s].blocked)
			require.False(t, first.agreed(second)[s], "something happened")
			inner.Cancel(errEnough)
			return errEnough
		})
	})
	require.ErrorIs(t, r.Err, errEnough)
}

// pingPong ends with ctx. An even turn is the first task's, which makes it odd; an odd one the second's, which ends it.
func pingPong(ctx context.Context, turn *stm.Var[int]) (*Scope, error) {
	return nil, Run(ctx, func(ctx context.Context, s *Scope) error {
		Owned(s, turn)
		for i := range 2 {
			s.Go("player", func(ctx context.Context) error {
				for {
					err := stm.Do(ctx, func(tx *stm.Tx) error {
						n := turn.Get(tx)
						tx.Check(n >= 0 && n%2 == i)
						turn.Set(tx, map[int]int{0: 1, 1: -1}[i])
						return nil
					})
					if err != nil {
						return err
					}
				}
			})
		}
		return nil
	})
}

// A closer releases a resource between two looks, and waits for the same task each time.
func TestTwoPassesSeeWhatTheCloserDid(t *testing.T) {
	var released Tree
	r := sim.Run(1, func(ctx context.Context) error {
		return Run(ctx, func(ctx context.Context, outer *Scope) error {
			end, cancel := env.WithCancelCause(ctx)
			never := stm.NewVar(false)
			outer.Go("inner", func(context.Context) error {
				return Run(end, func(ctx context.Context, s *Scope) error {
					Owned(s, never)
					s.Go("deaf", func(ctx context.Context) error {
						return stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { tx.Check(never.Get(tx)); return nil })
					})
					_, err := Acquire(s, "x", func(context.Context) (int, error) { return 0, nil },
						func(context.Context, int) error { released = Dump(s); return nil })
					return err
				})
			})
			err := env.Sleep(ctx, 1)
			s := outer.kids.youngest.scope
			first := surveyOf(s)
			cancel(errEnough)
			err = errors.Join(err, env.Sleep(ctx, 1))
			second := surveyOf(s)
			require.True(t, first.found[s].blocked)
			require.True(t, second.found[s].blocked)
			require.False(t, first.agreed(second)[s])
			require.True(t, second.agreed(surveyOf(s))[s])
			return errors.Join(err, stm.Do(ctx, func(tx *stm.Tx) error { never.Set(tx, true); return nil }))
		})
	})
	require.NoError(t, r.Err)
	require.Equal(t, "cancelled", released.State)
	require.Empty(t, released.Waits, "who releases waits for nothing")
}

func TestOwnedDropsGarbage(t *testing.T) {
	require.NoError(t, Run(context.Background(), func(ctx context.Context, s *Scope) error {
		kept := Owned(s, stm.NewVar(0))
		for range 10_000 {
			Owned(s, stm.NewVar(0))
		}
		runtime.GC()
		for range s.owned.next - len(s.owned.vars) + 1 { // up to the next look at them
			Owned(s, stm.NewVar(0))
		}
		require.Less(t, len(s.owned.vars), 10_000)
		require.Equal(t, addressOf(kept), s.owned.vars[0]())
		return nil
	}))
}
