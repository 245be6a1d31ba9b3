package rule_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store/pebble"
)

// On a disk: turns go on while syncs are under way, nothing is lost, and a new process finds what the old one has shown.
func TestOnDisk(t *testing.T) {
	const n = 300
	dir := t.TempDir()
	live := func(body func(ctx context.Context, s *registry.Scope, m *rule.Module[*counter]) error) {
		t.Helper()
		require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			db, err := pebble.Open(s, dir, pebble.Config{})
			if err != nil {
				return err
			}
			m, err := rule.Open(ctx, counting(), rule.Wiring{Store: db})
			if err != nil {
				return err
			}
			return body(ctx, s, m)
		}))
	}
	live(func(ctx context.Context, s *registry.Scope, m *rule.Module[*counter]) error {
		err := s.Daemon(ctx, "counter", func(ctx context.Context, ready func()) error { ready(); return m.Run(ctx) })
		if err != nil {
			return err
		}
		for range n {
			if err := m.Post(ctx, 1, add{1}); err != nil {
				return err
			}
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(m.State.shown.Seen(tx) == n); return nil })
	})
	live(func(_ context.Context, _ *registry.Scope, m *rule.Module[*counter]) error {
		require.Equal(t, n, m.State.n.Get(&rule.Tx{}))
		return nil
	})
}
