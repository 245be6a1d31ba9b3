package chainsync_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// static follows a chain that never moves.
type static struct {
	chain chain.Fragment
	next  *stm.Var[int]
}

func (s static) Intersect(tx *stm.Tx, points []chain.Point) (chain.Point, bool) {
	for _, p := range points {
		if i, ok := s.chain.Index(p); ok {
			s.next.Set(tx, i+1)
			return p, true
		}
	}
	return chain.Point{}, false
}

func (s static) Next(tx *stm.Tx) (chain.Step, bool) {
	i := s.next.Get(tx)
	if i >= s.chain.Len() {
		return chain.Step{}, false
	}
	s.next.Set(tx, i+1)
	h := s.chain.At(i)
	return chain.Step{Header: h, To: h.Point(), Tip: s.chain.Tip()}, true
}

// A peer's candidate is a query like any other: here, wait until it is three blocks long.
func Example() {
	ctx, stop := env.WithCancel(context.Background())
	genesis := chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}}
	theirs := chain.NewFragment(genesis)
	for range 3 {
		tip := theirs.Tip()
		theirs, _ = theirs.Append(chain.NewHeader(chain.Fields{Slot: tip.Point.Slot + 2, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash}, nil))
	}
	candidates := chainsync.NewCandidates()
	cfg := chainsync.ClientConfig{
		Candidates: candidates, K: 10,
		Selection: func(*stm.Tx) chain.Fragment { return chain.NewFragment(genesis) },
		Check:     func(_ context.Context, h *chain.Header) error { fmt.Println("checked block", h.BlockNo()); return nil },
	}
	a, b := p2ptest.Pipe(ctx)
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("serve", func(ctx context.Context) error {
			return chainsync.Serve(ctx, p2p.Conn{Peer: "client", Stream: b}, static{theirs, stm.NewVar(0)})
		})
		s.Go("follow", func(ctx context.Context) error {
			return chainsync.Follow(ctx, p2p.Conn{Peer: "server", Stream: a}, cfg)
		})
		tip, err := stm.Query(ctx, func(tx *stm.Tx) chain.Tip {
			f, ok := candidates.Of(tx, "server")
			tx.Check(ok && f.Len() == 3)
			return f.Tip()
		})
		fmt.Println("candidate ends at block", tip.BlockNo, "in slot", tip.Point.Slot)
		stop()
		return err
	})
	// Output:
	// checked block 1
	// checked block 2
	// checked block 3
	// candidate ends at block 3 in slot 6
}
