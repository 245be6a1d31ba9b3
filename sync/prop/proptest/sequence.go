package proptest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/synodkit/synod/stm"
)

var errUndone = errors.New("undone")

// ending is how the transaction of some operations ends.
type ending int

const (
	commits ending = iota
	fails          // an error undoes it
	loses          // it is an alternative of a Select that retries
	endings
)

// Sequence compares a sequence of transactions with the model. choose picks a number below n and decides everything, so
// that a generator that shrinks can be behind it.
func (k Kit) Sequence(ctx context.Context, choose func(n int) int) error {
	s := k.subject(ctx, sourcesMax)
	m := k.model(s.sink.Props(), sourcesMax)
	var before []string
	for n := range 1 + choose(40) {
		ops := k.draw(choose, 10*n, 20)
		end := ending(choose(2 * int(endings)))
		got, err := s.transact(ctx, ops, end)
		if err != nil {
			return fmt.Errorf("%s: %v: %w, after %v", k.Name, ops, err, before)
		}
		next := m.clone()
		want := next.transact(ops)
		if end != loses && !slices.Equal(got, want) {
			return fmt.Errorf("%s: %v gives %v, not %v, after %v", k.Name, ops, got, want, before)
		}
		if end != fails && end != loses && !waits(want) {
			m = next
			before = append(before, fmt.Sprint(ops))
		}
	}
	return nil
}

const sourcesMax = 2

// draw makes the operations of one transaction. One of closes is Close.
func (k Kit) draw(choose func(n int) int, nth, closes int) []op {
	ops := make([]op, 1+choose(3))
	for i := range ops {
		switch choose(closes) {
		case 0:
			ops[i] = op{kind: closing}
		default:
			if choose(5) < 3 {
				ops[i] = op{kind: put, value: value(nth+i, choose(classes))}
			} else {
				ops[i] = op{kind: take, source: choose(sourcesMax)}
			}
		}
	}
	return ops
}

// transact runs ops in one transaction. If one of them would wait, that is the result of all.
func (s subject) transact(ctx context.Context, ops []op, end ending) ([]result, error) {
	var undone []result
	rs, err := stm.Atomically(ctx, func(tx *stm.Tx) ([]result, error) {
		undone = nil
		all := func(tx *stm.Tx) ([]result, error) {
			rs := make([]result, len(ops))
			for i, o := range ops {
				r, err := s.do(tx, o)
				if err != nil {
					return nil, err
				}
				rs[i] = r
			}
			if end == loses {
				return nil, stm.ErrRetry
			}
			return rs, nil
		}
		rs, err := stm.Select(tx, all, func(*stm.Tx) ([]result, error) {
			return []result{{err: errWaits}}, nil
		})
		if end == fails && err == nil {
			undone = rs
			return nil, errUndone
		}
		return rs, err
	})
	if errors.Is(err, errUndone) {
		return undone, nil
	}
	return rs, err
}

// transact is the model's. It may leave m half changed if an operation would wait.
func (m *model) transact(ops []op) []result {
	rs := make([]result, len(ops))
	for i, o := range ops {
		if rs[i] = m.do(o); rs[i].err == errWaits {
			return []result{{err: errWaits}}
		}
	}
	return rs
}

func waits(rs []result) bool { return len(rs) == 1 && rs[0].err == errWaits }
