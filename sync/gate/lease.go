package gate

import (
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// Leases are locks on keys that end by themselves. Who works on some keys keeps others away from them for as long as that should
// take; if it takes longer, others may begin too. So they save double work and exclude nothing: what must not be done
// twice needs a lock. Nobody waits in line for a key, and who takes a lease looks first at what is held.
type Leases[K comparable] struct {
	all *stm.Var[[]*Lease[K]] // immutable
}

// Lease is a number of keys, and the time for which they are held.
type Lease[K comparable] struct {
	keys  map[K]struct{}
	until time.Time
}

// NewLeases makes an empty set. The name is that of its Var, in dumps.
func NewLeases[K comparable](name string) *Leases[K] {
	return &Leases[K]{stm.NewVar[[]*Lease[K]](nil).Label(name)}
}

// Until is when the lease ends by itself.
func (l *Lease[K]) Until() time.Time { return l.until }

// Take holds keys from now on for d, also those that somebody else holds. A lease of no keys holds nothing.
func (l *Leases[K]) Take(tx *stm.Tx, d time.Duration, keys ...K) *Lease[K] {
	mine := &Lease[K]{make(map[K]struct{}, len(keys)), env.Time(tx).Add(d)}
	for _, k := range keys {
		mine.keys[k] = struct{}{}
	}
	all := l.all.Get(tx)
	l.all.Set(tx, append(all[:len(all):len(all)], mine))
	return mine
}

// Held tells of each key whether a lease holds it. A transaction that then waits runs again when one of them ends. What it
// returns is for this transaction, and does not know of leases taken after.
func (l *Leases[K]) Held(tx *stm.Tx) func(k K) bool {
	var live []*Lease[K]
	for _, x := range l.all.Get(tx) {
		if !env.Reached(tx, x.until) {
			live = append(live, x)
		}
	}
	return func(k K) bool {
		return slices.ContainsFunc(live, func(x *Lease[K]) bool { _, ok := x.keys[k]; return ok })
	}
}

// Release ends a lease, if it has not been before. Each must be released, also one whose time is over: until then it is
// remembered.
func (l *Leases[K]) Release(tx *stm.Tx, mine *Lease[K]) {
	all := l.all.Get(tx)
	if i := slices.Index(all, mine); i >= 0 {
		l.all.Set(tx, slices.Delete(slices.Clone(all), i, i+1))
	}
}

// Len is how many leases there are that have not been released.
func (l *Leases[K]) Len(tx *stm.Tx) int { return len(l.all.Get(tx)) }
