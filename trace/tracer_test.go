package trace

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

type event struct {
	Slot uint64
	Name string
	Pad  [4]uint64
}

type wide struct{ Text string }

func TestOffStaysOff(t *testing.T) {
	var off Tracer[event]
	ran := false
	f := func(e event) bool { ran = true; return true }
	require.False(t, off.On())
	require.Nil(t, Contramap(off, func(wide) event { ran = true; return event{} }))
	require.Nil(t, Filter(off, f))
	require.Nil(t, Tee(off, nil, off))
	require.Nil(t, Sample(off, 10, func(event) uint64 { ran = true; return 0 }))
	off.Emit(context.Background(), event{})
	require.False(t, ran)
}

// TestOffAllocates is the planted bug: an event that is an interface is made before the tracer looks.
func TestOffAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	var off Tracer[event]
	mapped := Contramap(Tracer[wide](nil), func(e event) wide { return wide{e.Name} })
	var iface Tracer[any]
	slot := uint64(1000)
	require.Zero(t, testing.AllocsPerRun(100, func() { slot++; off.Emit(ctx, event{Slot: slot, Name: "x"}) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { slot++; mapped.Emit(ctx, event{Slot: slot, Name: "x"}) }))
	require.NotZero(t, testing.AllocsPerRun(100, func() { slot++; iface.Emit(ctx, event{Slot: slot, Name: "x"}) }),
		"the planted interface event must be seen to allocate")
}

func TestOnAllocatesNothing(t *testing.T) {
	ctx := context.Background()
	var sum uint64
	on := Tracer[event](func(_ context.Context, e event) { sum += e.Slot })
	piped := Filter(Contramap(on, func(e event) event { e.Slot *= 2; return e }), func(e event) bool { return e.Slot > 0 })
	require.Zero(t, testing.AllocsPerRun(100, func() { piped.Emit(ctx, event{Slot: 1}) }))
	require.NotZero(t, sum)
}

func TestTee(t *testing.T) {
	var got []string
	sink := func(n string) Tracer[event] {
		return func(_ context.Context, e event) { got = append(got, n+e.Name) }
	}
	Tee(sink("a"), nil, sink("b")).Emit(context.Background(), event{Name: "1"})
	Tee(nil, sink("c")).Emit(context.Background(), event{Name: "2"})
	require.Equal(t, []string{"a1", "b1", "c2"}, got)
}

func TestSample(t *testing.T) {
	var kept Recorder[event]
	s := Sample(kept.Tracer(), 10, func(e event) uint64 { return e.Slot })
	for range 2 {
		for i := range uint64(1000) {
			s.Emit(context.Background(), event{Slot: i})
		}
	}
	es := kept.Events()
	require.InDelta(t, 200, len(es), 60)
	require.Equal(t, es[:len(es)/2], es[len(es)/2:], "the same keys pass each time")
	var all Recorder[event]
	for n := range uint64(2) {
		Sample(all.Tracer(), n, nil).Emit(context.Background(), event{Slot: n})
	}
	require.Len(t, all.Events(), 2, "0 and 1 pass all and need no key")
	require.Nil(t, Sample[event](nil, 10, nil))
	require.Equal(t, uint64(0xe220a8397b1dcdaf), mix(0), "the published first value of splitmix64: every node has the same")
}

func TestRecorderIsBounded(t *testing.T) {
	r := Recorder[event]{Max: 3}
	tr := r.Tracer()
	for i := range uint64(8) {
		tr.Emit(context.Background(), event{Slot: i})
	}
	var slots []uint64
	for _, e := range r.Events() {
		slots = append(slots, e.Slot)
	}
	require.Equal(t, []uint64{5, 6, 7}, slots)
	require.EqualValues(t, 5, r.Dropped())
	require.EqualValues(t, 5, r.Dropped(), "asking changes nothing")
	require.Len(t, r.Events(), 3)
}

func TestRecorderFromManyTasks(t *testing.T) {
	var r Recorder[event]
	tr := r.Tracer()
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 100 {
				tr.Emit(context.Background(), event{})
			}
		}()
	}
	wg.Wait()
	require.Len(t, r.Events(), 400)
}
