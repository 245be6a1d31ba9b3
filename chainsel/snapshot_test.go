package chainsel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

// numbering is tally whose blocks say how many there are before them: "n 3" is the body of the fourth. It counts what it applies.
type numbering struct{ applied *int }

var errCount = errors.New("another count")

func (l numbering) Apply(s tallied, b chain.Block) (tallied, error) {
	*l.applied++
	if string(b.Body) != fmt.Sprint("n ", s.n) {
		return s, errCount
	}
	return tally{}.Apply(s, b)
}

// counted are n blocks of numbering.
func counted(n int) (out []chain.Block) {
	tip := genesis
	for i := range n {
		out = append(out, after(tip, fmt.Sprint("n ", i)))
		tip = out[i].Header.Tip()
	}
	return out
}

// padding makes an encoded state longer than two chunks.
var padding = make([]byte, chunkBytes)

func encodeTallied(s tallied) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		head := append(binary.BigEndian.AppendUint64(nil, uint64(s.n)), s.hash[:]...)
		_ = yield(head) && yield(padding) && yield(padding[1:])
	}
}

func decodeTallied(r io.Reader, _ chain.Block) (s tallied, err error) {
	raw, err := io.ReadAll(r)
	if err != nil || len(raw) != 40+2*chunkBytes-1 {
		return s, errors.Join(err, errBad)
	}
	return tallied{int(binary.BigEndian.Uint64(raw)), chain.Hash(raw[8:])}, nil
}

// committed is decodeTallied of a ledger whose blocks commit to the state.
func committed(r io.Reader, after chain.Block) (tallied, error) {
	s, err := decodeTallied(r, after)
	if err == nil && string(after.Body) != fmt.Sprint("n ", s.n-1) {
		err = errCount
	}
	return s, err
}

// snapping is a configuration with snapshots every 10 blocks; what it traces and how many blocks it applies go to the results.
func snapping(s store.Store) (cfg Config[tallied], traced *[]Event, applied *int) {
	cfg, traced, applied = config(s), new([]Event), new(int)
	cfg.Ledger, cfg.Encode, cfg.Decode, cfg.SnapshotEvery = numbering{applied}, encodeTallied, decodeTallied, 10
	cfg.Tracer = func(_ context.Context, e Event) {
		if e.Snapshot == snapshotUsed || e.Snapshot == snapshotUnusable { // by Open, before its tasks start
			*traced = append(*traced, e)
		}
	}
	return cfg, traced, applied
}

// snapped is a store with a chain of 47 blocks of numbering and its two snapshots, of numbers 30 and 40; and the state at its end.
func snapped(t *testing.T) (*store.Memory, tallied) {
	mem := store.NewMemory()
	cfg, _, _ := snapping(mem)
	var end tallied
	blocks := counted(47)
	for from := 0; from < len(blocks); from += 5 { // a life every few blocks, so that the task has written what was due
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			add(t, ctx, c, blocks[from:min(from+5, len(blocks))]...)
			end = query(ctx, c.Selection).State
			settled(t, ctx, c)
		})
	}
	ms, bad, err := (disk{store: mem, prefix: prefixDefault}).manifests()
	require.NoError(t, errors.Join(append(bad, err)...))
	require.Len(t, ms, snapshotsKept)
	require.EqualValues(t, 40, ms[0].at.BlockNo)
	require.EqualValues(t, 30, ms[1].at.BlockNo)
	return mem, end
}

// settled waits until the snapshot that is due, if any, is stored.
func settled(t *testing.T, ctx context.Context, c *Chain[tallied]) {
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(!unwritten(tx, c))
		return nil
	}))
}

// outcomes are what the events say happened to snapshots.
func outcomes(es []Event) (out []string) {
	for _, e := range es {
		out = append(out, fmt.Sprint(e.Snapshot, " ", e.Block.BlockNo))
	}
	return out
}

