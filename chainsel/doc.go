// Package chainsel selects the best valid chain among the blocks a node is given, keeps it on disk, and shows it to everybody else
// as one consistent value. It is generic in the ledger's state and in the order of chains. It knows no network, no proof and no
// transaction; use it when blocks form a tree of which one branch counts. For protocols that decide each block once and for all it
// is too much.
//
// # Concepts
//
// The [Selection] is the newest K headers of the selected chain with the ledger's state after each; what is older is on disk
// alone, and final: no move of the selection rolls back more than K blocks, ever. Beside it stands the volatile part: forks, and
// blocks whose predecessor has not come yet (they wait: blocks may come in any order), in memory. [Chain.AddBlock] hands in a
// block; its promise [Added] has two stages, stored and decided.
//
// One task selects, in rounds: take what was handed in; build the chains through the new blocks; let the ledger apply the most
// promising first, outside any transaction; cut a chain before a block that is invalid, and remember that block; if the best that
// is left is strictly better than the selection, write the difference in one durable batch; then move selection, ledger state,
// counts and the reason of the move in one transaction. Nobody sees a selection that a crash could take back.
//
// With a codec of states (Config.Encode) a second task writes the state K blocks back every so often, beside the selection task, which never waits for it. Open
// then replays what comes after the newest snapshot, instead of everything. A snapshot is durable before it is used, two are kept, and none is trusted: one that is
// torn, changed, of another chain, or that the ledger does not go on from is passed over for the older, and that for the start, with an [Event].
//
// With Config.SnapshotAtEnd a scope that ends in order leaves the state after the tip too, and the next Open applies no block. The states before it are
// then unknown ([Selection.StateAt]) until a chain comes that leaves the selection before that block, which makes the selection task apply again what is
// stored after an older snapshot, once; headers that Open reads for that are checked for their links alone.
//
// [Chain.Switches] and [Chain.Declined] say why the selection moved to another chain, and why it did not.
//
// A [Follower] walks along the selection step by step, for a server of headers; [Chain.Range] reads blocks, for a server of
// bodies; [Chain.At] finds a header by its number.
//
// # Concurrency
//
// All methods of [Chain] are safe for concurrent use; one task uses a [Follower] at a time. Methods with a transaction are
// queries, to be composed with those of others; those with a context are commands. The selection task is the one writer of all but
// the queue; it ends with its scope, or with the first failure of the store, which then ends the scope. Ledger and CheckHeader
// must not depend on anything but their arguments.
//
// # Errors
//
// A block may be refused with a [Verdict], which blames nobody, or as [Invalid] with an [InvalidError], which blames who made it,
// and who relayed it if relaying asks for validation. [Open] gives a [CorruptError] for a stored chain that is not whole, and
// leaves it as it is.
//
// # Limits
//
// Each has its field in [Config] and its answer:
//
//   - the queue is full: AddBlock waits. As many blocks as it holds may be on their way from it into the volatile part;
//   - the volatile part is full, in blocks or bytes: of the blocks that nothing is built on the oldest arrival goes, so that what
//     is still growing stays. A block larger than all of it is refused ([Full]). During a move it may also hold the blocks rolled
//     back, at most as much again;
//   - a block at or below number tip - K (more exactly, the anchor of the selection): [TooOld];
//   - a block with unknown predecessor, so far ahead that the volatile part could never hold the chain to it: [TooFar];
//   - the memory of invalid blocks is full: the oldest is forgotten, and is judged again if it comes again;
//   - followers, length of a range: [ErrLimit].
//
// Since all blocks of a fork must be in the volatile part at once, a fork whose bodies exceed VolatileBytesMax is not switched to.
// One who may sign headers can drive an honest fork out of the volatile part by sending as many blocks as that holds between two
// of the fork's blocks; no flood takes away what is selected.
//
// In memory: K headers and states and as much again to grow into, the volatile part, for a follower the headers of the
// selection it saw last, and a state that is being written. Open replays K + SnapshotEvery blocks or a few more, or, without a codec, the whole chain. What lies before the
// snapshot it used is checked when it is read.
//
// # Stored form
//
// Below Config.Prefix: "h" and the block number, eight bytes big endian, hold a header; "b" and the number the body; "t" the ends
// of the chain: the anchor's number, the tip and the genesis. Only the selection is stored. "s", a number and a chunk's number, four bytes, hold a part of the
// encoded state after that block; "m" and the number the manifest, written last: block, length, and a hash over genesis, block and state.
//
// # Testing
//
// The tests hold a naive model beside it (random trees in random order), stop it at every operation of the store, and plant the
// bugs that the design excludes.
//
// # Sources
//
// Cardano's ChainDB (IntersectMBO/ouroboros-consensus, Storage/ChainDB, and its technical report, chapter 11): selection through
// the new block, two-stage promise, valid prefixes, followers.
package chainsel
