package bench

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/synodkit/synod/registry"
)

// The three ways to run n tasks that fail together: f is given the group's context. Conc's pool is the one of its groups
// that keeps the first error, cancels, and catches panics.
var by = map[string]func(ctx context.Context, n int, f func(context.Context) error) error{
	"conc": func(ctx context.Context, n int, f func(context.Context) error) error {
		p := pool.New().WithContext(ctx).WithCancelOnError()
		for range n {
			p.Go(f)
		}
		return p.Wait()
	},
	"errgroup": func(ctx context.Context, n int, f func(context.Context) error) error {
		g, ctx := errgroup.WithContext(ctx)
		task := func() error { return f(ctx) }
		for range n {
			g.Go(task)
		}
		return g.Wait()
	},
	"registry": func(ctx context.Context, n int, f func(context.Context) error) error {
		return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
			for range n {
				s.Go("task", f)
			}
			return nil
		})
	},
}

var (
	names   = []string{"conc", "errgroup", "registry"}
	errBoom = errors.New("boom")
)

func nothing(context.Context) error { return nil }

// asks makes a scope's context be made, as every task does that waits for its end.
func asks(ctx context.Context) error {
	if ctx.Done() == nil {
		return errBoom
	}
	return nil
}

// batch is how many tasks a turn has at least, so that reading the clock is no part of the result.
const batch = 200

// compare runs each way by itself, for its allocations, and then all in turns on the same machine: the ratios are
// quotients of medians.
func compare(b *testing.B, n int, f func(context.Context) error) {
	ctx := context.Background()
	for _, name := range names {
		b.Run("by="+name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_ = by[name](ctx, n, f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
		})
	}
	b.Run("ratio", func(b *testing.B) {
		took := map[string][]time.Duration{}
		turns := slices.Clone(names)
		for range b.N {
			slices.Reverse(turns)
			for _, name := range turns {
				from := time.Now()
				for left := batch; left > 0; left -= n {
					_ = by[name](ctx, n, f)
				}
				took[name] = append(took[name], time.Since(from))
			}
		}
		median := func(name string) float64 {
			slices.Sort(took[name])
			return float64(took[name][len(took[name])/2])
		}
		b.ReportMetric(median("registry")/median("errgroup"), "x-errgroup")
		b.ReportMetric(median("registry")/median("conc"), "x-conc")
	})
}

// BenchmarkTask is a thousand tasks in one scope.
func BenchmarkTask(b *testing.B) { compare(b, 1000, nothing) }

// BenchmarkScope is a scope with one task.
func BenchmarkScope(b *testing.B) { compare(b, 1, nothing) }

// BenchmarkScopeAsked is a scope with one task that asks for its context's end.
func BenchmarkScopeAsked(b *testing.B) { compare(b, 1, asks) }

// BenchmarkHundredThousand is a hundred thousand tasks alive at once in one scope, until a failure ends them.
func BenchmarkHundredThousand(b *testing.B) {
	const n = 100_000
	for _, name := range names {
		b.Run("by="+name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				started := make(chan struct{}, n)
				_ = by[name](context.Background(), n, func(ctx context.Context) error {
					started <- struct{}{}
					if len(started) == n {
						return errBoom
					}
					<-ctx.Done()
					return ctx.Err()
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
		})
	}
}

// The three do the same: the first failure ends the others and is returned.
func TestAllThree(t *testing.T) {
	for _, name := range names {
		started := make(chan struct{}, 10)
		err := by[name](context.Background(), 10, func(ctx context.Context) error {
			started <- struct{}{}
			if len(started) == 10 {
				return errBoom
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, errBoom) {
			t.Errorf("%s gave %v", name, err)
		}
	}
}
