package home

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

// Network is the name in every testnet's genesis.
const Network = "synod-testnet"

// Names of files and folders below a network's directory.
const (
	GenesisFile = "genesis.cbor"
	ConfigFile  = "config.json"
	LeaderFile  = "leader.key" // signs blocks
	HostFile    = "host.key"   // identifies the libp2p host
	loadFile    = "load.key"   // the accounts of a load generator follow from it
	StoreFolder = "db"
)

const (
	seedMark       = "seed " // a nonce that starts so tells which seed made the keys
	accountsFolder = "accounts"
	keySuffix      = ".key"
	newPrefix      = ".new-" // of files being written
)

// Home is a network: its genesis, every node's keys and the funded accounts' keys, and where they are kept.
type Home struct {
	Dir      string // empty: in memory
	Genesis  chain.Genesis
	Nodes    []Keys
	Accounts []Account         // sorted by name
	Load     []sign.PrivateKey // LoadAccounts of them, for a load generator
}

// Keys are the secrets of one node.
type Keys struct{ Leader, Host sign.PrivateKey }

// Account is the key of a named account.
type Account struct {
	Name string
	Key  sign.PrivateKey
}

// Address is the account's.
func (a Account) Address() coin.Address { return coin.AddressOf(a.Key.Public()) }

// NodeDir is the folder of node i.
func (h Home) NodeDir(i int) string { return filepath.Join(h.Dir, nodeName(i)) }

// Seed is the number that the keys were derived from, if they were. Such keys are no secret.
func (h Home) Seed() (string, bool) { return strings.CutPrefix(string(h.Genesis.Nonce), seedMark) }

func nodeName(i int) string { return fmt.Sprintf("node%d", i) }

// accountFile is where the key of a named account is kept.
func accountFile(dir, name string) string {
	return filepath.Join(dir, accountsFolder, name+keySuffix)
}

// loadKeys derives the keys of the load generator's accounts from the one that is kept.
func loadKeys(from sign.PrivateKey) []sign.PrivateKey {
	seed := from.Seed()
	keys := make([]sign.PrivateKey, LoadAccounts)
	for i := range keys {
		keys[i] = sign.KeyFromSeed(chain.HashOf(fmt.Appendf(seed[:], "load account %d", i)))
	}
	return keys
}
