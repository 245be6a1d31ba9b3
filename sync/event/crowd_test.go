package event

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// crowd is tasks that send, receive, or do whichever comes first, at two Chans and a Var, and give up at random. Each
// value is sent once; what was sent and what was received must be the same, and those who met must both have been there.
type crowd struct {
	sync  func(ctx context.Context, e Event[int]) (int, error)
	chans [2]*Chan[int]
	box   *stm.Var[int] // values by transaction; 0 is none
	clock atomic.Int64
	sends [crowdSize * crowdTurns]stay // by value less one
	takes [crowdSize * crowdTurns]stay
	gave  atomic.Int64
}

// stay is when somebody was there.
type stay struct {
	begin, end int64
	count      atomic.Int32
}

const (
	crowdSize  = 6
	crowdTurns = 5
)

func newCrowd(sync func(ctx context.Context, e Event[int]) (int, error)) *crowd {
	return &crowd{sync: sync, chans: [2]*Chan[int]{NewChan[int](), NewChan[int]()}, box: stm.NewVar(0)}
}

// choice is an event whose value is that received, or, with a minus, that sent.
func (c *crowd) choice(ctx context.Context, v int) Event[int] {
	sent := func(c *Chan[int]) Event[int] {
		return Wrap(Send(c, v), func(struct{}) (int, error) { return -v, nil })
	}
	all := []Event[int]{
		Recv(c.chans[0]), sent(c.chans[0]), Recv(c.chans[1]), sent(c.chans[1]),
		Tx(func(tx *stm.Tx) (int, error) {
			in := c.box.Get(tx)
			if in == 0 {
				return 0, stm.ErrRetry
			}
			c.box.Set(tx, 0)
			return in, nil
		}),
		Tx(func(tx *stm.Tx) (int, error) {
			if c.box.Get(tx) != 0 {
				return 0, stm.ErrRetry
			}
			c.box.Set(tx, v)
			return -v, nil
		}),
	}
	var some []Event[int]
	for range 1 + env.Choose(ctx, "choices", 3) {
		some = append(some, all[env.Choose(ctx, "choice", len(all))])
	}
	return Choose(some...)
}

func (c *crowd) visit(ctx context.Context, v int) error {
	soon, cancel := env.WithTimeout(ctx, time.Duration(env.Choose(ctx, "patience", 20))*10*time.Microsecond)
	defer cancel()
	begin := c.clock.Add(1)
	got, err := c.sync(soon, c.choice(ctx, v))
	end := c.clock.Add(1)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, prop.ErrClosed):
		c.gave.Add(1)
		return ctx.Err()
	case err != nil:
		return err
	case got < 0:
		s := &c.sends[-got-1]
		s.begin, s.end = begin, end
		s.count.Add(1)
	default:
		s := &c.takes[got-1]
		s.begin, s.end = begin, end
		s.count.Add(1)
	}
	return nil
}

