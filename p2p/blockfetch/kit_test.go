package blockfetch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
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

func genesis() chain.Tip { return chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}} }

// blocks is a chain of n blocks; salt tells forks apart.
func blocks(n int, salt byte) []chain.Block {
	var out []chain.Block
	tip := genesis()
	for i := range n {
		body := []byte{salt, byte(i), byte(i >> 8), 1, 2, 3}
		h := chain.NewHeader(chain.Fields{
			Slot: tip.Point.Slot + 1, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash,
			BodyHash: chain.HashOf(body), BodySize: uint32(len(body)),
		}, []byte{salt})
		b, err := chain.NewBlock(h, body)
		if err != nil {
			panic(err)
		}
		out = append(out, b)
		tip = h.Tip()
	}
	return out
}

func fragment(bs []chain.Block) chain.Fragment {
	f := chain.NewFragment(genesis())
	for _, b := range bs {
		f, _ = f.Append(b.Header)
	}
	return f
}

// source serves some blocks.
type source []chain.Block

func (s source) Range(_ context.Context, from, to chain.Point) iter.Seq2[chain.Block, error] {
	return func(yield func(chain.Block, error) bool) {
		started := false
		for _, b := range s {
			started = started || b.Point() == from
			if started && !yield(b, nil) || b.Point() == to {
				return
			}
		}
		yield(chain.Block{}, errNotHere)
	}
}

var errNotHere = errors.New("not here")

// node is a toy of chain selection: it has the blocks delivered, and selects the longest run of them.
type node struct {
	candidates *stm.Var[map[p2p.PeerID]chain.Fragment]
	selection  *stm.Var[chain.Fragment]
	have       *stm.Var[map[chain.Hash]int] // how often each was delivered
	invalid    *stm.Var[chain.Hash]
}

func newNode() *node {
	return &node{
		stm.NewVar(map[p2p.PeerID]chain.Fragment{}), stm.NewVar(chain.NewFragment(genesis())),
		stm.NewVar(map[chain.Hash]int{}), stm.NewVar(chain.Hash{}),
	}
}

var errInvalid = errors.New("invalid")

func (n *node) config() Config {
	return Config{
		Selection: n.selection.Get,
		Candidate: func(tx *stm.Tx, p p2p.PeerID) (chain.Fragment, bool) { f, ok := n.candidates.Get(tx)[p]; return f, ok },
		Better:    func(a, b chain.Tip) bool { return a.BlockNo > b.BlockNo },
		Has:       func(tx *stm.Tx, h chain.Hash) bool { return n.have.Get(tx)[h] > 0 },
		Invalid: func(tx *stm.Tx, h chain.Hash) error {
			if n.invalid.Get(tx) == h {
				return errInvalid
			}
			return nil
		},
		Deliver: n.deliver,
	}
}

func (n *node) deliver(ctx context.Context, b chain.Block) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		have := maps.Clone(n.have.Get(tx))
		have[b.Header.Hash()]++
		n.have.Set(tx, have)
		best := n.selection.Get(tx)
		for _, c := range n.candidates.Get(tx) { // candidates of these tests agree, or only one is better
			from, _ := c.Intersect(best)
			next, _ := c.RollbackTo(from)
			for h := range c.From(from) {
				if have[h.Hash()] == 0 || h.Hash() == n.invalid.Get(tx) {
					break
				}
				next, _ = next.Append(h)
			}
			if next.Tip().BlockNo > best.Tip().BlockNo {
				best = next
			}
		}
		n.selection.Set(tx, best)
		return nil
	})
}

func (n *node) offer(ctx context.Context, peer p2p.PeerID, f chain.Fragment) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		m := maps.Clone(n.candidates.Get(tx))
		m[peer] = f
		n.candidates.Set(tx, m)
		return nil
	})
}

// deliveries is how many blocks came, and the most often that one did.
func (n *node) deliveries(ctx context.Context) (count, most int) {
	for _, times := range n.have.Load(ctx) {
		count, most = count+1, max(most, times)
	}
	return count, most
}

func (n *node) selected(ctx context.Context, blockNo int) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(n.selection.Get(tx).Tip().BlockNo >= chain.BlockNo(blockNo))
		return nil
	})
}

type server func(context.Context, p2p.Conn) error

func serving(src Source) server {
	return func(ctx context.Context, c p2p.Conn) error { return Serve(ctx, c, src) }
}

// dictate answers the first request by a script.
func dictate(answers ...table.Message) server {
	return func(ctx context.Context, c p2p.Conn) error {
		s := p2p.NewSession(ctx, Protocol(), table.Responder, c)
		if _, err := s.Recv(); err != nil {
			return err
		}
		for _, m := range answers {
			if err := s.Send(m); err != nil {
				return err
			}
		}
		_, err := p2p.Wait(ctx, s, func(tx *stm.Tx) bool { tx.Retry(); return true })
		return err
	}
}

var errEnough = errors.New("the test has seen enough")

// fetching runs a Fetch with each server, peers "0", "1", ..., until watch returns; it gives what each Fetch returned, and
// checks that no claim is left.
func fetching(ctx context.Context, c *Client, watch func(ctx context.Context) error, servers ...server) (ended []error, err error) {
	inner, cancel := env.WithCancelCause(ctx)
	ended = make([]error, len(servers))
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i, serve := range servers {
			a, b := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond, Jitter: time.Millisecond, WindowBytes: 8 << 10}).Pipe()
			s.Go("server", func(context.Context) error { _ = serve(inner, p2p.Conn{Peer: "client", Stream: b}); return nil })
			s.Go("client", func(context.Context) error {
				ended[i] = c.Fetch(inner, p2p.Conn{Peer: p2p.PeerID(fmt.Sprint(i)), Stream: a})
				return nil
			})
		}
		err := watch(ctx)
		cancel(errEnough)
		return err
	})
	if left, _ := stm.Query(env.WithoutCancel(ctx), c.claims.Len); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d claims left", left))
	}
	return ended, err
}

func client(cfg Config) *Client {
	c, err := NewClient(cfg)
	if err != nil {
		panic(err)
	}
	return c
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
