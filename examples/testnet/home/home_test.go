package home

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/registry/registrytest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func start() time.Time { return time.UnixMilli(1_700_000_000_123) }

func params(nodes int) Params { return Params{Nodes: nodes, Slot: time.Second, Start: start()} }

func seeded(p Params, seed uint64) Params {
	p.Seed = &seed
	return p
}

// contents reads every file below dir: what a refusal must not change.
func contents(t testing.TB, dir string) map[string]string {
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	}))
	return out
}

// copied is a copy of a directory, with modes: quicker than to create one, which waits for the disk.
func copied(t testing.TB, from string) string {
	to := t.TempDir()
	require.NoError(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		place := filepath.Join(to, strings.TrimPrefix(path, from))
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(place, 0o700))
		}
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(place, b, info.Mode().Perm()))
	}))
	return to
}

func TestNew(t *testing.T) {
	extra := coin.Allocation{Address: coin.AddressOf(sign.KeyFromSeed([32]byte{9}).Public()), Amount: 5}
	p := seeded(params(3), 7)
	p.Allocations = []coin.Allocation{extra}
	a, err := New(p)
	require.NoError(t, err)
	b, err := New(p)
	require.NoError(t, err)
	require.Equal(t, a.Genesis.Hash(), b.Genesis.Hash(), "a seed gives the same network")
	seed, ok := a.Seed()
	require.True(t, ok)
	require.Equal(t, "7", seed)
	_, state, err := coin.NewLedger(a.Genesis)
	require.NoError(t, err)
	require.EqualValues(t, 5, state.Account(extra.Address).Balance)
	require.EqualValues(t, Funds, state.Account(a.Accounts[0].Address()).Balance)
	require.EqualValues(t, Funds, state.Account(coin.AddressOf(a.Load[LoadAccounts-1].Public())).Balance)
	require.EqualValues(t, (3+LoadAccounts)*Funds+5, state.Supply())
	require.Equal(t, "alice", a.Accounts[0].Name)

	c, err := New(params(3))
	require.NoError(t, err)
	d, err := New(params(3))
	require.NoError(t, err)
	require.NotEqual(t, c.Genesis.Keys[0], d.Genesis.Keys[0], "without a seed keys are random")
	_, ok = c.Seed()
	require.False(t, ok)
}

func TestParamsRefused(t *testing.T) {
	for want, change := range map[string]func(*Params){
		"Params.Nodes is 0":                  func(p *Params) { p.Nodes = 0 },
		"Params.Nodes is 51":                 func(p *Params) { p.Nodes = 51 },
		"Params.Start is missing":            func(p *Params) { p.Start = time.Time{} },
		"SlotLength":                         func(p *Params) { p.Slot = 0 },
		"names one twice":                    func(p *Params) { p.Accounts = []string{"bob", "alice", "bob"} },
		`"../x": want lower-case`:            func(p *Params) { p.Accounts = []string{"../x"} },
		`"": want a name`:                    func(p *Params) { p.Accounts = []string{""} },
		`Params.Transport is "smoke"`:        func(p *Params) { p.Transport = "smoke" },
		"Params.Hosts are 2":                 func(p *Params) { p.Hosts = []string{"a", "b"} },
		`"a b" is not a host name`:           func(p *Params) { p.Hosts = []string{"a", "a b", "c"} },
		`"a/tcp" is not a host name`:         func(p *Params) { p.Hosts = []string{"a", "a/tcp", "c"} },
		"Params.P2PPort is 65534":            func(p *Params) { p.P2PPort = 65534 },
		"Params.HTTPPort is -1":              func(p *Params) { p.HTTPPort = -1 },
		"the ports of 3 nodes overlap":       func(p *Params) { p.P2PPort, p.HTTPPort = 7000, 7002 },
		"Ledger allocates nothing":           func(p *Params) { p.Allocations = make([]coin.Allocation, 1) },
		"Ledger allocates more than 64 bits": func(p *Params) { p.Allocations = []coin.Allocation{{Amount: 1<<64 - 1}} },
	} {
		p := params(3)
		change(&p)
		_, err := New(p)
		require.ErrorContains(t, err, want)
		dir := filepath.Join(t.TempDir(), "net")
		_, err = Create(dir, p)
		require.ErrorContains(t, err, want)
		require.NoFileExists(t, filepath.Join(dir, GenesisFile))
	}
}

