// Package coin is a ledger of accounts: signed transfers with nonces and fees, and a root over all accounts in every block. It is an example of
// what a user of this module writes, and what examples/testnet runs; no package of the toolkit knows it. It is no currency: there are no
// scripts, no new coins, no light clients.
//
// # Concepts
//
// An account is named by an [Address], the hash of the key that may spend from it, and holds a balance and the number of the transfers it
// has made ([Account]). A [Transfer] moves an amount to an address and a fee to the leader of the slot whose block holds it. [Sign] makes one.
//
// A [State] is all accounts at one moment, an immutable value: chain selection may keep as many as it likes. [State.Root] is a hash over all of
// them. A block's body holds the transfers and the root after them, so nodes whose ledgers came apart notice it at the next block.
//
// [Ledger] is the Ledger of a node of State and Transfer. [NewLedger] makes it, and the first state, from a genesis whose field Ledger holds
// allocations ([EncodeAllocations]). [EncodeState] and [Ledger.DecodeState] are for snapshots: what is decoded must have the root that a block
// commits to.
//
// # Validity
//
// A transfer is valid on a state if it is in canonical form, of this network, signed by its sender, of at least 1 with a fee of at least [FeeMin],
// carries exactly the sender's next nonce, and the sender has amount and fee. To pay oneself is valid. Consequences:
//
//   - the supply is what the genesis allocated, for ever: nothing overflows;
//   - a transfer is on a chain once at most, and on no other network's, since genesis and nonce are signed;
//   - the transfers of one account are made in the order of their nonces, whoever carries them;
//   - every new account costs whoever makes it an amount and a fee. None goes away: a nonce must not come again.
//
// Fees are the leader's after the block's last transfer. A transfer that waits for a nonce or for funds is refused, not kept.
//
// # Encoding
//
// Canonical CBOR, as in package chain; another form of the same value is refused.
//
//	transfer = [content, signature: bytes .size 64]
//	content = [network: uint .size 4, from: bytes .size 32, to: bytes .size 20, amount: uint, fee: uint, nonce: uint]
//	body = [root: bytes .size 32, [* transfer]]
//	allocations = [* [address: bytes .size 20, amount: uint]]
//
// The signature is that of package sign over content, in the domain {"coin/transfer", 1, genesis hash}. Keys of small order are refused, because
// everybody can sign for them. An address is the first 20 bytes of sha256("synod/coin/address/1/key" | key), its text "coin1" and base32 of
// the address and of 5 bytes of sha256("synod/coin/address/1/sum" | address).
//
// The root is that of a trie of 16-fold branches by the hash of the address: an account's hash is sha256(0 | address | balance | next), a branch's
// sha256(1 | which children there are | their hashes); a branch has two accounts below it at least, so the root follows from the content.
//
// # Concurrency
//
// All values may be shared by any number of goroutines. A Ledger remembers, in a bounded cache, whose signatures it has verified, so that a
// node verifies a transfer once: when it is offered, not again in its block. No result depends on it.
//
// # Errors
//
// All that refuses a transfer unwraps to [ErrTransfer] and says which rule, with the values: [MalformedError], [NetworkError], [SignatureError],
// [NonceError], [FundsError]. A block is refused with a [BodyError], which unwraps to [ErrBlock] and to the reason, such as a [RootError]. Each
// is one line. A genesis is refused with a *chain.GenesisError. No input panics.
//
// # Limits
//
// A transfer has at most [TransferBytesMax] bytes, a body at most [BodyOverhead] more than its transfers and chain.BodyBytesMax in all: some
// 8,000 transfers, which take a third of a second to verify. A genesis has room for some 8,000 allocations. The cache remembers between 16,384
// and 32,768 transfers. An account takes some 200 bytes, all in memory, and in every
// state of a block that is kept behind the newest 32, some 40 bytes if the next block changed it; an account's look-up and change take a path of the trie, 4 or 5 branches of a
// hundred thousand accounts.
package coin
