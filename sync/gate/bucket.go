package gate

import (
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// LeakyBucket is filled in transactions and loses one unit every so often, until it is empty. It is a leaky bucket used as
// a meter.
type LeakyBucket struct {
	every    time.Duration
	capacity int
	state    *stm.Var[leak]
}

// leak is when the bucket will be empty; or, in a pause, how long it would take.
type leak struct {
	empty  time.Time
	left   time.Duration
	paused bool
}

// NewLeakyBucket makes an empty bucket that holds capacity units and loses one every so often.
func NewLeakyBucket(every time.Duration, capacity int) *LeakyBucket {
	checkRate(every, capacity)
	return &LeakyBucket{every, capacity, stm.NewVar(leak{}).Label("bucket")}
}

// left is how long it takes until the bucket is empty.
func (l leak) leftAt(now time.Time) time.Duration {
	if l.paused {
		return l.left
	}
	return max(l.empty.Sub(now), 0)
}

func (b *LeakyBucket) set(tx *stm.Tx, left time.Duration, paused bool) {
	b.state.Set(tx, leak{env.Time(tx).Add(left), left, paused})
}

// Fill adds n units if there is room for all of them. If not, it adds none.
func (b *LeakyBucket) Fill(tx *stm.Tx, n int) bool {
	if n < 0 || n > b.capacity {
		return false
	}
	s := b.state.Get(tx)
	left := s.leftAt(env.Time(tx)) + time.Duration(n)*b.every
	if left > time.Duration(b.capacity)*b.every {
		return false
	}
	b.set(tx, left, s.paused)
	return true
}

// TopUp adds n units, or as much as there is room for.
func (b *LeakyBucket) TopUp(tx *stm.Tx, n int) {
	s := b.state.Get(tx)
	n = min(max(n, 0), b.capacity)
	left := s.leftAt(env.Time(tx)) + time.Duration(n)*b.every
	b.set(tx, min(left, time.Duration(b.capacity)*b.every), s.paused)
}

// Level is how many units there are, broken ones counted whole. Nobody is woken because time passes; see Empty.
func (b *LeakyBucket) Level(tx *stm.Tx) int {
	return int((b.state.Get(tx).leftAt(env.Time(tx)) + b.every - 1) / b.every)
}

// Empty reports whether the bucket is empty. If it is not, and the transaction then has to wait, in whatever
// alternative, the wait also ends when it will be.
func (b *LeakyBucket) Empty(tx *stm.Tx) bool {
	s := b.state.Get(tx)
	if s.paused {
		return s.left == 0
	}
	return env.Reached(tx, s.empty)
}

// Pause keeps what there is from leaking, until Resume.
func (b *LeakyBucket) Pause(tx *stm.Tx) {
	b.set(tx, b.state.Get(tx).leftAt(env.Time(tx)), true)
}

// Resume ends a pause.
func (b *LeakyBucket) Resume(tx *stm.Tx) {
	b.set(tx, b.state.Get(tx).leftAt(env.Time(tx)), false)
}
