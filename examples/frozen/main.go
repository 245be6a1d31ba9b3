package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/explore"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/topic"
)

// chain is what a node grows and its subscribers ask.
type chain interface {
	grow(ctx context.Context) error
	tip(ctx context.Context) (block, error)
}

// node is a node that grows its chain by some blocks, with an index that follows the bus.
func node(make func(b *bus) chain, blocks, room int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		b := newBus(room)
		c := make(b)
		sub, err := stm.Query(ctx, b.subscribe)
		if err != nil {
			return err
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("node", func(ctx context.Context) error {
				for range blocks {
					if err := c.grow(ctx); err != nil {
						return err
					}
				}
				return nil
			})
			s.Go("index", func(ctx context.Context) error { return index(ctx, c, sub, block(blocks)) })
			return nil
		})
	}
}

// index takes each block in turn and asks how far it is behind.
func index(ctx context.Context, c chain, sub *topic.Subscription[block], last block) error {
	for next := block(1); next <= last; next++ {
		item, err := stm.Atomically(ctx, sub.Take)
		if err != nil {
			return err
		}
		tip, err := c.tip(ctx)
		if err != nil {
			return err
		}
		if item.Value != next || item.Missed > 0 || tip < item.Value {
			return fmt.Errorf("%w: block %d comes as %d, %d missed, tip %d", errWrong, next, item.Value, item.Missed, tip)
		}
	}
	return nil
}

var errWrong = errors.New("frozen: the index is wrong")

// explored takes the schedules of a scenario until one fails, and makes that run again with all that can be said of it.
func explored(scenario func(ctx context.Context) error) (explore.Result, error) {
	res, err := explore.All(scenario, explore.Config{RunsMax: 100_000, OnRun: func(r *sim.Report) error { return r.Err }})
	if err != nil || res.Failed == nil {
		return res, err
	}
	return res, sim.Run(res.Failed.Seed, scenario, sim.Alone(), sim.With(sim.Replay(res.Schedule)), sim.Record()).Err
}

func main() {
	const blocks, room = 3, 1
	res, err := explored(node(newLocked, blocks, room))
	fmt.Printf("locked:   schedule %d: %v\n", res.Runs, err)
	res, err = explored(node(newComposed, blocks, room))
	fmt.Printf("composed: %d schedules, all of them: %v, failures: %v\n", res.Runs, res.Complete, err)
	if err != nil {
		os.Exit(1)
	}
}
