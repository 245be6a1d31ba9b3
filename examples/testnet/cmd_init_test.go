package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/examples/testnet/home"
)

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	status, stdout, stderr := command(t.Context(), "init", "--out", dir, "--nodes", "2", "--hosts", "10.1.2.3,node.example.org", "--slot", "2s")
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr)
	h, err := home.Open(dir)
	require.NoError(t, err)
	require.Equal(t, dir+": genesis "+h.Genesis.Hash().String()+", slots of 2s, nodes "+h.NodeDir(0)+" "+h.NodeDir(1)+", accounts alice bob carol\n", stdout)
	n, err := home.LoadNode(h.NodeDir(0))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(n.Config.Peers[0], "/dns4/node.example.org/tcp/7600/p2p/"), n.Config.Peers)

	status, stdout, stderr = command(t.Context(), "init", "--out", dir, "--nodes", "2")
	require.Equal(t, 1, status)
	require.Empty(t, stdout)
	require.Equal(t, "testnet: "+dir+" holds a network already\n", stderr)

	other := filepath.Join(t.TempDir(), "net")
	status, stdout, stderr = command(t.Context(), "init", "--out", other, "--json", "--seed", "7", "--accounts", "dora", "--transport", "quic")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, "testnet: warning: keys are derived from --seed 7 and are no secret\n", stderr)
	var out struct {
		Genesis  string
		Homes    []string
		Accounts []string
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &out))
	require.Len(t, out.Homes, 3)
	require.Equal(t, []string{"dora"}, out.Accounts)
}

// TestInitRefuses: each fault is one line, and nothing is written.
func TestInitRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"Params.Nodes is 0":                          {"--nodes", "0"},
		"Params.Hosts are 2, want one for each of 3": {"--hosts", "a,b"},
		`"a b" is not a host name`:                   {"--hosts", "a b,c,d"},
		"--slot 1ms: want 20ms to 1h0m0s":            {"--slot", "1ms"},
		"--slot 1.5ms":                               {"--slot", "1.5ms"},
		`Params.Transport is "smoke"`:                {"--transport", "smoke"},
		`"Ann": want lower-case letters`:             {"--accounts", "Ann"},
		"names one twice":                            {"--accounts", "ann,ann"},
		"the ports of 3 nodes overlap":               {"--p2p-port", "7000", "--http-port", "7001"},
		"Params.HTTPPort is 65535":                   {"--http-port", "65535"},
		"init takes no argument":                     {"more"},
		"unknown flag: --bogus":                      {"--bogus"},
	} {
		dir := filepath.Join(t.TempDir(), "net")
		status, stdout, stderr := command(t.Context(), append([]string{"init", "--out", dir}, args...)...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		_, err := os.Stat(filepath.Join(dir, home.GenesisFile))
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}
