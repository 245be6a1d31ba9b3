package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

const (
	networkName = "synod-testnet"
	genesisFile = "genesis.cbor"
	seedMark    = "seed " // a nonce that starts so tells which --seed made the keys
)

// home is what a network starts from: its genesis and every node's keys, and where they are kept, if they are.
type home struct {
	dir     string // empty: in memory
	genesis chain.Genesis
	keys    []nodeKeys
}

// nodeDir is the folder of node i.
func (h home) nodeDir(i int) string { return filepath.Join(h.dir, fmt.Sprintf("node%d", i)) }

// openHome makes the home that the options describe, or reads the one in --data-dir. It never overwrites a file.
func openHome(o options, now time.Time) (home, error) {
	if o.dataDir == "" {
		h := home{genesis: newGenesis(o, now)}
		return h, h.fill(o.nodes, func(i int) (nodeKeys, error) { return makeKeys(o, i) })
	}
	h := home{dir: o.dataDir}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return h, fmt.Errorf("--data-dir: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(h.dir, genesisFile))
	if errors.Is(err, fs.ErrNotExist) {
		return h.create(o, now)
	}
	if err != nil {
		return h, fmt.Errorf("--data-dir: %w", err)
	}
	return h.resume(o, raw)
}

// fill gets every node's keys and puts the leaders' into the genesis.
func (h *home) fill(n int, keysOf func(i int) (nodeKeys, error)) error {
	for i := range n {
		k, err := keysOf(i)
		if err != nil {
			return err
		}
		h.keys = append(h.keys, k)
		public := k.leader.Public()
		h.genesis.Keys = append(h.genesis.Keys, public[:])
	}
	return h.genesis.Validate()
}

// create makes a new network in an empty directory. Keys that an interrupted start left are used. The folders of the stores are made too, and
// the genesis comes last: a network with a genesis and without a store has lost something.
func (h home) create(o options, now time.Time) (home, error) {
	if err := h.vacant(); err != nil {
		return h, err
	}
	h.genesis = newGenesis(o, now)
	err := h.fill(o.nodes, func(i int) (nodeKeys, error) {
		if err := os.MkdirAll(filepath.Join(h.nodeDir(i), dbFolder), 0o700); err != nil {
			return nodeKeys{}, fmt.Errorf("--data-dir: %w", err)
		}
		return storedKeys(o, h.nodeDir(i), i)
	})
	if err != nil {
		return h, err
	}
	return h, writeNew(filepath.Join(h.dir, genesisFile), h.genesis.Bytes(), 0o644)
}

// vacant refuses a directory that holds something else than the keys of an interrupted start.
func (h home) vacant() error {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), newPrefix) {
			continue // an interrupted write left it
		}
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "node") {
			return fmt.Errorf("--data-dir %s: holds %s but no %s: not a testnet's directory", h.dir, e.Name(), genesisFile)
		}
		if held, err := os.ReadDir(filepath.Join(h.dir, e.Name(), dbFolder)); err == nil && len(held) > 0 {
			return fmt.Errorf("--data-dir %s: holds the chain %s but no %s", h.dir, filepath.Join(e.Name(), dbFolder), genesisFile)
		}
	}
	return nil
}

// resume reads the network of an earlier run, and refuses flags that say otherwise.
func (h home) resume(o options, raw []byte) (home, error) {
	g, err := chain.DecodeGenesis(raw)
	if err != nil {
		return h, fmt.Errorf("--data-dir: %s is corrupt: %w", filepath.Join(h.dir, genesisFile), err)
	}
	was := fmt.Sprintf("--data-dir %s", h.dir)
	switch {
	case g.Network != networkName:
		return h, fmt.Errorf("%s: of network %q instead of %q", was, g.Network, networkName)
	case o.explicit("nodes") && o.nodes != len(g.Keys):
		return h, fmt.Errorf("--nodes %d, but %s holds a network of %d nodes", o.nodes, was, len(g.Keys))
	case o.explicit("slot") && o.slot != g.SlotLength:
		return h, fmt.Errorf("--slot %v, but %s holds a network with slots of %v", o.slot, was, g.SlotLength)
	case o.seeded() && string(g.Nonce) != seedNonce(o.seed):
		return h, fmt.Errorf("--seed %d, but %s holds a network made with %s", o.seed, was, origin(g))
	}
	h.genesis = g
	for i, want := range g.Keys {
		k, err := readKeys(h.nodeDir(i))
		if err != nil {
			return h, fmt.Errorf("--data-dir: %w", err)
		}
		if got := k.leader.Public(); string(got[:]) != string(want) {
			return h, fmt.Errorf("--data-dir: %s has key %v, but the genesis says %x",
				filepath.Join(h.nodeDir(i), leaderFile), got, want)
		}
		if db := filepath.Join(h.nodeDir(i), dbFolder); !isDir(db) {
			return h, fmt.Errorf("--data-dir: %s is missing, and with it the record of the slots that its key has signed", db)
		}
		h.keys = append(h.keys, k)
	}
	return h, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// newGenesis is a genesis that starts now, without keys yet.
func newGenesis(o options, now time.Time) chain.Genesis {
	g := chain.Genesis{Network: networkName, Start: now.UTC().Truncate(time.Millisecond), SlotLength: o.slot}
	if o.seeded() {
		g.Nonce = []byte(seedNonce(o.seed))
	} else {
		g.Nonce = []byte(rand.Text())
	}
	return g
}

func seedNonce(seed uint64) string { return fmt.Sprintf("%s%d", seedMark, seed) }

// seedOf is the seed that the keys of a network were derived from, if they were.
func seedOf(g chain.Genesis) (string, bool) { return strings.CutPrefix(string(g.Nonce), seedMark) }

// origin says where the keys of a network came from.
func origin(g chain.Genesis) string {
	if seed, ok := seedOf(g); ok {
		return "--seed " + seed
	}
	return "random keys"
}

// makeKeys draws a node's keys, or derives them from --seed.
func makeKeys(o options, i int) (nodeKeys, error) {
	if !o.seeded() {
		return randomKeys()
	}
	derive := func(kind string) sign.PrivateKey {
		return sign.KeyFromSeed(chain.HashOf(fmt.Appendf(nil, "%s %s %d of seed %d", networkName, kind, i, o.seed)))
	}
	return nodeKeys{leader: derive("leader"), host: derive("host")}, nil
}
