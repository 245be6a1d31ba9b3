// Package gate makes tasks wait for each other: to be few at a time ([Semaphore], [RWLock], [RAWLock]), to have all
// arrived ([Latch], [Barrier]), to be slow enough ([Limiter], [LeakyBucket]), or not to do the same twice ([Leases]). State that is read and written within one
// transaction needs no lock; use one here to keep others out across several transactions, or across work outside of
// any.
//
// # Concepts
//
// What waits for others takes a context and is fair; what can be done at once takes a transaction and composes. So a lock
// is taken by Acquire or Lock, tried by Try..., which never overtakes those who wait, and given back in whatever
// transaction publishes the result of what was done under it. The methods With and WithRead... do both, and give back
// also if the function panics or ends its goroutine.
//
// A RAWLock admits any number of readers together with one appender, and a writer alone: for a log that can be read while
// it grows, but not while it is cut.
//
// A Limiter lets a burst pass and then so many a second. A LeakyBucket is filled in transactions and drains with time; it
// can be asked whether it would overflow (conduct of a peer), and waited for until it is empty (patience with a peer).
// A Limiter with a burst of 1 lets pass at equal distances, which is a leaky bucket used as a queue.
//
// Leases are locks on keys that end by themselves, looked at and taken in the transaction that decides what to do next.
//
// A bound by weight, of a queue's bytes say, is a queue and a Semaphore in one transaction: see the example of TryAcquire.
//
// # Order and fairness
//
// Semaphore, locks and Limiter serve those who wait in the order in which they came, each whole: who wants much waits at
// the head of the line until there is enough, and nobody behind is served meanwhile. So nobody starves; the price is that
// what is free may stay unused while somebody at the head wants more. Plain retry in a transaction is not fair: a test
// of this package starves a big request that way, and not by a Semaphore.
//
// # Bound and loss
//
// What is held never exceeds what was stated. Nothing is lost: a wait that ctx ends holds nothing and has moved nobody
// else; if it was served at the same moment, it succeeds.
//
// # Errors
//
// [ErrNever] if more is wanted than there will ever be. Misuse panics: giving back what was not taken.
//
// # Limits
//
// Locks are not reentrant, and cannot be upgraded. A lock that its holder never gives back is waited for until ctx ends;
// the deadlock report of a simulation names its line.
//
// # Sources
//
// Courtois, Heymans, Parnas (1971), for readers and writers; ouroboros-consensus, for the read-append-write lock
// and the bucket that leaks; ITU-T I.371, the generic cell rate algorithm, for the arithmetic of Limiter and LeakyBucket.
package gate
