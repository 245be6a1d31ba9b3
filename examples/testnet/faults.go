package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
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

// plan lists the faults asked for, in their order.
func (n *network) plan() (out []func(context.Context) (fault, error)) {
	if n.run.options.kill {
		out = append(out, n.killRestart)
	}
	if n.run.options.partition {
		out = append(out, n.divide)
	}
	return out
}

// wreak runs the planned faults, one after the other.
func (n *network) wreak(ctx context.Context) error {
	for _, run := range n.plan() {
		f, err := run(ctx)
		if err != nil {
			return err
		}
		err = stm.Do(ctx, func(tx *stm.Tx) error {
			n.bites.Set(tx, append(slices.Clone(n.bites.Get(tx)), f))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// calm reports whether no fault is still to come.
func (n *network) calm(tx *stm.Tx) bool { return len(n.bites.Get(tx)) == len(n.plan()) }

// words are what a fault came to.
func (f fault) words() string {
	if len(f.missing) > 0 {
		return fmt.Sprintf("%s: not seen: %s", f.name, strings.Join(f.missing, ", "))
	}
	return f.name + ": " + f.said
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
