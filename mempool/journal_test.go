package mempool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func put(t testing.TB, s store.Store, key string, value []byte) {
	b := new(store.Batch)
	b.Put([]byte(key), value)
	_, err := s.Apply(context.Background(), b, store.Durable)
	require.NoError(t, err)
}

func entryKey(n uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(prefixDefault), n))
}

// all is what a store holds.
func all(s store.Store) map[string]string {
	out := map[string]string{}
	for e := range s.Scan(nil, nil) {
		out[string(e.Key)] = string(e.Value)
	}
	return out
}

// The journal is replayed in order, whatever else the store holds.
func TestReplay(t *testing.T) {
	mem := store.NewMemory()
	put(t, mem, "mempool", []byte("not ours"))
	put(t, mem, "mempool0", []byte("nor this"))
	var want []chain.Hash
	for i := range 300 { // numbers of more than one byte
		o := op{Account: "a", Nonce: i}
		put(t, mem, entryKey(uint64(i)), o.raw())
		want = append(want, o.id())
	}
	put(t, mem, entryKey(300), op{Account: "a"}.raw()) // twice
	cfg := newWorld(3).config(mem)
	cfg.Limits = Limits{CountMax: 10} // lowered since: nothing that was accepted is lost
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		require.Equal(t, want, ids(query(ctx, p.Snapshot)))
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(p.Stats(tx).Local == 300); return nil }))
		_, err := p.Submit(ctx, op{Account: "b"}.raw())
		require.ErrorIs(t, err, ErrFull)
	})
	cfg.Limits = Limits{}
	withPool(t, cfg, func(ctx context.Context, p *testPool) {
		_, err := p.Submit(ctx, op{Account: "b"}.raw())
		require.NoError(t, err)
	})
	require.Equal(t, string(op{Account: "b"}.raw()), all(mem)[entryKey(300)], "behind all others")
}

// What cannot be used is named and left as it is.
func TestCorruptJournal(t *testing.T) {
	good := op{Account: "a"}.raw()
	for name, c := range map[string]struct {
		key   string
		value []byte
	}{
		"no transaction": {entryKey(1), []byte("?")},
		"empty":          {entryKey(1), nil},
		"short number":   {prefixDefault + "1234567", good},
		"long number":    {entryKey(1) + "0", good},
		"no number":      {prefixDefault, good},
		"bad signature":  {entryKey(1), op{Account: "a", Bad: true}.raw()},
	} {
		mem := store.NewMemory()
		put(t, mem, entryKey(0), good)
		put(t, mem, c.key, c.value)
		was := all(mem)
		err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			_, err := Open(ctx, s, newWorld(3).config(mem))
			return err
		})
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt, name)
		require.ErrorIs(t, err, ErrCorrupt)
		require.Equal(t, c.key, string(corrupt.Key), name)
		require.Equal(t, was, all(mem), name)
	}
}

// FuzzJournal puts anything where the journal is: Open refuses or finds it, and never panics.
func FuzzJournal(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1}, op{Account: "a"}.raw(), []byte("12345678"), op{Account: "a", Nonce: 1}.raw())
	f.Add([]byte("87654321"), []byte("{}"), []byte{}, []byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 []byte) {
		if len(key1)+len(key2) > 1000 {
			return
		}
		mem := store.NewMemory()
		put(t, mem, prefixDefault+string(key1), value1)
		put(t, mem, prefixDefault+string(key2), value2)
		var first error
		for again := range 2 {
			err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				p, err := Open(ctx, s, newWorld(3).config(mem))
				if err == nil {
					err = newWorld(3).valid(ctx, query(ctx, p.Snapshot))
				}
				return err
			})
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			if again == 0 {
				first = err
			} else if (err == nil) != (first == nil) {
				t.Fatalf("%v, then %v", first, err)
			}
		}
	})
}

// FuzzOffer takes any bytes.
func FuzzOffer(f *testing.F) {
	f.Add(op{Account: "a"}.raw())
	f.Add([]byte(`{"a":"a","n":0,"p":1,"p":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		withPool(t, newWorld(3).config(store.NewMemory()), func(ctx context.Context, p *testPool) {
			err := p.Offer(ctx, raw)
			if _, bad := (bank{}).Parse(raw); bad != nil {
				require.ErrorIs(t, err, ErrMalformed)
			}
			require.NoError(t, newWorld(3).valid(ctx, query(ctx, p.Snapshot)))
		})
	})
}

// A large journal is written in portions.
func TestPortions(t *testing.T) {
	j := newJournal[op](store.NewMemory(), "x", Limits{})
	of := func(bytes, n int) []change[op] {
		out := make([]change[op], n)
		for i := range out {
			out[i].local = &local[op]{item: &item[op]{raw: make([]byte, bytes)}}
		}
		return out
	}
	require.Equal(t, 3, j.portion(of(1, 3)))
	require.Equal(t, batchOpsMax, j.portion(of(1, 2*batchOpsMax)))
	require.Equal(t, 1, j.portion(of(batchBytesMax+1, 3)))
	require.Equal(t, 2, j.portion(of(batchBytesMax/2, 3)))
}

// A client that gives up leaves a transaction that is pending all the same, and whoever submits it again waits for it to be durable.
func TestSubmitIsCancelled(t *testing.T) {
	w := newWorld(3)
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		p, _, err := open(ctx, w.config(store.NewMemory())) // nobody writes the journal
		require.NoError(t, err)
		o := op{Account: "a"}
		var given []error
		for i := range 3 {
			scope := fmt.Sprint("client ", i)
			task := registry.Fork(s, scope, func(ctx context.Context) (error, error) {
				_, err := p.Submit(ctx, o.raw())
				return err, nil
			})
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(p.Snapshot(tx).Len == 1); return nil }))
			if i < 2 {
				task.Cancel(errDone)
			} else if err := s.Daemon(ctx, "journal", func(ctx context.Context, ready func()) error { ready(); return p.journal.run(ctx) }); err != nil {
				return err
			}
			err, _ := task.Wait(ctx)
			given = append(given, err)
		}
		require.ErrorIs(t, given[0], context.Canceled)
		require.NoError(t, given[2])
		require.Equal(t, 1, query(ctx, p.Stats).Local)
		return nil
	})
	require.NoError(t, err)
}
