package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store/pebble"
)

// startNode starts a node of a network of one as a process.
func startNode(ctx context.Context, t *testing.T, stderr io.Writer) (*process, *ready) {
	dir := filepath.Join(t.TempDir(), "net")
	_, err := home.Create(dir, home.Params{Nodes: 1, Slot: 50 * time.Millisecond, Start: time.Now()})
	require.NoError(t, err)
	p, err := startProcess(ctx, []string{"node", "--home", filepath.Join(dir, "node0"), "--listen", anyPort("tcp"), "--http", "127.0.0.1:0", "--until-stdin-closes"}, io.Discard, stderr)
	require.NoError(t, err)
	r, err := stm.Query(t.Context(), func(tx *stm.Tx) *ready {
		tx.Check(p.ready.Get(tx) != nil || p.ended.Get(tx) != nil)
		return p.ready.Get(tx)
	})
	require.NoError(t, err)
	require.NotNil(t, r)
	require.Equal(t, p.pid(), r.PID)
	return p, r
}

// TestProcess: a process ends in order when it is told to, and by SIGKILL when it is killed; both are told apart.
func TestProcess(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	p, _ := startNode(ctx, t, &stderr)
	end()
	e, err := p.wait(ctx)
	require.NoError(t, err)
	require.Equal(t, exit{how: "exit status 0"}, e)
	require.Empty(t, stderr.String())

	p, _ = startNode(t.Context(), t, &stderr)
	require.NoError(t, p.kill())
	e, err = p.wait(t.Context())
	require.NoError(t, err)
	require.True(t, e.killed, e.how)
	require.Equal(t, &e, p.ended.Load(t.Context()))
}

// TestOrphan: a child ends when the process that started it is gone, even if that had no time to say so.
func TestOrphan(t *testing.T) {
	places := t.TempDir()
	t.Setenv("TMPDIR", places) // a parent that is killed leaves the child's directory there
	err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		out := newOutput()
		p, err := startProcess(ctx, []string{"up", "--nodes", "2", "--slot", "1s", "--kill-restart"}, out, io.Discard)
		if err != nil {
			return err
		}
		_, err = out.await(ctx, `node1 http\S+/status process \d+`)
		if err != nil {
			return err
		}
		require.NoError(t, p.kill())
		if _, err := p.wait(ctx); err != nil {
			return err
		}
		stores, err := filepath.Glob(filepath.Join(places, "*", "node1", home.StoreFolder))
		require.NoError(t, err)
		require.Len(t, stores, 1)
		for { // the child holds its store until it ends
			err := registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
				_, err := pebble.Open(s, stores[0], pebble.Config{})
				return err
			})
			if !errors.Is(err, pebble.ErrLocked) {
				return err
			}
			if err := env.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
	})
	require.NoError(t, err)
}
