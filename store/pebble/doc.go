// Package pebble keeps a [store.Store] on disk with cockroachdb/pebble. Use it for the state of one node in one directory. It is not
// for simulations (sim/simdisk and [store.Memory] are), and its files are for this package alone.
//
// # Concepts
//
// [Open] makes the store a resource of a scope. One daemon of that scope, the writer, commits: everything that waits in the queue when it is
// ready becomes one atomic write, synced once if any of it is to be [store.Durable]. So a hundred callers pay for one sync.
// The queue is bounded in batches and bytes ([Config]); Apply waits in a transaction while it is full.
//
// # Durability
//
// Queued: in the queue; then in pebble's buffer, which reaches the disk within the next synced group, 32 KiB or Close. Written and
// Durable: visible, and the log is synced. Written asks for less, but pebble hands its log to the operating system for certain only
// with a sync, and to pretend one would make it take the next power cut for corruption. Every group is written to one log in
// order, and a log is synced before the next begins, so a crash leaves a prefix of the batches, as [store] demands.
//
// # Failure
//
// A write or sync that fails, a fatal error of pebble's, a failed background job and a block whose checksum does not hold all do
// the same: the store has failed, for good, with [store.ErrFailed]. Nothing more is written; nothing is tried again. The process
// goes on. [DB.Failed] is the reason, to wait for; Close still releases everything. To go on, open the directory again.
//
// # Corruption
//
// Blocks of tables carry checksums. Everything else is sealed with a hash by Close, and an existing store is checked, without
// writing, before it is opened. So in a store that was closed a changed byte gives [ErrCorrupt], in Open or when the block is read, or has no
// effect; when Open refuses, every file is as it was.
//
// A store left by a crash has no seal. There pebble's own checks remain: damage in the last 32 KiB of the log or in the
// manifest, and a few bits elsewhere in the log (2 of 2,000 tried), can look like a write that the crash cut short. What came after it is
// dropped, as it must be for a write cut short; what remains is a prefix.
//
// # Concurrency
//
// All methods are safe for concurrent use. Goroutines that pebble starts belong to the store and end with Close. An Apply that ends with an
// error (cancelled while the queue is full, say) has no effect; once it has returned a ticket, cancelling does not take
// the batch back. When the scope is cancelled the writer ends, and tasks that still apply something commit it on their
// own goroutine, until the scope closes the store.
//
// # Costs
//
// Of one KiB made durable, on a shared machine, by callers that each wait for theirs: alone 1.1 ms, a sync for each; of 16 callers 134 µs, 8 to a
// sync; of 256 callers 13 µs, 128 to a sync. go test -bench GroupCommit measures.
//
// # Errors
//
// [ErrLocked], [ErrCorrupt], [ErrForeign] and [ErrVersion], with the directory's name, and those of package store.
//
// # Limits
//
// Waiting: Config.QueueMax batches and Config.QueueBytesMax bytes in the queue, and as much again being committed. In pebble: four
// memory tables and Config.CacheBytes of blocks. At most 256 open files. One process at a time: the directory is
// locked (not over a network file system that does not lock).
package pebble
