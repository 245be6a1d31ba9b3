package home

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// Exists reports whether dir holds a network.
func Exists(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, GenesisFile))
	return err == nil
}

// Create makes a new network in a directory that is empty, absent, or left by an interrupted Create of the same Params, which it completes.
func Create(dir string, p Params) (Home, error) {
	p, err := p.complete()
	if err != nil {
		return Home{}, err
	}
	if err := makeFolder(dir); err != nil {
		return Home{}, err
	}
	if err := p.vacant(dir); err != nil {
		return Home{}, err
	}
	h, place := Home{Dir: dir}, p.placeKey
	if Exists(dir) {
		place = p.heldKey
	}
	if err := p.drawKeys(&h, place); err != nil {
		return h, err
	}
	for i := range h.Nodes {
		if err := makeFolder(filepath.Join(h.NodeDir(i), StoreFolder)); err != nil {
			return h, err
		}
	}
	if h.Genesis, err = p.placeGenesis(h); err != nil {
		return h, err
	}
	for i, k := range h.Nodes {
		if err := WriteNode(h.NodeDir(i), h.Genesis, k, p.configOf(h, i)); err != nil {
			return h, err
		}
	}
	return h, nil
}

// placeKey writes a key, unless an earlier Create did.
func (p Params) placeKey(file string, key sign.PrivateKey) (sign.PrivateKey, error) {
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return key, err
	}
	found, err := p.heldKey(file, key)
	if errors.Is(err, fs.ErrNotExist) {
		return key, writeKey(file, key)
	}
	return found, err
}

// heldKey reads the key that an earlier Create wrote. All keys are on disk before the genesis that lists them.
func (p Params) heldKey(file string, key sign.PrivateKey) (sign.PrivateKey, error) {
	found, err := readKey(file)
	if err == nil && p.Seed != nil && found.Public() != key.Public() {
		return key, fmt.Errorf("seed %d, but %s holds another key", *p.Seed, file)
	}
	return found, err
}

// placeGenesis writes the genesis, unless an earlier Create did. That one must differ in nothing but what each Create draws anew.
func (p Params) placeGenesis(h Home) (chain.Genesis, error) {
	path := filepath.Join(h.Dir, GenesisFile)
	g, err := p.genesis(h)
	if err != nil {
		return g, err
	}
	held, err := ReadGenesis(h.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return g, writeNew(path, g.Bytes(), 0o644)
	case err != nil:
		return g, err
	}
	same := g
	same.Start = held.Start
	if p.Seed == nil && !strings.HasPrefix(string(held.Nonce), seedMark) {
		same.Nonce = held.Nonce
	}
	if same.Hash() != held.Hash() {
		return g, fmt.Errorf("%s is of a network that was asked for otherwise", path)
	}
	return held, nil
}

// vacant refuses a directory that holds a whole network, or something else than what an interrupted Create leaves.
func (p Params) vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	switch whole, err := p.whole(dir); {
	case err != nil:
		return err
	case whole:
		return fmt.Errorf("%s holds a network already", dir)
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), newPrefix): // an interrupted write left it
			continue
		case !e.IsDir() && (e.Name() == loadFile || e.Name() == GenesisFile):
			continue
		case !e.IsDir() || e.Name() != accountsFolder && !strings.HasPrefix(e.Name(), "node"):
			return fmt.Errorf("%s holds %s: not a testnet's directory", dir, e.Name())
		}
		if held, err := os.ReadDir(filepath.Join(dir, e.Name(), StoreFolder)); err == nil && len(held) > 0 && !Exists(dir) {
			return fmt.Errorf("%s holds the chain %s but no %s", dir, filepath.Join(e.Name(), StoreFolder), GenesisFile)
		}
	}
	return nil
}

