package registry_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/synodkit/synod/registry"
)

// group is the hand-written peer: goroutines, a WaitGroup, the first error cancels.
type group struct {
	wg     sync.WaitGroup
	once   sync.Once
	err    error
	cancel context.CancelCauseFunc
}

func (g *group) Go(ctx context.Context, f func(context.Context) error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(ctx); err != nil {
			g.once.Do(func() { g.err = err; g.cancel(err) })
		}
	}()
}

func nothing(context.Context) error { return nil }

// asks makes the context be made, as every task does that waits for its end.
func asks(ctx context.Context) error {
	if ctx.Done() == nil {
		return errBoom
	}
	return nil
}

// The three ways to run n tasks under ctx. Errgroup is given a function made once, so that it pays for no closure but
// its own.
var by = map[string]func(ctx context.Context, n int, f func(context.Context) error){
	"waitgroup": func(ctx context.Context, n int, f func(context.Context) error) {
		g := new(group)
		ctx, g.cancel = context.WithCancelCause(ctx)
		defer g.cancel(nil)
		for range n {
			g.Go(ctx, f)
		}
		g.wg.Wait()
	},
	"errgroup": func(ctx context.Context, n int, f func(context.Context) error) {
		g, ctx := errgroup.WithContext(ctx)
		task := func() error { return f(ctx) }
		for range n {
			g.Go(task)
		}
		_ = g.Wait()
	},
	"registry": func(ctx context.Context, n int, f func(context.Context) error) {
		_ = registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
			for range n {
				s.Go("task", f)
			}
			return nil
		})
	},
}

// batch is how many tasks a turn of a comparison has at least, so that reading the clock is no part of the result.
const batch = 200

// compare runs each way, and then the registry in turns with each of the others, so that both meet the same machine;
// the ratio is the quotient of the medians.
func compare(b *testing.B, ctx context.Context, n int, f func(context.Context) error) {
	for _, name := range []string{"waitgroup", "errgroup", "registry"} {
		b.Run("by="+name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				by[name](ctx, n, f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
		})
	}
	b.Run("ratio", func(b *testing.B) {
		took := map[string][]time.Duration{}
		for i := range b.N {
			names := []string{"waitgroup", "registry", "errgroup", "registry"}
			if i%2 == 1 {
				slices.Reverse(names)
			}
			for _, name := range names {
				from := time.Now()
				for left := batch; left > 0; left -= n {
					by[name](ctx, n, f)
				}
				took[name] = append(took[name], time.Since(from))
			}
		}
		median := func(name string) float64 {
			slices.Sort(took[name])
			return float64(took[name][len(took[name])/2])
		}
		b.ReportMetric(median("registry")/median("errgroup"), "x-errgroup")
		b.ReportMetric(median("registry")/median("waitgroup"), "x-waitgroup")
	})
}

// A thousand tasks in one scope.
func BenchmarkTask(b *testing.B) { compare(b, context.Background(), 1000, nothing) }

// A scope with one task, at the root.
func BenchmarkScope(b *testing.B) { compare(b, context.Background(), 1, nothing) }

// The same with a task that asks for its context's end.
func BenchmarkScopeAsked(b *testing.B) { compare(b, context.Background(), 1, asks) }

// The same where scopes are usually opened: in a task of another.
func BenchmarkNestedScope(b *testing.B) {
	_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		compare(b, ctx, 1, nothing)
		return nil
	})
}

// A hundred thousand tasks alive at once in one scope, until a failure ends them. The first round of each is not
// counted: the runtime keeps the goroutines it has made.
func BenchmarkHundredThousand(b *testing.B) {
	const n = 100_000
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"errgroup", func() {
			g, ctx := errgroup.WithContext(context.Background())
			task := func() error { return wait(ctx) }
			for range n {
				g.Go(task)
			}
			g.Go(func() error { return errBoom })
			_ = g.Wait()
		}},
		{"registry", func() {
			_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				for range n {
					s.Go("task", wait)
				}
				return errBoom
			})
		}},
	} {
		b.Run("by="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			c.run()
			b.ResetTimer()
			for range b.N {
				c.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
		})
	}
}

func BenchmarkAcquireRelease(b *testing.B) {
	b.ReportAllocs()
	_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		for range b.N {
			h, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 1, nil }, func(context.Context, int) error { return nil })
			if err != nil {
				return err
			}
			_ = h.Release(ctx)
		}
		return nil
	})
}
