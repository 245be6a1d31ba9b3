package registry_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

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

func runGroup(ctx context.Context, body func(context.Context, *group) error) error {
	g := new(group)
	ctx, g.cancel = context.WithCancelCause(ctx)
	defer g.cancel(nil)
	err := body(ctx, g)
	g.wg.Wait()
	if err != nil {
		return err
	}
	return g.err
}

func nothing(context.Context) error { return nil }

func BenchmarkTask(b *testing.B) {
	const tasks = 1000
	peer := func(ctx context.Context, g *group) error {
		for range tasks {
			g.Go(ctx, nothing)
		}
		return nil
	}
	ours := func(ctx context.Context, s *registry.Scope) error {
		for range tasks {
			s.Go("task", nothing)
		}
		return nil
	}
	perTask := func(b *testing.B, run func()) {
		b.ReportAllocs()
		for range b.N {
			run()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tasks, "ns/task")
	}
	ctx := context.Background()
	b.Run("by=waitgroup", func(b *testing.B) { perTask(b, func() { _ = runGroup(ctx, peer) }) })
	b.Run("by=registry", func(b *testing.B) { perTask(b, func() { _ = registry.Run(ctx, ours) }) })
	b.Run("ratio", func(b *testing.B) {
		ratio(b, func() { _ = runGroup(ctx, peer) }, func() { _ = registry.Run(ctx, ours) })
	})
}

// ratio takes turns, so that both meet the same machine, and reports the quotient of the medians.
func ratio(b *testing.B, peer, ours func()) {
	var took [2][]time.Duration
	for range b.N {
		for i, f := range []func(){peer, ours} {
			from := time.Now()
			f()
			took[i] = append(took[i], time.Since(from))
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	b.ReportMetric(float64(took[1][b.N/2])/float64(took[0][b.N/2]), "x-waitgroup")
}

func BenchmarkScope(b *testing.B) {
	ctx := context.Background()
	b.Run("by=waitgroup", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_ = runGroup(ctx, func(ctx context.Context, g *group) error { g.Go(ctx, nothing); return nil })
		}
	})
	b.Run("by=registry", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { s.Go("task", nothing); return nil })
		}
	})
}

func BenchmarkScopeRatio(b *testing.B) {
	ctx := context.Background()
	ratio(b, func() {
		_ = runGroup(ctx, func(ctx context.Context, g *group) error { g.Go(ctx, nothing); return nil })
	},
		func() {
			_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { s.Go("task", nothing); return nil })
		})
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

// A hundred thousand tasks alive at once in one scope.
func BenchmarkHundredThousand(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			for range 100_000 {
				s.Go("task", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			}
			return errBoom
		})
	}
}
