// Package table has rule tables, right and wrong.
package table

import (
	"slices"

	"consensus/rule"
)

type proc struct {
	n     *rule.Var[int]
	peers []rule.Peer
	seen  int
}

func peers(*rule.Tx, *proc) []rule.Peer { return nil }

func (p *proc) agreed(tx *rule.Tx) int {
	var a [3]int
	a[0] = p.n.Get(tx)
	s := a[:]
	slices.Sort(s)
	for i := range s {
		s[i]++
	}
	return s[1]
}

func ready(tx *rule.Tx, p *proc) bool {
	n := p.n.Get(tx)
	n++
	return tx.Given("small", n < 3) && (tx.Given("agreed", p.agreed(tx) > 0) && tx.Given("even", n%2 == 0))
}

func latest(s pair) int {
	for s.a = 0; s.a < s.b; s.a++ {
		s.c[0]++
	}
	return s.a
}

type pair struct {
	a, b int
	c    [2]int
}

func atMost(n int) func(*rule.Tx, *proc) bool {
	return func(tx *rule.Tx, p *proc) bool { return tx.Given("at most", latest(pair{b: p.n.Get(tx)}) <= n) }
}

var good = []rule.Rule[*proc]{
	rule.Upon("named", ready, func(tx *rule.Tx, p *proc) { p.n.Set(tx, 1) }),
	rule.Upon("made", atMost(3), func(*rule.Tx, *proc) {}),
	rule.Upon("always", func(*rule.Tx, *proc) bool { return true }, func(*rule.Tx, *proc) {}),
	rule.For("peers", peers, func(tx *rule.Tx, p *proc, to rule.Peer) bool {
		if to == 0 {
			return false
		}
		return tx.Given("small", p.n.Get(tx) < 3)
	}, func(tx *rule.Tx, p *proc, to rule.Peer) { tx.Send(to, p.n.Get(tx)) }),
}
