// Package queue holds values between those who make them and those who take them: each value goes to one taker. A queue
// is bounded, and says what happens when it is full. To hand one value over, a promise (package cell) is simpler; to
// reach everybody, use package topic; if nobody waits in a transaction and nothing is simulated, a Go channel is several
// times faster.
//
// # Concepts
//
// The order is chosen by the constructor: [FIFO], [LIFO] or [Priority]. What a Put does that finds no room is chosen by
// a [Full]:
//
//	Wait        waits for room (the zero Full)
//	Reject      fails with prop.ErrFull
//	DropNewest  drops the value that is put
//	DropOldest  drops the value that has been held longest
//	EvictLeast  drops the least valuable, be it the new one; of equal ones the newest
//	FairShare   drops the newest of the producer that holds most, counting the new value
//
// Every order goes with every policy. What is dropped is returned by Put: what becomes of it is for the caller to
// decide. [Unbounded] is a FIFO queue without a bound; it asks for a [Gauge], so that somebody can see it grow.
//
// [Queue.Reserve] takes a place before the value exists: to read a message only when there is room for it, or to make
// sure of several queues before doing what cannot be undone.
//
// # Order
//
// Values are ordered by when their Puts commit, a reserved one by when it is filled. Equal values of a Priority
// queue are taken first in, first out.
//
// # Loss
//
// None but what Put returns. Close keeps what is held, and waits for the places that are reserved.
//
// # Fairness
//
// None among callers that wait: a Put or Take that finds what it needs goes ahead of those that have waited for it. Use
// prop.InLine where one caller must not starve another. FairShare is about producers' shares of a full queue.
//
// # Cost
//
// A Put and a Take are short transactions. FIFO and LIFO queues that wait, reject, or drop the newest or oldest are
// rings, made at once for their whole capacity, some 60 bytes a place and more for values that are no words. A Put and a
// Take of a FIFO ring conflict only when it looks full or empty, those of an unbounded queue only when it is empty. All
// other queues are balanced trees in one Var: Puts and Takes cost O(log n), allocate, and conflict with each other.
// Benchmarks are beside Go channels and a ring under a lock.
//
// # Errors
//
// prop.ErrFull, prop.ErrClosed. Misuse panics: a capacity below 1, a reservation used twice.
//
// # Testing
//
// prop/proptest runs every order with every policy against a naive model.
package queue
