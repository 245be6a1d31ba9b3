package simtest

import (
	"context"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/walk"
)

// Scenario is a program to be run, as by sim.Run.
type Scenario = func(ctx context.Context) error

// Option changes how a scenario is tested.
type Option func(*options)

type options struct {
	runs    int
	seed    uint64
	replays int
	walks   []walk.Strategy
	faults  []string
	sim     []sim.Option
}

// Runs is how many runs Check makes, by default 300, and the most that Explore makes, by default 100,000. Explore fails
// if they are not enough.
func Runs(n int) Option { return func(o *options) { o.runs = n } }

// Seed is the seed of the first run of Check, by default 1.
func Seed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// Replays limits the runs that shrinking may take, by default 200.
func Replays(n int) Option { return func(o *options) { o.replays = n } }

// Walks puts strategies in the place of walk.Portfolio.
func Walks(s ...walk.Strategy) Option { return func(o *options) { o.walks = s } }

// Fault arms a fail point; see sim.Fail. Explore tries both at each occasion, whatever the probability.
func Fault(site string, err error, probability float64) Option {
	return func(o *options) {
		o.faults = append(o.faults, site)
		o.sim = append(o.sim, sim.Fail(site, err, probability))
	}
}

// Sim adds options of every run.
func Sim(opts ...sim.Option) Option { return func(o *options) { o.sim = append(o.sim, opts...) } }

func configure(runs int, opts []Option) options {
	o := options{runs: runs, seed: 1, replays: 200}
	for _, f := range opts {
		f(&o)
	}
	if o.walks == nil {
		o.walks = walk.Portfolio()
	}
	return o
}
