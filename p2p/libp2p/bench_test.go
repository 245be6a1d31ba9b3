package libp2p_test

import (
	"context"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// The peer in every benchmark is the bare libp2p stream, in the same run, over the same two hosts.

const benchID, rawID = "/bench/ours/1", "/bench/raw/1"

type duplex interface {
	io.Reader
	io.Writer
}

// bench gives a bare stream and one of ours to a host that runs far on the other end of each.
func bench(b *testing.B, tr libp2p.Transport, far func(duplex), f func(ctx context.Context, kind string, s duplex)) {
	scope(b, func(ctx context.Context, s *registry.Scope) {
		x := newNode(b, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
		y := newNode(b, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{Protocols: []string{benchID}})
		y.host.SetStreamHandler(rawID, func(st network.Stream) { far(st); _ = st.Reset() })
		id, err := x.Connect(ctx, y.addr)
		require.NoError(b, err)
		bare, err := x.host.NewStream(ctx, y.host.ID(), rawID)
		require.NoError(b, err)
		f(ctx, "raw", bare)
		_ = bare.Reset()
		for _, kind := range []string{"ours", "watched"} {
			ours, err := x.Open(ctx, id, benchID)
			require.NoError(b, err)
			in, err := y.Accept(ctx)
			require.NoError(b, err)
			s.Go("far", func(context.Context) error { far(in.Stream); in.Stream.Reset(0); return nil })
			if kind == "watched" {
				f(ctx, kind, watched{ours, ours.Watch})
			} else {
				f(ctx, kind, ours)
			}
			ours.Reset(0)
		}
	})
}

// watched calls Watch before each read, as a server does that waits between two requests.
type watched struct {
	duplex
	watch func()
}

func (w watched) Read(p []byte) (int, error) { w.watch(); return w.duplex.Read(p) }

func BenchmarkPingPong(b *testing.B) {
	for _, tr := range []libp2p.Transport{libp2p.TCP, libp2p.QUIC} {
		far := func(s duplex) {
			buf := make([]byte, 653)
			for {
				if _, err := io.ReadFull(s, buf); err != nil {
					return
				}
				if _, err := s.Write(buf); err != nil {
					return
				}
			}
		}
		bench(b, tr, far, func(_ context.Context, kind string, s duplex) {
			b.Run("transport="+string(tr)+"/stream="+kind, func(b *testing.B) {
				buf := make([]byte, 653)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Write(buf); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(s, buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkOneWay(b *testing.B) {
	for _, tr := range []libp2p.Transport{libp2p.TCP, libp2p.QUIC} {
		far := func(s duplex) {
			buf := make([]byte, 32<<10)
			for {
				if _, err := s.Read(buf); err != nil {
					return
				}
			}
		}
		bench(b, tr, far, func(_ context.Context, kind string, s duplex) {
			if kind == "watched" {
				return
			}
			b.Run("transport="+string(tr)+"/stream="+kind, func(b *testing.B) {
				buf := make([]byte, 32<<10)
				b.SetBytes(int64(len(buf)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Write(buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	two(b, libp2p.TCP, func(ctx context.Context, s *registry.Scope, x, y node) {
		require.NoError(b, s.Daemon(ctx, "reset", func(ctx context.Context, ready func()) error {
			ready()
			for {
				in, err := y.Accept(ctx)
				if err != nil {
					return err
				}
				buf := make([]byte, 1)
				_, _ = in.Stream.Read(buf)
				_, _ = in.Stream.Write(buf)
				in.Stream.Reset(0)
			}
		}))
		y.host.SetStreamHandler(rawID, func(st network.Stream) {
			buf := make([]byte, 1)
			_, _ = st.Read(buf)
			_, _ = st.Write(buf)
			_ = st.Close()
		})
		id, err := x.Connect(ctx, y.addr)
		require.NoError(b, err)
		first := func(b *testing.B, s duplex) {
			buf := []byte("x")
			if _, err := s.Write(buf); err != nil {
				b.Fatal(err)
			}
			_, _ = s.Read(buf)
		}
		b.Run("stream=raw", func(b *testing.B) {
			for b.Loop() {
				st, err := x.host.NewStream(ctx, y.host.ID(), rawID)
				if err != nil {
					b.Fatal(err)
				}
				first(b, st)
				_ = st.Reset()
			}
		})
		b.Run("stream=ours", func(b *testing.B) {
			for b.Loop() {
				st, err := x.Open(ctx, id, echoID)
				if err != nil {
					b.Fatal(err)
				}
				first(b, st)
				st.Reset(0)
			}
		})
	})
}

func BenchmarkGone(b *testing.B) {
	two(b, libp2p.TCP, func(ctx context.Context, _ *registry.Scope, x, y node) {
		sx, sy := pair(b, ctx, x, y)
		sy.Watch()
		b.Run("op=query", func(b *testing.B) {
			for b.Loop() {
				_ = stm.Do(ctx, sy.Gone)
			}
		})
		b.Run("op=watch", func(b *testing.B) {
			for b.Loop() {
				sy.Watch()
			}
		})
		sx.Reset(0)
		sy.Reset(0)
	})
}
