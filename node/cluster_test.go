package node_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// errLost says that a write was accepted and is neither on the chain nor in a pool.
var errLost = errors.New("an accepted write is lost")

// cluster is a few nodes that carry writes, each with a store that outlives it.
type cluster struct {
	w        world
	ledger   node.Ledger[state, write]
	nodes    []*replica
	stores   []*store.Memory
	accepted []write
	pace     time.Duration // the longest time between two writes of load

	// submit hands a write to a node, by default as a local client does.
	submit func(ctx context.Context, n *replica, raw []byte) error
}

func newCluster(ctx context.Context, n int) *cluster {
	c := &cluster{
		w: newWorld(ctx, n), ledger: registers{}, nodes: make([]*replica, n), stores: make([]*store.Memory, n), pace: 400 * time.Millisecond,
	}
	for i := range n {
		c.stores[i] = store.NewMemory()
	}
	c.submit = func(ctx context.Context, n *replica, raw []byte) error {
		_, err := n.Pool().Submit(ctx, raw)
		return err
	}
	return c
}

// start starts node i on its store; it dials all others. change may be nil.
func (c *cluster) start(ctx context.Context, s *registry.Scope, i int, change func(*config)) error {
	var others []int
	for j := range c.nodes {
		if j != i {
			others = append(others, j)
		}
	}
	cfg, err := c.w.config(ctx, i, others...)
	if err != nil {
		return err
	}
	c.stores[i] = c.stores[i].Reopen() // what an earlier run still holds cannot reach it
	cfg.Ledger, cfg.Store = c.ledger, c.stores[i]
	if change != nil {
		change(&cfg)
	}
	c.nodes[i], err = node.Start(ctx, s, cfg)
	return err
}

func (c *cluster) startAll(ctx context.Context, s *registry.Scope, change func(*config)) error {
	for i := range c.nodes {
		if err := c.start(ctx, s, i, change); err != nil {
			return err
		}
	}
	return nil
}

// write submits and keeps account of what was accepted. That a node has no room is no failure.
func (c *cluster) write(ctx context.Context, i int, w write) error {
	err := c.submit(ctx, c.nodes[i], w.raw())
	switch {
	case err == nil:
		c.accepted = append(c.accepted, w)
	case errors.Is(err, mempool.ErrFull):
		return nil
	}
	return err
}

// load writes n times, at random nodes: registers of their own, and at every node one that is written again and again.
func (c *cluster) load(ctx context.Context, name string, n int) error {
	versions := make([]uint64, len(c.nodes))
	for k := range n {
		if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).Int64N(int64(c.pace)))); err != nil {
			return err
		}
		i := env.Rand(ctx).IntN(len(c.nodes))
		w := write{Key: fmt.Sprintf("%s %d", name, k), Value: fmt.Sprint("by ", i)}
		if k%3 == 0 {
			w = write{Key: fmt.Sprintf("%s of %d", name, i), Version: versions[i], Value: fmt.Sprint(k)}
			versions[i]++
		}
		if err := c.write(ctx, i, w); err != nil {
			return fmt.Errorf("write %v at node %d: %w", w, i, err)
		}
	}
	return nil
}

// within bounds what must come to pass, in virtual time: without it a failure would hang, since slots go on for ever.
func within(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	ctx, cancel := env.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// until waits for a condition.
func until(ctx context.Context, what string, cond func(tx *stm.Tx) bool) error {
	return within(ctx, 10*time.Minute, func(ctx context.Context) error {
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(cond(tx)); return nil }); err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		return nil
	})
}

// settle waits until all nodes are at one tip and nothing is pending anywhere, then looks for what was accepted on their common chain.
func (c *cluster) settle(ctx context.Context) error {
	err := until(ctx, "all is settled", func(tx *stm.Tx) bool {
		for _, n := range c.nodes {
			waiting := n.Pool().Snapshot(tx)
			if n.Tip(tx) != c.nodes[0].Tip(tx) || waiting.Tip != n.Tip(tx) || waiting.Len > 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	times := map[chain.Hash]int{}
	for b, err := range blocks(ctx, c.nodes[0], 1) {
		if err != nil {
			return err
		}
		for _, raw := range b {
			times[chain.HashOf(raw)]++
		}
	}
	for _, w := range c.accepted {
		if n := times[w.id()]; n != 1 {
			return fmt.Errorf("%w: %v is there %d times", errLost, w, n)
		}
	}
	return c.equal(ctx)
}

// equal fails if nodes at one tip differ in a value.
func (c *cluster) equal(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		first := c.nodes[0].Selection(tx)
		for i, n := range c.nodes[1:] {
			if sel := n.Selection(tx); sel.Tip() == first.Tip() && !maps.Equal(sel.State.values, first.State.values) {
				return fmt.Errorf("node %d has other values than node 0", i+1)
			}
		}
		return nil
	})
}

// blocks are the writes in each block of a node's selection from a number on.
func blocks(ctx context.Context, n *replica, from chain.BlockNo) func(yield func([][]byte, error) bool) {
	return func(yield func([][]byte, error) bool) {
		tip, err := stm.Query(ctx, n.Tip)
		for no := from; err == nil && no <= tip.BlockNo; no++ {
			var b chain.Block
			var raws [][]byte
			if b, err = blockAt(ctx, n, no); err == nil {
				raws, err = registers{}.Transactions(b)
			}
			if err == nil && !yield(raws, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// rollbacks are those of all nodes, together.
func (c *cluster) rollbacks(ctx context.Context) (n uint64, err error) {
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		n = 0
		for _, x := range c.nodes {
			n += x.Rollbacks(tx)
		}
		return nil
	})
	return n, err
}

// part cuts some nodes off.
func (c *cluster) part(ctx context.Context, nodes ...int) error {
	var ids []p2p.PeerID
	for _, i := range nodes {
		ids = append(ids, name(i))
	}
	return c.w.net.Part(ctx, ids...)
}

func blockAt(ctx context.Context, n *replica, no chain.BlockNo) (chain.Block, error) {
	h, err := n.Chain().At(ctx, no)
	if err != nil {
		return chain.Block{}, err
	}
	return n.Chain().Block(ctx, h.Point())
}
