package gate

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// Latch opens once, when it has been counted down.
type Latch struct{ left *stm.Var[int] }

// NewLatch makes a latch that opens at the nth CountDown; with 0 it is open.
func NewLatch(n int) *Latch {
	if n < 0 {
		panic("gate: a latch below 0")
	}
	return &Latch{stm.NewVar(n).Label("latch")}
}

// CountDown counts one down. Below 0 it does nothing.
func (l *Latch) CountDown(tx *stm.Tx) {
	if n := l.left.Get(tx); n > 0 {
		l.left.Set(tx, n-1)
	}
}

// Left is how many CountDowns are missing.
func (l *Latch) Left(tx *stm.Tx) int { return l.left.Get(tx) }

// Wait retries until the latch is open; stm.Do(ctx, latch.Wait) waits.
func (l *Latch) Wait(tx *stm.Tx) error {
	if l.left.Get(tx) > 0 {
		_, err := stm.Select[struct{}](tx) // no alternative: retries, without a panic
		return err
	}
	return nil
}

// Barrier lets a number of tasks go on together, again and again.
type Barrier struct {
	parties uint32
	state   *stm.Var[arrivals]
}

// arrivals are how many wait in the present round. It is one word.
type arrivals struct{ n, round uint32 }

// NewBarrier makes a barrier for a number of tasks.
func NewBarrier(parties int) *Barrier {
	if parties < 1 {
		panic("gate: a barrier for nobody")
	}
	return &Barrier{uint32(parties), stm.NewVar(arrivals{}).Label("barrier")}
}

// Await arrives, and waits until all have. The last to arrive is told that it is. If ctx ends before, the arrival is
// taken back and the others wait on, for somebody else; if it ends in the moment in which all have arrived, Await
// succeeds.
func (b *Barrier) Await(ctx context.Context) (last bool, err error) {
	var round uint32
	last, err = stm.Query(ctx, func(tx *stm.Tx) bool {
		s := b.state.Get(tx)
		round = s.round
		if s.n+1 == b.parties {
			b.state.Set(tx, arrivals{0, s.round + 1})
			return true
		}
		b.state.Set(tx, arrivals{s.n + 1, s.round})
		return false
	})
	if err != nil || last {
		return last, err
	}
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		if b.state.Get(tx).round == round {
			return stm.ErrRetry
		}
		return nil
	})
	if err != nil {
		surely(ctx, func(tx *stm.Tx) {
			if s := b.state.Get(tx); s.round == round {
				b.state.Set(tx, arrivals{s.n - 1, s.round})
			} else {
				err = nil
			}
		})
	}
	return false, err
}

// Arrived is how many wait in the present round.
func (b *Barrier) Arrived(tx *stm.Tx) int { return int(b.state.Get(tx).n) }
