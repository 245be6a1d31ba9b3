// Package event is for waits that a transaction cannot express: two tasks that meet ([Chan]), a choice among meetings,
// transactions, timers, contexts and Go channels ([Sync]), and tasks that compete ([All], [Race], [FirstN]). If all that is
// waited for are Vars, a transaction with stm.Select is simpler and cheaper; use it then.
//
// # Why a rendezvous is no transaction
//
// A transaction is seen by nobody before it commits, and has happened afterwards. Two tasks that meet must each see that
// the other waits, and only then have happened both. In one transaction that is a deadlock: the offer that the
// other is to see is invisible while one waits in it. So [Chan] takes a context, never a *stm.Tx, and works in two
// phases. The first transaction takes the offer of somebody who waits, for both at once; if there is none it publishes
// offers, one for each alternative, all with one token. The second waits until somebody has taken one of them, which
// takes back the others. Whoever gives up takes his offers back in a transaction that finds out whether he came too late:
// then the meeting has happened, and he is told so and not that he gave up. Nothing is lost or done twice.
//
// # Concepts
//
// An [Event] is something that can happen once, with a value; it is described by [Send], [Recv], [Tx], [After], [At],
// [Done], [FromChan], [ToChan] and [Always], changed by [Wrap], made late by [Guard], and chosen by [Choose]. Nothing
// happens before [Sync], and then exactly one alternative does.
//
// # Order, bound, loss, fairness
//
// Of the alternatives that can happen at once the first does: the order is a priority, and one that can always happen
// starves those after it. A Chan holds no value. Those who wait at a Chan are met in the order in which they came.
// No alternative but the one that happens has any effect. What a function given to Wrap does with the value is its
// own affair: it runs after the event.
//
// # Go channels
//
// A Go channel cannot take part in a transaction: if one of its operations happens, no other alternative has. Sync waits
// for channels, Vars, timers and its context in one select and starts no goroutine. A choice with a Go channel does not
// offer itself at a Chan, because it could not take the offer back in time; it meets only those who do. So two choices
// that both name Go channels never meet each other, and one is not in line with those who wait.
//
// In a simulation there are no Go channels: Sync fails with stm.ErrSimulated if it is given one, as Pump does.
//
// [Pump] moves values from a Source to a Go channel by a task of its own. It has one value in its hands that neither side
// sees; prefer FromChan and Tx.
//
// # Tasks that compete
//
// All, Race and FirstN get the way to start a task as a value, the method Go of a registry.Scope. When it is decided, the
// others are cancelled and waited for, and only then do they return. A value that a loser returns all the same is dropped;
// what has to be closed belongs in a scope of the task's own.
//
// # Errors
//
// prop.ErrClosed for a Chan or Go channel that is closed, [ErrLost] as the cause for losers, [ErrNoReturn] for a task that
// panicked. If a function given to Tx panics while others are waited for, offers are taken back and the panic goes on.
//
// # Sources
//
// Reppy, Concurrent Programming in ML (1999), for events and the protocol of offers; Donnelly, Fluet, Transactional
// Events (2006), for what this does not do: meetings of three and more.
package event
