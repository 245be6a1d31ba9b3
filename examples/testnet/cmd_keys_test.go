package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	status, _, stderr := command(t.Context(), "init", "--nodes", "1", "--out", dir, "--seed", "7")
	require.Equal(t, 0, status, stderr)
	status, listed, stderr := command(t.Context(), "keys", "list", "--home", dir)
	require.Equal(t, 0, status, stderr)
	require.Regexp(t, `^alice coin1[a-z2-7]{40}\nbob coin1[a-z2-7]{40}\ncarol coin1[a-z2-7]{40}\n$`, listed)

	status, drawn, stderr := command(t.Context(), "keys", "new", "dora", "--home", dir)
	require.Equal(t, 0, status, stderr)
	require.True(t, strings.HasPrefix(drawn, "dora coin1"))
	status, shown, stderr := command(t.Context(), "keys", "show", "dora", "--home", dir)
	require.Equal(t, 0, status, stderr)
	require.Equal(t, drawn, shown)
	status, asJSON, stderr := command(t.Context(), "keys", "list", "--home", dir, "--json")
	require.Equal(t, 0, status, stderr)
	var all []map[string]string
	require.NoError(t, json.Unmarshal([]byte(asJSON), &all))
	require.Equal(t, "dora "+all[3]["address"]+"\n", drawn)

	secret, err := os.ReadFile(filepath.Join(dir, "accounts", "dora.key"))
	require.NoError(t, err)
	for _, text := range []string{listed, drawn, shown, asJSON} {
		require.NotContains(t, text, strings.TrimSpace(string(secret)))
	}
	for want, args := range map[string][]string{
		"dora.key: file exists":                                                {"new", "dora"},
		`"../x": want lower-case`:                                              {"new", "../x"},
		`has no key "nobody" (there are: alice, bob`:                           {"show", "nobody"},
		"takes one name, but was given 0":                                      {"show"},
		"takes one name, but was given 2":                                      {"new", "a", "b"},
		`unknown command "lsit" for testnet keys (there are: list, new, show)`: {"lsit"},
		"testnet keys wants one of: list, new, show":                           {},
		"connection refused":                                                   {"show", "bob", "--node", "127.0.0.1:1"},
		`--node: api: "http://" is not the URL`:                                {"show", "bob", "--node", "http://"},
	} {
		status, stdout, stderr := command(t.Context(), append(append([]string{"keys"}, args...), "--home", dir)...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
	status, _, stderr = command(t.Context(), "keys", "list", "--home", t.TempDir())
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "no such file")
}
