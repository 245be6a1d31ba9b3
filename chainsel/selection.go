package chainsel

import (
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm/persist"
)

// trie is a persistent map by hash, so that a version of it can stand in a Var. Whoever grinds hashes for common prefixes makes it 52 levels deep at worst.
type trie[V any] = persist.Trie[chain.Hash, V]

// Selection is the best valid chain: its last K headers at most, and the ledger's states after each of them. An immutable value.
type Selection[S any] struct {
	Fragment chain.Fragment
	State    S // the ledger's, after the tip

	states  []S                 // after the anchor and after each header; see grown
	unknown int                 // how many of states, the oldest, are not known: those before the snapshot that Open went on from. See recall
	numbers trie[chain.BlockNo] // of the anchor and the headers
}

// Tip is the selection's end.
func (s Selection[S]) Tip() chain.Tip { return s.Fragment.Tip() }

// StateAt is the ledger's state after a block of the fragment or its anchor; false if p is neither, or if Open has gone on from a snapshot of a later block.
func (s Selection[S]) StateAt(p chain.Point) (S, bool) {
	i, ok := s.Fragment.Index(p)
	if !ok || i+1 < s.unknown {
		var none S
		return none, false
	}
	return s.states[i+1], true
}

// newSelection is the selection that holds its anchor alone.
func newSelection[S any](anchor chain.Tip, state S) *Selection[S] {
	return &Selection[S]{
		Fragment: chain.NewFragment(anchor), State: state, states: []S{state},
		numbers: trie[chain.BlockNo]{}.Set(anchor.Point.Hash, anchor.BlockNo),
	}
}

// newSelectionAt is the selection that ends in a block of which alone the state is known: headers lead to it from the anchor.
func newSelectionAt[S any](anchor chain.Tip, headers []*chain.Header, state S) (*Selection[S], error) {
	var none S
	states := make([]S, len(headers))
	states[len(states)-1] = state
	sel, _, err := newSelection(anchor, none).grown(-1, headers, states, len(headers))
	if err == nil {
		sel.unknown = len(headers)
	}
	return sel, err
}

// find is the index in the fragment of the block with a hash; -1 is the anchor.
func (s Selection[S]) find(hash chain.Hash) (int, bool) {
	n, ok := s.numbers.Get(hash)
	return int(n-s.Fragment.Anchor().BlockNo) - 1, ok
}

// tipAt is the tip at an index, -1 for the anchor.
func (s Selection[S]) tipAt(i int) chain.Tip {
	if i < 0 {
		return s.Fragment.Anchor()
	}
	return s.Fragment.At(i).Tip()
}

// grown is s rolled back to index at, with headers and their states after it, trimmed to the newest k; passed are the blocks that are before
// its anchor and were not before s's. An error means that the headers do not link, which the caller excludes.
//
// The states of a selection and of the one grown from it by appending share memory: only one selection is ever grown from each without a
// rollback, since there is one selection task and it ends when a move fails.
func (s Selection[S]) grown(at int, headers []*chain.Header, states []S, k int) (out *Selection[S], passed []chain.Hash, err error) {
	frag, ok := s.Fragment.RollbackTo(s.tipAt(at).Point)
	if !ok {
		return nil, nil, fmt.Errorf("chainsel: no index %d in a selection of %d", at, s.Fragment.Len())
	}
	numbers := s.numbers
	for i := at + 1; i < s.Fragment.Len(); i++ {
		numbers = numbers.Delete(s.Fragment.At(i).Hash())
	}
	kept := s.states
	if at+2 < len(kept) {
		kept = kept[: at+2 : at+2] // the next append copies
	}
	for i, h := range headers {
		if frag, err = frag.Append(h); err != nil {
			return nil, nil, fmt.Errorf("chainsel: %w", err)
		}
		numbers = numbers.Set(h.Hash(), h.BlockNo())
		kept = append(kept, states[i])
	}
	drop := max(frag.Len()-k, 0)
	for i := range drop {
		hash := frag.Anchor().Point.Hash
		if i > 0 {
			hash = frag.At(i - 1).Hash()
		}
		passed = append(passed, hash)
		numbers = numbers.Delete(hash)
	}
	kept = kept[drop:]
	out = &Selection[S]{Fragment: frag.Trim(k), State: kept[len(kept)-1], states: kept, numbers: numbers, unknown: max(s.unknown-drop, 0)}
	return out, passed, nil
}
