// Package mempool holds the transactions that wait for a block: an ordered, validated, bounded sequence that follows the selected chain and
// shows itself as one consistent value. It is generic in the ledger's state and in the transaction. It knows no network and no fee; use it
// where the order of arrival is a fair order. For protocols whose blocks carry whatever a leader has, without validation, it is too much.
//
// # Concepts
//
// The content of a [Pool] is always a sequence that is valid, in its order, on the ledger's state at one tip: [Pool.Snapshot] is all of it in
// constant time, for who makes a block. [Pool.Submit] takes a transaction of a local client: it returns when the transaction is in the pool and
// durable in the journal. [Lane.Offer] takes one of a remote peer, which has it too, and journals nothing. Each stands at a ticket; tickets
// grow along the order, so [Pool.After] lets a server of transactions walk along the pool at its peer's pace.
//
// Each peer comes by a [Lane]. All lanes together have a part of the pool, the rest is for local clients; of that part a lane gets no more while it
// holds more than twice what is free of it. So no flood takes the room of local clients, and who floods most is the first to wait.
//
// Transactions are parsed (signatures) once, on the caller's task, and checked on the state behind all others outside of any transaction; one
// small transaction appends, if nobody was faster. After some lost races the check is made inside, so nobody starves.
//
// One task follows the selection. When it moves, the task reads the blocks between: transactions of blocks added leave the pool and are
// remembered as [Included]; those of blocks rolled back return, in order, in front of the others. All that stay are checked again, without
// signatures and outside of any transaction, while additions go on; these are checked in further rounds, and one transaction changes
// everything. Nothing is locked while validating, but that after some rounds the next additions wait for that transaction.
//
// # The journal
//
// What Submit has accepted, no crash loses. Its entry stays until the transaction is K blocks deep on the chain, because a crash forgets blocks
// that were rolled back. A local transaction that the ledger refuses on a new tip is kept aside, its [Status] says why, and is tried again at
// each tip; after K blocks it is given up. [Open] tries all entries, in order, unless they are on the chain.
//
// # Concurrency
//
// All methods of [Pool] are safe for concurrent use. Methods with a transaction are queries, to be composed with those of others; those with a
// context are commands. The tasks end with their scope, or with the first failure of the store or of a block that cannot be read though it has
// been on the selection for 5 seconds, which then ends the scope; commands fail with [ErrClosed] from then on. Ledger must not depend on
// anything but its arguments, and begin no transaction of package stm.
//
// Two transactions submitted one after the other keep that order. Two submitted at once have none.
//
// # Errors
//
// [MalformedError] blames who sent the bytes; [RefusedError] depends on the state and blames nobody; [ErrFull] and [ErrKnown] say that nothing
// has changed. [CorruptError] names an entry of the journal that Open cannot use, and leaves it as it is.
//
// # Limits
//
// Each is a field of [Limits]:
//
//   - RemoteMax, RemoteBytesMax: ErrFull to a lane, and before that to one that holds more than its share;
//   - CountMax, BytesMax: ErrFull. When transactions that return find no room, the newest remote ones give way, and what depends on them;
//     never a local one, since there is room for all of the journal;
//   - TxBytesMax: MalformedError;
//   - LocalMax, and BytesMax once more for the journal: Submit gives ErrFull, until entries are K blocks deep;
//   - HistoryMax: what was included or refused longest ago is forgotten, [Unknown] then, and fetched again if it is offered. At the end of a move
//     there may be as many more for a moment.
//
// In memory, beside the limits: an entry of the journal keeps its transaction, an entry of the history about 200 bytes.
//
// A move holds the transactions of its blocks in memory, at most those of the selection's fragment. If the selection moves by more than its
// fragment at once, what was on the chain before is not known any more: the history is forgotten, and local transactions of that time are
// tried again; the ledger refuses those that are on the chain.
//
// Since entries of the journal stay for K blocks, a node accepts at most LocalMax local transactions in the time of K blocks.
//
// # Stored form
//
// Below Config.Prefix: a number of eight bytes, big endian, in the order of acceptance; the value is the transaction's bytes.
//
// # Costs
//
// An addition costs some five times what a mutex, a map and a list cost, hash included, in six allocations, at any size of the pool; both are
// small beside a signature. A snapshot is one query. A move is one check for each pending transaction and one write for each in its blocks.
// go test -bench . measures.
//
// # Testing
//
// The tests hold a naive model beside it, run it in simulations with rollbacks, stop it at every operation of the store, and plant the bugs that
// the design excludes.
//
// # Sources
//
// Cardano's mempool (IntersectMBO/ouroboros-consensus, Mempool): a sequence valid in order, tickets, snapshots, local before remote. CometBFT's
// mempool and its CList, for the costs to compare with.
package mempool
