package trace

import "context"

// Tracer takes events of one kind. Nil, the zero value, is off. E should be a concrete struct. The context is that
// of the emitting task: sinks take the scope path and the world's time from it.
type Tracer[E any] func(ctx context.Context, e E)

// On reports whether anyone listens: the guard for events that cost something to make.
func (t Tracer[E]) On() bool { return t != nil }

// Emit hands e to the listener, if there is one.
func (t Tracer[E]) Emit(ctx context.Context, e E) {
	if t != nil {
		t(ctx, e)
	}
}

// Contramap makes a tracer of A from one of B: f says what an A is in terms of B. Off stays off, and then f never runs.
func Contramap[A, B any](t Tracer[B], f func(A) B) Tracer[A] {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, a A) { t(ctx, f(a)) }
}

// Filter passes the events that keep accepts.
func Filter[E any](t Tracer[E], keep func(E) bool) Tracer[E] {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, e E) {
		if keep(e) {
			t(ctx, e)
		}
	}
}

// Tee sends each event to every listener, in the order given. Listeners that are off are left out: of none, Tee is off;
// of one, it is that one.
func Tee[E any](ts ...Tracer[E]) Tracer[E] {
	on := make([]Tracer[E], 0, len(ts))
	for _, t := range ts {
		if t != nil {
			on = append(on, t)
		}
	}
	switch len(on) {
	case 0:
		return nil
	case 1:
		return on[0]
	}
	return func(ctx context.Context, e E) {
		for _, t := range on {
			t(ctx, e)
		}
	}
}

// Sample passes about one event in n, chosen by a hash of its key: all events with one key (a block, a peer) pass or
// none does, on every node alike and in every run. n of 0 or 1 passes all.
func Sample[E any](t Tracer[E], n uint64, key func(E) uint64) Tracer[E] {
	if n <= 1 {
		return t
	}
	return Filter(t, func(e E) bool { return mix(key(e))%n == 0 })
}

// mix is the finaliser of splitmix64: neighbouring keys get unrelated values.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
