package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// split is a height at which the two sides have different blocks.
type split struct {
	height   uint64
	majority chain.Hash
	minority chain.Hash
}

// diverged looks for the first height at which both sides have a block, and not the same.
func (n *network) diverged(tx *stm.Tx) (split, bool) {
	here, there := n.members[0], n.partition.minority[0]
	low := min(here.status(tx).Height, there.status(tx).Height)
	found := split{}
	for h := low; h > 0; h-- {
		a, known := here.hashAt(tx, h)
		b, ok := there.hashAt(tx, h)
		if !known || !ok || a == b {
			break
		}
		found = split{h, a, b}
	}
	return found, found.height > 0
}

// partitionEvidence is what has to be seen of a partition, in this order.
type partitionEvidence struct {
	linked    bool // the minority had connections across the cut
	cut       bool // no node of the minority follows one outside
	diverged  bool
	where     split
	together  bool // all agree again
	rollbacks bool // a node of the minority has counted one, after healing
}

func (e partitionEvidence) missing() []string {
	switch {
	case !e.linked:
		return []string{"connections across the cut, before it"}
	case !e.cut:
		return []string{"the end of the connections across the cut"}
	case !e.diverged:
		return []string{"different blocks at one height on both sides"}
	}
	var out []string
	if !e.together {
		out = append(out, "one chain again after healing")
	}
	if !e.rollbacks {
		out = append(out, "a rollback after healing, on a node of the minority")
	}
	return out
}

// divide cuts the minority off for at least three rounds of slots and until the sides have different blocks, and heals.
func (n *network) divide(ctx context.Context) (fault, error) {
	e, err := n.cutAndHeal(ctx)
	names := make([]string, len(n.partition.minority))
	for i, m := range n.partition.minority {
		names[i] = m.name
	}
	f := fault{name: partitionFault, missing: e.missing()}
	f.said = fmt.Sprintf("%s cut off: block %d is %s there and %s elsewhere", strings.Join(names, " "), e.where.height, short(e.where.minority), short(e.where.majority))
	return f, err
}

func (n *network) cutAndHeal(ctx context.Context) (e partitionEvidence, err error) {
	limit := n.run.options.limits.fault
	e.linked, err = within(ctx, limit, func(tx *stm.Tx) bool { return !n.partition.severed(tx) })
	if err != nil || !e.linked {
		return e, err
	}
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		if err := n.cut(ctx, s); err != nil {
			return err
		}
		return n.observe(ctx, &e)
	}, registry.WithName("partition"))
	if err != nil {
		return e, err
	}
	before, err := stm.Query(ctx, n.minorityRollbacks)
	if err != nil {
		return e, err
	}
	if err := n.partition.set(ctx, false); err != nil || !e.diverged {
		return e, err
	}
	healed := func(tx *stm.Tx) bool { return n.members[0].status(tx).Height > e.where.height && n.together(tx) }
	if e.together, err = within(ctx, limit, healed); err != nil {
		return e, err
	}
	e.rollbacks, err = within(ctx, limit, func(tx *stm.Tx) bool { return n.minorityRollbacks(tx) > before })
	return e, err
}

// cut begins the partition, and keeps it until the scope ends.
func (n *network) cut(ctx context.Context, s *registry.Scope) error {
	if n.run.options.plant.cut != nil {
		n.run.options.plant.cut(n.partition)
		return nil
	}
	if err := n.partition.set(ctx, true); err != nil {
		return err
	}
	return s.Daemon(ctx, "sever", func(ctx context.Context, ready func()) error {
		ready()
		return n.partition.sever(ctx)
	})
}

// observe waits until the cut has done what it is for.
func (n *network) observe(ctx context.Context, e *partitionEvidence) (err error) {
	limit := n.run.options.limits.fault
	if e.cut, err = within(ctx, limit, n.partition.severed); err != nil || !e.cut {
		return err
	}
	least := 3 * time.Duration(len(n.members)) * n.run.home.Genesis.SlotLength
	at := env.Now(ctx).Add(least)
	e.diverged, err = within(ctx, least+limit, func(tx *stm.Tx) bool {
		var found bool
		e.where, found = n.diverged(tx)
		return env.Reached(tx, at) && found
	})
	return err
}

func (n *network) minorityRollbacks(tx *stm.Tx) (sum uint64) {
	for _, m := range n.partition.minority {
		sum += m.status(tx).Rollbacks
	}
	return sum
}
