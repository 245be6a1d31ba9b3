// Package replica is one node of a testnet with all that surrounds it: libp2p host, store, node.Node over the coin ledger, HTTP server, metrics and logs, in one
// scope. It neither reads flags nor decides who dials whom, and it has no logger of its own.
//
// # Concepts
//
// A replica starts in two phases, because in one process nobody knows an address before it listens. [Listen] binds the libp2p host and the HTTP
// socket and opens the store; [Replica.Start] is given the addresses to dial and runs the node, which then answers over HTTP. All it started ends with the scope
// given to Listen, youngest first: HTTP, node, network, store, host, socket.
//
// # Concurrency
//
// Methods with a transaction are queries, of any task. Start is called once, by the owner of the scope.
//
// # Errors
//
// Listen and Start: a field of Config, a socket in use, a store that is locked, corrupt or of another network.
package replica
