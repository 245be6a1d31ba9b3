package registry_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// The scope waits for its tasks; the first failure cancels the others and is returned.
func ExampleRun() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("patient", func(ctx context.Context) error { return env.Sleep(ctx, time.Hour) })
		s.Go("hasty", func(ctx context.Context) error { return errors.New("no such file") })
		return nil
	})
	fmt.Println(err)
	// Output: hasty: no such file
}

// Resources are released youngest first, whatever happens.
func ExampleAcquire() {
	open := func(s *registry.Scope, name string) (*registry.Handle[string], error) {
		return registry.Acquire(s, name,
			func(context.Context) (string, error) { fmt.Println("open", name); return name, nil },
			func(_ context.Context, v string) error { fmt.Println("close", v); return nil })
	}
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		if _, err := open(s, "database"); err != nil {
			return err
		}
		if _, err := open(s, "listener"); err != nil {
			return err
		}
		return errors.New("port is taken")
	})
	fmt.Println(err)
	// Output:
	// open database
	// open listener
	// close listener
	// close database
	// port is taken
}

// A daemon serves until the scope closes; who started it goes on once it is ready.
func ExampleScope_Daemon() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		err := s.Daemon(ctx, "server", func(ctx context.Context, ready func()) error {
			defer fmt.Println("server stops")
			fmt.Println("server listens")
			ready()
			return env.Sleep(ctx, time.Hour)
		})
		if err != nil {
			return err
		}
		fmt.Println("body is done")
		return nil
	})
	fmt.Println(err)
	// Output:
	// server listens
	// body is done
	// server stops
	// <nil>
}

// The results of two tasks are waited for in one transaction.
func ExampleFork() {
	_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		a := registry.Fork(s, "a", func(context.Context) (int, error) { return 3, nil })
		b := registry.Fork(s, "b", func(context.Context) (int, error) { return 4, nil })
		sum, err := stm.Query(ctx, func(tx *stm.Tx) int {
			x, _, aDone := a.Poll(tx)
			y, _, bDone := b.Poll(tx)
			tx.Check(aDone && bDone)
			return x + y
		})
		fmt.Println(sum)
		return err
	})
	// Output: 7
}

// A handle that is to survive the scope it was opened in moves to another.
func ExampleHandle_Move() {
	_ = registry.Run(context.Background(), func(ctx context.Context, outer *registry.Scope) error {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			h, err := registry.Acquire(s, "conn", func(context.Context) (string, error) { return "conn", nil },
				func(context.Context, string) error { fmt.Println("closed"); return nil })
			if err != nil {
				return err
			}
			return h.Move(outer)
		})
		fmt.Println("inner scope has ended")
		return err
	})
	// Output:
	// inner scope has ended
	// closed
}

// A daemon that fails is started again, with a growing wait, and given up when it fails too often.
func ExampleSupervise() {
	r := sim.Run(1, func(ctx context.Context) error {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "dialer", registry.Restart{Max: 2}, func(ctx context.Context) error {
				return errors.New("unreachable")
			})
			return env.Sleep(ctx, time.Hour)
		})
		fmt.Println(err)
		return nil
	})
	fmt.Println(r.Elapsed < time.Second, r.Err)
	// Output:
	// dialer: registry: "dialer" failed after 2 restarts: unreachable
	// true <nil>
}

// What is stuck is named.
func ExampleWithGrace() {
	r := sim.Run(1, func(ctx context.Context) error {
		release := stm.NewVar(false)
		return registry.Run(ctx, func(ctx context.Context, _ *registry.Scope) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, release) })
				return errors.New("disk is full")
			}, registry.WithGrace(time.Second), registry.WithName("node"))
			fmt.Println(regexp.MustCompile(`started at .*`).ReplaceAllString(err.Error(), "started at ..."))
			return stm.Do(ctx, func(tx *stm.Tx) error { release.Set(tx, true); return nil })
		})
	})
	fmt.Println(r.Err)
	// Output:
	// registry: scope "node" is not closed after 1s:
	// 	task "deaf", for 1s, started at ...
	// disk is full
	// <nil>
}

// The tree of a scope, for an operator.
func ExampleDump() {
	sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("sync", func(ctx context.Context) error { return env.Sleep(ctx, time.Minute) })
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
			t := registry.Dump(s)
			fmt.Println(t.Kind, t.Name, t.State, t.Age)
			fmt.Println(t.Below[0].Kind, t.Below[0].Name, t.Below[0].Age)
			return nil
		}, registry.WithName("node"))
	})
	// Output:
	// scope node open 1s
	// task sync 1s
}
