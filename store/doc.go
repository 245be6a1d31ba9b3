// Package store is a small ordered key-value store with atomic batches, levels of durability, and tickets that a transaction
// can wait for. Use it for what a node must find again after a restart. It is no database: one keyspace, no queries, no
// transactions over reads and writes; state that others watch belongs in Vars.
//
// # Concepts
//
// Changes are collected in a [Batch] and handed to [Store].Apply, which queues it and returns a [Ticket]. The ticket is done when
// the batch has the [Durability] asked for, or can no longer get it. Waiting is a choice: with [Ticket.Wait], or as one condition of
// a transaction with [Ticket.Done].
//
// # Order, atomicity, crashes
//
// Batches take effect in the order in which Apply accepted them; one goroutine's batches in the order of its calls. A batch is
// atomic: no Get, Scan or restart sees a part of it. After a crash the store holds the effects of a prefix of that order, which includes every batch
// whose ticket was done without error: those Written if the process died, those Durable if the machine lost power. So a batch that
// became Durable makes all before it durable. Without a crash, Close keeps everything accepted.
//
// A batch is visible to Get and Scan at the latest when it is Written. Between Apply and then it may be or not.
//
// Apply with an error never has an effect, also when it was cancelled while it waited: only a returned ticket can.
//
// # Failure
//
// A store whose disk fails is failed for good: a failed write or sync is never tried again, since nobody can tell what it left. All open
// tickets, and every later call, report an error that wraps [ErrFailed] and the cause. Whether the last batches are on disk is then open, but
// what is there is a prefix as above. A new Open decides.
//
// # Concurrency
//
// All methods of a Store are safe for concurrent use, outside of transactions: they are effects, which a transaction that runs again would
// repeat. What belongs in a transaction is the ticket. Nothing returned aliases the store's memory, and the store keeps nothing that the
// caller passed but the frozen Batch.
//
// # Errors
//
// [ErrNotFound], [ErrClosed], [ErrFailed], [ErrLimit].
//
// # Limits
//
// [BatchBytesMax] and [KeyBytesMax] bound a batch; a batch over a limit is refused by Apply as a whole. An implementation bounds its queue and says how.
//
// # Testing
//
// [Memory] is a Store for tests and simulations. Package storetest is the suite every implementation must pass.
package store
