package mempool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// hooks are called in a move, once each: when it reads a block, and when it has put the pending ones in order.
type hooks struct{ read, arranged func() }

func take(hook *func()) {
	if f := *hook; f != nil {
		*hook = nil
		f()
	}
}

// manual opens a pool without tasks: follow makes a move to the selection.
func (w *world) manual(t *testing.T, f func(ctx context.Context, p *testPool, h *hooks, follow func())) {
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, _ *registry.Scope) error {
		cfg, h := w.config(store.NewMemory()), &hooks{}
		cfg.Block = func(ctx context.Context, p chain.Point) (chain.Block, error) {
			take(&h.read)
			return w.block(ctx, p)
		}
		p, sync, err := open(ctx, cfg)
		require.NoError(t, err)
		sync.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
			sync.inOrder(q, m, base)
			take(&h.arranged)
		}
		f(ctx, p, h, func() {
			now := w.now.Load(ctx)
			require.NoError(t, sync.follow(ctx, target[*book]{now.fragment, now.state}))
		})
		return nil
	}))
}

// admit is Submit but for the wait.
func admit(ctx context.Context, p *testPool, o op) (*local[op], error) {
	return (&admission[*book, op]{p: p, id: o.id(), size: len(o.raw()), own: true}).run(ctx, o.raw())
}

// What is submitted while a move takes away the block that it is in is tried again, and not taken for included, whatever the move can see of the chain.
func TestSubmitWhatIsRolledBackMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		longer int // the other chain
		hide   bool
	}{"at once": {2, false}, "its block is gone": {2, true}, "out of sight": {5, false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(3)
			w.manual(t, func(ctx context.Context, p *testPool, h *hooks, follow func()) {
				a := op{Account: "a"}
				_, err := w.grow(ctx, a.raw())
				require.NoError(t, err)
				follow()
				tip := genesis
				for range c.longer {
					tip, err = w.after(ctx, tip, 2)
					require.NoError(t, err)
				}
				require.NoError(t, w.choose(ctx, tip, c.hide))
				h.read = func() {
					l, err := admit(ctx, p, a)
					require.NoError(t, err)
					require.NotNil(t, l)
				}
				follow()
				_, err = w.grow(ctx)
				require.NoError(t, err)
				follow()
				require.Equal(t, []chain.Hash{a.id()}, ids(query(ctx, p.Snapshot)))
				require.Equal(t, 1, query(ctx, p.Stats).Local)
			})
		})
	}
}

// What comes during the move to the block that it is in is included.
func TestArrivesWithItsBlock(t *testing.T) {
	w := newWorld(3)
	w.manual(t, func(ctx context.Context, p *testPool, h *hooks, follow func()) {
		all := []op{{Account: "a"}, {Account: "b"}, {Account: "c"}, {Account: "d"}}
		tip, err := w.grow(ctx, all[0].raw(), all[1].raw(), all[2].raw(), all[3].raw())
		require.NoError(t, err)
		come := func(remote, own op) func() {
			return func() {
				require.NoError(t, p.Offer(ctx, remote.raw()))
				_, err := admit(ctx, p, own)
				require.NoError(t, err)
			}
		}
		h.read, h.arranged = come(all[0], all[1]), come(all[2], all[3])
		follow()
		for _, o := range all {
			require.Equal(t, Status{Stage: Included, At: tip}, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, o.id()) }))
		}
		require.Zero(t, query(ctx, p.Snapshot).Len)
		require.Equal(t, Stats{Local: 2, LocalBytes: 2 * len(all[0].raw()), Added: 4, Included: 4}, query(ctx, p.Stats))
	})
}

// picky is a ledger that takes less from clients and peers than it accepts in blocks.
type picky struct{ bank }

func (l picky) Parse(raw []byte) (op, error) {
	o, err := l.bank.Parse(raw)
	if o.Price == 1 {
		err = errFunds
	}
	return o, err
}

// What comes off the chain and is not taken as pending is forgotten.
func TestRolledBackAndNotTaken(t *testing.T) {
	w := newWorld(3)
	w.manual(t, func(ctx context.Context, p *testPool, _ *hooks, follow func()) {
		p.cfg.Ledger = picky{}
		cheap, dear := op{Account: "a", Price: 1}, op{Account: "b", Price: 2}
		_, err := w.grow(ctx, cheap.raw(), dear.raw())
		require.NoError(t, err)
		follow()
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		follow()
		require.Equal(t, []chain.Hash{dear.id()}, ids(query(ctx, p.Snapshot)))
		require.Equal(t, Status{}, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, cheap.id()) }))
	})
}

// What returns and has to give way at once has not returned.
func TestReturnedOnesGiveWayToLocalOnes(t *testing.T) {
	w := newWorld(3)
	w.manual(t, func(ctx context.Context, p *testPool, _ *hooks, follow func()) {
		p.cfg.Limits.CountMax = 2
		remote, own := []op{{Account: "a"}, {Account: "b"}}, []op{{Account: "c"}, {Account: "d"}}
		_, err := w.grow(ctx, remote[0].raw(), remote[1].raw())
		require.NoError(t, err)
		follow()
		for _, o := range own {
			_, err := admit(ctx, p, o)
			require.NoError(t, err)
		}
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		follow()
		require.Equal(t, []chain.Hash{own[0].id(), own[1].id()}, ids(query(ctx, p.Snapshot)))
		st := query(ctx, p.Stats)
		require.Zero(t, st.Returned)
		require.EqualValues(t, 2, st.Dropped)
	})
}

