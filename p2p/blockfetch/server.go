package blockfetch

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
)

// Source has the blocks to serve.
type Source interface {
	// Range iterates over the blocks from one point to another, both included, oldest first, selected or not. An error is the last pair; as the
	// first it says that the range cannot be served.
	Range(ctx context.Context, from, to chain.Point) iter.Seq2[chain.Block, error]
}

const closeLimit = 5 * time.Second

// Serve runs the responder's side until the client says ClientDone (nil) or the session ends otherwise.
func Serve(ctx context.Context, c p2p.Conn, src Source) error {
	idle, s := NewResponder(ctx, c)
	defer func() { _ = s.Close(closeLimit) }() // if it has not ended by an error of its own, what was sent still arrives
	for {
		m, err := idle.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *ResponderIdleClientDone:
			return s.Close(closeLimit)
		case *ResponderIdleRequestRange:
			if idle, err = serveRange(ctx, m.Next, src, m.MsgRequestRange); err != nil {
				return err
			}
		}
	}
}

// serveRange sends as fast as the client reads. A range that is lost on the way ends the session: the client asks again elsewhere.
func serveRange(ctx context.Context, busy ResponderBusy, src Source, r *MsgRequestRange) (idle ResponderIdle, err error) {
	started, streaming := false, ResponderStreaming{}
	for b, err := range src.Range(ctx, r.From, r.To) {
		switch {
		case err != nil && ctx.Err() != nil:
			return idle, err
		case err != nil && !started:
			return busy.NoBlocks()
		case err != nil:
			return idle, fmt.Errorf("blockfetch: serving %v to %v: %w", r.From, r.To, err)
		}
		if !started {
			started = true
			if streaming, err = busy.StartBatch(); err != nil {
				return idle, err
			}
		}
		if streaming, err = streaming.Block(&MsgBlock{Body: b.Body}); err != nil {
			return idle, err
		}
	}
	if !started {
		return busy.NoBlocks()
	}
	return streaming.BatchDone()
}
