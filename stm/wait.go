package stm

import (
	"context"
	"sync/atomic"

	"github.com/synodkit/synod/internal/seam"
)

// waiter is one wait. Its channel is made per wait: one kept across waits would not block durably in a
// testing/synctest bubble.
type waiter struct {
	fired atomic.Bool
	ch    chan struct{} // closed when fired
	world seam.World    // nil in production
	token seam.Token
}

func (w *waiter) fire() {
	if w.world != nil {
		w.world.Unpark(&w.token)
		return
	}
	if w.fired.CompareAndSwap(false, true) {
		close(w.ch)
	}
}

// node is a waiter's place in the list of one Var.
type node struct {
	w          *waiter
	on         atomic.Pointer[extra] // nil when no committer can reach the node any more
	next, prev *node
}

// wake fires every waiter of a Var, oldest first, and empties the list.
func (x *extra) wake() {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := x.first
	x.first, x.last = nil, nil
	x.waiting.Store(0)
	for n != nil {
		next := n.next
		n.next, n.prev = nil, nil
		n.w.fire()
		n.on.Store(nil)
		n = next
	}
}

func (x *extra) add(n *node, w *waiter) {
	n.w = w
	x.mu.Lock()
	n.prev = x.last
	if x.last != nil {
		x.last.next = n
	} else {
		x.first = n
	}
	x.last = n
	n.on.Store(x)
	x.waiting.Add(1)
	x.mu.Unlock()
}

func (n *node) remove() {
	x := n.on.Load()
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if n.on.Load() == nil {
		return
	}
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
	x.waiting.Add(-1)
	n.on.Store(nil)
}

// register enters w in the list of every Var in rs and then reports whether all still have the version that was read.
// The order matters: a committer publishes first and looks for waiters second, so one of the two sees the other.
func register(rs []read, nodes []node, w *waiter) (unchanged bool) {
	for i := range rs {
		rs[i].c.more().add(&nodes[i], w)
	}
	for i := range rs {
		if rs[i].c.lock.Load()&^flags != rs[i].l {
			return false
		}
	}
	return true
}

func unregister(nodes []node) {
	for i := range nodes {
		nodes[i].remove()
		nodes[i].w = nil
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

// block waits until something read has changed, the alarm has come or ctx is done; only the last is an error.
func (tx *Tx) block(ctx context.Context) error {
	if tx.world != nil {
		return tx.blockIn(ctx, tx.world)
	}
	if err := ended(ctx); err != nil {
		return err
	}
	tx.refuseForever(ctx)
	if seam.Running() {
		refuseOwned(tx.rs)
	}
	tx.prepareWait()
	tx.wait.ch = make(chan struct{})
	tx.wait.fired.Store(false)
	if register(tx.rs, tx.nodes, &tx.wait) {
		tx.sleep(ctx)
	}
	unregister(tx.nodes)
	return ended(ctx)
}

// prepareWait leaves of the run what the wait needs: the Vars read, each once. What it wrote is let go.
func (tx *Tx) prepareWait() {
	tx.rs = distinct(tx.rs)
	clear(tx.ws)
	tx.ws = tx.ws[:0]
	if cap(tx.nodes) < len(tx.rs) {
		tx.nodes = make([]node, len(tx.rs))
	}
	tx.nodes = tx.nodes[:len(tx.rs)]
}

func (tx *Tx) sleep(ctx context.Context) {
	done := ctx.Done()
	if tx.alarm.IsZero() {
		if done == nil {
			<-tx.wait.ch
			return
		}
		select {
		case <-tx.wait.ch:
		case <-done:
		}
		return
	}
	t := seam.NewTimer(tx.alarm.Sub(seam.Now(nil)))
	defer t.Stop()
	select {
	case <-tx.wait.ch:
	case <-done:
	case <-t.C:
	}
}

// refuseForever panics when nothing could end the wait.
func (tx *Tx) refuseForever(ctx context.Context) {
	if len(tx.rs) == 0 && tx.alarm.IsZero() && ctx.Done() == nil {
		panic("stm: Retry with nothing read would wait for ever")
	}
}

// refuseOwned panics when a transaction outside a running simulation waits for one of its Vars.
func refuseOwned(rs []read) {
	for i := range rs {
		if o := rs[i].c.owner.Load(); o != 0 && seam.Alive(uint32(o>>32)) {
			panic("stm: Var " + rs[i].c.name() + " belongs to a running simulation")
		}
	}
}