func (c *crowd) run(ctx context.Context) error {
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		if env.Choose(ctx, "closes", 2) == 0 {
			s.Go("closer", func(ctx context.Context) error {
				if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "when", 20))*10*time.Microsecond); err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { c.chans[1].Close(tx); return nil })
			})
		}
		for who := range crowdSize {
			s.Go(fmt.Sprint("visitor-", who), func(ctx context.Context) error {
				for turn := range crowdTurns {
					if err := c.visit(ctx, who*crowdTurns+turn+1); err != nil {
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
	left := c.box.Load(ctx)
	for i := range c.sends {
		sent, taken := &c.sends[i], &c.takes[i]
		if v := i + 1; v == left {
			taken.count.Add(1)
		}
		if s, r := sent.count.Load(), taken.count.Load(); s != r || s > 1 {
			return fmt.Errorf("value %d: sent %d times, received %d times", i+1, s, r)
		}
	}
	for _, at := range c.chans {
		for _, l := range []*line[int]{at.senders, at.receivers} {
			if l.first.Load(ctx) != nil || l.last.Load(ctx) != nil {
				return errors.New("an offer is left that nobody stands behind")
			}
		}
	}
	return nil
}

func TestCrowd(t *testing.T) {
	met, gave := int64(0), int64(0)
	for seed := range uint64(long.N(400, 100_000)) {
		c := newCrowd(Sync[int])
		r := sim.Run(seed, c.run)
		require.NoError(t, r.Err, "seed %d", seed)
		again := newCrowd(Sync[int])
		require.Equal(t, r.Hash, sim.Run(seed, again.run).Hash, "seed %d", seed)
		for i := range c.sends {
			met += int64(c.sends[i].count.Load())
		}
		gave += c.gave.Load()
	}
	t.Logf("simulated: %d values moved, %d gave up", met, gave)
	require.NotZero(t, met)
	require.NotZero(t, gave)
	for range long.N(200, 20_000) {
		require.NoError(t, newCrowd(Sync[int]).run(context.Background()))
	}
}

// TestCrowdFinds plants the mistakes that this protocol is about.
func TestCrowdFinds(t *testing.T) {
	for name, sync := range map[string]func(ctx context.Context, e Event[int]) (int, error){
		"giving up leaves the offer": func(ctx context.Context, e Event[int]) (int, error) {
			return badly(ctx, e, func(tx *stm.Tx, t *token) {})
		},
		"giving up does not look": func(ctx context.Context, e Event[int]) (int, error) {
			return badly(ctx, e, func(tx *stm.Tx, t *token) {
				if t.outcome.Get(tx) == nil {
					t.withdraw(tx)
				}
			})
		},
		"what has happened is denied": func(ctx context.Context, e Event[int]) (int, error) {
			v, err := Sync(ctx, e)
			if err == nil && ctx.Err() != nil {
				err = context.DeadlineExceeded
			}
			return v, err
		},
	} {
		found := 0
		for seed := range uint64(300) {
			if sim.Run(seed, newCrowd(sync).run).Err != nil {
				found++
			}
		}
		t.Logf("%s: found by %d of 300 simulations", name, found)
		require.NotZero(t, found, name)
	}
}

// badly is Sync with another way of giving up.
func badly(ctx context.Context, e Event[int], giveUp func(tx *stm.Tx, t *token)) (int, error) {
	all := e.alternatives(ctx)
	var ready, others []func(tx *stm.Tx) (finish[int], error)
	for _, a := range all {
		ready = append(ready, a.ready)
		if a.offer == nil {
			others = append(others, a.ready)
		}
	}
	var mine *token
	f, err := stm.Atomically(ctx, func(tx *stm.Tx) (finish[int], error) {
		mine = newToken()
		return stm.Select(tx, func(tx *stm.Tx) (finish[int], error) { return stm.Select(tx, ready...) },
			func(tx *stm.Tx) (finish[int], error) {
				for i, a := range all {
					if a.offer != nil {
						a.offer(tx, mine, i)
					}
				}
				return nil, nil
			})
	})
	if f == nil && err == nil {
		f, err = stm.Atomically(ctx, func(tx *stm.Tx) (finish[int], error) {
			if m := mine.outcome.Get(tx); m != nil {
				return all[m.nth].met(m.value), nil
			}
			f, err := stm.Select(tx, others...)
			if err == nil {
				mine.withdraw(tx)
			}
			return f, err
		})
		if err != nil {
			surely(ctx, func(tx *stm.Tx) { giveUp(tx, mine) })
		}
	}
	if err != nil {
		return 0, err
	}
	return f()
}

// TestBothWereThere has two kinds of tasks meet on real goroutines: the stays of those who met overlap.
func TestBothWereThere(t *testing.T) {
	for range long.N(100, 10_000) {
		c := NewChan[int]()
		var clock atomic.Int64
		var sends, takes [20]stay
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			for half := range 2 {
				s.Go("sender", func(ctx context.Context) error {
					for n := range 10 {
						at := &sends[half*10+n]
						at.begin = clock.Add(1)
						if err := c.Send(ctx, half*10+n); err != nil {
							return err
						}
						at.end = clock.Add(1)
					}
					return nil
				})
				s.Go("receiver", func(ctx context.Context) error {
					for range 10 {
						begin := clock.Add(1)
						v, err := c.Recv(ctx)
						if err != nil {
							return err
						}
						takes[v].begin, takes[v].end = begin, clock.Add(1)
						takes[v].count.Add(1)
					}
					return nil
				})
			}
			return nil
		})
		require.NoError(t, err)
		for v := range sends {
			require.EqualValues(t, 1, takes[v].count.Load())
			require.Less(t, max(sends[v].begin, takes[v].begin), min(sends[v].end, takes[v].end))
		}
	}
}
