package load

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
)

func id(i int) chain.Hash { return chain.Hash{byte(i), byte(i >> 8), 1} }

func TestBook(t *testing.T) {
	b := newBook(10)
	var gone []int
	took := func(from int) { gone = append(gone, from) }
	b.sent(id(1), 4)
	b.sent(id(2), 5)
	b.sent(id(3), 6)
	require.False(t, b.accept(id(1), 2, 100))
	require.Empty(t, b.outstanding(0)[1:])
	require.Equal(t, Transfer{ID: id(1), Node: 2, Slot: 100}, b.outstanding(9)[0])

	b.include(block{number: 1, slot: 103, ids: []chain.Hash{id(1), id(2), id(9)}}, took)
	require.Equal(t, []int{4}, gone, "the second is not accepted yet, the ninth is nobody's")
	require.True(t, b.accept(id(2), 0, 103), "on the chain before its answer came")
	require.Equal(t, 2, b.accepted)
	require.Equal(t, 2, b.onChain)
	require.Len(t, b.outstanding(0), 2, "beyond the common chain")
	require.Empty(t, b.outstanding(1))

	b.undo(took)
	require.Equal(t, []int{4, 4, 5}, gone)
	require.Equal(t, 0, b.onChain)
	require.Len(t, b.outstanding(1), 2)
	b.include(block{number: 1, slot: 120, ids: []chain.Hash{id(1), id(2)}}, took)
	require.Equal(t, 2, b.latencies.total, "timed once")
	require.Equal(t, 3, b.latencies.quantile(1))

	b.drop(id(3))
	b.drop(id(1)) // accepted: a promise is not forgotten
	require.Len(t, b.open, 2)
	require.True(t, b.accept(id(1), 1, 5), "accepted twice counts once")
	require.Equal(t, 2, b.accepted)
}

// TestBookSettles: what is deep enough is forgotten, so a long run does not grow, and still counts.
func TestBookSettles(t *testing.T) {
	b := newBook(3)
	for n := range 100 {
		b.sent(id(n), 0)
		b.accept(id(n), 0, 0)
		b.include(block{number: uint64(n + 1), ids: []chain.Hash{id(n)}}, func(int) {})
		require.LessOrEqual(t, len(b.open), 3)
		require.LessOrEqual(t, len(b.blocks), 3)
	}
	require.Equal(t, 100, b.onChain)
	require.Empty(t, b.outstanding(100))
}

// TestBookModel holds the book to a naive one: sets of transfers, and a chain as a list.
func TestBookModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(1 << 20)
		promised, flying := map[chain.Hash]bool{}, 0
		var line [][]chain.Hash
		onChain := func(h chain.Hash) bool {
			for _, ids := range line {
				for _, x := range ids {
					if x == h {
						return true
					}
				}
			}
			return false
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			h := id(rapid.IntRange(0, 9).Draw(t, "transfer"))
			b.sent(h, 0)
			switch rapid.SampledFrom([]string{"accept", "include", "undo"}).Draw(t, "step") {
			case "accept":
				if !promised[h] {
					promised[h] = true
					flying++
				}
				if b.accept(h, 0, 0) != onChain(h) {
					t.Fatalf("accept of %v", h)
				}
			case "include":
				if !onChain(h) {
					line = append(line, []chain.Hash{h})
					b.include(block{number: uint64(len(line)), ids: []chain.Hash{h}}, func(int) {})
				}
			case "undo":
				if len(line) > 0 {
					line = line[:len(line)-1]
					b.undo(func(int) {})
				}
			}
			found := 0
			for h := range promised {
				if onChain(h) {
					found++
				}
			}
			require.Equal(t, len(promised), b.accepted)
			require.Equal(t, found, b.onChain)
			require.Len(t, b.outstanding(1<<40), len(promised)-found)
		}
	})
}
