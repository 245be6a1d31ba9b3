// Package libp2p carries p2p's streams over go-libp2p: [Bind] makes a [p2p.Network] of any go-libp2p host, [NewHost] builds the
// lean host of the testnet. Do not import it from a protocol package (they see p2p.Stream alone) nor use it in a simulation
// (sim/simnet is the network there): everything below it runs on goroutines and wall clocks that are not ours.
//
// # Concepts
//
// A Network keeps one link a connection. What libp2p reports through callbacks is handed over to Vars, and the callback
// returns: who is connected is a query ([Network.Connected]), an inbound stream waits in a bounded queue for [Network.Accept],
// a lost connection sets one Var that every stream of it shows as Gone. What may block in libp2p (sending a reset when the peer
// does not read, closing a connection) is done by one task a connection, so that Reset, CloseWrite and Disconnect never block
// their caller, and one stalled peer delays nobody else.
//
// # One connection a peer
//
// One connection a peer is kept. There are two for a moment when both sides dial each other at once, and when a peer was killed and is
// back before its old connection has died, which over QUIC takes 30 s. The rule, for a new connection and the one that is there:
//
//   - Opened within [SimultaneousWindow] of each other and dialled by different sides: the one that the smaller peer id dialled stays. If that
//     is the new one, the old one is closed. If it is the old one, it must prove that it lives: it is sent a probe, and while it has not
//     answered, for [AnswerMax] at most, both are served. It answers: the new one is closed. It does not: it is closed, and the new one stays.
//   - Else the younger stays, because a peer that dials again has lost the older one.
//
// So two peers that dialled each other close the same one: both connections answer, and both sides see the same dialers. A peer that has
// come back knows of one connection, which nobody closes. Should the answer take longer than AnswerMax on a connection that lives, both may
// be closed; then who wants a connection dials again. Streams on the closed connection are gone and must be opened again; Connected holds
// the peer all the while. A dial that loses this way succeeds once the other connection is here.
//
// A probe is the first line of a negotiation on a new stream, which every libp2p host answers; it needs nothing of the peer's protocols.
// Streams offer it to sessions (p2p.Prober): one that has waited in vain asks whether the peer is there at all, and if not the connection
// is given up.
//
// # Streams
//
// Choosing a stream's protocol (multistream-select 1.0) costs no round trip: Open writes the identifier, and the peer's answer is
// checked when the first byte is read. A peer that does not speak the protocol is an error of the first Read (and of
// Gone, once watched) that wraps [ErrProtocol]; a Write before it may still succeed.
//
// [Stream.Watch] is a lazy pump: one task a watched stream that keeps one read in flight, so that a reset is seen
// while our side holds agency. What it reads ahead (at most 1 KiB) goes to the next Read.
//
// # NewHost is built from parts
//
// The swarm, the TCP (or QUIC) transport with the TLS and Noise upgrader, and libp2p's basic host, without the root package. The root
// package links WebRTC, WebTransport, WebSocket, relays and fx whatever options are given: 536 packages and a binary of
// 30 MB, against 397 and 21 MB for this one.
// The blank host is leaner still, but has no limit on the time of an inbound negotiation (a half-open stream would hold a
// goroutine for ever), ignores the resource manager's verdict on protocols, and leaves its peerstore's and resource
// manager's goroutines behind after Close; the basic host has none of these faults, and identify comes with it. No relay, no
// ping service, no autonat, no NAT mapping, no address discovery, no metrics, no SO_REUSEPORT (with it a port in
// use would not be noticed). A stream's window is at most 1 MiB.
//
// What wakes an idle host, all of it libp2p's: for each connection QUIC's keep-alive, 15 s after the peer was last heard, or yamux's, 30 s
// after; for each host what forgets left peers (30 s), old addresses (1 min), spent limits (1 min), unused UDP sockets (QUIC, 30 s), and
// passed back-offs (5 min). Left out are the basic host's look at the machine's addresses (5 s) and yamux's measuring of the round trip after the
// first time (30 s a connection). A Network of ours wakes only when something happens. p2p/keepalive, every 15 s at one moment for all
// sessions, takes the place of both keep-alives.
//
// # Concurrency
//
// Every method of Network may be called by any goroutine. A stream belongs to one goroutine, but for Reset and Gone. The Network lives as
// long as the scope given to Bind: when that ends, every stream of ours is reset with CodeShutdown and the handlers are removed; the host
// stays the caller's, to be closed after. All goroutines are tasks of that scope.
//
// # Errors
//
// Connect: *[DialError] over [ErrAddress], [ErrRefused], [ErrWrongPeer] or [ErrUnreachable], or the context's cause. Streams:
// io.EOF, *p2p.ResetError, os.ErrDeadlineExceeded, *[GoneError] (wraps p2p.ErrGone), [ErrProtocol].
//
// # Limits
//
// Inbound streams that wait for Accept: Config.QueueMax in all and Config.QueuePeerMax a peer; one more is reset with 0x1002
// and counted ([Network.Dropped]). Streams of one connection that have ended and are not yet freed: with more than 8, Open waits and Accept
// passes that connection over, so that opening and resetting in a loop does not run into the limit on streams. Tasks: one a
// connection, one a watched stream, one a probe under way (at most one a connection), one a Network. NewHost's resource manager bounds connections
// (HostConfig.PeersMax), streams a peer (HostConfig.StreamsPeerMax), memory, and, through the basic host, 10 s an inbound negotiation. On a foreign host
// those bounds are the host's.
//
// # Testing
//
// The tests run over real loopback connections on both transports, p2ptest's conformance suite among them, and end with a check that no goroutine
// is left. A peer that is killed is the test binary itself, started again as a child process that gets SIGKILL.
//
// # Sources
//
// libp2p specifications: multistream-select 1.0, yamux, error codes; go-libp2p v0.51.
package libp2p
