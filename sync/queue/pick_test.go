package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
	"github.com/synodkit/synod/sync/queue"
)

// picker is what the check of All, TakeFirst and Remove needs, so that a broken one can be in its place.
type picker interface {
	prop.Sink[int]
	prop.Source[int]
	All(tx *stm.Tx) []int
	TakeFirst(tx *stm.Tx, match func(int) bool) (int, error)
	Remove(tx *stm.Tx, match func(int) bool) []int
	Len(tx *stm.Tx) int
}

type sound struct{ *queue.Queue[int] }

func (s sound) All(tx *stm.Tx) []int { return slices.Collect(s.Queue.All(tx)) }

const pickCapacity = 5

// pickables make every order on each of its shelves.
func pickables() map[string]func() picker {
	out := map[string]func() picker{
		"unbounded": func() picker { return sound{queue.Unbounded[int](new(queue.Gauge))} },
	}
	for _, full := range []queue.Full[int]{queue.Wait[int](), queue.EvictLeast(proptest.ByClass), queue.FairShare(proptest.Class)} {
		for _, q := range []func() *queue.Queue[int]{
			func() *queue.Queue[int] { return queue.FIFO(pickCapacity, full) },
			func() *queue.Queue[int] { return queue.LIFO(pickCapacity, full) },
			func() *queue.Queue[int] { return queue.Priority(pickCapacity, proptest.ByClass, full) },
		} {
			p := q().Props()
			out[fmt.Sprint(p.Order, ", ", p.Full)] = func() picker { return sound{q()} }
		}
	}
	return out
}

// turns are values, given in the order of their Puts, in the order in which they are taken.
func turns(o prop.Order, put []int) []int {
	out := slices.Clone(put)
	switch o {
	case prop.LIFO:
		slices.Reverse(out)
	case prop.ByValue:
		slices.SortStableFunc(out, proptest.ByClass)
	}
	return out
}

var errUndone = errors.New("undone")

// checkPicks compares q with a slice, in transactions some of which are undone.
func checkPicks(q picker, choose func(n int) int) error {
	var put []int // what is held
	for n := range 5 + choose(30) {
		next := slices.Clone(put)
		var step string
		err := stm.Do(context.Background(), func(tx *stm.Tx) error {
			next = slices.Clone(put)
			want := turns(q.Props().Order, next)
			match := func(class int) func(int) bool { return func(v int) bool { return proptest.Class(v) == class } }
			drop := func(vs ...int) {
				next = slices.DeleteFunc(next, func(v int) bool { return slices.Contains(vs, v) })
			}
			switch class := choose(4); choose(5) {
			case 0, 1:
				if len(put) == pickCapacity {
					break
				}
				v := 4*n + class
				step = fmt.Sprint("put ", v)
				next = append(next, v)
				if _, err := q.Put(tx, v); err != nil {
					return err
				}
			case 2:
				step = fmt.Sprint("first of ", class)
				i := slices.IndexFunc(want, match(class))
				if i < 0 {
					break
				}
				got, err := q.TakeFirst(tx, match(class))
				if err != nil || got != want[i] {
					return fmt.Errorf("%s: %d, %v, not %d", step, got, err, want[i])
				}
				drop(got)
			case 3:
				step = fmt.Sprint("remove ", class)
				gone := slices.DeleteFunc(slices.Clone(want), func(v int) bool { return !match(class)(v) })
				if got := q.Remove(tx, match(class)); !slices.Equal(got, gone) {
					return fmt.Errorf("%s: %v, not %v", step, got, gone)
				}
				drop(gone...)
			case 4:
				if step = "take"; len(want) == 0 {
					break
				}
				if got, err := q.Take(tx); err != nil || got != want[0] {
					return fmt.Errorf("take: %d, %v, not %d", got, err, want[0])
				}
				drop(want[0])
			}
			if choose(6) == 0 {
				return errUndone
			}
			return nil
		})
		switch {
		case err == nil:
			put = next
		case !errors.Is(err, errUndone):
			return err
		}
		held, _ := stm.Query(context.Background(), func(tx *stm.Tx) []int { return append(q.All(tx), q.Len(tx)) })
		if want := append(turns(q.Props().Order, put), len(put)); !slices.Equal(held, want) {
			return fmt.Errorf("after %s: %v held, not %v", step, held, want)
		}
	}
	return nil
}

func TestPicks(t *testing.T) {
	for name, q := range pickables() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				require.NoError(rt, checkPicks(q(), func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }))
			})
		})
	}
}

// removesOne forgets all but the first that it should remove.
type removesOne struct{ picker }

func (r removesOne) Remove(tx *stm.Tx, match func(int) bool) []int {
	if v, err := stm.Select(tx, func(tx *stm.Tx) (int, error) { return r.TakeFirst(tx, match) }, none); err == nil {
		return []int{v}
	}
	return nil
}

// takesLast passes over the others, but begins at the wrong end.
type takesLast struct{ picker }

func (l takesLast) TakeFirst(tx *stm.Tx, match func(int) bool) (int, error) {
	matching := l.Remove(tx, match)
	if len(matching) == 0 {
		return 0, stm.ErrRetry
	}
	for _, v := range matching[:len(matching)-1] {
		if _, err := l.Put(tx, v); err != nil {
			return 0, err
		}
	}
	return matching[len(matching)-1], nil
}

func none(*stm.Tx) (int, error) { return 0, errors.New("none") }

// TestPicksPlanted has broken ones, which the check finds.
func TestPicksPlanted(t *testing.T) {
	for name, broken := range map[string]func(p picker) picker{
		"removes one": func(p picker) picker { return removesOne{p} },
		"takes last":  func(p picker) picker { return takesLast{p} },
	} {
		found := 0
		for seed := range uint64(100) {
			r := proptest.Choices(seed)
			if checkPicks(broken(sound{queue.FIFO(pickCapacity, queue.Wait[int]())}), r) != nil {
				found++
			}
		}
		require.NotZero(t, found, name)
	}
}

// TestTakeFirstWaits has one who waits for a value that is not the next, and for what its match reads.
func TestTakeFirstWaits(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		q, most := queue.FIFO(4, queue.Wait[int]()), stm.NewVar(0)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			taken := registry.Fork(s, "taker", func(ctx context.Context) (int, error) {
				return stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
					return q.TakeFirst(tx, func(v int) bool { return v <= most.Get(tx) })
				})
			})
			for _, v := range []int{7, 5, 6} {
				if _, err := prop.Send(ctx, q, v); err != nil {
					return err
				}
			}
			if err := stm.Do(ctx, func(tx *stm.Tx) error { most.Set(tx, 6); return nil }); err != nil {
				return err
			}
			v, err := taken.Wait(ctx)
			require.Equal(t, 5, v)
			require.NoError(t, err)
			left, err := prop.Batch(ctx, q, 4)
			require.Equal(t, []int{7, 6}, left)
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil }))
			_, err2 := stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return q.TakeFirst(tx, func(int) bool { return true }) })
			require.ErrorIs(t, err2, prop.ErrClosed)
			return err
		})
	})
	require.NoError(t, r.Err)
}
