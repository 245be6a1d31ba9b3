package event_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// One who sends and one who receives meet; neither goes on alone.
func ExampleChan() {
	ctx := context.Background()
	c := event.NewChan[string]()
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("sender", func(ctx context.Context) error { return c.Send(ctx, "here") })
		fmt.Println(c.Recv(ctx))
		return nil
	})
	// Output: here <nil>
}

// What comes first of a meeting, a value in a queue, and an instant. Nothing happens of the others.
func ExampleSync() {
	r := sim.Run(1, func(ctx context.Context) error {
		c, q := event.NewChan[string](), queue.FIFO(1, queue.Wait[string]())
		choice := event.Choose(
			event.Recv(c),
			event.Tx(q.Take),
			event.Wrap(event.After(time.Minute), func(time.Time) (string, error) { return "", errors.New("too late") }),
		)
		fmt.Println(event.Sync(ctx, choice))
		_, _ = prop.Send(ctx, q, "from the queue")
		fmt.Println(event.Sync(ctx, choice))
		return nil
	})
	fmt.Println(r.Err)
	// Output:
	//  too late
	// from the queue <nil>
	// <nil>
}

// A Var and a Go channel in one wait, without a goroutine between them.
func ExampleFromChan() {
	ctx := context.Background()
	signals, ready := make(chan string, 1), stm.NewVar(false)
	choice := event.Choose(
		event.FromChan(signals),
		event.Tx(func(tx *stm.Tx) (string, error) {
			if !ready.Get(tx) {
				return "", stm.ErrRetry
			}
			return "ready", nil
		}),
	)
	signals <- "interrupt"
	fmt.Println(event.Sync(ctx, choice))
	_ = stm.Do(ctx, func(tx *stm.Tx) error { ready.Set(tx, true); return nil })
	fmt.Println(event.Sync(ctx, choice))
	// Output:
	// interrupt <nil>
	// ready <nil>
}

// The first answer of several peers; the others are cancelled and have ended when Race returns.
func ExampleRace() {
	ctx := context.Background()
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		ask := func(peer string) func(ctx context.Context) (string, error) {
			return func(ctx context.Context) (string, error) {
				if peer == "near" {
					return "answer", nil
				}
				<-ctx.Done() // a call that heeds its context
				return "", context.Cause(ctx)
			}
		}
		fmt.Println(event.Race(ctx, s.Go, ask("far"), ask("near"), ask("farther")))
		return nil
	})
	// Output: answer <nil>
}

func ExampleFirstN() {
	ctx := context.Background()
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		vote := func(yes bool) func(ctx context.Context) (bool, error) {
			return func(context.Context) (bool, error) {
				if !yes {
					return false, errors.New("no vote")
				}
				return true, nil
			}
		}
		votes, err := event.FirstN(ctx, s.Go, 2, vote(true), vote(false), vote(true))
		fmt.Println(len(votes), err)
		return nil
	})
	// Output: 2 <nil>
}

func ExamplePump() {
	ctx := context.Background()
	q := queue.FIFO(4, queue.Wait[int]())
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		c := event.Pump(s.Go, "pump", q, func(v int) { fmt.Println("nobody received", v) })
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			for v := range 3 {
				if _, err := q.Put(tx, v); err != nil {
					return err
				}
			}
			q.Close(tx)
			return nil
		})
		for v := range c { // code that wants a channel
			fmt.Println(v)
		}
		return nil
	})
	// Output:
	// 0
	// 1
	// 2
}
