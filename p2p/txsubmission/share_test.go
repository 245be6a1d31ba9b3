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

// share pulls transactions, each of which needs the one before, from some servers that all come to have them, at their own times.
func share(servers int, leaseFor time.Duration, decide func(*pull, *stm.Tx) plan) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		const count = 100
		all := sequence(count, 500)
		us := newPool()
		cfg := config(us)
		cfg.LeaseFor = leaseFor
		c := client(cfg)
		if decide != nil {
			c.decide = decide
		}
		var theirs []*pool
		var serve []responder
		for range servers {
			p := newPool(all[:40]...)
			theirs, serve = append(theirs, p), append(serve, serving(p))
		}
		r, err := pulling(ctx, c, func(ctx context.Context) error {
			for at := 40; at < count; at += 10 {
				for _, p := range theirs {
					late := time.Duration(env.Choose(ctx, "late", 4)) * time.Millisecond
					if err := errors.Join(env.Sleep(ctx, late), p.add(ctx, all[at:at+10]...)); err != nil {
						return err
					}
				}
			}
			return errors.Join(us.knows(ctx, count), env.Sleep(ctx, 100*time.Millisecond))
		}, serve...)
		err = errors.Join(err, r.honest(), us.tally(ctx, count, 0))
		if got, most := r.asked(); got != count || most != 1 {
			err = errors.Join(err, fmt.Errorf("%d transactions asked for, one of them %d times", got, most))
		}
		return err
	}
}

// Servers share the work: every transaction is fetched once, and none comes before one that it needs.
func TestServersShare(t *testing.T) {
	for servers := 1; servers <= 5; servers++ {
		t.Run(fmt.Sprint(servers), func(t *testing.T) { inBoth(t, share(servers, time.Minute, nil)) })
	}
}

// A planted bug: without leases transactions come twice, and the test above notices.
func TestNoLeasesIsCaught(t *testing.T) {
	require.ErrorContains(t, sim.Run(1, share(3, time.Nanosecond, nil)).Err, "one of them")
}

// overtaking is a planted bug: what another session is fetching does not block those behind it.
func overtaking(p *pull, tx *stm.Tx) plan {
	q := *p
	q.pending = nil
	for _, a := range p.pending {
		if !p.client.leases.Held(tx)(a.ID) {
			q.pending = append(q.pending, a)
		}
	}
	if len(q.pending) == 0 {
		return plan{done: len(p.pending)}
	}
	got := q.decide(tx)
	if got.done == len(q.pending) {
		got.done = len(p.pending)
	}
	return got
}

func TestOvertakingIsCaught(t *testing.T) {
	caught := 0
	for seed := range uint64(10) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			ctx, cancel := env.WithTimeout(ctx, time.Minute)
			defer cancel()
			return share(3, time.Minute, overtaking)(ctx)
		})
		if rep.Err != nil {
			require.ErrorContains(t, rep.Err, "refused")
			caught++
		}
	}
	require.Positive(t, caught)
}

func TestSameTraceTwice(t *testing.T) {
	hashes := map[uint64]uint64{}
	for i := range 45 {
		seed := uint64(i % 15)
		rep := sim.Run(seed, share(3, time.Minute, nil))
		require.NoError(t, rep.Err)
		require.Greater(t, rep.Steps, 100)
		if h, ok := hashes[seed]; ok {
			require.Equal(t, h, rep.Hash, "seed %d", seed)
		}
		hashes[seed] = rep.Hash
	}
	distinct := map[uint64]bool{}
	for _, h := range hashes {
		distinct[h] = true
	}
	require.Len(t, distinct, 15)
}
