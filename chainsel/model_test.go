package chainsel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// forest is a tree of blocks for the model: every block, and which are invalid by the ledger.
type forest struct {
	blocks []chain.Block
	by     map[chain.Hash]chain.Block
}

func (f *forest) add(b chain.Block) {
	f.blocks = append(f.blocks, b)
	f.by[b.Header.Hash()] = b
}

// drawForest draws a tree of n blocks, each after one of the spread newest; some are invalid by their body, some by the number or slot they claim.
func drawForest(t *rapid.T, n, spread int) *forest {
	f := &forest{by: map[chain.Hash]chain.Block{}}
	tips := []chain.Tip{genesis}
	for i := range n {

		back := rapid.IntRange(0, min(len(tips), spread)-1).Draw(t, "parent")
		parent := tips[len(tips)-1-back]
		body := fmt.Sprintf("block %d", i)
		fields := chain.Fields{Slot: parent.Point.Slot + 1, BlockNo: parent.BlockNo + 1, Prev: parent.Point.Hash}
		switch rapid.IntRange(0, 19).Draw(t, "fault") {
		case 0:
			body = "bad " + body
		case 1:
			fields.BlockNo++
		case 2:
			fields.Slot = parent.Point.Slot
		}
		b := blockOf(fields, body)
		f.add(b)
		tips = append(tips, b.Header.Tip())
	}
	return f
}

// chainTo is the chain from the genesis to a block, oldest first; an error if it is not valid.
func (f *forest) chainTo(tip chain.Hash) ([]chain.Block, error) {
	var out []chain.Block
	for at := tip; at != genesis.Point.Hash; {
		b, ok := f.by[at]
		if !ok {
			return nil, errors.New("block missing")
		}
		out = append(out, b)
		at = b.Header.Prev()
	}
	slices.Reverse(out)
	prev, state := genesis, tallied{}
	for _, b := range out {
		if err := follows(prev, b.Header); err != nil {
			return nil, err
		}
		var err error
		if state, err = (tally{}).Apply(state, b); err != nil {
			return nil, err
		}
		prev = b.Header.Tip()
	}
	return out, nil
}

// best is the model: the best tip of all valid chains.
func (f *forest) best() chain.Tip {
	best := genesis
	for _, b := range f.blocks {
		if _, err := f.chainTo(b.Header.Hash()); err == nil && (Longest{}).Compare(b.Header.Tip(), best) > 0 {
			best = b.Header.Tip()
		}
	}
	return best
}

// checkSelection checks that the selection is a valid chain of the forest, with the right states, index and store.
func (f *forest) checkSelection(sel Selection[tallied], k int) error {
	bs, err := f.chainTo(sel.Tip().Point.Hash)
	if err != nil {
		return err
	}
	n := sel.Fragment.Len()
	if n > k || len(sel.states) != n+1 || sel.numbers.Len() != n+1 {
		return fmt.Errorf("%d headers, %d states, %d numbers with k = %d", n, len(sel.states), sel.numbers.Len(), k)
	}
	var states []tallied
	state := tallied{}
	for _, b := range bs {
		states = append(states, state)
		state, _ = tally{}.Apply(state, b)
	}
	states = append(states, state)
	if sel.State != state || !slices.Equal(sel.states, states[len(bs)-n:]) {
		return errors.New("wrong states")
	}
	for i := range n {
		if h := bs[len(bs)-n+i].Header; sel.Fragment.At(i) != h && sel.Fragment.At(i).Hash() != h.Hash() {
			return errors.New("wrong header")
		} else if at, ok := sel.find(h.Hash()); !ok || at != i {
			return errors.New("wrong index")
		}
	}
	return nil
}

// TestModel delivers random trees in random order, some blocks twice, to chains with room for all of it: every selection seen is a valid
// chain, the last is the model's best, and a restart finds it again.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawForest(t, rapid.IntRange(1, 40).Draw(t, "n"), 4)
		deliveries := slices.Concat(f.blocks, rapid.SliceOfN(rapid.SampledFrom(f.blocks), 0, 10).Draw(t, "twice"))
		deliveries = rapid.Permutation(deliveries).Draw(t, "order")
		cfg := config(store.NewMemory())
		cfg.K = 100
		inPairs := rapid.Bool().Draw(t, "pairs")
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			var open []*Added
			for i, b := range deliveries {
				a, err := c.AddBlock(ctx, b)
				if errors.Is(err, ErrInvalid) { // it was found invalid before
					_, invalid := f.chainTo(b.Header.Hash())
					require.Error(t, invalid)
					continue
				}
				require.NoError(t, err)
				if open = append(open, a); inPairs && i%3 > 0 {
					continue
				}
				for _, a := range open {
					r, err := a.Wait(ctx)
					require.NoError(t, err)
					if r.Verdict == Invalid {
						require.ErrorIs(t, r.Err, ErrInvalid)
						_, invalid := f.chainTo(a.block.Header.Hash())
						require.Error(t, invalid)
					}
				}
				open = nil
				require.NoError(t, f.checkSelection(query(ctx, c.Selection), cfg.K))
			}
			for _, a := range open {
				_, err := a.Wait(ctx)
				require.NoError(t, err)
			}
			require.NoError(t, f.checkSelection(query(ctx, c.Selection), cfg.K))
			require.Equal(t, f.best(), query(ctx, c.Tip))
		})
		cfg.Store = cfg.Store.(*store.Memory).Reopen()
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			require.Equal(t, f.best(), query(ctx, c.Tip))
			require.NoError(t, f.checkSelection(query(ctx, c.Selection), cfg.K))
		})
	})
}

