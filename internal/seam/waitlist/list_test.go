package waitlist_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam/waitlist"
)

// wait is a Wait on nothing.
type wait struct{ place waitlist.Place }

func (w *wait) Each(func(uintptr, string)) {}
func (w *wait) Ends() bool                 { return false }

func enter(l *waitlist.List) *wait {
	w := &wait{}
	w.place.On = w
	l.Enter(&w.place)
	return w
}

func all(l *waitlist.List) (in []waitlist.Wait) {
	l.Each(func(w waitlist.Wait) { in = append(in, w) })
	return in
}

func TestList(t *testing.T) {
	l := new(waitlist.List)
	require.Same(t, l, waitlist.Under(context.WithValue(context.Background(), waitlist.Key{}, l)))
	require.Nil(t, waitlist.Under(context.Background()))
	a, b, c := enter(l), enter(l), enter(l)
	require.Equal(t, []waitlist.Wait{a, b, c}, all(l))
	l.Leave(&b.place)
	require.Equal(t, []waitlist.Wait{a, c}, all(l))
	l.Leave(&a.place)
	l.Leave(&c.place)
	require.Empty(t, all(l))
	l.Enter(&b.place)
	require.EqualValues(t, 4, l.Each(func(waitlist.Wait) {}), "entries are counted")
	runtime.KeepAlive(b)
}

// A list keeps nobody alive.
func TestListIsWeak(t *testing.T) {
	l := new(waitlist.List)
	enter(l)
	for range 3 {
		runtime.GC()
	}
	require.Empty(t, all(l))
}
