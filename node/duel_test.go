package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// duel is a hostile peer among two honest nodes, of which the first knows it.
type duel struct {
	w     world
	nodes []*replica
	peer  *puppet
	scope *registry.Scope
	limit mempool.Limits // of the honest nodes' pools
}

// tight are limits that an attack reaches soon.
var tight = mempool.Limits{CountMax: 64, BytesMax: 64 << 10, TxBytesMax: 16 << 10, LocalMax: 32, HistoryMax: 64}

// Bounds of what one hostile peer may cost: for each protocol a session of each side, and for each session its task and what that owns.
const (
	sessionsMax = 2 * 5
	tasksMax    = 40
)

// withEvil runs two honest nodes, an attack that begins in the hostile leader's slot, and judge, while it watches the bounds.
func withEvil(ctx context.Context, a attack, judge func(ctx context.Context, d *duel) error) error {
	d := &duel{w: newWorld(ctx, evilLeader+1), limit: tight}
	return d.run(ctx, a, judge)
}

func (d *duel) run(ctx context.Context, a attack, judge func(ctx context.Context, d *duel) error) error {
	d.w.net = simnet.New(simnet.Config{Latency: time.Millisecond}) // an attacker is near
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) (err error) {
		d.scope = s
		if d.nodes, err = d.w.meshOf(ctx, s, 2, func(c *config) { c.Mempool = d.limit }); err != nil {
			return err
		}
		if err := d.appear(ctx, a); err != nil {
			return err
		}
		s.Go("bounds", d.bounded)
		return judge(ctx, d)
	})
}

// appear brings in the hostile peer.
func (d *duel) appear(ctx context.Context, a attack) error {
	slot := d.w.genesis.SlotStart(evilSlot)
	if err := env.Sleep(ctx, slot.Sub(env.Now(ctx))); err != nil {
		return err
	}
	tip, err := stm.Query(ctx, d.nodes[0].Tip)
	if err != nil {
		return err
	}
	var table map[string]say
	if a.table != nil {
		if table, err = a.table(ctx, d.w, tip); err != nil {
			return err
		}
	}
	if d.peer, err = d.w.puppet(ctx, table); err != nil {
		return err
	}
	d.scope.Go("puppet", func(ctx context.Context) error { return d.peer.answer(ctx, d.scope) })
	if a.act != nil {
		d.scope.Go("attack", func(ctx context.Context) error { return d.expelled(ctx, a.act(ctx, d.peer)) })
	}
	return nil
}

// expelled is err, unless it only says that the connection was lost, which is what attacks come to.
func (d *duel) expelled(ctx context.Context, err error) error {
	var reset *p2p.ResetError
	if errors.Is(err, p2p.ErrGone) || errors.As(err, &reset) {
		return ctx.Err()
	}
	return err
}

// bounded fails as soon as the hostile peer costs the first node more than it may.
func (d *duel) bounded(ctx context.Context) error {
	for {
		tasks := strings.Count(registry.Dump(d.scope).String(), string(evil))
		over, err := stm.Query(ctx, func(tx *stm.Tx) error { return d.over(tx) })
		switch {
		case err != nil:
			return err
		case over != nil:
			return over
		case tasks > tasksMax:
			return fmt.Errorf("%d tasks for the hostile peer:\n%v", tasks, registry.Dump(d.scope))
		}
		if err := env.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// over says which bound of the first node does not hold.
func (d *duel) over(tx *stm.Tx) error {
	if n := d.sessions(tx); n > sessionsMax {
		return fmt.Errorf("%d sessions with the hostile peer", n)
	}
	if p := d.nodes[0].Pool().Stats(tx); p.Count > tight.CountMax || p.SizeBytes > tight.BytesMax || p.Local > tight.LocalMax || p.LocalBytes > tight.BytesMax {
		return fmt.Errorf("the pool holds %+v", p)
	}
	return nil
}

// sessions are those of the first node with the hostile peer.
func (d *duel) sessions(tx *stm.Tx) (n int) {
	for _, k := range d.nodes[0].Sessions(tx) {
		if k.Peer == evil {
			n++
		}
	}
	return n
}

// convicted waits until the hostile peer is recorded for what it did, then until the others have gone on without it.
func (d *duel) convicted(ctx context.Context, kind p2p.ViolationKind, reason string) error {
	var v *p2p.Violation
	err := until(ctx, "there is a violation", func(tx *stm.Tx) bool {
		vs := d.nodes[0].Violations(tx)
		if len(vs) > 0 {
			v = vs[0]
		}
		return len(vs) > 0
	})
	if err != nil {
		return err
	}
	if v.Peer != evil || v.Kind != kind || !strings.Contains(v.Error(), reason) {
		return fmt.Errorf("recorded %w", v)
	}
	if err := until(ctx, "nothing is left of it", func(tx *stm.Tx) bool { return len(d.peer.at.Connected(tx)) == 0 && d.sessions(tx) == 0 }); err != nil {
		return err
	}
	if _, err := d.peer.at.Connect(ctx, string(name(0))); !errors.Is(err, simnet.ErrRefused) {
		return fmt.Errorf("connecting again: %w", err)
	}
	return d.unmoved(ctx)
}

// unmoved fails unless the honest nodes go on: blocks are made, a write comes onto the chain, no session between them has ended, and the second
// has nothing to complain of.
func (d *duel) unmoved(ctx context.Context) error {
	if err := d.carries(ctx, write{Key: "honest", Value: fmt.Sprint(env.Now(ctx).Unix())}); err != nil {
		return err
	}
	tip, err := stm.Query(ctx, d.nodes[0].Tip)
	if err != nil {
		return err
	}
	if err := within(ctx, time.Minute, func(ctx context.Context) error {
		_, err := agree(ctx, d.nodes, tip.BlockNo+4)
		return err
	}); err != nil {
		return err
	}
	if err := d.w.undisturbed(ctx); err != nil {
		return err
	}
	return clean(ctx, d.nodes[1])
}

// carries submits a write at the second node, as often as that has no room, and waits until the first has it in a block.
func (d *duel) carries(ctx context.Context, w write) error {
	for {
		_, err := d.nodes[1].Pool().Submit(ctx, w.raw())
		if err == nil {
			break
		}
		if !errors.Is(err, mempool.ErrFull) {
			return err
		}
		if err := env.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return until(ctx, "the write is on the chain", func(tx *stm.Tx) bool {
		return d.nodes[0].Selection(tx).State.values[w.Key].value == w.Value
	})
}
