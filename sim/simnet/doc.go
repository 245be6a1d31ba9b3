// Package simnet is a network in memory: links with latency, bandwidth, loss and a window, streams and datagrams on them, and nodes that connect.
// All of it is Vars and instants to wait for, so it runs deterministically under sim.Run, in virtual time, and unchanged in
// production, where it serves tests as a pipe. It is not a transport: production programs use package p2p/libp2p.
//
// # Concepts
//
// A [Link] is one connection; [Link.Pipe] makes a stream on it, both ends at once. Bytes written are a segment with the instant at
// which it arrives; a read waits for that instant. There are no tasks and no timers: nothing is left behind when a link is
// dropped.
//
// A [Net] is a set of named nodes and the links between them. [Node] implements p2p.Network; its address is its identity.
//
// # What can go wrong
//
//   - Time: a [Config] draws each segment's time on the way. The streams of a link share its bandwidth in each direction, and all links of a node the node's
//     (NodeConfig.BytesPerSecond), in turns of 16 KiB.
//   - Loss: a stream is reliable, so what is lost comes later, after one or more timeouts, with all that is behind it.
//   - The end of connections: [Link.Cut], [Net.Cut] and [Net.Drop] are noticed at once by both ends; [Net.Part] cuts what is between two sides and keeps
//     it cut until [Net.Heal].
//   - Silence: [Net.Clog] holds up one direction, or two, and nobody is told; [Net.Vanish] is the loss of a peer's power, which leaves half-open
//     connections. Both show only by what is not heard, and after Config.IdleTimeout.
//   - Datagrams ([Node.Send], [Node.Receive]) are lost, come twice, and overtake each other.
//
// In a simulation what comes about by chance is counted in Report.Faults ([LossFault], [DuplicateFault]), and simtest.Check fails if it never does.
//
// # Clocks
//
// Instants on the net are true time: nodes whose clocks are wrong (package simnode) change when they act, not how long a byte takes. Deadlines of a stream follow the
// clock of the task that waits.
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
// AcceptMax inbound streams that nobody has accepted; what does not fit is reset. Datagrams that find no room are dropped and counted.
//
// # Testing
//
// The suite of package p2p/p2ptest runs on its streams in both worlds, on links that are narrow, far and lossy.
package simnet
