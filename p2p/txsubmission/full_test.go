package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// squeeze pulls from some servers into a pool that has room for a few transactions and is emptied slowly. plant may spoil the client.
func squeeze(servers int, plant func(c *Client)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := env.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		const count = 120
		var all [][]byte // sizes such that now the count and now the bytes are what is short
		for i := range count {
			all = append(all, transaction(i+1, i, 100+i/10%3*900))
		}
		us := newPool()
		us.countMax, us.bytesMax = 7, 5500
		c := client(config(us))
		if plant != nil {
			plant(c)
		}
		var serve []responder
		for i := range servers {
			serve = append(serve, serving(newPool(all[:count-i]...)))
		}
		r, err := pulling(ctx, c, func(ctx context.Context) error {
			for taken := 0; taken < count; {
				if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "rest", 100))*time.Millisecond); err != nil {
					return err
				}
				n := env.Choose(ctx, "drain", 4)
				if c := us.state.Load(ctx); c.bytes > 5500 || len(c.pending) > 7 {
					return fmt.Errorf("%d transactions of %d bytes in the pool", len(c.pending), c.bytes)
				}
				if err := us.drain(ctx, n); err != nil {
					return err
				}
				c := us.state.Load(ctx)
				taken = len(c.known) - len(c.pending)
			}
			return nil
		}, serve...)
		return errors.Join(err, r.honest(), func() error {
			if c := us.state.Load(ctx); len(c.known) != count || c.refused > 0 {
				return fmt.Errorf("%d of %d transactions came, %d were refused", len(c.known), count, c.refused)
			}
			return nil
		}())
	}
}

// A full pool asks for nothing, drops nothing, and goes on when there is room.
func TestFullPool(t *testing.T) {
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			for seed := range uint64(20) {
				require.NoError(t, sim.Run(seed, squeeze(servers, nil)).Err, "seed %d", seed)
			}
		})
	}
}

// Planted bugs: transactions are lost, and the test above notices.
func TestLosingWhenFullIsCaught(t *testing.T) {
	for name, plant := range map[string]func(c *Client){
		"want of room is taken for a refusal": func(c *Client) { c.cfg.Full = func(error) bool { return false } },
		"what was not settled is acknowledged": func(c *Client) {
			c.decide = func(p *pull, tx *stm.Tx) plan {
				got := p.decide(tx)
				got.done = len(p.pending)
				return got
			}
		},
	} {
		require.Error(t, sim.Run(1, squeeze(1, plant)).Err, name)
	}
}

// A pool that stays full costs its peer nothing: no request is made, not even for ids.
func TestFullPoolRests(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool(loose(1000, 1, 100)...)
		us.countMax = 1
		theirs := newPool(loose(1, 10, 100)...)
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error { return env.Sleep(ctx, time.Hour) }, serving(theirs))
		if got := len(r.taps[0].lines); got != 2 {
			err = errors.Join(err, fmt.Errorf("%d messages: %q", got, r.taps[0].lines))
		}
		return err
	})
	require.NoError(t, rep.Err)
	require.Less(t, rep.Steps, 100, "nothing polls")
}

// While the pool is full, what others bring in or the chain includes is settled without being fetched.
func TestFullPoolLearns(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool(loose(1000, 1, 100)...)
		us.countMax = 1
		all := loose(1, 10, 100)
		theirs := newPool(all...)
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			return errors.Join(
				env.Sleep(ctx, time.Second), us.add(ctx, all[:9]...), us.remove(ctx, all[:9]...),
				us.drain(ctx, 1), us.knows(ctx, 11),
			)
		}, serving(theirs))
		if got, most := r.asked(); got != 1 || most != 1 {
			err = errors.Join(err, fmt.Errorf("%d transactions asked for", got))
		}
		return err
	})
	require.NoError(t, rep.Err)
}

// What a session holds for want of room is not offered again until there is room, and is let go when it comes from elsewhere.
func TestFullPoolHolds(t *testing.T) {
	all := loose(1, 5, 100)
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool(loose(1000, 1, 100)...)
		us.countMax = 2
		r, err := pulling(ctx, client(config(us)), func(ctx context.Context) error {
			return errors.Join(
				env.Sleep(ctx, time.Hour), us.tally(ctx, 2, 0), // the second is held
				us.add(ctx, all[1]), env.Sleep(ctx, time.Hour), us.tally(ctx, 3, 0), // now the third is
				us.drain(ctx, 2), env.Sleep(ctx, time.Hour), us.tally(ctx, 5, 0),
				us.drain(ctx, 2), us.knows(ctx, 6),
			)
		}, serving(newPool(all...)))
		return errors.Join(err, r.honest())
	})
	require.NoError(t, rep.Err)
	require.Less(t, rep.Steps, 300, "nothing polls")
}

// Sinks whose Room promises more than Offer keeps are asked with growing pauses, not in a loop.
func TestFullBackOff(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		us := newPool()
		offers := 0
		cfg := config(us)
		cfg.offer(func(context.Context, []byte) error { offers++; return errFull })
		_, err := pulling(ctx, client(cfg), func(ctx context.Context) error { return env.Sleep(ctx, 10*time.Second) }, serving(newPool(loose(1, 1, 100)...)))
		if offers < 10 || offers > 20 {
			err = errors.Join(err, fmt.Errorf("%d offers in 10 s", offers))
		}
		return err
	})
	require.NoError(t, rep.Err)
}
