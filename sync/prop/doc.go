// Package prop is what the channels of sync have in common: a [Sink] that takes values in transactions, a [Source] that
// gives them, and [Props], which says in what order, how many, what is lost and who comes first. Code that hands values
// from one component to another should ask for a Sink or a Source and leave the choice of queue, mailbox or topic to
// whoever joins them. For state that is looked at and not handed over, a plain stm.Var is simpler.
//
// # Concepts
//
// Put and Take are parts of a transaction. Several compose: what is taken from one source and put into two sinks has
// moved at one moment, or not at all. A Put or Take that has to wait returns stm.ErrRetry, after which the transaction
// can do nothing but return it; so stm.Atomically(ctx, source.Take) waits, and
//
//	stm.Select(tx, urgent.Take, normal.Take)
//
// takes from the first that has something. [Send], [Recv], [All] and [Batch] are the same from outside a transaction;
// [Rest] takes all that is there within one.
//
// # Laws
//
// They hold of every implementation, and package proptest checks them against a naive model made from Props alone:
//
//   - A Put that is undone has not happened; so has a Take.
//   - Of a value that was put exactly one thing becomes: it is taken (in a broadcast: once by each source), it is
//     returned in a [Lost], or it is lost in the one way that Props names. No value is taken that was not put.
//   - Never more than Capacity values are held.
//   - After Close, Put fails with [ErrClosed]. Take goes on until nothing is left, and then fails with ErrClosed. Waits
//     end accordingly. Close is idempotent.
//   - Order is among values: it relates Takes to Puts in the order in which they commit.
//
// # Fairness
//
// A commit wakes all who wait for what it wrote, and the first that commits wins. So callers that wait are not
// served in the order in which they came, and one that wants much can be overtaken for ever by others that want little.
// Props says so: Fair is false. [InLine] makes any waiting transaction fair: callers that go through the same [Line] are
// served in the order in which they came, and only the first of them is woken.
//
// # Concurrency
//
// Everything may be used from any task. In a simulation everything is a step, as all transactions are.
//
// # Errors
//
// [ErrClosed] and [ErrFull]; else those of stm: a wait that ctx ends fails with an error that unwraps to ctx.Err() and
// to context.Cause(ctx), and then nothing has been put or taken.
//
// # Limits
//
// A Put that waits does so before anybody can see it. Two parties that must both be seen waiting cannot meet in
// transactions: package event does that.
//
// # Sources
//
// Harris, Marlow, Peyton Jones, Herlihy, Composable Memory Transactions (2005), for channels made of Vars.
package prop
