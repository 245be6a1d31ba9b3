package home

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

const configBytesMax = 64 << 10

// Node is what one node starts from.
type Node struct {
	Dir     string
	Config  NodeConfig
	Genesis chain.Genesis
	Keys    Keys
}

// Store is the folder of the node's store.
func (n Node) Store() string { return filepath.Join(n.Dir, StoreFolder) }

// WriteNode writes the folder of one node: an empty store, keys, genesis and, last, the configuration. What is there already must be the same. Of the
// configuration it fills in what follows from genesis and keys: all but Name, Transport, Listen, HTTP and Peers.
func WriteNode(dir string, g chain.Genesis, k Keys, c NodeConfig) error {
	if err := makeFolder(filepath.Join(dir, StoreFolder)); err != nil {
		return err
	}
	c.Genesis, c.Leader, c.LeaderKey = g.Hash(), k.Leader.Public().String(), LeaderFile
	c.PeerID, c.HostKey = PeerID(k.Host.Public()), HostFile
	if c.Peers == nil {
		c.Peers = []string{}
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := placeSame(filepath.Join(dir, LeaderFile), k.Leader); err != nil {
		return err
	}
	if err := placeSame(filepath.Join(dir, HostFile), k.Host); err != nil {
		return err
	}
	if err := writeOnce(filepath.Join(dir, GenesisFile), g.Bytes()); err != nil {
		return err
	}
	return writeOnce(filepath.Join(dir, ConfigFile), append(text, '\n'))
}

// placeSame writes a key, unless it is there.
func placeSame(path string, key sign.PrivateKey) error {
	found, err := readKey(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeKey(path, key)
	case err == nil && found.Public() != key.Public():
		return fmt.Errorf("%s is there already, and holds another key", path)
	}
	return err
}

// LoadNode reads the folder of one node. A configuration that is not true of the files beside it, or that no node can run with, is a
// *[ConfigError].
func LoadNode(dir string) (Node, error) {
	n := Node{Dir: dir}
	path := filepath.Join(dir, ConfigFile)
	raw, err := readFile(path, configBytesMax, anyFile)
	if err != nil {
		return n, err
	}
	if err := decodeStrict(raw, &n.Config); err != nil {
		return n, fmt.Errorf("%s: %w", path, err)
	}
	if n.Genesis, err = ReadGenesis(dir); err != nil {
		return n, err
	}
	lies := func(field string, err error) error { return &ConfigError{path, field, err.Error()} }
	if got := n.Genesis.Hash(); got != n.Config.Genesis {
		return n, lies("genesis", fmt.Errorf("%v, but %s has %v", n.Config.Genesis, GenesisFile, got))
	}
	if _, _, err := coin.NewLedger(n.Genesis); err != nil {
		return n, lies("genesis", err)
	}
	if field, err := n.loadKeys(); err != nil {
		return n, lies(field, err)
	}
	if field, err := n.Config.checkAddresses(); err != nil {
		return n, lies(field, err)
	}
	return n, hasStore(dir)
}

// Override replaces Transport, Listen, HTTP and Peers by those of c that are not empty, and checks the result as LoadNode does.
func (n Node) Override(c NodeConfig) (Node, error) {
	for _, f := range []struct {
		to   *string
		with string
	}{{&n.Config.Transport, c.Transport}, {&n.Config.Listen, c.Listen}, {&n.Config.HTTP, c.HTTP}} {
		if f.with != "" {
			*f.to = f.with
		}
	}
	if len(c.Peers) > 0 {
		n.Config.Peers = c.Peers
	}
	if field, err := n.Config.checkAddresses(); err != nil {
		return n, &ConfigError{"command line", field, err.Error()}
	}
	return n, nil
}

// loadKeys reads both keys and names the field that one of them contradicts.
func (n *Node) loadKeys() (field string, err error) {
	c := n.Config
	listed := slices.ContainsFunc(n.Genesis.Keys, func(k []byte) bool { return fmt.Sprintf("%x", k) == c.Leader })
	if !listed {
		return "leader", fmt.Errorf("%.80q is not a key of the genesis", c.Leader)
	}
	if n.Keys.Leader, err = readKey(keyPath(n.Dir, c.LeaderKey)); err != nil {
		return "leader_key", err
	}
	if got := n.Keys.Leader.Public().String(); got != c.Leader {
		return "leader_key", fmt.Errorf("%s holds the key %s, but leader is %s", c.LeaderKey, got, c.Leader)
	}
	if n.Keys.Host, err = readKey(keyPath(n.Dir, c.HostKey)); err != nil {
		return "host_key", err
	}
	if got := PeerID(n.Keys.Host.Public()); got != c.PeerID {
		return "host_key", fmt.Errorf("%s holds the key of %s, but peer_id is %.80q", c.HostKey, got, c.PeerID)
	}
	return "", nil
}

// decodeStrict decodes one JSON value without unknown fields, and nothing after it.
func decodeStrict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the configuration")
	}
	return nil
}
