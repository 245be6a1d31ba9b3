package tendermint_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/tendermint"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

const unit = 100 * time.Millisecond

func always(d time.Duration) func(context.Context) time.Duration {
	return func(context.Context) time.Duration { return d }
}

// A decision takes three message delays: proposal, prevote, precommit. With unit delays it is exact, at every height.
func TestLatencyIsThreeDelays(t *testing.T) {
	for n := 4; n <= 7; n++ {
		r := sim.Run(1, func(ctx context.Context) error {
			w := newNetwork(ctx, always(unit), []weight{1, 1, 1, 1, 1, 1, 1}[:n]...)
			err := w.run(ctx, func(ctx context.Context) error { return w.reach(ctx, 10, time.Minute, 0, 1, 2, 3) })
			for i, d := range w.history.Load(ctx) {
				require.Equal(t, 3*unit*time.Duration(i+1), d.after, "height %d", i+1)
			}
			require.Empty(t, w.blamed.Load(ctx))
			return err
		})
		require.NoError(t, r.Err)
	}
}

// Two runs of one seed are one run: nothing depends on the order of a map.
func TestDeterministic(t *testing.T) {
	x := trouble{nodes: 4, twins: 1, crashes: true, parting: true, disks: true}
	require.Equal(t, sim.Run(7, x.scenario).Hash, sim.Run(7, x.scenario).Hash)
}

// The same replicas on goroutines, with ed25519 signatures and no delays.
func TestInProduction(t *testing.T) {
	ctx := context.Background()
	w := signing(newNetwork(ctx, always(0), 1, 1, 1, 1))
	err := w.run(ctx, func(ctx context.Context) error {
		return w.reach(ctx, tendermint.Height(long.N(20, 1000)), time.Minute, 0, 1, 2, 3)
	})
	require.NoError(t, err)
	require.Empty(t, w.blamed.Load(ctx))
}

// signing gives the nodes of a network real keys.
func signing(w *network) *network {
	domain := sign.Domain{Kind: "tendermint", Version: 1, Genesis: chain.HashOf([]byte("test"))}
	var ms []consensus.Member
	for i, n := range w.nodes {
		key := sign.KeyFromSeed([32]byte{byte(i)})
		pub := key.Public()
		n.config.Self = consensus.ID(pub[:])
		n.config.Sign = func(content []byte) []byte { return domain.Sign(key, content) }
		n.config.Verify = func(claims []consensus.Claim) []int { return verify(domain, claims) }
		ms = append(ms, consensus.Member{ID: n.config.Self, Weight: 1})
	}
	for _, n := range w.nodes {
		n.config.Validators = ms
	}
	return w
}

// verify checks a batch, as a program would.
func verify(d sign.Domain, claims []consensus.Claim) []int {
	var b sign.Batch
	for _, c := range claims {
		pub, err := sign.ParsePublicKey([]byte(c.Author))
		if err != nil {
			panic(err) // members' IDs are keys
		}
		b.Add(d, pub, c.Content, c.Signature)
	}
	var bad *sign.BatchError
	if errors.As(b.Verify(), &bad) {
		return bad.Bad
	}
	return nil
}

// What a peer sends that no correct one would is refused, and told; the others go on.
func TestHostilePeer(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		return w.run(ctx, func(ctx context.Context) error {
			for i := range 300 {
				raw := hostile(i)
				err := stm.Do(ctx, func(tx *stm.Tx) error {
					r := w.nodes[0].up.Get(tx)
					tx.Check(r != nil)
					return r.Receive(tx, "mallory", raw)
				})
				if err != nil {
					return err
				}
				if err := env.Sleep(ctx, unit/7); err != nil {
					return err
				}
			}
			blamed := w.blamed.Load(ctx)
			require.Greater(t, len(blamed), 100)
			for _, err := range blamed {
				require.ErrorContains(t, err, "mallory: tendermint: ")
			}
			return w.reach(ctx, 20, time.Minute, 0, 1, 2, 3)
		})
	})
	require.NoError(t, r.Err)
}

// hostile is the i-th of many bad messages for heights near the beginning.
func hostile(i int) []byte {
	m := tendermint.Message{Kind: tendermint.Kind(i % 5), Height: tendermint.Height(i % 40), Round: tendermint.Round(i%11 - 1), ValidRound: tendermint.Round(i%3 - 1),
		Author: i % 6, Signature: make([]byte, 64), Value: tendermint.Value{byte(i)}}
	switch i % 4 {
	case 0:
		m.Block = make([]byte, i)
	case 1:
		return m.Bytes()[:i%100]
	case 2:
		return tendermint.Decision{Height: m.Height, Block: make([]byte, i), Certificate: consensus.Certificate{Signers: []int{0, 1, 2}, Signatures: [][]byte{
			make([]byte, 64), make([]byte, 64), make([]byte, 64)}}}.Bytes()
	}
	return m.Bytes()
}
