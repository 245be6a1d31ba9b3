package prop_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// Code that hands values over asks for a Source and a Sink. What it moves has moved at one moment.
func Example() {
	ctx := context.Background()
	move := func(from prop.Source[string], to prop.Sink[string]) error {
		return stm.Do(ctx, func(tx *stm.Tx) error {
			v, err := from.Take(tx)
			if err != nil {
				return err
			}
			_, err = to.Put(tx, v)
			return err
		})
	}
	in, out := queue.FIFO(4, queue.Wait[string]()), queue.FIFO(1, queue.Reject[string]())
	for _, v := range []string{"a", "b"} {
		_, _ = prop.Send(ctx, in, v)
	}
	fmt.Println(move(in, out))
	fmt.Println(move(in, out), "and b is still there:")
	fmt.Println(prop.Recv(ctx, in))
	// Output:
	// <nil>
	// prop: full and b is still there:
	// b <nil>
}

// Take is a transaction as it stands, and an alternative of Select.
func ExampleSource() {
	ctx := context.Background()
	urgent, normal := queue.FIFO(4, queue.Wait[string]()), queue.FIFO(4, queue.Wait[string]())
	_, _ = prop.Send(ctx, normal, "normal")
	_, _ = prop.Send(ctx, urgent, "urgent")
	for range 2 {
		v, _ := stm.Atomically(ctx, func(tx *stm.Tx) (string, error) {
			return stm.Select(tx, urgent.Take, normal.Take)
		})
		fmt.Println(v)
	}
	// Output:
	// urgent
	// normal
}

func ExampleAll() {
	ctx := context.Background()
	q := queue.FIFO(4, queue.Wait[int]())
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		for v := range 3 {
			if _, err := q.Put(tx, v); err != nil {
				return err
			}
		}
		q.Close(tx)
		return nil
	})
	for v, err := range prop.All(ctx, q) {
		fmt.Println(v, err)
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
}

func ExampleBatch() {
	ctx := context.Background()
	q := queue.FIFO(8, queue.Wait[int]())
	for v := range 5 {
		_, _ = prop.Send(ctx, q, v)
	}
	fmt.Println(prop.Batch(ctx, q, 3))
	fmt.Println(prop.Batch(ctx, q, 3))
	// Output:
	// [0 1 2] <nil>
	// [3 4] <nil>
}

// A line makes any waiting transaction fair.
func ExampleInLine() {
	ctx := context.Background()
	stock, line := stm.NewVar(3), prop.NewLine("stock")
	take := func(n int) func(tx *stm.Tx) (int, error) {
		return func(tx *stm.Tx) (int, error) {
			left := stock.Get(tx) - n
			tx.Check(left >= 0)
			stock.Set(tx, left)
			return left, nil
		}
	}
	fmt.Println(prop.InLine(ctx, line, take(2)))
	// Output: 1 <nil>
}
