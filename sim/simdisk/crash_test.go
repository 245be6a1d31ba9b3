package simdisk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

var slow = simdisk.Config{WriteTime: 2 * time.Millisecond, SyncTime: 5 * time.Millisecond, Jitter: time.Millisecond}

func batch(entries ...string) *store.Batch {
	b := new(store.Batch)
	for i := 0; i < len(entries); i += 2 {
		b.Put([]byte(entries[i]), []byte(entries[i+1]))
	}
	return b
}

func apply(ctx context.Context, s store.Store, d store.Durability, entries ...string) error {
	t, err := s.Apply(ctx, batch(entries...), d)
	if err != nil {
		return err
	}
	return t.Wait(ctx)
}

// acked is what a writer was told of its batches.
type acked struct{ accepted, written, durable int }

// writer applies numbered batches, each of two keys, for ever.
func writer(ctx context.Context, s store.Store, acks *stm.Var[acked]) error {
	for i := 1; ; i++ {
		d := store.Durability(env.Choose(ctx, "durability", 3))
		t, err := s.Apply(ctx, batch(fmt.Sprintf("a%06d", i), "x", fmt.Sprintf("b%06d", i), "x", "last", fmt.Sprint(i)), d)
		if err != nil {
			return err
		}
		ack := func(f func(a *acked)) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { a := acks.Get(tx); f(&a); acks.Set(tx, a); return nil })
		}
		if err := ack(func(a *acked) { a.accepted = i }); err != nil {
			return err
		}
		if env.Choose(ctx, "waits", 2) == 0 {
			continue
		}
		if err := t.Wait(ctx); err != nil {
			return err
		}
		err = ack(func(a *acked) {
			if d >= store.Written {
				a.written = i
			}
			if d == store.Durable {
				a.durable = i
			}
		})
		if err != nil {
			return err
		}
	}
}

// isPrefix says how many batches of a writer s holds, and fails if they are no prefix of its batches.
func isPrefix(s store.Store) (int, error) {
	n := 0
	for e, err := range s.Scan([]byte("a"), []byte("b")) {
		if err != nil {
			return 0, err
		}
		if n++; string(e.Key) != fmt.Sprintf("a%06d", n) {
			return 0, fmt.Errorf("%s is entry %d", e.Key, n)
		}
		if _, err := s.Get(fmt.Appendf(nil, "b%06d", n)); err != nil {
			return 0, fmt.Errorf("half of batch %d: %w", n, err)
		}
	}
	if last, err := s.Get([]byte("last")); n > 0 && (err != nil || string(last) != fmt.Sprint(n)) {
		return 0, fmt.Errorf("the last of %d is %q, %v", n, last, err)
	}
	return n, nil
}

// crashed lets a writer go on for a while, crashes it, and says what is found afterwards, beside what was acknowledged.
func crashed(ctx context.Context, cfg simdisk.Config, power bool) (found int, a acked, err error) {
	disk, acks := simdisk.New(cfg), stm.NewVar(acked{})
	s, err := disk.Open(ctx)
	if err != nil {
		return 0, a, err
	}
	err = registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		scope.Go("writer", func(ctx context.Context) error {
			if err := writer(ctx, s, acks); !errors.Is(err, store.ErrClosed) && !errors.Is(err, store.ErrFailed) {
				return err
			}
			return nil
		})
		if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "crash at", 100))*time.Millisecond); err != nil {
			return err
		}
		a = acks.Load(ctx)
		if power {
			return disk.PowerLoss(ctx)
		}
		return disk.Kill(ctx)
	})
	if err != nil {
		return 0, a, err
	}
	if s, err = disk.Open(ctx); err != nil {
		return 0, a, err
	}
	found, err = isPrefix(s)
	return found, a, errors.Join(err, s.Close())
}

func afterCrash(cfg simdisk.Config, power bool, lost func(n int)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		found, a, err := crashed(ctx, cfg, power)
		least := a.written
		if power {
			least = a.durable
		}
		if err == nil && found < least {
			return fmt.Errorf("%d batches were acknowledged and %d found", least, found)
		}
		lost(a.accepted - found)
		return err
	}
}

// After a crash there is a prefix, with all that was acknowledged at the level asked for; and now and then something is lost.
func TestCrashLeavesAPrefix(t *testing.T) {
	for _, power := range []bool{true, false} {
		lost, runs := 0, map[int]bool{}
		for seed := range uint64(150) {
			run := func() *sim.Report {
				return sim.Run(seed, afterCrash(slow, power, func(n int) {
					if runs[n] = true; n > 0 {
						lost++
					}
				}))
			}
			r := run()
			require.NoError(t, r.Err, seed)
			require.Equal(t, r.Hash, run().Hash, seed)
		}
		require.Greater(t, lost, 30, "power %v", power)
		require.Greater(t, len(runs), 5)
	}
}

// Planted bugs are found.
func TestPlantedBugs(t *testing.T) {
	for _, bug := range []string{"acknowledged when written", "a hole"} {
		failed := 0
		for seed := range uint64(150) {
			if r := sim.Run(seed, afterCrash(simdisk.Planted(slow, bug), true, func(int) {})); r.Err != nil {
				failed++
			}
		}
		t.Log(bug, failed)
		require.NotZero(t, failed, bug)
	}
}

// At any moment the images are the prefixes from what is durable up to what may have reached the disk.
func TestImages(t *testing.T) {
	many := 0
	for seed := range uint64(40) {
		r := sim.Run(seed, func(ctx context.Context) error {
			disk, acks := simdisk.New(slow), stm.NewVar(acked{})
			s, err := disk.Open(ctx)
			if err != nil {
				return err
			}
			return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
				scope.Go("writer", func(ctx context.Context) error {
					if err := writer(ctx, s, acks); !errors.Is(err, store.ErrClosed) {
						return err
					}
					return nil
				})
				for range 10 {
					if err := env.Sleep(ctx, 3*time.Millisecond); err != nil {
						return err
					}
					least := acks.Load(ctx).durable
					images := disk.Images(ctx)
					many = max(many, len(images))
					var first int
					for i, image := range images {
						s, err := image.Open(ctx)
						if err != nil {
							return err
						}
						n, err := isPrefix(s)
						if i == 0 {
							first = n
						}
						if err != nil || n != first+i || n < least {
							return fmt.Errorf("image %d of %d has %d batches, the first %d, acknowledged %d: %w", i, len(images), n, first, least, err)
						}
						if err := s.Close(); err != nil {
							return err
						}
					}
				}
				return s.Close()
			})
		})
		require.NoError(t, r.Err)
	}
	require.Greater(t, many, 3)
}
