package simnet_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/sim/simnode"
)

// moved sends n bytes over each stream at once and says when each has arrived.
func moved(ctx context.Context, n int, streams ...[2]*simnet.Stream) ([]time.Duration, error) {
	start, took := env.Now(ctx), make([]time.Duration, len(streams))
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i, st := range streams {
			s.Go(fmt.Sprint("writer", i), func(context.Context) error { _, err := st[0].Write(make([]byte, n)); return err })
			s.Go(fmt.Sprint("reader", i), func(ctx context.Context) error {
				_, err := io.ReadFull(st[1], make([]byte, n))
				took[i] = env.Now(ctx).Sub(start)
				return err
			})
		}
		return nil
	})
	return took, err
}

func pipe(l *simnet.Link) [2]*simnet.Stream {
	a, b := l.Pipe()
	return [2]*simnet.Stream{a, b}
}

// Streams of a link share its bandwidth, in each direction: alone 1 s for a megabyte, four together 4 s for each, and none is starved.
func TestBandwidthIsShared(t *testing.T) {
	for seed := range uint64(10) {
		r := sim.Run(seed, func(ctx context.Context) error {
			l := simnet.NewLink(ctx, simnet.Config{BytesPerSecond: 1 << 20})
			alone, err := moved(ctx, 1<<20, pipe(l))
			if err != nil || alone[0] != time.Second {
				return fmt.Errorf("alone %v, %w", alone, err)
			}
			four, err := moved(ctx, 1<<20, pipe(l), pipe(l), pipe(l), pipe(l))
			if first, last := slices.Min(four), slices.Max(four); err != nil || last != 4*time.Second || first < 3*time.Second {
				return fmt.Errorf("four %v, %w", four, err)
			}
			x, y := pipe(l), pipe(l)
			both, err := moved(ctx, 1<<20, x, [2]*simnet.Stream{y[1], y[0]})
			if err != nil || both[0] != time.Second || both[1] != time.Second {
				return fmt.Errorf("both ways %v, %w", both, err)
			}
			return nil
		}, sim.Races())
		require.NoError(t, r.Err)
	}
}

// What a node sends shares the node's bandwidth over all its links.
func TestNodesShareTheirBandwidth(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{})
		var streams [][2]*simnet.Stream
		hub, err := net.Join(ctx, "hub", simnet.NodeConfig{BytesPerSecond: 1 << 20})
		for i := range 3 {
			id := p2p.PeerID(fmt.Sprint("n", i))
			n, err := net.Join(ctx, id, simnet.NodeConfig{})
			if err == nil {
				_, err = n.Connect(ctx, "hub")
			}
			if err != nil {
				return err
			}
			mine, err := hub.Open(ctx, id, "/x/1")
			if err != nil {
				return err
			}
			in, err := n.Accept(ctx)
			if err != nil {
				return err
			}
			streams = append(streams, [2]*simnet.Stream{mine.(*simnet.Stream), in.Stream.(*simnet.Stream)})
		}
		out, err := moved(ctx, 1<<20, streams...)
		if err != nil || slices.Max(out) != 3*time.Second {
			return fmt.Errorf("out of the hub %v, %w", out, err)
		}
		for i, s := range streams {
			streams[i] = [2]*simnet.Stream{s[1], s[0]}
		}
		in, err := moved(ctx, 1<<20, streams...)
		if err != nil || slices.Max(in) != 0 {
			return fmt.Errorf("into the hub %v, %w", in, err)
		}
		return nil
	})
	require.NoError(t, r.Err)
}

// A loss costs time and nothing else, and is counted.
func TestLossIsDelay(t *testing.T) {
	losses := 0
	for seed := range uint64(30) {
		var took time.Duration
		r := sim.Run(seed, func(ctx context.Context) error {
			a, b := simnet.NewLink(ctx, simnet.Config{Latency: time.Millisecond, Loss: 0.1, RTO: time.Second}).Pipe()
			start := env.Now(ctx)
			for i := range byte(20) {
				if _, err := a.Write([]byte{i}); err != nil {
					return err
				}
			}
			got := make([]byte, 20)
			_, err := io.ReadFull(b, got)
			took = env.Now(ctx).Sub(start)
			for i, x := range got {
				if int(x) != i {
					return fmt.Errorf("byte %d is %d", i, x)
				}
			}
			return err
		})
		require.NoError(t, r.Err)
		n := r.Faults[simnet.LossFault]
		if losses += n; n == 0 {
			require.Equal(t, time.Millisecond, took)
		} else {
			require.GreaterOrEqual(t, took, time.Second)
		}
	}
	require.InDelta(t, 60, losses, 30)
}

func TestLogNormal(t *testing.T) {
	r, d := rand.New(rand.NewPCG(1, 1)), simnet.LogNormal(50*time.Millisecond, 400*time.Millisecond)
	var all []time.Duration
	for range 20_000 {
		all = append(all, d(r))
	}
	slices.Sort(all)
	require.InEpsilon(t, 50*time.Millisecond, all[10_000], 0.05)
	require.InEpsilon(t, 400*time.Millisecond, all[19_800], 0.1)
}

// A byte takes as long as it takes, whatever the clocks of the two ends show.
func TestWrongClocksDoNotChangeTheNet(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		a, b := simnet.NewLink(ctx, simnet.Config{Latency: 40 * time.Millisecond, BytesPerSecond: 1000}).Pipe()
		start := env.Now(ctx)
		early, late := simnode.New(ctx, "early", simnode.Clock{Skew: -time.Hour}), simnode.New(ctx, "late", simnode.Clock{Skew: time.Hour, DriftPPM: 50_000})
		if err := late.Start(ctx, func(context.Context) error { _, err := a.Write(make([]byte, 100)); return err }); err != nil {
			return err
		}
		if err := early.Start(ctx, func(context.Context) error { _, err := io.ReadFull(b, make([]byte, 100)); return err }); err != nil {
			return err
		}
		if err := late.Wait(ctx); err != nil {
			return err
		}
		if err := early.Wait(ctx); err != nil {
			return err
		}
		if took := env.Now(ctx).Sub(start); took != 140*time.Millisecond {
			return fmt.Errorf("took %v", took)
		}
		return nil
	})
	require.NoError(t, r.Err)
}
