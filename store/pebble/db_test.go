package pebble

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

// with runs body on an open store and returns the scope's error.
func with(dir string, cfg Config, body func(ctx context.Context, db *DB) error) error {
	return registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		db, err := Open(s, dir, cfg)
		if err != nil {
			return err
		}
		return body(ctx, db)
	})
}

func put(key, value string) *store.Batch {
	b := new(store.Batch)
	b.Put([]byte(key), []byte(value))
	return b
}

func TestReopen(t *testing.T) {
	dir := t.TempDir() + "/s"
	require.NoError(t, with(dir, Config{}, func(ctx context.Context, db *DB) error {
		tk, err := db.Apply(ctx, put("a", "1"), store.Durable)
		require.NoError(t, err)
		require.NoError(t, tk.Wait(ctx))
		_, err = db.Apply(ctx, put("b", "2"), store.Queued)
		return err
	}))
	require.NoError(t, with(dir, Config{}, func(ctx context.Context, db *DB) error {
		for k, v := range map[string]string{"a": "1", "b": "2"} {
			got, err := db.Get([]byte(k))
			require.NoError(t, err)
			require.Equal(t, v, string(got))
		}
		return nil
	}))
}
