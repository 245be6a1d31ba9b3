// Package peers keeps what a node knows about its peers' conduct and talk: the ledger of violations with who is refused, and the set of
// sessions, of which there is at most one a peer, protocol and direction. It neither dials nor decides whom to talk to.
//
// # Concepts
//
// [Ledger] takes every p2p.Violation in one transaction ([Ledger.Report] fits p2p.Conn.Report): the violation is remembered, the peer
// refused and its disconnection owed, all at one moment. [Ledger.Enforce] pays what is owed. The policy is plain: every violation refuses
// its peer, for Config.RefuseFor, or for the life of the process; one by slowness alone, which may be nobody's fault (a machine that
// slept, a broken line), for Config.RefuseSlowFor. A new violation starts that time anew, and never shortens it. Scores, decay and
// persistence are for a later version. A connection that is lost never comes here, nor the silence of a peer that is not there any more: sessions
// report neither (package p2p).
//
// [Sessions] makes the newest session of a peer, protocol and direction supplant the one before, whose stream is reset with
// p2p.CodeSupplanted: a peer that reconnects is not kept out by its own ghost.
//
// # Concurrency
//
// Any task may call anything. Queries take a transaction, commands a context.
//
// # Limits
//
// Config names them. The oldest violation, and the oldest refusal, is forgotten first. Of more than RefusedMax peers reported before Enforce gets to the first,
// the last are refused and not disconnected. A set of sessions is as large as the
// connections times the protocols that its node accepts.
package peers
