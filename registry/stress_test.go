package registry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
)

// crowd is scopes side by side whose tasks acquire, release, give each other resources, start each other, fail and are
// cancelled, all at once, while somebody looks.
type crowd struct {
	scopes               [3]atomic.Pointer[registry.Scope]
	opened, closed, live atomic.Int32
	cancel               context.CancelCauseFunc
}

func (c *crowd) acquire(s *registry.Scope) (*registry.Handle[*atomic.Int32], error) {
	return registry.Acquire(s, "x", func(context.Context) (*atomic.Int32, error) {
		c.opened.Add(1)
		return new(atomic.Int32), nil
	}, func(ctx context.Context, times *atomic.Int32) error {
		runtime.Gosched()
		c.closed.Add(1)
		if times.Add(1) != 1 || ctx.Err() != nil {
			return fmt.Errorf("released %d times, %w", times.Load(), ctx.Err())
		}
		return nil
	})
}

func (c *crowd) scope(n int, seed uint64) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			c.scopes[n].Store(s)
			for i := range uint64(3) {
				s.Go("member", c.member(s, seed<<8|uint64(n)<<4|i, 2))
			}
			return nil
		})
		return only(err, errBoom, errOther, context.Canceled)
	}
}

// member does ten things by chance.
func (c *crowd) member(s *registry.Scope, seed uint64, children int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		c.live.Add(1)
		defer c.live.Add(-1)
		r := rand.New(rand.NewPCG(seed, 1))
		var mine []*registry.Handle[*atomic.Int32]
		for range 10 {
			var closed *registry.ClosedError
			switch k := r.IntN(40); {
			case k < 10:
				h, err := c.acquire(s)
				if err != nil && !errors.As(err, &closed) {
					return err
				}
				if err == nil {
					mine = append(mine, h)
				}
			case k < 20 && len(mine) > 0:
				to := c.scopes[r.IntN(len(c.scopes))].Load()
				if to == nil {
					continue
				}
				if err := mine[0].Move(to); err != nil && !errors.As(err, &closed) && err != registry.ErrReleased {
					return err
				}
			case k < 28 && len(mine) > 0:
				if err := mine[0].Release(context.WithoutCancel(ctx)); err != nil {
					return err
				}
				mine = mine[1:]
			case k < 32 && children > 0:
				s.Go("child", c.member(s, seed*31+uint64(k), children-1))
			case k == 32:
				return errBoom
			case k == 33:
				c.cancel(errOther)
			case k == 34:
				panic(errBoom)
			case k == 35:
				f := registry.Fork(s, "fork", func(ctx context.Context) (int, error) { return 0, never(ctx) })
				f.Cancel(errOther)
				if _, err := f.Wait(context.WithoutCancel(ctx)); !errors.Is(err, errOther) && !errors.As(err, &closed) && !errors.Is(err, context.Canceled) {
					return fmt.Errorf("a cancelled fork gave %w", err)
				}
			case k == 36 && children > 0:
				err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					s.Go("nested", c.member(s, seed*37, children-1))
					_, err := c.acquire(s)
					return err
				}, registry.WithGrace(time.Hour))
				if err != nil {
					return err
				}
			case k == 37:
				if err := s.Daemon(ctx, "daemon", serve); err != nil && !errors.As(err, &closed) && ctx.Err() == nil {
					return err
				}
			default:
				runtime.Gosched()
			}
		}
		return ctx.Err()
	}
}

func TestStress(t *testing.T) {
	looked := false
	for seed := range uint64(long.N(60, 30_000)) {
		c, seen := new(crowd), false
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			ctx, c.cancel = env.WithCancelCause(ctx)
			defer c.cancel(nil)
			done := make(chan struct{})
			s.Go("looking", func(context.Context) error {
				for {
					select {
					case <-done:
						return nil
					default:
						seen = strings.Contains(registry.Dump(s).String(), "task member  running") || seen
					}
				}
			})
			defer close(done)
			return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
				for n := range c.scopes {
					s.Go("scope", c.scope(n, seed))
				}
				return nil
			})
		})
		var refused *registry.ClosedError
		if !errors.As(err, &refused) { // a scope was cancelled before it began
			require.NoError(t, only(err, errBoom, errOther, context.Canceled), "seed %d", seed)
		}
		require.Equal(t, c.opened.Load(), c.closed.Load(), "seed %d", seed)
		require.Zero(t, c.live.Load(), "seed %d", seed)
		looked = looked || seen
	}
	require.True(t, looked, "somebody looked and saw nobody")
}
