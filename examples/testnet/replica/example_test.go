package replica_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/examples/testnet/replica"
	"github.com/synodkit/synod/registry"
)

// Two replicas in one process: both listen before either dials. A transfer handed to one is in the chain of the other.
func Example() {
	done := errors.New("done")
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := home.New(home.Params{Nodes: 2, Slot: 50 * time.Millisecond, Start: env.Now(ctx)})
		if err != nil {
			return err
		}
		var all []*replica.Replica
		for i, keys := range h.Nodes {
			r, err := replica.Listen(ctx, s, replica.Config{Name: fmt.Sprintf("node%d", i), Genesis: h.Genesis, Keys: keys})
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		if err := errors.Join(all[0].Start(ctx, nil), all[1].Start(ctx, []string{all[0].Address()})); err != nil {
			return err
		}
		alice, bob := h.Accounts[0], h.Accounts[1]
		t := coin.Sign(alice.Key, h.Genesis.Hash(), coin.Transfer{To: bob.Address(), Amount: 5, Fee: coin.FeeMin})
		if _, err := all[0].Submit(ctx, t.Bytes()); err != nil {
			return err
		}
		client, err := api.NewClient(all[1].URL())
		if err != nil {
			return err
		}
		defer client.Close()
		for _, err := range client.Events(ctx) {
			if err != nil {
				return err
			}
			account, err := client.Account(ctx, bob.Address())
			if err != nil {
				return err
			}
			if account.Balance != home.Funds {
				fmt.Println("bob has", account.Balance)
				return done
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// bob has 1000005
	// done
}
