package tally_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tally"
)

// Requests are counted by whoever serves them, in the transaction that serves, and added up by who wants to know.
func ExampleCounter() {
	ctx := context.Background()
	served, bytes := tally.New(), tally.New()
	for size := range int64(10) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			served.Add(tx, 1)
			bytes.Add(tx, size)
			return nil
		})
	}
	mean, _ := stm.Query(ctx, func(tx *stm.Tx) float64 { return float64(bytes.Value(tx)) / float64(served.Value(tx)) })
	fmt.Println(mean)
	// Output: 4.5
}
