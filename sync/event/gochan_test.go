package event_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// TestGoChannels waits for each kind of thing, beside all others, with one and with several Go channels.
func TestGoChannels(t *testing.T) {
	registrytest.NoLeaksT(t)
	in, more, full := make(chan string, 1), make(chan string, 1), make(chan string)
	v, other := stm.NewVar(false), event.NewChan[string]()
	for _, channels := range []int{1, 3} {
		choice := func(patience time.Duration) event.Event[string] {
			all := []event.Event[string]{
				event.Tx(func(tx *stm.Tx) (string, error) { tx.Check(v.Get(tx)); v.Set(tx, false); return "var", nil }),
				event.Recv(other),
				event.Wrap(event.After(patience), func(time.Time) (string, error) { return "timer", nil }),
				event.FromChan(in),
			}
			if channels > 1 {
				all = append(all, event.FromChan(more),
					event.Wrap(event.ToChan(full, "x"), func(struct{}) (string, error) { return "sent", nil }))
			}
			return event.Choose(all...)
		}
		sync := func(ctx context.Context, act func(ctx context.Context)) (got string, err error) {
			_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("actor", func(ctx context.Context) error { act(ctx); return nil })
				got, err = event.Sync(ctx, choice(time.Hour))
				return nil
			})
			return got, err
		}
		cases := map[string]func(ctx context.Context){
			"chan": func(context.Context) { in <- "chan" },
			"var":  func(ctx context.Context) { _ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, true); return nil }) },
			"met":  func(ctx context.Context) { _ = other.Send(ctx, "met") },
		}
		if channels > 1 {
			cases["more"] = func(context.Context) { more <- "more" }
			cases["sent"] = func(context.Context) { <-full }
		}
		for want, act := range cases {
			got, err := sync(context.Background(), act)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		got, err := event.Sync(context.Background(), choice(0))
		require.NoError(t, err)
		require.Equal(t, "timer", got)
		why := errors.New("why")
		ctx, cancel := env.WithCancelCause(context.Background())
		_, err = sync(ctx, func(context.Context) { cancel(why) })
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, why)
	}
}

func TestGoChannelClosed(t *testing.T) {
	ctx := context.Background()
	c := make(chan int)
	close(c)
	never := make(chan int)
	for range 2 {
		_, err := event.Sync(ctx, event.FromChan(c))
		require.ErrorIs(t, err, prop.ErrClosed)
		_, err = event.Sync(ctx, event.Choose(event.FromChan(never), event.FromChan(c)))
		require.ErrorIs(t, err, prop.ErrClosed)
	}
}

func TestGoChannelOrder(t *testing.T) {
	ctx := context.Background()
	c := make(chan int, 1)
	c <- 1
	v, err := event.Sync(ctx, event.Choose(event.FromChan(c), event.Always(2)))
	require.NoError(t, err)
	require.Equal(t, 1, v, "the order holds among all kinds")
	v, err = event.Sync(ctx, event.Choose(event.FromChan(c), event.Always(2)))
	require.NoError(t, err)
	require.Equal(t, 2, v)
}

func TestSimulated(t *testing.T) {
	for _, scenario := range []func(ctx context.Context) error{
		func(ctx context.Context) error { _, err := event.Sync(ctx, event.FromChan(make(chan int))); return err },
		func(ctx context.Context) error {
			return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
				event.Pump(s.Go, "pump", queue.FIFO(1, queue.Wait[int]()), nil)
				return nil
			})
		},
		func(ctx context.Context) error {
			return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
				event.PumpInto(s.Go, "pump", make(chan int), queue.FIFO(1, queue.Wait[int]()), nil)
				return nil
			})
		},
	} {
		require.ErrorIs(t, sim.Run(1, scenario).Err, stm.ErrSimulated)
	}
}

