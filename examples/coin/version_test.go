package coin

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
)

// lived is a state of a block with what it must be.
type lived struct {
	state State
	table table
	root  chain.Hash
}

// check compares all that can be asked of a state with what it must be.
func (l lived) check(t require.TestingT, a Address) {
	require.Equal(t, l.table[a], l.state.Account(a))
	require.Equal(t, l.table, contentOf(l.state.trie()))
	require.Equal(t, l.root, l.state.Root())
}

// grow makes n states one after another by random changes, as a block does.
func grow(r *rand.Rand, from lived, n int) (out []lived) {
	at := from
	for range n {
		s, m := at.state, table{}
		for a, x := range at.table {
			m[a] = x
		}
		for range r.IntN(6) {
			a, x := crowd[r.IntN(len(crowd))], Account{r.Uint64N(3), r.Uint64N(3)}
			s, m[a] = s.set(a, x), x
		}
		at = lived{s.follow(at.state), m, naiveRoot(m, 0)}
		out = append(out, at)
	}
	return out
}

// TestOldStatesStay: whatever follows a state, on however many forks, it stays what it was; and those far back have given up their tries.
func TestOldStatesStay(t *testing.T) {
	for seed := range uint64(long.N(10, 1000)) {
		r := rand.New(rand.NewPCG(seed, 1))
		all := grow(r, lived{}, 3*unfolded)
		for range 4 {
			all = append(all, grow(r, all[r.IntN(len(all))], r.IntN(2*unfolded))...)
		}
		folded := 0
		for _, l := range all {
			if l.state.version != nil && l.state.version.folded.Load() != nil {
				require.Nil(t, l.state.version.full.Load())
				folded++
			}
			l.check(t, crowd[r.IntN(len(crowd))])
		}
		require.Greater(t, folded, unfolded)
	}
}

// TestPlantedFolds: the comparison finds folds that lose a change, that keep an account which was not there, or that lead to a wrong successor.
func TestPlantedFolds(t *testing.T) {
	for name, spoil := range map[string]func(f *fold){
		"a lost change":       func(f *fold) { f.undo = f.undo[1:] },
		"an account too many": func(f *fold) { f.undo[0].none, f.undo[0].account = false, Account{Balance: 9} },
		"a wrong successor": func(f *fold) {
			if g := f.next.folded.Load(); g != nil {
				f.next = g.next
			}
		},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		all := grow(r, lived{}, 3*unfolded)
		broken := false
		for _, l := range all {
			v := l.state.version
			if v == nil || v.folded.Load() == nil || len(v.folded.Load().undo) == 0 {
				continue
			}
			spoil(v.folded.Load())
			broken = broken || l.state.Root() != l.root
		}
		require.True(t, broken, name)
	}
}

// TestStatesConcurrently: states are read while others fold them, from several forks at once.
func TestStatesConcurrently(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	all := grow(r, lived{}, unfolded)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(i)))
			for _, l := range grow(r, all[len(all)-1], 2*unfolded) {
				old := all[r.IntN(len(all))]
				if old.state.Root() != old.root || l.state.Root() != l.root {
					t.Error("another root")
				}
			}
		})
	}
	wg.Wait()
}

// TestStatesAreSmall: what chain selection holds of a block behind the newest is what it changed, not the paths to it; and states of which nobody holds
// one cost nothing. Planted: as many states that are never folded.
func TestStatesAreSmall(t *testing.T) {
	const blocks, transfers = 400, 10
	accounts := long.N(1000, 5000)
	funds := make([]uint64, accounts)
	for i := range funds {
		funds[i] = 1 << 40
	}
	measure := func(keep func(*[]State, State)) int {
		l, s := ledgerOf(t, funds...)
		var states []State
		var before int
		n := 0
		chained(t, l, s, accounts, blocks+2*unfolded, transfers, func(_ chain.Block, s State) {
			if n++; n == 2*unfolded {
				before = heapBytes()
			}
			keep(&states, s)
		})
		bytes := (heapBytes() - before) / blocks
		runtime.KeepAlive(states)
		return bytes
	}
	folded := measure(func(all *[]State, s State) { *all = append(*all, s) })
	whole := measure(func(all *[]State, s State) { *all = append(*all, State{accounts: s.trie()}) })
	none := measure(func(all *[]State, s State) { *all = []State{s} })
	t.Logf("%d accounts: %d bytes a block, %d with all paths, %d when only the newest is held", accounts, folded-none, whole-none, none)
	require.Less(t, 3*(folded-none), whole-none)
	require.Less(t, none, 1<<10)
}

func heapBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
