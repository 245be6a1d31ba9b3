package home

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

// What a genesis gives.
const (
	NodesMax     = 50
	LoadAccounts = 64        // accounts of a load generator that every network funds
	Funds        = 1_000_000 // of each named account, and of each of a load generator
)

// Params describes a new network. Nodes, Slot and Start have no default.
type Params struct {
	Nodes       int
	Slot        time.Duration
	Start       time.Time         // of slot 0; rounded down to a millisecond
	Seed        *uint64           // derive all keys from it, for experiments; nil draws them
	Accounts    []string          // named accounts that the genesis funds; nil is alice, bob and carol
	Allocations []coin.Allocation // what it gives beside

	Transport string   // "tcp" if empty, or "quic"
	Hosts     []string // one a node, addresses or names; empty puts all nodes on 127.0.0.1
	P2PPort   int      // the first node's on its host; 0 is 7600
	HTTPPort  int      // the first node's on its host; 0 is 7700
}

// complete fills in defaults and names the field that is not valid.
func (p Params) complete() (Params, error) {
	if p.Accounts == nil {
		p.Accounts = []string{"alice", "bob", "carol"}
	}
	p.Accounts = slices.Sorted(slices.Values(p.Accounts))
	switch {
	case p.Nodes < 1 || p.Nodes > NodesMax:
		return p, fmt.Errorf("home: Params.Nodes is %d, want 1 to %d", p.Nodes, NodesMax)
	case p.Start.IsZero():
		return p, errors.New("home: Params.Start is missing")
	case len(slices.Compact(slices.Clone(p.Accounts))) != len(p.Accounts):
		return p, errors.New("home: Params.Accounts names one twice")
	}
	for _, name := range p.Accounts {
		if err := CheckName(name); err != nil {
			return p, fmt.Errorf("home: Params.Accounts: %w", err)
		}
	}
	return p, p.completeAddresses()
}

const nameMax = 32

// CheckName refuses what is no name of an account or node: 1 to 32 lower-case letters, digits and hyphens.
func CheckName(name string) error {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("%q: want lower-case letters, digits and hyphens", name)
		}
	}
	if name == "" || len(name) > nameMax {
		return fmt.Errorf("%q: want a name of 1 to %d characters", name, nameMax)
	}
	return nil
}

// New draws a network that is kept nowhere.
func New(p Params) (Home, error) {
	p, err := p.complete()
	if err != nil {
		return Home{}, err
	}
	h := Home{}
	if err := p.drawKeys(&h, func(_ string, key sign.PrivateKey) (sign.PrivateKey, error) { return key, nil }); err != nil {
		return h, err
	}
	h.Genesis, err = p.genesis(h)
	return h, err
}

// drawKeys makes the keys; place says what becomes of a key made for a file: it is written, or one that is there takes its place.
func (p Params) drawKeys(h *Home, place func(file string, key sign.PrivateKey) (sign.PrivateKey, error)) error {
	var failed error
	key := func(kind, which, file string) sign.PrivateKey {
		if failed != nil {
			return sign.PrivateKey{}
		}
		var k sign.PrivateKey
		if k, failed = p.key(kind, which); failed == nil {
			k, failed = place(file, k)
		}
		return k
	}
	for i := range p.Nodes {
		which := fmt.Sprint(i)
		h.Nodes = append(h.Nodes, Keys{
			Leader: key("leader", which, filepath.Join(h.NodeDir(i), LeaderFile)),
			Host:   key("host", which, filepath.Join(h.NodeDir(i), HostFile)),
		})
	}
	for _, name := range p.Accounts {
		h.Accounts = append(h.Accounts, Account{name, key("account", name, accountFile(h.Dir, name))})
	}
	load := key("load", "accounts", filepath.Join(h.Dir, loadFile))
	if failed == nil {
		h.Load = loadKeys(load)
	}
	return failed
}

// key draws a key, or derives it from the seed.
func (p Params) key(kind, which string) (sign.PrivateKey, error) {
	if p.Seed == nil {
		return sign.GenerateKey(rand.Reader)
	}
	return sign.KeyFromSeed(chain.HashOf(fmt.Appendf(nil, "%s %s %s of seed %d", Network, kind, which, *p.Seed))), nil
}

// genesis is the one that p describes, of the keys in h.
func (p Params) genesis(h Home) (chain.Genesis, error) {
	g := chain.Genesis{Network: Network, Start: p.Start.UTC().Truncate(time.Millisecond), SlotLength: p.Slot}
	if p.Seed != nil {
		g.Nonce = fmt.Appendf(nil, "%s%d", seedMark, *p.Seed)
	} else {
		g.Nonce = []byte(rand.Text())
	}
	for _, k := range h.Nodes {
		public := k.Leader.Public()
		g.Keys = append(g.Keys, public[:])
	}
	var all []coin.Allocation
	for _, a := range h.Accounts {
		all = append(all, coin.Allocation{Address: a.Address(), Amount: Funds})
	}
	for _, k := range h.Load {
		all = append(all, coin.Allocation{Address: coin.AddressOf(k.Public()), Amount: Funds})
	}
	var err error
	if g.Ledger, err = coin.EncodeAllocations(append(all, p.Allocations...)); err != nil {
		return g, err
	}
	if err := g.Validate(); err != nil {
		return g, err
	}
	_, _, err = coin.NewLedger(g)
	return g, err
}
