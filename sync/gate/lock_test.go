package gate_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// locker is what a crowd enters in the modes of a RAWLock.
type locker interface {
	Acquire(ctx context.Context, m gate.Mode) error
	Release(tx *stm.Tx, m gate.Mode)
}

var errBoom = errors.New("boom")

// crowd has tasks enter in random modes, hold, give up, fail and panic, and looks at who is inside together.
func crowd(ctx context.Context, l locker, with func(ctx context.Context, m gate.Mode, f func(ctx context.Context) error) error) error {
	inside := stm.NewVar([3]int8{})
	step := func(ctx context.Context, m gate.Mode, n int8) error {
		return stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
			in := inside.Get(tx)
			in[m] += n
			inside.Set(tx, in)
			if in[gate.Write] > 1 || in[gate.Append] > 1 || in[gate.Write] > 0 && in != [3]int8{0, 0, 1} {
				return fmt.Errorf("%v are inside together", in)
			}
			return nil
		})
	}
	visit := func(ctx context.Context) error {
		m := gate.Mode(env.Choose(ctx, "mode", 3))
		soon, cancel := env.WithTimeout(ctx, time.Duration(2+env.Choose(ctx, "patience", 30))*time.Microsecond)
		defer cancel()
		err := with(soon, m, func(ctx context.Context) (err error) {
			if err := step(ctx, m, 1); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, step(ctx, m, -1)) }()
			if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "hold", 5))*time.Microsecond); err != nil {
				return err
			}
			switch env.Choose(ctx, "end", 6) {
			case 0:
				return errBoom
			case 1:
				panic(errBoom)
			}
			return nil
		})
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errBoom) {
			return ctx.Err()
		}
		return err
	}
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 5 {
			s.Go("visitor", func(ctx context.Context) error {
				for range 6 {
					if err := recovered(ctx, visit); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	soon, cancel := env.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := l.Acquire(soon, gate.Write); err != nil { // somebody has left it locked
		return err
	}
	return do(ctx, func(tx *stm.Tx) { l.Release(tx, gate.Write) })
}

// recovered runs f and takes the panic errBoom for a return.
func recovered(ctx context.Context, f func(ctx context.Context) error) error {
	defer func() {
		if r := recover(); r != nil && r != any(errBoom) {
			panic(r)
		}
	}()
	return f(ctx)
}

// rw is a RWLock in the modes of a RAWLock.
type rw struct{ *gate.RWLock }

func (l rw) Acquire(ctx context.Context, m gate.Mode) error {
	if m == gate.Read {
		return l.RLock(ctx)
	}
	return l.Lock(ctx)
}

func (l rw) Release(tx *stm.Tx, m gate.Mode) {
	if m == gate.Read {
		l.RUnlock(tx)
		return
	}
	l.Unlock(tx)
}

func (l rw) with(ctx context.Context, m gate.Mode, f func(ctx context.Context) error) error {
	if m == gate.Read {
		return l.WithRead(ctx, f)
	}
	return l.RWLock.With(ctx, f)
}

// weighted is a semaphore in the modes of a RAWLock: a reader wants one permit, the others all.
type weighted struct{ *gate.Semaphore }

func weight(m gate.Mode) int {
	if m == gate.Read {
		return 1
	}
	return 3
}

func (w weighted) Acquire(ctx context.Context, m gate.Mode) error {
	return w.Semaphore.Acquire(ctx, weight(m))
}

func (w weighted) Release(tx *stm.Tx, m gate.Mode) { w.Semaphore.Release(tx, weight(m)) }

func (w weighted) with(ctx context.Context, m gate.Mode, f func(ctx context.Context) error) error {
	return w.Semaphore.With(ctx, weight(m), f)
}

func TestExclusion(t *testing.T) {
	scenarios := map[string]func(ctx context.Context) error{
		"raw": func(ctx context.Context) error {
			l := gate.NewRAWLock()
			return crowd(ctx, l, l.With)
		},
		"rw": func(ctx context.Context) error {
			l := rw{gate.NewRWLock()}
			return crowd(ctx, l, l.with)
		},
		"semaphore": func(ctx context.Context) error {
			l := weighted{gate.NewSemaphore(3)}
			return crowd(ctx, l, l.with)
		},
	}
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(long.N(50, 10_000)) {
				hash, err := simulate(seed, scenario)
				require.NoError(t, err, "seed %d", seed)
				again, _ := simulate(seed, scenario)
				require.Equal(t, hash, again, "seed %d", seed)
			}
			for range long.N(20, 1000) {
				require.NoError(t, scenario(context.Background()))
			}
		})
	}
}

// broken locks in one of the ways in which a lock can be wrong.
type broken struct {
	*gate.RAWLock
	bug string
}

