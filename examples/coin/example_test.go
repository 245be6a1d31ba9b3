package coin_test

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

// A genesis that gives Alice 100, a transfer of hers, and the block that holds it.
func Example() {
	alice, bob, leader := sign.KeyFromSeed([32]byte{1}), sign.KeyFromSeed([32]byte{2}), sign.KeyFromSeed([32]byte{3})
	from, to := coin.AddressOf(alice.Public()), coin.AddressOf(bob.Public())
	allocations, err := coin.EncodeAllocations([]coin.Allocation{{Address: from, Amount: 100}})
	if err != nil {
		fmt.Println(err)
		return
	}
	pub := leader.Public()
	genesis := chain.Genesis{Network: "example", Start: time.UnixMilli(0), SlotLength: time.Second, Keys: [][]byte{pub[:]}, Ledger: allocations}
	ledger, state, err := coin.NewLedger(genesis)
	if err != nil {
		fmt.Println(err)
		return
	}

	raw := coin.Sign(alice, genesis.Hash(), coin.Transfer{To: to, Amount: 30, Fee: 1}).Bytes()
	transfer, err := ledger.Parse(raw) // as a node does when it is offered one
	if err != nil {
		fmt.Println(err)
		return
	}
	body := ledger.Body(state, 1, []coin.Transfer{transfer}) // as the leader of slot 1 does
	after, err := ledger.Apply(state, blockOf(1, body))      // as every node does
	fmt.Println(err)
	fmt.Println(after.Account(from).Balance, after.Account(to).Balance, after.Account(ledger.Leader(1)).Balance, after.Supply())

	_, err = ledger.Check(after, transfer) // again
	var nonce *coin.NonceError
	fmt.Println(errors.As(err, &nonce), nonce.Want, nonce.Got)
	fmt.Println(bytes.Equal(raw, transfer.Bytes()), to)
	// Output:
	// <nil>
	// 69 30 1 100
	// true 1 0
	// true coin1d3yfms66jvojh5rp5yyata7vl3qpgeozqzbzz7od
}

func blockOf(slot chain.Slot, body []byte) chain.Block {
	h := chain.NewHeader(chain.Fields{Slot: slot, BlockNo: 1, BodyHash: chain.HashOf(body), BodySize: uint32(len(body))}, nil)
	return chain.Block{Header: h, Body: body}
}
