package gate_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Who decides what to do next passes over what others do, and takes what is left, in one transaction.
func ExampleLeases() {
	ctx := context.Background()
	leases := gate.NewLeases[string]("fetching")
	choose := func(wanted ...string) (mine []string) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			mine = nil
			held := leases.Held(tx)
			for _, k := range wanted {
				if !held(k) {
					mine = append(mine, k)
				}
			}
			leases.Take(tx, time.Minute, mine...)
			return nil
		})
		return mine
	}
	fmt.Println(choose("a", "b"))
	fmt.Println(choose("a", "b", "c"))
	// Output:
	// [a b]
	// [c]
}

// holders is what the check of leases needs, so that a broken one can be in its place.
type holders interface {
	Take(tx *stm.Tx, d time.Duration, keys ...int) *gate.Lease[int]
	Held(tx *stm.Tx) func(k int) bool
	Release(tx *stm.Tx, l *gate.Lease[int])
	Len(tx *stm.Tx) int
}

// checkLeases compares leases with a list of keys and times, in virtual time.
func checkLeases(ctx context.Context, l holders) error {
	type lease struct {
		real  *gate.Lease[int]
		keys  []int
		until time.Time
	}
	var all []lease
	for range 60 {
		var keys []int
		for range env.Choose(ctx, "keys", 4) {
			keys = append(keys, env.Choose(ctx, "key", 6))
		}
		d, n := time.Duration(env.Choose(ctx, "for", 5))*time.Second, env.Choose(ctx, "which", len(all)+1)
		end, undo := env.Choose(ctx, "release", 2) == 1 && n < len(all), env.Choose(ctx, "undo", 4) == 0
		var taken *gate.Lease[int]
		now := env.Now(ctx)
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			held := l.Held(tx)
			for k := range 6 {
				want := slices.ContainsFunc(all, func(x lease) bool { return slices.Contains(x.keys, k) && now.Before(x.until) })
				if held(k) != want {
					return fmt.Errorf("key %d held: %v, not %v", k, !want, want)
				}
			}
			if l.Len(tx) != len(all) {
				return fmt.Errorf("%d leases, not %d", l.Len(tx), len(all))
			}
			if end {
				l.Release(tx, all[n].real)
			} else {
				taken = l.Take(tx, d, keys...)
			}
			if undo {
				return errUndone
			}
			return nil
		})
		switch {
		case err == errUndone:
		case err != nil:
			return err
		case end:
			all = slices.Delete(all, n, n+1)
		default:
			all = append(all, lease{taken, keys, now.Add(d)})
		}
		if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "pass", 3))*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// forEver are leases that do not end by themselves.
type forEver struct{ *gate.Leases[int] }

func (f forEver) Take(tx *stm.Tx, _ time.Duration, keys ...int) *gate.Lease[int] {
	return f.Leases.Take(tx, 24*time.Hour, keys...)
}

// forgets are leases of which the newest is the only one.
type forgets struct {
	*gate.Leases[int]
	last *stm.Var[*gate.Lease[int]]
}

func (f forgets) Take(tx *stm.Tx, d time.Duration, keys ...int) *gate.Lease[int] {
	if l := f.last.Get(tx); l != nil {
		f.Release(tx, l)
	}
	l := f.Leases.Take(tx, d, keys...)
	f.last.Set(tx, l)
	return l
}

func TestLeasesModel(t *testing.T) {
	found := map[string]int{}
	for seed := range uint64(long.N(100, 5000)) {
		_, err := simulate(seed, func(ctx context.Context) error { return checkLeases(ctx, gate.NewLeases[int]("leases")) })
		require.NoError(t, err, "seed %d", seed)
		for name, broken := range map[string]holders{
			"for ever": forEver{gate.NewLeases[int]("")},
			"forgets":  forgets{gate.NewLeases[int](""), stm.NewVar[*gate.Lease[int]](nil)},
		} {
			if _, err := simulate(seed, func(ctx context.Context) error { return checkLeases(ctx, broken) }); err != nil {
				found[name]++
			}
		}
	}
	require.NotZero(t, found["for ever"])
	require.NotZero(t, found["forgets"])
}

// TestLeaseWakes has somebody who waits for a key: once it is released, once its time is over.
func TestLeaseWakes(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		l := gate.NewLeases[string]("leases")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for _, early := range []bool{true, false} {
				mine, err := stm.Atomically(ctx, func(tx *stm.Tx) (*gate.Lease[string], error) { return l.Take(tx, time.Minute, "a"), nil })
				if err != nil {
					return err
				}
				begun := env.Now(ctx)
				free := registry.Fork(s, "waiter", func(ctx context.Context) (time.Duration, error) {
					err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!l.Held(tx)("a")); return nil })
					return env.Now(ctx).Sub(begun), err
				})
				want := time.Minute
				if early {
					want = time.Second
					if err := env.Sleep(ctx, want); err != nil {
						return err
					}
					if err := do(ctx, func(tx *stm.Tx) { l.Release(tx, mine) }); err != nil {
						return err
					}
				}
				waited, err := free.Wait(ctx)
				require.NoError(t, err)
				require.Equal(t, want, waited)
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
}
