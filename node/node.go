package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// version is the version of the node-to-node protocols together, agreed in the handshake. 2 added txsubmission.
const version = 2

// Node is a running replica. Made by [Start].
type Node[S, X any] struct {
	cfg        Config[S, X]
	shake      handshake.Config
	schedule   *leaderschedule.Schedule
	chain      *chainsel.Chain[S]
	pool       *mempool.Pool[S, X]
	sessions   *peers.Sessions
	candidates *chainsync.Candidates
	bodies     *blockfetch.Client
	txs        *txsubmission.Client

	following *stm.Var[map[p2p.PeerID]followed] // peers that have a follower
	forged    *stm.Var[uint64]
	failed    *stm.Var[bool] // our ledger refused the last block we forged
}

// Start resumes the node from its store and starts its tasks in s. After an error, end the scope: parts may be running in it.
func Start[S, X any](ctx context.Context, s *registry.Scope, cfg Config[S, X]) (*Node[S, X], error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	schedule, err := leaderschedule.New(cfg.Genesis)
	if err != nil {
		return nil, fmt.Errorf("node: Config.Genesis: %w", err)
	}
	n := &Node[S, X]{
		cfg: cfg, schedule: schedule, sessions: peers.NewSessions(), candidates: chainsync.NewCandidates(),
		shake:     handshake.Config{Network: cfg.Genesis.Network, Genesis: cfg.Genesis.Hash(), Versions: []uint16{version}, Accepted: handshake.NewAccepted()},
		following: stm.NewVar[map[p2p.PeerID]followed](nil).Label("node.following"),
		forged:    stm.NewVar(uint64(0)).Label("node.forged"),
		failed:    stm.NewVar(false).Label("node.failed"),
	}
	forger, err := n.forger()
	if err != nil {
		return nil, err
	}
	if err := checkIdentity(ctx, cfg.Store, cfg.Genesis); err != nil {
		return nil, err
	}
	if err := n.open(ctx, s); err != nil {
		return nil, err
	}
	s.Go("enforce", func(ctx context.Context) error { return cfg.Peers.Enforce(ctx, cfg.Network.Disconnect) })
	s.Go("accept", func(ctx context.Context) error { return n.accept(ctx, s) })
	s.Go("follow", func(ctx context.Context) error { return n.followAll(ctx, s) })
	for _, addr := range cfg.Dial {
		s.Go("dial "+addr, func(ctx context.Context) error { return n.dial(ctx, addr) })
	}
	if forger != nil {
		s.Go("forge", forger.Run)
	}
	return n, nil
}

// open resumes the chain, then the transactions that wait for it.
func (n *Node[S, X]) open(ctx context.Context, s *registry.Scope) (err error) {
	if n.chain, err = chainsel.Open(ctx, s, chainsel.Config[S]{
		Genesis: n.cfg.Genesis.Tip(), K: n.cfg.K, Ledger: n.cfg.Ledger, Initial: n.cfg.Initial, Store: n.cfg.Store,
		Encode: n.cfg.Encode, Decode: n.cfg.Decode, SnapshotEvery: n.cfg.SnapshotEvery, SnapshotAtEnd: n.cfg.Encode != nil,
		CheckHeader: n.schedule.CheckHeader, Tracer: n.cfg.Trace.Chain,
	}); err != nil {
		return err
	}
	if n.pool, err = mempool.Open(ctx, s, mempool.Config[S, X]{
		Ledger: n.cfg.Ledger, Selection: n.selected, Block: n.chain.Block,
		Store: n.cfg.Store, K: n.cfg.K, Limits: n.cfg.Mempool, Tracer: n.cfg.Trace.Mempool,
	}); err != nil {
		return err
	}
	if n.bodies, err = n.newBodies(); err != nil {
		return err
	}
	n.txs, err = n.newTxs()
	return err
}

// selected is what the pool's transactions must be valid on.
func (n *Node[S, X]) selected(tx *stm.Tx) (chain.Fragment, S) {
	sel := n.chain.Selection(tx)
	return sel.Fragment, sel.State
}

// Tip is the end of the selected chain.
func (n *Node[S, X]) Tip(tx *stm.Tx) chain.Tip { return n.chain.Tip(tx) }

// Selection is the selected chain with the ledger's state.
func (n *Node[S, X]) Selection(tx *stm.Tx) chainsel.Selection[S] { return n.chain.Selection(tx) }

// Chain is the node's chain selection, for its followers and blocks.
func (n *Node[S, X]) Chain() *chainsel.Chain[S] { return n.chain }

// Pool holds the transactions that wait for a block: submit to it, and ask it what became of one.
func (n *Node[S, X]) Pool() *mempool.Pool[S, X] { return n.pool }

// Peers are those whose chains the node follows, sorted.
func (n *Node[S, X]) Peers(tx *stm.Tx) []p2p.PeerID {
	var out []p2p.PeerID
	for _, p := range sorted(n.following.Get(tx)) {
		if n.following.Get(tx)[p].rtt != nil {
			out = append(out, p)
		}
	}
	return out
}

// RTT is the newest round-trip time measured to a peer that the node follows; false before the first measurement.
func (n *Node[S, X]) RTT(tx *stm.Tx, peer p2p.PeerID) (time.Duration, bool) {
	if rtt := n.following.Get(tx)[peer].rtt; rtt != nil {
		return rtt.Last(tx)
	}
	return 0, false
}

// Violations are the newest ones recorded in the peer ledger.
func (n *Node[S, X]) Violations(tx *stm.Tx) []*p2p.Violation { return n.cfg.Peers.Violations(tx) }

// Rollbacks counts the moves of the selection, since Start, that took blocks off it.
func (n *Node[S, X]) Rollbacks(tx *stm.Tx) uint64 { return n.chain.Rollbacks(tx) }

// Forged counts the blocks made since Start.
func (n *Node[S, X]) Forged(tx *stm.Tx) uint64 { return n.forged.Get(tx) }

// Sessions are the open sessions, both those we opened and those opened by peers.
func (n *Node[S, X]) Sessions(tx *stm.Tx) []peers.Key { return n.sessions.Open(tx) }

// report is where sessions send violations.
func (n *Node[S, X]) report(ctx context.Context, v *p2p.Violation) {
	n.cfg.Peers.Report(ctx, v)
	n.emit(ctx, PeerEvent{Kind: Violated, Peer: v.Peer, Err: v})
}

func (n *Node[S, X]) emit(ctx context.Context, e PeerEvent) { n.cfg.Trace.Peer.Emit(ctx, e) }

// contained keeps a peer's trouble from ending the scope: everything but a panic, which is a fault of this program.
func contained(err error) error {
	var crash *registry.PanicError
	if errors.As(err, &crash) || errors.Is(err, registry.ErrGoexit) {
		return err
	}
	return nil
}
