package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
)

// atomicity has a writer keep two keys equal while a reader scans them whenever a batch has begun.
func atomicity(ctx context.Context, tb testing.TB, mk Maker) {
	opened(tb, mk, func(s store.Store) {
		apply(ctx, tb, s, store.Written, "x=0", "y=0")
		err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
			begun := cell.NewWatch(0)
			scope.Go("writer", func(ctx context.Context) error {
				defer func() {
					_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { begun.Close(tx); return nil })
				}()
				for i := range 200 {
					if _, err := prop.Send(ctx, begun, i); err != nil {
						return err
					}
					t, err := s.Apply(ctx, batch(fmt.Sprintf("x=%d", i), fmt.Sprintf("y=%d", i)), store.Written)
					if err == nil {
						err = t.Wait(ctx)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
			scope.Go("reader", func(ctx context.Context) error {
				for _, err := range prop.All(ctx, begun.Reader()) {
					if err != nil {
						return err
					}
					var got []string
					for e, err := range s.Scan(nil, nil) {
						if err != nil {
							return err
						}
						got = append(got, string(e.Value))
					}
					if len(got) != 2 || got[0] != got[1] {
						return fmt.Errorf("half a batch is visible: %v", got)
					}
				}
				return nil
			})
			return nil
		})
		check(tb, err == nil, "%v", err)
	})
}

// concurrent has several callers overwrite a key each with rising numbers.
func concurrent(ctx context.Context, tb testing.TB, mk Maker) {
	const callers, each = 8, 40
	open := mk(tb)
	s := open()
	err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		for c := range callers {
			scope.Go(fmt.Sprint("caller", c), func(ctx context.Context) error {
				for i := range each {
					d := store.Durability(i % 3)
					t, err := s.Apply(ctx, batch(fmt.Sprintf("last%d=%d", c, i), fmt.Sprintf("all%d-%d=", c, i)), d)
					if err == nil && d == store.Durable {
						err = t.Wait(ctx)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
	check(tb, err == nil, "%v", err)
	check(tb, s.Close() == nil, "close")
	s = open()
	n := 0
	for _, err := range s.Scan([]byte("all"), []byte("alm")) {
		check(tb, err == nil, "scan: %v", err)
		n++
	}
	check(tb, n == callers*each, "%d of %d batches", n, callers*each)
	for c := range callers {
		x, err := s.Get(fmt.Appendf(nil, "last%d", c))
		check(tb, err == nil && string(x) == fmt.Sprint(each-1), "caller %d ends with %q, %v", c, x, err)
	}
	check(tb, s.Close() == nil, "close")
}
