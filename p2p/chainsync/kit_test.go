package chainsync

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

const k = 5

func genesis() chain.Tip { return chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}} }

// after is a header that follows tip; salt tells forks apart.
func after(tip chain.Tip, salt byte) *chain.Header {
	return chain.NewHeader(chain.Fields{Slot: tip.Point.Slot + 1, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash}, []byte{salt})
}

// grow appends n headers.
func grow(f chain.Fragment, n int, salt byte) chain.Fragment {
	for range n {
		f, _ = f.Append(after(f.Tip(), salt))
	}
	return f
}

// node is a toy of chain selection: a chain that its owner moves at will.
type node struct{ chain *stm.Var[chain.Fragment] }

func newNode(f chain.Fragment) *node { return &node{stm.NewVar(f).Label("node.chain")} }

func (n *node) set(ctx context.Context, f chain.Fragment) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { n.chain.Set(tx, f); return nil })
}

// byIdentity is a right follower: it keeps what it has seen of the chain.
type byIdentity struct {
	n  *node
	at *stm.Var[chain.Fragment] // ends where the client stands
}

func (n *node) follower() *byIdentity {
	return &byIdentity{n, stm.NewVar(chain.NewFragment(genesis()))}
}

func (f *byIdentity) Intersect(tx *stm.Tx, points []chain.Point) (chain.Point, bool) {
	now := f.n.chain.Get(tx)
	for _, p := range points {
		if at, ok := now.RollbackTo(p); ok {
			f.at.Set(tx, at)
			return p, true
		}
	}
	return chain.Point{}, false
}

func (f *byIdentity) Next(tx *stm.Tx) (chain.Step, bool) {
	now, at := f.n.chain.Get(tx), f.at.Get(tx)
	here := at.Tip().Point
	if _, ok := now.Index(here); !ok {
		to, _ := at.Intersect(now)
		back, _ := now.RollbackTo(to)
		f.at.Set(tx, back)
		return chain.Step{To: to, Tip: now.Tip()}, true
	}
	for h := range now.From(here) {
		next, _ := now.RollbackTo(h.Point())
		f.at.Set(tx, next)
		return chain.Step{Header: h, To: h.Point(), Tip: now.Tip()}, true
	}
	return chain.Step{}, false
}

// byHeight is a planted bug: it keeps how many headers the client has.
type byHeight struct {
	byIdentity
	count *stm.Var[int]
}

func (n *node) heightFollower() *byHeight { return &byHeight{*n.follower(), stm.NewVar(0)} }

func (f *byHeight) Next(tx *stm.Tx) (chain.Step, bool) {
	now, n := f.n.chain.Get(tx), f.count.Get(tx)
	switch {
	case n > now.Len():
		f.count.Set(tx, now.Len())
		return chain.Step{To: now.Tip().Point, Tip: now.Tip()}, true
	case n == now.Len():
		return chain.Step{}, false
	}
	f.count.Set(tx, n+1)
	return chain.Step{Header: now.At(n), To: now.At(n).Point(), Tip: now.Tip()}, true
}

// client is the configuration of a client whose own chain is ours.
func clientOf(ours *node) ClientConfig {
	return ClientConfig{
		Candidates: NewCandidates(), Selection: ours.chain.Get, K: k,
		Check: func(context.Context, *chain.Header) error { return nil },
	}
}

func inBoth(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	t.Run("simulation", func(t *testing.T) {
		for seed := range uint64(10) {
			require.NoError(t, sim.Run(seed, f).Err, "seed %d", seed)
		}
	})
	t.Run("production", func(t *testing.T) { require.NoError(t, f(context.Background())) })
}

func pipe(ctx context.Context) (a, b *simnet.Stream) {
	return simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond, Jitter: time.Millisecond}).Pipe()
}

// until waits for a candidate of the peer that is as wanted.
func until(ctx context.Context, cs *Candidates, ok func(chain.Fragment) bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		f, there := cs.Of(tx, "peer")
		tx.Check(there && ok(f))
		return nil
	})
}

var errEnough = errors.New("the test has seen enough")

// follows runs Follow against serve until watch returns, then ends both; it gives what Follow returned.
func follows(ctx context.Context, cfg ClientConfig, serve func(context.Context, p2p.Conn) error, watch func(context.Context) error) (ended error, err error) {
	a, b := pipe(ctx)
	inner, cancel := env.WithCancelCause(ctx)
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("server", func(context.Context) error { _ = serve(inner, p2p.Conn{Peer: "client", Stream: b}); return nil })
		s.Go("watch", func(ctx context.Context) error {
			err := watch(ctx)
			cancel(errEnough)
			return err
		})
		ended = Follow(inner, p2p.Conn{Peer: "peer", Stream: a}, cfg)
		return nil
	})
	if all, e := stm.Query(ctx, cfg.Candidates.All); len(all) > 0 || e != nil {
		err = errors.Join(err, e, fmt.Errorf("%d candidates left", len(all)))
	}
	return ended, err
}

// dictate is a server that answers by a script: each message in its turn, whatever was asked.
func dictate(answers ...table.Message) func(context.Context, p2p.Conn) error {
	return func(ctx context.Context, c p2p.Conn) error {
		s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
		for _, m := range answers {
			if s.State() == StateIdle {
				if _, err := s.Recv(); err != nil {
					return err
				}
			}
			if err := s.Send(m); err != nil {
				return err
			}
		}
		_, err := s.Recv()
		_, err2 := s.Recv() // the client asks on, or has reset
		return errors.Join(err, err2)
	}
}

func forward(h *chain.Header) table.Message { return &MsgRollForward{Header: h, Tip: h.Tip()} }
