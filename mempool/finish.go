package mempool

import (
	"context"
	"errors"

	"github.com/synodkit/synod/stm"
)

// errGone is why a transaction that became local during a move is aside until the next.
var errGone = errors.New("its block was rolled back and is gone")

func isFull(err error) bool { return errors.Is(err, ErrFull) }

// finish is the end of a move: the task's own state, the records of the past, the events.
func (t *syncer[S, X]) finish(ctx context.Context, m *move[S, X], done outcome[X]) error {
	t.placed, t.known = true, m.fragment
	for _, fs := range [][]fate[X]{done.included, done.revived, done.refused} {
		for _, f := range fs {
			t.remember(f)
		}
	}
	if err := t.release(ctx); err != nil {
		return err
	}
	if err := t.forget(ctx, t.history.len()-t.p.cfg.Limits.HistoryMax); err != nil {
		return err
	}
	t.trace(ctx, m, done)
	return nil
}

// remember notes what a record waits for.
func (t *syncer[S, X]) remember(f fate[X]) {
	switch {
	case f.stage == Pending:
		delete(t.kept, f.id)
	case f.local != nil:
		t.kept[f.id] = &kept[X]{f.local, f.at, f.stage == Refused}
	default:
		t.history.push(past{f.id, f.at})
	}
}

func (t *syncer[S, X]) trace(ctx context.Context, m *move[S, X], done outcome[X]) {
	tracer := t.p.cfg.Tracer
	if !tracer.On() {
		return
	}
	m.event.Included, m.event.Returned, m.event.Count = len(done.included), len(done.revived), done.pending
	for _, f := range done.refused {
		if f.news {
			m.event.Refused++
		}
	}
	tracer.Emit(ctx, Event{Move: m.event, Tip: m.event.To})
	for _, fs := range [][]fate[X]{done.included, done.revived, done.refused} {
		for _, f := range fs {
			if !f.news {
				continue
			}
			e := Event{Stage: f.stage, ID: f.id, Local: f.local != nil, Tip: f.at, Err: f.err}
			if f.item != nil {
				e.Bytes, e.Tip = len(f.item.raw), m.event.To
			}
			tracer.Emit(ctx, e)
		}
	}
}

// portion is how many records one transaction of the cleaning changes.
const portion = 128

// release ends the journal entries of what is K blocks deep on the chain, or aside since K blocks.
func (t *syncer[S, X]) release(ctx context.Context) error {
	tip := t.known.Tip()
	old := t.keptWhere(func(k *kept[X]) bool { return deep(tip, k.at, t.p.cfg.K) })
	for len(old) > 0 {
		n := min(len(old), portion)
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			for _, l := range old[:n] {
				r := *t.p.index.find(tx, l.item.id)
				r.local = nil
				t.p.index.put(tx, &r)
				t.p.journal.leave(tx, l)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, l := range old[:n] {
			t.history.push(past{l.item.id, t.kept[l.item.id].at})
			delete(t.kept, l.item.id)
		}
		old = old[n:]
	}
	return nil
}

// forget drops the oldest n of the past, if they are still as they were then.
func (t *syncer[S, X]) forget(ctx context.Context, n int) error {
	for n > 0 {
		old := t.history.pop(min(n, portion))
		n -= len(old)
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			for _, p := range old {
				if r := t.p.index.find(tx, p.id); r != nil && r.at == p.at && r.item == nil && r.local == nil {
					t.p.index.forget(tx, p.id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetAll drops all of the past: nobody can tell which of it still holds. What is in the journal is tried again, also what Submit found there
// until it was dropped.
func (t *syncer[S, X]) forgetAll(ctx context.Context) error {
	err := t.forget(ctx, t.history.len())
	if err == nil {
		err = t.learn(ctx)
	}
	for _, k := range t.kept {
		k.aside = true
	}
	return err
}