// TestCreateOpen: what was written is what is read, and every secret is the owner's alone.
func TestCreateOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "net")
	first, err := Create(dir, params(3))
	require.NoError(t, err)
	require.True(t, Exists(dir))
	again, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)
	keys := 0
	for path := range contents(t, dir) {
		if !strings.HasSuffix(path, keySuffix) {
			continue
		}
		keys++
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
	}
	require.Equal(t, 3*2+3+1, keys)

	before := contents(t, dir)
	_, err = Create(dir, params(3))
	require.EqualError(t, err, dir+" holds a network already")
	_, err = Create(dir, params(5))
	require.EqualError(t, err, dir+" holds a network already")
	require.Equal(t, before, contents(t, dir))
}

// TestInterrupted cuts a Create after each file it writes: the next one completes the network, and keeps every file that was there.
func TestInterrupted(t *testing.T) {
	whole := t.TempDir()
	first, err := Create(whole, params(2))
	require.NoError(t, err)
	order := written(first)
	require.Len(t, order, len(contents(t, whole)))
	for n := range len(order) {
		dir := t.TempDir()
		for _, name := range order[:n] {
			b, err := os.ReadFile(filepath.Join(whole, name))
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, newPrefix+"1"), []byte("half"), 0o600))
		before := contents(t, dir)
		later := params(2)
		later.Start = start().Add(time.Hour)
		_, err := Create(dir, later)
		require.NoError(t, err, order[:n])
		_, err = Open(dir)
		require.NoError(t, err)
		for i := range 2 {
			_, err := LoadNode(filepath.Join(dir, nodeName(i)))
			require.NoError(t, err)
		}
		after := contents(t, dir)
		for path, text := range before {
			require.Equal(t, text, after[path], path)
		}
	}
}

// written lists the files of a network of two nodes in the order in which Create writes them.
func written(h Home) []string {
	var out []string
	for i := range h.Nodes {
		out = append(out, nodeName(i)+"/"+LeaderFile, nodeName(i)+"/"+HostFile)
	}
	for _, a := range h.Accounts {
		out = append(out, accountFile("", a.Name))
	}
	out = append(out, loadFile, GenesisFile)
	for i := range h.Nodes {
		out = append(out, nodeName(i)+"/"+GenesisFile, nodeName(i)+"/"+ConfigFile)
	}
	return out
}

func writing(name, content string, mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		_ = os.Remove(path)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
	}
}

func removing(names ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		for _, name := range names {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
}

const otherSeed = "0000000000000000000000000000000000000000000000000000000000000000\n"

// TestOpenRefuses: each conflict is one error that names the file, and nothing on disk changes.
func TestOpenRefuses(t *testing.T) {
	whole := t.TempDir()
	_, err := Create(whole, params(2))
	require.NoError(t, err)
	foreign := chain.Genesis{Network: "other", Start: start(), SlotLength: time.Second, Keys: [][]byte{make([]byte, 32)}}
	for _, tc := range []struct {
		name  string
		plant func(t *testing.T, dir string)
		want  string
	}{
		{"corrupt genesis", writing(GenesisFile, "garbage", 0o600), "genesis.cbor is corrupt"},
		{"foreign genesis", writing(GenesisFile, string(foreign.Bytes()), 0o600), `of network "other" instead of "synod-testnet"`},
		{"huge genesis", writing(GenesisFile, strings.Repeat("x", 1<<20+1), 0o600), "genesis.cbor: 1048577 bytes, at most 1048576"},
		{"corrupt key", writing("node1/"+LeaderFile, "secret", 0o600), "leader.key: not a key"},
		{"open key", writing("node1/"+HostFile, "", 0o644), "host.key: others may read it (mode 0644): want 0600"},
		{"another key", writing("node1/"+LeaderFile, otherSeed, 0o600), "but the genesis says"},
		{"no key", removing("node0/" + LeaderFile), "no such file"},
		{"no account", removing("accounts"), "no such file"},
		{"open account", writing("accounts/alice.key", otherSeed, 0o640), "alice.key: others may read it"},
		{"no store", removing("node0/db"), "the record of the slots that its key has signed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := copied(t, whole)
			tc.plant(t, dir)
			before := contents(t, dir)
			_, err := Open(dir)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, before, contents(t, dir))
		})
	}
}

