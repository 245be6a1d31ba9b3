package topic_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
	"github.com/synodkit/synod/sync/topic"
)

func inTx(t testing.TB, f func(tx *stm.Tx)) {
	t.Helper()
	require.NoError(t, stm.Do(context.Background(), func(tx *stm.Tx) error { f(tx); return nil }))
}

// bounded is a topic as its subscriptions of a bound see it.
type bounded struct {
	*topic.Topic[int]
	props prop.Props
}

func (b bounded) Props() prop.Props { return b.props }

func kit(history, bound int) proptest.Kit {
	return proptest.Kit{Name: fmt.Sprintf("history=%d, bound=%d", history, bound), New: func(ctx context.Context, n int) (prop.Sink[int], []proptest.Source) {
		t := topic.New[int](history)
		b := bounded{Topic: t}
		var all []proptest.Source
		for range n {
			s, _ := stm.Query(ctx, func(tx *stm.Tx) *topic.Subscription[int] { return t.Subscribe(tx, bound) })
			b.props = s.Props()
			all = append(all, func(tx *stm.Tx) (int, int, error) {
				i, err := s.Take(tx)
				return i.Value, i.Missed, err
			})
		}
		return b, all
	}}
}

func TestLaws(t *testing.T) {
	for _, k := range []proptest.Kit{kit(1, 1), kit(3, 3), kit(5, 2)} {
		t.Run("", func(t *testing.T) {
			proptest.Run(t, k, simulate, long.N(100, 10_000))
			rapid.Check(t, func(rt *rapid.T) {
				choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }
				require.NoError(rt, k.Sequence(context.Background(), choose))
			})
		})
	}
}

// TestFeed has a state that is written with each value that is published. Whoever subscribes and reads the state in one
// transaction and adds up what comes has the state, at every moment. Who does it in two does not, and is found.
func TestFeed(t *testing.T) {
	found := 0
	for seed := range uint64(long.N(200, 20_000)) {
		r := sim.Run(seed, func(ctx context.Context) error { return feed(ctx, together) })
		require.NoError(t, r.Err, "seed %d", seed)
		if r = sim.Run(seed, func(ctx context.Context) error { return feed(ctx, apart) }); r.Err != nil {
			found++
		}
	}
	require.NotZero(t, found, "the planted bug")
}

func feed(ctx context.Context, begin func(ctx context.Context, state *stm.Var[int], feed *topic.Topic[int]) (int, *topic.Subscription[int])) error {
	state, feed := stm.NewVar(0), topic.New[int](64)
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for w := range 3 {
			s.Go("writer", func(ctx context.Context) error { return write(ctx, state, feed, w) })
		}
		for range 3 {
			s.Go("reader", func(ctx context.Context) error {
				if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "begin", 6))); err != nil {
					return err
				}
				sum, s := begin(ctx, state, feed)
				return follow(ctx, state, sum, s)
			})
		}
		if err := env.Sleep(ctx, 20); err != nil {
			return err
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { feed.Close(tx); return nil })
	})
}

func together(ctx context.Context, state *stm.Var[int], feed *topic.Topic[int]) (sum int, s *topic.Subscription[int]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		sum, s = state.Get(tx), feed.Subscribe(tx, 64)
		return nil
	})
	return sum, s
}

func apart(ctx context.Context, state *stm.Var[int], feed *topic.Topic[int]) (sum int, s *topic.Subscription[int]) {
	sum = state.Load(ctx)
	_ = stm.Do(ctx, func(tx *stm.Tx) error { s = feed.Subscribe(tx, 64); return nil })
	return sum, s
}

func write(ctx context.Context, state *stm.Var[int], feed *topic.Topic[int], me int) error {
	for n := range 5 {
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			change := 10*me + n
			state.Set(tx, state.Get(tx)+change)
			_, err := feed.Put(tx, change)
			return err
		})
		if errors.Is(err, prop.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "write", 6))); err != nil {
			return err
		}
	}
	return nil
}

