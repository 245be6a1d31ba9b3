package persist_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/stm/persist"
)

// Hashes are part of what iteration order, and so every simulation, follows from: they must not change unnoticed.
func TestHashesStay(t *testing.T) {
	require.Equal(t, uint64(0xe220a8397b1dcdaf), persist.HashUint64(0x9e3779b97f4a7c15))
	got := []uint64{
		persist.HashString(""), persist.HashString("a"), persist.HashString("exactly8"), persist.HashString("nine byte"),
		persist.Combine(1, 2), persist.Combine(2, 1),
	}
	require.Equal(t, []uint64{
		16379958108955333119, 5531620527395425498, 11526677816230570142, 6121118818601943234, 9318760665389217628, 12992649491358964180,
	}, got)
}

// Bits of the inputs reach every bit of the hash.
func TestSpread(t *testing.T) {
	hashes := map[string]func(i uint64) uint64{
		"integer":        persist.HashUint64,
		"stride":         func(i uint64) uint64 { return persist.HashUint64(i << 40) },
		"string":         func(i uint64) uint64 { return persist.HashString(fmt.Sprint("peer-", i)) },
		"long string":    func(i uint64) uint64 { return persist.HashString(fmt.Sprintf("%030d some more", i)) },
		"combine first":  func(i uint64) uint64 { return persist.Combine(i, 7) },
		"combine second": func(i uint64) uint64 { return persist.Combine(7, i) },
		"combine both":   func(i uint64) uint64 { return persist.Combine(i, i) },
	}
	const n = 1 << 14
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			var ones [64]int
			leading := make([]int, 1<<10)
			seen := map[uint64]bool{}
			for i := range uint64(n) {
				h := hash(i)
				seen[h] = true
				leading[h>>54]++
				for rest := h; rest != 0; rest &= rest - 1 {
					ones[bits.TrailingZeros64(rest)]++
				}
			}
			require.Len(t, seen, n)
			for bit, k := range ones {
				require.InDelta(t, n/2, k, n/8, "bit %d", bit)
			}
			worst := 0
			for _, k := range leading {
				worst = max(worst, k)
			}
			require.Less(t, worst, 4*n/len(leading), "the leading ten bits")
		})
	}
}

// The words of a ready hash tell any two keys apart.
func TestReadyWords(t *testing.T) {
	b := persist.ReadyHash[[20]byte]()
	require.Equal(t, 3, b.Words())
	require.Equal(t, uint64(0x0102030405060708), b.Word([20]byte{1, 2, 3, 4, 5, 6, 7, 8}, 0))
	require.Equal(t, uint64(9)<<32, b.Word([20]byte{19: 9}, 2))
	require.Equal(t, uint64(5)<<40, persist.ReadyHash[[3]byte]().Word([3]byte{2: 5}, 0))

	s := persist.ReadyHash[name]()
	require.Equal(t, 5, s.Words())
	require.Equal(t, persist.HashString("x"), s.Word("x", 0))
	require.Equal(t, uint64(0x2d711642b726b044), s.Word("x", 1)) // sha256
	require.NotEqual(t, s.Word("x", 4), s.Word("y", 4))

	require.Equal(t, persist.HashUint64(math.MaxUint16), persist.ReadyHash[number]().Word(-1, 0))
	require.Equal(t, persist.HashUint64(200), persist.ReadyHash[byte]().Word(200, 0))
	require.Equal(t, persist.HashUint64(math.MaxUint32), persist.ReadyHash[int32]().Word(-1, 0))
	require.Equal(t, persist.HashUint64(math.MaxUint64), persist.ReadyHash[int]().Word(-1, 0))
	require.Equal(t, uint64(9), persist.HashBy(func(string) uint64 { return 9 }).Word("", 0))
	for _, ask := range []func(){
		func() { persist.ReadyHash[bool]() }, func() { persist.ReadyHash[[0]byte]() },
		func() { persist.ReadyHash[[4]int]() }, func() { persist.ReadyHash[struct{}]() },
	} {
		require.Panics(t, ask)
	}
}
