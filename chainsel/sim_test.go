package chainsel

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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

// walker is what the tests follow the selection with: a Follower, or a broken one.
type walker interface {
	Next(tx *stm.Tx) (chain.Step, bool)
}

// produce makes n blocks on the selection's tip or somewhat before it, so that forks come and go.
func produce(ctx context.Context, c *Chain[tallied], name string, n int) error {
	for i := range n {
		r := env.Rand(ctx)
		sel, err := stm.Query(ctx, c.Selection)
		if err != nil {
			return err
		}
		tip := sel.tipAt(max(sel.Fragment.Len()-1-r.IntN(3), -1))
		for j := range 1 + r.IntN(3) {
			body := fmt.Sprintf("%s %d %d", name, i, j)
			if r.IntN(12) == 0 {
				body = "bad " + body
			}
			b := after(tip, body)
			a, err := c.AddBlock(ctx, b)
			if err != nil {
				if errors.Is(err, ErrInvalid) {
					break
				}
				return err
			}
			if r.IntN(2) == 0 {
				if _, err := a.Wait(ctx); err != nil {
					return err
				}
			}
			tip = b.Header.Tip()
		}
		if err := env.Sleep(ctx, time.Duration(r.IntN(20))*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// walk follows until done and at the end, resting now and then, and gives the chain it has then.
func walk(ctx context.Context, w walker, done *stm.Var[bool], rest bool) (chain.Fragment, error) {
	got := chain.NewFragment(genesis)
	for {
		var step chain.Step
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			s, ok := w.Next(tx)
			step = s
			tx.Check(ok || done.Get(tx))
			return nil
		})
		if err != nil || step == (chain.Step{}) {
			return got, err
		}
		if step.Header != nil {
			if got, err = got.Append(step.Header); err != nil {
				return got, fmt.Errorf("follower: %w", err)
			}
		} else {
			back, ok := got.RollbackTo(step.To)
			if !ok || back.Len() == got.Len() {
				return got, fmt.Errorf("follower: rollback to %v from %v", step.To, got.Tip())
			}
			got = back
		}
		if step.To != got.Tip().Point {
			return got, errors.New("follower: Step.To is not where it leads")
		}
		if r := env.Rand(ctx); rest && r.IntN(4) == 0 {
			pause := time.Duration(r.IntN(50)) * time.Millisecond
			if r.IntN(8) == 0 {
				pause *= 20 // long enough to fall behind by more than K
			}
			if err := env.Sleep(ctx, pause); err != nil {
				return got, err
			}
		}
	}
}

// scene runs producers and followers on one chain in a simulation: each follower must end with exactly the selection.
func scene(seed uint64, opts []sim.Option, follow func(context.Context, *Chain[tallied]) (walker, error)) *sim.Report {
	return sim.Run(seed, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			disk, err := storetest.NewSlow(ctx, s, store.NewMemory())
			if err != nil {
				return err
			}
			cfg := config(disk)
			cfg.QueueMax = 4
			c, err := Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			done := stm.NewVar(false).Label("done")
			var walks, makers []func(context.Context) (chain.Fragment, error)
			for i := range 3 {
				w, err := follow(ctx, c)
				if err != nil {
					return err
				}
				walks = append(walks, registry.Fork(s, fmt.Sprint("follower ", i), func(ctx context.Context) (chain.Fragment, error) {
					return walk(ctx, w, done, true)
				}).Wait)
				makers = append(makers, registry.Fork(s, fmt.Sprint("producer ", i), func(ctx context.Context) (chain.Fragment, error) {
					return chain.Fragment{}, produce(ctx, c, fmt.Sprint(i), 20)
				}).Wait)
			}
			for _, wait := range makers {
				if _, err := wait(ctx); err != nil {
					return err
				}
			}
			if err := idle(ctx, c); err != nil {
				return err
			}
			if err := stm.Do(ctx, func(tx *stm.Tx) error { done.Set(tx, true); return nil }); err != nil {
				return err
			}
			sel, err := stm.Query(ctx, c.Selection)
			if err != nil {
				return err
			}
			for _, wait := range walks {
				got, err := wait(ctx)
				if err != nil {
					return err
				}
				if got.Tip() != sel.Tip() || got.Len() != int(sel.Tip().BlockNo) {
					return fmt.Errorf("%w: %v (%d), %v", errNotSelection, got.Tip(), got.Len(), sel.Tip())
				}
			}
			if st, err := stm.Query(ctx, c.Stats); err != nil || st.Rollbacks == 0 || int(sel.Tip().BlockNo) < 2*cfg.K {
				return fmt.Errorf("nothing much happened: %v, %+v, %v", sel.Tip(), st, err)
			}
			return nil
		})
	}, opts...)
}

// idle waits until everything handed in is decided.
func idle(ctx context.Context, c *Chain[tallied]) error {
	tip, err := stm.Query(ctx, c.Tip)
	if err != nil {
		return err
	}
	b := after(chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("nowhere"))}, BlockNo: tip.BlockNo + 1}, "last")
	a, err := c.AddBlock(ctx, b)
	if err != nil {
		return err
	}
	_, err = a.Wait(ctx)
	return err
}

func newWalker(ctx context.Context, c *Chain[tallied]) (walker, error) { return c.NewFollower(ctx) }

func TestFollowersReconstructTheSelection(t *testing.T) {
	for seed := range uint64(long.N(30, 3000)) {
		require.NoError(t, scene(seed, nil, newWalker).Err, "seed %d", seed)
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	a, b := scene(7, []sim.Option{sim.Record()}, newWalker), scene(7, []sim.Option{sim.Record()}, newWalker)
	require.NoError(t, a.Err)
	require.NotEmpty(t, a.Trace)
	require.Equal(t, a.Trace, b.Trace)
	require.Equal(t, a.Hash, b.Hash)
	require.NotEqual(t, a.Hash, scene(8, nil, newWalker).Hash)
}

// heightFollower is the bug that Follower excludes: it remembers how far it is, not what it has.
type heightFollower struct {
	c  *Chain[tallied]
	at *stm.Var[chain.BlockNo]
}

func (f heightFollower) Next(tx *stm.Tx) (chain.Step, bool) {
	sel, at := f.c.Selection(tx), f.at.Get(tx)
	switch {
	case at < sel.Tip().BlockNo:
		h, err := f.c.disk.header(at + 1)
		if err != nil {
			return chain.Step{}, false
		}
		f.at.Set(tx, at+1)
		return chain.Step{Header: h, To: h.Point(), Tip: sel.Tip()}, true
	case at > sel.Tip().BlockNo:
		f.at.Set(tx, sel.Tip().BlockNo)
		return chain.Step{To: sel.Tip().Point, Tip: sel.Tip()}, true
	}
	return chain.Step{}, false
}

func TestPlantedHeightFollowerIsCaught(t *testing.T) {
	for seed := range uint64(20) {
		r := scene(seed, nil, func(_ context.Context, c *Chain[tallied]) (walker, error) {
			return heightFollower{c, stm.NewVar(chain.BlockNo(0))}, nil
		})
		if r.Err != nil && (errors.Is(r.Err, chain.ErrNotNext) || errors.Is(r.Err, errNotSelection)) {
			return
		}
	}
	t.Fatal("not caught")
}

var errNotSelection = errors.New("the follower's chain is not the selection")