// whole reports whether dir holds a network with nothing missing. A network of another size than asked for is an error.
func (p Params) whole(dir string) (bool, error) {
	if !Exists(dir) {
		return false, nil
	}
	g, err := ReadGenesis(dir)
	if err != nil {
		return false, err
	}
	for i := range g.Keys {
		if _, err := os.Lstat(filepath.Join(dir, nodeName(i), ConfigFile)); err != nil {
			if len(g.Keys) != p.Nodes {
				return false, fmt.Errorf("%s holds a part of a network of %d nodes, not %d", dir, len(g.Keys), p.Nodes)
			}
			return false, nil
		}
	}
	return true, nil
}

// Open reads the network in a directory.
func Open(dir string) (Home, error) {
	h := Home{Dir: dir}
	var err error
	if h.Genesis, err = ReadGenesis(dir); err != nil {
		return h, err
	}
	for i, want := range h.Genesis.Keys {
		k, err := readKeys(h.NodeDir(i))
		if err != nil {
			return h, err
		}
		if got := k.Leader.Public(); !bytes.Equal(got[:], want) {
			return h, fmt.Errorf("%s has key %v, but the genesis says %x", filepath.Join(h.NodeDir(i), LeaderFile), got, want)
		}
		if err := hasStore(h.NodeDir(i)); err != nil {
			return h, err
		}
		h.Nodes = append(h.Nodes, k)
	}
	if h.Accounts, err = Accounts(dir); err != nil {
		return h, err
	}
	load, err := readKey(filepath.Join(dir, loadFile))
	if err != nil {
		return h, err
	}
	h.Load = loadKeys(load)
	return h, nil
}

// Accounts reads the keys of the named accounts below a network's directory.
func Accounts(dir string) ([]Account, error) {
	entries, err := os.ReadDir(filepath.Join(dir, accountsFolder))
	if err != nil {
		return nil, err
	}
	var out []Account
	for _, e := range entries {
		name, isKey := strings.CutSuffix(e.Name(), keySuffix)
		if !isKey {
			continue
		}
		key, err := readKey(accountFile(dir, name))
		if err != nil {
			return nil, err
		}
		out = append(out, Account{name, key})
	}
	slices.SortFunc(out, func(a, b Account) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// NewAccount draws a key and keeps it under a name that must be free.
func NewAccount(dir, name string) (Account, error) {
	if err := CheckName(name); err != nil {
		return Account{}, err
	}
	if _, err := ReadGenesis(dir); err != nil {
		return Account{}, err
	}
	key, err := Params{}.key("", "")
	if err != nil {
		return Account{}, err
	}
	file := accountFile(dir, name)
	if err := makeFolder(filepath.Dir(file)); err != nil {
		return Account{}, err
	}
	return Account{name, key}, writeKey(file, key)
}

// ReadGenesis reads the genesis in the directory of a network, or of a node.
func ReadGenesis(dir string) (chain.Genesis, error) {
	path := filepath.Join(dir, GenesisFile)
	raw, err := readFile(path, genesisBytesMax, anyFile)
	if err != nil {
		return chain.Genesis{}, err
	}
	g, err := chain.DecodeGenesis(raw)
	if err != nil {
		return g, fmt.Errorf("%s is corrupt: %w", path, err)
	}
	if g.Network != Network {
		return g, fmt.Errorf("%s: of network %q instead of %q", path, g.Network, Network)
	}
	return g, nil
}

const genesisBytesMax = 1 << 20 // chain says what is valid; this bounds what is read to find out

func readKeys(dir string) (k Keys, err error) {
	if k.Leader, err = readKey(filepath.Join(dir, LeaderFile)); err != nil {
		return k, err
	}
	k.Host, err = readKey(filepath.Join(dir, HostFile))
	return k, err
}

// hasStore refuses a node whose store is gone.
func hasStore(dir string) error {
	db := filepath.Join(dir, StoreFolder)
	if info, err := os.Stat(db); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is missing, and with it the record of the slots that its key has signed", db)
	}
	return nil
}
