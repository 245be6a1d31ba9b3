package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func getPut(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		absent(tb, s, "a")
		apply(ctx, tb, s, store.Written, "a=1", "b=")
		want(tb, s, "", "", "a=1", "b=")
		apply(ctx, tb, s, store.Written, "a=2", "-b")
		want(tb, s, "", "", "a=2")
		absent(tb, s, "b", "A", "aa")
		apply(ctx, tb, s, store.Written) // nothing to do is fine
		want(tb, s, "", "", "a=2")
	})
}

func visible(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		for i := range 20 {
			for _, d := range []store.Durability{store.Written, store.Durable} {
				e := fmt.Sprintf("%v%d=x", d, i)
				apply(ctx, tb, s, d, e)
				x, err := s.Get([]byte(e[:len(e)-2]))
				check(tb, err == nil && string(x) == "x", "done but not visible: %q, %v", x, err)
			}
		}
		t, err := s.Apply(ctx, batch("q=1"), store.Queued)
		check(tb, err == nil, "apply: %v", err)
		type outcome struct {
			err  error
			done bool
		}
		o, err := stm.Query(ctx, func(tx *stm.Tx) outcome { err, done := t.Done(tx); return outcome{err, done} })
		check(tb, err == nil && o.done && o.err == nil, "a Queued ticket is not done at once: %v, %v", o, err)
		apply(ctx, tb, s, store.Written, "r=1")
		want(tb, s, "q", "s", "q=1", "r=1") // what was accepted before a written batch is written
	})
}

func scanOrder(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		apply(ctx, tb, s, store.Written, "b=2", "a\x00=1", "\xff=9", "a=0", "ba=3", "\x00=z")
		all := []string{"\x00=z", "a=0", "a\x00=1", "b=2", "ba=3", "\xff=9"}
		want(tb, s, "", "", all...)
		want(tb, s, "a", "b", all[1:3]...)
		want(tb, s, "a\x00", "", all[2:]...)
		want(tb, s, "", "a", all[:1]...)
		want(tb, s, "b", "b")
		want(tb, s, "c", "b")
		want(tb, s, "c", "d")
		n := 0
		for range s.Scan([]byte{}, []byte{}) {
			n++
		}
		check(tb, n == len(all), "empty bounds are open: %d of %d", n, len(all))
		n = 0
		for range s.Scan(nil, nil) { // ending early is fine
			if n++; n == 2 {
				break
			}
		}
		for k := range s.Scan([]byte("a"), nil) { // also by a nested one
			for l := range s.Scan(k.Key, nil) {
				check(tb, bytes.Equal(k.Key, l.Key), "nested scan from %q starts at %q", k.Key, l.Key)
				break
			}
		}
	})
}

func scanSnapshot(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		apply(ctx, tb, s, store.Written, "a=1", "b=1", "c=1")
		scan := s.Scan(nil, nil)
		apply(ctx, tb, s, store.Written, "a=2")
		var got []string
		for e, err := range scan {
			check(tb, err == nil, "scan: %v", err)
			if len(got) == 0 {
				apply(ctx, tb, s, store.Written, "b=3", "-c", "d=3")
			}
			got = append(got, fmt.Sprintf("%s=%s", e.Key, e.Value))
		}
		check(tb, fmt.Sprint(got) == "[a=2 b=1 c=1]", "a scan saw later changes: %v", got)
		want(tb, s, "", "", "a=2", "b=3", "d=3")
	})
}

func aliasing(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		k, v := []byte("key"), []byte("value")
		b := new(store.Batch)
		b.Put(k, v)
		k[0], v[0] = 'X', 'X'
		_, err := s.Apply(ctx, b, store.Queued)
		check(tb, err == nil, "apply: %v", err)
		apply(ctx, tb, s, store.Written, "z=1")
		x, err := s.Get([]byte("key"))
		check(tb, err == nil, "get: %v", err)
		x[0] = 'Y'
		var kept []store.Entry
		for e, err := range s.Scan(nil, nil) {
			check(tb, err == nil, "scan: %v", err)
			kept = append(kept, e)
		}
		check(tb, len(kept) == 2 && string(kept[0].Key) == "key", "entries of a scan change: %q", kept)
		kept[0].Key[0], kept[0].Value[0] = 'Y', 'Y'
		want(tb, s, "", "", "key=value", "z=1")
	})
}

