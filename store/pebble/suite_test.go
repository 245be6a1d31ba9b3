package pebble

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func TestSuite(t *testing.T) {
	for _, c := range storetest.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			require.NoError(t, registry.Run(context.Background(), func(_ context.Context, s *registry.Scope) error {
				c.Run(t.Context(), t, func(testing.TB) func() store.Store {
					dir := t.TempDir()
					return func() store.Store {
						db, err := Open(s, dir, Config{})
						require.NoError(t, err)
						return db
					}
				})
				return nil
			}))
		})
	}
}

// A scope that ends with work queued, with users still applying, and with a failing body: everything accepted is there.
func TestCancelledScope(t *testing.T) {
	dir, boom := t.TempDir(), errors.New("boom")
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		db, err := Open(s, dir, Config{})
		if err != nil {
			return err
		}
		s.Go("late", func(ctx context.Context) error {
			<-ctx.Done()
			free := context.WithoutCancel(ctx)
			tk, err := db.Apply(free, put("late", "1"), store.Durable)
			if err == nil {
				err = tk.Wait(free)
			}
			return err
		})
		_, err = db.Apply(ctx, put("queued", "1"), store.Queued)
		return errors.Join(err, boom)
	})
	require.ErrorIs(t, err, boom)
	require.NoError(t, with(dir, Config{}, func(_ context.Context, db *DB) error {
		for _, k := range []string{"late", "queued"} {
			_, err := db.Get([]byte(k))
			require.NoError(t, err, k)
		}
		return nil
	}))
}
