package simnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func configs() map[string]simnet.Config {
	return map[string]simnet.Config{
		"zero":   {},
		"narrow": {WindowBytes: 6000},
		"lossy":  {Latency: 5 * time.Millisecond, Delay: simnet.LogNormal(5*time.Millisecond, 80*time.Millisecond), Loss: 0.2, RTO: 30 * time.Millisecond},
		"far":    {Latency: 10 * time.Millisecond, Jitter: 7 * time.Millisecond, BytesPerSecond: 1 << 20, WindowBytes: 20_000},
	}
}

func TestStreamSuiteInProduction(t *testing.T) {
	p2ptest.StreamSuite(t, func(t *testing.T) (p2p.Stream, p2p.Stream) {
		return simnet.NewLink(context.Background(), simnet.Config{}).Pipe()
	})
}

func TestStreamSuiteInSimulation(t *testing.T) {
	for name, cfg := range configs() {
		for _, c := range p2ptest.StreamCases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				for seed := range uint64(5) {
					run := func() *sim.Report {
						return sim.Run(seed, func(ctx context.Context) error {
							a, b := simnet.NewLink(ctx, cfg).Pipe()
							return c.Run(ctx, a, b)
						})
					}
					first, second := run(), run()
					require.NoError(t, first.Err)
					require.Equal(t, first.Hash, second.Hash)
					require.Positive(t, first.Steps)
				}
			})
		}
	}
}

func isErr(err, want error) bool { return errors.Is(err, want) }

func isReset(err error) bool {
	var r *p2p.ResetError
	return errors.As(err, &r)
}

// Latency, jitter and bandwidth add up, and order is kept.
func TestLinkTakesItsTime(t *testing.T) {
	cfg := simnet.Config{Latency: 10 * time.Millisecond, BytesPerSecond: 1000}
	rep := sim.Run(1, func(ctx context.Context) error {
		a, b := simnet.NewLink(ctx, cfg).Pipe()
		start := env.Now(ctx)
		for range 2 {
			if _, err := a.Write(make([]byte, 100)); err != nil {
				return err
			}
		}
		for i := 1; i <= 2; i++ {
			if _, err := io.ReadFull(b, make([]byte, 100)); err != nil {
				return err
			}
			if took, want := env.Now(ctx).Sub(start), time.Duration(i)*100*time.Millisecond+10*time.Millisecond; took != want {
				return fmt.Errorf("record %d after %v, want %v", i, took, want)
			}
		}
		return nil
	})
	require.NoError(t, rep.Err)
}

// However much the jitter, the end does not overtake what comes before it.
func TestEndComesLast(t *testing.T) {
	for seed := range uint64(30) {
		rep := sim.Run(seed, func(ctx context.Context) error {
			a, b := simnet.NewLink(ctx, simnet.Config{Jitter: time.Second}).Pipe()
			if _, err := a.Write([]byte("last words")); err != nil {
				return err
			}
			if err := a.CloseWrite(); err != nil {
				return err
			}
			if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(b.Gone(tx) != nil); return nil }); err != nil {
				return err
			}
			gone := env.Now(ctx)
			got, err := io.ReadAll(b)
			if string(got) != "last words" || env.Now(ctx) != gone {
				return fmt.Errorf("read %q %v after the end", got, env.Now(ctx).Sub(gone))
			}
			return err
		})
		require.NoError(t, rep.Err)
	}
}
