package pebble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/store"
)

const home = "/store"

// filled is a disk with a closed store on it, part in tables, part in the log, and what the store holds.
func filled(t *testing.T) (*vfs.MemFS, map[string]string) {
	disk, held := vfs.NewMem(), map[string]string{}
	for round := range 2 {
		require.NoError(t, with(home, Config{fs: disk, MemTableBytes: 1 << 16}, func(ctx context.Context, db *DB) error {
			for i := range 40 {
				k, v := fmt.Sprintf("k%d-%d", round, i), strings.Repeat(fmt.Sprint(i), 1000)
				held[k] = v
				tk, err := db.Apply(ctx, put(k, v), store.Durable)
				if err == nil {
					err = tk.Wait(ctx)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return disk, held
}

func files(t *testing.T, disk vfs.FS) map[string]string {
	names, err := disk.List(home)
	require.NoError(t, err)
	out := map[string]string{}
	for _, name := range names {
		if name == lockName {
			continue
		}
		f, err := disk.Open(disk.PathJoin(home, name))
		require.NoError(t, err)
		b, err := io.ReadAll(f)
		require.NoError(t, errors.Join(err, f.Close()))
		out[name] = string(b)
	}
	return out
}

// restored is a disk with the given files.
func restored(t *testing.T, content map[string]string) *vfs.MemFS {
	disk := vfs.NewMem()
	require.NoError(t, disk.MkdirAll(home, 0o755))
	for name, text := range content {
		f, err := disk.Create(disk.PathJoin(home, name), vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, errors.Join(err, f.Close()))
	}
	return disk
}

// A flipped bit anywhere in a closed store is reported or has no effect; it is never wrong data, never a panic, and a refused directory
// keeps its bytes.
func TestFlippedBits(t *testing.T) {
	disk, held := filled(t)
	all := func(got map[string]string) bool { return maps.Equal(got, held) }
	content := files(t, disk)
	reported, benign, wrong := flipAll(t, content, long.N(20, 2000), all)
	t.Logf("reported: %v, without effect: %v", reported, benign)
	require.Empty(t, wrong)
	require.NotZero(t, reported["sst"])
	require.NotZero(t, reported["MANIFEST"])
	require.NotZero(t, reported["SYNOD"])

	// Planted: without the seal, pebble alone takes some of the damage for a crash.
	content[markerName] = markerOpen
	_, _, wrong = flipAll(t, content, 20, all)
	require.NotEmpty(t, wrong, "the check would not notice silent loss")
}

// After a crash the log is not closed: a flipped bit in it is reported, or costs the batches from some point on. That point lies in the
// last 32 KiB, but for a few bits in the heads of the log's chunks, which pebble takes for the traces of an older log.
func TestFlippedBitsAfterCrash(t *testing.T) {
	disk, count := vfs.NewCrashableMem(), 100
	var crashed *vfs.MemFS
	early := 0 // losses before the end
	require.NoError(t, with(home, Config{fs: disk}, func(ctx context.Context, db *DB) error {
		for i := range count {
			tk, err := db.Apply(ctx, put(fmt.Sprintf("k%03d", i), strings.Repeat("v", 2000)), store.Durable)
			if err == nil {
				err = tk.Wait(ctx)
			}
			if err != nil {
				return err
			}
		}
		crashed = disk.CrashClone(vfs.CrashCloneCfg{})
		return nil
	}))
	prefix := func(got map[string]string) bool {
		for i := range len(got) {
			if got[fmt.Sprintf("k%03d", i)] != strings.Repeat("v", 2000) {
				return false
			}
		}
		if len(got) < count-(32<<10)/2000-1 {
			early++
		}
		return true
	}
	reported, benign, wrong := flipAll(t, files(t, crashed), long.N(40, 2000), prefix)
	t.Logf("reported: %v, without effect or at the end: %v, of those early: %d", reported, benign, early)
	require.Empty(t, wrong)
	require.NotZero(t, reported["log"])
	require.LessOrEqual(t, early*100, reported["log"]+100)
}

// flipAll flips bits at about n places of each file, one at a time, and counts by kind of file.
func flipAll(t *testing.T, content map[string]string, n int, ok func(map[string]string) bool) (reported, benign map[string]int, wrong []string) {
	reported, benign = map[string]int{}, map[string]int{}
	for name, text := range content {
		step := max(1, len(text)/n)
		for at := 0; at < len(text); at += step {
			flipped := []byte(text)
			flipped[at] ^= 1 << (at / step % 8)
			damaged := maps.Clone(content)
			damaged[name] = string(flipped)
			what := fmt.Sprintf("%s at %d", name, at)
			seen, right := flipOne(t, what, damaged, ok)
			switch {
			case seen:
				reported[kind(name)]++
			case right:
				benign[kind(name)]++
			default:
				wrong = append(wrong, what)
			}
		}
	}
	return reported, benign, wrong
}

func kind(name string) string {
	if _, ext, ok := strings.Cut(name, "."); ok && (ext == "sst" || ext == "log") {
		return ext
	}
	return strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' })[0]
}

// flipOne opens a damaged store and reads all of it: an error is seen, or what was read is right.
func flipOne(t *testing.T, what string, damaged map[string]string, ok func(map[string]string) bool) (seen, right bool) {
	disk, opened := restored(t, damaged), false
	err := with(home, Config{fs: disk}, func(_ context.Context, db *DB) error {
		opened = true
		got := map[string]string{}
		for e, err := range db.Scan(nil, nil) {
			if err != nil {
				return err
			}
			got[string(e.Key)] = string(e.Value)
		}
		right = ok(got)
		for k, v := range got {
			x, err := db.Get([]byte(k))
			if err != nil {
				return err
			}
			right = right && v == string(x)
		}
		return nil
	})
	if err == nil {
		return false, right
	}
	require.Truef(t, errors.Is(err, ErrCorrupt) || errors.Is(err, ErrVersion) || errors.Is(err, ErrForeign), "%s: %v", what, err)
	require.ErrorContains(t, err, home)
	after := files(t, disk)
	if opened || strings.Contains(what, ".sst") { // tables are read after all else was found right; new ones may have come
		for name, text := range damaged {
			now, there := after[name]
			require.True(t, kind(name) != "sst" || !there || now == text, "%s: %s was changed: %v", what, name, err)
		}
	} else {
		require.True(t, maps.Equal(damaged, after), "%s: refused but changed: %v", what, err)
	}
	return true, right
}
