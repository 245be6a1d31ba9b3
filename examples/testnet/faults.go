package main

import (
	"context"
	"errors"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// The names of the faults are those of their flags.
const (
	killFault      = "kill-restart"
	partitionFault = "partition"
)

// fault is what a planned fault came to.
type fault struct {
	name    string
	said    string   // what happened, for people
	missing []string // evidence that it bit
}

// faults runs the planned faults, one after the other.
func (n *network) faults(ctx context.Context) (out []fault, err error) {
	plans := []struct {
		wanted bool
		run    func(context.Context) (fault, error)
	}{{n.run.options.kill, n.killRestart}, {n.run.options.partition, n.divide}}
	for _, p := range plans {
		if !p.wanted {
			continue
		}
		f, err := p.run(ctx)
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
	return out, nil
}

// within waits until a condition holds or a time has passed, and reports whether it holds. One that is false waits for a change of what it has read.
func within(ctx context.Context, limit time.Duration, holds func(*stm.Tx) bool) (bool, error) {
	until := env.Now(ctx).Add(limit)
	return stm.Query(ctx, func(tx *stm.Tx) bool {
		if holds(tx) {
			return true
		}
		tx.Check(env.Reached(tx, until))
		return false
	})
}

// planned counts the faults asked for.
func (n *network) planned() (count int) {
	for _, wanted := range []bool{n.run.options.kill, n.run.options.partition} {
		if wanted {
			count++
		}
	}
	return count
}

// outcome is what came of the faults so far; none of one that has not come to its end.
func (n *network) outcome(ctx context.Context, task *registry.Task[[]fault]) ([]fault, error) {
	type result struct {
		faults []fault
		err    error
	}
	r, err := stm.Query(ctx, func(tx *stm.Tx) result {
		faults, err, done := task.Poll(tx)
		if !done {
			return result{}
		}
		return result{faults, err}
	})
	return r.faults, errors.Join(err, r.err)
}
