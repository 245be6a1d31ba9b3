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

// State is all accounts at one moment: an immutable value that shares what it can with those before and after. The zero State has no accounts.
type State struct {
	accounts *trie
	supply   uint64 // the sum of all balances and of fees; constant, so no sum of some of them overflows
	fees     uint64 // of the transfers of a block under way, not yet its leader's; none after a block
}

// Account is what an address has; nothing if it was never paid. It costs the depth of the trie, logarithmic in the number of accounts.
func (s State) Account(a Address) Account { return s.accounts.get(a) }

// Accounts yields every account, in the order of the hashes of their addresses.
func (s State) Accounts() iter.Seq2[Address, Account] {
	return func(yield func(Address, Account) bool) { s.accounts.all(yield) }
}

// Root is the hash over all accounts, whatever the order in which they came about: two states have one root if and only if they have the same
// accounts (or SHA-256 is broken). Parts that did not change since a root was asked for are not hashed again.
func (s State) Root() chain.Hash { return s.accounts.root() }

// Supply is the sum of all balances, and of the fees of a block under way.
func (s State) Supply() uint64 { return s.supply }

// credit adds to an account. Its sum cannot overflow, being part of the supply.
func (s State) credit(a Address, amount uint64) State {
	if amount > 0 {
		x := s.Account(a)
		x.Balance += amount
		s.accounts = s.accounts.put(a, x)
	}
	return s
}

// settle gives the fees to the leader of a block.
func (s State) settle(leader Address) State {
	s = s.credit(leader, s.fees)
	s.fees = 0
	return s
}
