package chainsel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

// stored is a store with a chain of n blocks.
func stored(t *testing.T, n int) *store.Memory {
	mem := store.NewMemory()
	open(t, config(mem), func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, run(genesis, n, "a")...) })
	return mem
}

// reopen opens what cfg names and gives the tip.
func reopen(cfg Config[tallied]) (tip chain.Tip, err error) {
	err = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, cfg)
		if err != nil {
			return err
		}
		tip = c.sel.Load(ctx).Tip()
		return nil
	})
	return tip, err
}

func entries(t *testing.T, m *store.Memory) (out []store.Entry) {
	for e, err := range m.Scan(nil, nil) {
		require.NoError(t, err)
		out = append(out, e)
	}
	return out
}

func put(t *testing.T, m *store.Memory, key, value []byte) {
	b := new(store.Batch)
	if value == nil {
		b.Delete(key)
	} else {
		b.Put(key, value)
	}
	_, err := m.Apply(context.Background(), b, store.Durable)
	require.NoError(t, err)
}

// TestCorruptionIsNeverSilent flips every bit, cuts every value and deletes every entry of a stored chain, one at a time: Open names it, or it has
// no effect; and it writes nothing.
func TestCorruptionIsNeverSilent(t *testing.T) {
	good := stored(t, 7)
	tip, err := reopen(config(good))
	require.NoError(t, err)
	check := func(what string, spoil func(*store.Memory)) {
		bad := good.Reopen()
		spoil(bad)
		before := entries(t, bad)
		got, err := reopen(config(bad))
		var corrupt *CorruptError
		switch {
		case err == nil:
			require.Equal(t, tip, got, what)
		default:
			require.ErrorAs(t, err, &corrupt, what)
			require.ErrorIs(t, err, ErrCorrupt)
			require.Contains(t, err.Error(), `below "chain/"`)
		}
		require.Equal(t, before, entries(t, bad), what)
	}
	for _, e := range entries(t, good) {
		name := fmt.Sprintf("%q", e.Key)
		for i := range 8 * len(e.Value) {
			if i%8 != 0 && i%8 != 7 && len(e.Value) > 20 { // some bits of long values are enough
				continue
			}
			v := append([]byte{}, e.Value...)
			v[i/8] ^= 1 << (i % 8)
			check(fmt.Sprint(name, " bit ", i), func(m *store.Memory) { put(t, m, e.Key, v) })
		}
		check(name+" cut", func(m *store.Memory) { put(t, m, e.Key, e.Value[:len(e.Value)-1]) })
		check(name+" longer", func(m *store.Memory) { put(t, m, e.Key, append(e.Value, 0)) })
		check(name+" gone", func(m *store.Memory) { put(t, m, e.Key, nil) })
		k := append([]byte{}, e.Key...)
		k[len(k)-1] ^= 0x40
		check(name+" moved", func(m *store.Memory) { put(t, m, e.Key, nil); put(t, m, k, e.Value) })
	}
}

func TestOpenRefuses(t *testing.T) {
	mem := stored(t, 7)
	for name, spoil := range map[string]func(*Config[tallied]){
		"genesis": func(c *Config[tallied]) { c.Genesis.Point.Hash = chain.HashOf([]byte("other")) },
		"block 1": func(c *Config[tallied]) { c.CheckHeader = func(*chain.Header) error { return errBad } },
	} {
		cfg := config(mem.Reopen())
		spoil(&cfg)
		_, err := reopen(cfg)
		require.ErrorIs(t, err, ErrCorrupt, name)
		require.ErrorContains(t, err, name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := newChain(ctx, config(mem))
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, mem.Close())
	_, err = reopen(config(mem))
	require.ErrorIs(t, err, store.ErrClosed)
}

func TestConfigNamesTheField(t *testing.T) {
	for name, spoil := range map[string]func(*Config[tallied]){
		"Genesis":          func(c *Config[tallied]) { c.Genesis.BlockNo = 1 },
		"K":                func(c *Config[tallied]) { c.K = 0 },
		"Ledger":           func(c *Config[tallied]) { c.Ledger = nil },
		"Store":            func(c *Config[tallied]) { c.Store = nil },
		"QueueMax":         func(c *Config[tallied]) { c.QueueMax = -1 },
		"VolatileMax":      func(c *Config[tallied]) { c.VolatileMax = 1 << 30 },
		"VolatileBytesMax": func(c *Config[tallied]) { c.VolatileBytesMax = store.BatchBytesMax },
		"InvalidMax":       func(c *Config[tallied]) { c.InvalidMax = -1 },
		"FollowersMax":     func(c *Config[tallied]) { c.FollowersMax = -1 },
		"LogMax":           func(c *Config[tallied]) { c.LogMax = -1 },
		"SnapshotEvery":    func(c *Config[tallied]) { c.SnapshotEvery = -1 },
		"Encode":           func(c *Config[tallied]) { c.Decode = decodeTallied },
		"RangeMax":         func(c *Config[tallied]) { c.RangeMax = -1 },
		"Prefix":           func(c *Config[tallied]) { c.Prefix = string(make([]byte, 1000)) },
	} {
		cfg := config(store.NewMemory())
		spoil(&cfg)
		_, err := reopen(cfg)
		require.ErrorContains(t, err, "chainsel: Config."+name+" ")
	}
}

// TestBatchHoldsEverySwitch: the largest volatile part that Config accepts makes a batch that the store accepts.
func TestBatchHoldsEverySwitch(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.K, cfg.VolatileMax = 2000, 4000
	cfg.VolatileBytesMax = store.BatchBytesMax - (batchReserve+2*len(prefixDefault))*(cfg.K+cfg.VolatileMax+1)
	require.NoError(t, cfg.complete())
	c := &Chain[tallied]{cfg: cfg, disk: disk{prefix: cfg.Prefix}}
	var blocks []chain.Block
	tip, left := genesis, cfg.VolatileBytesMax
	for i := range cfg.VolatileMax {
		body := make([]byte, max(0, left/(cfg.VolatileMax-i)-len(after(tip, "").Header.Bytes())-2))
		b := after(tip, string(body))
		blocks, tip = append(blocks, b), b.Header.Tip()
		left -= len(b.Header.Bytes()) + len(b.Body)
	}
	require.Less(t, left, cfg.VolatileMax*10)
	batch := c.disk.move(0, chain.BlockNo(cfg.VolatileMax+cfg.K), blocks, 5)
	require.NoError(t, batch.Err())
	require.Equal(t, 2*(cfg.VolatileMax+cfg.K)+1, batch.Len())
}

// TestAnchorSurvives: what no rollback passed before a restart, none passes after it, also when the fragment is shorter than K.
func TestAnchorSurvives(t *testing.T) {
	mem := store.NewMemory()
	cfg := config(mem)
	a := run(genesis, 10, "a")
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, a...) })
	cfg.K = 8
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		sel := query(ctx, c.Selection)
		require.EqualValues(t, 5, sel.Fragment.Anchor().BlockNo)
		require.Equal(t, 10, sel.State.n)
		require.Equal(t, TooOld, add(t, ctx, c, run(a[3].Header.Tip(), 1, "b")...).Verdict)
	})
	cfg.K = 2
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		require.EqualValues(t, 8, query(ctx, c.Selection).Fragment.Anchor().BlockNo)
	})
}
