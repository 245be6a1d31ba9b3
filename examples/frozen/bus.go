package main

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/topic"
)

// block is a block of the chain, by its height.
type block int

// bus is a topic that holds up who publishes until its slowest subscriber has room: nobody misses a block.
type bus struct {
	blocks *topic.Topic[block]
	subs   *stm.Var[[]*topic.Subscription[block]]
	room   int
}

func newBus(room int) *bus {
	return &bus{topic.New[block](room), stm.NewVar[[]*topic.Subscription[block]](nil).Label("bus.subscribers"), room}
}

// subscribe begins with the next block.
func (b *bus) subscribe(tx *stm.Tx) *topic.Subscription[block] {
	s := b.blocks.Subscribe(tx, b.room)
	old := b.subs.Get(tx)
	b.subs.Set(tx, append(old[:len(old):len(old)], s))
	return s
}

// publish waits for room.
func (b *bus) publish(tx *stm.Tx, x block) error {
	for _, s := range b.subs.Get(tx) {
		tx.Check(s.Behind(tx) < b.room)
	}
	_, err := b.blocks.Put(tx, x)
	return err
}
