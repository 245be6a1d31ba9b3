package stm

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/internal/seam/waitlist"
)

// waiter is one wait: a condition variable where nothing else can end it, and a channel beside a context or a timer.
// The channel is made per wait: one kept across waits would not block durably in a testing/synctest bubble.
type waiter struct {
	mu      sync.Mutex
	cond    sync.Cond
	fired   bool          // guarded by mu
	ch      chan struct{} // closed when fired; nil if cond is used
	world   seam.World    // nil in production
	token   seam.Token
	done    <-chan struct{} // the context's
	limited bool            // the context has a deadline; known if it is shown
}

func (w *waiter) fire() {
	if w.world != nil {
		w.world.Unpark(&w.token)
		return
	}
	w.mu.Lock()
	if !w.fired {
		w.fired = true
		if w.ch != nil {
			close(w.ch)
		} else {
			w.cond.Signal()
		}
	}
	w.mu.Unlock()
}

// node is a waiter's place in the list of one Var.
type node struct {
	w          *waiter
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

// add enters n in the list of c, unless c has changed since it was seen; then the wait is over already. The bit in the
// lock word makes the two cases meet: a committer that locks c later sees it, and the version of one that was earlier
// shows. While one holds the lock nobody can tell.
func (c *core) add(n *node, w *waiter, seen uint64) (unchanged bool) {
	x := c.more()
	n.w, n.seen = w, seen&^waitBit
	for {
		x.mu.Lock()
		l := c.lock.Load()
		if l < lockBit {
			if l&^(waitBit|serialBit) != n.seen {
				x.mu.Unlock()
				return false
			}
			if l&waitBit != 0 || c.lock.CompareAndSwap(l, l|waitBit) {
				x.link(n)
				x.mu.Unlock()
				return true
			}
		}
		x.mu.Unlock()
		runtime.Gosched()
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
	x.waiting.Add(1)
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
	x.waiting.Add(-1)
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

// register enters w in the list of every Var in rs. If one has changed since it was read, it stops and says so.
func register(rs []read, nodes []node, w *waiter) (unchanged bool) {
	for i := range rs {
		if !rs[i].c.add(&nodes[i], w, rs[i].l) {
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
	w := &tx.wait
	w.fired, w.ch = false, nil
	l := tx.prepareWait(ctx)
	if w.done != nil || !tx.alarm.IsZero() {
		w.ch = make(chan struct{})
	}
	if register(tx.rs, tx.nodes, w) {
		tx.show(l)
		tx.sleep()
		tx.hide(l)
	}
	unregister(tx.nodes)
	w.done = nil
	return ended(ctx)
}

// prepareWait leaves of the run what the wait needs: the Vars read, each once. What it wrote is let go. It asks ctx all
// there is to ask, before anything is registered: ctx may be a user's, and panic. The result is the list to be shown in.
func (tx *Tx) prepareWait(ctx context.Context) *waitlist.List {
	tx.rs = distinct(tx.rs)
	clear(tx.ws)
	tx.ws = tx.ws[:0]
	if cap(tx.nodes) < len(tx.rs) {
		tx.nodes = make([]node, len(tx.rs))
	}
	tx.nodes = tx.nodes[:len(tx.rs)]
	tx.wait.done = ctx.Done()
	l := waitlist.Under(ctx)
	if l != nil {
		_, tx.wait.limited = ctx.Deadline()
	}
	return l
}

func (tx *Tx) sleep() {
	if tx.wait.ch == nil {
		tx.wait.doze()
		return
	}
	if tx.alarm.IsZero() {
		select {
		case <-tx.wait.ch:
		case <-tx.wait.done:
		}
		return
	}
	t := seam.NewTimer(tx.alarm.Sub(seam.Now(nil)))
	defer t.Stop()
	select {
	case <-tx.wait.ch:
	case <-tx.wait.done:
	case <-t.C:
	}
}

// doze waits for fire alone.
func (w *waiter) doze() {
	w.mu.Lock()
	for !w.fired {
		w.cond.Wait()
	}
	w.mu.Unlock()
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
