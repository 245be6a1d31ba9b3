package chainsync

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
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
	s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
	for {
		m, err := s.Recv()
		switch m := m.(type) {
		case *MsgRequestNext:
			err = serveNext(ctx, s, f)
		case *MsgFindIntersect:
			err = serveIntersect(ctx, s, f, m.Points)
		case *MsgDone:
			return s.Close(closeLimit)
		}
		if err != nil {
			_ = s.Close(closeLimit) // if it has not ended by an error of its own, what was sent still arrives
			return err
		}
	}
}

func serveNext(ctx context.Context, s *p2p.Session, f Follower) error {
	type next struct {
		step chain.Step
		ok   bool
	}
	n, err := stm.Query(ctx, func(tx *stm.Tx) next {
		step, ok := f.Next(tx)
		return next{step, ok}
	})
	if err != nil {
		return err
	}
	if !n.ok {
		if err := s.Send(&MsgAwaitReply{}); err != nil {
			return err
		}
		n.step, err = p2p.Wait(ctx, s, func(tx *stm.Tx) chain.Step {
			step, ok := f.Next(tx)
			tx.Check(ok)
			return step
		})
		if err != nil {
			return err
		}
	}
	if n.step.Header == nil {
		return s.Send(&MsgRollBackward{To: n.step.To, Tip: n.step.Tip})
	}
	return s.Send(&MsgRollForward{Header: n.step.Header, Tip: n.step.Tip})
}

func serveIntersect(ctx context.Context, s *p2p.Session, f Follower, points []chain.Point) error {
	at, err := stm.Query(ctx, func(tx *stm.Tx) *chain.Point {
		if p, ok := f.Intersect(tx, points); ok {
			return &p
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("chainsync: looking for an intersection: %w", err)
	case at == nil:
		return s.Send(&MsgIntersectNotFound{})
	}
	return s.Send(&MsgIntersectFound{At: *at})
}
