package queue

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Gauge shows how many values an unbounded queue holds, to whoever wants to see it, wait for it or report it. The zero
// Gauge is to be given to one queue.
type Gauge struct{ in, out *stm.Var[uint64] } // values put and taken; two, so that Puts and Takes do not meet

// Depth is how many values are held.
func (g *Gauge) Depth(tx *stm.Tx) int { return int(g.in.Get(tx) - g.out.Get(tx)) }

// Unbounded makes a FIFO queue without a bound: a Put always finds room. Use it only where something else bounds the
// values, and watch the gauge.
func Unbounded[T any](g *Gauge) *Queue[T] {
	if g == nil || g.in != nil {
		panic("queue: an unbounded queue needs a Gauge of its own")
	}
	g.in, g.out = stm.NewVar[uint64](0).Label("queue.in"), stm.NewVar[uint64](0).Label("queue.out")
	end := newEnd[T]()
	s := &chain[T]{g, stm.NewVar(end).Label("queue.first"), stm.NewVar(end).Label("queue.last")}
	return newQueue[T](s, prop.FIFO, prop.Unbounded, Wait[T]())
}

// chain is a shelf without a bound: a list linked by Vars, the last of which is empty. Puts and Takes conflict only when
// there is nothing else.
type chain[T any] struct {
	gauge *Gauge
	first *stm.Var[*stm.Var[*link[T]]] // written by Takes
	last  *stm.Var[*stm.Var[*link[T]]] // written by Puts
}

type link[T any] struct {
	value T
	next  *stm.Var[*link[T]]
}

func newEnd[T any]() *stm.Var[*link[T]] { return stm.NewVar[*link[T]](nil) }

func (c *chain[T]) room(*stm.Tx, int) bool { return true }

func (c *chain[T]) add(tx *stm.Tx, v T) {
	end := newEnd[T]()
	c.last.Get(tx).Set(tx, &link[T]{v, end})
	c.last.Set(tx, end)
	c.gauge.in.Set(tx, c.gauge.in.Get(tx)+1)
}

func (c *chain[T]) next(tx *stm.Tx) (v T, ok bool) {
	l := c.first.Get(tx).Get(tx)
	if l == nil {
		return v, false
	}
	c.first.Set(tx, l.next)
	c.gauge.out.Set(tx, c.gauge.out.Get(tx)+1)
	return l.value, true
}

func (c *chain[T]) evict(_ *stm.Tx, v T) T { return v } // never asked for: there is room

func (c *chain[T]) size(tx *stm.Tx) int { return c.gauge.Depth(tx) }

func (c *chain[T]) label(name string) {
	c.first.Label(name + ".first")
	c.last.Label(name + ".last")
	c.gauge.in.Label(name + ".in")
	c.gauge.out.Label(name + ".out")
}
