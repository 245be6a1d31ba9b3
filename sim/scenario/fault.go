package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// Fault comes about again and again during the safety phase.
type Fault struct {
	Name  string
	Every time.Duration // on average from the end of one to the next
	For   time.Duration // on average, until it is undone
	Max   int           // how often at most; 0 is any number

	do func(ctx context.Context, r *run) (undo func(ctx context.Context) error, err error)
}

// Do is a fault made of two functions. undo may be nil; it is called at the latest when the safety phase ends.
func Do(f Fault, do, undo func(ctx context.Context) error) Fault {
	f.do = func(ctx context.Context, _ *run) (func(ctx context.Context) error, error) { return undo, do(ctx) }
	return f
}

// Crash crashes one of the nodes, any if none is named, and starts it again when it is undone.
func Crash(f Fault, nodes ...string) Fault {
	f.do = func(ctx context.Context, r *run) (func(ctx context.Context) error, error) {
		names := nodes
		if len(names) == 0 {
			for _, n := range r.Nodes {
				names = append(names, n.Name)
			}
		}
		n, err := r.node(names[env.Choose(ctx, f.Name, len(names))])
		if err != nil {
			return nil, err
		}
		if up, err := stm.Query(ctx, r.nodes[n.Name].Up); err != nil || !up {
			return nil, errors.Join(err, errNotNow)
		}
		return func(ctx context.Context) error { return r.start(ctx, n) }, r.crash(ctx, n)
	}
	return f
}

// Partition parts the net: each node is on one of two sides by chance, and not all on one. Undone, the net is healed.
func Partition(f Fault, net *simnet.Net, nodes ...p2p.PeerID) Fault {
	f.do = func(ctx context.Context, _ *run) (func(ctx context.Context) error, error) {
		if len(nodes) < 2 {
			return nil, fmt.Errorf("scenario: partition of %d nodes", len(nodes))
		}
		var side []p2p.PeerID
		bits := 1 + env.Choose(ctx, f.Name, 1<<min(len(nodes)-1, 30)-1) // the last node is on the other side
		for i, id := range nodes[:len(nodes)-1] {
			if bits>>(i%30)&1 == 1 {
				side = append(side, id)
			}
		}
		return net.Heal, net.Part(ctx, side...)
	}
	return f
}

// errNotNow says that a fault could not come about this time.
var errNotNow = errors.New("scenario: not now")

// trouble lets the faults come about, on a machine of their own, whose chance they draw from. calm ends and undoes them.
func (r *run) trouble(ctx context.Context, scope *registry.Scope) (calm func() error, err error) {
	stop, calmed := stm.NewVar(false).Label("calm"), stm.NewVar(0).Label("faults at work")
	for _, f := range r.Faults {
		if f.do == nil || f.Name == "" || f.Every <= 0 {
			return nil, fmt.Errorf("scenario: fault %q does nothing, or has no Every", f.Name)
		}
		r.world.Arm(f.Name)
	}
	failed := stm.NewVar[error](nil).Label("a failed fault")
	for i, f := range r.Faults {
		r.world.Boot(env.WithoutCancel(ctx), fmt.Sprintf("fault %d %s", i, f.Name), func(ctx context.Context) {
			err := f.run(ctx, r, stop)
			_ = stm.Do(ctx, func(tx *stm.Tx) error { // cannot fail: it never waits
				calmed.Set(tx, calmed.Get(tx)+1)
				if err != nil && failed.Get(tx) == nil {
					failed.Set(tx, fmt.Errorf("scenario: fault %s: %w", f.Name, err))
				}
				return nil
			})
		})
	}
	all := func(tx *stm.Tx) bool { return calmed.Get(tx) == len(r.Faults) }
	scope.Go("faults", func(ctx context.Context) error {
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			if err := failed.Get(tx); err != nil {
				return err
			}
			tx.Check(all(tx))
			return nil
		})
		if err != nil { // also when the phase has failed: nothing of it is to go on
			ctx = env.WithoutCancel(ctx)
			err = errors.Join(err, r.set(ctx, stop), stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(all(tx)); return nil }))
		}
		return err
	})
	return func() error {
		if err := r.set(ctx, stop); err != nil {
			return err
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(all(tx)); return failed.Get(tx) })
	}, nil
}

// run lets one fault come about until stop.
func (f Fault) run(ctx context.Context, r *run, stop *stm.Var[bool]) error {
	for n := 0; f.Max == 0 || n < f.Max; n++ {
		if stopped, err := f.pause(ctx, f.Every, stop); stopped || err != nil {
			return err
		}
		undo, err := f.do(ctx, r)
		switch {
		case errors.Is(err, errNotNow):
			continue
		case err != nil:
			return err
		}
		r.world.Fired(f.Name)
		if undo == nil {
			continue
		}
		if _, err := f.pause(ctx, f.For, stop); err != nil {
			return err
		}
		if err := undo(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pause waits for a time drawn from 0 to twice mean, or for stop.
func (f Fault) pause(ctx context.Context, mean time.Duration, stop *stm.Var[bool]) (stopped bool, err error) {
	at := env.Now(ctx)
	if mean > 0 {
		at = at.Add(time.Duration(env.Rand(ctx).Int64N(2 * int64(mean))))
	}
	return stm.Query(ctx, func(tx *stm.Tx) bool {
		stopped := stop.Get(tx)
		tx.Check(stopped || env.Reached(tx, at))
		return stopped
	})
}
