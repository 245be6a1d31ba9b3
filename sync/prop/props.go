package prop

// Props is the contract of a primitive as data. What it says is checked, not only declared: see package proptest.
type Props struct {
	// Order is in which values are taken; of gates, in which callers enter.
	Order Order

	// Capacity is how many values are held at most, or Unbounded. Where values meet their takers without being held it
	// is 0. In a broadcast it is how far a source may stay behind; taking frees nothing for others.
	Capacity int

	// Full is what happens to a Put that finds Capacity values held.
	Full Full

	// Broadcast says that every source gets every value. Otherwise each value goes to one taker.
	Broadcast bool

	// Once says that the first value also closes.
	Once bool

	// Fair says that callers that wait are served in the order in which they came.
	Fair bool
}

// Unbounded is the Capacity of what may hold any number of values.
const Unbounded = -1

// Order is in which values are taken.
type Order string

// The orders.
const (
	FIFO    Order = "first in, first out"
	LIFO    Order = "last in, first out"
	ByValue Order = "by value; equal ones first in, first out"
	Latest  Order = "the latest"
)

// Full is what happens to a Put that finds no room.
type Full string

// The policies.
const (
	Waits        Full = "waits"
	Rejects      Full = "fails with ErrFull"
	DropsNewest  Full = "drops the new value"
	DropsOldest  Full = "drops the oldest"
	EvictsLeast  Full = "drops the least valuable"
	SharesFairly Full = "drops the newest of the producer that holds most"
	Merges       Full = "merges values of one key; else waits"
	Supersedes   Full = "supersedes the value before"
	Lags         Full = "lets slow sources miss the oldest"
)

// Loss tells what becomes of values that nobody takes.
func (f Full) Loss() string {
	switch f {
	case DropsNewest, DropsOldest, EvictsLeast, SharesFairly:
		return "returned to who puts"
	case Merges:
		return "merged into a later value"
	case Supersedes:
		return "earlier values, never the last"
	case Lags:
		return "counted, told to who takes"
	}
	return "none"
}
