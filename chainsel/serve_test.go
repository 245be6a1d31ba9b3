package chainsel

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

func collect(ctx context.Context, c *Chain[tallied], from, to chain.Point) (out []chain.Block, err error) {
	for b, err := range c.Range(ctx, from, to) {
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestRange(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.RangeMax = 12
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 20, "a") // the anchor is a[14]
		add(t, ctx, c, a...)
		fork := run(a[16].Header.Tip(), 2, "fork")
		add(t, ctx, c, fork...)
		lost := run(chain.Tip{Point: chain.Point{Slot: 16, Hash: chain.HashOf([]byte("lost"))}, BlockNo: 16}, 2, "lost")
		add(t, ctx, c, lost...)
		a = append([]chain.Block{{}}, a...) // by number
		for name, x := range map[string]struct {
			from, to chain.Point
			want     []chain.Block
			err      error
		}{
			"in the fragment":       {a[17].Point(), a[19].Point(), a[17:20], nil},
			"one block":             {a[20].Point(), a[20].Point(), a[20:], nil},
			"across the anchor":     {a[13].Point(), a[18].Point(), a[13:19], nil},
			"from the anchor":       {a[15].Point(), a[16].Point(), a[15:17], nil},
			"to the anchor":         {a[14].Point(), a[15].Point(), a[14:16], nil},
			"on disk alone":         {a[1].Point(), a[9].Point(), a[1:10], nil},
			"a fork":                {fork[0].Point(), fork[1].Point(), fork, nil},
			"into a fork":           {a[12].Point(), fork[1].Point(), append(append([]chain.Block{}, a[12:18]...), fork...), nil},
			"not linked":            {lost[0].Point(), lost[1].Point(), lost, nil},
			"not linked, too far":   {a[14].Point(), lost[1].Point(), nil, ErrNotFound},
			"from a fork":           {fork[0].Point(), a[20].Point(), nil, ErrNotFound},
			"backwards":             {a[4].Point(), a[3].Point(), nil, ErrNotFound},
			"the genesis":           {genesis.Point, a[3].Point(), nil, ErrNotFound},
			"only the genesis":      {genesis.Point, genesis.Point, nil, ErrNotFound},
			"wrong slot":            {chain.Point{Slot: 18, Hash: a[17].Point().Hash}, a[19].Point(), nil, ErrNotFound},
			"wrong slot at the end": {a[17].Point(), chain.Point{Slot: 18, Hash: a[19].Point().Hash}, nil, ErrNotFound},
			"unknown old":           {chain.Point{Slot: 3}, a[9].Point(), nil, ErrNotFound},
			"unknown end":           {a[3].Point(), chain.Point{Slot: 9}, nil, ErrNotFound},
			"too long":              {a[3].Point(), a[20].Point(), nil, ErrLimit},
			"too long on disk":      {a[1].Point(), a[13].Point(), nil, ErrLimit},
		} {
			got, err := collect(ctx, c, x.from, x.to)
			require.ErrorIs(t, err, x.err, name)
			require.Equal(t, x.want, got, name)
		}
		b, err := c.Block(ctx, fork[1].Point())
		require.NoError(t, err)
		require.Equal(t, fork[1], b)
		_, err = c.Block(ctx, chain.Point{Slot: 20})
		require.ErrorIs(t, err, ErrNotFound)
		for range c.Range(ctx, a[1].Point(), a[9].Point()) {
			break
		}
		short, cancel := env.WithCancel(ctx)
		n := 0
		for _, err := range c.Range(short, a[1].Point(), a[9].Point()) {
			if n++; n == 3 {
				require.ErrorIs(t, err, context.Canceled)
			}
			if n == 2 {
				cancel()
			}
		}
		require.Equal(t, 3, n)
	})
}

