package leaderschedule

import (
	"context"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// keysOf makes n keys.
func keysOf(n int) []sign.PrivateKey {
	out := make([]sign.PrivateKey, n)
	for i := range out {
		out[i] = sign.KeyFromSeed([32]byte{1, byte(i)})
	}
	return out
}

// genesisOf is a genesis with slots of one second.
func genesisOf(start time.Time, keys []sign.PrivateKey) chain.Genesis {
	g := chain.Genesis{Network: "test", Start: start, SlotLength: time.Second}
	for _, k := range keys {
		p := k.Public()
		g.Keys = append(g.Keys, p[:])
	}
	return g
}

func scheduleOf(n int) (*Schedule, []sign.PrivateKey) {
	keys := keysOf(n)
	s, err := New(genesisOf(start, keys))
	if err != nil {
		panic(err)
	}
	return s, keys
}

func signerOf(s *Schedule, key sign.PrivateKey, st store.Store) *Signer {
	g, err := OpenSigner(s, key, st)
	if err != nil {
		panic(err)
	}
	return g
}

func query[T any](ctx context.Context, q func(*stm.Tx) T) T {
	x, err := stm.Query(ctx, q)
	if err != nil {
		panic(err)
	}
	return x
}

// noBody makes empty bodies.
func noBody(*stm.Tx, chain.Slot, chain.Tip) func() []byte { return func() []byte { return nil } }
