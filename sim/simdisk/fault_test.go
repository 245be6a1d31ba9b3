package simdisk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// failedForGood checks that every call reports cause, and what the disk holds when opened again.
func failedForGood(ctx context.Context, disk *simdisk.Disk, s store.Store, cause error, has string) error {
	_, get := s.Get([]byte("k"))
	_, apply := s.Apply(ctx, batch("k", "v"), store.Queued)
	var scan error
	for _, scan = range s.Scan(nil, nil) {
		break
	}
	for _, err := range []error{get, apply, scan, s.Close()} {
		if !errors.Is(err, store.ErrFailed) || !errors.Is(err, cause) {
			return fmt.Errorf("a failed store says %w", err)
		}
	}
	s, err := disk.Open(ctx)
	if err != nil {
		return err
	}
	var got []string
	for e, err := range s.Scan(nil, nil) {
		if err != nil {
			return err
		}
		got = append(got, string(e.Key))
	}
	if all := strings.Join(got, ""); !strings.HasPrefix(has, all) || all == "" {
		return fmt.Errorf("the disk holds %q", all)
	}
	return errors.Join(apply2(ctx, s), s.Close())
}

func apply2(ctx context.Context, s store.Store) error { return apply(ctx, s, store.Durable, "z", "1") }

// simulated runs f on a fresh disk.
func simulated(t *testing.T, cfg simdisk.Config, f func(ctx context.Context, d *simdisk.Disk, s store.Store) error, opts ...sim.Option) {
	t.Helper()
	for seed := range uint64(20) {
		r := sim.Run(seed, func(ctx context.Context) error {
			d := simdisk.New(cfg)
			s, err := d.Open(ctx)
			if err != nil {
				return err
			}
			return f(ctx, d, s)
		}, opts...)
		require.NoError(t, r.Err)
	}
}

func TestFailuresAreForGood(t *testing.T) {
	t.Run("a broken disk", func(t *testing.T) {
		simulated(t, slow, func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
			if err := errors.Join(apply(ctx, s, store.Written, "a", "1"), d.Break(ctx, syscall.EIO)); err != nil {
				return err
			}
			if err := apply(ctx, s, store.Written, "b", "1"); !errors.Is(err, syscall.EIO) || !errors.Is(err, store.ErrFailed) {
				return err
			}
			return failedForGood(ctx, d, s, syscall.EIO, "ab")
		})
	})
	t.Run("a full disk", func(t *testing.T) {
		cfg := slow
		cfg.CapacityBytes = 10
		simulated(t, cfg, func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
			for range 3 { // in place
				if err := apply(ctx, s, store.Written, "a", "1234567"); err != nil {
					return err
				}
			}
			if err := apply(ctx, s, store.Durable, "b", "123"); !errors.Is(err, syscall.ENOSPC) {
				return fmt.Errorf("beyond the capacity: %w", err)
			}
			if _, err := d.Open(ctx); !errors.Is(err, simdisk.ErrOpen) {
				return fmt.Errorf("opened beside a failed store: %w", err)
			}
			if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
				return fmt.Errorf("close: %w", err)
			}
			s, err := d.Open(ctx)
			if err != nil {
				return err
			}
			v, err := s.Get([]byte("a"))
			if string(v) != "1234567" || err != nil {
				return fmt.Errorf("a full disk holds %q, %w", v, err)
			}
			return s.Close()
		})
	})
	t.Run("a failing sync", func(t *testing.T) {
		boom := errors.New("boom")
		simulated(t, slow, func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
			if err := apply(ctx, s, store.Written, "a", "1"); err != nil {
				return err
			}
			if err := apply(ctx, s, store.Durable, "b", "1"); !errors.Is(err, boom) {
				return fmt.Errorf("a failing sync: %w", err)
			}
			if _, err := s.Get([]byte("a")); !errors.Is(err, boom) {
				return fmt.Errorf("after it: %w", err)
			}
			return nil
		}, sim.Fail(simdisk.SyncFault, boom, 1))
	})
}

// A spoilt value is reported; planted, without checksums, it is a wrong value.
func TestBitRot(t *testing.T) {
	rotten := func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
		if err := errors.Join(apply(ctx, s, store.Written, "k", "value", "l", "fine"), d.Rot(ctx, []byte("k"))); err != nil {
			return err
		}
		if v, err := s.Get([]byte("l")); string(v) != "fine" || err != nil {
			return fmt.Errorf("its neighbour: %q, %w", v, err)
		}
		v, err := s.Get([]byte("k"))
		if !errors.Is(err, simdisk.ErrCorrupt) || !errors.Is(err, store.ErrFailed) {
			return fmt.Errorf("rot was read: %q, %w", v, err)
		}
		if err := d.PowerLoss(ctx); err != nil {
			return err
		}
		if s, err = d.Open(ctx); err != nil {
			return err
		}
		for _, err = range s.Scan(nil, nil) {
		}
		if !errors.Is(err, simdisk.ErrCorrupt) {
			if _, gone := s.Get([]byte("k")); !errors.Is(gone, store.ErrNotFound) { // lost with its batch
				return fmt.Errorf("a restart mends rot: %w", err)
			}
		}
		return nil
	}
	simulated(t, slow, rotten)
	wrong := 0
	for seed := range uint64(20) {
		r := sim.Run(seed, func(ctx context.Context) error {
			d := simdisk.New(simdisk.Planted(slow, "no checksum"))
			s, err := d.Open(ctx)
			if err != nil {
				return err
			}
			return rotten(ctx, d, s)
		})
		if r.Err != nil {
			wrong++
		}
	}
	require.Equal(t, 20, wrong)
}

