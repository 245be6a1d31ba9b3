package queue_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

func TestMisuse(t *testing.T) {
	for _, make := range []func(){
		func() { queue.FIFO(0, queue.Wait[int]()) },
		func() { queue.LIFO(-1, queue.Wait[int]()) },
		func() { queue.Priority(0, func(a, b int) int { return a - b }, queue.Wait[int]()) },
		func() { queue.Unbounded[int](nil) },
		func() { g := new(queue.Gauge); queue.Unbounded[int](g); queue.Unbounded[int](g) },
	} {
		require.Panics(t, make)
	}
}

// TestPanicOfCompare has the user's functions panic at every call that they get: the panic passes, and the queue is as it
// was.
func TestPanicOfCompare(t *testing.T) {
	ctx := context.Background()
	boom := errors.New("boom")
	for at := range 40 {
		calls, armed := 0, false
		compare := func(a, b int) int {
			if calls++; armed && calls > at {
				panic(boom)
			}
			return a - b
		}
		producer := func(v int) int { compare(0, 0); return v % 3 }
		for _, q := range []*queue.Queue[int]{
			queue.Priority(8, compare, queue.EvictLeast(compare)), queue.FIFO(8, queue.FairShare(producer)),
		} {
			armed = false
			for v := range 8 {
				_, err := prop.Send(ctx, q, v)
				require.NoError(t, err)
			}
			for _, act := range []func(tx *stm.Tx){
				func(tx *stm.Tx) { _, _ = q.Put(tx, 9) }, func(tx *stm.Tx) { _, _ = q.Take(tx) },
			} {
				calls, armed = 0, true
				panicked := func() (r any) {
					defer func() { r = recover() }()
					_ = stm.Do(ctx, func(tx *stm.Tx) error { act(tx); return errors.New("undo") })
					return nil
				}()
				armed = false
				if panicked != nil {
					require.Equal(t, boom, panicked)
				}
			}
			left, err := prop.Batch(ctx, q, 99)
			require.NoError(t, err)
			require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, left)
		}
	}
}

// TestTakenIsCollected sees that no queue keeps alive what has been taken from it.
func TestTakenIsCollected(t *testing.T) {
	ctx := context.Background()
	type big struct{ _ [1 << 10]byte }
	byNothing := func(a, b *big) int { return 0 }
	for name, q := range map[string]*queue.Queue[*big]{
		"ring":  queue.FIFO(4, queue.Wait[*big]()),
		"stack": queue.LIFO(4, queue.DropOldest[*big]()),
		"tree":  queue.Priority(4, byNothing, queue.EvictLeast(byNothing)),
		"chain": queue.Unbounded[*big](new(queue.Gauge)),
	} {
		var held []weak.Pointer[big]
		for range 3 {
			v := new(big)
			held = append(held, weak.Make(v))
			_, err := prop.Send(ctx, q, v)
			require.NoError(t, err)
		}
		for range 3 {
			_, err := prop.Recv(ctx, q)
			require.NoError(t, err)
		}
		for range 3 {
			runtime.GC()
		}
		for i, w := range held {
			require.Nil(t, w.Value(), "%s: value %d", name, i)
		}
		runtime.KeepAlive(q)
	}
}

// TestUnboundedIsLong fills and empties a queue of many values, with the gauge in step.
func TestUnboundedIsLong(t *testing.T) {
	const n = 20_000
	ctx := context.Background()
	var g queue.Gauge
	q := queue.Unbounded[int](&g)
	require.Equal(t, prop.Unbounded, q.Props().Capacity)
	for v := range n {
		_, err := prop.Send(ctx, q, v)
		require.NoError(t, err)
	}
	depth, err := stm.Query(ctx, g.Depth)
	require.NoError(t, err)
	require.Equal(t, n, depth)
	for v := range n {
		got, err := prop.Recv(ctx, q)
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	depth, err = stm.Query(ctx, q.Len)
	require.NoError(t, err)
	require.Zero(t, depth)
}

// TestShareUnderFlood floods a queue by one producer and sees that those within their share lose nothing.
func TestShareUnderFlood(t *testing.T) {
	ctx := context.Background()
	const capacity, producers = 32, 4
	q := queue.FIFO(capacity, queue.FairShare(func(v int) int { return v % producers }))
	lost := map[int]int{}
	for i := range 10_000 {
		v := 0 // the flood
		if i%100 == 0 {
			v = 1 + i/100%(producers-1)
		}
		l, err := prop.Send(ctx, q, v)
		require.NoError(t, err)
		if l.Any {
			lost[l.Value%producers]++
		}
		if i%1000 == 999 {
			_, err := prop.Batch(ctx, q, capacity)
			require.NoError(t, err)
		}
	}
	require.Equal(t, 1, len(lost), "lost by producer: %v", lost)
	require.NotZero(t, lost[0])
}

// TestSkewedValues puts values in the order that is worst for a tree that does not balance.
func TestSkewedValues(t *testing.T) {
	ctx := context.Background()
	const n = 1 << 12
	comparisons := 0
	q := queue.Priority(n, func(a, b int) int { comparisons++; return a - b }, queue.Wait[int]())
	for v := range n {
		_, err := prop.Send(ctx, q, v)
		require.NoError(t, err)
	}
	require.Less(t, float64(comparisons), 1.5*n*math.Log2(n))
}
