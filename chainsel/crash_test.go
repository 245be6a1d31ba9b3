package chainsel

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

// life is one run of a chain up to the stop of its disk, and what it had shown then.
type life struct {
	selected chain.Tip     // the selection
	content  *store.Memory // what was durable
	stopped  bool
}

// live opens a chain on a disk that stops at an operation, lets producers work, and ends with the disk.
func live(ctx context.Context, content *store.Memory, name string, prepare func(*storetest.Slow), plant func(*selector[tallied])) (l life, err error) {
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		disk, err := storetest.NewSlow(ctx, s, content)
		if err != nil {
			return err
		}
		prepare(disk)
		l.content = disk.Durable
		c, err := start(ctx, s, config(disk), plant)
		if err != nil {
			return err
		}
		ends := stm.NewVar(0)
		for i := range 2 {
			s.Go(fmt.Sprint("producer ", i), func(ctx context.Context) error {
				err := produce(ctx, c, fmt.Sprint(name, i), 10)
				if err == nil {
					err = stm.Do(ctx, func(tx *stm.Tx) error { ends.Update(tx, func(n int) int { return n + 1 }); return nil })
				}
				return err
			})
		}
		l.stopped, err = stm.Query(ctx, func(tx *stm.Tx) bool {
			stopped := disk.Stopped.Get(tx)
			tx.Check(stopped || ends.Get(tx) == 2)
			return stopped
		})
		if err != nil {
			return err
		}
		l.selected, err = stm.Query(ctx, c.Tip)
		if err != nil {
			return err
		}
		return errDone
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	return l, err
}

// start is Open with a spoilt selection task.
func start(ctx context.Context, s *registry.Scope, cfg Config[tallied], plant func(*selector[tallied])) (*Chain[tallied], error) {
	if plant == nil {
		return Open(ctx, s, cfg)
	}
	c, sel, err := newChain(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t := newSelector(c, sel)
	plant(t)
	return c, t.start(ctx, s)
}

// outlive checks what a restart finds against what had been shown.
func outlive(ctx context.Context, l life) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, config(l.content))
		if err != nil {
			return err
		}
		tip, err := stm.Query(ctx, c.Tip)
		if err != nil {
			return err
		}
		if (Longest{}).Compare(tip, l.selected) < 0 {
			return fmt.Errorf("%w: %v was shown, %v is left", errLost, l.selected, tip)
		}
		return nil
	})
}

var errLost = errors.New("a shown selection is lost")

// crashAt crashes at one operation, twice, and checks each time.
func crashAt(seed uint64, op int, effect, eager bool, plant func(*selector[tallied])) (stopped bool, err error) {
	r := sim.Run(seed, func(ctx context.Context) error {
		content := store.NewMemory()
		for again := range 2 {
			l, err := live(ctx, content, fmt.Sprint(again), func(d *storetest.Slow) { d.StopAt, d.Effect, d.Eager = op, effect, eager }, plant)
			if err != nil {
				return err
			}
			if err := outlive(ctx, l); err != nil {
				return fmt.Errorf("operation %d, effect %v, life %d: %w", op, effect, again, err)
			}
			content, stopped = l.content, stopped || l.stopped
		}
		return nil
	})
	return stopped, r.Err
}

// crashMatrix crashes at every operation of runs with some seeds. It gives the first failure.
func crashMatrix(t *testing.T, seeds int, eager bool, plant func(*selector[tallied])) error {
	points := 0
	for seed := range uint64(seeds) {
		for op := 1; ; op++ {
			reached := false
			for _, effect := range []bool{false, true} {
				stopped, err := crashAt(seed, op, effect, eager, plant)
				if err != nil {
					return err
				}
				reached = reached || stopped
				points++
			}
			if !reached {
				break
			}
		}
	}
	t.Logf("%d seeds, %d crashes", seeds, points)
	return nil
}

func TestCrashAtEveryOperation(t *testing.T) {
	require.NoError(t, crashMatrix(t, long.N(4, 300), false, nil))
}

func TestPlantedCrashBugsAreCaught(t *testing.T) {
	for name, plant := range map[string]func(*selector[tallied]){
		"published before it is durable": func(s *selector[tallied]) {
			s.commit = func(ctx context.Context, m *move[tallied]) error {
				was := *s
				sel, passed, err := s.next(m)
				if err != nil {
					return err
				}
				s.advance(m, sel, passed)
				if err := stm.Do(ctx, func(tx *stm.Tx) error { s.publish(tx); return nil }); err != nil {
					return err
				}
				return was.persist(ctx, m, sel)
			}
		},
		"written in two batches": func(s *selector[tallied]) {
			s.commit = func(ctx context.Context, m *move[tallied]) error {
				d := s.c.disk
				if from := s.sel.tipAt(m.at); from != s.sel.Tip() {
					cut := d.move(from.BlockNo, s.sel.Tip().BlockNo, nil, s.sel.Fragment.Anchor().BlockNo)
					cut.Put(d.recordKey(), record{s.sel.Fragment.Anchor().BlockNo, from}.bytes(d.genesis))
					for i := m.at + 1; i < s.sel.Fragment.Len(); i++ { // what is rolled back is kept, as it should be
						b, err := d.block(s.sel.Fragment.At(i))
						if err != nil {
							return err
						}
						h := s.vol.add(b, true)
						h.valid, h.state = true, s.sel.states[i+1]
					}
					if _, err := s.c.cfg.Store.Apply(ctx, cut, store.Durable); err != nil {
						return err
					}
				}
				sel, passed, err := s.next(m)
				if err != nil {
					return err
				}
				if err := s.persist(ctx, m, sel); err != nil {
					return err
				}
				s.advance(m, sel, passed)
				return stm.Do(ctx, func(tx *stm.Tx) error { s.publish(tx); return nil })
			}
		},
	} {
		require.ErrorIs(t, crashMatrix(t, 6, false, plant), errLost, name)
	}
	require.ErrorIs(t, crashMatrix(t, 6, true, nil), errLost, "a store that acknowledges too early")
}
