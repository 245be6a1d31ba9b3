package main

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// composed is the same chain in transactions.
type composed struct {
	height *stm.Var[block]
	bus    *bus
}

func newComposed(b *bus) chain { return &composed{stm.NewVar(block(0)).Label("chain.height"), b} }

// grow adds a block and tells of it in one transaction, which waits for room with nothing in hand.
func (c *composed) grow(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		c.height.Set(tx, c.height.Get(tx)+1)
		return c.bus.publish(tx, c.height.Get(tx))
	})
}

func (c *composed) tip(ctx context.Context) (block, error) { return stm.Query(ctx, c.height.Get) }
