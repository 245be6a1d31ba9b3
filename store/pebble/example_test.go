package pebble_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/pebble"
)

// A record is durable before the program goes on, and is there after a restart. A second store in the same directory is refused.
func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	for start := range 2 {
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			db, err := pebble.Open(s, dir, pebble.Config{})
			if err != nil {
				return err
			}
			v, err := db.Get([]byte("slot"))
			fmt.Printf("start %d: slot %q, not found: %v\n", start, v, errors.Is(err, store.ErrNotFound))

			b := new(store.Batch)
			b.Put([]byte("slot"), []byte("42"))
			ticket, err := db.Apply(ctx, b, store.Durable)
			if err != nil {
				return err
			}
			// Wait for the disk, or for its failure, as for anything else.
			err = stm.Do(ctx, func(tx *stm.Tx) error {
				err, done := ticket.Done(tx)
				tx.Check(done)
				return err
			})
			if err != nil {
				return err
			}
			_, err = pebble.Open(s, dir, pebble.Config{})
			fmt.Println("opened twice:", errors.Is(err, pebble.ErrLocked))
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// start 0: slot "", not found: true
	// opened twice: true
	// start 1: slot "42", not found: false
	// opened twice: true
}
