package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// version is the version of the node-to-node protocols together, agreed in the handshake.
const version = 1

// Node is a running replica. Made by [Start].
type Node[S any] struct {
	cfg        Config[S]
	shake      handshake.Config
	schedule   *leaderschedule.Schedule
	chain      *chainsel.Chain[S]
	sessions   *peers.Sessions
	candidates *chainsync.Candidates
	bodies     *blockfetch.Client

	following *stm.Var[map[p2p.PeerID]stage] // peers that have a follower
	forged    *stm.Var[uint64]
}

// Start resumes the node from its store and starts its tasks in s. It fails before anything runs, or not at all.
func Start[S any](ctx context.Context, s *registry.Scope, cfg Config[S]) (*Node[S], error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	schedule, err := leaderschedule.New(cfg.Genesis)
	if err != nil {
		return nil, fmt.Errorf("node: Config.Genesis: %w", err)
	}
	n := &Node[S]{
		cfg: cfg, schedule: schedule, sessions: peers.NewSessions(), candidates: chainsync.NewCandidates(),
		shake:     handshake.Config{Network: cfg.Genesis.Network, Genesis: cfg.Genesis.Hash(), Versions: []uint16{version}, Accepted: handshake.NewAccepted()},
		following: stm.NewVar[map[p2p.PeerID]stage](nil).Label("node.following"),
		forged:    stm.NewVar(uint64(0)).Label("node.forged"),
	}
	forger, err := n.forger()
	if err != nil {
		return nil, err
	}
	if err := checkIdentity(ctx, cfg.Store, cfg.Genesis); err != nil {
		return nil, err
	}
	if n.chain, err = chainsel.Open(ctx, s, chainsel.Config[S]{
		Genesis: cfg.Genesis.Tip(), K: cfg.K, Ledger: cfg.Ledger, Initial: cfg.Initial, Store: cfg.Store,
		CheckHeader: schedule.CheckHeader, Tracer: cfg.Trace.Chain,
	}); err != nil {
		return nil, err
	}
	if n.bodies, err = n.newBodies(); err != nil {
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

// forger is nil without a key.
func (n *Node[S]) forger() (*leaderschedule.Forger, error) {
	if n.cfg.Key.IsZero() {
		return nil, nil
	}
	signer, err := leaderschedule.OpenSigner(n.schedule, n.cfg.Key, n.cfg.Store)
	if err != nil {
		return nil, err
	}
	return &leaderschedule.Forger{
		Signer: signer,
		Tip:    n.Tip,
		Body: func(tx *stm.Tx, slot chain.Slot, after chain.Tip) []byte {
			return n.cfg.Body(tx, n.Selection(tx).State, slot)
		},
		Submit: n.submit,
		Tracer: n.cfg.Trace.Forger,
	}, nil
}

// submit hands a forged block to chain selection. That it lost against another block of the moment is no failure.
func (n *Node[S]) submit(ctx context.Context, b chain.Block) error {
	added, err := n.chain.AddBlock(ctx, b)
	if err != nil {
		return err
	}
	if _, err := added.Wait(ctx); err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		n.forged.Update(tx, func(x uint64) uint64 { return x + 1 })
		return nil
	})
}

// Tip is the end of the selected chain.
func (n *Node[S]) Tip(tx *stm.Tx) chain.Tip { return n.chain.Tip(tx) }

// Selection is the selected chain with the ledger's state.
func (n *Node[S]) Selection(tx *stm.Tx) chainsel.Selection[S] { return n.chain.Selection(tx) }

// Chain is the node's chain selection, for its followers and blocks.
func (n *Node[S]) Chain() *chainsel.Chain[S] { return n.chain }

// Peers are those whose chains the node follows, sorted.
func (n *Node[S]) Peers(tx *stm.Tx) []p2p.PeerID {
	var out []p2p.PeerID
	for _, p := range sorted(n.following.Get(tx)) {
		if n.following.Get(tx)[p] == established {
			out = append(out, p)
		}
	}
	return out
}

// Violations are the newest ones recorded in the peer ledger.
func (n *Node[S]) Violations(tx *stm.Tx) []*p2p.Violation { return n.cfg.Peers.Violations(tx) }

// Rollbacks counts the moves of the selection, since Start, that took blocks off it.
func (n *Node[S]) Rollbacks(tx *stm.Tx) uint64 { return n.chain.Rollbacks(tx) }

// Forged counts the blocks made since Start.
func (n *Node[S]) Forged(tx *stm.Tx) uint64 { return n.forged.Get(tx) }

// Sessions are the open sessions, both those we opened and those opened by peers.
func (n *Node[S]) Sessions(tx *stm.Tx) []peers.Key { return n.sessions.Open(tx) }

// report is where sessions send violations.
func (n *Node[S]) report(ctx context.Context, v *p2p.Violation) {
	n.cfg.Peers.Report(ctx, v)
	n.emit(ctx, PeerEvent{Kind: Violated, Peer: v.Peer, Err: v})
}

func (n *Node[S]) emit(ctx context.Context, e PeerEvent) { n.cfg.Trace.Peer.Emit(ctx, e) }

// contained keeps a peer's trouble from ending the scope: everything but a panic, which is a fault of this program.
func contained(err error) error {
	var crash *registry.PanicError
	if errors.As(err, &crash) || errors.Is(err, registry.ErrGoexit) {
		return err
	}
	return nil
}
