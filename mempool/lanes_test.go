package mempool

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// TestShares has lanes that always want more, of any number and in any order, and blocks that take what is oldest: all come to hold the same, and who
// comes new finds room. Planted: without the rule there is none.
func TestShares(t *testing.T) {
	most := func(admits func(l *Limits, all, mine share) bool, n int, seed uint64) (shares []int, free int) {
		l := &Limits{RemoteMax: 1000, RemoteBytesMax: 1 << 20}
		choose := rand.New(rand.NewPCG(seed, 0))
		var pending []int // lanes, oldest first
		held := make([]share, n)
		for round := range 60 {
			for range 3000 {
				lane := choose.IntN(min(n, round+1)) // they come one after the other
				all := share{len(pending), 10 * len(pending)}
				if admits(l, all, held[lane]) {
					held[lane], pending = held[lane].plus(10), append(pending, lane)
				}
			}
			for _, lane := range pending[:min(100, len(pending))] {
				held[lane] = share{held[lane].count - 1, held[lane].bytes - 10}
			}
			if round < 59 {
				pending = pending[min(100, len(pending)):]
			}
		}
		for _, h := range held {
			shares = append(shares, h.count)
		}
		return shares, l.RemoteMax - len(pending)
	}
	rapid.Check(t, func(rt *rapid.T) {
		n, seed := rapid.IntRange(1, 12).Draw(rt, "lanes"), rapid.Uint64().Draw(rt, "seed")
		shares, free := most(func(l *Limits, all, mine share) bool { return l.admits(all, mine, 10) }, n, seed)
		fair := 2 * 1000 / (2*n + 1)
		require.InDelta(rt, fair/2, free, float64(fair)/4)
		for _, s := range shares {
			require.InDelta(rt, fair, s, float64(fair)/4+100/float64(n)+3, "%v", shares)
		}
	})
	_, free := most(func(l *Limits, all, _ share) bool { return all.count < l.RemoteMax }, 5, 1)
	require.Zero(t, free)
}

// flood has remote peers send all they can, then local clients, then one peer more. It says who found no room.
func flood(t *testing.T, lane func(p *testPool, name string) Lane[*book, op]) (refused []string) {
	cfg := newWorld(3).config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 100, BytesMax: 100_000, TxBytesMax: 1000, HistoryMax: 100}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		tx := func(who string, i int) []byte {
			return op{Account: fmt.Sprint(who, i), Pad: strings.Repeat("x", 500)}.raw()
		}
		for i := range 200 {
			for peer := range 5 {
				_ = lane(p, fmt.Sprint("peer", peer)).Offer(ctx, tx(fmt.Sprint("peer", peer, "-"), i))
			}
		}
		for i := range cfg.Limits.CountMax / 2 {
			if _, err := p.Submit(ctx, tx("local", i)); err != nil {
				refused = append(refused, fmt.Sprint("local ", i))
				require.ErrorIs(t, err, ErrFull)
			}
		}
		if err := lane(p, "late").Offer(ctx, tx("late", 0)); err != nil {
			refused = append(refused, "late")
			require.ErrorIs(t, err, ErrFull)
		}
		require.LessOrEqual(t, query(ctx, p.Stats).Count, cfg.Limits.CountMax)
	})
	return refused
}

// A flood of remote transactions takes no room from local clients, nor all of it from other peers. Planted: peers that all come by one lane, and by none.
func TestRemoteFlood(t *testing.T) {
	require.Empty(t, flood(t, (*testPool).Lane))
	require.Contains(t, flood(t, func(p *testPool, _ string) Lane[*book, op] { return p.Lane("") }), "local 0")
	require.Contains(t, flood(t, func(p *testPool, name string) Lane[*book, op] {
		if name == "late" { // as if what lanes hold together did not count
			p.cfg.Limits.RemoteMax = query(context.Background(), p.Stats).Count / 10
		}
		return p.Lane(name)
	}), "late")
}

