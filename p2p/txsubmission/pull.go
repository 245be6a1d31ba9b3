package txsubmission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Pull runs the initiator's side with one peer until ctx or the session ends; it never returns nil. When it returns, it leases nothing.
func (c *Client) Pull(ctx context.Context, conn p2p.Conn) error {
	p := &pull{client: c, sink: c.cfg.Sink(conn.Peer), s: p2p.NewSession(ctx, Protocol(), table.Initiator, conn)}
	defer func() { _ = p.s.Close(closeLimit) }() // its error has been returned
	for {
		step := p.fetch
		if p.short() {
			step = p.moreIDs
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
}

// pull is one session.
type pull struct {
	client  *Client
	sink    Sink
	s       *p2p.Session
	settled int         // ids to acknowledge; they are older than all that are pending
	pending []Announced // ids to deal with, oldest first; with settled at most WindowMax
	conduct conduct
}

// short says that it is time for more ids: nothing is left to fetch, or half the window can be acknowledged. Each request for ids
// acknowledges that much (but the first), so a session that can do nothing asks for nothing.
func (p *pull) short() bool { return len(p.pending) == 0 || p.settled >= WindowMax/2 }

// moreIDs acknowledges what is settled and takes the ids that follow. It waits for them at the peer only when there is nothing else
// to do.
func (p *pull) moreIDs(ctx context.Context) error {
	ack, most, wait := uint16(p.settled), WindowMax-len(p.pending), len(p.pending) == 0
	var ask table.Message = &MsgRequestIDs{Ack: ack, Max: uint16(most)}
	if wait {
		ask = &MsgAwaitIDs{Ack: ack, Max: uint16(most)}
	}
	if err := p.s.Send(ask); err != nil {
		return err
	}
	p.settled = 0
	m, err := p.s.Recv()
	if err != nil {
		return err
	}
	ids := m.(*MsgReplyIDs).IDs
	switch {
	case len(ids) > most:
		return p.s.Invalid(fmt.Errorf("txsubmission: %d ids, %d were asked for", len(ids), most))
	case wait && len(ids) == 0:
		return p.s.Invalid(errors.New("txsubmission: no ids after a wait for some"))
	}
	p.pending = append(p.pending, ids...)
	p.yield(ctx)
	return nil
}

// fetch settles the oldest pending ids: it decides, asks for what is needed, and gives what comes to the sink.
func (p *pull) fetch(ctx context.Context) error {
	plan, err := p2p.Wait(ctx, p.s, func(tx *stm.Tx) plan { return p.client.decide(p, tx) })
	if err != nil {
		return err
	}
	if plan.lease != nil {
		defer p.release(ctx, plan.lease)
		if err := p.request(ctx, plan.run, plan.lease.Until()); err != nil {
			return err
		}
	}
	p.settled += plan.done
	p.pending = slices.Delete(p.pending, 0, plan.done)
	p.pace(ctx, plan)
	return nil
}

// pace bounds what settling ids without asking for them costs. Known ones are every honest peer's daily business: so many are free.
func (p *pull) pace(ctx context.Context, plan plan) {
	if plan.vain {
		p.waste(ctx)
	}
	if p.conduct.known += plan.known; p.conduct.known >= knownMax {
		p.conduct.known = 0
		p.conduct.rest(env.Now(ctx).Add(pause(1, p.client.cfg.PauseMax)))
	}
}

// release ends a lease, whatever became of the request.
func (p *pull) release(ctx context.Context, l *gate.Lease[chain.Hash]) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { p.client.leases.Release(tx, l); return nil }) // cannot fail: it never waits
}

// request asks for what is leased until a moment, and takes it.
func (p *pull) request(ctx context.Context, run []Announced, until time.Time) error {
	ids := make([]chain.Hash, len(run))
	for i, a := range run {
		ids[i] = a.ID
	}
	if err := p.s.Send(&MsgRequestTxs{IDs: ids}); err != nil {
		return err
	}
	m, err := p.s.Recv()
	if err != nil {
		return err
	}
	p.conduct.answered(env.Now(ctx).After(until))
	return p.take(ctx, run, m.(*MsgReplyTxs).Txs)
}

// yield lets other sessions go first with what is announced, if this peer has let a lease run out: one that announces quickly and
// brings slowly would otherwise hold up all others, again and again.
func (p *pull) yield(ctx context.Context) {
	if p.conduct.tardy > 0 {
		p.conduct.rest(env.Now(ctx).Add(p.client.cfg.PauseMax))
	}
}
