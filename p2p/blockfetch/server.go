package blockfetch

import (
	"context"
	"fmt"
	"iter"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
)

// Source has the blocks to serve.
type Source interface {
	// Range iterates over the blocks from one point to another, both included, oldest first, selected or not. An error is the last pair; as the
	// first it says that the range cannot be served.
	Range(ctx context.Context, from, to chain.Point) iter.Seq2[chain.Block, error]
}

// Serve runs the responder's side until the client says ClientDone (nil) or the session ends otherwise.
func Serve(ctx context.Context, c p2p.Conn, src Source) error {
	s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
	for {
		m, err := s.Recv()
		switch m := m.(type) {
		case *MsgRequestRange:
			err = serveRange(ctx, s, src, m)
		case *MsgClientDone:
			return s.Close(closeLimit)
		}
		if err != nil {
			_ = s.Close(closeLimit) // if it has not ended by an error of its own, what was sent still arrives
			return err
		}
	}
}

// serveRange sends as fast as the client reads. A range that is lost on the way ends the session: the client asks again elsewhere.
func serveRange(ctx context.Context, s *p2p.Session, src Source, r *MsgRequestRange) error {
	started := false
	for b, err := range src.Range(ctx, r.From, r.To) {
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil && !started:
			return s.Send(&MsgNoBlocks{})
		case err != nil:
			return fmt.Errorf("blockfetch: serving %v to %v: %w", r.From, r.To, err)
		}
		if !started {
			started = true
			if err := s.Send(&MsgStartBatch{}); err != nil {
				return err
			}
		}
		if err := s.Send(&MsgBlock{Body: b.Body}); err != nil {
			return err
		}
	}
	if !started {
		return s.Send(&MsgNoBlocks{})
	}
	return s.Send(&MsgBatchDone{})
}
