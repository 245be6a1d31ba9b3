package queue_test

import (
	"cmp"
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

func ExampleFIFO() {
	ctx := context.Background()
	q := queue.FIFO(2, queue.DropOldest[string]())
	for _, v := range []string{"a", "b", "c"} {
		lost, _ := prop.Send(ctx, q, v)
		fmt.Println(v, lost)
	}
	fmt.Println(prop.Batch(ctx, q, 8))
	// Output:
	// a { false}
	// b { false}
	// c {a true}
	// [b c] <nil>
}

// What is waited for longest is often worth least.
func ExampleLIFO() {
	ctx := context.Background()
	q := queue.LIFO(8, queue.Wait[int]())
	for v := range 3 {
		_, _ = prop.Send(ctx, q, v)
	}
	fmt.Println(prop.Batch(ctx, q, 8))
	// Output: [2 1 0] <nil>
}

// A pool that serves the highest fee first and loses the lowest.
func ExamplePriority() {
	type transfer struct {
		name string
		fee  int
	}
	byFee := func(a, b transfer) int { return cmp.Compare(a.fee, b.fee) }
	highest := func(a, b transfer) int { return byFee(b, a) }
	ctx := context.Background()
	q := queue.Priority(2, highest, queue.EvictLeast(byFee))
	for _, t := range []transfer{{"a", 5}, {"b", 9}, {"c", 7}, {"d", 1}} {
		if lost, _ := prop.Send(ctx, q, t); lost.Any {
			fmt.Println("lost", lost.Value.name)
		}
	}
	fmt.Println(prop.Batch(ctx, q, 8))
	// Output:
	// lost a
	// lost d
	// [{b 9} {c 7}] <nil>
}

// Who floods the queue loses his own.
func ExampleFairShare() {
	type message struct {
		peer string
		n    int
	}
	ctx := context.Background()
	q := queue.FIFO(4, queue.FairShare(func(m message) string { return m.peer }))
	for n := range 6 {
		_, _ = prop.Send(ctx, q, message{"loud", n})
	}
	for n := range 2 {
		_, _ = prop.Send(ctx, q, message{"quiet", n})
	}
	fmt.Println(prop.Batch(ctx, q, 8))
	// Output: [{loud 0} {loud 1} {quiet 0} {quiet 1}] <nil>
}

func ExampleUnbounded() {
	ctx := context.Background()
	var depth queue.Gauge
	q := queue.Unbounded[int](&depth)
	for v := range 1000 {
		_, _ = prop.Send(ctx, q, v)
	}
	fmt.Println(stm.Query(ctx, depth.Depth))
	// Output: 1000 <nil>
}

// A place in two queues, or in none, and the values when they exist.
func ExampleQueue_Reserve() {
	ctx := context.Background()
	log, send := queue.FIFO(8, queue.Wait[string]()), queue.FIFO(8, queue.Wait[string]())
	type places struct{ log, send *queue.Place[string] }
	p, _ := stm.Atomically(ctx, func(tx *stm.Tx) (places, error) {
		l, err := log.Reserve(tx)
		if err != nil {
			return places{}, err
		}
		s, err := send.Reserve(tx)
		return places{l, s}, err
	})
	vote := "a vote that takes its time to make"
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		p.log.Fill(tx, vote)
		p.send.Fill(tx, vote)
		return nil
	})
	fmt.Println(prop.Recv(ctx, log))
	fmt.Println(prop.Recv(ctx, send))
	// Output:
	// a vote that takes its time to make <nil>
	// a vote that takes its time to make <nil>
}
