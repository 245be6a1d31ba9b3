package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

func fetch(ctx context.Context, url string) (string, error) {
	if url == "b" {
		return "", errors.New("no route to b")
	}
	return "page of " + url, ctx.Err()
}

func fetchAll(ctx context.Context, urls []string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, url := range urls {
		g.Go(func() error {
			_, err := fetch(ctx, url)
			return err
		})
	}
	return g.Wait()
}

func fetchAllInAScope(ctx context.Context, urls []string) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for _, url := range urls {
			s.Go(url, func(ctx context.Context) error {
				_, err := fetch(ctx, url)
				return err
			})
		}
		return nil
	})
}

// The same program with an errgroup and with a scope. The scope's error says which task it was.
func Example_fromErrgroup() {
	ctx := context.Background()
	fmt.Println(fetchAll(ctx, []string{"a", "b"}))
	fmt.Println(fetchAllInAScope(ctx, []string{"a", "b"}))
	// Output:
	// no route to b
	// b: no route to b
}

// What an errgroup lets pass: Goexit, and every error but the first.
func Example_fromErrgroupFailures() {
	g := new(errgroup.Group)
	g.Go(func() error { runtime.Goexit(); return nil })
	fmt.Println(g.Wait())

	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("exits", func(ctx context.Context) error { runtime.Goexit(); return nil })
		return nil
	})
	fmt.Println(err)

	err = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("panics", func(ctx context.Context) error { panic("index out of range") })
		return nil
	})
	var p *registry.PanicError
	fmt.Println(errors.As(err, &p), p.Task, p.Value)
	// Output:
	// <nil>
	// exits: runtime.Goexit was called
	// true panics index out of range
}

// Instead of SetLimit: a semaphore, which more than one scope may share.
func Example_fromErrgroupLimit() {
	limit, left := gate.NewSemaphore(2), stm.NewVar(2)
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		for i := range 6 {
			s.Go(fmt.Sprint("worker ", i), func(ctx context.Context) error {
				return limit.With(ctx, 1, func(ctx context.Context) error {
					free, err := stm.Query(ctx, limit.Free)
					if err != nil {
						return err
					}
					return stm.Do(ctx, func(tx *stm.Tx) error { left.Update(tx, func(n int) int { return min(n, free) }); return nil })
				})
			})
		}
		return nil
	})
	fmt.Println(err, left.Load(context.Background()) >= 0)
	// Output: <nil> true
}

// Instead of variables that each task writes: Fork, whose results are waited for one by one or together.
func Example_fromErrgroupResults() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		a := registry.Fork(s, "a", func(ctx context.Context) (string, error) { return fetch(ctx, "a") })
		c := registry.Fork(s, "c", func(ctx context.Context) (string, error) { return fetch(ctx, "c") })
		pageOfA, err := a.Wait(ctx)
		if err != nil {
			return err
		}
		pageOfC, err := c.Wait(ctx)
		fmt.Println(pageOfA, "and", pageOfC)
		return err
	})
	fmt.Println(err)
	// Output:
	// page of a and page of c
	// <nil>
}

// Instead of a goroutine that a cancel function ends: a daemon, which serves until the tasks are done.
func Example_fromErrgroupDaemon() {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		err := s.Daemon(ctx, "heartbeat", func(ctx context.Context, ready func()) error {
			ready()
			for {
				if err := env.Sleep(ctx, time.Second); err != nil {
					return err
				}
			}
		})
		if err != nil {
			return err
		}
		s.Go("task", func(ctx context.Context) error { fmt.Println("done"); return nil })
		return nil
	})
	fmt.Println(err)
	// Output:
	// done
	// <nil>
}

// Instead of defer: a handle, released when the scope closes, after the tasks that are younger.
func Example_fromErrgroupResources() {
	open := func(context.Context) (string, error) { fmt.Println("open"); return "file", nil }
	shut := func(context.Context, string) error { fmt.Println("close"); return errors.New("disk full") }
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := registry.Acquire(s, "journal", open, shut)
		if err != nil {
			return err
		}
		s.Go("writer", func(ctx context.Context) error { fmt.Println("write to", h.Value()); return nil })
		return nil
	})
	fmt.Println(err)
	// Output:
	// open
	// write to file
	// close
	// releasing journal: disk full
}
