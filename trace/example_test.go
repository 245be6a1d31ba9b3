package trace_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/trace"
)

type blockAdded struct {
	Slot uint64
	Size int
}

// A component emits its own event; the main decides what becomes of it.
func ExampleTracer() {
	var off trace.Tracer[blockAdded]
	off.Emit(context.Background(), blockAdded{Slot: 1})

	on := trace.Tracer[blockAdded](func(_ context.Context, e blockAdded) { fmt.Printf("slot %d: %d bytes\n", e.Slot, e.Size) })
	on.Emit(context.Background(), blockAdded{Slot: 2, Size: 512})
	fmt.Println(off.On(), on.On())
	// Output:
	// slot 2: 512 bytes
	// false true
}

// One sink takes lines; each component's event says how it reads as a line.
func ExampleContramap() {
	lines := trace.Tracer[string](func(_ context.Context, s string) { fmt.Println(s) })
	added := trace.Contramap(lines, func(e blockAdded) string { return fmt.Sprint("added at slot ", e.Slot) })
	added.Emit(context.Background(), blockAdded{Slot: 7})
	// Output: added at slot 7
}

func ExampleFilter() {
	var big trace.Recorder[blockAdded]
	tr := trace.Filter(big.Tracer(), func(e blockAdded) bool { return e.Size > 1000 })
	for i := range 4 {
		tr.Emit(context.Background(), blockAdded{Slot: uint64(i), Size: 600 * i})
	}
	fmt.Println(big.Events())
	// Output: [{2 1200} {3 1800}]
}

func ExampleTee() {
	var all trace.Recorder[blockAdded]
	count := 0
	tr := trace.Tee(all.Tracer(), nil, func(context.Context, blockAdded) { count++ })
	tr.Emit(context.Background(), blockAdded{Slot: 1})
	fmt.Println(count, len(all.Events()))
	// Output: 1 1
}

func ExampleSample() {
	var some trace.Recorder[blockAdded]
	tr := trace.Sample(some.Tracer(), 4, func(e blockAdded) uint64 { return e.Slot })
	for i := range 1000 {
		tr.Emit(context.Background(), blockAdded{Slot: uint64(i % 10)})
	}
	fmt.Println(len(some.Events())%100 == 0)
	// Output: true
}
