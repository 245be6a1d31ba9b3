package chainsync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// client is one run of Follow.
type client struct {
	cfg  ClientConfig
	s    *p2p.Session
	mine *Candidate
}

// Follow runs the initiator's side until ctx or the session ends; it never returns nil. The candidate is there from the first
// intersection on, and gone when Follow returns.
func Follow(ctx context.Context, c p2p.Conn, cfg ClientConfig) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	idle, s := NewInitiator(ctx, c)
	cl := &client{cfg: cfg, s: s}
	cl.mine = &Candidate{peer: c.Peer, fragment: stm.NewVar(chain.Fragment{}).Label("chainsync.candidate")}
	defer func() {
		cfg.Candidates.leave(ctx, cl.mine)
		_ = s.Close(closeLimit) // its error has been returned
	}()
	for {
		var err error
		if idle, err = cl.intersect(ctx, idle); err != nil {
			return err
		}
		for err == nil {
			idle, err = cl.step(ctx, idle)
		}
		if err != errLost {
			return err
		}
		cfg.Candidates.leave(ctx, cl.mine)
		if err := cl.pause(ctx); err != nil {
			return err
		}
	}
}

// errLost says that the peer has left the history that we share without breaking a rule: start anew, from the state that comes with it.
var errLost = errors.New("chainsync: the peer rolled back past what we share")

// intersect looks for a common point until there is one, and enters the candidate.
func (c *client) intersect(ctx context.Context, idle InitiatorIdle) (InitiatorIdle, error) {
	for {
		ours, err := stm.Query(ctx, c.cfg.Selection)
		if err != nil {
			return idle, err
		}
		points := ours.Points()
		intersect, err := idle.FindIntersect(&MsgFindIntersect{Points: points})
		if err != nil {
			return idle, err
		}
		m, err := intersect.Recv()
		if err != nil {
			return idle, err
		}
		switch m := m.(type) {
		case *InitiatorIntersectIntersectFound:
			return m.Next, c.enter(ctx, ours, points, m.At)
		case *InitiatorIntersectIntersectNotFound:
			idle = m.Next
		}
		if err := c.pause(ctx); err != nil {
			return idle, err
		}
	}
}

func (c *client) enter(ctx context.Context, ours chain.Fragment, points []chain.Point, at chain.Point) error {
	if !slices.Contains(points, at) {
		return c.s.Invalid(fmt.Errorf("chainsync: intersection %v was not asked for", at))
	}
	shared, _ := ours.RollbackTo(at)
	return stm.Do(ctx, func(tx *stm.Tx) error {
		c.mine.fragment.Set(tx, shared)
		c.cfg.Candidates.enter(tx, c.mine)
		return nil
	})
}

// pause comes between two searches for an intersection.
func (c *client) pause(ctx context.Context) error {
	again := env.Now(ctx).Add(c.cfg.RetryEvery)
	return c.waitUntil(ctx, func(tx *stm.Tx) bool { return env.Reached(tx, again) })
}

// waitUntil waits for a condition while we have agency.
func (c *client) waitUntil(ctx context.Context, f func(tx *stm.Tx) bool) error {
	_, err := p2p.Wait(ctx, c.s, func(tx *stm.Tx) bool {
		tx.Check(f(tx))
		return true
	})
	return err
}

// step asks for one step once there is room for it, and takes it.
func (c *client) step(ctx context.Context, idle InitiatorIdle) (InitiatorIdle, error) {
	if err := c.waitUntil(ctx, c.room); err != nil {
		return idle, err
	}
	can, err := idle.RequestNext()
	if err != nil {
		return idle, err
	}
	m, err := can.Recv()
	switch m := m.(type) {
	case *InitiatorCanAwaitRollForward:
		return m.Next, c.forward(ctx, m.Header)
	case *InitiatorCanAwaitRollBackward:
		return m.Next, c.backward(ctx, m.To)
	case *InitiatorCanAwaitAwaitReply:
		return c.late(ctx, m.Next)
	}
	return idle, err
}

// late takes a step that was not there at once.
func (c *client) late(ctx context.Context, must InitiatorMustReply) (idle InitiatorIdle, err error) {
	m, err := must.Recv()
	switch m := m.(type) {
	case *InitiatorMustReplyRollForward:
		return m.Next, c.forward(ctx, m.Header)
	case *InitiatorMustReplyRollBackward:
		return m.Next, c.backward(ctx, m.To)
	}
	return idle, err
}

// room says whether the candidate may grow.
func (c *client) room(tx *stm.Tx) bool {
	ours, theirs := c.cfg.Selection(tx).Tip(), c.mine.fragment.Get(tx).Tip()
	return theirs.BlockNo < ours.BlockNo+chain.BlockNo(c.cfg.Ahead)
}

// forward lets a header into the candidate: the cheap check first, then Check, which may say that it is too early.
func (c *client) forward(ctx context.Context, h *chain.Header) error {
	now, err := stm.Query(ctx, c.mine.Fragment)
	if err != nil {
		return err
	}
	next, err := now.Append(h)
	if err != nil {
		return c.s.Invalid(err)
	}
	for {
		err := c.cfg.Check(ctx, h)
		var later *Later
		switch {
		case err == nil:
			return c.set(ctx, next.Trim(c.cfg.K+c.cfg.Ahead))
		case ctx.Err() != nil:
			return err
		case !errors.As(err, &later):
			return c.s.Invalid(err)
		}
		if err := c.waitUntil(ctx, func(tx *stm.Tx) bool { return env.Reached(tx, later.At) }); err != nil {
			return err
		}
	}
}

func (c *client) backward(ctx context.Context, to chain.Point) error {
	now, err := stm.Query(ctx, c.mine.Fragment)
	if err != nil {
		return err
	}
	next, ok := now.RollbackTo(to)
	if anchor := now.Anchor(); !ok && now.Len() < c.cfg.K && to.Slot < anchor.Point.Slot {
		return errLost // older than anything we know of it, and perhaps not K deep
	}
	if !ok {
		return c.s.Invalid(fmt.Errorf("chainsync: rollback to %v, which is not among the newest %d headers", to, now.Len()))
	}
	if depth := now.Len() - next.Len(); depth > c.cfg.K {
		return c.s.Invalid(fmt.Errorf("chainsync: rollback by %d blocks, at most %d", depth, c.cfg.K))
	}
	return c.set(ctx, next)
}

func (c *client) set(ctx context.Context, next chain.Fragment) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		c.mine.fragment.Set(tx, next)
		return nil
	})
}
