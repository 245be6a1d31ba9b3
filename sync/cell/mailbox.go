package cell

import (
	"context"
	"hash/maphash"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Mailbox holds one value for each key that waits. It is a prop.Sink and a prop.Source.
type Mailbox[K comparable, T any] struct {
	capacity int
	key      func(T) K
	merge    func(old, new T) T
	seed     maphash.Seed
	state    *stm.Var[*post[K, T]]
}

// post is the state of a mailbox, immutable.
type post[K comparable, T any] struct {
	waiting *trie[K, T]
	size    int // of waiting
	order   fifo[K]
	busy    *trie[K, T] // checked out; a key in waiting is either here or in order
	closed  bool
}

// NewMailbox makes a mailbox in which at most capacity keys wait; those checked out do not count. The key of a value
// that merge gives must be that of both its arguments. Neither function may use transactions.
func NewMailbox[K comparable, T any](capacity int, key func(T) K, merge func(old, new T) T) *Mailbox[K, T] {
	if capacity < 1 {
		panic("cell: a mailbox with a capacity below 1")
	}
	state := stm.NewVar(&post[K, T]{}).Label("mailbox")
	return &Mailbox[K, T]{capacity, key, merge, maphash.MakeSeed(), state}
}

// Label names the mailbox's Var for dumps and traces, and returns the mailbox.
func (m *Mailbox[K, T]) Label(name string) *Mailbox[K, T] {
	m.state.Label(name)
	return m
}

// Props is the mailbox's contract.
func (m *Mailbox[K, T]) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: m.capacity, Full: prop.Merges}
}

// Put adds v, or merges it into the value that waits for its key. It waits if neither is possible.
func (m *Mailbox[K, T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	p, k := *m.state.Get(tx), m.key(v)
	old, found := p.waiting.get(m.seed, k)
	switch {
	case p.closed:
		return lost, prop.ErrClosed
	case found:
		v = m.merge(old, v)
	case p.size == m.capacity:
		return stm.Select[prop.Lost[T]](tx) // no alternative: retries, without a panic
	default:
		p.size++
		if !m.isBusy(&p, k) {
			p.order = p.order.push(k)
		}
	}
	p.waiting = p.waiting.with(m.seed, k, v)
	m.state.Set(tx, &p)
	return lost, nil
}

func (m *Mailbox[K, T]) isBusy(p *post[K, T], k K) bool {
	_, busy := p.busy.get(m.seed, k)
	return busy
}

// Take is the value of the key that has waited longest, of those not checked out.
func (m *Mailbox[K, T]) Take(tx *stm.Tx) (none T, err error) {
	v, p, err := m.next(tx)
	if err == nil {
		m.state.Set(tx, p)
	}
	return v, err
}

// Checkout is Take, and nobody else is given a value of that key until Done.
func (m *Mailbox[K, T]) Checkout(tx *stm.Tx) (T, error) {
	v, p, err := m.next(tx)
	if err == nil {
		p.busy = p.busy.with(m.seed, m.key(v), v)
		m.state.Set(tx, p)
	}
	return v, err
}

// Checkouts is the mailbox as a source whose Take is Checkout.
func (m *Mailbox[K, T]) Checkouts() prop.Source[T] { return checkouts[K, T]{m} }

type checkouts[K comparable, T any] struct{ *Mailbox[K, T] }

func (c checkouts[K, T]) Take(tx *stm.Tx) (T, error) { return c.Checkout(tx) }

// next takes a value out of a copy of the state.
func (m *Mailbox[K, T]) next(tx *stm.Tx) (v T, next *post[K, T], err error) {
	p := *m.state.Get(tx)
	k, rest, ok := p.order.pop()
	switch {
	case !ok && p.closed && p.size == 0:
		return v, nil, prop.ErrClosed
	case !ok:
		v, err = stm.Select[T](tx)
		return v, nil, err
	}
	v, _ = p.waiting.get(m.seed, k)
	p.waiting, p.order = p.waiting.without(m.seed, k), rest
	p.size--
	return v, &p, nil
}

// Done ends a checkout. If something was put for the key meanwhile, it is the last in the order now.
func (m *Mailbox[K, T]) Done(tx *stm.Tx, k K) {
	p := *m.state.Get(tx)
	if !m.isBusy(&p, k) {
		panic("cell: Done of a key that is not checked out")
	}
	p.busy = p.busy.without(m.seed, k)
	if _, waits := p.waiting.get(m.seed, k); waits {
		p.order = p.order.push(k)
	}
	m.state.Set(tx, &p)
}

// Work checks a value out, runs f with it, and is done with the key however f ends: by an error, which is returned, by
// a panic or Goexit.
func (m *Mailbox[K, T]) Work(ctx context.Context, f func(ctx context.Context, v T) error) error {
	v, err := stm.Atomically(ctx, m.Checkout)
	if err != nil {
		return err
	}
	defer func() {
		_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail: it never waits
			m.Done(tx, m.key(v))
			return nil
		})
	}()
	return f(ctx, v)
}

// Find is the value that waits for a key, or else the one that is checked out; it stays.
func (m *Mailbox[K, T]) Find(tx *stm.Tx, k K) (T, bool) {
	p := m.state.Get(tx)
	if v, waits := p.waiting.get(m.seed, k); waits {
		return v, true
	}
	return p.busy.get(m.seed, k)
}

// Len is how many keys wait.
func (m *Mailbox[K, T]) Len(tx *stm.Tx) int { return m.state.Get(tx).size }

// Close lets no more values in. Those that wait can still be taken.
func (m *Mailbox[K, T]) Close(tx *stm.Tx) {
	p := *m.state.Get(tx)
	p.closed = true
	m.state.Set(tx, &p)
}
