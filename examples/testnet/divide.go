package main

import (
	"context"
	"fmt"
	"slices"
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
	here, there := n.members[0], n.members[n.partition.first]
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
	rollbacks bool // who holds another block there now has counted one, after healing
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
		out = append(out, "a rollback after healing, on the side that gave way")
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
	before, err := stm.Query(ctx, n.sides)
	if err != nil {
		return e, err
	}
	if err := n.partition.set(ctx, false); err != nil || !e.diverged {
		return e, err
	}
	if e.together, err = within(ctx, limit, func(tx *stm.Tx) bool { return n.reunited(tx, e.where.height) }); err != nil {
		return e, err
	}
	e.rollbacks, err = within(ctx, limit, func(tx *stm.Tx) bool { return n.gaveWay(tx, before, e.where) })
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

// reunited reports whether all nodes in this process hold one block again where the sides had different ones. What the child holds, which was on one side all the
// time, is asked when the goal is.
func (n *network) reunited(tx *stm.Tx, height uint64) bool {
	inside := n.members[:len(n.locals)]
	first, ok := inside[0].hashAt(tx, height)
	return ok && !slices.ContainsFunc(inside, func(m member) bool {
		h, ok := m.hashAt(tx, height)
		return !ok || h != first
	})
}

// sides are one node of each: of the majority, of the minority.
func (n *network) sides(tx *stm.Tx) [2]view {
	return [2]view{n.members[0].status(tx), n.members[n.partition.first].status(tx)}
}

// gaveWay reports whether each side that holds another block now than during the cut has counted a rollback since before. Usually it is the minority, which
// makes fewer blocks.
func (n *network) gaveWay(tx *stm.Tx, before [2]view, where split) bool {
	now, ok := n.members[0].hashAt(tx, where.height)
	for i, held := range []chain.Hash{where.majority, where.minority} {
		if !ok || held != now && n.sides(tx)[i].Rollbacks <= before[i].Rollbacks {
			return false
		}
	}
	return ok
}
