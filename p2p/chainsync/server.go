package chainsync

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Follower walks along our chain for one client. It must keep the identity of where the client stands: one that keeps a height misses a chain
// that was rolled back and grew to the same height again.
type Follower interface {
	// Intersect moves the follower to the first of the points that is on the chain; false, and no move, if none is.
	Intersect(tx *stm.Tx, points []chain.Point) (chain.Point, bool)
	// Next takes the next step; false if the follower is at the chain's end. The transaction that sees false can Retry.
	Next(tx *stm.Tx) (chain.Step, bool)
}

// Serve runs the responder's side until the client says Done (nil) or the session ends otherwise. It is the follower's only user.
func Serve(ctx context.Context, c p2p.Conn, f Follower) error {
	idle, s := NewResponder(ctx, c)
	defer func() { _ = s.Close(closeLimit) }() // if it has not ended by an error of its own, what was sent still arrives
	for {
		m, err := idle.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *ResponderIdleRequestNext:
			idle, err = serveNext(ctx, m.Next, s, f)
		case *ResponderIdleFindIntersect:
			idle, err = serveIntersect(ctx, m.Next, f, m.Points)
		case *ResponderIdleDone:
			return s.Close(closeLimit)
		}
		if err != nil {
			return err
		}
	}
}

func serveNext(ctx context.Context, can ResponderCanAwait, s *p2p.Session, f Follower) (idle ResponderIdle, err error) {
	type next struct {
		step chain.Step
		ok   bool
	}
	n, err := stm.Query(ctx, func(tx *stm.Tx) next {
		step, ok := f.Next(tx)
		return next{step, ok}
	})
	switch {
	case err != nil:
		return idle, err
	case !n.ok:
		return serveLater(ctx, can, s, f)
	case n.step.Header == nil:
		return can.RollBackward(rollBackward(n.step))
	}
	return can.RollForward(rollForward(n.step))
}

// serveLater says that there is no step, waits for one, and gives it.
func serveLater(ctx context.Context, can ResponderCanAwait, s *p2p.Session, f Follower) (idle ResponderIdle, err error) {
	must, err := can.AwaitReply()
	if err != nil {
		return idle, err
	}
	step, err := p2p.Wait(ctx, s, func(tx *stm.Tx) chain.Step {
		step, ok := f.Next(tx)
		tx.Check(ok)
		return step
	})
	switch {
	case err != nil:
		return idle, err
	case step.Header == nil:
		return must.RollBackward(rollBackward(step))
	}
	return must.RollForward(rollForward(step))
}

func rollForward(s chain.Step) *MsgRollForward   { return &MsgRollForward{Header: s.Header, Tip: s.Tip} }
func rollBackward(s chain.Step) *MsgRollBackward { return &MsgRollBackward{To: s.To, Tip: s.Tip} }

func serveIntersect(ctx context.Context, intersect ResponderIntersect, f Follower, points []chain.Point) (idle ResponderIdle, err error) {
	at, err := stm.Query(ctx, func(tx *stm.Tx) *chain.Point {
		if p, ok := f.Intersect(tx, points); ok {
			return &p
		}
		return nil
	})
	switch {
	case err != nil:
		return idle, fmt.Errorf("chainsync: looking for an intersection: %w", err)
	case at == nil:
		return intersect.IntersectNotFound()
	}
	return intersect.IntersectFound(&MsgIntersectFound{At: *at})
}
