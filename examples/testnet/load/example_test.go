package load

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// A load runs beside the reader of its transfers; at the end every promise is accounted for.
func ExampleLoad() {
	net := &network{tip: stm.NewVar(chain.Hash{}), nonces: map[string]uint64{}} // a network made for tests
	node := httptest.NewServer(net)
	defer node.Close()
	alice := coin.AddressOf(sign.KeyFromSeed([32]byte{1}).Public())
	l, err := New(Config{
		Rate: 100, Accounts: []coin.Address{alice}, K: 10,
		Make: func(from, to int, nonce uint64) ([]byte, error) {
			return fmt.Append(nil, alice, nonce), nil // signed, in earnest
		},
		Nodes: func(*stm.Tx) []string { return []string{node.URL} },
		Slot:  func(time.Time) chain.Slot { return 7 },
		Tip:   net.tip.Get, Chain: net.chain,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		reader := registry.Fork(s, "reader", func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Follow(ctx, 0) })
		sender := registry.Fork(s, "sender", func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Run(ctx) })
		if err := reach(ctx, l, func(t Totals) bool { return t.Accepted >= 3 }); err != nil {
			return err
		}
		if err := l.Stop(ctx); err != nil {
			return err
		}
		if _, err := sender.Wait(ctx); err != nil {
			return err
		}
		fmt.Println("outstanding before the block:", len(l.Outstanding(1)) == l.Report().Accepted)
		if err := net.forge(ctx, 0); err != nil {
			return err
		}
		err := reach(ctx, l, func(t Totals) bool { return t.OnChain == t.Accepted })
		fmt.Println("outstanding after it:", len(l.Outstanding(1)))
		reader.Cancel(nil)
		return err
	})
	fmt.Println(err)
	// Output:
	// outstanding before the block: true
	// outstanding after it: 0
	// <nil>
}
