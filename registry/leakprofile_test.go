//go:build goexperiment.goroutineleakprofile

package registry_test

import (
	"context"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// leaked are the stacks of the goroutines that the runtime finds leaking, because nothing that can still run leads to
// what they wait for.
func leaked() (stacks []string) {
	var b strings.Builder
	_ = pprof.Lookup("goroutineleak").WriteTo(&b, 2)
	for _, g := range strings.Split(b.String(), "\n\n") {
		if strings.Contains(g, "(leaked)") {
			stacks = append(stacks, g)
		}
	}
	return stacks
}

// eventually gives goroutines the time to park.
func eventually(ok func() bool) bool {
	for range 1000 {
		if ok() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

func leaks(name string) bool {
	return strings.Contains(strings.Join(leaked(), "\n"), name)
}

//go:noinline
func waitsForChannel(ch chan int) { <-ch }

//go:noinline
func waitsForVar(ctx context.Context, v *stm.Var[bool]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
}

//go:noinline
func waitsForVarForgotten(ctx context.Context, v *stm.Var[bool]) { waitsForVar(ctx, v) }

//go:noinline
func waitsForVarDeaf(ctx context.Context, v *stm.Var[bool]) {
	waitsForVar(context.WithoutCancel(ctx), v)
}

//go:noinline
func waitsForVarKnown(ctx context.Context, v *stm.Var[bool]) {
	waitsForVar(context.WithoutCancel(ctx), v)
}

// A scope that nobody can reach, of tasks that nobody can wake, is found whole.
func TestLeakProfileFindsAScope(t *testing.T) {
	go func() {
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			never := stm.NewVar(false)
			s.Go("task", func(ctx context.Context) error { waitsForVarForgotten(ctx, never); return nil })
			return nil
		})
	}()
	require.True(t, eventually(func() bool { return leaks("waitsForVarForgotten") && leaks("registry.Run") }), leaked())
}

// Who can reach a scope, to picture it, does not thereby reach what its tasks wait for.
func TestLeakProfileFindsATaskOfAScopeThatIsHeld(t *testing.T) {
	var held atomic.Pointer[registry.Scope]
	var planted *stm.Var[bool]
	go func() {
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			held.Store(s)
			ch, never, known := make(chan int), registry.Owned(s, stm.NewVar(false)), stm.NewVar(false)
			planted = known
			s.Go("channel", func(context.Context) error { waitsForChannel(ch); return nil })
			s.Go("deaf", func(ctx context.Context) error { waitsForVarDeaf(ctx, never); return nil })
			registry.Fork(s, "planted", func(ctx context.Context) (int, error) { waitsForVarKnown(ctx, known); return 0, nil })
			return nil
		})
	}()
	ok := eventually(func() bool { return leaks("waitsForChannel") && leaks("waitsForVarDeaf") })
	require.True(t, ok, leaked())
	require.False(t, leaks("waitsForVarKnown"), "the planted Var can be written by this test")
	require.Contains(t, registry.Dump(held.Load()).String(), "task deaf  waits for (unlabelled)", "and it is pictured all the same")
	require.False(t, leaks("waitsForVarKnown"))
	runtime.KeepAlive(planted)
}