// TestCreateRefuses: nothing that is there is overwritten, or made part of a network that it was not made for.
func TestCreateRefuses(t *testing.T) {
	interrupted := removing("node1/"+ConfigFile, "node1/"+GenesisFile)
	whole := t.TempDir()
	_, err := Create(whole, params(2))
	require.NoError(t, err)
	for _, tc := range []struct {
		name  string
		fresh bool
		plant func(t *testing.T, dir string)
		p     Params
		want  string
	}{
		{"foreign directory", true, writing("letter.txt", "dear", 0o600), params(2), "holds letter.txt: not a testnet's directory"},
		{"foreign folder", true, writing("photos/a", "", 0o600), params(2), "holds photos"},
		{"chain without genesis", true, writing("node0/db/x", "", 0o600), params(2), "holds the chain node0/db but no genesis.cbor"},
		{"keys of another seed", true, writing("node0/"+LeaderFile, otherSeed, 0o600), seeded(params(2), 7), "seed 7, but"},
		{"open key", true, writing("node0/"+LeaderFile, otherSeed, 0o604), params(2), "others may read it"},
		{"more nodes", false, interrupted, params(3), "holds a part of a network of 2 nodes, not 3"},
		{"another slot", false, interrupted, Params{Nodes: 2, Slot: time.Minute, Start: start()}, "of a network that was asked for otherwise"},
		{"another seed", false, interrupted, seeded(params(2), 7), "seed 7, but"},
		{"another account", false, interrupted, Params{Nodes: 2, Slot: time.Second, Start: start(), Accounts: []string{"dora"}}, "dora.key"},
		{"another host", false, interrupted, Params{Nodes: 2, Slot: time.Second, Start: start(), Hosts: []string{"a", "b"}},
			"node0/config.json is there already, and says otherwise"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if !tc.fresh {
				dir = copied(t, whole)
			}
			tc.plant(t, dir)
			before := contents(t, dir)
			_, err := Create(dir, tc.p)
			require.ErrorContains(t, err, tc.want)
			after := contents(t, dir)
			for path, text := range before {
				require.Equal(t, text, after[path], path)
			}
			if !tc.fresh {
				require.Equal(t, before, after)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Create(file, params(2))
	require.ErrorContains(t, err, file)
}

func TestNewAccount(t *testing.T) {
	dir := t.TempDir()
	_, err := NewAccount(dir, "dora")
	require.ErrorContains(t, err, GenesisFile, "not a network's directory")
	_, err = Create(dir, params(1))
	require.NoError(t, err)
	dora, err := NewAccount(dir, "dora")
	require.NoError(t, err)
	all, err := Accounts(dir)
	require.NoError(t, err)
	require.Contains(t, all, dora)
	_, err = NewAccount(dir, "dora")
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = NewAccount(dir, "../dora")
	require.ErrorContains(t, err, "want lower-case")
	again, err := Accounts(dir)
	require.NoError(t, err)
	require.Equal(t, all, again)
}
