package registry_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// Two tasks wait for Vars that they alone write: the picture says so.
func ExampleOwned() {
	sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("pair", func(ctx context.Context) error {
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					left := registry.Owned(s, stm.NewVar(false).Label("left"))
					right := registry.Owned(s, stm.NewVar(false).Label("right"))
					s.Go("a", func(ctx context.Context) error { return errors.Join(until(ctx, left), raise(ctx, right)) })
					s.Go("b", func(ctx context.Context) error { return errors.Join(until(ctx, right), raise(ctx, left)) })
					return nil
				}, registry.WithName("crossed"))
			})
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
			places := regexp.MustCompile(`  1s .*`)
			fmt.Print(places.ReplaceAllString(registry.Dump(s).Below[0].String(), ""))
			return errors.New("nothing goes on")
		})
	})
	// Output:
	// task pair  running
	//   scope crossed  open, in deadlock, waits for the end of its tasks
	//     task a  waits for left
	//     task b  waits for right
}

// What happens in a scope, and in those below it, is told to a tracer.
func ExampleWithTracer() {
	tell := func(_ context.Context, e registry.Event) {
		fmt.Println(strings.TrimSpace(e.What + " " + e.Scope + " " + e.Name))
	}
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("probe", func(context.Context) error { return errors.New("no answer") })
		return nil
	}, registry.WithName("node"), registry.WithTracer(tell))
	fmt.Println(err)
	// Output:
	// opened node
	// started node probe
	// failed node probe
	// ended node probe
	// ended node
	// probe: no answer
}

// The names of scopes and tasks say where code runs, in whatever goroutine.
func ExamplePath() {
	_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("sync", func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("peer", func(ctx context.Context) error { fmt.Println(registry.Path(ctx)); return nil })
				return nil
			}, registry.WithName("sessions"))
		})
		return nil
	}, registry.WithName("node"))
	// Output:
	// node/sync/sessions/peer
}

// Who uses what is released is told three places.
func ExampleUseError() {
	defer func() {
		var misuse *registry.UseError
		if err, ok := recover().(error); ok && errors.As(err, &misuse) {
			for _, place := range []string{misuse.Acquired, misuse.Released, misuse.Used} {
				fmt.Println(strings.Split(place, ":")[0])
			}
		}
	}()
	_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := registry.Acquire(s, "journal", func(context.Context) (string, error) { return "open", nil },
			func(context.Context, string) error { return nil })
		if err != nil {
			return err
		}
		fmt.Println(h.Value())
		if err := h.Release(ctx); err != nil {
			return err
		}
		fmt.Println(h.Value())
		return nil
	})
	// Output:
	// open
	// example_look_test.go
	// example_look_test.go
	// example_look_test.go
}
