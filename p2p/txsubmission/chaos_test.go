package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// chaos pulls from four servers whose transactions come, go and come back, over links that are cut or stall, into a pool that is
// often full. In the end everything that some server still has must have come. plant may spoil the client.
func chaos(ctx context.Context, plant func(c *Client)) error {
	const count, servers = 80, 4
	ctx, cancel := env.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var all [][]byte
	for i := range count {
		all = append(all, transaction(i+1, 0, 100+i%7*100))
	}
	us := newPool()
	us.countMax, us.bytesMax = 10, 2500
	c := client(config(us))
	if plant != nil {
		plant(c)
	}
	inner, cancelInner := env.WithCancelCause(ctx)
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := range servers {
			theirs := newPool()
			s.Go("owner", func(ctx context.Context) error { return shuffle(ctx, theirs, all) })
			s.Go("peer", func(context.Context) error { return reconnect(inner, c, theirs, p2p.PeerID(fmt.Sprint(i))) })
		}
		for {
			if err := errors.Join(env.Sleep(ctx, choose(ctx, 60)), us.drain(ctx, env.Choose(ctx, "drain", 6))); err != nil {
				return err
			}
			if len(us.state.Load(ctx).known) == count {
				cancelInner(errEnough)
				return nil
			}
		}
	})
	if got := us.state.Load(ctx); len(got.known) != count || got.refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d transactions came, %d were refused", len(got.known), count, got.refused))
	}
	if left, _ := stm.Query(env.WithoutCancel(ctx), c.leases.Len); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d leases left", left))
	}
	return err
}

func choose(ctx context.Context, n int) time.Duration {
	return time.Duration(env.Choose(ctx, "ms", n)) * time.Millisecond
}

// shuffle gives a pool all transactions, and takes some out for a while.
func shuffle(ctx context.Context, p *pool, all [][]byte) error {
	for i, raw := range all {
		back := all[env.Choose(ctx, "back", i+1)]
		err := errors.Join(p.add(ctx, raw), env.Sleep(ctx, choose(ctx, 20)), p.remove(ctx, back), env.Sleep(ctx, choose(ctx, 20)), p.add(ctx, back))
		if err != nil {
			return err
		}
	}
	return nil
}

// reconnect pulls from a pool, session after session: some links are cut, some stall, the tenth stays.
func reconnect(ctx context.Context, c *Client, theirs *pool, peer p2p.PeerID) error {
	for i := range 10 {
		link := simnet.NewLink(ctx, simnet.Config{Latency: choose(ctx, 20), Jitter: 2 * time.Millisecond, WindowBytes: 1 << 10})
		a, b := link.Pipe()
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("server", func(ctx context.Context) error {
				c := p2p.Conn{Peer: "client", Stream: b}
				if i < 9 && i%2 == 1 {
					c.Stream = &laggard{b, func() error { return env.Sleep(ctx, choose(ctx, 5000)) }}
				}
				_ = Serve(ctx, c, theirs)
				return nil
			})
			if i < 9 {
				s.Go("cutter", func(ctx context.Context) error {
					_ = env.Sleep(ctx, choose(ctx, 3000)) // the session may end before
					return link.Cut(env.WithoutCancel(ctx))
				})
			}
			t := &tap{Stream: a, bytesMax: c.cfg.BytesMax}
			err := c.Pull(ctx, p2p.Conn{Peer: peer, Stream: t})
			var v *p2p.Violation
			if errors.As(err, &v) {
				return err
			}
			return t.err
		})
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func TestChaos(t *testing.T) {
	for seed := range uint64(long.N(20, 2000)) {
		require.NoError(t, sim.Run(seed, func(ctx context.Context) error { return chaos(ctx, nil) }).Err, "seed %d", seed)
	}
}

// A planted bug: a lease that neither its holder's end nor time releases.
func TestLostLeaseIsCaught(t *testing.T) {
	rep := sim.Run(1, func(ctx context.Context) error {
		return chaos(ctx, func(c *Client) {
			c.cfg.LeaseFor = 1000 * time.Hour
			c.decide = func(p *pull, tx *stm.Tx) plan {
				got := p.decide(tx)
				if got.lease != nil && env.Time(tx).UnixMilli()%7 == 0 {
					c.leases.Take(tx, c.cfg.LeaseFor, idsOf(got.run)...)
				}
				return got
			}
		})
	})
	require.ErrorContains(t, rep.Err, "transactions came")
}
