package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

func given(o options, flags ...string) options {
	o.explicit = func(name string) bool {
		for _, f := range flags {
			if f == name {
				return true
			}
		}
		return false
	}
	return o
}

var start = time.UnixMilli(1_700_000_000_123)

func TestHomeInMemory(t *testing.T) {
	o := given(options{nodes: 3, slot: time.Second, seed: 7}, "seed")
	a, err := openHome(o, start)
	require.NoError(t, err)
	b, err := openHome(o, start)
	require.NoError(t, err)
	require.Equal(t, a.genesis.Hash(), b.genesis.Hash(), "a seed gives the same network")
	require.Equal(t, "--seed 7", origin(a.genesis))

	o = given(options{nodes: 3, slot: time.Second})
	c, err := openHome(o, start)
	require.NoError(t, err)
	d, err := openHome(o, start)
	require.NoError(t, err)
	require.NotEqual(t, c.genesis.Keys[0], d.genesis.Keys[0], "without a seed keys are random")
	require.Equal(t, "random keys", origin(c.genesis))
}

// TestHomeContinues: a second run finds the same network, whatever the defaults are.
func TestHomeContinues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "net")
	first, err := openHome(given(options{nodes: 3, slot: 200 * time.Millisecond, dataDir: dir}, "nodes", "slot"), start)
	require.NoError(t, err)
	again, err := openHome(given(options{nodes: 5, slot: time.Second, dataDir: dir}), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, first.genesis.Hash(), again.genesis.Hash())
	require.Len(t, again.keys, 3)
	for i := range 3 {
		require.Equal(t, first.keys[i].host.Public(), again.keys[i].host.Public())
		for _, file := range []string{leaderFile, hostFile} {
			info, err := os.Stat(filepath.Join(first.nodeDir(i), file))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	}
}

// TestHomeInterrupted: keys of a start that never wrote its genesis are used, not overwritten.
func TestHomeInterrupted(t *testing.T) {
	dir := t.TempDir()
	o := given(options{nodes: 2, slot: time.Second, dataDir: dir})
	first, err := openHome(o, start)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, genesisFile)))
	require.NoError(t, os.Remove(filepath.Join(first.nodeDir(1), hostFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, newPrefix+"1"), nil, 0o600))
	again, err := openHome(o, start)
	require.NoError(t, err)
	require.Equal(t, first.keys[0].leader.Public(), again.keys[0].leader.Public())
	require.Equal(t, first.keys[1].leader.Public(), again.keys[1].leader.Public())
}

// TestHomeRefuses: each conflict is one error that names both sides, and nothing on disk changes.
func TestHomeRefuses(t *testing.T) {
	write := func(path, content string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, path)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			_ = os.Remove(path)
			require.NoError(t, os.WriteFile(path, []byte(content), mode))
		}
	}
	foreign := chain.Genesis{Network: "other", Start: start, SlotLength: time.Second, Keys: [][]byte{make([]byte, 32)}}
	for _, tc := range []struct {
		name  string
		plant func(t *testing.T, dir string)
		fresh bool // no testnet was there before
		o     options
		flags []string
		want  string
	}{
		{name: "nodes", o: options{nodes: 5}, flags: []string{"nodes"}, want: "--nodes 5, but --data-dir DIR holds a network of 2 nodes"},
		{name: "slot", o: options{slot: time.Minute}, flags: []string{"slot"}, want: "--slot 1m0s, but --data-dir DIR holds a network with slots of 1s"},
		{name: "seed", o: options{seed: 8}, flags: []string{"seed"}, want: "--seed 8, but --data-dir DIR holds a network made with --seed 7"},
		{name: "corrupt genesis", plant: write(genesisFile, "garbage", 0o600), want: "genesis.cbor is corrupt"},
		{name: "foreign genesis", plant: write(genesisFile, string(foreign.Bytes()), 0o600), want: `of network "other" instead of "synod-testnet"`},
		{name: "corrupt key", plant: write("node1/"+leaderFile, "secret", 0o600), want: "leader.key: not a key"},
		{name: "open key", plant: write("node1/"+hostFile, "", 0o644), want: "others may read it"},
		{name: "another key", plant: write("node1/"+leaderFile, "0000000000000000000000000000000000000000000000000000000000000000\n", 0o600),
			want: "but the genesis says"},
		{name: "no key", plant: func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "node0", leaderFile))) },
			want: "no such file"},
		{name: "foreign directory", fresh: true, plant: write("letter.txt", "dear", 0o600), want: "holds letter.txt but no genesis.cbor"},
		{name: "chains without genesis", fresh: true, plant: write("node0/db/x", "", 0o600), want: "holds the chain node0/db but no genesis.cbor"},
		{name: "keys of another seed", fresh: true, o: options{seed: 7}, flags: []string{"seed"},
			plant: write("node0/"+leaderFile, "0000000000000000000000000000000000000000000000000000000000000000\n", 0o600), want: "--seed 7, but"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if !tc.fresh {
				_, err := openHome(given(options{nodes: 2, slot: time.Second, seed: 7, dataDir: dir}, "seed"), start)
				require.NoError(t, err)
			}
			if tc.plant != nil {
				tc.plant(t, dir)
			}
			before := contents(t, dir)
			tc.o.dataDir = dir
			if tc.o.nodes == 0 {
				tc.o.nodes = 2
			}
			if tc.o.slot == 0 {
				tc.o.slot = time.Second
			}
			_, err := openHome(given(tc.o, tc.flags...), start)
			require.Error(t, err)
			require.Contains(t, replaceDir(oneLine(err), dir), tc.want)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, before, contents(t, dir))
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := openHome(given(options{nodes: 2, slot: time.Second, dataDir: file}), start)
	require.ErrorContains(t, err, file)
}
