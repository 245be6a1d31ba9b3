package node

import (
	"cmp"
	"maps"
	"slices"
)

// with is a copy of m with k at v: values of Vars are never written to.
func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[K]V{}
	}
	out[k] = v
	return out
}

// without is a copy of m without k.
func without[K comparable, V any](m map[K]V, k K) map[K]V {
	out := maps.Clone(m)
	delete(out, k)
	return out
}

// sorted are the keys of m in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
