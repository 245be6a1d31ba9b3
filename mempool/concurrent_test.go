package mempool

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// TestConcurrentUse is for the race detector: on real goroutines, clients and peers add while the selection moves back and forth and others read.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(4)
	cfg := w.config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 400, HistoryMax: 50}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		sc := &scene{w: w, p: p}
		var accepted []op
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			var work []*registry.Task[[]op]
			for i := range 4 {
				work = append(work, registry.Fork(s, fmt.Sprint("client ", i), func(ctx context.Context) ([]op, error) {
					var out []op
					for n := range 40 {
						o := op{Account: fmt.Sprint("c", i), Nonce: n}
						if _, err := p.Submit(ctx, o.raw()); err != nil {
							return nil, err
						}
						if err := p.Offer(ctx, op{Account: fmt.Sprint("p", i), Nonce: n}.raw()); err != nil && !errors.Is(err, ErrRefused) {
							return nil, err
						}
						out = append(out, o)
					}
					return out, nil
				}))
			}
			s.Go("chain", func(ctx context.Context) error { return shuttle(ctx, w, p, 30) })
			for range 100 {
				if err := w.valid(ctx, query(ctx, p.Snapshot)); err != nil {
					return err
				}
			}
			for _, t := range work {
				out, err := t.Wait(ctx)
				if err != nil {
					return err
				}
				accepted = append(accepted, out...)
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, accepted, 160)
		require.NoError(t, sc.found(ctx, accepted))
		require.NoError(t, w.valid(ctx, query(ctx, p.Snapshot)))
	})
}

// shuttle moves the selection between forks with some of what is pending.
func shuttle(ctx context.Context, w *world, p *testPool, n int) error {
	for i := range n {
		at := w.now.Load(ctx).fragment
		tip := at.Tip()
		if i%3 == 2 {
			tip = at.Anchor()
			if at.Len() > 1 {
				tip = at.At(at.Len() - 2).Tip()
			}
		}
		state := w.states.Load(ctx)[tip.Point.Hash]
		var raws [][]byte
		for _, x := range query(ctx, p.Snapshot).Fit(chain.Tip{BlockNo: 1 << 60}, state, 300) {
			raws = append(raws, x.raw())
		}
		tip, err := w.after(ctx, tip, 1+i%3, raws...)
		if err == nil {
			err = w.choose(ctx, tip, i%2 == 0)
		}
		if err == nil {
			_, err = settle(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Additions that lose every race still come in, and a move during a flood ends.
func TestNobodyStarves(t *testing.T) {
	w := newWorld(4)
	withPool(t, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		slow := &admission[*book, op]{p: p, own: false}
		o := op{Account: "slow"}
		slow.id, slow.size = o.id(), len(o.raw())
		rounds := 0
		p.cfg.Ledger = racing{func() {
			if rounds++; rounds <= optimistMax {
				require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { // somebody was faster
					c := *p.content.Get(tx)
					p.content.Set(tx, &c)
					return nil
				}))
			}
		}}
		_, err := slow.run(ctx, o.raw())
		require.NoError(t, err)
		require.Equal(t, optimistMax+1, rounds)
	})
}

// racing is bank with something that happens during each check.
type racing struct{ during func() }

func (r racing) Parse(raw []byte) (op, error) { return bank{}.Parse(raw) }

func (r racing) Check(s *book, o op) (*book, error) {
	r.during()
	return bank{}.Check(s, o)
}

func (r racing) Transactions(b chain.Block) ([][]byte, error) { return bank{}.Transactions(b) }

// A move that meets new transactions in each round makes them wait in the end.
func TestAMoveHoldsAFloodBack(t *testing.T) {
	w := newWorld(4)
	lateIn := stm.NewVar(false)
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		p, sync, err := open(ctx, w.config(store.NewMemory()))
		require.NoError(t, err)
		require.NoError(t, p.Offer(ctx, op{Account: "first"}.raw()))
		_, err = w.grow(ctx)
		require.NoError(t, err)
		n := 0
		more := func() {
			if n++; n <= holdAfter+1 {
				require.NoError(t, p.Offer(ctx, op{Account: fmt.Sprint("flood", n)}.raw()))
				return
			}
			require.True(t, p.content.Load(ctx).hold)
			if n > holdAfter+2 {
				return
			}
			s.Go("late", func(ctx context.Context) error {
				if err := p.Offer(ctx, op{Account: "late"}.raw()); err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { lateIn.Set(tx, true); return nil })
			})
		}
		arrange := sync.arrange
		sync.arrange = func(q *pass[*book, op], m *move[*book, op], base *content[*book, op]) {
			check := q.check
			q.check = func(s *book, o op) (*book, error) {
				more()
				return check(s, o)
			}
			arrange(q, m, base)
		}
		now := w.now.Load(ctx)
		require.NoError(t, sync.follow(ctx, target[*book]{now.fragment, now.state}))
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(lateIn.Get(tx)); return nil }))
		snapshot := query(ctx, p.Snapshot)
		require.Equal(t, holdAfter+3, snapshot.Len)
		return w.valid(ctx, snapshot)
	}))
}
