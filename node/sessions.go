package node

import (
	"context"
	"errors"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// Protocols are the full identifiers of what a node serves: what its network must accept.
func Protocols() []string {
	var out []string
	for _, p := range []*table.Protocol{
		handshake.Protocol(), chainsync.Protocol(), blockfetch.Protocol(), txsubmission.Protocol(), keepalive.Protocol(),
	} {
		out = append(out, p.ID())
	}
	return out
}

// startSessions starts the sessions that follow a peer. When one ends, all do: none of them ever returns nil.
func (n *Node[S, X]) startSessions(s *registry.Scope, peer p2p.PeerID, rtt *keepalive.RTT) {
	start := func(proto *table.Protocol, run func(context.Context, p2p.Conn) error) {
		s.Go(proto.Name, func(ctx context.Context) error { return n.initiate(ctx, peer, proto, run) })
	}
	start(keepalive.Protocol(), func(ctx context.Context, c p2p.Conn) error {
		return keepalive.Ping(ctx, c, keepalive.Config{RTT: rtt})
	})
	start(chainsync.Protocol(), func(ctx context.Context, c p2p.Conn) error {
		return chainsync.Follow(ctx, c, chainsync.ClientConfig{
			Candidates: n.candidates, Selection: n.fragment, Check: n.checkHeader, K: n.cfg.K,
		})
	})
	start(blockfetch.Protocol(), n.bodies.Fetch)
	start(txsubmission.Protocol(), n.txs.Pull)
}

// newTxs is what brings transactions, shared by the sessions with all peers: none is fetched from two at a time. A peer is to blame for what is no
// transaction at all, not for one that is not valid on the state of the moment, since its own may be another.
func (n *Node[S, X]) newTxs() (*txsubmission.Client, error) {
	return txsubmission.NewClient(txsubmission.Config{
		Sink:       func(peer p2p.PeerID) txsubmission.Sink { return n.pool.Lane(string(peer)) },
		TxBytesMax: n.cfg.Mempool.TxBytesMax,
		Full:       func(err error) bool { return errors.Is(err, mempool.ErrFull) },
		Blame:      func(err error) bool { var malformed *mempool.MalformedError; return errors.As(err, &malformed) },
	})
}

// newBodies is what brings bodies, shared by the sessions with all peers: one decision sees all of them.
func (n *Node[S, X]) newBodies() (*blockfetch.Client, error) {
	order := chainsel.Longest{}
	return blockfetch.NewClient(blockfetch.Config{
		Selection: n.fragment,
		Candidate: n.candidates.Of,
		Better:    func(a, b chain.Tip) bool { return order.Compare(a, b) > 0 },
		Has:       n.chain.Has,
		Invalid:   n.chain.Invalid,
		Deliver:   n.deliver,
	})
}

// deliver hands a block to chain selection and returns once that knows it. That the block is invalid is for the fetch's next decision to see.
func (n *Node[S, X]) deliver(ctx context.Context, b chain.Block) error {
	added, err := n.chain.AddBlock(ctx, b)
	if errors.Is(err, chainsel.ErrInvalid) {
		return nil
	}
	if err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		_, done := added.Result(tx)
		tx.Check(done || added.Stored(tx))
		return nil
	})
}

func (n *Node[S, X]) fragment(tx *stm.Tx) chain.Fragment { return n.chain.Selection(tx).Fragment }

// checkHeader judges a header before it enters a candidate: the cheap look at the clock first, then the signature.
func (n *Node[S, X]) checkHeader(ctx context.Context, h *chain.Header) error {
	err := n.schedule.CheckTime(env.Now(ctx), h.Slot())
	var later *leaderschedule.LaterError
	switch {
	case errors.As(err, &later):
		return &chainsync.Later{At: later.At, Err: err}
	case err != nil:
		return err
	}
	if err := n.schedule.CheckHeader(h); err != nil {
		return err
	}
	known, err := stm.Query(ctx, func(tx *stm.Tx) error { return n.chain.Invalid(tx, h.Hash()) })
	return errors.Join(known, err)
}

// responders are our sides of what peers open, by identifier. The handshake is apart.
func (n *Node[S, X]) responders() map[string]func(context.Context, p2p.Conn) error {
	return map[string]func(context.Context, p2p.Conn) error{
		keepalive.Protocol().ID(): keepalive.Answer,
		chainsync.Protocol().ID(): n.serveChain,
		blockfetch.Protocol().ID(): func(ctx context.Context, c p2p.Conn) error {
			return blockfetch.Serve(ctx, c, n.chain)
		},
		txsubmission.Protocol().ID(): func(ctx context.Context, c p2p.Conn) error {
			return txsubmission.Serve(ctx, c, n.pool)
		},
	}
}

func (n *Node[S, X]) serveChain(ctx context.Context, c p2p.Conn) error {
	f, err := n.chain.NewFollower(ctx)
	if err != nil {
		c.Stream.Reset(p2p.CodeShutdown)
		return err
	}
	defer f.Close(ctx)
	return chainsync.Serve(ctx, c, f)
}
