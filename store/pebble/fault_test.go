package pebble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// load applies batches until one fails, across several memory tables, and returns how many became durable.
func load(ctx context.Context, db *DB, n int) (durable int, err error) {
	for i := range n {
		tk, err := db.Apply(ctx, put(fmt.Sprintf("k%04d", i), strings.Repeat("v", 3000)), store.Durable)
		if err == nil {
			err = tk.Wait(ctx)
		}
		if err != nil {
			return i, err
		}
	}
	return n, nil
}

// holds checks that the store holds a prefix of load with at least the durable ones.
func holds(t *testing.T, disk vfs.FS, durable int, what string) {
	require.NoError(t, with(home, Config{fs: disk}, func(_ context.Context, db *DB) error {
		n := 0
		for e, err := range db.Scan(nil, nil) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("k%04d", n), string(e.Key), "%s: a prefix", what)
			n++
		}
		require.GreaterOrEqual(t, n, durable, what)
		return nil
	}), what)
}

// The i-th change of the disk fails, for every i: the store fails for good, the process lives, nothing durable is lost, and what is left
// opens again.
func TestEveryWriteFails(t *testing.T) {
	clean, failed := 0, 0
	for i, step := int32(0), int32(long.N(7, 1)); clean < 1; i += step {
		what := fmt.Sprintf("change %d", i)
		disk, durable, at := vfs.NewCrashableMem(), 0, errorfs.OnIndex(i)
		inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch {
			case op.Kind.ReadOrWrite() == errorfs.OpIsRead, op.Kind == errorfs.OpLock, op.Kind == errorfs.OpFilePreallocate:
				return nil
			}
			return at.MaybeError(op)
		})
		err := with(home, Config{fs: errorfs.Wrap(disk, inject), MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) (err error) {
			durable, err = load(ctx, db, 60)
			if err == nil {
				return nil // the failure is still to come, in Close
			}
			require.ErrorIs(t, err, store.ErrFailed, what)
			require.ErrorIs(t, err, errorfs.ErrInjected, what)
			require.ErrorContains(t, err, home, what)
			_, again := db.Apply(ctx, put("after", ""), store.Queued)
			require.Equal(t, err.Error(), again.Error(), "sticky: %s", what)
			_, again = db.Get([]byte("k0000"))
			require.Equal(t, err.Error(), again.Error(), "sticky: %s", what)
			seen, _ := stm.Query(ctx, db.Failed)
			require.Equal(t, err, seen)
			return err
		})
		if at.Index.Load() >= 0 { // not reached
			require.NoError(t, err, what)
			clean++
		} else if err != nil {
			failed++
		}
		holds(t, disk, durable, what)
		for seed := range uint64(2) {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			holds(t, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed) * 50, RNG: rng}), durable, what)
		}
	}
	t.Logf("%d failures", failed)
	require.Greater(t, failed, 5)
}

// After a sync has failed no other is tried, and no byte is written.
func TestFailedSyncIsFinal(t *testing.T) {
	var armed, fired atomic.Bool
	var later atomic.Int32
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		write := op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose
		if fired.Load() && write {
			later.Add(1)
		}
		if armed.Load() && isLog(op.Path) && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && fired.CompareAndSwap(false, true) {
			return syscall.EIO
		}
		return nil
	})
	disk := vfs.NewMem()
	err := with(home, Config{fs: errorfs.Wrap(disk, inject), MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) error {
		_, err := load(ctx, db, 10)
		require.NoError(t, err)
		armed.Store(true)
		first, err := db.Apply(ctx, put("x", "1"), store.Durable)
		require.NoError(t, err)
		require.ErrorIs(t, first.Wait(ctx), syscall.EIO)
		_, err = load(ctx, db, 10)
		require.ErrorIs(t, err, store.ErrFailed)
		return nil
	})
	require.ErrorIs(t, err, syscall.EIO, "Close reports it")
	require.True(t, fired.Load())
	require.Zero(t, later.Load(), "writes after the failed sync")
}

