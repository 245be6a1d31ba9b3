package queue

import (
	"cmp"

	"github.com/synodkit/synod/sync/prop"
)

// Full is what a Put does that finds no room. The zero Full is Wait.
type Full[T any] struct {
	kind  prop.Full
	index func() index[T] // nil if the victim can be found without one
}

// Wait makes Put wait for room.
func Wait[T any]() Full[T] { return Full[T]{kind: prop.Waits} }

// Reject makes Put fail with prop.ErrFull.
func Reject[T any]() Full[T] { return Full[T]{kind: prop.Rejects} }

// DropNewest makes Put drop, and return, the value it was given.
func DropNewest[T any]() Full[T] { return Full[T]{kind: prop.DropsNewest} }

// DropOldest makes Put drop, and return, the value that has been held longest, whichever would be taken next.
func DropOldest[T any]() Full[T] { return Full[T]{kind: prop.DropsOldest} }

// EvictLeast makes Put drop, and return, the least valuable value: the smallest by compare. Of several it is the one that
// was put last, which may be the new one.
func EvictLeast[T any](compare func(a, b T) int) Full[T] {
	return Full[T]{prop.EvictsLeast, func() index[T] {
		return index[T](ordered[T]{order: func(a, b *entry[T]) int {
			if c := compare(a.value, b.value); c != 0 {
				return c
			}
			return byAge(b, a)
		}})
	}}
}

// FairShare makes Put drop, and return, the newest value of the producer that holds most, the new value counted among
// its producer's. So a producer that floods the queue loses its own values, and one that holds less than its share of
// the capacity loses none. Of several producers that hold most, the new value's own is the first to lose, and then the
// smallest.
func FairShare[T any, K cmp.Ordered](producer func(T) K) Full[T] {
	return Full[T]{prop.SharesFairly, func() index[T] { return shares[T, K]{producer: producer} }}
}

// oldest is the index of DropOldest where the order is not by age.
func oldest[T any]() index[T] { return ordered[T]{order: byAge[T]} }
