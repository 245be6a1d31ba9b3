package tendermint_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/tendermint"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
)

// upTo is a delay of the simulation's choice, up to three times as long as a unit.
func upTo(d time.Duration) func(context.Context) time.Duration {
	return func(ctx context.Context) time.Duration { return time.Duration(1 + env.Rand(ctx).Int64N(int64(d))) }
}

// trouble is what happens to a network before it is left in peace.
type trouble struct {
	nodes, twins     int // twins are further nodes with the key of node 0
	crashes, parting bool
	halves           bool          // partitions have two sides, and last longer
	patience         time.Duration // for peace; default ten minutes
	disks, liars     bool          // disks that lose what is not synced; that lie about it
	plant            func(*tendermint.Replica)
}

func (x trouble) scenario(ctx context.Context) error {
	ws := make([]weight, x.nodes)
	for i := range ws {
		ws[i] = 1
	}
	w := newNetwork(ctx, upTo(3*unit), ws...)
	w.plant = x.plant
	for range x.twins {
		w.faulty[0] = true
		w.faulty[w.add("v0", members(ws...)).at] = true
	}
	for _, n := range w.nodes {
		if x.disks {
			n.disk = simdisk.New(simdisk.Config{WriteTime: unit / 10, SyncTime: unit / 2, Jitter: unit})
			n.lies = x.liars
		}
	}
	return w.run(ctx, func(ctx context.Context) error {
		wait, times := 6*unit, 30
		if x.halves {
			wait, times = 60*unit, 4
		}
		for range times {
			if err := env.Sleep(ctx, upTo(wait)(ctx)); err != nil {
				return err
			}
			if err := w.disturb(ctx, x); err != nil {
				return err
			}
		}
		return w.peace(ctx, x.patience)
	})
}

// disturb makes one thing go wrong, or right again.
func (w *network) disturb(ctx context.Context, x trouble) error {
	if n := w.nodes[env.Rand(ctx).IntN(len(w.nodes))]; x.crashes && env.Rand(ctx).IntN(2) == 0 {
		return n.set(ctx, !n.stop.Load(ctx))
	}
	if !x.parting {
		return nil
	}
	if !x.halves && env.Rand(ctx).IntN(3) > 0 { // links fail one by one, each way
		cut := map[[2]int]bool{}
		for from := range w.nodes {
			for to := range w.nodes {
				cut[[2]int{from, to}] = env.Rand(ctx).IntN(3) == 0
			}
		}
		return w.part(ctx, func(from, to int) bool { return cut[[2]int{from, to}] })
	}
	side := map[int]bool{}
	for i := range w.nodes {
		side[i] = env.Rand(ctx).IntN(2) == 0
	}
	return w.part(ctx, func(from, to int) bool { return side[from] != side[to] })
}

func (w *network) part(ctx context.Context, cut func(from, to int) bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { w.parted.Set(tx, cut); return nil })
}

// peace heals everything, and requires that all correct nodes decide five heights more.
func (w *network) peace(ctx context.Context, patience time.Duration) error {
	if patience == 0 {
		patience = 10 * time.Minute
	}
	if err := w.part(ctx, func(int, int) bool { return false }); err != nil {
		return err
	}
	top, correct := tendermint.Height(0), []int(nil)
	for _, n := range w.nodes {
		if err := n.set(ctx, false); err != nil {
			return err
		}
		if !w.faulty[n.at] {
			top, correct = max(top, n.height.Load(ctx)), append(correct, n.at)
		}
	}
	if err := w.reach(ctx, top+5, patience, correct...); err != nil {
		return err
	}
	if blamed := w.blamed.Load(ctx); len(blamed) > 0 {
		return fmt.Errorf("a correct node was blamed: %w", blamed[0])
	}
	return nil
}

// Whatever goes wrong, no two correct nodes decide differently; left in peace, they go on.
func TestFaults(t *testing.T) {
	for name, x := range map[string]trouble{
		"delays":          {nodes: 4},
		"crashes":         {nodes: 4, crashes: true},
		"partitions":      {nodes: 5, parting: true},
		"disks":           {nodes: 4, crashes: true, disks: true},
		"disks and all":   {nodes: 4, twins: 1, crashes: true, parting: true, disks: true},
		"both":            {nodes: 7, crashes: true, parting: true},
		"twins":           {nodes: 4, twins: 1},
		"twins and all":   {nodes: 4, twins: 1, crashes: true, parting: true},
		"halves":          {nodes: 5, twins: 1, parting: true, halves: true},
		"three of a kind": {nodes: 7, twins: 2, parting: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(long.N(3, 60)) {
				r := sim.Run(seed, x.scenario)
				require.NoError(t, r.Err, "seed %d", seed)
			}
		})
	}
}

// The same faults find validators that are content with too little.
func TestFaultsFindASmallQuorum(t *testing.T) {
	x := trouble{nodes: 5, twins: 1, parting: true, halves: true, patience: time.Second, plant: tendermint.PlantMajority}
	for seed := range uint64(100) {
		if r := sim.Run(seed, x.scenario); errors.Is(r.Err, errDisagree) {
			t.Log(seed, r.Err)
			return
		}
	}
	t.Fatal("not found")
}

// A disk that lies about having synced makes a correct validator contradict itself, and the others prove it.
func TestFaultsFindALyingDisk(t *testing.T) {
	x := trouble{nodes: 4, crashes: true, parting: true, disks: true, liars: true, patience: 20 * time.Second}
	for seed := range uint64(200) {
		if r := sim.Run(seed, x.scenario); errors.Is(r.Err, errAccused) || errors.Is(r.Err, errDisagree) {
			t.Log(seed, r.Err)
			return
		}
	}
	t.Fatal("not found")
}
