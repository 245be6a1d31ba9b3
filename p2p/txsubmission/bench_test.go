package txsubmission

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// endless has as many transactions of some size as are asked for. Their ids are made beforehand.
type endless struct {
	raws [][]byte
	ids  []chain.Hash
	at   map[chain.Hash]int
}

func newEndless(n, bytes int) *endless {
	e := &endless{raws: loose(1, n, bytes), at: map[chain.Hash]int{}}
	for i, raw := range e.raws {
		e.ids = append(e.ids, chain.HashOf(raw))
		e.at[e.ids[i]] = i
	}
	return e
}

func (e *endless) After(_ *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool) {
	i := int(ticket) % len(e.raws)
	return ticket + 1, e.ids[i], len(e.raws[i]), true
}

func (e *endless) Bytes(_ *stm.Tx, id chain.Hash) ([]byte, bool) { return e.raws[e.at[id]], true }

// void takes everything and remembers nothing.
type void struct {
	offer func(ctx context.Context, raw []byte) error
}

func (void) Has(*stm.Tx, chain.Hash) bool { return false }
func (void) Room(*stm.Tx, int) bool       { return true }

func (v void) Offer(ctx context.Context, raw []byte) error { return v.offer(ctx, raw) }

// BenchmarkPull is one transaction, announced, asked for and brought, over a pipe; beside it the same bytes through the same pipe,
// 64 bodies a write, with nothing asked.
func BenchmarkPull(b *testing.B) {
	for _, bytes := range []int{200, 4000} {
		src := newEndless(1000, bytes)
		b.Run(fmt.Sprintf("kind=raw/bytes=%d", bytes), func(b *testing.B) { rawPipe(b, src) })
		b.Run(fmt.Sprintf("kind=session/bytes=%d", bytes), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(bytes))
			left := b.N
			ctx, cancel := env.WithCancelCause(context.Background())
			sink := void{func(context.Context, []byte) error {
				if left--; left == 0 {
					cancel(errEnough)
				}
				return nil
			}}
			cfg := Config{Sink: func(p2p.PeerID) Sink { return sink }, Full: func(error) bool { return false }, Blame: func(error) bool { return false }}
			x, y := p2ptest.Pipe(ctx)
			err := registry.Run(context.Background(), func(_ context.Context, s *registry.Scope) error {
				s.Go("server", func(context.Context) error { _ = Serve(ctx, p2p.Conn{Stream: y}, src); return nil })
				return client(cfg).Pull(ctx, p2p.Conn{Stream: x})
			})
			if !errors.Is(err, errEnough) {
				b.Fatal(err)
			}
		})
	}
}

func rawPipe(b *testing.B, src *endless) {
	b.ReportAllocs()
	b.SetBytes(int64(len(src.raws[0])))
	ctx := context.Background()
	x, y := p2ptest.Pipe(ctx)
	err := registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		s.Go("server", func(context.Context) error {
			var out []byte
			for i := range b.N {
				raw := src.raws[i%len(src.raws)]
				out = append(binary.BigEndian.AppendUint32(out, uint32(len(raw))), raw...)
				if i%WindowMax == WindowMax-1 || i == b.N-1 {
					if _, err := y.Write(out); err != nil {
						return err
					}
					out = out[:0]
				}
			}
			return nil
		})
		buf := make([]byte, TxBytesMax)
		for range b.N {
			if _, err := io.ReadFull(x, buf[:4]); err != nil {
				return err
			}
			if _, err := io.ReadFull(x, buf[:binary.BigEndian.Uint32(buf)]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