// TestGoChannelsLoseNothing has tasks receive from Go channels, queues and a Chan in one choice, giving up at random,
// while others fill all of them. Each value is seen once.
func TestGoChannelsLoseNothing(t *testing.T) {
	const n = 200
	for range long.N(10, 1000) {
		a, b := make(chan int), make(chan int, 4)
		q, c := queue.FIFO(4, queue.Wait[int]()), event.NewChan[int]()
		seen := make([]atomic.Int32, 4*n)
		var left atomic.Int32
		left.Store(4 * n)
		ctx, done := env.WithCancel(context.Background())
		err := registry.Run(context.Background(), func(_ context.Context, s *registry.Scope) error {
			for i, give := range []func(v int) error{
				func(v int) error { a <- v; return nil },
				func(v int) error { b <- v; return nil },
				func(v int) error { _, err := prop.Send(context.Background(), q, v); return err },
				func(v int) error { return c.Send(context.Background(), v) },
			} {
				s.Go("giver", func(context.Context) error {
					for v := range n {
						if err := give(i*n + v); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for range 3 {
				s.Go("taker", func(context.Context) error {
					for ctx.Err() == nil {
						soon, cancel := env.WithTimeout(ctx, time.Duration(env.Choose(ctx, "patience", 200))*time.Microsecond)
						v, err := event.Sync(soon, event.Choose(event.FromChan(a), event.Tx(q.Take), event.FromChan(b), event.Recv(c)))
						cancel()
						if err != nil {
							continue
						}
						seen[v].Add(1)
						if left.Add(-1) == 0 {
							done()
						}
					}
					return nil
				})
			}
			return nil
		})
		done()
		require.NoError(t, err)
		for v := range seen {
			require.EqualValues(t, 1, seen[v].Load(), "value %d", v)
		}
	}
}

func TestPump(t *testing.T) {
	registrytest.NoLeaksT(t)
	ctx := context.Background()
	q := queue.FIFO(4, queue.Wait[int]())
	var undelivered []int
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for v := range 3 {
			if _, err := prop.Send(ctx, q, v); err != nil {
				return err
			}
		}
		inner, cancel := env.WithCancel(ctx)
		spawn := func(name string, f func(ctx context.Context) error) {
			s.Go(name, func(context.Context) error { _ = f(inner); return nil })
		}
		c := event.Pump(spawn, "pump", q, func(v int) { undelivered = append(undelivered, v) })
		if v := <-c; v != 0 {
			return fmt.Errorf("got %d", v)
		}
		// The pump has 1 in its hands as soon as the queue holds one value.
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(q.Len(tx) == 1); return nil }); err != nil {
			return err
		}
		cancel()
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{1}, undelivered)
	v, err := prop.Recv(ctx, q)
	require.NoError(t, err)
	require.Equal(t, 2, v)
}

func TestPumpEnds(t *testing.T) {
	ctx := context.Background()
	q := queue.FIFO(4, queue.Wait[int]())
	_, err := prop.Send(ctx, q, 1)
	require.NoError(t, err)
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil }))
	require.NoError(t, registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		var got []int
		for v := range event.Pump(s.Go, "pump", q, nil) {
			got = append(got, v)
		}
		require.Equal(t, []int{1}, got)
		return nil
	}))
}

func TestPumpInto(t *testing.T) {
	registrytest.NoLeaksT(t)
	ctx := context.Background()
	q := queue.FIFO(1, queue.DropNewest[int]())
	var undelivered []int
	in := make(chan int)
	require.NoError(t, registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		event.PumpInto(s.Go, "pump", in, q, func(v int) { undelivered = append(undelivered, v) })
		for v := range 3 {
			in <- v
		}
		close(in)
		return nil
	}))
	require.Equal(t, []int{1, 2}, undelivered)
	v, err := prop.Recv(ctx, q)
	require.NoError(t, err)
	require.Zero(t, v)
	_, err = prop.Recv(ctx, q)
	require.ErrorIs(t, err, prop.ErrClosed, "the sink is closed when the channel is")
}

// TestPumpIntoClosed ends a pump whose sink is closed under it.
func TestPumpIntoClosed(t *testing.T) {
	ctx := context.Background()
	q := queue.FIFO(1, queue.Wait[int]())
	in := make(chan int, 1)
	in <- 7
	var once sync.Once
	var undelivered []int
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil }))
	require.NoError(t, registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		event.PumpInto(s.Go, "pump", in, q, func(v int) { once.Do(func() { undelivered = append(undelivered, v) }) })
		return nil
	}))
	require.Equal(t, []int{7}, undelivered)
}
