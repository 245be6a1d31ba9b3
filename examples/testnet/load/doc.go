// Package load puts a testnet under load and keeps account of every promise: signed transfers a second, handed in over HTTP, each followed until it is on the
// chain. It is a generator for testnets, not a benchmark of HTTP: it never catches up with what it could not send in time.
//
// # Concepts
//
// A pace says how many transfers are due; a planner says which account sends next, with which nonce, and to which node; senders make the attempts; a book keeps
// account of each transfer from the moment before it is sent. Pace, planner and book are pure state machines. [Load] gives them a clock, a client and a lock.
//
// # Guarantees
//
// No transfer of ours can make one that was accepted invalid:
//
//   - an account sends one transfer at a time, and to the same node as long as one is in flight, that is accepted and not on the chain;
//   - what was not answered for certain (no answer, no room, a node that has ended) is sent again with the same bytes, perhaps elsewhere;
//   - a nonce never goes back. After a refusal the node is asked for the account's next nonce, and ours only follows it upwards.
//
// So an accepted transfer that ends neither on the chain nor in a mempool is the network's fault.
//
// # Concurrency
//
// Run and Follow are each called once, by a task; the others by anybody.
//
// # Limits
//
// At most RateMax transfers a second, a fixed number of attempts under way, a burst of a tenth of a second. What is due beyond that is skipped and counted. The book
// holds the transfers of the newest K blocks and those not on the chain.
package load
