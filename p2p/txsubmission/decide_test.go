package txsubmission

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// What a decision settles and asks for, given what the pool has, others are fetching, and fits.
func TestDecide(t *testing.T) {
	all := loose(1, 6, 100)
	for name, c := range map[string]struct {
		pending               [][]byte
		has, leased           [][]byte
		room, count, bytesMax int // 0 is plenty
		largest               int
		pause                 bool
		done                  int // 0 is a wait
		run                   [][]byte
	}{
		"nothing is known":                    {pending: all, done: 6, run: all},
		"all is known":                        {pending: all, has: all, done: 6},
		"the first are known":                 {pending: all, has: all[:2], done: 6, run: all[2:]},
		"one in the middle is known":          {pending: all[:3], has: all[1:2], done: 3, run: [][]byte{all[0], all[2]}},
		"the first is leased":                 {pending: all, leased: all[:1]},
		"the first is leased, but known":      {pending: all, leased: all[:1], has: all[:1], done: 6, run: all[1:]},
		"one in the middle is leased":         {pending: all, leased: all[2:3], done: 2, run: all[:2]},
		"a leased one behind those known":     {pending: all, has: all[:2], leased: all[2:3], done: 2},
		"no room":                             {pending: all, room: 99},
		"room for one":                        {pending: all, room: 199, done: 1, run: all[:1]},
		"no room for another":                 {pending: all, count: 1, has: all[:1], done: 1},
		"no room behind those known":          {pending: all, has: all[:2], room: 250, done: 2},
		"a request's bytes":                   {pending: all, bytesMax: 250, done: 2, run: all[:2]},
		"a request's bytes, all known behind": {pending: all, bytesMax: 200, has: all[2:], done: 6, run: all[:2]},
		"more than a request's bytes":         {pending: all, bytesMax: 10, done: 1, run: all[:1]},
		"the same twice":                      {pending: [][]byte{all[0], all[1], all[0]}, done: 2, run: all[:2]},
		"asks for room up to the largest":     {pending: all, largest: 100, done: 6, run: all},
		"a pause":                             {pending: all, has: all, pause: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			us := newPool(c.has...)
			if c.room > 0 {
				us.bytesMax = c.room
			}
			if c.count > 0 {
				us.countMax = c.count
			}
			cfg := config(us)
			cfg.BytesMax = c.bytesMax
			if c.largest > 0 {
				us.largest, cfg.TxBytesMax = c.largest, c.largest
			}
			p := &pull{client: client(cfg), sink: us, pending: announce(c.pending...).IDs}
			if c.pause {
				p.conduct.until = env.Now(ctx).Add(time.Hour)
			}
			other := &pull{client: p.client, pending: announce(c.leased...).IDs}
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
				p.client.leases.Take(tx, time.Hour, idsOf(other.pending)...)
				p.client.leases.Take(tx, 0, chain.HashOf(all[0]), chain.HashOf(all[3])) // one that has run out keeps nobody away
				return nil
			}))
			got, err := stm.Query(ctx, func(tx *stm.Tx) plan {
				return stm.OrElse(tx, p.decide, func(*stm.Tx) plan { return plan{} })
			})
			require.NoError(t, err)
			require.Equal(t, c.done, got.done)
			left := func() int { n, _ := stm.Query(ctx, p.client.leases.Len); return n }
			if c.run == nil {
				require.Nil(t, got.lease)
				require.Equal(t, 2, left())
				return
			}
			require.Equal(t, announce(c.run...).IDs, got.run)
			require.Equal(t, 3, left())
			p.release(ctx, got.lease)
			require.Equal(t, 2, left())
		})
	}
}

// Pauses double up to the longest, and as many that are of use as were not make them short again, at most wastedMax.
func TestConduct(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 10, 2: 20, 3: 40, 7: 640, 8: 1000, 9: 1000, 1 << 30: 1000} {
		require.Equal(t, want*time.Millisecond, pause(n, time.Second), n)
	}
	require.Equal(t, time.Millisecond, pause(1, time.Millisecond))
	var c conduct
	c.useful()
	for range 3 * wastedMax {
		c.waste(time.Second)
	}
	require.Equal(t, time.Second, c.waste(time.Second))
	for range wastedMax {
		require.Positive(t, c.wasted)
		c.useful()
	}
	require.Equal(t, pauseMin, c.waste(time.Second))
	require.Equal(t, 2*pauseMin, c.waste(time.Second))
	c.answered(true)
	for range tardyMax {
		require.Positive(t, c.tardy)
		c.answered(false)
	}
	require.Zero(t, c.tardy)
	c.answered(false)
	require.Zero(t, c.tardy)
}

// What another session has brought meanwhile is no refusal.
func TestKnownIsNoRefusal(t *testing.T) {
	ctx := context.Background()
	known, unknown := transaction(1, 0, 100), transaction(2, 0, 100)
	p := newPull(client(config(newPool(known))))
	require.NoError(t, p.refused(ctx, chain.HashOf(known)))
	require.Equal(t, conduct{}, p.conduct)
	require.NoError(t, p.refused(ctx, chain.HashOf(unknown)))
	require.Equal(t, 1, p.conduct.wasted)
}

// So many known ids are free after each pause for them.
func TestPaceOfKnown(t *testing.T) {
	ctx := context.Background()
	p := newPull(client(config(newPool())))
	for range 2 {
		p.pace(ctx, plan{known: knownMax - 1})
		require.Zero(t, p.conduct.until)
		p.pace(ctx, plan{known: 1})
		require.NotZero(t, p.conduct.until)
		p.conduct.until = time.Time{}
	}
}

func idsOf(all []Announced) []chain.Hash {
	ids := make([]chain.Hash, len(all))
	for i, a := range all {
		ids[i] = a.ID
	}
	return ids
}

// newPull is a session that has not begun.
func newPull(c *Client) *pull { return &pull{client: c, sink: c.cfg.Sink("peer")} }
