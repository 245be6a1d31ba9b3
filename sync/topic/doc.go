// Package topic publishes values to everybody who subscribes. Publishing never waits, whoever is slow, and so may be done
// in any transaction, beside the change of state that it tells of. If only the newest value counts use cell.Watch; if
// each value is for one taker use package queue; if no value may be missed give each consumer a queue that waits, and
// accept that the slowest holds up all.
//
// # Concepts
//
// A [Topic] keeps the newest values, as many as its history says. A [Subscription] is a place in their sequence, and has a
// bound: how many values it may be behind. Who is further behind misses the oldest, and is told how many: that is a part
// of the next [Item], a value and not an error, because it does not end anything. Each subscription has the bound that
// suits it, up to the history.
//
// # Order
//
// Every subscription sees the values in the order in which they were published, which is that of the publishing
// transactions. Together with a state that is written in the same transactions this makes a consistent feed: subscribe
// and read the state in one transaction, and the items are exactly the changes since.
//
// # Loss
//
// What a subscription misses is counted in Item.Missed. Values published before it began are not missed; see
// [Subscription.Rewind]. After Close what is left can be taken.
//
// # Cost
//
// Publishing costs the same for any number of subscriptions, and a subscription costs nothing but its memory: it is
// registered nowhere, needs no unsubscribing, and is collected when it is forgotten. The topic keeps its history alive.
//
// # Concurrency
//
// Everything may be used from any task. Tasks that share a subscription share its values.
//
// # Errors
//
// prop.ErrClosed.
package topic
