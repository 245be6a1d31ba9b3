package stm

import "sync/atomic"

// The version clock. Writers read it and do not advance it, so that transactions on disjoint Vars write no common
// memory (TL2's GV5); whoever meets a version that the clock has not reached advances it. Its lowest bit says that
// replaced values must be kept; see kept.go.
//
// What is built on:
//
//   - A commit reads the clock while it holds all its locks, and its version is greater than what it has read. So when
//     the clock has reached v, every commit with a version up to v has its locks already, or is over.
//   - No version is more than ahead beyond the clock.
//   - Versions of one Var grow.
const (
	keepBit = 1
	ahead   = 64 * tick
)

// clock is alone on its cache line, with nothing that is often written near it.
var clock struct {
	_ [64]byte
	atomic.Uint64
	_    [56]byte
	pins pins
}

// next is the version of a commit whose Vars had versions up to newest, and whether it must keep what it replaces.
func next(newest uint64) (version uint64, keep bool) {
	g := clock.Load()
	if newest > g+(ahead-2*tick) {
		g = reach(newest)
	}
	return max(g, newest)&^keepBit + tick, g&keepBit != 0
}

// reach advances the clock to version v at least, and then beyond all versions there are, and returns it.
func reach(v uint64) uint64 {
	for {
		g := clock.Load()
		if g >= v || clock.CompareAndSwap(g, g+ahead) {
			return clock.Load()
		}
	}
}
