package coin

import (
	"iter"

	"github.com/synodkit/synod/chain"
)

// Account is what an address has.
type Account struct {
	Balance uint64
	Next    uint64 // the nonce of its next transfer: how many it has made
}

// State is all accounts at one moment: an immutable value that shares what it can with those before and after. The zero State has no accounts. That
// of a block far behind the newest takes about 40 bytes for every account that the next block changed; to read an account of it takes some time for every
// block between, and keeps what those changed in memory.
type State struct {
	accounts *trie
	version  *version // of the state after a block: then it has the accounts
	supply   uint64   // the sum of all balances and of fees; constant, so no sum of some of them overflows
	fees     uint64   // of the transfers of a block under way, not yet its leader's; none after a block
}

// Account is what an address has; nothing if it was never paid. It costs the depth of the trie, logarithmic in the number of accounts.
func (s State) Account(a Address) Account {
	if s.version != nil {
		return s.version.get(a)
	}
	return s.accounts.get(a)
}

func (s State) trie() *trie {
	if s.version != nil {
		return s.version.trie()
	}
	return s.accounts
}

// set changes an account.
func (s State) set(a Address, x Account) State {
	s.accounts, s.version = s.trie().put(a, x), nil
	return s
}

// follow makes the state that of a block after one with state before.
func (s State) follow(before State) State {
	if s.version == nil && s.accounts != before.accounts {
		s.accounts, s.version = nil, s.accounts.after(before.version)
	}
	return s
}

// Accounts yields every account, in the order of the hashes of their addresses.
func (s State) Accounts() iter.Seq2[Address, Account] {
	return func(yield func(Address, Account) bool) { s.trie().all(yield) }
}

// Root is the hash over all accounts, whatever the order in which they came about: two states have one root if and only if they have the same
// accounts (or SHA-256 is broken). Parts that did not change since a root was asked for are not hashed again.
func (s State) Root() chain.Hash { return s.trie().root() }

// Supply is the sum of all balances, and of the fees of a block under way.
func (s State) Supply() uint64 { return s.supply }

// credit adds to an account. Its sum cannot overflow, being part of the supply.
func (s State) credit(a Address, amount uint64) State {
	if amount > 0 {
		x := s.Account(a)
		x.Balance += amount
		s = s.set(a, x)
	}
	return s
}

// settle gives the fees to the leader of a block.
func (s State) settle(leader Address) State {
	s = s.credit(leader, s.fees)
	s.fees = 0
	return s
}