// TestModelWithinK is the same with a small k, a small volatile part and small memories: the selection may then miss the best, but every one
// is a valid chain, gets better with each move, never by a rollback past k, and what is before its anchor never changes.
func TestModelWithinK(t *testing.T) {
	for _, plant := range []bool{false, true} {
		caught := false
		for seed := range long.N(150, 20_000) {
			if err := withinK(seed, plant); plant && err != nil {
				caught = true
				break
			} else if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		require.Equal(t, plant, caught, "a chain with another k than it says is caught")
	}
}

func withinK(seed int, plantDeeper bool) error {
	const k = 3
	var f *forest
	var order []chain.Block
	rapid.Custom(func(t *rapid.T) int {
		f = drawForest(t, 60, 10)
		order = slices.Clone(f.blocks)
		for range 15 { // mostly in order
			i := rapid.IntRange(0, len(order)-4).Draw(t, "swap")
			j := i + rapid.IntRange(0, 3).Draw(t, "with")
			order[i], order[j] = order[j], order[i]
		}
		return 0
	}).Example(seed)
	cfg := config(store.NewMemory())
	cfg.K, cfg.VolatileMax, cfg.InvalidMax = k, 12, 2
	if plantDeeper {
		cfg.K += 2
	}
	var final []chain.Block // what can never change again
	last := genesis
	check := func(ctx context.Context, c *Chain[tallied]) error {
		sel := query(ctx, c.Selection)
		if err := f.checkSelection(sel, cfg.K); err != nil {
			return err
		}
		if vol := query(ctx, c.volatile.Get); vol.Len() > cfg.VolatileMax {
			return fmt.Errorf("%d volatile blocks", vol.Len())
		}
		if inv := query(ctx, c.invalid.Get); inv.Len() > cfg.InvalidMax {
			return fmt.Errorf("%d invalid blocks", inv.Len())
		}
		if sel.Tip() != last && (Longest{}).Compare(sel.Tip(), last) <= 0 {
			return fmt.Errorf("%v after %v", sel.Tip(), last)
		}
		last = sel.Tip()
		bs, _ := f.chainTo(last.Point.Hash)
		for i, b := range final {
			if bs[i].Header.Hash() != b.Header.Hash() {
				return fmt.Errorf("rolled back past k: block %d", i+1)
			}
		}
		if n := len(bs) - k; n > len(final) {
			final = bs[:n]
		}
		return nil
	}
	half := len(order) / 2
	for _, part := range [][]chain.Block{order[:half], order[half:]} { // with a restart between
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			c, err := Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			for _, b := range part {
				if a, err := c.AddBlock(ctx, b); err == nil {
					if _, err = a.Wait(ctx); err != nil {
						return err
					}
				} else if !errors.Is(err, ErrInvalid) {
					return err
				}
				if err := check(ctx, c); err != nil {
					return err
				}
			}
			if err := followWhole(ctx, c, last); err != nil {
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
		cfg.Store = cfg.Store.(*store.Memory).Reopen()
	}
	return nil
}

// followWhole follows from the genesis and expects to end at the tip.
func followWhole(ctx context.Context, c *Chain[tallied], tip chain.Tip) error {
	f, err := c.NewFollower(ctx)
	if err != nil {
		return err
	}
	defer f.Close(ctx)
	got := chain.NewFragment(genesis)
	for {
		var step chain.Step
		ok := false
		if err := stm.Do(ctx, func(tx *stm.Tx) error { step, ok = f.Next(tx); return nil }); err != nil {
			return err
		}
		if !ok {
			break
		}
		if got, err = got.Append(step.Header); err != nil {
			return err
		}
	}
	if got.Tip() != tip {
		return fmt.Errorf("followed to %v instead of %v", got.Tip(), tip)
	}
	return nil
}
