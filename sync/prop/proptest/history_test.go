package proptest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
	"github.com/synodkit/synod/sync/queue"
	"github.com/synodkit/synod/sync/topic"
)

// histories go through porcupine here: those of every primitive with a Sink and a Source, whose specification follows from
// Props, and in gates_test.go those of gates. event.Chan is not among them: that two calls meet is not a property of a
// sequence; TestCrowd and TestBothWereThere of package event check pairs. A Barrier is like it, a Limiter knows time.

// kits are all that have a sequential specification.
func kits() []proptest.Kit {
	merge := func(old, new int) int { return 2*old + new - 2*proptest.Class(old) }
	all := []proptest.Kit{
		same("queue.Unbounded", func() both { return queue.Unbounded[int](new(queue.Gauge)) }),
		same("cell.MVar", func() both { return cell.NewMVar[int]() }),
	}
	for _, full := range []queue.Full[int]{
		queue.Wait[int](), queue.Reject[int](), queue.DropNewest[int](), queue.DropOldest[int](),
		queue.EvictLeast(proptest.ByClass), queue.FairShare(proptest.Class),
	} {
		for _, q := range []func() *queue.Queue[int]{
			func() *queue.Queue[int] { return queue.FIFO(2, full) },
			func() *queue.Queue[int] { return queue.LIFO(2, full) },
			func() *queue.Queue[int] { return queue.Priority(2, proptest.ByClass, full) },
		} {
			p := q().Props()
			all = append(all, same(fmt.Sprintf("queue: %v, %v", p.Order, p.Full), func() both { return q() }))
		}
	}
	mailbox := same("cell.Mailbox", func() both { return cell.NewMailbox(2, proptest.Class, merge) })
	mailbox.Merge = merge
	return append(all, mailbox,
		readers("cell.Promise", func(ctx context.Context) (prop.Sink[int], func() prop.Source[int]) {
			p := cell.NewPromise[int]()
			return p, p.Reader
		}),
		readers("cell.Watch", func(ctx context.Context) (prop.Sink[int], func() prop.Source[int]) {
			w := cell.NewWatch(-1)
			return w, func() prop.Source[int] {
				r := w.Reader()
				_ = stm.Do(ctx, func(tx *stm.Tx) error { r.Skip(tx); return nil }) // the model begins without a value
				return r
			}
		}),
		proptest.Kit{Name: "topic.Topic", New: func(ctx context.Context, n int) (prop.Sink[int], []proptest.Source) {
			t := topic.New[int](2)
			subscriptions := make([]proptest.Source, n)
			for i := range subscriptions {
				s, _ := stm.Query(ctx, func(tx *stm.Tx) *topic.Subscription[int] { return t.Subscribe(tx, 2) })
				subscriptions[i] = func(tx *stm.Tx) (int, int, error) {
					item, err := s.Take(tx)
					return item.Value, item.Missed, err
				}
			}
			return t, subscriptions
		}})
}

type both interface {
	prop.Sink[int]
	prop.Source[int]
}

func same(name string, make func() both) proptest.Kit {
	return proptest.Kit{Name: name, New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
		b := make()
		return b, proptest.Same(n, b)
	}}
}

func readers(name string, make func(ctx context.Context) (prop.Sink[int], func() prop.Source[int])) proptest.Kit {
	return proptest.Kit{Name: name, New: func(ctx context.Context, n int) (prop.Sink[int], []proptest.Source) {
		sink, reader := make(ctx)
		var all []proptest.Source
		for range n {
			all = append(all, proptest.Plain(reader()))
		}
		return sink, all
	}}
}

// explained asks porcupine whether the history has an order.
func explained(h *proptest.History) bool {
	model := porcupine.Model{
		Init: h.Init, Step: h.Step,
		Equal: func(a, b any) bool { return h.Key(a) == h.Key(b) },
	}
	ops := make([]porcupine.Operation, len(h.Calls))
	for i, c := range h.Calls {
		ops[i] = porcupine.Operation{ClientId: c.Caller, Input: c.In, Output: c.Out, Call: c.Begin, Return: c.End}
	}
	return porcupine.CheckOperations(model, ops)
}

// TestHistories has porcupine explain longer histories than the search of this package can.
func TestHistories(t *testing.T) {
	for _, k := range kits() {
		t.Run(k.Name, func(t *testing.T) {
			for range long.N(5, 500) {
				h, err := k.History(t.Context(), 4, 40)
				require.NoError(t, err)
				require.True(t, explained(h), "%v", h.Calls)
			}
		})
	}
}

// TestHistoriesPlanted has histories of broken primitives, which porcupine cannot explain.
func TestHistoriesPlanted(t *testing.T) {
	fifo := prop.Props{Order: prop.FIFO, Capacity: 2, Full: prop.Waits}
	for _, bug := range []string{"wrong end", "one too many", "twice taken", "forgets at close", "open after close"} {
		found := 0
		for range 20 {
			h, err := newList(fifo, bug).kit().History(t.Context(), 4, 40)
			require.NoError(t, err)
			if !explained(h) {
				found++
			}
		}
		require.NotZero(t, found, bug)
	}
}

// TestSearchAgrees compares this package's search with porcupine, on short histories and on ones in which two results are
// exchanged.
func TestSearchAgrees(t *testing.T) {
	lies := 0
	for _, k := range kits() {
		for seed := range uint64(long.N(10, 1000)) {
			h, err := k.History(t.Context(), 3, 5)
			require.NoError(t, err)
			require.True(t, h.Linearizable(), k.Name)
			choose := proptest.Choices(seed)
			h.Calls = slices.Clone(h.Calls)
			a, b := &h.Calls[choose(len(h.Calls))], &h.Calls[choose(len(h.Calls))]
			a.Out, b.Out = b.Out, a.Out
			want := explained(h)
			if !want {
				lies++
			}
			require.Equal(t, want, h.Linearizable(), "%s: %v", k.Name, h.Calls)
		}
	}
	require.NotZero(t, lies)
}
