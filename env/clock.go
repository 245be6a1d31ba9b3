package env

import (
	"context"
	"time"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// Now is the time of the world that ctx belongs to.
func Now(ctx context.Context) time.Time { return seam.Now(seam.From(ctx)) }

// Clock tells the time of one world. It may be kept in a struct, where a context may not. The zero Clock is
// production's.
type Clock struct{ world seam.World }

// ClockOf is the clock of ctx's world.
func ClockOf(ctx context.Context) Clock { return Clock{seam.From(ctx)} }

// Now is the clock's time. In a simulation only a task of that simulation may ask.
func (c Clock) Now() time.Time { return seam.Now(c.world) }

// Elapsed is the time since an instant that is the same for all clocks of one world: for ages, and cheaper than Now.
func (c Clock) Elapsed() time.Duration {
	if c.world == nil {
		return time.Since(origin)
	}
	return time.Duration(c.world.Now().UnixNano())
}

// origin is where production's Elapsed begins. Nobody writes it.
var origin = time.Now()

// Time is the world's time at this run of tx: one instant for the whole run. Nothing waits for it to change.
func Time(tx *stm.Tx) time.Time { return tx.Now() }

// Reached reports whether the world's time is at or past at. If it is not, and the transaction then has to wait, in
// whatever alternative, the wait ends at that instant too.
func Reached(tx *stm.Tx, at time.Time) bool {
	if !tx.Now().Before(at) {
		return true
	}
	tx.WakeAt(at)
	return false
}
