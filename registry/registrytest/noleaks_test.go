package registrytest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
)

// recorder is a testing.TB that keeps what is reported.
type recorder struct {
	testing.TB
	cleanup []func()
	errors  []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Error(a ...any)   { r.errors = append(r.errors, fmt.Sprint(a...)) }
func (r *recorder) end() {
	for _, f := range r.cleanup {
		f()
	}
}

func TestMain(m *testing.M) { NoLeaks(m) }

func TestCleanTestPasses(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaksT(r)
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		for i := range 100 {
			s.Go(fmt.Sprint(i), func(context.Context) error { return nil })
		}
		return nil
	}))
	r.end()
	require.Empty(t, r.errors)
}

// The planted leak is a scope whose task does not look at its context.
func TestLeakedScopeIsFound(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaksT(r)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(context.Context) error { <-stop; return nil })
			return nil
		})
	}()
	r.end()
	close(stop)
	<-ended
	require.Len(t, r.errors, 1)
	require.Equal(t, 2, strings.Count(r.errors[0], "goroutine of a scope"), r.errors[0])
	require.Contains(t, r.errors[0], "TestLeakedScopeIsFound")
}

func TestIgnore(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaksT(r, "registrytest.background1")
	stop, ended := make(chan struct{}), make(chan struct{})
	go background1(stop, ended)
	r.end()
	close(stop)
	<-ended
	require.Empty(t, r.errors)
}

func background1(stop, ended chan struct{}) { <-stop; close(ended) }

func TestParse(t *testing.T) {
	gs := parse("goroutine 1 [running]:\nmain.main()\n\ngoroutine 23 [chan receive, 2 minutes]:\nx.f()\ncreated by x.g in goroutine 1\n")
	require.Len(t, gs, 2)
	require.Equal(t, "23", gs[1].id)
}