// A stall takes its time, from fail point and by hand, and a group shares one write and one sync.
func TestTimes(t *testing.T) {
	cfg := simdisk.Config{WriteTime: 2 * time.Millisecond, SyncTime: 5 * time.Millisecond, BytesPerSecond: 1000}
	simulated(t, cfg, func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
		start := env.Now(ctx)
		took := func(f func() error, want time.Duration) error {
			start = env.Now(ctx)
			if err := f(); err != nil {
				return err
			}
			if got := env.Now(ctx).Sub(start); got != want {
				return fmt.Errorf("took %v instead of %v", got, want)
			}
			return nil
		}
		one := func(d store.Durability) func() error {
			return func() error { return apply(ctx, s, d, "k", "123") } // 20 bytes: 20 ms
		}
		group := func() error {
			return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
				if err := one(store.Queued)(); err != nil { // occupies the disk
					return err
				}
				for range 10 {
					scope.Go("one", func(context.Context) error { return one(store.Durable)() })
				}
				return nil
			})
		}
		return errors.Join(
			took(one(store.Queued), 0),
			took(func() error { return env.Sleep(ctx, time.Second) }, time.Second),
			took(one(store.Written), 22*time.Millisecond),
			took(one(store.Durable), 27*time.Millisecond),
			took(group, 22*time.Millisecond+(2+200+5)*time.Millisecond),
			d.Stall(ctx, time.Second),
			took(one(store.Durable), 1027*time.Millisecond),
			s.Close())
	})
}

// All faults by chance at once: each comes about, and what was acknowledged is there.
func TestFaultsByChance(t *testing.T) {
	simtest.Check(t, func(ctx context.Context) error {
		disk, acks := simdisk.New(slow), stm.NewVar(acked{})
		for range 3 {
			s, err := disk.Open(ctx)
			if err != nil {
				return err
			}
			err = registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
				scope.Go("writer", func(ctx context.Context) error { return apply(ctx, s, store.Durable, "mine", "1") })
				for i := range 5 {
					if err := apply(ctx, s, store.Durable, fmt.Sprint(i), "v"); err != nil {
						return err
					}
					if v, err := s.Get(fmt.Append(nil, i)); err != nil || string(v) != "v" {
						return fmt.Errorf("%d is %q, %w", i, v, err)
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, store.ErrFailed) && !errors.Is(err, syscall.EIO) {
				return err
			}
			if err := disk.PowerLoss(ctx); err != nil {
				return err
			}
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { acks.Get(tx); return nil })
	},
		simtest.Runs(60),
		simtest.Fault(simdisk.WriteFault, syscall.EIO, 0.05),
		simtest.Fault(simdisk.SyncFault, syscall.EIO, 0.05),
		simtest.Fault(simdisk.ReadFault, syscall.EIO, 0.05),
		simtest.Fault(simdisk.StallFault, syscall.EIO, 0.05),
		simtest.Fault(simdisk.RotFault, syscall.EIO, 0.05))
}

// The store of before a crash is dead, and a disk has one store at a time.
func TestOneStoreAtATime(t *testing.T) {
	simulated(t, slow, func(ctx context.Context, d *simdisk.Disk, s store.Store) error {
		if _, err := d.Open(ctx); !errors.Is(err, simdisk.ErrOpen) {
			return fmt.Errorf("a second store: %w", err)
		}
		tk, err := s.Apply(ctx, batch("k", "old"), store.Durable)
		if err := errors.Join(err, d.PowerLoss(ctx)); err != nil {
			return err
		}
		again, err := d.Open(ctx)
		if err != nil {
			return err
		}
		_, get := s.Get([]byte("k"))
		_, err = s.Apply(ctx, batch("k", "ghost"), store.Written)
		if !errors.Is(get, store.ErrClosed) || !errors.Is(err, store.ErrClosed) || s.Close() != nil {
			return fmt.Errorf("the dead store says %w, %w", get, err)
		}
		if err := tk.Wait(ctx); !errors.Is(err, store.ErrFailed) {
			return fmt.Errorf("an open ticket: %w", err)
		}
		if err := env.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if v, err := again.Get([]byte("k")); err == nil && string(v) != "old" {
			return fmt.Errorf("a ghost wrote %q", v)
		}
		return again.Close()
	})
}
