package tally_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tally"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func value(ctx context.Context, c *tally.Counter) int64 {
	n, err := stm.Query(ctx, c.Value)
	if err != nil {
		panic(err)
	}
	return n
}

func add(ctx context.Context, c *tally.Counter, n int64) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		c.Add(tx, n)
		return nil
	})
}

// A transaction sees its own additions; one that fails adds nothing, nor does a part of one that fails.
func TestInOneTransaction(t *testing.T) {
	ctx := context.Background()
	c, failed := tally.New(), errors.New("failed")
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		c.Add(tx, 5)
		c.Add(tx, -2)
		require.Equal(t, int64(3), c.Value(tx))
		require.ErrorIs(t, stm.Try(tx, func(tx *stm.Tx) error {
			c.Add(tx, 100)
			return failed
		}), failed)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, int64(3), value(ctx, c))
	require.ErrorIs(t, stm.Do(ctx, func(tx *stm.Tx) error {
		c.Add(tx, 100)
		return failed
	}), failed)
	require.Equal(t, int64(3), value(ctx, c))
}

// Many add at once while others look: no look sees a state that never was, and the end is exact.
func TestExact(t *testing.T) {
	ctx := context.Background()
	a, b := tally.New(), tally.New()
	const adders = 4
	each := long.N(3000, 300_000)
	var wg sync.WaitGroup
	for range adders {
		wg.Go(func() {
			for i := range each {
				err := stm.Do(ctx, func(tx *stm.Tx) error {
					a.Add(tx, int64(i))
					b.Add(tx, -int64(i))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range each / 10 {
			sum, err := stm.Query(ctx, func(tx *stm.Tx) int64 { return a.Value(tx) + b.Value(tx) })
			if sum != 0 || err != nil {
				t.Errorf("saw %d, %v", sum, err)
				return
			}
		}
	})
	wg.Wait()
	require.Equal(t, int64(adders*each*(each-1)/2), value(ctx, a))
}

// Transactions that run at once are in different lanes, but by chance; a run stays in its lane.
func TestLanes(t *testing.T) {
	ctx := context.Background()
	const n = 16
	lanes := make([]uint64, n)
	var started, done sync.WaitGroup
	started.Add(n)
	for i := range n {
		done.Go(func() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error {
				lanes[i] = tally.Lane(tx)
				started.Done() //stmvet:ok all are to be in their bodies at once
				started.Wait() //stmvet:ok as above; no body runs twice here
				if tally.Lane(tx) != lanes[i] {
					t.Error("the lane has changed")
				}
				return nil
			})
		})
	}
	done.Wait()
	distinct := map[uint64]bool{}
	for _, l := range lanes {
		distinct[l] = true
	}
	require.GreaterOrEqual(t, len(distinct), n/2)
}

// A wait for a value ends by any addition that reaches it.
func TestWait(t *testing.T) {
	ctx := context.Background()
	c := tally.New().Label("votes")
	done := make(chan error)
	go func() {
		done <- stm.Do(ctx, func(tx *stm.Tx) error {
			tx.Check(c.Value(tx) >= 100)
			return nil
		})
	}()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 10 {
				if err := add(ctx, c, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, <-done)
	require.Equal(t, int64(100), value(ctx, c))
}

// scenario moves coins between two counters while an audit adds up both by the given look.
func scenario(look func(ctx context.Context, a, b *tally.Counter) (int64, error)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		a, b := tally.New(), tally.New()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for i := range 3 {
				s.Go(fmt.Sprint("mover ", i), func(ctx context.Context) error {
					for range 5 {
						err := stm.Do(ctx, func(tx *stm.Tx) error {
							a.Add(tx, 1)
							b.Add(tx, -1)
							return nil
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			s.Go("audit", func(ctx context.Context) error {
				for range 5 {
					if sum, err := look(ctx, a, b); sum != 0 || err != nil {
						return errors.Join(err, fmt.Errorf("%w: %d", errTorn, sum))
					}
				}
				return nil
			})
			s.Go("end", func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error {
					tx.Check(a.Value(tx) == 15)
					return nil
				})
			})
			return nil
		})
	}
}

var errTorn = errors.New("torn look")

func TestSimulated(t *testing.T) {
	whole := scenario(func(ctx context.Context, a, b *tally.Counter) (int64, error) {
		return stm.Query(ctx, func(tx *stm.Tx) int64 { return a.Value(tx) + b.Value(tx) })
	})
	torn := scenario(func(ctx context.Context, a, b *tally.Counter) (int64, error) {
		x, err := stm.Query(ctx, a.Value)
		if err != nil {
			return 0, err
		}
		y, err := stm.Query(ctx, b.Value)
		return x + y, err
	})
	hashes, caught := map[uint64]bool{}, 0
	seeds := long.N(100, 10_000)
	for seed := range uint64(seeds) {
		r := sim.Run(seed, whole)
		require.NoError(t, r.Err, "seed %d", seed)
		require.Equal(t, r.Hash, sim.Run(seed, whole).Hash, "seed %d", seed)
		hashes[r.Hash] = true
		if errors.Is(sim.Run(seed, torn).Err, errTorn) {
			caught++
		}
	}
	require.Greater(t, len(hashes), seeds*9/10)
	require.Greater(t, caught, seeds/2, "the planted fault was not noticed")
}