// resumed opens a copy of a store and gives its state, what became of snapshots, and how many blocks were applied.
func resumed(t *testing.T, mem *store.Memory, adapt func(*Config[tallied])) (s tallied, what []string, applied int) {
	cfg, traced, count := snapping(mem)
	if adapt != nil {
		adapt(&cfg)
	}
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		s, what, applied = query(ctx, c.Selection).State, outcomes(*traced), *count
	})
	return s, what, applied
}

// TestResumesFromSnapshot: with a snapshot only what comes after it is applied again; without the codec, all is.
func TestResumesFromSnapshot(t *testing.T) {
	mem, end := snapped(t)
	s, what, applied := resumed(t, mem.Reopen(), nil)
	require.Equal(t, end, s)
	require.Equal(t, []string{"used 40"}, what)
	require.Equal(t, 7, applied)
	s, what, applied = resumed(t, mem.Reopen(), func(c *Config[tallied]) { c.Encode, c.Decode = nil, nil })
	require.Equal(t, end, s)
	require.Empty(t, what)
	require.Equal(t, 47, applied)
}

// TestSnapshotsAreBounded: only the newest two stand, and nothing is left of the others.
func TestSnapshotsAreBounded(t *testing.T) {
	mem, _ := snapped(t)
	open(t, func() Config[tallied] { cfg, _, _ := snapping(mem); return cfg }(), func(context.Context, *Chain[tallied]) {})
	var chunks, manifests int
	for _, e := range entries(t, mem) {
		switch e.Key[len(prefixDefault)] {
		case 's':
			chunks++
		case 'm':
			manifests++
		}
	}
	require.Equal(t, snapshotsKept, manifests)
	require.Equal(t, 3*snapshotsKept, chunks)
}

// TestSpoiltSnapshots flips bits of, cuts, lengthens, deletes and moves each entry of the newest snapshot: Open says so, if there is something to
// say, and comes to the right state by the older one; if both are spoilt, from the start.
func TestSpoiltSnapshots(t *testing.T) {
	good, end := snapped(t)
	check := func(what string, want []string, spoil func(*store.Memory)) {
		bad := good.Reopen()
		spoil(bad)
		s, got, _ := resumed(t, bad, nil)
		require.Equal(t, end, s, what)
		require.Equal(t, want, got, what)
	}
	older := []string{"unusable 40", "used 30"}
	d := disk{store: good, prefix: prefixDefault}
	for _, key := range [][]byte{d.key('m', 40), d.chunkKey(40, 0), d.chunkKey(40, 2)} {
		v, err := good.Get(key)
		require.NoError(t, err)
		step := max(1, 8*len(v)/long.N(40, 4000))
		for i := 0; i < 8*len(v); i += step {
			flipped := append([]byte{}, v...)
			flipped[i/8] ^= 1 << (i % 8)
			check(fmt.Sprintf("%q bit %d", key, i), older, func(m *store.Memory) { put(t, m, key, flipped) })
		}
		check(fmt.Sprintf("%q cut", key), older, func(m *store.Memory) { put(t, m, key, v[:len(v)-1]) })
		check(fmt.Sprintf("%q longer", key), older, func(m *store.Memory) { put(t, m, key, append(v, 0)) })
	}
	check("a chunk gone", older, func(m *store.Memory) { put(t, m, d.chunkKey(40, 1), nil) })
	check("a manifest gone", []string{"used 30"}, func(m *store.Memory) { put(t, m, d.key('m', 40), nil) })
	check("two gone", []string{"unusable 40", "unusable 30"}, func(m *store.Memory) {
		put(t, m, d.chunkKey(40, 1), nil)
		put(t, m, d.chunkKey(30, 1), nil)
	})
	check("after the anchor", []string{"used 45"}, func(m *store.Memory) { // as at the end of a life
		h, err := d.header(45)
		require.NoError(t, err)
		var s tallied
		for _, b := range counted(45) {
			s, err = tally{}.Apply(s, b)
			require.NoError(t, err)
		}
		plantSnapshot(t, m, h.Tip(), s)
	})
	check("of another block", older, func(m *store.Memory) {
		plantSnapshot(t, m, chain.Tip{Point: chain.Point{Slot: 40, Hash: chain.HashOf([]byte("x"))}, BlockNo: 40}, tallied{n: 40})
	})
}

