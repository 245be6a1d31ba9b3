package mempool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// local is a transaction of a local client, in the journal or on the way there.
type local[X any] struct {
	item    *item[X]
	number  uint64 // in the journal
	durable *stm.Var[bool]
}

// journal keeps local transactions on disk: below the prefix, a number of eight bytes, big endian, in the order of acceptance, and the
// transaction's bytes. One task writes it, in the order of the queue and as much at a time as has come.
type journal[X any] struct {
	store  store.Store
	prefix string
	limits Limits
	queue  *stm.Var[*chained[change[X]]]
	usage  *stm.Var[usage]

	// accepted says when a transaction counts as accepted. A field, so that tests can plant the answer that would be wrong.
	accepted func(tx *stm.Tx, l *local[X]) bool
}

// change is one to the journal: an entry, or the end of one.
type change[X any] struct {
	local *local[X]
	end   bool
}

// usage is what the journal holds, ends not yet written included.
type usage struct {
	count, bytes int
	next         uint64 // number
}

// chained is a list in a Var, newest first: adding costs the same however long it is.
type chained[T any] struct {
	value T
	older *chained[T]
}

// values are those of a list, oldest first.
func (c *chained[T]) values() []T {
	n := 0
	for at := c; at != nil; at = at.older {
		n++
	}
	out := make([]T, n)
	for at := c; at != nil; at = at.older {
		n--
		out[n] = at.value
	}
	return out
}

func newJournal[X any](s store.Store, prefix string, l Limits) *journal[X] {
	return &journal[X]{
		store: s, prefix: prefix, limits: l,
		queue:    stm.NewVar[*chained[change[X]]](nil).Label("mempool.journal.queue"),
		usage:    stm.NewVar(usage{}).Label("mempool.journal.usage"),
		accepted: func(tx *stm.Tx, l *local[X]) bool { return l.durable.Get(tx) },
	}
}

func (j *journal[X]) key(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(j.prefix), number)
}

// room is ErrFull, or nil if the journal would take that many bytes.
func (j *journal[X]) room(tx *stm.Tx, bytes int) error {
	if u := j.usage.Get(tx); u.count >= j.limits.LocalMax || bytes > j.limits.BytesMax-u.bytes {
		return fmt.Errorf("%w: journal: %d local transactions, %d bytes", ErrFull, u.count, u.bytes)
	}
	return nil
}

// enter gives a transaction its place in the journal, or ErrFull.
func (j *journal[X]) enter(tx *stm.Tx, it *item[X]) (*local[X], error) {
	if err := j.room(tx, len(it.raw)); err != nil {
		return nil, err
	}
	u := j.usage.Get(tx)
	l := &local[X]{item: it, number: u.next, durable: stm.NewVar(false)}
	j.usage.Set(tx, usage{u.count + 1, u.bytes + len(it.raw), u.next + 1})
	j.queue.Set(tx, &chained[change[X]]{change[X]{local: l}, j.queue.Get(tx)})
	return l, nil
}

// leave ends an entry.
func (j *journal[X]) leave(tx *stm.Tx, l *local[X]) {
	j.queue.Set(tx, &chained[change[X]]{change[X]{l, true}, j.queue.Get(tx)})
}

// run is the journal task. It ends with ctx, or with the first failure of the store.
func (j *journal[X]) run(ctx context.Context) error {
	for {
		queue, err := stm.Query(ctx, func(tx *stm.Tx) *chained[change[X]] {
			q := j.queue.Get(tx)
			tx.Check(q != nil)
			j.queue.Set(tx, nil)
			return q
		})
		if err != nil {
			return err
		}
		for todo := queue.values(); len(todo) > 0; {
			n := j.portion(todo)
			if err := j.write(ctx, todo[:n]); err != nil {
				return err
			}
			todo = todo[n:]
		}
	}
}

// Limits of a batch.
const (
	batchOpsMax   = 1024
	batchBytesMax = 1 << 20
)

// portion is how many changes go into the next batch.
func (j *journal[X]) portion(todo []change[X]) int {
	bytes := 0
	for n, c := range todo[:min(len(todo), batchOpsMax)] {
		if bytes += len(c.local.item.raw); bytes > batchBytesMax && n > 0 {
			return n
		}
	}
	return min(len(todo), batchOpsMax)
}

// write makes changes durable, and then known. Ends need not be durable: at worst an entry is found again, and is old.
func (j *journal[X]) write(ctx context.Context, changes []change[X]) error {
	batch, level := new(store.Batch), store.Queued
	for _, c := range changes {
		if c.end {
			batch.Delete(j.key(c.local.number))
		} else {
			batch.Put(j.key(c.local.number), c.local.item.raw)
			level = store.Durable
		}
	}
	ticket, err := j.store.Apply(ctx, batch, level)
	if err == nil {
		err = ticket.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("mempool: journal: %w", err)
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		u := j.usage.Get(tx)
		for _, c := range changes {
			if c.end {
				u.count, u.bytes = u.count-1, u.bytes-len(c.local.item.raw)
			} else {
				c.local.durable.Set(tx, true)
			}
		}
		j.usage.Set(tx, u)
		return nil
	})
}

var errKey = errors.New("not a number of eight bytes")

// load reads the journal, in order. Nothing else uses it meanwhile.
func (j *journal[X]) load(ctx context.Context, parse func([]byte) (X, error)) ([]*local[X], error) {
	var out []*local[X]
	var twice []*local[X]
	var u usage
	seen := map[chain.Hash]bool{}
	for e, err := range j.store.Scan([]byte(j.prefix), end(j.prefix)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("mempool: reading the journal: %w", err)
		}
		l, err := j.decode(e, parse)
		if err != nil {
			return nil, &CorruptError{e.Key, err}
		}
		u = usage{u.count + 1, u.bytes + len(e.Value), l.number + 1}
		if seen[l.item.id] {
			twice = append(twice, l)
			continue
		}
		seen[l.item.id] = true
		out = append(out, l)
	}
	return out, stm.Do(ctx, func(tx *stm.Tx) error {
		j.usage.Set(tx, u)
		for _, l := range twice {
			j.leave(tx, l)
		}
		return nil
	})
}

// decode is one entry.
func (j *journal[X]) decode(e store.Entry, parse func([]byte) (X, error)) (*local[X], error) {
	number := e.Key[len(j.prefix):]
	if len(number) != 8 {
		return nil, errKey
	}
	x, err := parse(e.Value)
	if err != nil {
		return nil, err
	}
	it := &item[X]{chain.HashOf(e.Value), e.Value, x}
	return &local[X]{item: it, number: binary.BigEndian.Uint64(number), durable: stm.NewVar(true)}, nil
}

// end is the first key after all with a prefix; nil if there is none.
func end(prefix string) []byte {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}
