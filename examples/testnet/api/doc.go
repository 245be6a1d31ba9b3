// Package api is a testnet node's HTTP interface: the types of its answers, the handler that gives them, and a client. It is the
// testnet's own, for people, scripts and load generators; nodes talk to each other over libp2p alone.
//
// # Routes
//
//	GET  /status               Status
//	GET  /chain?from=H&limit=N Blocks: of the selected chain, from number H on, at most N (1 to 1,000; default 100)
//	POST /tx                   202 Receipt: durable. 400: not valid, with the reason. 413: over 64 KiB. 503: not accepted, try again
//	GET  /tx/{hash}            Tx: pending, included at, refused why. 404: unknown
//	GET  /account/{address}    Account
//	GET  /events               server-sent events, each a Status: one at once and one on each change; the newest wins
//	GET  /metrics              Prometheus
//	GET  /debug/scopes         the tree of the node's scopes, as text
//
// A request with a query that is not understood is 400. Whatever is not answered as asked has a body {"error": reason}.
//
// # Concurrency
//
// A handler and a [Client] may be used by any number of goroutines. What one answer says is of one moment: it is read in one transaction.
//
// # Errors
//
// A client's calls return a *[StatusError] for an answer other than the one asked for, and an error that names the node for what is no answer of one.
//
// # Limits
//
// Of a server made by [NewServer]: headers, bodies, and the time to read and to answer a request. Of a handler: requests under way (256), lists of blocks
// under way (8) and subscribers (64), each 503 above that; blocks (1,000) and transfers (20,000) in a list, which then ends early; 50 events a
// second to a subscriber, who is dropped when one cannot be written within 10 s. Of a client: 16 MiB an answer, 64 KiB an event.
package api
