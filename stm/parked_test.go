package stm

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam/waitlist"
)

// underWaits is a context that is asked what is parked under it.
type underWaits struct {
	context.Context
	waits waitlist.List
}

func (c *underWaits) Value(key any) any {
	if _, ok := key.(waitlist.Key); ok {
		return &c.waits
	}
	return c.Context.Value(key)
}

// What a task waits for can be seen, by label, while it waits and no longer.
func TestParkedIsSeen(t *testing.T) {
	for _, cancellable := range []bool{false, true} {
		a, b, c := NewVar(0).Label("a"), NewVar(0).Label("b"), NewVar(0)
		base, cancel := bg, func() {}
		if cancellable {
			base, cancel = context.WithCancel(bg)
		}
		ctx := &underWaits{Context: base}
		look := func() (on []string, ends bool) {
			ctx.waits.Each(func(p waitlist.Wait) {
				p.Each(func(v uintptr, label string) { on = append(on, label) })
				ends = p.Ends()
			})
			return on, ends
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = Do(ctx, func(tx *Tx) error { tx.Check(a.Get(tx)+b.Get(tx)+c.Get(tx)+a.Get(tx) > 0); return nil })
		})
		awaitWaiting(c, 1)
		var on []string
		ends := true
		for len(on) == 0 { // it enters after it has registered
			on, ends = look()
		}
		require.Equal(t, []string{"a", "b", ""}, on)
		require.False(t, ends)
		set(t, b, 1)
		wg.Wait()
		on, _ = look()
		require.Empty(t, on)
		cancel()
		requireQuiet(t, a, b, c)
	}
}
