// Package waitlist lists the transactions that wait under a context, for whoever looks at the context's owner: registry's
// dump and its search for deadlocks. It is internal; stm enters the waits and registry reads them.
//
// A context that answers [Key] with a [List] is asked for it by each transaction that parks under it. There is no
// process-wide table, and a transaction under any other context pays one Value call a wait.
package waitlist
