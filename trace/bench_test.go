package trace

import (
	"context"
	"testing"
)

type holder struct{ tr Tracer[event] }

//go:noinline
func empty(_ *holder, _ context.Context, _ uint64) {}

//go:noinline
func emit(h *holder, ctx context.Context, slot uint64) { h.tr.Emit(ctx, event{Slot: slot, Name: "x"}) }

// BenchmarkEmit compares an emitting function with an empty one: the difference between off and empty is the cost of a
// tracer nobody listens to.
func BenchmarkEmit(b *testing.B) {
	ctx := context.Background()
	run := func(name string, f func(*holder, context.Context, uint64), tr Tracer[event]) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h := &holder{tr}
			for i := range b.N {
				f(h, ctx, uint64(i))
			}
		})
	}
	var sum uint64
	sink := Tracer[event](func(_ context.Context, e event) { sum += e.Slot })
	run("call=empty", empty, nil)
	run("call=off", emit, nil)
	run("call=contramap-off", emit, Contramap(Tracer[wide](nil), func(e event) wide { return wide{e.Name} }))
	run("call=on", emit, sink)
	run("call=filter-contramap-on", emit,
		Filter(Contramap(sink, func(e event) event { return e }), func(e event) bool { return true }))
}
