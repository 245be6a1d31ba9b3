package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// TestPardon: a peer refused for slowness, which may have been nobody's fault, is dialled again when its time is over, and not before.
func TestPardon(t *testing.T) {
	const refusal = 10 * time.Minute
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			away, err := w.config(ctx, 0)
			if err != nil {
				return err
			}
			dialler, err := w.config(ctx, 1, 0)
			if err != nil {
				return err
			}
			if _, err := node.Start(ctx, s, away); err != nil {
				return err
			}
			n, err := node.Start(ctx, s, dialler)
			if err != nil {
				return err
			}
			ctx, cancel := env.WithTimeout(ctx, 2*refusal) // without it a peer that is never dialled again would hang the test
			defer cancel()
			peers := func(want int) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(n.Peers(tx)) == want); return nil })
			}
			if err := peers(1); err != nil {
				return err
			}
			at := env.Now(ctx)
			dialler.Peers.Report(ctx, &p2p.Violation{Peer: name(0), Protocol: "chainsync", State: "Idle", Kind: p2p.Timeout, Err: errors.New("slow")})
			if err := peers(0); err != nil {
				return err
			}
			if err := peers(1); err != nil {
				return err
			}
			if d := env.Now(ctx).Sub(at); d < refusal {
				return errors.New("dialled again while refused, after " + d.String())
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
	require.Less(t, r.Elapsed, 2*refusal)
}
