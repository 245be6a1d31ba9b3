package simnet

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// world runs transactions of the world that a link was made in: methods of a stream get no context. Instants on the net are true time: nodes
// whose clocks are wrong must not change how long a byte takes.
type world struct {
	do     func(body func(tx *stm.Tx) error) error
	chance func() *rand.Rand
	sim    clockwork // nil in production
	counts counts    // nil in production
}

// clockwork is what a simulation knows of wrong clocks.
type clockwork interface {
	Instant() time.Time
	Local(t time.Time) time.Time
}

// counts is how a simulation counts what has come about.
type counts interface {
	Arm(site string)
	Fired(site string)
}

func worldOf(ctx context.Context) world {
	shielded := env.WithoutCancel(ctx)
	w := world{
		do:     func(body func(tx *stm.Tx) error) error { return stm.Do(shielded, body) },
		chance: func() *rand.Rand { return env.Rand(shielded) },
	}
	s := seam.From(ctx)
	w.sim, _ = s.(clockwork)
	w.counts, _ = s.(counts)
	return w
}

// now is the true time of this run of tx.
func (w *world) now(tx *stm.Tx) time.Time {
	if w.sim != nil {
		return w.sim.Instant()
	}
	return env.Time(tx)
}

// reached reports whether the true time at has come, and is waited for if not.
func (w *world) reached(tx *stm.Tx, at time.Time) bool {
	if w.sim == nil {
		return env.Reached(tx, at)
	}
	return !w.sim.Instant().Before(at) || env.Reached(tx, w.sim.Local(at))
}

// draws is the source of chance, nil if cfg needs none for a time on the way.
func (w *world) draws(cfg Config) *rand.Rand {
	if cfg.Jitter <= 0 && cfg.Delay == nil {
		return nil
	}
	return w.chance()
}

// arm says that a fault is to come about some time; fired, that it did.
func (w *world) arm(site string, chance float64) {
	if chance > 0 && w.counts != nil {
		w.counts.Arm(site)
	}
}

func (w *world) fired(site string) {
	if w.counts != nil {
		w.counts.Fired(site)
	}
}

// happens draws whether something of that chance does.
func (w *world) happens(site string, chance float64) bool {
	if chance <= 0 || w.chance().Float64() >= chance {
		return false
	}
	w.fired(site)
	return true
}