func order(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		apply(ctx, tb, s, store.Written, "a=1", "a=2", "-a", "a=3", "b=1", "-b")
		want(tb, s, "", "", "a=3")
		var last *store.Ticket
		for i := range 50 {
			t, err := s.Apply(ctx, batch(fmt.Sprintf("a=%d", i), fmt.Sprintf("n%02d=", i)), store.Queued)
			if i%3 == 0 {
				t, err = s.Apply(ctx, batch(fmt.Sprintf("a=%d!", i)), store.Written)
			}
			check(tb, err == nil, "apply: %v", err)
			last = t
		}
		check(tb, last.Wait(ctx) == nil, "ticket")
		apply(ctx, tb, s, store.Durable, "z=")
		x, err := s.Get([]byte("a"))
		check(tb, err == nil && string(x) == "49", "the last batch did not win: %q, %v", x, err)
	})
}

func reopen(ctx context.Context, tb testing.TB, mk Maker) {
	open := mk(tb)
	s := open()
	for i := range 10 {
		apply(ctx, tb, s, store.Durability(i%3), fmt.Sprintf("k%d=%d", i, i), "last="+fmt.Sprint(i))
	}
	_, err := s.Apply(ctx, batch("queued=1", "-k0"), store.Queued)
	check(tb, err == nil, "apply: %v", err)
	check(tb, s.Close() == nil, "close")
	for range 3 {
		s = open()
		x, err := s.Get([]byte("queued"))
		check(tb, err == nil && string(x) == "1", "the last batch is lost after Close: %q, %v", x, err)
		want(tb, s, "k", "m", "k1=1", "k2=2", "k3=3", "k4=4", "k5=5", "k6=6", "k7=7", "k8=8", "k9=9", "last=9")
		check(tb, s.Close() == nil, "close")
	}
}

func limits(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		big := new(store.Batch)
		for i := range store.BatchBytesMax>>20 + 1 {
			big.Put([]byte{byte(i)}, make([]byte, 1<<20))
		}
		noKey, longKey := new(store.Batch), new(store.Batch)
		noKey.Put(nil, nil)
		noKey.Put([]byte("ok"), nil)
		longKey.Put([]byte("ok"), nil)
		longKey.Delete(make([]byte, store.KeyBytesMax+1))
		for _, b := range []*store.Batch{big, noKey, longKey} {
			_, err := s.Apply(ctx, b, store.Durable)
			check(tb, errors.Is(err, store.ErrLimit), "over a limit: %v", err)
		}
		apply(ctx, tb, s, store.Durable, string(bytes.Repeat([]byte("k"), store.KeyBytesMax))+"=v")
		n := 0
		for range s.Scan(nil, nil) {
			n++
		}
		check(tb, n == 1, "%d entries: a refused batch had an effect", n)
	})
}

func cancelled(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		over, cancel := env.WithCancel(ctx)
		cancel()
		t, err := s.Apply(over, batch("a=1"), store.Durable)
		if err == nil { // a queue with room may accept
			check(tb, t.Wait(ctx) == nil, "ticket")
			want(tb, s, "", "", "a=1")
			return
		}
		check(tb, errors.Is(err, context.Canceled), "cancelled: %v", err)
		apply(ctx, tb, s, store.Durable, "b=1")
		want(tb, s, "", "", "b=1")
	})
}

func closed(ctx context.Context, tb testing.TB, mk Maker) {
	s := mk(tb)()
	apply(ctx, tb, s, store.Durable, "a=1", "b=2")
	check(tb, s.Close() == nil, "close")
	check(tb, s.Close() == nil, "closing again")
	_, err := s.Get([]byte("a"))
	check(tb, errors.Is(err, store.ErrClosed), "get: %v", err)
	_, err = s.Apply(ctx, batch("c=1"), store.Queued)
	check(tb, errors.Is(err, store.ErrClosed), "apply: %v", err)
	n := 0
	for _, err := range s.Scan(nil, nil) {
		check(tb, n == 0 && errors.Is(err, store.ErrClosed), "scan: %v", err)
		n++
	}
	check(tb, n == 1, "scan of a closed store says nothing")
}

// model compares random batches with a map, across reopenings.
func model(ctx context.Context, tb testing.TB, mk Maker) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 1))
	open, ref := mk(tb), map[string]string{}
	s := open()
	for step := range 60 {
		var ops []string
		for range r.IntN(8) {
			k := fmt.Sprint(r.IntN(40))
			if r.IntN(3) == 0 {
				ops = append(ops, "-"+k)
				delete(ref, k)
				continue
			}
			ref[k] = fmt.Sprint(step)
			ops = append(ops, k+"="+ref[k])
		}
		apply(ctx, tb, s, store.Durability(1+r.IntN(2)), ops...)
		if r.IntN(10) == 0 {
			check(tb, s.Close() == nil, "close")
			s = open()
		}
		var all []string
		for _, k := range slices.Sorted(maps.Keys(ref)) {
			all = append(all, k+"="+ref[k])
		}
		want(tb, s, "", "", all...)
	}
	check(tb, s.Close() == nil, "close")
}