// TestRangeWhileSwitching: with room in the volatile part, a range that has begun is served whole, whatever the selection does.
func TestRangeWhileSwitching(t *testing.T) {
	for seed := range uint64(long.N(20, 2000)) {
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				disk, err := storetest.NewSlow(ctx, s, store.NewMemory())
				if err != nil {
					return err
				}
				c, err := Open(ctx, s, config(disk))
				if err != nil {
					return err
				}
				maker := registry.Fork(s, "producer", func(ctx context.Context) (int, error) { return 0, produce(ctx, c, "p", 25) })
				for range 60 {
					sel, err := stm.Query(ctx, c.Selection)
					if err != nil {
						return err
					}
					if n := sel.Fragment.Len(); n > 1 {
						from, to := sel.Fragment.At(1).Point(), sel.Tip().Point
						i := 1
						for b, err := range c.Range(ctx, from, to) {
							if err != nil {
								return err
							}
							if b.Header != sel.Fragment.At(i) && b.Point() != sel.Fragment.At(i).Point() {
								return errors.New("another block")
							}
							if i++; env.Rand(ctx).IntN(4) == 0 {
								if err := env.Sleep(ctx, 1e6); err != nil {
									return err
								}
							}
						}
					}
					if err := env.Sleep(ctx, 2e6); err != nil {
						return err
					}
				}
				if _, err := maker.Wait(ctx); err != nil {
					return err
				}
				return nil
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

func TestIntersect(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.FollowersMax = 2
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 20, "a")
		add(t, ctx, c, a...)
		f, err := c.NewFollower(ctx)
		require.NoError(t, err)
		intersect := func(ps ...chain.Point) (chain.Point, bool) {
			var ok bool
			p := query(ctx, func(tx *stm.Tx) (p chain.Point) { p, ok = f.Intersect(tx, ps); return p })
			return p, ok
		}
		next := func() (chain.Step, bool) {
			var ok bool
			s := query(ctx, func(tx *stm.Tx) (s chain.Step) { s, ok = f.Next(tx); return s })
			return s, ok
		}
		step := func(b chain.Block) chain.Step { return chain.Step{Header: b.Header, To: b.Point(), Tip: tipOf(a)} }
		for _, i := range []int{0, 5, 13, 14, 15, 18} {
			p, ok := intersect(chain.Point{Slot: 300}, chain.Point{Slot: 7}, a[i].Point(), a[2].Point())
			require.True(t, ok)
			require.Equal(t, a[i].Point(), p)
			for _, b := range a[i+1:] {
				s, ok := next()
				require.True(t, ok)
				require.Equal(t, step(b), s)
			}
			_, ok = next()
			require.False(t, ok)
		}
		_, ok := intersect(chain.Point{Slot: 3}, chain.Point{})
		require.False(t, ok)
		_, ok = next()
		require.False(t, ok, "it has not moved")
		p, ok := intersect(genesis.Point)
		require.True(t, ok)
		require.Equal(t, genesis.Point, p)
		s, _ := next()
		require.Equal(t, step(a[0]), s)

		g, err := c.NewFollower(ctx)
		require.NoError(t, err)
		_, err = c.NewFollower(ctx)
		require.ErrorIs(t, err, ErrLimit)
		require.NoError(t, g.Close(ctx))
		require.NoError(t, g.Close(ctx))
		_, err = c.NewFollower(ctx)
		require.NoError(t, err)
		require.NoError(t, f.Close(ctx))
		_, ok = intersect(genesis.Point)
		require.False(t, ok)
		_, ok = next()
		require.False(t, ok)
	})
}

// TestUnreadableStoreEndsTheChain: a follower that finds a hole in the stored chain ends the selection task with the reason.
func TestUnreadableStoreEndsTheChain(t *testing.T) {
	mem := store.NewMemory()
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, config(mem))
		if err != nil {
			return err
		}
		add(t, ctx, c, run(genesis, 20, "a")...)
		put(t, mem, c.disk.key('h', 3), nil)
		f, err := c.NewFollower(ctx)
		if err != nil {
			return err
		}
		query(ctx, func(tx *stm.Tx) bool { _, ok := f.Next(tx); return ok })
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(c.ended.Get(tx) != nil); return nil })
	})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "header 3")
}

func TestAt(t *testing.T) {
	disk := store.NewMemory()
	open(t, config(disk), func(ctx context.Context, c *Chain[tallied]) {
		_, err := c.At(ctx, 0)
		require.ErrorIs(t, err, ErrNotFound, "the genesis has no header")
		a := run(genesis, 20, "a") // the anchor is a[14]
		add(t, ctx, c, a...)
		add(t, ctx, c, run(a[16].Header.Tip(), 4, "fork")...) // takes off a[17] and later
		for i, b := range a[:17] {
			h, err := c.At(ctx, chain.BlockNo(i+1))
			require.NoError(t, err)
			require.Equal(t, b.Point(), h.Point())
		}
		for n := chain.BlockNo(18); n <= 21; n++ {
			h, err := c.At(ctx, n)
			require.NoError(t, err)
			require.Equal(t, n, h.BlockNo())
			require.Equal(t, n == 21, h.Point() == query(ctx, c.Tip).Point)
			require.NotEqual(t, a[min(n-1, 19)].Point(), h.Point(), "rolled back")
		}
		for _, n := range []chain.BlockNo{0, 22, 1 << 63} {
			_, err = c.At(ctx, n)
			require.ErrorIs(t, err, ErrNotFound)
		}
		b := new(store.Batch)
		b.Delete(c.disk.key('h', 3))
		ticket, err := disk.Apply(ctx, b, store.Durable)
		require.NoError(t, err)
		require.NoError(t, ticket.Wait(ctx))
		_, err = c.At(ctx, 3)
		require.ErrorIs(t, err, ErrCorrupt, "a hole is not taken for the end")
	})
}
