package chain_test

import (
	"fmt"

	"github.com/synodkit/synod/chain"
)

// A fragment is a value: forks are two values, and both stay what they are.
func ExampleFragment() {
	genesis := chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}}
	after := func(t chain.Tip, slot chain.Slot) *chain.Header {
		return chain.NewHeader(chain.Fields{Slot: slot, BlockNo: t.BlockNo + 1, Prev: t.Point.Hash, BodyHash: chain.HashOf(nil)}, nil)
	}
	trunk, _ := chain.NewFragment(genesis).Append(after(genesis, 1))
	left, _ := trunk.Append(after(trunk.Tip(), 2))
	right, _ := trunk.Append(after(trunk.Tip(), 3))

	at, ok := left.Intersect(right)
	fmt.Println("fork after the trunk:", at == trunk.Tip().Point, ok)
	fmt.Println("slots:", left.Tip().Point.Slot, right.Tip().Point.Slot)
	_, err := left.Append(after(genesis, 9))
	fmt.Println("refused:", err != nil)
	// Output:
	// fork after the trunk: true true
	// slots: 2 3
	// refused: true
}

// Blocks travel as canonical bytes; a body that is not the header's is refused.
func ExampleDecodeBlock() {
	body := []byte("hello")
	h := chain.NewHeader(chain.Fields{Slot: 1, BlockNo: 1, BodyHash: chain.HashOf(body), BodySize: 5}, []byte("proof"))
	b, err := chain.NewBlock(h, body)
	fmt.Println(err)
	got, err := chain.DecodeBlock(b.Bytes())
	fmt.Println(string(got.Body), got.Header.Hash() == h.Hash(), err)
	_, err = chain.NewBlock(h, []byte("hallo"))
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// hello true <nil>
	// true
}
