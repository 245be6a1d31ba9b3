// Package simnet is a network in memory: links with latency, jitter, bandwidth and a window, streams on them, and nodes that connect.
// All of it is Vars and instants to wait for, so it runs deterministically under sim.Run, in virtual time, and unchanged in
// production, where it serves tests as a pipe. It is not a transport: production programs use package p2p/libp2p.
//
// # Concepts
//
// A [Link] is one connection; [Link.Pipe] makes a stream on it, both ends at once. Bytes written are a segment with the instant at
// which it arrives; a read waits for that instant. There are no tasks and no timers: nothing is left behind when a link is
// dropped. [Link.Cut] loses the connection: both ends are Gone at once, also to a task that holds the agency.
//
// A [Net] is a set of named nodes and the links between them. [Node] implements p2p.Network; its address is its identity. [Net.Part]
// cuts the links between two sides until [Net.Heal].
//
// # Concurrency
//
// As p2p.Stream and p2p.Network say. A link belongs to the world of the context it was made with.
//
// # Errors
//
// Those of p2p.Stream. [ErrNoNode], [ErrRefused] and [ErrParted] from Connect.
//
// # Limits
//
// A direction of a stream holds at most Config.WindowBytes that were not read; when full, Write waits. A node holds at most
// AcceptMax inbound streams that nobody has accepted; what does not fit is reset.
//
// # Testing
//
// The suite of package p2p/p2ptest runs on its streams in both worlds.
package simnet