// A full disk: everything that writes fails from some point on.
func TestDiskFull(t *testing.T) {
	disk, left := vfs.NewCrashableMem(), atomic.Int64{}
	left.Store(40)
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && left.Add(-1) < 0 || op.Kind == errorfs.OpCreate && left.Load() < 0 {
			return syscall.ENOSPC
		}
		return nil
	})
	durable := 0
	err := with(home, Config{fs: errorfs.Wrap(disk, inject), MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) (err error) {
		durable, err = load(ctx, db, 1000)
		return err
	})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Positive(t, durable)
	err = with(home, Config{fs: errorfs.Wrap(disk, inject)}, nothing)
	require.ErrorIs(t, err, syscall.ENOSPC, "still full")
	left.Store(1 << 40)
	holds(t, disk, durable, "with room again")
}

// A crash at any moment keeps what was durable.
func TestCrash(t *testing.T) {
	for seed := range uint64(long.N(4, 200)) {
		rng := rand.New(rand.NewPCG(seed, 2))
		disk := vfs.NewCrashableMem()
		var clones []*vfs.MemFS
		var at []int
		require.NoError(t, with(home, Config{fs: disk, MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) error {
			for i := range 80 {
				d := store.Durability(rng.IntN(3))
				tk, err := db.Apply(ctx, put(fmt.Sprintf("k%04d", i), strings.Repeat("v", 3000)), d)
				if err == nil {
					err = tk.Wait(ctx)
				}
				if err != nil {
					return err
				}
				if d == store.Durable && rng.IntN(8) == 0 {
					clones = append(clones, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng}))
					at = append(at, i+1)
				}
			}
			return nil
		}))
		for i, c := range clones {
			holds(t, c, at[i], fmt.Sprintf("seed %d, crash %d", seed, i))
		}
		holds(t, disk, 80, "after Close")
	}
}

// Planted: a disk that says it has synced and has not loses what was durable, and the check above notices.
func TestLyingDiskIsNoticed(t *testing.T) {
	disk := vfs.NewCrashableMem()
	var clone *vfs.MemFS
	require.NoError(t, with(home, Config{fs: lying{disk}}, func(ctx context.Context, db *DB) error {
		_, err := load(ctx, db, 20)
		clone = disk.CrashClone(vfs.CrashCloneCfg{})
		return err
	}))
	err := with(home, Config{fs: clone}, func(_ context.Context, db *DB) error {
		_, err := db.Get([]byte("k0019"))
		return err
	})
	require.ErrorIs(t, err, store.ErrNotFound)
}

type lying struct{ vfs.FS }

func (l lying) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	if isLog(name) {
		f = lyingFile{f}
	}
	return f, err
}

func (l lying) Unwrap() vfs.FS { return nil }

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error     { return nil }
func (lyingFile) SyncData() error { return nil }

var errBoom = errors.New("boom")

// Whatever pebble calls fatal is the store's failure and nothing else.
func TestFatalIsAFailure(t *testing.T) {
	err := with(home, Config{fs: vfs.NewMem()}, func(ctx context.Context, db *DB) error {
		logger{db.fuse}.Fatalf("planted: %w", errBoom)
		_, err := db.Apply(ctx, put("a", ""), store.Queued)
		return err
	})
	require.ErrorIs(t, err, store.ErrFailed)
	require.ErrorIs(t, err, errBoom)
}

// A damaged table that a compaction reads fails the store; Close still ends.
func TestCompactionMeetsDamage(t *testing.T) {
	disk := vfs.NewMem()
	var bad atomic.Bool
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if bad.Load() && strings.HasSuffix(op.Path, ".sst") && op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	err := with(home, Config{fs: errorfs.Wrap(disk, inject), MemTableBytes: 1 << 16, CacheBytes: 1 << 16}, func(ctx context.Context, db *DB) error {
		_, err := load(ctx, db, 50)
		require.NoError(t, err)
		bad.Store(true)
		for {
			if _, err := load(ctx, db, 50); err != nil {
				return err
			}
		}
	})
	require.ErrorIs(t, err, store.ErrFailed)
}
