package node_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/store"
)

// TestEarlyBlock: a good block whose slot is a little ahead is neither a violation nor selected before its slot begins.
func TestEarlyBlock(t *testing.T) {
	const slot = 3
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 2)
		w.genesis.Start = w.genesis.Start.Add(-w.genesis.SlotLength) // it is slot 1 now
		schedule, err := leaderschedule.New(w.genesis)
		if err != nil {
			return err
		}
		signer, err := leaderschedule.OpenSigner(schedule, key(1), store.NewMemory())
		if err != nil {
			return err
		}
		h, err := signer.Sign(ctx, chain.Fields{Slot: slot, BlockNo: 1, Prev: w.genesis.Hash(), BodyHash: chain.HashOf(nil)})
		if err != nil {
			return err
		}
		early := offers(chain.Block{Header: h, Body: []byte{}})
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			cfg, err := w.config(ctx, 0)
			if err != nil {
				return err
			}
			cfg.Key = sign.PrivateKey{}
			n, err := node.Start(ctx, s, cfg)
			if err != nil {
				return err
			}
			p, err := w.puppet(ctx, early.table())
			if err != nil {
				return err
			}
			s.Go("puppet", func(ctx context.Context) error { return p.answer(ctx, s) })
			if _, err := agree(ctx, []*replica{n}, 1); err != nil {
				return err
			}
			if now, begins := env.Now(ctx), w.genesis.SlotStart(slot); now.Before(begins) {
				return fmt.Errorf("selected %v before its slot", begins.Sub(now))
			}
			return clean(ctx, n)
		})
	})
	require.NoError(t, r.Err)
}