// plantSnapshot writes a snapshot with a manifest that fits it.
func plantSnapshot(t *testing.T, m *store.Memory, at chain.Tip, s tallied) {
	d := disk{store: m, prefix: prefixDefault, genesis: genesis.Point.Hash}
	written, err := d.chunks(at, encodeTallied(s), func(b *store.Batch) error {
		_, err := m.Apply(context.Background(), b, store.Durable)
		return err
	})
	require.NoError(t, err)
	put(t, m, d.key('m', at.BlockNo), written.encode())
}

// TestWrongSnapshotIsNoticed: one that is whole, but of another state: by Decode, if blocks commit to the state; else when the ledger refuses a block
// after it. Planted: a ledger that does neither takes it for the truth, so hashes alone would not do.
func TestWrongSnapshotIsNoticed(t *testing.T) {
	mem, end := snapped(t)
	h, err := disk{store: mem, prefix: prefixDefault}.header(40)
	require.NoError(t, err)
	plantSnapshot(t, mem, h.Tip(), tallied{n: 41})
	s, what, applied := resumed(t, mem.Reopen(), func(c *Config[tallied]) { c.Decode = committed })
	require.Equal(t, end, s)
	require.Equal(t, []string{"unusable 40", "used 30"}, what)
	require.Equal(t, 17, applied, "noticed before a block was applied")
	s, what, applied = resumed(t, mem.Reopen(), nil)
	require.Equal(t, end, s)
	require.Equal(t, []string{"unusable 40", "used 30"}, what)
	require.Equal(t, 18, applied, "noticed at the first block")
	s, what, _ = resumed(t, mem.Reopen(), func(c *Config[tallied]) { c.Ledger = tally{} })
	require.NotEqual(t, end, s)
	require.Equal(t, []string{"used 40"}, what)
}

// TestOldBlocksAreCheckedWhenRead: what Open does not read any more, since it lies before a snapshot, is named when somebody reads it.
func TestOldBlocksAreCheckedWhenRead(t *testing.T) {
	good, _ := snapped(t)
	for _, e := range entries(t, good) {
		key := string(e.Key)
		if kind := key[len(prefixDefault)]; kind != 'h' && kind != 'b' || key[len(key)-1] != 9 {
			continue
		}
		for i := range 8 * len(e.Value) {
			bad := good.Reopen()
			v := append([]byte{}, e.Value...)
			v[i/8] ^= 1 << (i % 8)
			put(t, bad, e.Key, v)
			cfg, _, _ := snapping(bad)
			open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
				var err error
				for b, bad := range c.Range(ctx, counted(20)[4].Point(), counted(20)[14].Point()) {
					if err = bad; err == nil && string(b.Body) != fmt.Sprint("n ", b.Header.BlockNo()-1) {
						require.Fail(t, "a wrong body", "%q bit %d", e.Key, i)
					}
				}
				require.ErrorIs(t, err, ErrCorrupt, "%q bit %d", e.Key, i)
				if strings.Contains(key, "/h") {
					_, err = c.At(ctx, 9)
					require.ErrorIs(t, err, ErrCorrupt, "%q bit %d", e.Key, i)
				}
			})
		}
	}
}

