package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/examples/testnet/api"
)

func TestStatusAndChain(t *testing.T) {
	withNodeRunning(t, "50ms", func(dir, url string) {
		waitFor(t, url, func(s api.Status) bool { return s.Height >= 12 })
		status, stdout, stderr := command(t.Context(), "status", "--node", url)
		require.Equal(t, 0, status, stderr)
		require.Regexp(t, `^node0 height \d+ slot \d+ tip [0-9a-f]{64} peers 0 pending 0 forged \d+ rollbacks 0 violations 0 genesis [0-9a-f]{64}\n$`, stdout)
		status, stdout, stderr = command(t.Context(), "status", "--node", url, "--json")
		require.Equal(t, 0, status, stderr)
		var s api.Status
		require.NoError(t, json.Unmarshal([]byte(stdout), &s))
		require.GreaterOrEqual(t, s.Height, uint64(12))

		status, stdout, stderr = command(t.Context(), "chain", "--node", url)
		require.Equal(t, 0, status, stderr)
		require.Regexp(t, `^(block \d+ slot \d+ [0-9a-f]{64} transfers 0\n){10,}$`, stdout)
		require.NotContains(t, stdout, "block 1 ", "the newest ones")
		status, stdout, stderr = command(t.Context(), "chain", "--node", url, "--from", "2", "--limit", "3", "--json")
		require.Equal(t, 0, status, stderr)
		var blocks []api.Block
		require.NoError(t, json.Unmarshal([]byte(stdout), &blocks))
		require.Len(t, blocks, 3)
		require.EqualValues(t, 2, blocks[0].Height)
	})
	for want, args := range map[string][]string{
		"connection refused":       {"status", "--node", "127.0.0.1:1"},
		"--limit 1001: want 1":     {"chain", "--limit", "1001"},
		"--limit 0: want 1":        {"chain", "--limit", "0"},
		"chain takes no argument":  {"chain", "7"},
		`is not the URL of a node`: {"chain", "--node", "x://y"},
	} {
		status, stdout, stderr := command(t.Context(), args...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}
