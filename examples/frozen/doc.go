// Command frozen has a node that stands still, and the same node that does not. The first has the shape of many nodes of real chains: a lock around
// the chain, and, still under that lock, a new block published on a bus that waits for its slowest subscriber; a subscriber asks the chain
// something before it takes the next block. That works for months. Then the bus is full at the wrong moment: the node waits for the subscriber,
// the subscriber for the lock, and nothing moves again.
//
//	go run ./examples/frozen
//
// Exploration finds the schedule, and the report names the cycle: who waits for what, and who had it last. The second node does what it does in transactions: the
// block becomes part of the chain and of the bus at one moment, or not yet, and nobody waits with anything in hand. It passes every schedule.
package main