// snapshotCrash stops a life with snapshots at an operation of the disk, opens what was durable, and gives what became of snapshots.
func snapshotCrash(seed uint64, op int, effect bool, disguise func(store.Store) store.Store) (stopped bool, what []string, err error) {
	r := sim.Run(seed, func(ctx context.Context) error {
		var content *store.Memory
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			d, err := storetest.NewSlow(ctx, s, store.NewMemory())
			if err != nil {
				return err
			}
			d.StopAt, d.Effect, content = op, effect, d.Durable
			cfg, _, _ := snapping(disguise(d))
			cfg.SnapshotEvery = 3
			c, err := Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			for _, b := range counted(20) {
				if _, err := c.AddBlock(ctx, b); err != nil {
					return err
				}
			}
			stopped, err = stm.Query(ctx, func(tx *stm.Tx) bool {
				stopped := d.Stopped.Get(tx)
				tx.Check(stopped || c.Tip(tx).BlockNo == 20 && !unwritten(tx, c) && d.Idle(tx))
				return stopped
			})
			if err != nil {
				return err
			}
			return errDone
		})
		if !errors.Is(err, errDone) {
			return err
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			cfg, traced, _ := snapping(content)
			c, err := Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			what = outcomes(*traced)
			sel, err := stm.Query(ctx, c.Selection)
			if err == nil && sel.State.n != int(sel.Tip().BlockNo) {
				err = fmt.Errorf("state %v at %v", sel.State, sel.Tip())
			}
			return err
		})
	})
	return stopped, what, r.Err
}

// hasty hands a snapshot's manifest to the disk before its chunks: the bug that "durable before used" excludes.
type hasty struct {
	store.Store
	held *[]*store.Batch
}

func (h hasty) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	kind := byte(0)
	for op := range b.Ops() {
		kind = max(kind, op.Key[len(prefixDefault)])
	}
	for op := range b.Ops() {
		if kind == 's' && !op.Delete {
			*h.held = append(*h.held, b)
			return store.DoneTicket(nil), nil
		}
	}
	t, err := h.Store.Apply(ctx, b, d)
	if kind == 'm' && err == nil {
		for _, b := range *h.held {
			if _, err := h.Store.Apply(ctx, b, store.Durable); err != nil {
				return nil, err
			}
		}
		*h.held = nil
	}
	return t, err
}

// TestCrashWhileSnapshotting: at whichever operation the disk stops, no snapshot that is found is torn. Planted: a manifest before its chunks.
func TestCrashWhileSnapshotting(t *testing.T) {
	matrix := func(disguise func(store.Store) store.Store) (points, used, torn int) {
		for seed := range uint64(long.N(2, 100)) {
			for op, more := 1, true; more; op++ {
				more = false
				for _, effect := range []bool{false, true} {
					stopped, what, err := snapshotCrash(seed, op, effect, disguise)
					require.NoError(t, err)
					more, points = more || stopped, points+1
					for _, w := range what {
						if strings.HasPrefix(w, snapshotUsed) {
							used++
						} else {
							torn++
						}
					}
				}
			}
		}
		return points, used, torn
	}
	points, used, torn := matrix(func(s store.Store) store.Store { return s })
	t.Logf("%d crashes, %d resumed from a snapshot", points, used)
	require.NotZero(t, used)
	require.Zero(t, torn)
	_, _, torn = matrix(func(s store.Store) store.Store { return hasty{s, new([]*store.Batch)} })
	require.NotZero(t, torn, "the check would not notice")
}

// TestSnapshotFailureEndsTheScope: a store that fails under a snapshot is a value that ends the chain's scope.
func TestSnapshotFailureEndsTheScope(t *testing.T) {
	broken := errors.New("broken")
	mem, _ := snapped(t)
	cfg, _, _ := snapping(mem)
	cfg.Store = failing{mem, broken}
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, cfg)
		if err != nil {
			return err
		}
		for _, b := range counted(80)[47:] {
			if _, err := c.AddBlock(ctx, b); err != nil {
				return err
			}
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(c.Tip(tx).BlockNo == 0); return nil })
	})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "snapshot")
}

// failing fails at the chunks of snapshots.
type failing struct {
	*store.Memory
	err error
}

func (f failing) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	for op := range b.Ops() {
		if op.Key[len(prefixDefault)] == 's' && !op.Delete {
			return nil, f.err
		}
	}
	return f.Memory.Apply(ctx, b, d)
}

// unwritten reports whether a snapshot waits to be written, or is being written.
func unwritten[S any](tx *stm.Tx, c *Chain[S]) bool {
	_, ok := c.next.Find(tx, struct{}{})
	return ok
}
