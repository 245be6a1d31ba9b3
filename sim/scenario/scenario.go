package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/sim/simnode"
	"github.com/synodkit/synod/stm"
)

// How a scenario fails by itself; wrapped with the wait graph.
var (
	ErrLimit      = errors.New("scenario: not over within its limit")
	ErrNoProgress = errors.New("scenario: no progress on a healed core")
)

// Scenario is a test of a system of nodes.
type Scenario struct {
	Nodes      []Node
	Clients    []Client
	Faults     []Fault
	Properties []property.Property
	Until      property.Predicate // ends the safety phase; nil: when all clients have returned
	Limit      time.Duration      // of the safety phase, virtual; default one hour
	Liveness   *Liveness          // nil: no such phase
}

// Node is a machine of a scenario.
type Node struct {
	Name  string
	Clock simnode.Clock
	Run   func(ctx context.Context) error // one life; it is run anew after each crash
	Crash func(ctx context.Context) error // what a crash is beyond the end of its tasks: the disk's power, the net's links; may be nil
}

// Client is a part of the workload. It is cancelled when the safety phase ends; a client that the liveness phase needs sets Stays.
type Client struct {
	Name  string
	Run   func(ctx context.Context) error
	Stays bool
}

// Liveness is what a healed core owes.
type Liveness struct {
	Core     []string                        // names of nodes; the others are crashed
	Heal     func(ctx context.Context) error // beyond undoing the faults; may be nil
	Progress func(tx *stm.Tx) int
	By       int           // default 1
	Within   time.Duration // default one minute
}

const limitDefault = time.Hour

// world is what a simulation has for scenarios.
type world interface {
	Arm(site string)
	Fired(site string)
	Fair(on bool)
	WaitGraph() (waiting []sim.Wait, cycle []string)
	Boot(ctx context.Context, name string, f func(ctx context.Context)) (join, end func(), mine func() bool)
}

// run is one run of a scenario.
type run struct {
	Scenario
	world world
	nodes map[string]*simnode.Node
	over  *stm.Var[bool] // the safety phase
	left  *stm.Var[int]  // clients that have not returned
}

// Run runs the scenario in ctx's world.
func (s Scenario) Run(ctx context.Context) error {
	w, ok := seam.From(ctx).(world)
	if !ok {
		panic("scenario: Run outside of a simulation")
	}
	if s.Limit <= 0 {
		s.Limit = limitDefault
	}
	r := &run{
		Scenario: s, world: w, nodes: map[string]*simnode.Node{},
		over: stm.NewVar(false).Label("scenario over"), left: stm.NewVar(0).Label("clients"),
	}
	for _, n := range s.Nodes {
		if r.nodes[n.Name] != nil {
			return fmt.Errorf("scenario: two nodes called %q", n.Name)
		}
		r.nodes[n.Name] = simnode.New(ctx, n.Name, n.Clock)
	}
	property.Watch(ctx, s.Properties...)
	err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		for _, n := range s.Nodes {
			if err := r.start(ctx, n); err != nil {
				return err
			}
			scope.Go("watch "+n.Name, func(ctx context.Context) error { return r.watch(ctx, n.Name) })
		}
		return r.phases(ctx)
	})
	for _, n := range s.Nodes {
		err = errors.Join(err, r.nodes[n.Name].Crash(env.WithoutCancel(ctx)))
	}
	return err
}

func (r *run) start(ctx context.Context, n Node) error { return r.nodes[n.Name].Start(ctx, n.Run) }

// node is the declaration of the node called name.
func (r *run) node(name string) (Node, error) {
	i := slices.IndexFunc(r.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return Node{}, fmt.Errorf("scenario: no node called %q", name)
	}
	return r.Nodes[i], nil
}

// watch fails when a life of the node ends by an error of its own, until the scenario is over.
func (r *run) watch(ctx context.Context, name string) error {
	n := r.nodes[name]
	for lives := 0; ; {
		over := false
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			over = r.over.Get(tx)
			tx.Check(over || !n.Up(tx) && n.Lives(tx) > lives)
			lives = n.Lives(tx)
			if err := n.Err(tx); err != nil && !errors.Is(err, simnode.ErrCrashed) {
				return fmt.Errorf("scenario: node %s: %w", name, err)
			}
			return nil
		})
		if over || err != nil {
			return err
		}
	}
}

// stuck is err with the wait graph.
func (r *run) stuck(err error) error {
	waiting, cycle := r.world.WaitGraph()
	graph := sim.DeadlockError{Waiting: waiting, Cycle: cycle}
	return fmt.Errorf("%w; waiting:%s", err, graph.Graph())
}
