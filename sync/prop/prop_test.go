package prop_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func TestFlow(t *testing.T) {
	ctx := context.Background()
	q := queue.FIFO(8, queue.Wait[int]())
	for v := range 5 {
		lost, err := prop.Send(ctx, q, v)
		require.NoError(t, err)
		require.False(t, lost.Any)
	}
	batch, err := prop.Batch(ctx, q, 3)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, batch)
	batch, err = prop.Batch(ctx, q, 3)
	require.NoError(t, err)
	require.Equal(t, []int{3, 4}, batch, "no waiting for more")

	_, err = prop.Send(ctx, q, 5)
	require.NoError(t, err)
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil }))
	_, err = prop.Send(ctx, q, 6)
	require.ErrorIs(t, err, prop.ErrClosed)
	batch, err = prop.Batch(ctx, q, 3)
	require.NoError(t, err)
	require.Equal(t, []int{5}, batch, "what was there before the end")
	_, err = prop.Batch(ctx, q, 3)
	require.ErrorIs(t, err, prop.ErrClosed)
	for range prop.All(ctx, q) {
		t.Fatal("nothing is left")
	}
}

func TestAllEndsWithContext(t *testing.T) {
	q := queue.FIFO(2, queue.Wait[int]())
	ctx, cancel := env.WithCancelCause(context.Background())
	_, err := prop.Send(ctx, q, 1)
	require.NoError(t, err)
	why := errors.New("why")
	var got []int
	var end error
	for v, err := range prop.All(ctx, q) {
		if err != nil {
			end = err
			break
		}
		got = append(got, v)
		cancel(why)
	}
	require.Equal(t, []int{1}, got)
	require.ErrorIs(t, end, context.Canceled)
	require.ErrorIs(t, end, why)
}

func TestAllLeft(t *testing.T) {
	ctx := context.Background()
	q := queue.FIFO(4, queue.Wait[int]())
	for v := range 4 {
		_, err := prop.Send(ctx, q, v)
		require.NoError(t, err)
	}
	for v, err := range prop.All(ctx, q) {
		require.NoError(t, err)
		if v == 1 {
			break
		}
	}
	v, err := prop.Recv(ctx, q)
	require.NoError(t, err)
	require.Equal(t, 2, v, "the loop took no more than it gave")
}