// TestLaneRoom has Room and Offer agree, and says what a lane holds.
func TestLaneRoom(t *testing.T) {
	cfg := newWorld(3).config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 20, BytesMax: 2000, TxBytesMax: 200}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		a := p.Lane("a")
		admitted, bytes := 0, 0
		for i := range 30 {
			raw := op{Account: fmt.Sprint(i)}.raw()
			room := query(ctx, func(tx *stm.Tx) bool { return a.Room(tx, len(raw)) })
			err := a.Offer(ctx, raw)
			require.Equal(t, room, err == nil, "%v", err)
			if err == nil {
				admitted, bytes = admitted+1, bytes+len(raw)
			} else {
				require.ErrorIs(t, err, ErrFull)
			}
		}
		require.Equal(t, 7, admitted, "two thirds of half")
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			n, size := a.Held(tx)
			require.Equal(t, []int{admitted, bytes}, []int{n, size})
			n, size = p.Lane("b").Held(tx)
			require.Zero(t, n+size)
			require.True(t, a.Has(tx, op{Account: "0"}.id()))
			return nil
		}))
	})
}

// counted are the lanes' shares, counted anew from what is pending.
func counted(tx *stm.Tx, p *testPool) map[string]share {
	shares := map[string]share{}
	c := p.content.Get(tx)
	for _, s := range c.order.All() {
		if s.lane != "" {
			shares[s.lane] = shares[s.lane].plus(len(s.raw))
		}
	}
	return shares
}

// TestSharesFollowMoves compares the shares with what is pending while blocks come and go.
func TestSharesFollowMoves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(5)
		withPool(rt, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
			var sent [][]byte
			old := w.now.Load(ctx).fragment.Tip()
			for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
				switch rapid.IntRange(0, 5).Draw(rt, "what") {
				case 0: // a block that holds some
					n := rapid.IntRange(0, len(sent)).Draw(rt, "included")
					_, _ = w.grow(ctx, sent[:n]...)
					sent = slices.Clone(sent[n:])
				case 1: // back to where the chain once was, and another block
					tip, err := w.after(ctx, old, 1)
					require.NoError(rt, err)
					if tip.BlockNo > w.now.Load(ctx).fragment.Tip().BlockNo {
						require.NoError(rt, w.choose(ctx, tip, false))
					}
				case 2:
					_, err := p.Submit(ctx, op{Account: fmt.Sprint("local", i)}.raw())
					require.NoError(rt, err)
				default:
					raw := op{Account: fmt.Sprint("remote", i)}.raw()
					require.NoError(rt, p.Lane(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "lane")).Offer(ctx, raw))
					sent = append(sent, raw)
				}
				_, err := settle(ctx, p)
				require.NoError(rt, err)
				require.NoError(rt, stm.Do(ctx, func(tx *stm.Tx) error {
					ls := p.content.Get(tx).lanes
					require.Equal(rt, counted(tx, p), maps.Collect(ls.by.All()))
					sum := lanesOf(counted(tx, p)).all
					require.Equal(rt, sum, ls.all)
					return nil
				}))
			}
		})
	})
}

// Each peer by its lane, so that one who floods the pool takes no room from the others, and none from local clients.
func ExamplePool_Lane() {
	w := newWorld(3)
	cfg := w.config(store.NewMemory())
	cfg.Limits = Limits{CountMax: 12}
	withPool(panics{}, cfg, func(ctx context.Context, p *testPool) {
		for i := range 100 {
			_ = p.Lane("loud").Offer(ctx, op{Account: fmt.Sprint("loud", i)}.raw())
		}
		fmt.Println(query(ctx, p.Stats).Count, "of 12 are loud's")
		fmt.Println("quiet:", p.Lane("quiet").Offer(ctx, op{Account: "quiet"}.raw()))
		_, err := p.Submit(ctx, op{Account: "local"}.raw())
		fmt.Println("local:", err)
	})
	// Output:
	// 4 of 12 are loud's
	// quiet: <nil>
	// local: <nil>
}

// panics is a TestingT for examples.
type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          {}
