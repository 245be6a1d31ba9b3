package mempool

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// free is a ledger that costs nothing, so that what is measured is the pool. A block's body is the numbers of its transactions, eight bytes each.
type free struct{}

const freeBytes = 250

func freeTx(i uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, freeBytes-8, freeBytes), i)
}

func (free) Parse(raw []byte) (uint64, error) { return binary.BigEndian.Uint64(raw[freeBytes-8:]), nil }

func (free) Check(s, _ uint64) (uint64, error) { return s + 1, nil }

func (free) Transactions(b chain.Block) (out [][]byte, _ error) {
	for at := 0; at < len(b.Body); at += 8 {
		out = append(out, freeTx(binary.BigEndian.Uint64(b.Body[at:])))
	}
	return out, nil
}

// listed is the peer: a mutex, a map and a slice, without snapshot, order of validity or revalidation.
type listed struct {
	mu   sync.Mutex
	by   map[chain.Hash]int
	list [][]byte
}

func (l *listed) add(raw []byte) {
	id := chain.HashOf(raw)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.by[id]; !ok {
		l.by[id] = len(l.list)
		l.list = append(l.list, raw)
	}
}

// benchPool runs f with a pool that holds n transactions, numbered from 0.
func benchPool(b *testing.B, n int, f func(ctx context.Context, p *Pool[uint64, uint64], t *syncer[uint64, uint64])) {
	require.NoError(b, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		p, t, err := open(ctx, Config[uint64, uint64]{
			Ledger: free{}, Store: store.NewMemory(), K: 10, Limits: Limits{CountMax: 1 << 20, BytesMax: 1 << 29},
			Selection: func(*stm.Tx) (chain.Fragment, uint64) { return chain.NewFragment(genesis), 0 },
			Block:     func(context.Context, chain.Point) (chain.Block, error) { return chain.Block{}, errNoBlock },
		})
		if err != nil {
			return err
		}
		for i := range uint64(n) {
			if err := p.Offer(ctx, freeTx(i)); err != nil {
				return err
			}
		}
		f(ctx, p, t)
		return nil
	}))
}

var sizes = []int{10_000, 100_000}

// BenchmarkAdd adds to a pool that holds some already, up to a tenth more; hashing the bytes is a part of it. The ledger costs nothing.
func BenchmarkAdd(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("pending=%d/peer=mutex", n), func(b *testing.B) {
			b.ReportAllocs()
			for done := 0; done < b.N; {
				b.StopTimer()
				l := &listed{by: map[chain.Hash]int{}}
				for i := range uint64(n) {
					l.add(freeTx(i))
				}
				b.StartTimer()
				for i := 0; i < n/10 && done < b.N; i, done = i+1, done+1 {
					l.add(freeTx(uint64(n + i)))
				}
			}
		})
		b.Run(fmt.Sprintf("pending=%d/peer=pool", n), func(b *testing.B) {
			b.ReportAllocs()
			for done := 0; done < b.N; {
				b.StopTimer()
				benchPool(b, n, func(ctx context.Context, p *Pool[uint64, uint64], _ *syncer[uint64, uint64]) {
					b.StartTimer()
					for i := 0; i < n/10 && done < b.N; i, done = i+1, done+1 {
						if err := p.Offer(ctx, freeTx(uint64(n+i))); err != nil {
							b.Fatal(err)
						}
					}
					b.StopTimer()
				})
			}
		})
	}
}

// BenchmarkSnapshot is one query; Fit takes the first thousand out of it.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range sizes {
		benchPool(b, n, func(ctx context.Context, p *Pool[uint64, uint64], _ *syncer[uint64, uint64]) {
			b.Run(fmt.Sprintf("pending=%d", n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					if query(ctx, p.Snapshot).Len != n {
						b.Fatal("wrong length")
					}
				}
			})
			b.Run(fmt.Sprintf("pending=%d/fit=1000", n), func(b *testing.B) {
				b.ReportAllocs()
				s := query(ctx, p.Snapshot)
				for range b.N {
					if len(s.Fit(genesis, 0, 1000*freeBytes)) != 1000 {
						b.Fatal("wrong length")
					}
				}
			})
		})
	}
}

// BenchmarkRevalidate is a whole move: a block takes the first thousand transactions away, or is rolled back and they return. Its peer is what
// cannot be left out: one check each, and the hashes and parsing of the block's transactions.
func BenchmarkRevalidate(b *testing.B) {
	const block = 1000
	var body []byte
	for i := range uint64(block) {
		body = binary.BigEndian.AppendUint64(body, i)
	}
	h := chain.NewHeader(chain.Fields{Slot: 1, BlockNo: 1, Prev: genesis.Point.Hash, BodyHash: chain.HashOf(body), BodySize: uint32(len(body))}, nil)
	blk, err := chain.NewBlock(h, body)
	require.NoError(b, err)
	before := target[uint64]{fragment: chain.NewFragment(genesis)}
	after := before
	after.fragment, err = before.fragment.Append(h)
	require.NoError(b, err)
	for _, n := range sizes {
		b.Run(fmt.Sprintf("pending=%d/peer=bare", n), func(b *testing.B) {
			for range b.N {
				in := map[chain.Hash]bool{}
				raws, _ := free{}.Transactions(blk)
				for _, raw := range raws {
					in[chain.HashOf(raw)] = true
					_, _ = free{}.Parse(raw)
				}
				s := uint64(0)
				for i := range uint64(n) {
					s, _ = free{}.Check(s, i)
				}
			}
		})
		benchPool(b, n, func(ctx context.Context, p *Pool[uint64, uint64], t *syncer[uint64, uint64]) {
			p.cfg.Block = func(context.Context, chain.Point) (chain.Block, error) { return blk, nil }
			move := func(to target[uint64]) {
				if err := t.follow(ctx, to); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprintf("pending=%d/move=extend", n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					move(after)
					b.StopTimer()
					move(before)
					b.StartTimer()
				}
			})
			b.Run(fmt.Sprintf("pending=%d/move=rollback", n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					b.StopTimer()
					move(after)
					b.StartTimer()
					move(before)
				}
			})
		})
	}
}
