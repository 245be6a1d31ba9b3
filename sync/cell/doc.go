// Package cell holds one value at a time: to hand it over ([MVar]), to promise it ([Promise]), to publish the newest of it
// ([Watch]), or one for each key ([Mailbox]). For values that must all be seen in order use package queue or topic; a
// value that is only looked at is an stm.Var.
//
// # Concepts
//
// An MVar is a queue of one, and a lock around a value: who takes it has it alone until he puts it back.
//
// A Promise is fulfilled at most once and read any number of times. If whoever made it goes away, it is abandoned, and
// those who wait get an error instead of waiting for ever; [Promise.Fulfil] sees to that.
//
// A Watch keeps the newest value. Each [Reader] sees the newest that it has not seen: it may skip values, never goes
// back, and never misses the last one, also if the Watch is closed right after it.
//
// A Mailbox keeps one value for each key that waits, merged from all that were put meanwhile. A key that is checked out
// is given to nobody else until it is done, and what is put for it meanwhile waits; so work on one key never overlaps,
// and what arrives during it is not forgotten. [Mailbox.Find] tells what waits or is worked on, so that nobody need put it
// again.
//
// # Order, bound, loss, fairness
//
//	           order    bound     when full                   each value goes to
//	MVar       -        1         Put waits                   one taker
//	Promise    -        1         Put fails: it is closed     every Reader
//	Watch      latest   1         supersedes the value before every Reader that comes in time
//	Mailbox    FIFO     keys      merges, or waits for a key  one taker
//
// A Mailbox orders by when a key came to wait; a value merged into a waiting one does not change its place. None is fair
// to those who wait; see prop.InLine.
//
// # Concurrency
//
// Everything may be used from any task, a Reader too: two tasks with one Reader share what it sees.
//
// # Errors
//
// prop.ErrClosed; [ErrAbandoned], which is one too.
//
// # Sources
//
// Peyton Jones, Gordon, Finne, Concurrent Haskell (1996), for MVar; the work queue of Kubernetes' client-go for keys in
// progress.
package cell
