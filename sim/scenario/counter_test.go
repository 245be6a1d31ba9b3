package scenario_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/sim/scenario"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// counter is a service that adds one and acknowledges it once it cannot be lost.
type counter struct {
	name    string
	disk    *simdisk.Disk
	wanted  *stm.Var[int]
	acked   *stm.Var[int]
	serving *stm.Var[int] // lives that have come to serve
	acks    store.Durability
	tired   bool // planted: serves in its first life alone
}

func newCounter(name string) *counter {
	return &counter{
		name: name, disk: simdisk.New(simdisk.Config{WriteTime: time.Millisecond, SyncTime: 5 * time.Millisecond}),
		wanted: stm.NewVar(0).Label(name + " requests"), acked: stm.NewVar(0).Label(name + " acknowledged"),
		serving: stm.NewVar(0).Label(name + " serving"), acks: store.Durable,
	}
}

func (c *counter) run(ctx context.Context) error {
	s, err := c.disk.Open(ctx)
	if err != nil {
		return err
	}
	n := 0
	if v, err := s.Get([]byte("n")); err == nil {
		n = int(binary.BigEndian.Uint64(v))
	}
	if acked := c.acked.Load(ctx); n < acked {
		return fmt.Errorf("%w: %d acknowledged, %d found", errLost, acked, n)
	}
	lives, err := stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
		c.serving.Update(tx, func(n int) int { return n + 1 })
		return c.serving.Get(tx), nil
	})
	if err != nil {
		return err
	}
	for ; ; n++ {
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			tx.Check(c.wanted.Get(tx) > 0 && !(c.tired && lives > 1))
			c.wanted.Set(tx, c.wanted.Get(tx)-1)
			return nil
		})
		if err != nil {
			return err
		}
		b := new(store.Batch)
		b.Put([]byte("n"), binary.BigEndian.AppendUint64(nil, uint64(n+1)))
		t, err := s.Apply(ctx, b, c.acks)
		if err == nil {
			err = t.Wait(ctx)
		}
		if err != nil {
			return err
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { c.acked.Set(tx, n+1); return nil }); err != nil {
			return err
		}
	}
}

var errLost = errors.New("lost")

// node is the counter on a machine whose crashes take its disk's power.
func (c *counter) node() scenario.Node {
	return scenario.Node{Name: c.name, Run: c.run, Crash: c.disk.PowerLoss}
}

// ask is a client that wants a request answered at a time, so often; it asks again if no answer comes.
func (c *counter) ask(times int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for i := 1; times == 0 || i <= times; i++ {
			err := stm.Do(ctx, func(tx *stm.Tx) error { c.wanted.Set(tx, c.wanted.Get(tx)+1); return nil })
			if err != nil {
				return err
			}
			if err := c.answered(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
}

// crashes is the scenario of counters whose machines crash.
func crashes(change func(s *scenario.Scenario, cs []*counter)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		cs := []*counter{newCounter("a"), newCounter("b")}
		s := scenario.Scenario{
			Faults: []scenario.Fault{scenario.Crash(scenario.Fault{Name: "crash", Every: 30 * time.Millisecond, For: 20 * time.Millisecond})},
			Limit:  time.Minute,
			Liveness: &scenario.Liveness{
				Core: []string{"a"}, Progress: cs[0].acked.Get, By: 3, Within: time.Second,
			},
		}
		for _, c := range cs {
			s.Nodes = append(s.Nodes, c.node())
			s.Properties = append(s.Properties, property.Sometimes(c.name+" comes back", func(tx *stm.Tx) bool { return c.serving.Get(tx) > 1 }))
			s.Clients = append(s.Clients, scenario.Client{Name: c.name, Run: c.ask(6)})
		}
		s.Clients = append(s.Clients, scenario.Client{Name: "stays", Run: cs[0].ask(0), Stays: true})
		change(&s, cs)
		return s.Run(ctx)
	}
}
