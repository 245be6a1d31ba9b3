package stm

import "sync/atomic"

// node is a wait's place in the list of one Var.
type node struct {
	w          *wait
	c          *core
	seen       uint64                // the version waited on
	on         atomic.Pointer[extra] // nil when no committer can reach the node any more
	next, prev *node
}

// wake fires the waiters of a Var, oldest first, that have not seen version; they leave the list.
func (x *extra) wake(version uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for n := x.first; n != nil && n.seen < version; n = x.first {
		x.unlink(n)
		n.w.fire()
		n.on.Store(nil)
	}
}

// add enters n in the list of its Var, unless that has changed since it was seen; then the wait is over already. The
// bit in the lock word makes the two cases meet: a committer that locks the Var later sees it, and the version of one
// that was earlier shows. While one holds the lock nobody can tell, so nothing is said until it has let go.
func (n *node) add() (unchanged bool) {
	x := n.c.more()
	for spin := 0; ; spin++ {
		x.mu.Lock()
		l := n.c.lock.Load()
		if l < lockBit {
			if l&^(waitBit|serialBit) != n.seen {
				x.mu.Unlock()
				return false
			}
			if l&waitBit != 0 || n.c.lock.CompareAndSwap(l, l|waitBit) {
				x.link(n)
				x.mu.Unlock()
				return true
			}
		}
		x.mu.Unlock()
		pause(spin)
	}
}

func (x *extra) link(n *node) {
	n.prev = x.last
	if x.last != nil {
		x.last.next = n
	} else {
		x.first = n
	}
	x.last = n
	n.on.Store(x)
}

func (x *extra) unlink(n *node) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		x.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		x.last = n.prev
	}
	n.next, n.prev = nil, nil
}

func (n *node) remove() {
	x := n.on.Load()
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if n.on.Load() != nil {
		x.unlink(n)
		n.on.Store(nil)
	}
}

// register enters w in the list of every Var it waits for. If one has changed since it was read, it stops and says so.
func (w *wait) register() (unchanged bool) {
	for i := range w.nodes {
		if !w.nodes[i].add() {
			return false
		}
	}
	return true
}

// unregister leaves all lists. Nobody can reach w after it.
func (w *wait) unregister() {
	for i := range w.nodes {
		w.nodes[i].remove()
	}
}

// distinct drops repeated entries of rs, keeping the first of each.
func distinct(rs []read) []read {
	if len(rs) > 24 {
		return distinctMany(rs)
	}
	out := rs[:0]
next:
	for i := range rs {
		for j := range out {
			if out[j].c == rs[i].c {
				continue next
			}
		}
		out = append(out, rs[i])
	}
	return out
}

func distinctMany(rs []read) []read {
	seen := make(map[*core]struct{}, len(rs))
	out := rs[:0]
	for i := range rs {
		if _, ok := seen[rs[i].c]; !ok {
			seen[rs[i].c] = struct{}{}
			out = append(out, rs[i])
		}
	}
	return out
}
