package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// The simulator finds the schedule that freezes the node, and says who holds whom up.
func TestLockedFreezes(t *testing.T) {
	for _, room := range []int{1, 2} {
		res, err := explored(node(newLocked, room+2, room))
		var d *sim.DeadlockError
		require.ErrorAs(t, err, &d)
		require.Equal(t, []string{"node", "subscription.at", "index", "chain.held", "node"}, d.Cycle)
		t.Log(room, res.Runs, err)
	}
}

// Random schedules find it too.
func TestLockedFreezesByChance(t *testing.T) {
	frozen := 0
	for seed := range uint64(300) {
		var d *sim.DeadlockError
		if errors.As(sim.Run(seed, node(newLocked, 4, 1)).Err, &d) {
			frozen++
		}
	}
	t.Log(frozen, "of 300")
	require.NotZero(t, frozen)
	require.Less(t, frozen, 300)
}

// The node of transactions passes every schedule there is.
func TestComposedPassesAllSchedules(t *testing.T) {
	for _, size := range []struct{ blocks, room int }{{2, 1}, {3, 1}, {4, 2}, {5, 3}} {
		res := simtest.Explore(t, node(newComposed, size.blocks, size.room))
		t.Logf("%+v: %d runs", size, res.Runs)
		require.True(t, res.Complete)
	}
	simtest.Check(t, node(newComposed, 40, 3))
}

// early is composed with a planted bug: it tells of a block before there is one.
type early struct{ *composed }

func (c early) grow(ctx context.Context) error {
	next := c.height.Load(ctx) + 1
	err := stm.Do(ctx, func(tx *stm.Tx) error { return c.bus.publish(tx, next) })
	return errors.Join(err, stm.Do(ctx, func(tx *stm.Tx) error { c.height.Set(tx, next); return nil }))
}

func TestPlantedBugIsFound(t *testing.T) {
	_, err := explored(node(func(b *bus) chain { return early{newComposed(b).(*composed)} }, 2, 1))
	require.ErrorIs(t, err, errWrong)
}

// A lock held while waiting for room, and room made by who wants the lock.
func Example_locked() {
	_, err := explored(node(newLocked, 3, 1))
	var d *sim.DeadlockError
	fmt.Println(errors.As(err, &d), d.Cycle)
	// Output: true [node subscription.at index chain.held node]
}

// Nothing in hand while waiting: every schedule ends.
func Example_composed() {
	res, err := explored(node(newComposed, 3, 1))
	fmt.Println(res.Complete, err)
	// Output: true <nil>
}