// A transaction that no block can hold comes with a block of somebody who allows it, and returns. It stands in nobody's way.
func TestFitPassesOverWhatIsTooLarge(t *testing.T) {
	w := newWorld(3)
	withPool(t, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		before, large := op{Account: "b"}, op{Account: "a", Pad: strings.Repeat("x", 500)}
		_, err := w.grow(ctx, before.raw(), large.raw())
		require.NoError(t, err)
		_, err = settle(ctx, p)
		require.NoError(t, err)
		after := []op{{Account: "a", Nonce: 1}, {Account: "b", Nonce: 1}, {Account: "b", Nonce: 2}}
		for _, o := range after {
			require.NoError(t, p.Offer(ctx, o.raw()))
		}
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, 5, s.Len)
		size := len(before.raw())
		require.Equal(t, []op{before, after[1], after[2]}, s.Fit(tip, nil, 4*size))
		require.Equal(t, []op{before, after[1]}, s.Fit(tip, nil, 3*size-1))
		require.Equal(t, []op{after[1], after[2]}, s.Fit(chain.Tip{BlockNo: 9}, &book{account: "b", nonce: 1}, 4*size))
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			require.True(t, p.Has(tx, large.id()))
			return nil
		}))
	})
}

// A caller may reuse the bytes that it gave.
func TestCallersBytes(t *testing.T) {
	withPool(t, newWorld(3).config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		a, b := op{Account: "a"}, op{Account: "b"}
		for o, give := range map[op]func(raw []byte) error{
			a: func(raw []byte) error { return p.Offer(ctx, raw) },
			b: func(raw []byte) error { _, err := p.Submit(ctx, raw); return err },
		} {
			raw := o.raw()
			require.NoError(t, give(raw))
			clear(raw)
			got := query(ctx, func(tx *stm.Tx) []byte { raw, _ := p.Bytes(tx, o.id()); return raw })
			require.Equal(t, o.raw(), got)
		}
	})
}

// A block is deep if K others stand on it. One above the tip, of another fork, is not.
func TestDeep(t *testing.T) {
	at := func(n chain.BlockNo) chain.Tip { return chain.Tip{BlockNo: n} }
	require.False(t, deep(at(12), at(10), 3))
	require.True(t, deep(at(13), at(10), 3))
	require.False(t, deep(at(9), at(10), 3))
}

// A transaction that was in a block before and is in another now is remembered as long as any: what is forgotten is its first place.
func TestForgettingAnEarlierPlace(t *testing.T) {
	w := newWorld(4)
	w.manual(t, func(ctx context.Context, p *testPool, _ *hooks, follow func()) {
		p.cfg.Limits.HistoryMax = 2
		a := op{Account: "a"}
		knows := func() bool {
			follow()
			return query(ctx, func(tx *stm.Tx) bool { return p.Has(tx, a.id()) })
		}
		_, err := w.grow(ctx, a.raw())
		require.NoError(t, err)
		require.True(t, knows())
		tip, err := w.after(ctx, genesis, 2, a.raw())
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		require.True(t, knows())
		_, err = w.grow(ctx, op{Account: "b"}.raw())
		require.NoError(t, err)
		require.True(t, knows())
		_, err = w.grow(ctx, op{Account: "c"}.raw())
		require.NoError(t, err)
		require.False(t, knows())
	})
}

// A flood that never ends does not keep a move from ending: once the move has met it often enough, additions wait.
func TestAMoveEndsInAnEndlessFlood(t *testing.T) {
	const enough = 1000
	added := 0
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(4)
		cfg := w.config(store.NewMemory())
		cfg.Limits.CountMax = 2 * enough
		p, sync, err := open(ctx, cfg)
		if err != nil {
			return err
		}
		arrange := sync.arrange
		sync.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
			check := q.check
			q.check = func(s *book, o op) (*book, error) { // takes longer than an addition
				if err := env.Sleep(ctx, 2*time.Millisecond); err != nil {
					return s, err
				}
				return check(s, o)
			}
			arrange(q, m, base)
		}
		err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("flood", func(ctx context.Context) error {
				for ; added < enough; added++ {
					if err := errors.Join(p.Offer(ctx, op{Account: fmt.Sprint(added)}.raw()), env.Sleep(ctx, time.Millisecond)); err != nil {
						return err
					}
				}
				return nil
			})
			_, err := w.grow(ctx)
			now := w.now.Load(ctx)
			return errors.Join(err, env.Sleep(ctx, 5*time.Millisecond), sync.follow(ctx, target[*book]{now.fragment, now.state}), errDone)
		})
		if !errors.Is(err, errDone) {
			return err
		}
		return w.valid(ctx, query(ctx, p.Snapshot))
	})
	require.NoError(t, r.Err)
	require.Less(t, added, enough/2)
}
