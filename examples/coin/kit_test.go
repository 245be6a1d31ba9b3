package coin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

func keyOf(n int) sign.PrivateKey {
	return sign.KeyFromSeed([32]byte{byte(n), byte(n >> 8), byte(n >> 16), 7})
}

func addressOf(n int) Address { return AddressOf(keyOf(n).Public()) }

// genesisOf has two leaders, keys 0 and 1, and gives key i what funds[i] says.
func genesisOf(t testing.TB, funds ...uint64) chain.Genesis {
	var as []Allocation
	for i, amount := range funds {
		if amount > 0 {
			as = append(as, Allocation{Address: addressOf(i), Amount: amount})
		}
	}
	raw, err := EncodeAllocations(as)
	require.NoError(t, err)
	g := chain.Genesis{Network: "coins", Start: time.UnixMilli(0).UTC(), SlotLength: time.Second, Ledger: raw}
	for i := range 2 {
		pub := keyOf(i).Public()
		g.Keys = append(g.Keys, pub[:])
	}
	return g
}

func ledgerOf(t testing.TB, funds ...uint64) (Ledger, State) {
	l, s, err := NewLedger(genesisOf(t, funds...))
	require.NoError(t, err)
	return l, s
}

// pay is a transfer of key from to key to with a fee of 1.
func (l Ledger) pay(from, to int, amount, nonce uint64) Transfer {
	return Sign(keyOf(from), l.genesis, Transfer{To: addressOf(to), Amount: amount, Fee: FeeMin, Nonce: nonce})
}

func blockOf(t testing.TB, slot chain.Slot, body []byte) chain.Block {
	h := chain.NewHeader(chain.Fields{Slot: slot, BlockNo: 1, BodyHash: chain.HashOf(body), BodySize: uint32(len(body))}, nil)
	b, err := chain.NewBlock(h, body)
	require.NoError(t, err)
	return b
}

// rawBody is a body as a liar makes it: of any transfers and root.
func rawBody(root chain.Hash, ts ...Transfer) []byte {
	b := body{Root: root}
	for _, t := range ts {
		b.Transfers = append(b.Transfers, t.envelope())
	}
	return must(chain.Marshal(b))
}

// sum is what all accounts have together, and the fees under way.
func sum(s State) uint64 {
	n := s.fees
	for _, x := range s.Accounts() {
		n += x.Balance
	}
	return n
}