func (b broken) with(ctx context.Context, m gate.Mode, f func(ctx context.Context) error) error {
	switch {
	case b.bug == "appends are reads" && m == gate.Append:
		return b.With(ctx, gate.Read, f)
	case b.bug == "writes are appends" && m == gate.Write:
		return b.With(ctx, gate.Append, f)
	case b.bug == "kept after a panic":
		if err := b.Acquire(ctx, m); err != nil {
			return err
		}
		err := f(ctx)
		return errors.Join(err, do(env.WithoutCancel(ctx), func(tx *stm.Tx) { b.Release(tx, m) }))
	case b.bug == "given back under the ended context":
		if err := b.Acquire(ctx, m); err != nil {
			return err
		}
		defer func() {
			if ctx.Err() == nil {
				_ = do(ctx, func(tx *stm.Tx) { b.Release(tx, m) })
			}
		}()
		return f(ctx)
	}
	return b.With(ctx, m, f)
}

// TestExclusionFinds plants bugs in locks.
func TestExclusionFinds(t *testing.T) {
	for _, bug := range []string{"appends are reads", "writes are appends", "kept after a panic", "given back under the ended context"} {
		found := 0
		for seed := range uint64(50) {
			if _, err := simulate(seed, func(ctx context.Context) error {
				l := broken{gate.NewRAWLock(), bug}
				return crowd(ctx, l, l.with)
			}); err != nil {
				found++
			}
		}
		require.NotZero(t, found, bug)
	}
}

// TestSharing has readers in together, and with an appender.
func TestSharing(t *testing.T) {
	ctx := context.Background()
	l := gate.NewRAWLock()
	require.NoError(t, l.Acquire(ctx, gate.Read))
	require.NoError(t, l.Acquire(ctx, gate.Append))
	require.NoError(t, l.Acquire(ctx, gate.Read))
	require.NoError(t, do(ctx, func(tx *stm.Tx) {
		require.False(t, l.TryAcquire(tx, gate.Append))
		require.False(t, l.TryAcquire(tx, gate.Write))
		require.True(t, l.TryAcquire(tx, gate.Read))
	}))
}

func TestGoexitGivesBack(t *testing.T) {
	ctx := context.Background()
	s, l := gate.NewSemaphore(2), gate.NewRWLock()
	err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		scope.Go("leaver", func(ctx context.Context) error {
			return s.With(ctx, 2, func(ctx context.Context) error {
				return l.With(ctx, func(context.Context) error { runtime.Goexit(); return nil })
			})
		})
		return nil
	})
	require.ErrorIs(t, err, registry.ErrGoexit)
	require.NoError(t, do(ctx, func(tx *stm.Tx) {
		require.True(t, s.TryAcquire(tx, 2))
		require.True(t, l.TryLock(tx))
	}))
}

func TestMisuse(t *testing.T) {
	ctx := context.Background()
	s, l, lim := gate.NewSemaphore(2), gate.NewRAWLock(), gate.NewLimiter(time.Second, 2)
	read := gate.NewRAWLock()
	require.NoError(t, read.Acquire(ctx, gate.Read))
	require.ErrorIs(t, s.Acquire(ctx, 3), gate.ErrNever)
	require.ErrorIs(t, lim.Wait(ctx, 3), gate.ErrNever)
	require.NoError(t, do(ctx, func(tx *stm.Tx) { require.False(t, lim.Allow(tx, 3)) }))
	for name, misuse := range map[string]func(){
		"no permits":       func() { gate.NewSemaphore(0) },
		"none of them":     func() { _ = s.Acquire(ctx, 0) },
		"too many back":    func() { _ = do(ctx, func(tx *stm.Tx) { s.Release(tx, 1) }) },
		"not held":         func() { _ = do(ctx, func(tx *stm.Tx) { l.Release(tx, gate.Read) }) },
		"not held so":      func() { _ = do(ctx, func(tx *stm.Tx) { read.Release(tx, gate.Write) }) },
		"no mode":          func() { _ = do(ctx, func(tx *stm.Tx) { l.Release(tx, 7) }) },
		"no latch":         func() { gate.NewLatch(-1) },
		"no barrier":       func() { gate.NewBarrier(0) },
		"no rate":          func() { gate.NewLimiter(0, 1) },
		"no burst":         func() { gate.NewLimiter(1, 0) },
		"endless":          func() { gate.NewLimiter(time.Hour, 1<<40) },
		"no tokens":        func() { _ = lim.Wait(ctx, 0) },
		"a bucket of none": func() { gate.NewLeakyBucket(time.Second, 0) },
	} {
		require.Panics(t, misuse, name)
	}
}
