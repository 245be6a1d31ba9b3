package mempool

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestLifeOfATransaction(t *testing.T) {
	w := newWorld(2)
	a, b, c := op{Account: "a"}, op{Account: "a", Nonce: 1}, op{Account: "c"}
	mem := store.NewMemory()
	withPool(t, w.config(mem), func(ctx context.Context, p *testPool) {
		id, err := p.Submit(ctx, a.raw())
		require.NoError(t, err)
		require.Equal(t, a.id(), id)
		require.NoError(t, p.Offer(ctx, b.raw()))
		require.NoError(t, p.Offer(ctx, c.raw()))
		require.ErrorIs(t, p.Offer(ctx, a.raw()), ErrKnown)
		_, err = p.Submit(ctx, a.raw())
		require.NoError(t, err)

		fork := w.now.Load(ctx).fragment.Tip()
		tip, err := w.grow(ctx, a.raw(), c.raw())
		require.NoError(t, err)
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{b.id()}, ids(s))
		require.Equal(t, Status{Stage: Included, At: tip}, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, a.id()) }))

		x, err := w.after(ctx, fork, 1, c.raw())
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, x, false))
		s, err = settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{a.id(), b.id()}, ids(s))

		for range 3 {
			_, err = w.grow(ctx)
			require.NoError(t, err)
		}
		_, err = w.grow(ctx, a.raw(), b.raw())
		require.NoError(t, err)
		for range 3 {
			require.Equal(t, 1, query(ctx, p.Stats).Local)
			_, err = w.grow(ctx)
			require.NoError(t, err)
			s, err = settle(ctx, p)
			require.NoError(t, err)
			require.Zero(t, s.Len)
			if st := query(ctx, p.Stats); st.Local == 0 {
				break
			}
		}
	})
}

// A block that is gone when the pool gets to read it costs nothing if the selection has moved on.
func TestTheSelectionMovesMeanwhile(t *testing.T) {
	w := newWorld(3)
	cfg := w.config(store.NewMemory())
	once := stm.NewVar(true)
	cfg.Block = func(ctx context.Context, p chain.Point) (chain.Block, error) {
		first := false
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			first = once.Get(tx)
			once.Set(tx, false)
			return nil
		})
		if err == nil && first {
			tip, err := w.after(ctx, genesis, 2)
			if err == nil {
				err = w.choose(ctx, tip, true)
			}
			if err != nil {
				return chain.Block{}, err
			}
		}
		return w.block(ctx, p)
	}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		_, err := w.grow(ctx, op{Account: "a"}.raw())
		require.NoError(t, err)
		s, err := stm.Query(ctx, func(tx *stm.Tx) Snapshot[*book, op] {
			s := p.Snapshot(tx)
			tx.Check(s.Tip.Point.Slot == 2)
			return s
		})
		require.NoError(t, err)
		require.Zero(t, s.Len)
		require.NoError(t, p.Offer(ctx, op{Account: "a"}.raw()))
	})
}

// The events tell the whole story, each after it is true.
func TestEvents(t *testing.T) {
	w := newWorld(3)
	cfg := w.config(store.NewMemory())
	var seen []Event
	cfg.Tracer = func(_ context.Context, e Event) { seen = append(seen, e) }
	a, b, c := op{Account: "a", Price: 600}, op{Account: "b"}, op{Account: "a", Price: 601}
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, e := range seen {
			got = append(got, e.String())
		}
		require.Equal(t, want, got)
		seen = nil
	}
	ctx := context.Background()
	p, sync, err := open(ctx, cfg)
	require.NoError(t, err)
	move := func() {
		t.Helper()
		now := w.now.Load(ctx)
		require.NoError(t, sync.follow(ctx, target[*book]{now.fragment, now.state}))
	}
	seen = nil
	require.NoError(t, p.Offer(ctx, b.raw()))
	l, err := (&admission[*book, op]{p: p, id: a.id(), size: len(a.raw()), own: true}).run(ctx, a.raw())
	require.NoError(t, err)
	require.NotNil(t, l)
	name := func(o op) string { return o.id().String()[:8] }
	told("remote transaction "+name(b)+": pending; tip "+genesis.String(), "local transaction "+name(a)+": pending; tip "+genesis.String())

	one, err := w.grow(ctx, c.raw(), b.raw())
	require.NoError(t, err)
	move()
	why := "mempool: refused transaction " + name(a) + ": wrong nonce: 0 instead of 1"
	told("moved from "+genesis.String()+" to "+one.String()+": 0 blocks back, 1 added; 2 included, 0 returned, 1 refused, 0 pending",
		"remote transaction "+name(b)+": included; tip "+one.String(), "local "+why)

	two, err := w.after(ctx, genesis, 2)
	require.NoError(t, err)
	require.NoError(t, w.choose(ctx, two, false))
	move()
	why = "mempool: refused transaction " + name(a) + ": wrong nonce: 0 instead of 1"
	told("moved from "+one.String()+" to "+two.String()+": 1 blocks back, 1 added; 0 included, 2 returned, 0 refused, 2 pending",
		"remote transaction "+name(c)+": pending; tip "+two.String(), "remote transaction "+name(b)+": pending; tip "+two.String())
	st, err := stm.Query(ctx, p.Stats)
	require.NoError(t, err)
	require.Equal(t, Stats{Count: 2, SizeBytes: len(c.raw()) + len(b.raw()), Local: 1, LocalBytes: len(a.raw()), Added: 2, Included: 1, Returned: 2, Refused: 1}, st)
	status, err := stm.Query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, a.id()) })
	require.NoError(t, err)
	require.EqualError(t, status.Err, why)
	require.Equal(t, two, status.At, "the branch on which it was refused first is gone")
}
