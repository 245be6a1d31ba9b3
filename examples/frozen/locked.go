package main

import (
	"context"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// locked is the chain as it is often written.
type locked struct {
	mu     *gate.RWLock
	height block // under mu
	bus    *bus
}

func newLocked(b *bus) chain { return &locked{mu: gate.NewRWLock().Label("chain"), bus: b} }

// grow adds a block, and tells of it while the chain cannot change: subscribers are to see blocks in order.
func (c *locked) grow(ctx context.Context) error {
	return c.mu.With(ctx, func(ctx context.Context) error {
		c.height++
		return stm.Do(ctx, func(tx *stm.Tx) error { return c.bus.publish(tx, c.height) })
	})
}

func (c *locked) tip(ctx context.Context) (tip block, err error) {
	err = c.mu.WithRead(ctx, func(context.Context) error { tip = c.height; return nil })
	return tip, err
}
