package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/stm"
)

// The treap is a map, and older roots keep their content.
func TestTreapIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			root *node
			ref  map[string]string
		}
		versions := []version{{nil, map[string]string{}}}
		key := rapid.StringN(0, 3, 3)
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "version")]
			next := version{ref: maps.Clone(from.ref)}
			k := key.Draw(t, "key")
			if rapid.Bool().Draw(t, "delete") {
				delete(next.ref, k)
				next.root = from.root.without([]byte(k))
			} else {
				next.ref[k] = fmt.Sprint(i)
				next.root = from.root.with(Entry{[]byte(k), []byte(next.ref[k])})
			}
			versions = append(versions, next)
		}
		lo, hi := key.Draw(t, "from"), key.Draw(t, "to")
		for _, v := range versions {
			var got, want []string
			v.root.scan([]byte(lo), []byte(hi), func(e Entry) bool { got = append(got, string(e.Key)+"="+string(e.Value)); return true })
			for _, k := range slices.Sorted(maps.Keys(v.ref)) {
				if lo <= k && (hi == "" || k < hi) {
					want = append(want, k+"="+v.ref[k])
				}
				if string(v.root.find([]byte(k)).entry.Value) != v.ref[k] {
					t.Fatalf("find %q", k)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("scan [%q, %q): got %v, want %v", lo, hi, got, want)
			}
		}
	})
}

// Sequential keys, the usual ones, must not make a list of it.
func TestTreapIsShallow(t *testing.T) {
	var root *node
	for i := range 10_000 {
		root = root.with(Entry{Key: fmt.Appendf(nil, "block%08d", i)})
	}
	require.Less(t, depth(root), 60)
}

func depth(n *node) int {
	if n == nil {
		return 0
	}
	return 1 + max(depth(n.left), depth(n.right))
}

func TestTicket(t *testing.T) {
	ctx, bad := context.Background(), errors.New("bad")
	tk := NewTicket()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, tk.Wait(cancelled), context.Canceled)
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
		_, done := tk.Done(tx)
		require.False(t, done)
		tk.Complete(tx, bad)
		tk.Complete(tx, nil) // only the first counts
		err, done := tk.Done(tx)
		require.True(t, done)
		require.Equal(t, bad, err)
		return nil
	}))
	require.Equal(t, bad, tk.Wait(ctx))
	require.NoError(t, DoneTicket(nil).Wait(ctx))
}

func TestBatch(t *testing.T) {
	b := new(Batch)
	b.Put([]byte("k"), nil)
	b.Delete([]byte("l"))
	require.Equal(t, 2, b.Len())
	require.Equal(t, 2+2*opBytes, b.SizeBytes())
	require.NoError(t, b.Freeze())
	require.PanicsWithValue(t, "store: change of a batch that was applied", func() { b.Put([]byte("k"), nil) })
	require.Equal(t, 2, b.Len())

	full := new(Batch)
	full.Put([]byte("k"), make([]byte, BatchBytesMax-opBytes-1))
	require.NoError(t, full.Err())
	full.Delete([]byte("l"))
	require.ErrorIs(t, full.Err(), ErrLimit)
	require.Equal(t, 1, full.Len(), "what does not fit is not kept")
	require.Equal(t, []string{"queued", "written", "durable", "unknown durability"},
		[]string{Queued.String(), Written.String(), Durable.String(), Durability(9).String()})
}
