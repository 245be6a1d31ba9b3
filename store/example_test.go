package store_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// A batch is applied as a whole; a scan goes through keys in order.
func Example() {
	ctx, s := context.Background(), store.NewMemory()
	b := new(store.Batch)
	b.Put([]byte("block/2"), []byte("two"))
	b.Put([]byte("block/1"), []byte("one"))
	b.Put([]byte("tip"), []byte("2"))
	ticket, err := s.Apply(ctx, b, store.Durable)
	if err != nil {
		panic(err)
	}
	if err := ticket.Wait(ctx); err != nil {
		panic(err)
	}
	for e, err := range s.Scan([]byte("block/"), []byte("block0")) {
		fmt.Printf("%s = %s, %v\n", e.Key, e.Value, err)
	}
	// Output:
	// block/1 = one, <nil>
	// block/2 = two, <nil>
}

// A ticket is one condition of a transaction among others: here, publish only what is durable.
func ExampleTicket_Done() {
	ctx, s := context.Background(), store.NewMemory()
	published := stm.NewVar(0)
	b := new(store.Batch)
	b.Put([]byte("vote"), []byte("yes"))
	ticket, _ := s.Apply(ctx, b, store.Durable)
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		err, done := ticket.Done(tx)
		tx.Check(done)
		if err == nil {
			published.Set(tx, 1)
		}
		return err
	})
	fmt.Println(published.Load(ctx), err)
	// Output: 1 <nil>
}

// Limits are checked where they are met: an operation that does not fit makes the batch invalid.
func ExampleBatch_Err() {
	b := new(store.Batch)
	b.Put(nil, []byte("no key"))
	_, err := store.NewMemory().Apply(context.Background(), b, store.Queued)
	fmt.Println(b.Len(), err)
	// Output: 0 store: batch over a limit: key of 0 bytes instead of 1 to 1024
}

// Reopen stands for a restart in tests and simulations.
func ExampleMemory_Reopen() {
	before := store.NewMemory()
	b := new(store.Batch)
	b.Put([]byte("k"), []byte("v"))
	_, _ = before.Apply(context.Background(), b, store.Written)
	after := before.Reopen()
	v, err := after.Get([]byte("k"))
	fmt.Printf("%s %v\n", v, err)
	// Output: v <nil>
}