func follow(ctx context.Context, state *stm.Var[int], sum int, s *topic.Subscription[int]) error {
	for {
		equal := true
		_, err := stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
			i, err := s.Take(tx)
			if err == nil && s.Behind(tx) == 0 {
				equal = sum+i.Value == state.Get(tx)
			}
			if err == nil {
				tx.OnCommit(func() { sum += i.Value })
			}
			return i.Value, err
		})
		switch {
		case errors.Is(err, prop.ErrClosed):
			return nil
		case err != nil:
			return err
		case !equal:
			return errors.New("the sum of the changes is not the state")
		}
	}
}

// TestSlowIsBounded publishes a flood in front of one who does not take.
func TestSlowIsBounded(t *testing.T) {
	ctx := context.Background()
	news := topic.New[int](8)
	var slow, patient *topic.Subscription[int]
	inTx(t, func(tx *stm.Tx) { slow, patient = news.Subscribe(tx, 2), news.Subscribe(tx, 8) })
	for v := range 1000 {
		_, err := prop.Send(ctx, news, v)
		require.NoError(t, err)
	}
	items, err := prop.Batch(ctx, slow, 99)
	require.NoError(t, err)
	require.Equal(t, []topic.Item[int]{{998, 998}, {999, 0}}, items)
	items, err = prop.Batch(ctx, patient, 99)
	require.NoError(t, err)
	require.Len(t, items, 8)
	require.Equal(t, topic.Item[int]{992, 992}, items[0])
}

func TestRewind(t *testing.T) {
	for _, c := range []struct{ published, bound, back, want int }{
		{0, 4, 3, 0}, {2, 4, 3, 2}, {9, 4, 3, 3}, {9, 4, 99, 4}, {9, 2, 3, 2}, {9, 4, 0, 0}, {9, 4, -1, 0},
	} {
		inTx(t, func(tx *stm.Tx) {
			news := topic.New[int](4)
			for v := range c.published {
				_, err := news.Put(tx, v)
				require.NoError(t, err)
			}
			s := news.Subscribe(tx, c.bound)
			require.Zero(t, s.Behind(tx))
			s.Rewind(tx, c.back)
			require.Equal(t, c.want, s.Behind(tx), "%+v", c)
			for n := range c.want {
				i, err := s.Take(tx)
				require.NoError(t, err)
				require.Equal(t, topic.Item[int]{Value: c.published - c.want + n}, i)
			}
		})
	}
}

// Who is further behind than it wants to rewind stays where it is, and what it misses is counted.
func TestRewindNeverGoesForward(t *testing.T) {
	inTx(t, func(tx *stm.Tx) {
		news := topic.New[int](4)
		s := news.Subscribe(tx, 4)
		for v := range 5 {
			_, err := news.Put(tx, v)
			require.NoError(t, err)
		}
		s.Rewind(tx, 2)
		i, err := s.Take(tx)
		require.NoError(t, err)
		require.Equal(t, topic.Item[int]{Value: 1, Missed: 1}, i)
	})
}

func TestMisuse(t *testing.T) {
	require.Panics(t, func() { topic.New[int](0) })
	news := topic.New[int](2)
	inTx(t, func(tx *stm.Tx) {
		require.Panics(t, func() { news.Subscribe(tx, 0) })
		require.Panics(t, func() { news.Subscribe(tx, 3) })
	})
}

// TestForgotten sees that a subscription needs no end: nothing keeps it.
func TestForgotten(t *testing.T) {
	news := topic.New[int](2)
	var gone weak.Pointer[topic.Subscription[int]]
	inTx(t, func(tx *stm.Tx) { gone = weak.Make(news.Subscribe(tx, 2)) })
	_, err := prop.Send(context.Background(), news, 1)
	require.NoError(t, err)
	for range 3 {
		runtime.GC()
	}
	require.Nil(t, gone.Value())
	runtime.KeepAlive(news)
}
