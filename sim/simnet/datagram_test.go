package simnet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// sent sends n numbered datagrams from a to b and says what came, in order, until nothing came for a second.
func sent(ctx context.Context, net *simnet.Net, cfg simnet.DatagramConfig, n int) (got []byte, b *simnet.Node, err error) {
	a, err := net.Join(ctx, "a", simnet.NodeConfig{Datagrams: cfg})
	if err != nil {
		return nil, nil, err
	}
	if b, err = net.Join(ctx, "b", simnet.NodeConfig{Datagrams: cfg}); err != nil {
		return nil, nil, err
	}
	for i := range n {
		if err := a.Send(ctx, "b", []byte{byte(i)}); err != nil {
			return nil, nil, err
		}
	}
	for {
		short, cancel := env.WithTimeout(ctx, time.Second)
		d, err := stm.Atomically(short, b.Receive)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return got, b, nil
		}
		if err != nil || d.From != "a" {
			return nil, nil, fmt.Errorf("from %q: %w", d.From, err)
		}
		got = append(got, d.Data[0])
	}
}

// What datagrams suffer comes about, is counted, and nothing else comes about.
func TestDatagrams(t *testing.T) {
	for name, c := range map[string]struct {
		net                    simnet.Config
		cfg                    simnet.DatagramConfig
		lost, twice, reordered bool
	}{
		"nothing":     {simnet.Config{Latency: time.Millisecond}, simnet.DatagramConfig{}, false, false, false},
		"loss":        {simnet.Config{Latency: time.Millisecond}, simnet.DatagramConfig{Loss: 0.3}, true, false, false},
		"duplication": {simnet.Config{Latency: time.Millisecond}, simnet.DatagramConfig{Duplicate: 0.3}, false, true, false},
		"reordering":  {simnet.Config{Jitter: time.Second}, simnet.DatagramConfig{}, false, false, true},
		"everything":  {simnet.Config{Jitter: time.Second}, simnet.DatagramConfig{Loss: 0.2, Duplicate: 0.2}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 50
			times := make([]int, n)
			reordered, lost, twice := false, 0, 0
			r := sim.Run(1, func(ctx context.Context) error {
				got, _, err := sent(ctx, simnet.New(c.net), c.cfg, n)
				for i, x := range got {
					times[x]++
					reordered = reordered || i > 0 && x < got[i-1]
				}
				return err
			})
			require.NoError(t, r.Err)
			for _, k := range times {
				switch k {
				case 0:
					lost++
				case 2:
					twice++
				}
				require.LessOrEqual(t, k, 2)
			}
			require.Equal(t, c.lost, lost > 0)
			require.Equal(t, c.twice, twice > 0)
			require.Equal(t, c.reordered, reordered)
			require.Equal(t, lost, r.Faults[simnet.LossFault])
			require.Equal(t, twice, r.Faults[simnet.DuplicateFault])
		})
	}
}

// An inbox is bounded, and what finds no room is counted; partitions and clogs let nothing through.
func TestDatagramsThatDoNotArrive(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{})
		got, b, err := sent(ctx, net, simnet.DatagramConfig{InboxMax: 3}, 10)
		if dropped, _ := stm.Query(ctx, b.Dropped); err != nil || len(got) != 3 || dropped != 7 {
			return fmt.Errorf("%d came, %d were dropped, %w", len(got), dropped, err)
		}
		if err := net.Clog(ctx, "a", "b"); err != nil {
			return err
		}
		if got, _, err = sent(ctx, net, simnet.DatagramConfig{}, 3); len(got) != 0 || err != nil {
			return fmt.Errorf("%d came through a clog, %w", len(got), err)
		}
		if err := errors.Join(net.Unclog(ctx, "a", "b"), net.Part(ctx, "a")); err != nil {
			return err
		}
		if got, _, err = sent(ctx, net, simnet.DatagramConfig{}, 3); len(got) != 0 || err != nil {
			return fmt.Errorf("%d came through a partition, %w", len(got), err)
		}
		return net.Heal(ctx)
	})
}

func ExampleNode_Send() {
	r := sim.Run(1, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{Latency: 20 * time.Millisecond})
		lossy := simnet.NodeConfig{Datagrams: simnet.DatagramConfig{Loss: 0.5}}
		a, err := net.Join(ctx, "a", lossy)
		if err != nil {
			return err
		}
		b, err := net.Join(ctx, "b", lossy)
		if err != nil {
			return err
		}
		for i := range 4 {
			if err := a.Send(ctx, "b", fmt.Append(nil, "ping ", i)); err != nil {
				return err
			}
		}
		d, err := stm.Atomically(ctx, b.Receive)
		fmt.Printf("%s from %s\n", d.Data, d.From)
		return err
	})
	fmt.Println(r.Err, "lost:", r.Faults[simnet.LossFault])
	// Output:
	// ping 0 from a
	// <nil> lost: 2
}
