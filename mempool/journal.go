package mempool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// local is a transaction of a local client, in the journal or on the way there.
type local[X any] struct {
	item    *item[X]
	number  uint64      // in the journal
	durable *gate.Latch // open once it is
}

// journal keeps local transactions on disk: below the prefix, a number of eight bytes, big endian, in the order of acceptance, and the
// transaction's bytes. One task writes it, in the order of the queue and as much at a time as has come.
type journal[X any] struct {
	store  store.Store
	prefix string
	limits Limits
	queue  *queue.Queue[change[X]] // without a bound of its own: usage has one
	depth  queue.Gauge             // of the queue
	usage  *stm.Var[usage]         // no semaphore: nobody waits for it, and Stats shows it

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

func newJournal[X any](s store.Store, prefix string, l Limits) *journal[X] {
	j := &journal[X]{
		store: s, prefix: prefix, limits: l,
		usage:    stm.NewVar(usage{}).Label("mempool.journal.usage"),
		accepted: func(tx *stm.Tx, l *local[X]) bool { return l.durable.Left(tx) == 0 },
	}
	j.queue = queue.Unbounded[change[X]](&j.depth).Label("mempool.journal.queue")
	return j
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
	l := &local[X]{item: it, number: u.next, durable: gate.NewLatch(1)}
	j.usage.Set(tx, usage{u.count + 1, u.bytes + len(it.raw), u.next + 1})
	_, err := j.queue.Put(tx, change[X]{local: l})
	return l, err
}

// leave ends an entry.
func (j *journal[X]) leave(tx *stm.Tx, l *local[X]) {
	_, _ = j.queue.Put(tx, change[X]{l, true}) // never full, never closed
}

// run is the journal task. It ends with ctx, or with the first failure of the store.
func (j *journal[X]) run(ctx context.Context) error {
	for {
		todo, err := prop.Batch(ctx, j.queue, batchOpsMax)
		if err != nil {
			return err
		}
		for len(todo) > 0 {
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
				c.local.durable.CountDown(tx)
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
	it := &item[X]{id: chain.HashOf(e.Value), raw: e.Value, x: x}
	return &local[X]{item: it, number: binary.BigEndian.Uint64(number), durable: gate.NewLatch(0)}, nil
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
