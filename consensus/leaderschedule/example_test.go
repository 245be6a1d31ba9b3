package leaderschedule_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// The second of three leaders forges in its slots alone. In a simulation, since real slots take real time.
func ExampleForger() {
	r := sim.Run(1, func(ctx context.Context) error {
		g := chain.Genesis{Network: "example", Start: env.Now(ctx), SlotLength: time.Second}
		var key sign.PrivateKey
		for i := range 3 {
			k := sign.KeyFromSeed([32]byte{byte(i)})
			p := k.Public()
			if g.Keys = append(g.Keys, p[:]); i == 1 {
				key = k
			}
		}
		schedule, err := leaderschedule.New(g)
		if err != nil {
			return err
		}
		signer, err := leaderschedule.OpenSigner(schedule, key, store.NewMemory())
		if err != nil {
			return err
		}
		tip := stm.NewVar(g.Tip()) // stands for chain selection
		forger := leaderschedule.Forger{
			Signer: signer,
			Tip:    tip.Get,
			Body: func(_ *stm.Tx, slot chain.Slot, after chain.Tip) func() []byte {
				return func() []byte { return fmt.Appendf(nil, "slot %d, after block %d", slot, after.BlockNo) }
			},
			Submit: func(ctx context.Context, b chain.Block) error {
				fmt.Printf("%v: %s\n", env.Now(ctx).Sub(g.Start), b.Body)
				return stm.Do(ctx, func(tx *stm.Tx) error { tip.Set(tx, b.Header.Tip()); return nil })
			},
		}
		short, cancel := env.WithTimeout(ctx, 8*time.Second)
		defer cancel()
		fmt.Println(forger.Run(short))
		return nil
	})
	fmt.Println(r.Err)
	// Output:
	// 1s: slot 1, after block 0
	// 4s: slot 4, after block 1
	// 7s: slot 7, after block 2
	// context deadline exceeded
	// <nil>
}
