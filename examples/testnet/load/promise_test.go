package load

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
)

// tx is a transfer in the model.
type tx struct {
	from  int
	nonce uint64
	id    chain.Hash
}

// modelNode is a node in the model: it has seen a part of the chain, and holds transfers that are valid after it, in order.
type modelNode struct {
	seen    int // of the chain
	pool    []tx
	journal []tx // what it has promised to keep
	down    bool
}

// world is a network in the model: one chain, nodes that lag behind it, lose what they did not promise when they crash, and answers that get lost.
type world struct {
	chain []tx
	nodes []*modelNode
	rand  *rand.Rand
	lost  []string // promises that were broken
	book  *book
}

func (w *world) next(n *modelNode, from int) uint64 {
	count := uint64(0)
	for _, list := range [][]tx{w.chain[:n.seen], n.pool} {
		for _, t := range list {
			if t.from == from {
				count++
			}
		}
	}
	return count
}

// post hands a transfer to a node.
func (w *world) post(n *modelNode, t tx) verdict {
	switch {
	case n.down:
		return unreachable
	case w.rand.IntN(8) == 0:
		return noRoom
	}
	v := refused
	if slices.Contains(n.pool, t) {
		v = accepted
	} else if w.next(n, t.from) == t.nonce {
		n.pool = append(n.pool, t)
		v = accepted
	}
	if v == accepted && !slices.Contains(n.journal, t) {
		n.journal = append(n.journal, t)
	}
	if w.rand.IntN(5) == 0 {
		return unreachable // the answer is lost
	}
	return v
}

// offer is what a node does with a transfer from another.
func (w *world) offer(n *modelNode, t tx) {
	if !slices.Contains(n.pool, t) && w.next(n, t.from) == t.nonce {
		n.pool = append(n.pool, t)
	}
}

// catchUp moves a node to the end of the chain. What is not valid any more leaves; if it was promised, the promise is broken.
func (w *world) catchUp(n *modelNode) {
	n.seen = len(w.chain)
	pool := n.pool
	n.pool = nil
	for _, t := range append(pool, n.journal...) {
		switch {
		case slices.Contains(w.chain, t) || slices.Contains(n.pool, t):
		case w.next(n, t.from) == t.nonce:
			n.pool = append(n.pool, t)
		case w.next(n, t.from) > t.nonce:
			if e := w.book.open[t.id]; e != nil && e.accepted {
				w.lost = append(w.lost, fmt.Sprintf("nonce %d of account %d", t.nonce, t.from))
			}
		}
	}
}

// step lets something happen to the network.
func (w *world) step() {
	n := w.nodes[w.rand.IntN(len(w.nodes))]
	switch w.rand.IntN(6) {
	case 0: // a crash: only the journal remains
		n.down, n.pool = true, nil
	case 1:
		n.down = false
		w.catchUp(n)
	case 2:
		if !n.down {
			w.catchUp(n)
		}
	case 3: // a block
		if !n.down {
			w.forge(n)
		}
	default: // transfers spread
		from := w.nodes[w.rand.IntN(len(w.nodes))]
		if n.down || from.down {
			return
		}
		for _, t := range from.pool {
			w.offer(n, t)
		}
	}
}

func (w *world) forge(n *modelNode) {
	w.catchUp(n)
	w.chain = append(w.chain, n.pool...)
	n.pool = nil
	w.catchUp(n)
}

// play drives planner and book against a world, and returns the promises that were broken. Bug is a mistake to make in the planner.
func play(seed uint64, bug func(p *planner, j job, a answer)) []string {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{rand: r, book: newBook(1 << 20)}
	for range 3 {
		w.nodes = append(w.nodes, &modelNode{})
	}
	p := newPlanner(make([]uint64, 4), len(w.nodes), r)
	now, read := start, 0
	for step := range 400 {
		now = now.Add(20 * time.Millisecond)
		up := make([]bool, len(w.nodes))
		for i, n := range w.nodes {
			up[i] = !n.down
		}
		if j, ok := p.next(now, up); ok {
			d := j.draft
			if d == nil {
				d = &draft{id: chain.HashOf(fmt.Appendf(nil, "%d %d %d", j.from, j.nonce, step))}
			}
			w.book.sent(d.id, j.from)
			n := w.nodes[j.node]
			a := answer{verdict: w.post(n, tx{j.from, j.nonce, d.id}), draft: d}
			if a.verdict == refused {
				a.next = w.next(n, j.from)
			}
			onChain := a.verdict == accepted && w.book.accept(d.id, j.node, 0)
			p.done(j, a, onChain, now)
			if bug != nil {
				bug(p, j, a)
			}
		}
		w.step()
		if r.IntN(3) == 0 && read < len(w.chain) { // the reader of the chain is a little behind, too
			t := w.chain[read]
			read++
			w.book.include(block{number: uint64(read), ids: []chain.Hash{t.id}}, func(from int) { p.included(from, 1) })
		}
	}
	return append(w.lost, w.settle(read)...)
}

// settle lets the network come to rest, and names what was promised and is not on the chain.
func (w *world) settle(read int) (lost []string) {
	for range 20 {
		for _, n := range w.nodes {
			n.down = false
			w.forge(n)
		}
	}
	for _, t := range w.chain[read:] {
		read++
		w.book.include(block{number: uint64(read), ids: []chain.Hash{t.id}}, func(int) {})
	}
	for _, t := range w.book.outstanding(1 << 40) {
		lost = append(lost, t.ID.String())
	}
	return lost
}

// TestPromises: whatever gets lost, crashes or lags, the load itself never makes an accepted transfer invalid. Two mistakes that would are found.
func TestPromises(t *testing.T) {
	seeds := uint64(long.N(200, 20_000))
	for seed := range seeds {
		require.Empty(t, play(seed, nil), "seed %d", seed)
	}
	for name, bug := range map[string]func(*planner, job, answer){
		"signs anew what was not answered": func(p *planner, j job, a answer) {
			if a.verdict == unreachable {
				p.accounts[j.from].draft = nil
			}
		},
		"lets the nonce go back": func(p *planner, j job, a answer) {
			if a.verdict == refused && a.next < j.nonce {
				p.accounts[j.from].skip(a.next)
			}
		},
	} {
		found := false
		for seed := uint64(0); seed < seeds && !found; seed++ {
			found = len(play(seed, bug)) > 0
		}
		require.True(t, found, name)
	}
}
