package queue_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
	"github.com/synodkit/synod/sync/queue"
)

// kits are all orders with all policies.
func kits() []proptest.Kit {
	fulls := []queue.Full[int]{
		{}, queue.Wait[int](), queue.Reject[int](), queue.DropNewest[int](), queue.DropOldest[int](),
		queue.EvictLeast(proptest.ByClass), queue.FairShare(proptest.Class),
	}
	orders := []func(n int, full queue.Full[int]) *queue.Queue[int]{
		queue.FIFO[int], queue.LIFO[int],
		func(n int, full queue.Full[int]) *queue.Queue[int] { return queue.Priority(n, proptest.ByClass, full) },
	}
	kits := []proptest.Kit{kit("unbounded", func() *queue.Queue[int] { return queue.Unbounded[int](new(queue.Gauge)) })}
	for _, order := range orders {
		for i, full := range fulls {
			for _, capacity := range []int{1, 3} {
				p := order(capacity, full).Props()
				name := fmt.Sprintf("%v, %v, capacity=%d/%d", p.Order, p.Full, capacity, i)
				kits = append(kits, kit(name, func() *queue.Queue[int] { return order(capacity, full) }))
			}
		}
	}
	return kits
}

func kit(name string, make func() *queue.Queue[int]) proptest.Kit {
	return proptest.Kit{Name: name, New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
		q := make()
		return q, proptest.Same(n, q)
	}}
}

func TestLaws(t *testing.T) {
	for _, k := range kits() {
		proptest.Run(t, k, simulate, long.N(20, 2000))
	}
}

func TestShrinkable(t *testing.T) {
	for _, k := range kits() {
		rapid.Check(t, func(rt *rapid.T) {
			choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }
			require.NoError(rt, k.Sequence(context.Background(), choose))
		})
	}
}
